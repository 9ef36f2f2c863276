#include "lut_starts.h"
#include "lut_tables.h"

#if defined(__x86_64__)

#include "lanes_avx2.h"

#pragma STDC FP_CONTRACT OFF

/// The thresholds that each step of a binary search looks at, by the index found so far.
typedef struct {
  __m256 first;
  __m256 second;
  __m256 third;
  __m256 fourth;
  __m256 low_levels;
  __m256 high_levels;
  int count;
} lut_lookup;

CK_AVX2_INLINE lut_lookup lut_prepare(const ck_lut_table *table) {
  float steps[4][8];
  for (int step = 0; step < 4; step++) {
    int distance = table->count >> step;
    for (int i = 0; i < 8; i++) {
      int place = distance * i + distance / 2 - 1;
      steps[step][i] = distance > 1 && place < table->count ? table->thresholds[place] : INFINITY;
    }
  }
  return (lut_lookup){_mm256_loadu_ps(steps[0]),      _mm256_loadu_ps(steps[1]),
                      _mm256_loadu_ps(steps[2]),      _mm256_loadu_ps(steps[3]),
                      _mm256_loadu_ps(table->levels), _mm256_loadu_ps(table->levels + 8),
                      table->count};
}

/// The index found so far, one step further.
CK_AVX2_INLINE __m256i next_index(__m256i index, __m256 numbers, __m256 thresholds) {
  __m256 threshold = _mm256_permutevar8x32_ps(thresholds, index);
  __m256 above = _mm256_cmp_ps(numbers, threshold, _CMP_GT_OQ);
  return _mm256_sub_epi32(_mm256_add_epi32(index, index), _mm256_castps_si256(above));
}

/// The indices of the nearest levels, and whether they are in the upper half of 16.
CK_AVX2_INLINE __m256i indices_of(const lut_lookup *table, int level_count, __m256 numbers,
                                  __m256 *is_high) {
  __m256 threshold = _mm256_permutevar8x32_ps(table->first, _mm256_setzero_si256());
  *is_high = _mm256_cmp_ps(numbers, threshold, _CMP_GT_OQ);
  __m256i index = _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_castps_si256(*is_high));
  index = next_index(index, numbers, table->second);
  index = next_index(index, numbers, table->third);
  return level_count == 16 ? next_index(index, numbers, table->fourth) : index;
}

CK_AVX2_INLINE __m256 levels_of(const lut_lookup *table, int level_count, __m256 numbers) {
  __m256 is_high;
  __m256i index = indices_of(table, level_count, numbers, &is_high);
  __m256 low = _mm256_permutevar8x32_ps(table->low_levels, index);
  if (level_count == 8) return low;
  return _mm256_blendv_ps(low, _mm256_permutevar8x32_ps(table->high_levels, index), is_high);
}

CK_AVX2_INLINE void add_sums(const lut_lookup *table, int level_count, const float *values,
                             const float *importance, size_t count, const float *inverses,
                             float *products, float *squares) {
  const lut_lookup lookup = *table;
  __m256 reciprocals = _mm256_loadu_ps(inverses);
  __m256 product = _mm256_setzero_ps(), square = _mm256_setzero_ps();
  for (size_t i = 0; i < count; i++) {
    __m256 value = _mm256_broadcast_ss(values + i);
    __m256 level = levels_of(&lookup, level_count, _mm256_mul_ps(value, reciprocals));
    __m256 weighted =
        importance ? _mm256_mul_ps(_mm256_broadcast_ss(importance + i), level) : level;
    product = _mm256_add_ps(product, _mm256_mul_ps(value, weighted));
    square = _mm256_add_ps(square, _mm256_mul_ps(level, weighted));
  }
  _mm256_storeu_ps(products, product);
  _mm256_storeu_ps(squares, square);
}

/// A lane is a candidate.
CK_AVX2_INLINE void lut_sums(const lut_lookup *table, const float *values, const float *importance,
                             size_t count, int lanes, const float *inverses, float *products,
                             float *squares) {
  for (int lane = 0; lane < lanes; lane += 8) {
    // Each a loop of its own, without a question inside.
    if (table->count == 16 && !importance)
      add_sums(table, 16, values, NULL, count, inverses + lane, products + lane, squares + lane);
    else if (!importance)
      add_sums(table, 8, values, NULL, count, inverses + lane, products + lane, squares + lane);
    else if (table->count == 16)
      add_sums(table, 16, values, importance, count, inverses + lane, products + lane,
               squares + lane);
    else
      add_sums(table, 8, values, importance, count, inverses + lane, products + lane,
               squares + lane);
  }
}

CK_AVX2_INLINE float lut_extreme(const float *values, size_t count) {
  __m256 minima = _mm256_setzero_ps(), maxima = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256 lanes = _mm256_loadu_ps(values + i);
    minima = _mm256_min_ps(lanes, minima);
    maxima = _mm256_max_ps(lanes, maxima);
  }
  float least = ck8_least(minima), greatest = ck8_greatest(maxima);
  for (; i < count; i++) {
    least = values[i] < least ? values[i] : least;
    greatest = values[i] > greatest ? values[i] : greatest;
  }
  return greatest >= -least ? greatest : least;
}

CK_AVX2_INLINE int lut_greatest(const float *numbers, int count) {
  __m256 low = _mm256_loadu_ps(numbers);
  __m256 high = count == 16 ? _mm256_loadu_ps(numbers + 8) : low;
  __m256 greatest = _mm256_set1_ps(ck8_greatest(_mm256_max_ps(low, high)));
  int found = _mm256_movemask_ps(_mm256_cmp_ps(low, greatest, _CMP_EQ_OQ)) |
              _mm256_movemask_ps(_mm256_cmp_ps(high, greatest, _CMP_EQ_OQ)) << 8;
  return __builtin_ctz((unsigned)found);
}

CK_AVX2_INLINE void lut_encode(const lut_lookup *table, const float *values, size_t count,
                               float inverse, uint8_t *indices) {
  __m256 reciprocal = _mm256_set1_ps(inverse), is_high;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256 numbers = _mm256_mul_ps(_mm256_loadu_ps(values + i), reciprocal);
    ck8_store_bytes(indices_of(table, table->count, numbers, &is_high), indices + i);
  }
  if (i == count) return;
  float last[8] = {0};
  uint8_t bytes[8];
  memcpy(last, values + i, (count - i) * sizeof(float));
  __m256 numbers = _mm256_mul_ps(_mm256_loadu_ps(last), reciprocal);
  ck8_store_bytes(indices_of(table, table->count, numbers, &is_high), bytes);
  memcpy(indices + i, bytes, count - i);
}

#define CK_TWIN(name) name##_avx2
#pragma clang attribute push(__attribute__((target("avx2,f16c"))), apply_to = function)
#include "lut_search.h"
#include "lut_learn.h"
#pragma clang attribute pop

#endif
