// The sums of ck_statistics.h in vectors; see lanes.h.
#include "lanes.h"
#include "statistics.h"

/// Adds a chunk of at most CK_ERROR_CHUNK pairs.
CK_INLINE void add_error_chunk(const float *reference, const float *approximation, size_t count,
                               ck_error_sums *sums) {
  const ck_floats zero = {0};
  ck_floats squares = {0}, squared_errors = {0}, greatest = {0};
  ck_ints zeroed = {0};
  for (size_t i = 0; i < count; i += CK_LANES) {
    // Zeros add nothing.
    ck_floats x = ck_load_up_to(reference + i, count - i);
    ck_floats y = ck_load_up_to(approximation + i, count - i);
    ck_floats error = x - y;
    squares += x * x;
    squared_errors += error * error;
    greatest = ck_max(ck_magnitudes(error), greatest);
    zeroed -= (ck_ints)(x != zero) & (ck_ints)(y == zero);
  }
  ck_error_chunk chunk = {ck_lane_sum(squares), ck_lane_sum(squared_errors),
                          ck_greatest_lane(greatest),
                          (uint64_t)__builtin_reduce_add(zeroed)};
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
