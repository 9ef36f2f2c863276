// The search for a block's scale and the loop over blocks: the same text for every instruction set.
// Private to CKernels. The file that includes it defines, for its instruction set,
// `block_extremes`, `block_sums`, `encode_integers` and `encode_minifloats`.
#include "scales.h"

#pragma STDC FP_CONTRACT OFF

/// Compares candidates in order; a later one must be strictly better.
static inline void consider(const ck_quantizer *quantizer, const ck_block *block,
                            const ck_candidates *candidates, ck_choice *best) {
  ck_sums sums;
  block_sums(quantizer, block, candidates, &sums);
  for (int i = 0; i < candidates->count; i++) {
    double scale = candidates->scales[i];
    double gain = scale * (2 * sums.products[i] - scale * sums.squares[i]);
    if (best->scale != 0 && !(gain > best->gain)) continue;
    best->gain = gain;
    best->scale = candidates->scales[i];
    best->inverse = candidates->inverses[i];
    best->lowest = candidates->lowest[i];
    best->highest = candidates->highest[i];
    best->zero_point = candidates->zero_points[i];
    best->stored = candidates->stored[i];
    best->refit = sums.squares[i] > 0 ? sums.products[i] / sums.squares[i] : 0;
  }
}

/// Takes the only candidate.
static inline ck_choice choice_of(const ck_candidates *candidates) {
  return (ck_choice){
      .scale = candidates->scales[0],
      .inverse = candidates->inverses[0],
      .lowest = candidates->lowest[0],
      .highest = candidates->highest[0],
      .zero_point = candidates->zero_points[0],
      .stored = candidates->stored[0],
  };
}

/// Tries the least-squares scale of the best candidate's codes and its neighbours in the stored type.
static inline void refine(const ck_quantizer *quantizer, const ck_block *block, ck_choice *best) {
  if (!(best->refit != 0) || !isfinite(best->refit)) return;
  ck_candidates candidates = {0};
  uint32_t middle = ck_stored_scale(quantizer, (float)best->refit);
  if (quantizer->scale == CK_SCALE_F32) {
    ck_add_stored(quantizer, &candidates, middle, best->zero_point);
  } else {
    for (int step = 0; step < CK_CANDIDATES; step++) {
      // 0, 1, −1, 2, −2, …
      int steps = step % 2 == 0 ? -(step / 2) : step / 2 + 1;
      ck_add_stored(quantizer, &candidates, ck_stepped_scale(quantizer, middle, steps),
                    best->zero_point);
    }
  }
  consider(quantizer, block, &candidates, best);
}

/// Signed nibbles and bytes. The extreme weight lies near the lowest or the highest code, so that
/// nibbles need scales of both signs.
static inline ck_choice search_symmetric(const ck_quantizer *quantizer, const ck_block *block) {
  float extreme = block->maximum >= -block->minimum ? block->maximum : block->minimum;
  int is_byte = quantizer->code == CK_CODE_INT8;
  ck_candidates candidates = {0};
  ck_add_scale(quantizer, &candidates, ck_magnitude(extreme) / (is_byte ? 127.5f : 7.5f), 0);
  if (quantizer->search == CK_SEARCH_ABSMAX) return choice_of(&candidates);
  ck_choice best = {0};
  if (is_byte) {
    for (int i = 0; i < CK_CANDIDATES - 1; i++)
      ck_add_scale(quantizer, &candidates, ck_magnitude(extreme) / (127.0f + 4.0f * (float)i), 0);
    consider(quantizer, block, &candidates, &best);
  } else if (quantizer->search == CK_SEARCH_FAST) {
    for (int i = 0; i < 8; i++)
      ck_add_scale(quantizer, &candidates, extreme / -(6.75f + 0.25f * (float)i), 0);
    for (int i = 0; i < 7; i++)
      ck_add_scale(quantizer, &candidates, extreme / (6.5f + 0.25f * (float)i), 0);
    consider(quantizer, block, &candidates, &best);
  } else {
    for (int i = 0; i < CK_CANDIDATES - 1; i++)
      ck_add_scale(quantizer, &candidates, extreme / -(6.0f + 0.25f * (float)i), 0);
    consider(quantizer, block, &candidates, &best);
    candidates.count = 0;
    for (int i = 0; i < CK_CANDIDATES; i++)
      ck_add_scale(quantizer, &candidates, extreme / (5.5f + 0.25f * (float)i), 0);
    consider(quantizer, block, &candidates, &best);
  }
  if (quantizer->search == CK_SEARCH_FULL) refine(quantizer, block, &best);
  return best;
}

