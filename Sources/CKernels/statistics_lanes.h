// The sums of ck_statistics.h in vectors; see lanes.h.
#pragma once

#include "lanes.h"
#include "statistics.h"

typedef struct {
  ck_floats squares, squared_errors, greatest;
  ck_ints zeroed;
} ck_error_lanes;

CK_INLINE void add_pairs(ck_floats x, ck_floats y, ck_error_lanes *lanes) {
  const ck_floats zero = {0};
  ck_floats error = x - y;
  lanes->squares += x * x;
  lanes->squared_errors += error * error;
  lanes->greatest = ck_max(ck_magnitudes(error), lanes->greatest);
  lanes->zeroed -= (ck_ints)(x != zero) & (ck_ints)(y == zero);
}

/// Adds a chunk of at most CK_ERROR_CHUNK pairs.
CK_INLINE void add_error_chunk(const float *reference, const float *approximation, size_t count,
                               ck_error_sums *sums) {
  ck_error_lanes lanes = {0};
  size_t i = 0;
  for (; i + CK_LANES <= count; i += CK_LANES)
    add_pairs(ck_load(reference + i), ck_load(approximation + i), &lanes);
  // Zeros add nothing.
  if (i < count)
    add_pairs(ck_load_part(reference + i, count - i), ck_load_part(approximation + i, count - i),
              &lanes);
  ck_error_chunk chunk = {ck_lane_sum(lanes.squares), ck_lane_sum(lanes.squared_errors),
                          ck_greatest_lane(lanes.greatest),
                          (uint64_t)__builtin_reduce_add(lanes.zeroed)};
  ck_add_chunk(&chunk, reference, approximation, count, sums);
}

void CK_TWIN(ck_add_errors)(const float *reference, const float *approximation, size_t rows,
                            size_t columns, ck_error_sums *sums) {
  for (size_t row = 0; row < rows; row++) {
    for (size_t i = 0; i < columns; i += CK_ERROR_CHUNK) {
      size_t count = columns - i < CK_ERROR_CHUNK ? columns - i : CK_ERROR_CHUNK;
      add_error_chunk(reference + i, approximation + i, count, sums);
    }
    reference += columns;
    approximation += columns;
  }
}
