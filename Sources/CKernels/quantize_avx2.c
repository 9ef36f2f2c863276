#include "candidates.h"

#if defined(__x86_64__)

#include <math.h>

#include "lanes_avx2.h"

#pragma STDC FP_CONTRACT OFF

// 1.5·2^23: adding it to a magnitude of at most 2^22 and taking it away rounds to nearest even.
#define ROUNDING_MAGIC 12582912.0f

CK_AVX2_INLINE float least_lane(__m256 lanes) {
  __m128 four = _mm_min_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
  four = _mm_min_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_min_ss(four, _mm_movehdup_ps(four)));
}

CK_AVX2_INLINE float greatest_lane(__m256 lanes) {
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
  four = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}

CK_AVX2_INLINE void block_extremes(ck_block *block) {
  const __m256 infinity = _mm256_castsi256_ps(_mm256_set1_epi32(0x7F800000));
  __m256 minima = _mm256_setzero_ps(), maxima = _mm256_setzero_ps();
  __m256 all_finite = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
  float minimum = 0, maximum = 0;
  int has_nonfinite = 0;
  for (size_t row = 0; row < block->rows; row++) {
    const float *values = block->values + row * block->stride;
    size_t i = 0;
    for (; i + 8 <= block->columns; i += 8) {
      __m256 lanes = _mm256_loadu_ps(values + i);
      __m256 finite = _mm256_cmp_ps(ck8_magnitude(lanes), infinity, _CMP_LT_OQ);
      all_finite = _mm256_and_ps(all_finite, finite);
      lanes = _mm256_and_ps(lanes, finite);
      minima = _mm256_min_ps(minima, lanes);
      maxima = _mm256_max_ps(maxima, lanes);
    }
    for (; i < block->columns; i++) {
      float value = values[i];
      if ((ck_bits(value) & 0x7F800000u) == 0x7F800000u) {
        has_nonfinite = 1;
        value = 0;
      }
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
    }
  }
  float least = least_lane(minima), greatest = greatest_lane(maxima);
  if (least < minimum) minimum = least;
  if (greatest > maximum) maximum = greatest;
  // The largest scales and their multiples stay finite.
  block->minimum = minimum < -0x1p125f ? -0x1p125f : minimum;
  block->maximum = maximum > 0x1p125f ? 0x1p125f : maximum;
  block->has_nonfinite = has_nonfinite || _mm256_movemask_ps(all_finite) != 0xFF;
}

CK_AVX2_INLINE __m256 round_integers(__m256 values, __m256 lowest, __m256 highest) {
  const __m256 magic = _mm256_set1_ps(ROUNDING_MAGIC);
  values = _mm256_min_ps(_mm256_max_ps(values, lowest), highest);
  return _mm256_sub_ps(_mm256_add_ps(values, magic), magic);
}

/// Adds x·q and q² for q = clamp(round(x / scale)). A lane is a candidate.
CK_AVX2_INLINE void add_integer_sums(const float *values, size_t count,
                                     const ck_candidates *candidates, float *products,
                                     float *squares) {
  __m256 inverses0 = _mm256_loadu_ps(candidates->inverses);
  __m256 inverses1 = _mm256_loadu_ps(candidates->inverses + 8);
  __m256 lowest0 = _mm256_loadu_ps(candidates->lowest);
  __m256 lowest1 = _mm256_loadu_ps(candidates->lowest + 8);
  __m256 highest0 = _mm256_loadu_ps(candidates->highest);
  __m256 highest1 = _mm256_loadu_ps(candidates->highest + 8);
  __m256 products0 = _mm256_setzero_ps(), products1 = _mm256_setzero_ps();
  __m256 squares0 = _mm256_setzero_ps(), squares1 = _mm256_setzero_ps();
  for (size_t i = 0; i < count; i++) {
    __m256 value = _mm256_broadcast_ss(values + i);
    __m256 code0 = round_integers(_mm256_mul_ps(value, inverses0), lowest0, highest0);
    __m256 code1 = round_integers(_mm256_mul_ps(value, inverses1), lowest1, highest1);
    products0 = _mm256_add_ps(products0, _mm256_mul_ps(value, code0));
    products1 = _mm256_add_ps(products1, _mm256_mul_ps(value, code1));
    squares0 = _mm256_add_ps(squares0, _mm256_mul_ps(code0, code0));
    squares1 = _mm256_add_ps(squares1, _mm256_mul_ps(code1, code1));
  }
  _mm256_storeu_ps(products, products0);
  _mm256_storeu_ps(products + 8, products1);
  _mm256_storeu_ps(squares, squares0);
  _mm256_storeu_ps(squares + 8, squares1);
}

CK_AVX2_INLINE __m256 round_minifloats(__m256 magnitudes, ck_minifloat format) {
  return ck8_round_to_grid(_mm256_min_ps(magnitudes, _mm256_set1_ps(format.maximum)), format);
}

