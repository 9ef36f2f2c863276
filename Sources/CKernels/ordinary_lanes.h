// Ordinary blocks in vectors: those without NaN, infinities and magnitudes above 2^125. The scales
// of many blocks come first, then, while the weights are in the nearest cache, codes and errors.
// All other blocks are left to quantize_block.h. See lanes.h.
#include "ordinary_encode.h"

/// Blocks side by side.
typedef struct {
  const float *values;
  /// That of each column, or NULL.
  const float *importance;
  size_t count, rows, columns;
  /// From one row to the next, in weights.
  size_t stride;
} ck_blocks;

/// The extremes of each of up to CK_LANES blocks, not folded yet.
CK_INLINE void unfolded_extremes(const ck_blocks *blocks, size_t rows, size_t columns,
                                 ck_floats *greatest, ck_floats *least) {
  size_t block = 0;
  for (; block < blocks->count; block++) {
    // As integers, floats that are not negative are ordered. As unsigned integers, negative floats
    // are greater than all others, the least being the greatest. NaN and infinities lie beyond the
    // rest.
    ck_ints as_ints = {0};
    ck_uints as_uints = {0};
    for (size_t row = 0; row < rows; row++) {
      const float *values = blocks->values + row * blocks->stride + block * columns;
#pragma clang loop unroll_count(4)
      for (size_t i = 0; i < columns; i += CK_LANES) {
        ck_floats lanes = ck_load(values + i);
        as_ints = __builtin_elementwise_max(as_ints, (ck_ints)lanes);
        as_uints = __builtin_elementwise_max(as_uints, (ck_uints)lanes);
      }
    }
    greatest[block] = (ck_floats)as_ints;
    least[block] = (ck_floats)as_uints;
  }
  for (; block < CK_LANES; block++) greatest[block] = least[block] = ck_splat(0);
}

/// The extremes of up to CK_LANES blocks, 0 among them. Returns whether all are ordinary.
CK_INLINE int ordinary_extremes(const ck_blocks *blocks, ck_floats *minima, ck_floats *maxima) {
  ck_floats greatest[CK_LANES], least[CK_LANES];
  // Short loops whose lengths are known are unrolled.
  switch (blocks->rows == 1 ? blocks->columns : 0) {
  case 16: unfolded_extremes(blocks, 1, 16, greatest, least); break;
  case 32: unfolded_extremes(blocks, 1, 32, greatest, least); break;
  case 64: unfolded_extremes(blocks, 1, 64, greatest, least); break;
  case 128: unfolded_extremes(blocks, 1, 128, greatest, least); break;
  default: unfolded_extremes(blocks, blocks->rows, blocks->columns, greatest, least); break;
  }
  ck_ints positive = (ck_ints)ck_fold_all(CK_GREATEST_INT, greatest);
  ck_ints negative = (ck_ints)ck_fold_all(CK_GREATEST_UINT, least);
  *maxima = (ck_floats)positive;
  *minima = (ck_floats)(negative & (negative < ck_splat_int(0)));
  ck_ints magnitudes = __builtin_elementwise_max(positive, negative & ck_splat_int(0x7FFFFFFF));
  return ck_lane_bits(magnitudes > ck_splat_int((127 + 125) << 23)) == 0;
}

/// The ranges of blocks, and which of them have weights outside, a bit for each.
typedef struct {
  float lowest[CK_MOST_BLOCKS], highest[CK_MOST_BLOCKS];
  uint16_t has_clipped[CK_MOST_BLOCKS / CK_LANES];
} ck_block_ranges;

/// Adds the ranges of up to CK_LANES blocks.
CK_INLINE void add_ranges(ck_code code, const ck_candidates *chosen, ck_floats minima,
                          ck_floats maxima, size_t first, ck_block_ranges *ranges) {
  ck_floats lowest = chosen->lowest - ck_splat(0.5f), highest = chosen->highest + ck_splat(0.5f);
  if (code == CK_CODE_E4M3) highest = ck_splat(464), lowest = -highest;
  if (code == CK_CODE_E2M1) highest = ck_splat(7), lowest = -highest;
  ck_floats a = lowest * chosen->scales, b = highest * chosen->scales;
  lowest = ck_min(a, b);
  highest = ck_max(a, b);
  ck_store(lowest, ranges->lowest + first);
  ck_store(highest, ranges->highest + first);
  ranges->has_clipped[first / CK_LANES] =
      (uint16_t)ck_lane_bits((ck_ints)(minima < lowest) | (ck_ints)(maxima > highest));
}

