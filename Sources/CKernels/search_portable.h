// What search_scale.h wants, specified in plain C. Private to CKernels.
#pragma once

#include "candidates.h"

#pragma STDC FP_CONTRACT OFF

/// The number that a code stands for: `ratio`, clamped and rounded. That of a small float is a
/// magnitude.
static inline float nearest(ck_code code, float ratio, float lowest, float highest) {
  if (code == CK_CODE_E4M3)
    return ck_round_to_grid(ratio < CK_E4M3.maximum ? ratio : CK_E4M3.maximum, CK_E4M3);
  if (code == CK_CODE_E2M1)
    return ck_round_to_grid(ratio < CK_E2M1.maximum ? ratio : CK_E2M1.maximum, CK_E2M1);
  ratio = ratio > lowest ? ratio : lowest;
  ratio = ratio < highest ? ratio : highest;
  return (ratio + CK_ROUNDING_MAGIC) - CK_ROUNDING_MAGIC;
}

/// The weights of up to CK_LANES blocks.
typedef struct {
  const ck_block *blocks;
  int count;
} ck_weights;

static inline void gather_weights(const ck_quantizer *quantizer, const ck_block *blocks, int count,
                                  ck_weights *weights) {
  (void)quantizer;
  *weights = (ck_weights){blocks, count};
}

/// A weight as the search takes it: what is not finite is 0.
static inline float searched(ck_code code, float value) {
  if ((ck_bits(value) & 0x7F800000u) == 0x7F800000u) return 0;
  return ck_is_small_float(code) ? ck_magnitude(value) : value;
}

/// The candidates of one block.
typedef struct {
  float inverses[CK_CANDIDATES], lowest[CK_CANDIDATES], highest[CK_CANDIDATES];
} block_candidates;

/// Adds w·(x / scale − q)² to the errors of each candidate.
static inline void add_errors(ck_code code, const float *values, const float *importance,
                              size_t columns, const block_candidates *candidates, int count,
                              float *errors) {
  for (size_t i = 0; i < columns; i++) {
    float value = searched(code, values[i]);
    float weight = importance ? importance[i] : 1;
    for (int c = 0; c < count; c++) {
      float ratio = value * candidates->inverses[c];
      float error =
          ratio - nearest(code, ratio, candidates->lowest[c], candidates->highest[c]);
      errors[c] += weight * error * error;
    }
  }
}

/// The squared errors of a block in units of each candidate's scale, squared: summed in order over
/// a chunk in Float32, then in Float64.
static inline void block_errors(const ck_quantizer *quantizer, const ck_block *block,
                                const block_candidates *candidates, int count, double *totals) {
  for (size_t row = 0; row < block->rows; row++) {
    for (size_t column = 0; column < block->columns; column += CK_CHUNK) {
      size_t columns = block->columns - column < CK_CHUNK ? block->columns - column : CK_CHUNK;
      float sums[CK_CANDIDATES] = {0};
      const float *values = block->values + row * block->stride + column;
      const float *importance = block->importance ? block->importance + column : NULL;
      // A loop for each kind of code.
      switch (quantizer->code) {
      case CK_CODE_E4M3:
        add_errors(CK_CODE_E4M3, values, importance, columns, candidates, count, sums);
        break;
      case CK_CODE_E2M1:
        add_errors(CK_CODE_E2M1, values, importance, columns, candidates, count, sums);
        break;
      default:
        add_errors(CK_CODE_INT4, values, importance, columns, candidates, count, sums);
        break;
      }
      for (int c = 0; c < count; c++) totals[c] += sums[c];
    }
  }
}

/// The errors of candidates, each block's in its lane.
static inline void candidate_errors(const ck_quantizer *quantizer, const ck_weights *weights,
                                    const ck_candidates *candidates, int count,
                                    ck_floats *errors) {
  for (int c = 0; c < count; c++) errors[c] = ck_splat(0);
  for (int lane = 0; lane < weights->count; lane++) {
    block_candidates own;
    double totals[CK_CANDIDATES] = {0};
    for (int c = 0; c < count; c++) {
      own.inverses[c] = candidates[c].inverses[lane];
      own.lowest[c] = candidates[c].lowest[lane];
      own.highest[c] = candidates[c].highest[lane];
    }
    block_errors(quantizer, &weights->blocks[lane], &own, count, totals);
    for (int c = 0; c < count; c++) errors[c][lane] = (float)totals[c];
  }
}

/// Σ w·x·q / Σ w·q² for codes of one scale, in its units: summed over a chunk in the lanes of error
/// sums, then in Float64.
static inline float least_squares_ratio(const ck_quantizer *quantizer, const ck_block *block,
                                        float inverse, float lowest, float highest) {
  double products = 0, squares = 0;
  for (size_t row = 0; row < block->rows; row++) {
    for (size_t column = 0; column < block->columns; column += CK_CHUNK) {
      size_t count = block->columns - column < CK_CHUNK ? block->columns - column : CK_CHUNK;
      float product_sums[CK_LANES] = {0}, square_sums[CK_LANES] = {0};
      const float *values = block->values + row * block->stride + column;
      for (size_t i = 0; i < count; i++) {
        float ratio = searched(quantizer->code, values[i]) * inverse;
        float number = nearest(quantizer->code, ratio, lowest, highest);
        float weighted = block->importance ? number * block->importance[column + i] : number;
        product_sums[i % CK_LANES] += ratio * weighted;
        square_sums[i % CK_LANES] += number * weighted;
      }
      for (int width = CK_LANES / 2; width >= 1; width /= 2) {
        for (int i = 0; i < width; i++) {
          product_sums[i] += product_sums[i + width];
          square_sums[i] += square_sums[i + width];
        }
      }
      products += product_sums[0];
      squares += square_sums[0];
    }
  }
  return (float)(products / squares);
}

/// The scales that would leave blocks the least errors for their codes.
static inline ck_floats least_squares_scales(const ck_quantizer *quantizer,
                                             const ck_weights *weights,
                                             const ck_candidates *best) {
  ck_floats ratios = {0};
  for (int lane = 0; lane < weights->count; lane++)
    ratios[lane] = least_squares_ratio(quantizer, &weights->blocks[lane], best->inverses[lane],
                                       best->lowest[lane], best->highest[lane]);
  return best->scales * ratios;
}