/// The same for q on the grid of a small floating-point format. Only magnitudes matter.
CK_AVX2_INLINE void add_minifloat_sums(const float *values, size_t count,
                                       const ck_candidates *candidates, ck_minifloat format,
                                       float *products, float *squares) {
  // A negative reciprocal would be a negative scale, which these formats do not use.
  __m256 inverses0 = _mm256_loadu_ps(candidates->inverses);
  __m256 inverses1 = _mm256_loadu_ps(candidates->inverses + 8);
  __m256 products0 = _mm256_setzero_ps(), products1 = _mm256_setzero_ps();
  __m256 squares0 = _mm256_setzero_ps(), squares1 = _mm256_setzero_ps();
  if (candidates->count <= 8) {
    // The upper lanes are no candidates.
    for (size_t i = 0; i < count; i++) {
      __m256 value = ck8_magnitude(_mm256_broadcast_ss(values + i));
      __m256 code = round_minifloats(_mm256_mul_ps(value, inverses0), format);
      products0 = _mm256_add_ps(products0, _mm256_mul_ps(value, code));
      squares0 = _mm256_add_ps(squares0, _mm256_mul_ps(code, code));
    }
    count = 0;
  }
  for (size_t i = 0; i < count; i++) {
    __m256 value = ck8_magnitude(_mm256_broadcast_ss(values + i));
    __m256 code0 = round_minifloats(_mm256_mul_ps(value, inverses0), format);
    __m256 code1 = round_minifloats(_mm256_mul_ps(value, inverses1), format);
    products0 = _mm256_add_ps(products0, _mm256_mul_ps(value, code0));
    products1 = _mm256_add_ps(products1, _mm256_mul_ps(value, code1));
    squares0 = _mm256_add_ps(squares0, _mm256_mul_ps(code0, code0));
    squares1 = _mm256_add_ps(squares1, _mm256_mul_ps(code1, code1));
  }
  _mm256_storeu_ps(products, products0);
  _mm256_storeu_ps(products + 8, products1);
  _mm256_storeu_ps(squares, squares0);
  _mm256_storeu_ps(squares + 8, squares1);
}

CK_AVX2_INLINE void block_sums(const ck_quantizer *quantizer, const ck_block *block,
                               const ck_candidates *candidates, ck_sums *sums) {
  memset(sums, 0, sizeof *sums);
  for (size_t row = 0; row < block->rows; row++) {
    for (size_t column = 0; column < block->columns; column += CK_CHUNK) {
      size_t count = block->columns - column < CK_CHUNK ? block->columns - column : CK_CHUNK;
      float copy[CK_CHUNK];
      const float *values =
          finite_chunk(block, block->values + row * block->stride + column, count, copy);
      float products[CK_CANDIDATES], squares[CK_CANDIDATES];
      if (quantizer->code == CK_CODE_E4M3) {
        add_minifloat_sums(values, count, candidates, CK_E4M3, products, squares);
      } else if (quantizer->code == CK_CODE_E2M1) {
        add_minifloat_sums(values, count, candidates, CK_E2M1, products, squares);
      } else {
        add_integer_sums(values, count, candidates, products, squares);
      }
      for (int c = 0; c < CK_CANDIDATES; c++) {
        sums->products[c] += products[c];
        sums->squares[c] += squares[c];
      }
    }
  }
}

/// Eight values times a reciprocal; 0 for NaN. Lanes from `count` on are 0.
CK_AVX2_INLINE __m256 scaled(const float *values, size_t count, __m256 inverse) {
  __m256 lanes;
  if (count >= 8) {
    lanes = _mm256_loadu_ps(values);
  } else {
    float copy[8] = {0};
    memcpy(copy, values, count * sizeof(float));
    lanes = _mm256_loadu_ps(copy);
  }
  lanes = _mm256_and_ps(lanes, _mm256_cmp_ps(lanes, lanes, _CMP_ORD_Q));
  return _mm256_mul_ps(lanes, inverse);
}

/// Stores up to eight codes; a last half byte is filled with zero bits.
CK_AVX2_INLINE void store_codes(__m256i lanes, size_t count, int bits, uint8_t *codes) {
  if (count >= 8) {
    if (bits == 8) {
      ck8_store_bytes(lanes, codes);
    } else {
      ck8_store_nibbles(lanes, codes);
    }
    return;
  }
  uint32_t last[8];
  _mm256_storeu_si256((__m256i *)last, lanes);
  for (size_t i = 0; i < count; i++) {
    if (bits == 8) {
      codes[i] = (uint8_t)last[i];
    } else if (i % 2 == 0) {
      codes[i / 2] = (uint8_t)last[i];
    } else {
      codes[i / 2] |= (uint8_t)(last[i] << 4);
    }
  }
}

CK_AVX2_INLINE void encode_integers(const float *values, size_t count, const ck_choice *choice,
                                    int offset, int bits, uint8_t *codes) {
  __m256 inverse = _mm256_set1_ps(choice->inverse);
  __m256 lowest = _mm256_set1_ps(choice->lowest), highest = _mm256_set1_ps(choice->highest);
  __m256i offsets = _mm256_set1_epi32(offset), mask = _mm256_set1_epi32(bits == 8 ? 0xFF : 15);
  for (size_t i = 0; i < count; i += 8) {
    __m256 lanes = round_integers(scaled(values + i, count - i, inverse), lowest, highest);
    __m256i integers = _mm256_add_epi32(_mm256_cvtps_epi32(lanes), offsets);
    store_codes(_mm256_and_si256(integers, mask), count - i, bits, codes + i * (size_t)bits / 8);
  }
}

CK_AVX2_INLINE void encode_minifloats(const float *values, size_t count, float inverse,
                                      ck_minifloat format, int bits, uint8_t *codes) {
  __m256 inverses = _mm256_set1_ps(inverse);
  for (size_t i = 0; i < count; i += 8)
    store_codes(ck8_code_of(scaled(values + i, count - i, inverses), format), count - i, bits,
                codes + i * (size_t)bits / 8);
}

#pragma clang attribute push(__attribute__((target("avx2,f16c"))), apply_to = function)
#include "quantize_block.h"
#pragma clang attribute pop

CK_AVX2 void ck_quantize_avx2(const ck_quantizer *quantizer, const float *values, size_t rows,
                              uint8_t *codes, uint8_t *scales, uint8_t *zero_points) {
  quantize_tile(quantizer, values, rows, codes, scales, zero_points);
}

#endif
