#include "statistics_portable.h"
#include <string.h>

#pragma STDC FP_CONTRACT OFF

static int is_finite(float value) { return (ck_bits(value) & 0x7F800000u) != 0x7F800000u; }

void ck_add_wide_chunk(const float *reference, const float *approximation, size_t count,
                       ck_error_sums *sums) {
  double squares = 0, squared_errors = 0;
  for (size_t i = 0; i < count; i++) {
    if (!is_finite(reference[i]) || !is_finite(approximation[i])) {
      sums->nonfinite_count++;
      continue;
    }
    double value = reference[i];
    double error = value - approximation[i];
    squares += value * value;
    squared_errors += error * error;
    if (fabs(error) > sums->maximum_absolute_error) sums->maximum_absolute_error = fabs(error);
    if (value != 0 && approximation[i] == 0) sums->zeroed_count++;
    sums->count++;
  }
  ck_add_exactly(squares, &sums->squares_high, &sums->squares_low);
  ck_add_exactly(squared_errors, &sums->squared_errors_high, &sums->squared_errors_low);
}

void ck_add_errors_portable(const float *reference, const float *approximation, size_t rows,
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

void ck_merge_errors(const ck_error_sums *part, ck_error_sums *sums) {
  ck_add_exactly(part->squares_high, &sums->squares_high, &sums->squares_low);
  sums->squares_low += part->squares_low;
  ck_add_exactly(part->squared_errors_high, &sums->squared_errors_high, &sums->squared_errors_low);
  sums->squared_errors_low += part->squared_errors_low;
  if (part->maximum_absolute_error > sums->maximum_absolute_error)
    sums->maximum_absolute_error = part->maximum_absolute_error;
  sums->count += part->count;
  sums->zeroed_count += part->zeroed_count;
  sums->nonfinite_count += part->nonfinite_count;
  sums->clipped_count += part->clipped_count;
}

uint64_t ck_count_outside(const float *values, size_t count, float lowest, float highest) {
  return count_outside(values, count, lowest, highest);
}

// One loop for each width, which the compiler turns into vectors: the sums are as wide as the
// elements, and bytes hold those of at most 255 at a time.
#define COUNT_SPECIALS(type)                                                                       \
  for (size_t start = 0; start < count; start += 255) {                                            \
    size_t end = count - start < 255 ? count : start + 255;                                        \
    type nonfinite = 0, zero = 0;                                                                  \
    for (size_t i = start; i < end; i++) {                                                         \
      type element;                                                                                \
      memcpy(&element, elements + i * sizeof(type), sizeof(type));                                 \
      nonfinite += (type)((element & (type)exponent) == (type)exponent);                           \
      zero += (type)((element & (type)magnitude) == 0);                                            \
    }                                                                                              \
    counts.nonfinite_count += nonfinite;                                                           \
    counts.zero_count += zero;                                                                     \
  }

ck_special_counts ck_count_specials_portable(const uint8_t *elements, size_t count,
                                             size_t element_byte_count, uint64_t exponent,
                                             uint64_t magnitude) {
  ck_special_counts counts = {0};
  switch (element_byte_count) {
  case 1: COUNT_SPECIALS(uint8_t) break;
  case 2: COUNT_SPECIALS(uint16_t) break;
  case 4: COUNT_SPECIALS(uint32_t) break;
  case 8: COUNT_SPECIALS(uint64_t) break;
  }
  return counts;
}

uint64_t ck_count_bytes(const uint8_t *bytes, size_t count, uint8_t value) {
  uint64_t equal = 0;
  for (size_t i = 0; i < count; i++) equal += bytes[i] == value;
  return equal;
}
