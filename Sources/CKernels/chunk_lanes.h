// Chunks of blocks in lanes, as searches take them. See lanes.h.
#include "candidates.h"
#include "lanes.h"

/// Up to CK_LANES chunks of weights, a lane each, filled up with zeros, which add no error.
typedef struct {
  /// What is not finite is 0; magnitudes only where codes are small floats.
  ck_floats values[CK_CHUNK];
  ck_floats importance[CK_CHUNK];
  /// The length of the longest chunk, rounded up to CK_LANES.
  size_t length;
} ck_chunks;

/// Loads sixteen columns of each chunk, from `start` on. All chunks have them if `are_whole`.
CK_INLINE void load_columns(const float *const *rows, const size_t *counts, size_t start,
                            int are_whole, ck_floats *columns) {
  for (int lane = 0; lane < CK_LANES; lane++) {
    if (are_whole) {
      columns[lane] = ck_load(rows[lane] + start);
    } else if (counts[lane] > start) {
      columns[lane] = ck_load_up_to(rows[lane] + start, counts[lane] - start);
    } else {
      columns[lane] = ck_splat(0);
    }
  }
  ck_transpose(columns);
}

/// Loads chunks of the lengths `counts`. Importance is given for all chunks or none.
CK_INLINE void load_chunks(const ck_quantizer *quantizer, const float *const *values,
                           const float *const *importance, const size_t *counts,
                           ck_chunks *chunks) {
  size_t length = 0, shortest = CK_CHUNK;
  for (int lane = 0; lane < CK_LANES; lane++) {
    length = counts[lane] > length ? counts[lane] : length;
    shortest = counts[lane] < shortest ? counts[lane] : shortest;
  }
  const ck_ints exponent = ck_splat_int(0x7F800000);
  ck_ints kept = ck_splat_int(ck_is_small_float(quantizer->code) ? 0x7FFFFFFF : -1);
  for (size_t start = 0; start < length; start += CK_LANES) {
    ck_floats columns[CK_LANES];
    if (start + CK_LANES <= shortest) {
      load_columns(values, counts, start, 1, columns);
    } else {
      load_columns(values, counts, start, 0, columns);
    }
    for (int i = 0; i < CK_LANES; i++) {
      ck_ints bits = (ck_ints)columns[i];
      chunks->values[start + i] = (ck_floats)(bits & kept & ((bits & exponent) != exponent));
    }
    if (importance) load_columns(importance, counts, start, 0, chunks->importance + start);
  }
  chunks->length = (length + CK_LANES - 1) / CK_LANES * CK_LANES;
}

/// The number of chunks in a row of a block.
CK_INLINE size_t chunks_in_row(const ck_block *block) {
  return (block->columns + CK_CHUNK - 1) / CK_CHUNK;
}

/// Loads up to CK_LANES of a block's chunks, from the `first` on, and returns how many.
CK_INLINE int load_block(const ck_quantizer *quantizer, const ck_block *block, size_t first,
                         ck_chunks *chunks) {
  size_t in_row = chunks_in_row(block);
  const float *values[CK_LANES] = {0}, *importance[CK_LANES] = {0};
  size_t counts[CK_LANES] = {0};
  int count = 0;
  for (size_t i = first; count < CK_LANES && i < block->rows * in_row; i++, count++) {
    size_t column = i % in_row * CK_CHUNK, rest = block->columns - column;
    values[count] = block->values + i / in_row * block->stride + column;
    if (block->importance) importance[count] = block->importance + column;
    counts[count] = rest < CK_CHUNK ? rest : CK_CHUNK;
  }
  load_chunks(quantizer, values, block->importance ? importance : NULL, counts, chunks);
  return count;
}
