// The search for a block's scale and the loop over blocks: the same text for every instruction set.
// Private to CKernels. The file that includes it defines, for its instruction set,
// `block_extremes`, `block_sums`, `encode_integers`, `encode_minifloats` and `add_error_chunk`.
#include "scales.h"
#include "statistics.h"

#pragma STDC FP_CONTRACT OFF

/// Makes a candidate the choice.
static inline void choose(const ck_candidates *candidates, int i, ck_choice *choice) {
  choice->scale = candidates->scales[i];
  choice->inverse = candidates->inverses[i];
  choice->lowest = candidates->lowest[i];
  choice->highest = candidates->highest[i];
  choice->zero_point = candidates->zero_points[i];
  choice->stored = candidates->stored[i];
}

/// Compares candidates in order; a later one must be strictly better.
static inline void consider(const ck_quantizer *quantizer, const ck_block *block,
                            const ck_candidates *candidates, ck_choice *best) {
  ck_sums sums;
  block_sums(quantizer, block, candidates, &sums);
  double gains[CK_CANDIDATES];
  for (int i = 0; i < CK_CANDIDATES; i++) {
    double scale = candidates->scales[i];
    gains[i] = scale * (2 * sums.products[i] - scale * sums.squares[i]);
  }
  int is_first = best->scale == 0;
  int winner = is_first ? 0 : -1;
  double gain = is_first ? gains[0] : best->gain;
  for (int i = is_first; i < candidates->count; i++) {
    if (!(gains[i] > gain)) continue;
    gain = gains[i];
    winner = i;
  }
  if (winner < 0) return;
  choose(candidates, winner, best);
  best->gain = gain;
  best->refit = sums.squares[winner] > 0 ? sums.products[winner] / sums.squares[winner] : 0;
}

/// Tries the least-squares scale of the best candidate's codes and its neighbours in the stored type.
static inline void refine(const ck_quantizer *quantizer, const ck_block *block, ck_choice *best) {
  if (!(best->refit != 0) || !isfinite(best->refit)) return;
  ck_candidates candidates;
  uint32_t middle = ck_stored_scale(quantizer, (float)best->refit);
  int count = quantizer->scale == CK_SCALE_F32 ? 1 : CK_CANDIDATES;
  for (int step = 0; step < count; step++) {
    // 0, 1, −1, 2, −2, …
    int steps = step % 2 == 0 ? -(step / 2) : step / 2 + 1;
    candidates.stored[step] = ck_stepped_scale(quantizer, middle, steps);
  }
  ck_set_stored(quantizer, &candidates, count);
  if (quantizer->code == CK_CODE_UINT4) {
    float zero_points[CK_CANDIDATES];
    for (int i = 0; i < CK_CANDIDATES; i++) zero_points[i] = (float)best->zero_point;
    ck_set_zero_points(&candidates, zero_points);
  }
  consider(quantizer, block, &candidates, best);
}

/// Signed nibbles and bytes. The extreme weight lies near the lowest or the highest code, so that
/// nibbles need scales of both signs.
static inline ck_choice search_symmetric(const ck_quantizer *quantizer, const ck_block *block) {
  float extreme = block->maximum >= -block->minimum ? block->maximum : block->minimum;
  int is_byte = quantizer->code == CK_CODE_INT8;
  float wanted[CK_CANDIDATES];
  ck_candidates candidates;
  ck_choice best = {0};
  wanted[0] = ck_magnitude(extreme) / (is_byte ? 127.5f : 7.5f);
  if (quantizer->search == CK_SEARCH_ABSMAX) return ck_only_choice(quantizer, wanted[0], 0);
  if (is_byte) {
    for (int i = 1; i < CK_CANDIDATES; i++)
      wanted[i] = ck_magnitude(extreme) / (123.0f + 4.0f * (float)i);
  } else if (quantizer->search == CK_SEARCH_FAST) {
    for (int i = 1; i < 9; i++) wanted[i] = extreme / -(6.5f + 0.25f * (float)i);
    for (int i = 9; i < CK_CANDIDATES; i++) wanted[i] = extreme / (4.25f + 0.25f * (float)i);
  } else {
    for (int i = 1; i < CK_CANDIDATES; i++) wanted[i] = extreme / -(5.75f + 0.25f * (float)i);
  }
  ck_set_scales(quantizer, &candidates, wanted, CK_CANDIDATES);
  consider(quantizer, block, &candidates, &best);
  if (quantizer->search == CK_SEARCH_FAST) return best;
  if (!is_byte) {
    for (int i = 0; i < CK_CANDIDATES; i++) wanted[i] = extreme / (5.5f + 0.25f * (float)i);
    ck_set_scales(quantizer, &candidates, wanted, CK_CANDIDATES);
    consider(quantizer, block, &candidates, &best);
  }
  refine(quantizer, block, &best);
  return best;
}