/// Unsigned nibbles with a zero point.
static inline ck_choice search_asymmetric(const ck_quantizer *quantizer, const ck_block *block) {
  float range = block->maximum - block->minimum;
  ck_candidates candidates = {0};
  uint32_t stored = ck_stored_scale(quantizer, range / 15.0f);
  float zero_point = rintf(-block->minimum / ck_value_of_scale(quantizer, stored));
  ck_add_stored(quantizer, &candidates, stored,
                zero_point < 0 ? 0 : zero_point > 15 ? 15 : (int)zero_point);
  if (quantizer->search == CK_SEARCH_ABSMAX) return choice_of(&candidates);
  ck_choice best = {0};
  if (quantizer->search == CK_SEARCH_FAST) {
    for (int i = 0; i < 5; i++)
      for (int offset = -1; offset <= 1; offset++)
        ck_add_asymmetric(quantizer, block, &candidates, range / (14.5f + 0.75f * (float)i), offset);
    consider(quantizer, block, &candidates, &best);
    return best;
  }
  for (int i = 0; i < 15; i++) {
    for (int offset = -1; offset <= 1; offset++) {
      if (candidates.count == CK_CANDIDATES) {
        consider(quantizer, block, &candidates, &best);
        candidates.count = 0;
      }
      ck_add_asymmetric(quantizer, block, &candidates, range / (13.0f + 0.5f * (float)i), offset);
    }
  }
  consider(quantizer, block, &candidates, &best);
  refine(quantizer, block, &best);
  return best;
}

/// E2M1 and E4M3 codes.
static inline ck_choice search_minifloat(const ck_quantizer *quantizer, const ck_block *block) {
  float extreme = block->maximum >= -block->minimum ? block->maximum : -block->minimum;
  int is_e2m1 = quantizer->code == CK_CODE_E2M1;
  ck_candidates candidates = {0};
  if (quantizer->scale == CK_SCALE_E8M0) {
    // OCP: the exponent of the largest magnitude less that of the largest number, 2^2·1.5 or 2^8·1.75.
    float scale = extreme * (is_e2m1 ? 0x1p-2f : 0x1p-8f);
    ck_add_scale(quantizer, &candidates, scale, 0);
  } else {
    ck_add_scale(quantizer, &candidates, extreme / (is_e2m1 ? 6.0f : 448.0f), 0);
  }
  if (quantizer->search == CK_SEARCH_ABSMAX) return choice_of(&candidates);
  ck_choice best = {0};
  uint32_t middle = candidates.stored[0];
  switch (quantizer->scale) {
  case CK_SCALE_E8M0:
    for (int steps = 1; steps >= -2; steps--)
      if (steps != 0)
        ck_add_stored(quantizer, &candidates, ck_stepped_scale(quantizer, middle, steps), 0);
    break;
  case CK_SCALE_E4M3:
  case CK_SCALE_BF16:
    for (int steps = -9; steps <= 6; steps++)
      if (steps != 0)
        ck_add_stored(quantizer, &candidates, ck_stepped_scale(quantizer, middle, steps), 0);
    break;
  case CK_SCALE_F32:
    for (int i = 1; i < CK_CANDIDATES; i++)
      ck_add_scale(quantizer, &candidates, candidates.scales[0] * (0.8f + 0.08f * (float)i), 0);
    break;
  }
  consider(quantizer, block, &candidates, &best);
  if (quantizer->search == CK_SEARCH_FULL && quantizer->scale == CK_SCALE_F32)
    refine(quantizer, block, &best);
  return best;
}