/// The number of weights out of their blocks' ranges.
CK_INLINE uint64_t clipped_in_blocks(const ck_blocks *blocks, const ck_block_ranges *ranges) {
  ck_ints clipped = {0};
  for (size_t first = 0; first < blocks->count; first += 64) {
    uint64_t bits = 0;
    for (size_t i = 0; i < 64 && first + i < blocks->count; i += CK_LANES)
      bits |= (uint64_t)ranges->has_clipped[(first + i) / CK_LANES] << i;
    for (; bits != 0; bits &= bits - 1) {
      size_t block = first + (size_t)__builtin_ctzll(bits);
      ck_floats lowest = ck_splat(ranges->lowest[block]);
      ck_floats highest = ck_splat(ranges->highest[block]);
      for (size_t row = 0; row < blocks->rows; row++) {
        const float *values = blocks->values + row * blocks->stride + block * blocks->columns;
        for (size_t i = 0; i < blocks->columns; i += CK_LANES) {
          ck_floats lanes = ck_load(values + i);
          clipped -= (ck_ints)(lanes < lowest) | (ck_ints)(lanes > highest);
        }
      }
    }
  }
  // Wider, for a block may be a whole row of any length.
  return __builtin_reduce_add(__builtin_convertvector(clipped, ck_counts));
}

/// Stores the scales of up to CK_LANES blocks from the `first` on, an even number, and their zero
/// points.
CK_INLINE void store_scales(const ck_quantizer *quantizer, const ck_candidates *chosen,
                            size_t first, size_t count, uint8_t *scales, uint8_t *zero_points) {
  uint8_t bytes[4 * CK_LANES];
  size_t scale_bytes = ck_scale_byte_count(quantizer->scale);
  switch (scale_bytes) {
  case 1: ck_store_bytes(chosen->stored, bytes); break;
  case 2: {
    ck_words16 words = __builtin_convertvector(chosen->stored, ck_words16);
    memcpy(bytes, &words, sizeof words);
    break;
  }
  default: memcpy(bytes, &chosen->stored, sizeof bytes); break;
  }
  memcpy(scales + first * scale_bytes, bytes, count * scale_bytes);
  if (quantizer->code == CK_CODE_UINT4)
    store_codes(chosen->zero_points, count, 4, zero_points + first / 2);
}

/// The scales that a search finds for up to CK_LANES blocks.
CK_INLINE ck_candidates searched_scales(const ck_quantizer *quantizer, const ck_blocks *given,
                                        ck_floats minima, ck_floats maxima) {
  ck_block blocks[CK_LANES];
  for (size_t i = 0; i < given->count; i++) {
    blocks[i] = (ck_block){.values = given->values + i * given->columns,
                           .rows = given->rows,
                           .columns = given->columns,
                           .stride = given->stride};
    if (given->importance) blocks[i].importance = given->importance + i * given->columns;
  }
  return best_candidates(quantizer, blocks, (int)given->count, minima, maxima);
}

/// Chooses the scales of all blocks and stores them. Returns whether all blocks are ordinary.
CK_INLINE int choose_scales(const ck_quantizer *quantizer, const ck_blocks *blocks,
                            ck_block_scales *chosen, uint8_t *scales, uint8_t *zero_points,
                            ck_error_sums *sums) {
  ck_blocks part = *blocks;
  ck_block_ranges ranges;
  for (size_t i = 0; i < blocks->count; i += CK_LANES) {
    part.values = blocks->values + i * blocks->columns;
    if (blocks->importance) part.importance = blocks->importance + i * blocks->columns;
    part.count = blocks->count - i < CK_LANES ? blocks->count - i : CK_LANES;
    ck_floats minima, maxima;
    if (!ordinary_extremes(&part, &minima, &maxima)) return 0;
    ck_candidates candidates = is_searched(quantizer)
                                   ? searched_scales(quantizer, &part, minima, maxima)
                                   : absmax_candidates(quantizer, minima, maxima);
    ck_store(candidates.scales, chosen->scales + i);
    ck_store(candidates.inverses, chosen->inverses + i);
    ck_store(candidates.lowest + ck_splat(CK_ROUNDING_MAGIC), chosen->lowest + i);
    ck_store(candidates.highest + ck_splat(CK_ROUNDING_MAGIC), chosen->highest + i);
    ck_store_bytes(candidates.zero_points, chosen->zero_points + i);
    if (sums) add_ranges(quantizer->code, &candidates, minima, maxima, i, &ranges);
    if (quantizer->tensor_scale == 0)
      store_scales(quantizer, &candidates, i, part.count, scales, zero_points);
  }
  if (sums) sums->clipped_count += clipped_in_blocks(blocks, &ranges);
  return 1;
}

