// Eight Float32 lanes of the operations in minifloat.h. Private to CKernels; include it where
// functions are compiled for AVX2 and F16C.
#pragma once

#include <immintrin.h>

#include "minifloat.h"

#define CK_AVX2 __attribute__((target("avx2,f16c")))
#define CK_AVX2_INLINE static inline __attribute__((target("avx2,f16c"), always_inline))

CK_AVX2_INLINE __m256 ck8_magnitude(__m256 values) {
  return _mm256_and_ps(values, _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF)));
}

/// As ck_value_of_e4m3, of sixteen codes. With the exponent taken as a Float16's, which counts from
/// 8 further down, their bits are those of the 256th part.
CK_AVX2_INLINE void ck8_values_of_e4m3(const uint8_t *codes, __m256 values[2]) {
  __m256i words = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)codes));
  // All above bit 13 is sign; it stays in bit 15.
  __m256i halves = _mm256_and_si256(_mm256_slli_epi16(words, 7), _mm256_set1_epi16((short)0xBFFF));
  // A NaN's bits are 1.875's so far.
  __m256i is_nan = _mm256_cmpeq_epi16(_mm256_slli_epi16(halves, 1), _mm256_set1_epi16(0x3F80 << 1));
  halves = _mm256_xor_si256(halves, _mm256_and_si256(is_nan, _mm256_set1_epi16(0x3F80 ^ 0x7E00)));
  const __m256 scale = _mm256_set1_ps(256);
  values[0] = _mm256_mul_ps(_mm256_cvtph_ps(_mm256_castsi256_si128(halves)), scale);
  values[1] = _mm256_mul_ps(_mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1)), scale);
}

/// Eight bytes, each in the low byte of a lane.
CK_AVX2_INLINE __m256i ck8_load_bytes(const uint8_t *bytes) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)bytes));
}

/// Eight nibbles of four bytes, the low one of each byte first, each in a lane.
CK_AVX2_INLINE __m256i ck8_load_nibbles(const uint8_t *bytes) {
  int32_t word;
  memcpy(&word, bytes, sizeof word);
  __m256i shifts = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
  return _mm256_and_si256(_mm256_srlv_epi32(_mm256_set1_epi32(word), shifts),
                          _mm256_set1_epi32(15));
}

/// As ck_value_of_e2m1, of codes 0…15 in lanes.
CK_AVX2_INLINE __m256 ck8_value_of_e2m1(__m256i codes) {
  const __m256 values = _mm256_setr_ps(0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f);
  __m256 magnitude = _mm256_permutevar8x32_ps(values, codes);  // reads the low three bits
  __m256i sign = _mm256_slli_epi32(_mm256_and_si256(codes, _mm256_set1_epi32(8)), 28);
  return _mm256_or_ps(magnitude, _mm256_castsi256_ps(sign));
}

/// As ck_round_to_grid.
CK_AVX2_INLINE __m256 ck8_round_to_grid(__m256 magnitude, ck_minifloat format) {
  __m256i exponent = _mm256_and_si256(_mm256_castps_si256(magnitude),
                                      _mm256_set1_epi32(0x7F800000));
  exponent = _mm256_max_epi32(exponent,
                              _mm256_set1_epi32((127 + format.minimum_exponent) << 23));
  __m256 magic = _mm256_castsi256_ps(
      _mm256_add_epi32(exponent, _mm256_set1_epi32((23 - format.mantissa_bits) << 23)));
  return _mm256_sub_ps(_mm256_add_ps(magnitude, magic), magic);
}

/// As ck_code_of.
CK_AVX2_INLINE __m256i ck8_code_of(__m256 values, ck_minifloat format) {
  __m256 magnitude = _mm256_min_ps(ck8_magnitude(values), _mm256_set1_ps(format.maximum));
  magnitude = ck8_round_to_grid(magnitude, format);
  __m256i bits = _mm256_castps_si256(magnitude);
  int bias = 127 + format.minimum_exponent;
  float steps = ck_float((uint32_t)(127 + format.mantissa_bits - format.minimum_exponent) << 23);
  __m256i subnormal = _mm256_cvttps_epi32(_mm256_mul_ps(magnitude, _mm256_set1_ps(steps)));
  __m256i normal = _mm256_sub_epi32(_mm256_srli_epi32(bits, 23 - format.mantissa_bits),
                                    _mm256_set1_epi32((bias - 1) << format.mantissa_bits));
  __m256i is_normal = _mm256_cmpgt_epi32(bits, _mm256_set1_epi32((bias << 23) - 1));
  __m256i code = _mm256_blendv_epi8(subnormal, normal, is_normal);
  __m256i sign = _mm256_slli_epi32(_mm256_srli_epi32(_mm256_castps_si256(values), 31),
                                   format.sign_shift);
  return _mm256_or_si256(code, sign);
}

/// Stores the low bytes of eight lanes, each of 0…255.
CK_AVX2_INLINE void ck8_store_bytes(__m256i lanes, uint8_t *bytes) {
  __m256i words = _mm256_packus_epi32(lanes, lanes);
  words = _mm256_permute4x64_epi64(words, 0x08);
  __m128i packed = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_castsi256_si128(words));
  _mm_storel_epi64((__m128i *)bytes, packed);
}
