#include "lut_starts.h"
#include "lut_tables.h"

#pragma STDC FP_CONTRACT OFF

/// What is looked up in a table.
typedef ck_lut_table lut_lookup;

static inline lut_lookup lut_prepare(const ck_lut_table *table) { return *table; }

/// The index of the level nearest to a number; of two that are equally near, the lower.
static inline int index_of(const lut_lookup *table, float number) {
  int index = 0;
  for (int step = 8; step > 0; step /= 2)
    if (number > table->thresholds[index + step - 1]) index += step;
  return index;
}

/// For each of `lanes` candidates, 8 or 16, the sums Σ w·x·q and Σ w·q² over the weights, in order, q
/// being the level nearest to x times the candidate's reciprocal.
static inline void lut_sums(const lut_lookup *table, const float *values, const float *importance,
                            size_t count, int lanes, const float *inverses, float *products,
                            float *squares) {
  for (int lane = 0; lane < lanes; lane++) {
    float product = 0, square = 0;
    for (size_t i = 0; i < count; i++) {
      float level = table->levels[index_of(table, values[i] * inverses[lane])];
      float weighted = importance ? importance[i] * level : level;
      product += values[i] * weighted;
      square += level * weighted;
    }
    products[lane] = product;
    squares[lane] = square;
  }
}

/// The weight of largest magnitude, with its sign; a positive one before a negative one.
static inline float lut_extreme(const float *values, size_t count) {
  float least = 0, greatest = 0;
  for (size_t i = 0; i < count; i++) {
    least = values[i] < least ? values[i] : least;
    greatest = values[i] > greatest ? values[i] : greatest;
  }
  return greatest >= -least ? greatest : least;
}

/// The first of the greatest of 8 or 16 numbers, none of them NaN.
static inline int lut_greatest(const float *numbers, int count) {
  int greatest = 0;
  for (int i = 1; i < count; i++)
    if (numbers[i] > numbers[greatest]) greatest = i;
  return greatest;
}

/// The indices of weights.
static inline void lut_encode(const lut_lookup *table, const float *values, size_t count,
                              float inverse, uint8_t *indices) {
  for (size_t i = 0; i < count; i++) indices[i] = (uint8_t)index_of(table, values[i] * inverse);
}

#define CK_TWIN(name) name##_portable
#include "lut_search.h"
#include "lut_learn.h"
