#include "statistics.h"
#include <string.h>

#pragma STDC FP_CONTRACT OFF

static int is_finite(float value) { return (ck_bits(value) & 0x7F800000u) != 0x7F800000u; }

static ck_error_chunk chunk_errors(const float *reference, const float *approximation,
                                   size_t count) {
  ck_error_chunk chunk = {0};
  double squares[8] = {0}, squared_errors[8] = {0};
  for (size_t i = 0; i < count; i++) {
    if (!is_finite(reference[i]) || !is_finite(approximation[i])) {
      chunk.nonfinite_count++;
      continue;
    }
    double value = reference[i];
    double error = value - approximation[i];
    squares[i % 8] += value * value;
    squared_errors[i % 8] += error * error;
    if (fabs(error) > chunk.maximum_absolute_error) chunk.maximum_absolute_error = fabs(error);
    if (reference[i] != 0 && approximation[i] == 0) chunk.zeroed_count++;
  }
  double *lanes[2] = {squares, squared_errors};
  double totals[2];
  for (int i = 0; i < 2; i++) {
    double *s = lanes[i];
    totals[i] = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
  }
  chunk.squares = totals[0];
  chunk.squared_errors = totals[1];
  return chunk;
}

void ck_add_errors_portable(const float *reference, const float *approximation, size_t count,
                            ck_error_sums *sums) {
  for (size_t i = 0; i < count; i += CK_ERROR_CHUNK) {
    size_t length = count - i < CK_ERROR_CHUNK ? count - i : CK_ERROR_CHUNK;
    ck_error_chunk chunk = chunk_errors(reference + i, approximation + i, length);
    ck_add_chunk(&chunk, length, sums);
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
}

uint64_t ck_count_outside(const float *values, size_t count, float lowest, float highest) {
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

ck_special_counts ck_count_specials(const uint8_t *elements, size_t count,
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