/// Unsigned nibbles with a zero point. A batch is one zero point of 15 or 16 scales.
static inline ck_choice search_asymmetric(const ck_quantizer *quantizer, const ck_block *block) {
  float range = block->maximum - block->minimum;
  float wanted[CK_CANDIDATES], middle[CK_CANDIDATES], zero_points[CK_CANDIDATES];
  ck_candidates candidates;
  ck_choice best = {0};
  wanted[0] = range / 15.0f;
  float rounded = ck_value_of_scale(quantizer, ck_stored_scale(quantizer, wanted[0]));
  const float magic = 12582912.0f;  // rounds to nearest even, see quantize_portable.c
  float first = (-block->minimum / rounded + magic) - magic;
  first = first > 15 ? 15 : first > 0 ? first : 0;
  if (quantizer->search == CK_SEARCH_ABSMAX)
    return ck_only_choice(quantizer, wanted[0], (int)first);
  zero_points[0] = first;
  if (quantizer->search == CK_SEARCH_FAST) {
    for (int i = 1; i < CK_CANDIDATES; i++)
      wanted[i] = range / (14.5f + 0.75f * (float)((i - 1) / 3));
    ck_set_scales(quantizer, &candidates, wanted, CK_CANDIDATES);
    ck_middle_zero_points(block, &candidates, middle);
    for (int i = 1; i < CK_CANDIDATES; i++) zero_points[i] = middle[i] + (float)((i - 1) % 3 - 1);
    ck_set_zero_points(&candidates, zero_points);
    consider(quantizer, block, &candidates, &best);
    return best;
  }
  for (int i = 1; i < CK_CANDIDATES; i++) wanted[i] = range / (12.5f + 0.5f * (float)i);
  ck_set_scales(quantizer, &candidates, wanted, CK_CANDIDATES);
  ck_middle_zero_points(block, &candidates, middle);
  for (int offset = -1; offset <= 1; offset++) {
    for (int i = 0; i < CK_CANDIDATES; i++) zero_points[i] = middle[i] + (float)offset;
    if (offset == -1) zero_points[0] = first;
    ck_set_zero_points(&candidates, zero_points);
    consider(quantizer, block, &candidates, &best);
  }
  refine(quantizer, block, &best);
  return best;
}

/// E2M1 and E4M3 codes.
static inline ck_choice search_minifloat(const ck_quantizer *quantizer, const ck_block *block) {
  float extreme = block->maximum >= -block->minimum ? block->maximum : -block->minimum;
  int is_e2m1 = quantizer->code == CK_CODE_E2M1;
  float wanted[CK_CANDIDATES];
  ck_candidates candidates;
  ck_choice best = {0};
  if (quantizer->scale == CK_SCALE_E8M0) {
    // OCP: the exponent of the largest magnitude less that of the largest number, 2^2·1.5 or 2^8·1.75.
    wanted[0] = extreme * (is_e2m1 ? 0x1p-2f : 0x1p-8f);
  } else {
    wanted[0] = extreme / (is_e2m1 ? 6.0f : 448.0f);
  }
  if (quantizer->search == CK_SEARCH_ABSMAX) return ck_only_choice(quantizer, wanted[0], 0);
  if (quantizer->scale == CK_SCALE_F32) {
    float scale = ck_float(ck_stored_scale(quantizer, wanted[0]));
    for (int i = 1; i < CK_CANDIDATES; i++) wanted[i] = scale * (0.8f + 0.08f * (float)i);
    ck_set_scales(quantizer, &candidates, wanted, CK_CANDIDATES);
  } else {
    int is_power = quantizer->scale == CK_SCALE_E8M0;
    uint32_t middle = ck_stored_scale(quantizer, wanted[0]);
    int count = 0;
    candidates.stored[count++] = middle;
    for (int steps = is_power ? 1 : -9; is_power ? steps >= -2 : steps <= 6;
         steps += is_power ? -1 : 1)
      if (steps != 0) candidates.stored[count++] = ck_stepped_scale(quantizer, middle, steps);
    ck_set_stored(quantizer, &candidates, count);
  }
  consider(quantizer, block, &candidates, &best);
  if (quantizer->search == CK_SEARCH_FULL && quantizer->scale == CK_SCALE_F32)
    refine(quantizer, block, &best);
  return best;
}

