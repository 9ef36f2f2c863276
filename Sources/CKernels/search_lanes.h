// What search_scale.h wants, in vectors; see lanes.h. The file that includes it defines
// CK_SEARCH_STEP, the number of candidates whose sums are made at once.
#include "chunk_lanes.h"

/// The weights of blocks.
typedef struct {
  const ck_block *blocks;
  int count;
  /// Whether each block is but one chunk, and these are they. Else they are made again and again.
  int are_chunks;
  ck_chunks chunks;
} ck_weights;

/// The numbers that codes stand for: `ratios`, clamped and rounded. Those of small floats are
/// magnitudes.
CK_INLINE ck_floats nearest(ck_code code, ck_floats ratios, ck_floats lowest, ck_floats highest) {
  switch (code) {
  case CK_CODE_E4M3:
    return ck_round_to_grid16(ck_at_most(ratios, ck_splat(CK_E4M3.maximum)), CK_E4M3);
  case CK_CODE_E2M1:
    return ck_round_to_grid16(ck_at_most(ratios, ck_splat(CK_E2M1.maximum)), CK_E2M1);
  default: return ck_round(ck_at_most(ck_at_least(ratios, lowest), highest));
  }
}

/// The least integers that codes may stand for, known if they have no zero point.
CK_INLINE ck_floats lowest_of(ck_code code, const ck_candidates *candidates) {
  if (code == CK_CODE_UINT4) return candidates->lowest;
  return ck_splat(code == CK_CODE_INT8 ? -128 : -8);
}

CK_INLINE ck_floats highest_of(ck_code code, const ck_candidates *candidates) {
  if (code == CK_CODE_UINT4) return candidates->highest;
  return ck_splat(code == CK_CODE_INT8 ? 127 : 7);
}

CK_INLINE void gather_weights(const ck_quantizer *quantizer, const ck_block *blocks, int count,
                              ck_weights *weights) {
  weights->blocks = blocks;
  weights->count = count;
  weights->are_chunks = 1;
  const float *values[CK_LANES] = {0}, *importance[CK_LANES] = {0};
  size_t counts[CK_LANES] = {0};
  for (int i = 0; i < count; i++) {
    weights->are_chunks &= blocks[i].rows == 1 && blocks[i].columns <= CK_CHUNK;
    values[i] = blocks[i].values;
    importance[i] = blocks[i].importance;
    counts[i] = blocks[i].columns;
  }
  if (weights->are_chunks)
    load_chunks(quantizer, values, blocks->importance ? importance : NULL, counts,
                &weights->chunks);
}

/// Σ w·(x / scale − q)² of each chunk, for `step` candidates, so that a processor can work on one
/// while another waits for its last sum.
CK_INLINE void some_errors(ck_code code, const ck_chunks *chunks, int is_weighted, int step,
                           const ck_candidates *candidates, ck_floats *errors) {
  ck_floats sums[CK_SEARCH_STEP] = {0}, inverses[CK_SEARCH_STEP];
  ck_floats lowest[CK_SEARCH_STEP], highest[CK_SEARCH_STEP];
#pragma clang loop unroll(full)
  for (int k = 0; k < step; k++) {
    inverses[k] = candidates[k].inverses;
    lowest[k] = lowest_of(code, &candidates[k]);
    highest[k] = highest_of(code, &candidates[k]);
  }
  for (size_t i = 0; i < chunks->length; i++) {
    ck_floats values = chunks->values[i];
#pragma clang loop unroll(full)
    for (int k = 0; k < step; k++) {
      ck_floats ratios = values * inverses[k];
      ck_floats error = ratios - nearest(code, ratios, lowest[k], highest[k]);
      sums[k] += is_weighted ? chunks->importance[i] * error * error : error * error;
    }
  }
#pragma clang loop unroll(full)
  for (int k = 0; k < step; k++) errors[k] = sums[k];
}

CK_INLINE void all_errors(ck_code code, const ck_chunks *chunks, int is_weighted,
                          const ck_candidates *candidates, int count, ck_floats *errors) {
  int i = 0;
  for (; i + CK_SEARCH_STEP <= count; i += CK_SEARCH_STEP)
    some_errors(code, chunks, is_weighted, CK_SEARCH_STEP, candidates + i, errors + i);
  for (; i < count; i++) some_errors(code, chunks, is_weighted, 1, candidates + i, errors + i);
}

/// Calls a function for chunks, compiled for the kind of code and for whether weights have
/// importance.
#define CK_CASE(kind, function, ...)                                                         \
  case kind:                                                                                 \
    if (is_weighted) {                                                                       \
      function(kind, chunks, 1, __VA_ARGS__);                                                \
    } else {                                                                                 \
      function(kind, chunks, 0, __VA_ARGS__);                                                \
    }                                                                                        \
    break;

/// As all_errors, with loops for each kind of code.
static void chunk_errors(ck_code code, const ck_chunks *chunks, int is_weighted,
                         const ck_candidates *candidates, int count, ck_floats *errors) {
  switch (code) {
    CK_CASE(CK_CODE_E4M3, all_errors, candidates, count, errors)
    CK_CASE(CK_CODE_E2M1, all_errors, candidates, count, errors)
    CK_CASE(CK_CODE_INT8, all_errors, candidates, count, errors)
    CK_CASE(CK_CODE_INT4, all_errors, candidates, count, errors)
    CK_CASE(CK_CODE_UINT4, all_errors, candidates, count, errors)
  }
}