/// The scale of a block.
static inline ck_choice search_scale(const ck_quantizer *quantizer, const ck_block *block) {
  ck_candidates only = {0};
  if (quantizer->tensor_scale != 0) {
    ck_add_scale(quantizer, &only, quantizer->tensor_scale, 0);
    return choice_of(&only);
  }
  if (block->minimum == 0 && block->maximum == 0) {
    // All codes are zero for any scale. One that is not zero leaves zero to mean damage.
    ck_add_scale(quantizer, &only,
                 quantizer->scale == CK_SCALE_E4M3 ? quantizer->global_scale : 1.0f, 0);
    return choice_of(&only);
  }
  switch (quantizer->code) {
  case CK_CODE_INT4:
  case CK_CODE_INT8: return search_symmetric(quantizer, block);
  case CK_CODE_UINT4: return search_asymmetric(quantizer, block);
  default: return search_minifloat(quantizer, block);
  }
}

/// Writes the codes of one row of a block.
static inline void encode_row(const ck_quantizer *quantizer, const float *values, size_t count,
                              const ck_choice *choice, uint8_t *codes) {
  switch (quantizer->code) {
  case CK_CODE_E4M3: encode_minifloats(values, count, choice->inverse, CK_E4M3, 8, codes); break;
  case CK_CODE_E2M1: encode_minifloats(values, count, choice->inverse, CK_E2M1, 4, codes); break;
  case CK_CODE_INT8: encode_integers(values, count, choice, 0, 8, codes); break;
  case CK_CODE_INT4: encode_integers(values, count, choice, 8, 4, codes); break;
  case CK_CODE_UINT4:
    encode_integers(values, count, choice, choice->zero_point, 4, codes);
    break;
  }
}

static inline void quantize_tile(const ck_quantizer *quantizer, const float *values, size_t rows,
                                 uint8_t *codes, uint8_t *scales, uint8_t *zero_points) {
  size_t columns = quantizer->columns;
  size_t bits = quantizer->code == CK_CODE_E4M3 || quantizer->code == CK_CODE_INT8 ? 8 : 4;
  size_t code_row_bytes = (columns * bits + 7) / 8;
  size_t scale_bytes = ck_scale_byte_count(quantizer->scale);
  for (size_t row = 0; row < rows; row += quantizer->block_rows) {
    size_t index = 0;
    for (size_t column = 0; column < columns; column += quantizer->block_columns, index++) {
      ck_block block = {.values = values + row * columns + column, .stride = columns};
      block.rows = rows - row < quantizer->block_rows ? rows - row : quantizer->block_rows;
      block.columns = columns - column < quantizer->block_columns ? columns - column
                                                                  : quantizer->block_columns;
      if (quantizer->tensor_scale == 0) block_extremes(&block);
      ck_choice choice = search_scale(quantizer, &block);
      for (size_t i = 0; i < block.rows; i++)
        encode_row(quantizer, block.values + i * columns, block.columns, &choice,
                   codes + (row + i) * code_row_bytes + column * bits / 8);
      if (quantizer->tensor_scale != 0) continue;
      ck_store_scale(quantizer->scale, choice.stored, scales);
      scales += scale_bytes;
      if (quantizer->code != CK_CODE_UINT4) continue;
      if (index % 2 == 0) {
        zero_points[index / 2] = (uint8_t)choice.zero_point;
      } else {
        zero_points[index / 2] |= (uint8_t)(choice.zero_point << 4);
      }
    }
    if (quantizer->code == CK_CODE_UINT4) zero_points += (index + 1) / 2;
  }
}