/// The scale of a block.
static inline ck_choice search_scale(const ck_quantizer *quantizer, const ck_block *block) {
  int is_zero = block->minimum == 0 && block->maximum == 0;
  if (quantizer->tensor_scale != 0 || is_zero) {
    // The codes of zeros are zero for any scale. One that is not zero leaves zero to mean damage.
    float scale = quantizer->tensor_scale;
    if (scale == 0) scale = quantizer->scale == CK_SCALE_E4M3 ? quantizer->global_scale : 1.0f;
    return ck_only_choice(quantizer, scale, 0);
  }
  switch (quantizer->code) {
  case CK_CODE_INT4:
  case CK_CODE_INT8: return search_symmetric(quantizer, block);
  case CK_CODE_UINT4: return search_asymmetric(quantizer, block);
  default: return search_minifloat(quantizer, block);
  }
}

/// Writes codes of a row of a block, and what they stand for.
static inline void encode(const ck_quantizer *quantizer, const float *values, size_t count,
                          const ck_choice *choice, uint8_t *codes, float *delivered) {
  switch (quantizer->code) {
  case CK_CODE_E4M3:
    encode_minifloats(values, count, choice, CK_E4M3, 8, codes, delivered);
    break;
  case CK_CODE_E2M1:
    encode_minifloats(values, count, choice, CK_E2M1, 4, codes, delivered);
    break;
  case CK_CODE_INT8: encode_integers(values, count, choice, 0, 8, codes, delivered); break;
  case CK_CODE_INT4: encode_integers(values, count, choice, 8, 4, codes, delivered); break;
  case CK_CODE_UINT4:
    encode_integers(values, count, choice, choice->zero_point, 4, codes, delivered);
    break;
  }
}

/// The number of weights of a block that lie out of its range.
static inline uint64_t clipped_count(const ck_quantizer *quantizer, const ck_block *block,
                                     const ck_choice *choice) {
  float lowest = 0, highest = 0;
  switch (quantizer->code) {
  case CK_CODE_E4M3: lowest = -464, highest = 464; break;
  case CK_CODE_E2M1: lowest = -7, highest = 7; break;
  default: lowest = choice->lowest - 0.5f, highest = choice->highest + 0.5f; break;
  }
  float a = lowest * choice->scale, b = highest * choice->scale;
  float least = a < b ? a : b, greatest = a < b ? b : a;
  int is_known = quantizer->tensor_scale == 0 && !block->has_nonfinite &&
                 block->minimum > -0x1p125f && block->maximum < 0x1p125f;
  if (is_known && block->minimum >= least && block->maximum <= greatest) return 0;
  uint64_t count = 0;
  for (size_t row = 0; row < block->rows; row++)
    count += count_outside(block->values + row * block->stride, block->columns, least, greatest);
  return count;
}

static inline void quantize_tile(const ck_quantizer *quantizer, const float *values, size_t rows,
                                 const ck_quantized *to) {
  size_t columns = quantizer->columns;
  size_t bits = quantizer->code == CK_CODE_E4M3 || quantizer->code == CK_CODE_INT8 ? 8 : 4;
  size_t code_row_bytes = (columns * bits + 7) / 8;
  size_t scale_bytes = ck_scale_byte_count(quantizer->scale);
  uint8_t *scales = to->scales, *zero_points = to->zero_points;
  ck_error_sums sums = {0};
  float chunk[CK_ERROR_CHUNK];
  for (size_t row = 0; row < rows; row += quantizer->block_rows) {
    size_t index = 0;
    for (size_t column = 0; column < columns; column += quantizer->block_columns, index++) {
      ck_block block = {.values = values + row * columns + column, .stride = columns};
      block.rows = rows - row < quantizer->block_rows ? rows - row : quantizer->block_rows;
      block.columns = columns - column < quantizer->block_columns ? columns - column
                                                                  : quantizer->block_columns;
      if (quantizer->tensor_scale == 0) block_extremes(&block);
      ck_choice choice = search_scale(quantizer, &block);
      sums.clipped_count += clipped_count(quantizer, &block, &choice);
      for (size_t i = row; i < row + block.rows; i++) {
        // Chunk by chunk of the row. A block may end within one, or the other way around.
        size_t end = column + block.columns;
        for (size_t start = column; start < end;) {
          size_t place = start % CK_ERROR_CHUNK;
          size_t count = end - start < CK_ERROR_CHUNK - place ? end - start
                                                              : CK_ERROR_CHUNK - place;
          float *approximation =
              to->delivered ? to->delivered + i * columns + start - place : chunk;
          const float *reference = values + i * columns + start - place;
          encode(quantizer, reference + place, count, &choice,
                 to->codes + i * code_row_bytes + start * bits / 8, approximation + place);
          start += count;
          if (start == columns || place + count == CK_ERROR_CHUNK)
            add_error_chunk(reference, approximation, place + count, &sums);
        }
      }
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
  ck_merge_errors(&sums, to->sums);
}