/// The same scale in all lanes.
CK_INLINE ck_candidates spread(const ck_candidates *candidates, int lane) {
  return (ck_candidates){.inverses = ck_splat(candidates->inverses[lane]),
                         .lowest = ck_splat(candidates->lowest[lane]),
                         .highest = ck_splat(candidates->highest[lane])};
}

CK_INLINE void candidate_errors(const ck_quantizer *quantizer, const ck_weights *weights,
                                const ck_candidates *candidates, int count, ck_floats *errors) {
  int is_weighted = weights->blocks->importance != NULL;
  if (weights->are_chunks) {
    chunk_errors(quantizer->code, &weights->chunks, is_weighted, candidates, count, errors);
    return;
  }
  for (int i = 0; i < count; i++) errors[i] = ck_splat(0);
  for (int lane = 0; lane < weights->count; lane++) {
    const ck_block *block = &weights->blocks[lane];
    ck_candidates spreads[CK_CANDIDATES];
    double totals[CK_CANDIDATES] = {0};
    for (int i = 0; i < count; i++) spreads[i] = spread(&candidates[i], lane);
    for (size_t first = 0; first < block->rows * chunks_in_row(block); first += CK_LANES) {
      ck_chunks chunks;
      ck_floats sums[CK_CANDIDATES];
      int loaded = load_block(quantizer, block, first, &chunks);
      chunk_errors(quantizer->code, &chunks, is_weighted, spreads, count, sums);
      for (int chunk = 0; chunk < loaded; chunk++)
        for (int i = 0; i < count; i++) totals[i] += sums[i][chunk];
    }
    for (int i = 0; i < count; i++) errors[i][lane] = (float)totals[i];
  }
}

/// Σ w·x·q and Σ w·q² of each chunk, in units of the scales, for their codes. What lies sixteen
/// apart is added first; then as lanes are in error sums.
CK_INLINE void all_products(ck_code code, const ck_chunks *chunks, int is_weighted,
                            const ck_candidates *scales, ck_floats *products,
                            ck_floats *squares) {
  ck_floats product_sums[CK_LANES], square_sums[CK_LANES];
  for (size_t lane = 0; lane < CK_LANES; lane++) {
    product_sums[lane] = square_sums[lane] = ck_splat(0);
    for (size_t i = lane; i < chunks->length; i += CK_LANES) {
      ck_floats ratios = chunks->values[i] * scales->inverses;
      ck_floats number = nearest(code, ratios, lowest_of(code, scales), highest_of(code, scales));
      ck_floats weighted = is_weighted ? number * chunks->importance[i] : number;
      product_sums[lane] += ratios * weighted;
      square_sums[lane] += number * weighted;
    }
  }
  for (int width = CK_LANES / 2; width >= 1; width /= 2) {
    for (int i = 0; i < width; i++) {
      product_sums[i] += product_sums[i + width];
      square_sums[i] += square_sums[i + width];
    }
  }
  *products = product_sums[0];
  *squares = square_sums[0];
}

/// As all_products, with loops for each kind of code.
static void chunk_products(ck_code code, const ck_chunks *chunks, int is_weighted,
                           const ck_candidates *scales, ck_floats *products, ck_floats *squares) {
  switch (code) {
    CK_CASE(CK_CODE_E4M3, all_products, scales, products, squares)
    CK_CASE(CK_CODE_E2M1, all_products, scales, products, squares)
    CK_CASE(CK_CODE_INT8, all_products, scales, products, squares)
    CK_CASE(CK_CODE_INT4, all_products, scales, products, squares)
    CK_CASE(CK_CODE_UINT4, all_products, scales, products, squares)
  }
}

CK_INLINE ck_floats least_squares_scales(const ck_quantizer *quantizer, const ck_weights *weights,
                                         const ck_candidates *best) {
  int is_weighted = weights->blocks->importance != NULL;
  ck_floats products, squares;
  if (weights->are_chunks) {
    chunk_products(quantizer->code, &weights->chunks, is_weighted, best, &products, &squares);
    return best->scales * (products / squares);
  }
  ck_floats ratios = {0};
  for (int lane = 0; lane < weights->count; lane++) {
    const ck_block *block = &weights->blocks[lane];
    ck_candidates scale = spread(best, lane);
    double product_total = 0, square_total = 0;
    for (size_t first = 0; first < block->rows * chunks_in_row(block); first += CK_LANES) {
      ck_chunks chunks;
      int loaded = load_block(quantizer, block, first, &chunks);
      chunk_products(quantizer->code, &chunks, is_weighted, &scale, &products, &squares);
      for (int chunk = 0; chunk < loaded; chunk++) {
        product_total += products[chunk];
        square_total += squares[chunk];
      }
    }
    ratios[lane] = (float)(product_total / square_total);
  }
  return best->scales * ratios;
}
