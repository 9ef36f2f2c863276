#include "ck_convert.h"

#if defined(__x86_64__)

#include "lanes_avx512.h"

#pragma STDC FP_CONTRACT OFF

// All but E4M3, whose codes are masked, do whole vectors of sixteen and leave the rest to their
// portable twins.

CK_AVX512 void ck_decode_bf16_avx512(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    ck_prefetch_page_ahead(codes + 2 * i);
    __m512i words = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(codes + 2 * i)));
    _mm512_storeu_si512(values + i, _mm512_slli_epi32(words, 16));
  }
  ck_decode_bf16_portable(codes + 2 * i, count - i, values + i);
}

CK_AVX512 void ck_decode_f16_avx512(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    ck_prefetch_page_ahead(codes + 2 * i);
    _mm512_storeu_ps(values + i,
                     _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(codes + 2 * i))));
  }
  ck_decode_f16_portable(codes + 2 * i, count - i, values + i);
}

CK_AVX512 void ck_decode_e4m3_avx512(const uint8_t *codes, size_t count, float *values) {
  // Times one changes nothing.
  const float one = 1;
  ck_scaled_e4m3(codes, count, &one, SIZE_MAX, values);
}

CK_AVX512 void ck_decode_e5m2_avx512(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    ck_prefetch_page_ahead(codes + i);
    __m256i words = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(codes + i)));
    _mm512_storeu_ps(values + i, _mm512_cvtph_ps(_mm256_slli_epi16(words, 8)));
  }
  ck_decode_e5m2_portable(codes + i, count - i, values + i);
}

CK_AVX512 void ck_decode_e8m0_avx512(const uint8_t *codes, size_t count, float *values) {
  const __m512i half = _mm512_set1_epi32(0x00400000);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    __m512i lanes = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(codes + i)));
    __mmask16 is_least = _mm512_testn_epi32_mask(lanes, lanes);
    __mmask16 is_nan = _mm512_cmpeq_epi32_mask(lanes, _mm512_set1_epi32(0xFF));
    __m512i bits = _mm512_slli_epi32(lanes, 23);
    bits = _mm512_mask_or_epi32(bits, is_least | is_nan, bits, half);
    _mm512_storeu_si512(values + i, bits);
  }
  ck_decode_e8m0_portable(codes + i, count - i, values + i);
}

CK_AVX512 void ck_decode_e2m1_avx512(const uint8_t *codes, size_t count, float *values) {
  const __m512 numbers = ck16_numbers_of_e2m1();
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    _mm512_storeu_ps(values + i, _mm512_permutexvar_ps(ck16_load_nibbles(codes + i / 2), numbers));
  ck_decode_e2m1_portable(codes + i / 2, count - i, values + i);
}

CK_AVX512 void ck_decode_int8_avx512(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) _mm512_storeu_ps(values + i, ck16_load_int8(codes + i));
  ck_decode_int8_portable(codes + i, count - i, values + i);
}

#endif
