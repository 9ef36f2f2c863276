// What the kernels of ck_statistics.h share. Private to CKernels.
#pragma once

#include <math.h>

#include "ck_statistics.h"
#include "minifloat.h"

#pragma STDC FP_CONTRACT OFF

/// The number of pairs that are summed before the sum joins the whole.
#define CK_ERROR_CHUNK 128

typedef struct {
  double squares, squared_errors, maximum_absolute_error;
  uint64_t zeroed_count, nonfinite_count;
} ck_error_chunk;

/// Adds to a sum kept as high + low. Knuth's two-sum yields the rounding error of the addition.
static inline void ck_add_exactly(double value, double *high, double *low) {
  double sum = *high + value;
  double part = sum - *high;
  *low += (*high - (sum - part)) + (value - part);
  *high = sum;
}

static inline void ck_add_chunk(const ck_error_chunk *chunk, size_t count, ck_error_sums *sums) {
  ck_add_exactly(chunk->squares, &sums->squares_high, &sums->squares_low);
  ck_add_exactly(chunk->squared_errors, &sums->squared_errors_high, &sums->squared_errors_low);
  if (chunk->maximum_absolute_error > sums->maximum_absolute_error)
    sums->maximum_absolute_error = chunk->maximum_absolute_error;
  sums->count += count - chunk->nonfinite_count;
  sums->zeroed_count += chunk->zeroed_count;
  sums->nonfinite_count += chunk->nonfinite_count;
}
