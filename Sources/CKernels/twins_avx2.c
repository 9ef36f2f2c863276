// The kernels whose text is the same for all vectors, for AVX2.
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ck_lut.h"
#include "ck_product.h"
#include "ck_quantize.h"
#include "ck_statistics.h"

#define CK_TWIN(operation) operation##_avx2
#define CK_PRODUCT_LEFT 2
#define CK_PRODUCT_RIGHT 2
#define CK_PRODUCT_BLOCK (1 << 16)
#define CK_SEARCH_STEP 2
#pragma clang attribute push(__attribute__((target("avx2,f16c"))), apply_to = function)
#include "product_lanes.h"
#include "quantize_lanes.h"
#include "specials_lanes.h"

// Of 16 lanes, an instruction looks up eight in eight.
#define ck_lookup4 ck_lookup8
CK_INLINE ck_floats ck_lookup8(ck_floats table, ck_ints lanes) {
  union { ck_floats all; __m256 halves[2]; } from = {table}, to;
  union { ck_ints all; __m256i halves[2]; } of = {lanes};
  for (int i = 0; i < 2; i++)
    to.halves[i] = _mm256_permutevar8x32_ps(from.halves[0], of.halves[i]);
  return to.all;
}

CK_INLINE ck_floats ck_lookup16(ck_floats table, ck_ints lanes) {
  union { ck_floats all; __m256 halves[2]; } from = {table}, to;
  union { ck_ints all; __m256i halves[2]; } of = {lanes};
  for (int i = 0; i < 2; i++) {
    __m256 low = _mm256_permutevar8x32_ps(from.halves[0], of.halves[i]);
    __m256 high = _mm256_permutevar8x32_ps(from.halves[1], of.halves[i]);
    // The fourth bit becomes the sign, by which lanes are taken from the second half.
    __m256 choice = _mm256_castsi256_ps(_mm256_slli_epi32(of.halves[i], 28));
    to.halves[i] = _mm256_blendv_ps(low, high, choice);
  }
  return to.all;
}

CK_INLINE ck_ints ck_next_index(ck_ints indices, ck_floats numbers, ck_floats thresholds) {
  return indices + indices - (numbers > thresholds);
}

#define LUT_AT_ONCE 8
#include "lut_lanes.h"
#pragma clang attribute pop

#endif
