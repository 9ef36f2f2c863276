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

static inline int is_small_float(ck_code code) {
  return code == CK_CODE_E4M3 || code == CK_CODE_E2M1;
}

/// Adds w·(x / scale − q)² to the errors of each candidate.
static inline void add_errors(ck_code code, const float *values, const float *importance,
                              size_t count, const ck_candidates *candidates, float *errors) {
  float inverses[CK_LANES], lowest[CK_LANES], highest[CK_LANES];
  ck_store(candidates->inverses, inverses);
  ck_store(candidates->lowest, lowest);
  ck_store(candidates->highest, highest);
  for (size_t i = 0; i < count; i++) {
    float value = is_small_float(code) ? ck_magnitude(values[i]) : values[i];
    float weight = importance ? importance[i] : 1;
    for (int c = 0; c < CK_LANES; c++) {
      float ratio = value * inverses[c];
      float error = ratio - nearest(code, ratio, lowest[c], highest[c]);
      errors[c] += weight * error * error;
    }
  }
}

/// The squared errors of a block in units of each candidate's scale, squared: summed in order over a
/// chunk in Float32, then in Float64.
CK_INLINE ck_floats block_errors(const ck_quantizer *quantizer, const ck_block *block,
                                 const ck_candidates *candidates) {
  double totals[CK_LANES] = {0};
  for (size_t row = 0; row < block->rows; row++) {
    for (size_t column = 0; column < block->columns; column += CK_CHUNK) {
      size_t count = block->columns - column < CK_CHUNK ? block->columns - column : CK_CHUNK;
      float copy[CK_CHUNK], sums[CK_LANES] = {0};
      const float *values =
          finite_chunk(block, block->values + row * block->stride + column, count, copy);
      const float *importance = block->importance ? block->importance + column : NULL;
      // A loop for each kind of code.
      switch (quantizer->code) {
      case CK_CODE_E4M3:
        add_errors(CK_CODE_E4M3, values, importance, count, candidates, sums);
        break;
      case CK_CODE_E2M1:
        add_errors(CK_CODE_E2M1, values, importance, count, candidates, sums);
        break;
      default: add_errors(CK_CODE_INT4, values, importance, count, candidates, sums); break;
      }
      for (int i = 0; i < CK_LANES; i++) totals[i] += sums[i];
    }
  }
  float errors[CK_LANES];
  for (int i = 0; i < CK_LANES; i++) errors[i] = (float)totals[i];
  return ck_load(errors);
}

/// Σ w·x·q / Σ w·q² for the choice's codes, in units of its scale before: summed over a chunk in the
/// lanes of error sums, then in Float64.
static inline float least_squares_scale(const ck_quantizer *quantizer, const ck_block *block,
                                        const ck_choice *choice) {
  double products = 0, squares = 0;
  for (size_t row = 0; row < block->rows; row++) {
    for (size_t column = 0; column < block->columns; column += CK_CHUNK) {
      size_t count = block->columns - column < CK_CHUNK ? block->columns - column : CK_CHUNK;
      float copy[CK_CHUNK], product_sums[CK_LANES] = {0}, square_sums[CK_LANES] = {0};
      const float *values =
          finite_chunk(block, block->values + row * block->stride + column, count, copy);
      for (size_t i = 0; i < count; i++) {
        float ratio = values[i] * choice->inverse;
        if (is_small_float(quantizer->code)) ratio = ck_magnitude(ratio);
        float code = nearest(quantizer->code, ratio, choice->lowest, choice->highest);
        float weighted = block->importance ? code * block->importance[column + i] : code;
        product_sums[i % CK_LANES] += ratio * weighted;
        square_sums[i % CK_LANES] += code * weighted;
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
  return choice->scale * (float)(products / squares);
}
