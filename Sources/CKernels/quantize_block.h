// The loop over blocks: the same text for every instruction set. Private to CKernels. The file that
// includes it defines, for its instruction set, `block_extremes`, `encode_integers`,
// `encode_minifloats`, `add_error_chunk`, `quantize_ordinary_blocks`, and what search_scale.h
// wants.
#include "search_scale.h"
#include "statistics.h"

#pragma STDC FP_CONTRACT OFF

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

/// Encodes a block and measures it, chunk by chunk of its rows: a block may end within a chunk, or
/// the other way around.
static inline void encode_block(const ck_quantizer *quantizer, const ck_block *block,
                                const ck_choice *choice, const float *values, size_t row,
                                size_t column, const ck_quantized *to, float *chunk,
                                ck_error_sums *sums) {
  size_t columns = quantizer->columns, end = column + block->columns;
  size_t bits = ck_bit_count(quantizer->code), code_row_bytes = (columns * bits + 7) / 8;
  if (sums) sums->clipped_count += clipped_count(quantizer, block, choice);
  for (size_t i = row; i < row + block->rows; i++) {
    for (size_t start = column; start < end;) {
      size_t place = start % CK_ERROR_CHUNK, room = CK_ERROR_CHUNK - place;
      size_t count = end - start < room ? end - start : room;
      float *approximation = to->delivered ? to->delivered + i * columns + start - place : chunk;
      const float *reference = values + i * columns + start - place;
      encode(quantizer, reference + place, count, choice,
             to->codes + i * code_row_bytes + start * bits / 8, approximation + place);
      start += count;
      if (sums && (start == columns || count == room))
        add_error_chunk(reference, approximation, place + count, sums);
    }
  }
}

/// Chooses the scales of up to CK_LANES blocks.
static inline void make_choices(const ck_quantizer *quantizer, const ck_block *blocks, int count,
                                ck_choice *choices) {
  float minima[CK_LANES] = {0}, maxima[CK_LANES] = {0};
  for (int i = 0; i < count; i++) {
    minima[i] = blocks[i].minimum;
    maxima[i] = blocks[i].maximum;
  }
  ck_candidates chosen =
      is_searched(quantizer)
          ? best_candidates(quantizer, blocks, count, ck_load(minima), ck_load(maxima))
          : absmax_candidates(quantizer, ck_load(minima), ck_load(maxima));
  float scales[CK_LANES], inverses[CK_LANES], lowest[CK_LANES], highest[CK_LANES];
  ck_store(chosen.scales, scales);
  ck_store(chosen.inverses, inverses);
  ck_store(chosen.lowest, lowest);
  ck_store(chosen.highest, highest);
  for (int i = 0; i < count; i++)
    choices[i] = (ck_choice){.scale = scales[i],
                             .inverse = inverses[i],
                             .lowest = lowest[i],
                             .highest = highest[i],
                             .zero_point = chosen.zero_points[i],
                             .stored = (uint32_t)chosen.stored[i]};
}

static inline void quantize_rows(const ck_quantizer *quantizer, const float *values, size_t rows,
    const float *importance, const ck_quantized *to) {
  size_t columns = quantizer->columns, width = quantizer->block_columns;
  size_t scale_bytes = ck_scale_byte_count(quantizer->scale);
  uint8_t *scales = to->scales, *zero_points = to->zero_points;
  ck_error_sums sums = {0};
  float chunk[CK_ERROR_CHUNK];
  for (size_t row = 0; row < rows; row += quantizer->block_rows) {
    size_t index = 0, ordinary_from = 0;
    for (size_t column = 0; column < columns;) {
      if (column >= ordinary_from) {
        size_t done = quantize_ordinary_blocks(
            quantizer, values, rows, importance, row, column, to, scales,
            zero_points ? zero_points + index / 2 : NULL, &sums);
        index += done;
        column += done * width;
        if (quantizer->tensor_scale == 0) scales += done * scale_bytes;
        if (done > 0) continue;
        // What it was tried for is not tried again.
        ordinary_from = column + CK_SPAN;
      }
      ck_block blocks[CK_LANES];
      ck_choice choices[CK_LANES];
      size_t start = column;
      int count = 0;
      for (; count < CK_LANES && column < columns; count++) {
        ck_block *block = &blocks[count];
        *block = (ck_block){.values = values + row * columns + column, .stride = columns};
        if (importance) block->importance = importance + column;
        block->rows = rows - row < quantizer->block_rows ? rows - row : quantizer->block_rows;
        block->columns = columns - column < width ? columns - column : width;
        if (quantizer->tensor_scale == 0) block_extremes(block);
        column += block->columns;
      }
      make_choices(quantizer, blocks, count, choices);
      for (int i = 0; i < count; i++, index++, start += width) {
        encode_block(quantizer, &blocks[i], &choices[i], values, row, start, to, chunk,
                     to->sums ? &sums : NULL);
        if (quantizer->tensor_scale != 0) continue;
        ck_store_scale(quantizer->scale, choices[i].stored, scales);
        scales += scale_bytes;
        if (quantizer->code != CK_CODE_UINT4) continue;
        uint8_t zero_point = (uint8_t)(choices[i].zero_point << 4 * (index % 2));
        zero_points[index / 2] = index % 2 == 0 ? zero_point
                                                : (uint8_t)(zero_points[index / 2] | zero_point);
      }
    }
    if (quantizer->code == CK_CODE_UINT4) zero_points += (index + 1) / 2;
  }
  if (to->sums) ck_merge_errors(&sums, to->sums);
}

/// Rows of whole blocks, chunks and bytes of zero points are taken for one long row: so more blocks
/// lie side by side.
static inline void quantize_tile(const ck_quantizer *quantizer, const float *values, size_t rows,
    const float *importance, const ck_quantized *to) {
  size_t columns = quantizer->columns, width = quantizer->block_columns;
  int is_whole = quantizer->block_rows == 1 && importance == NULL && columns % width == 0 &&
                 columns % CK_ERROR_CHUNK == 0 && columns / width % 2 == 0;
  ck_quantizer long_row = *quantizer;
  long_row.columns = rows * columns;
  quantize_rows(is_whole ? &long_row : quantizer, values, is_whole ? 1 : rows, importance, to);
}