/// Encodes the blocks, whose first weight's codes and delivered value have the given places.
/// Returns whether Float32 could hold the sums of their errors.
CK_INLINE int encode_ordinary_blocks(ck_code code, const ck_blocks *blocks,
                                     const ck_block_scales *scales, uint8_t *codes,
                                     float *delivered, ck_error_sums *sums) {
  size_t bits = ck_bit_count(code), columns = blocks->columns, rows = blocks->rows;
  size_t code_stride = (blocks->stride * bits + 7) / 8;
  ck_run run = {.values = blocks->values, .codes = codes, .delivered = delivered,
                .stride = CK_ERROR_CHUNK, .code_stride = CK_ERROR_CHUNK * bits / 8,
                .block_shift = 63};
  if (rows == 1 && columns <= CK_ERROR_CHUNK) {
    run.block_shift = __builtin_ctzll(columns);
    return encode_run(code, &run, blocks->count * columns, scales, sums);
  }
  if (columns == CK_ERROR_CHUNK) {
    // The rows are the chunks.
    run.stride = blocks->stride;
    run.code_stride = code_stride;
    return encode_run(code, &run, rows * columns, scales, sums);
  }
  for (size_t row = 0; row < rows; row++) {
    run.values = blocks->values + row * blocks->stride;
    run.codes = codes + row * code_stride;
    if (delivered) run.delivered = delivered + row * blocks->stride;
    if (!encode_run(code, &run, columns, scales, sums)) return 0;
  }
  return 1;
}

/// The blocks from a place on that are taken together: those of up to CK_SPAN weights of a row if
/// they are narrow, or one. They fill whole chunks, or end with their row; none if that cannot be.
CK_INLINE ck_blocks blocks_at(const ck_quantizer *quantizer, const float *values, size_t rows,
                              const float *importance, size_t row, size_t column) {
  size_t columns = quantizer->columns, width = quantizer->block_columns, left = rows - row;
  if (width > columns) width = columns;
  ck_blocks blocks = {.values = values + row * columns + column,
                      .importance = importance ? importance + column : NULL,
                      .rows = left < quantizer->block_rows ? left : quantizer->block_rows,
                      .columns = width,
                      .stride = columns};
  if (blocks.rows == 1 && width >= CK_LANES && CK_ERROR_CHUNK % width == 0) {
    // Where there are zero points, the first is in a byte's low half.
    if (column % (2 * CK_ERROR_CHUNK) != 0) return blocks;
    size_t whole = (columns - column) / width;
    blocks.count = whole < CK_SPAN / width ? whole : CK_SPAN / width;
    size_t end = column + blocks.count * width;
    if (end != columns || end % CK_UNIT != 0)
      blocks.count -= blocks.count % (CK_ERROR_CHUNK / width);
  } else if (width % CK_ERROR_CHUNK == 0 || (width == columns && width % CK_UNIT == 0)) {
    blocks.count = column + width <= columns;
  }
  return blocks;
}

/// Quantizes blocks from a place on, if they are ordinary. Returns how many. What it writes
/// otherwise is to be written again.
static inline size_t quantize_ordinary_blocks(const ck_quantizer *quantizer, const float *values,
                                              size_t rows, const float *importance, size_t row,
                                              size_t column, const ck_quantized *to,
                                              uint8_t *scales, uint8_t *zero_points,
                                              ck_error_sums *sums) {
  // A scale that is given may leave integers any distance out of range.
  if (quantizer->tensor_scale != 0 && !ck_is_small_float(quantizer->code)) return 0;
  ck_blocks blocks = blocks_at(quantizer, values, rows, importance, row, column);
  if (blocks.count == 0) return 0;
  ck_block_scales chosen;
  ck_error_sums attempt = *sums, *measured = to->sums || to->delivered ? &attempt : NULL;
  if (!choose_scales(quantizer, &blocks, &chosen, scales, zero_points, measured)) return 0;
  size_t bits = ck_bit_count(quantizer->code), columns = quantizer->columns;
  uint8_t *codes = to->codes + row * ((columns * bits + 7) / 8) + column * bits / 8;
  float *delivered = to->delivered ? to->delivered + row * columns + column : NULL;
  if (!encode_ordinary_blocks(quantizer->code, &blocks, &chosen, codes, delivered, measured))
    return 0;
  *sums = attempt;
  return blocks.count;
}
