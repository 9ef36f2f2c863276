// What the kernels of ck_statistics.h share. Private to CKernels.
#pragma once

#include <math.h>

#include "ck_statistics.h"
#include "minifloat.h"

#pragma STDC FP_CONTRACT OFF

/// The number of pairs of a row that are summed before the sum joins the whole.
#define CK_ERROR_CHUNK 128

/// The sums of a chunk in Float32: lane i holds those of the pairs i, i + 16, …, and the lanes were
/// added as `ck_lane_sum` does.
typedef struct {
  float squares, squared_errors, maximum_absolute_error;
  uint64_t zeroed_count;
} ck_error_chunk;

/// Adds to a sum kept as high + low. Knuth's two-sum yields the rounding error of the addition.
static inline void ck_add_exactly(double value, double *high, double *low) {
  double sum = *high + value;
  double part = sum - *high;
  *low += (*high - (sum - part)) + (value - part);
  *high = sum;
}

/// Adds the pairs of a chunk, summed in Float64. Pairs that are not finite are counted.
void ck_add_wide_chunk(const float *reference, const float *approximation, size_t count,
                       ck_error_sums *sums);

/// Whether the sums in Float32 tell: nothing was infinite, NaN, or too small to be squared.
static inline int ck_chunk_is_sound(const ck_error_chunk *chunk) {
  return chunk->squares >= 0x1p-100f && chunk->squares <= 0x1p100f &&
         (chunk->squared_errors >= 0x1p-100f || chunk->maximum_absolute_error == 0) &&
         chunk->squared_errors <= 0x1p100f;
}

/// Adds a chunk, or its pairs anew where Float32 cannot hold their squares.
static inline void ck_add_chunk(const ck_error_chunk *chunk, const float *reference,
                                const float *approximation, size_t count, ck_error_sums *sums) {
  if (!ck_chunk_is_sound(chunk)) {
    ck_add_wide_chunk(reference, approximation, count, sums);
    return;
  }
  ck_add_exactly(chunk->squares, &sums->squares_high, &sums->squares_low);
  ck_add_exactly(chunk->squared_errors, &sums->squared_errors_high, &sums->squared_errors_low);
  if (chunk->maximum_absolute_error > sums->maximum_absolute_error)
    sums->maximum_absolute_error = chunk->maximum_absolute_error;
  sums->count += count;
  sums->zeroed_count += chunk->zeroed_count;
}

/// As ck_count_outside.
static inline uint64_t count_outside(const float *values, size_t count, float lowest,
                                     float highest) {
  uint64_t outside = 0;
  // Sums as wide as the values keep the inner loop in full vectors.
  for (size_t start = 0; start < count; start += 1 << 16) {
    size_t end = count - start < 1 << 16 ? count : start + (1 << 16);
    uint32_t part = 0;
    for (size_t i = start; i < end; i++) part += (values[i] < lowest) | (values[i] > highest);
    outside += part;
  }
  return outside;
}
