#include "ck_convert.h"

#if defined(__x86_64__)

#include "lanes_avx2.h"

#pragma STDC FP_CONTRACT OFF

// Every function does whole vectors and leaves the rest to its portable twin.

CK_AVX2 void ck_decode_bf16_avx2(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m128i words = _mm_loadu_si128((const __m128i *)(codes + 2 * i));
    __m256i bits = _mm256_slli_epi32(_mm256_cvtepu16_epi32(words), 16);
    _mm256_storeu_ps(values + i, _mm256_castsi256_ps(bits));
  }
  ck_decode_bf16_portable(codes + 2 * i, count - i, values + i);
}

CK_AVX2 void ck_decode_f16_avx2(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm256_storeu_ps(values + i,
                     _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(codes + 2 * i))));
  ck_decode_f16_portable(codes + 2 * i, count - i, values + i);
}

CK_AVX2 void ck_decode_e4m3_avx2(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    __m256 numbers[2];
    ck8_values_of_e4m3(codes + i, numbers);
    _mm256_storeu_ps(values + i, numbers[0]);
    _mm256_storeu_ps(values + i + 8, numbers[1]);
  }
  ck_decode_e4m3_portable(codes + i, count - i, values + i);
}

CK_AVX2 void ck_decode_e5m2_avx2(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m128i bytes = _mm_loadl_epi64((const __m128i *)(codes + i));
    __m128i halves = _mm_unpacklo_epi8(_mm_setzero_si128(), bytes);
    _mm256_storeu_ps(values + i, _mm256_cvtph_ps(halves));
  }
  ck_decode_e5m2_portable(codes + i, count - i, values + i);
}

CK_AVX2 void ck_decode_e8m0_avx2(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256i lanes = ck8_load_bytes(codes + i);
    __m256i bits = _mm256_slli_epi32(lanes, 23);
    __m256i is_least = _mm256_cmpeq_epi32(lanes, _mm256_setzero_si256());
    bits = _mm256_or_si256(bits, _mm256_and_si256(is_least, _mm256_set1_epi32(0x00400000)));
    __m256i is_nan = _mm256_cmpeq_epi32(lanes, _mm256_set1_epi32(0xFF));
    bits = _mm256_or_si256(bits, _mm256_and_si256(is_nan, _mm256_set1_epi32(0x00400000)));
    _mm256_storeu_ps(values + i, _mm256_castsi256_ps(bits));
  }
  ck_decode_e8m0_portable(codes + i, count - i, values + i);
}

CK_AVX2 void ck_decode_e2m1_avx2(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm256_storeu_ps(values + i, ck8_value_of_e2m1(ck8_load_nibbles(codes + i / 2)));
  ck_decode_e2m1_portable(codes + i / 2, count - i, values + i);
}

CK_AVX2 void ck_decode_int8_avx2(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m128i bytes = _mm_loadl_epi64((const __m128i *)(codes + i));
    _mm256_storeu_ps(values + i, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)));
  }
  ck_decode_int8_portable(codes + i, count - i, values + i);
}

CK_AVX2 void ck_encode_bf16_avx2(const float *values, size_t count, uint8_t *codes) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256 lanes = _mm256_loadu_ps(values + i);
    __m256i bits = _mm256_castps_si256(lanes);
    __m256i upper = _mm256_srli_epi32(bits, 16);
    __m256i half = _mm256_add_epi32(_mm256_set1_epi32(0x7FFF),
                                    _mm256_and_si256(upper, _mm256_set1_epi32(1)));
    __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, half), 16);
    __m256i nan = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
    __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(lanes, lanes, _CMP_UNORD_Q));
    rounded = _mm256_blendv_epi8(rounded, nan, is_nan);
    __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(rounded, rounded), 0x08);
    _mm_storeu_si128((__m128i *)(codes + 2 * i), _mm256_castsi256_si128(packed));
  }
  ck_encode_bf16_portable(values + i, count - i, codes + 2 * i);
}

CK_AVX2 void ck_encode_e4m3_avx2(const float *values, size_t count, uint8_t *codes) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256 lanes = _mm256_loadu_ps(values + i);
    __m256i code = ck8_code_of(lanes, CK_E4M3);
    __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(lanes, lanes, _CMP_UNORD_Q));
    code = _mm256_or_si256(code, _mm256_and_si256(is_nan, _mm256_set1_epi32(0x7F)));
    ck8_store_bytes(code, codes + i);
  }
  ck_encode_e4m3_portable(values + i, count - i, codes + i);
}

#endif
