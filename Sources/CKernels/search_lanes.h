// What search_scale.h wants, in vectors; see lanes.h.
#include "candidates.h"
#include "lanes.h"

/// The numbers that codes stand for: `ratios`, clamped and rounded. Those of small floats are
/// magnitudes.
CK_INLINE ck_floats nearest(ck_code code, ck_floats ratios, ck_floats lowest, ck_floats highest) {
  switch (code) {
  case CK_CODE_E4M3:
    return ck_round_to_grid16(ck_min(ratios, ck_splat(CK_E4M3.maximum)), CK_E4M3);
  case CK_CODE_E2M1:
    return ck_round_to_grid16(ck_min(ratios, ck_splat(CK_E2M1.maximum)), CK_E2M1);
  default: return ck_round(ck_min(ck_max(ratios, lowest), highest));
  }
}

/// Σ w·(x / scale − q)². A lane is a candidate.
CK_INLINE ck_floats code_errors(ck_code code, const float *values, const float *importance,
                                size_t count, const ck_candidates *candidates) {
  int is_signed = code != CK_CODE_E4M3 && code != CK_CODE_E2M1;
  ck_floats inverses = candidates->inverses;
  ck_floats lowest = candidates->lowest, highest = candidates->highest;
  ck_floats errors = {0};
  for (size_t i = 0; i < count; i++) {
    ck_floats ratios = ck_splat(is_signed ? values[i] : ck_magnitude(values[i])) * inverses;
    ck_floats error = ratios - nearest(code, ratios, lowest, highest);
    errors += importance ? ck_splat(importance[i]) * error * error : error * error;
  }
  return errors;
}

/// As code_errors, with a loop for each kind of code.
CK_INLINE ck_floats chunk_errors(ck_code code, const float *values, const float *importance,
                                 size_t count, const ck_candidates *candidates) {
  if (importance) {
    switch (code) {
    case CK_CODE_E4M3: return code_errors(CK_CODE_E4M3, values, importance, count, candidates);
    case CK_CODE_E2M1: return code_errors(CK_CODE_E2M1, values, importance, count, candidates);
    default: return code_errors(CK_CODE_INT4, values, importance, count, candidates);
    }
  }
  switch (code) {
  case CK_CODE_E4M3: return code_errors(CK_CODE_E4M3, values, NULL, count, candidates);
  case CK_CODE_E2M1: return code_errors(CK_CODE_E2M1, values, NULL, count, candidates);
  default: return code_errors(CK_CODE_INT4, values, NULL, count, candidates);
  }
}

CK_INLINE ck_floats block_errors(const ck_quantizer *quantizer, const ck_block *block,
                                 const ck_candidates *candidates) {
  int is_one_chunk = block->rows == 1 && block->columns <= CK_CHUNK;
  double totals[CK_LANES] = {0};
  for (size_t row = 0; row < block->rows; row++) {
    for (size_t column = 0; column < block->columns; column += CK_CHUNK) {
      size_t count = block->columns - column < CK_CHUNK ? block->columns - column : CK_CHUNK;
      float copy[CK_CHUNK];
      const float *values =
          finite_chunk(block, block->values + row * block->stride + column, count, copy);
      const float *importance = block->importance ? block->importance + column : NULL;
      ck_floats sums = chunk_errors(quantizer->code, values, importance, count, candidates);
      if (is_one_chunk) return sums;
      for (int i = 0; i < CK_LANES; i++) totals[i] += sums[i];
    }
  }
  ck_floats errors;
  for (int i = 0; i < CK_LANES; i++) errors[i] = (float)totals[i];
  return errors;
}

/// Σ w·x·q / Σ w·q² for the choice's codes. Lanes are added as in error sums.
CK_INLINE float least_squares_scale(const ck_quantizer *quantizer, const ck_block *block,
                                    const ck_choice *choice) {
  double products = 0, squares = 0;
  int is_signed = quantizer->code != CK_CODE_E4M3 && quantizer->code != CK_CODE_E2M1;
  ck_floats inverse = ck_splat(choice->inverse);
  ck_floats lowest = ck_splat(choice->lowest), highest = ck_splat(choice->highest);
  for (size_t row = 0; row < block->rows; row++) {
    for (size_t column = 0; column < block->columns; column += CK_CHUNK) {
      size_t count = block->columns - column < CK_CHUNK ? block->columns - column : CK_CHUNK;
      float copy[CK_CHUNK];
      const float *values =
          finite_chunk(block, block->values + row * block->stride + column, count, copy);
      ck_floats product_sums = {0}, square_sums = {0};
      for (size_t i = 0; i < count; i += CK_LANES) {
        ck_floats ratios = ck_load_up_to(values + i, count - i) * inverse;
        if (!is_signed) ratios = ck_magnitudes(ratios);
        ck_floats code = nearest(quantizer->code, ratios, lowest, highest);
        ck_floats weighted = code;
        if (block->importance)
          weighted = code * ck_load_up_to(block->importance + column + i, count - i);
        product_sums += ratios * weighted;
        square_sums += code * weighted;
      }
      products += ck_lane_sum(product_sums);
      squares += ck_lane_sum(square_sums);
    }
  }
  return choice->scale * (float)(products / squares);
}
