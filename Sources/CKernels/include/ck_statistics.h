#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Sums over pairs of a reference and its approximation. Each sum is a pair of numbers, high and
/// low, whose sum is exact to about 2^-100, so that its rounded value does not depend on the order
/// in which parts are added.
typedef struct {
  double squares_high, squares_low;
  double squared_errors_high, squared_errors_low;
  double maximum_absolute_error;
  /// Finite pairs.
  uint64_t count;
  /// Finite pairs whose reference is not zero while its approximation is.
  uint64_t zeroed_count;
  /// Pairs of which at least one is infinite or NaN; they enter no sum.
  uint64_t nonfinite_count;
  /// References out of their block's range; only what quantizes knows of blocks.
  uint64_t clipped_count;
} ck_error_sums;

/// Adds the pairs of `rows × columns`. Each row is summed in chunks of 128 pairs from its start, in
/// 16 Float32 lanes, and the chunks' sums are added in pairs of Float64: the sums are the same for
/// any division of the rows, and within 14·2^-24 of the truth. Where squares leave what Float32 can
/// hold, or a number is not finite, a chunk is summed in Float64 instead.
void ck_add_errors(const float *reference, const float *approximation, size_t rows,
                   size_t columns, ck_error_sums *sums);
void ck_add_errors_portable(const float *reference, const float *approximation, size_t rows,
                            size_t columns, ck_error_sums *sums);
void ck_add_errors_avx2(const float *reference, const float *approximation, size_t rows,
                        size_t columns, ck_error_sums *sums);
void ck_add_errors_avx512(const float *reference, const float *approximation, size_t rows,
                          size_t columns, ck_error_sums *sums);
void ck_add_errors_neon(const float *reference, const float *approximation, size_t rows,
                        size_t columns, ck_error_sums *sums);

/// Adds the sums of another part.
void ck_merge_errors(const ck_error_sums *part, ck_error_sums *sums);

/// The number of values below `lowest` or above `highest`.
uint64_t ck_count_outside(const float *values, size_t count, float lowest, float highest);

typedef struct {
  uint64_t nonfinite_count;
  uint64_t zero_count;
} ck_special_counts;

/// Counts NaN and infinities together, and zeros, among little-endian floats of 1, 2, 4 or 8 bytes:
/// an element that has all bits of `exponent` is NaN or infinite, one without any bit of
/// `magnitude` is zero.
ck_special_counts ck_count_specials(const uint8_t *elements, size_t count,
                                    size_t element_byte_count, uint64_t exponent,
                                    uint64_t magnitude);
ck_special_counts ck_count_specials_portable(const uint8_t *elements, size_t count,
                                             size_t element_byte_count, uint64_t exponent,
                                             uint64_t magnitude);
ck_special_counts ck_count_specials_avx2(const uint8_t *elements, size_t count,
                                         size_t element_byte_count, uint64_t exponent,
                                         uint64_t magnitude);
ck_special_counts ck_count_specials_avx512(const uint8_t *elements, size_t count,
                                           size_t element_byte_count, uint64_t exponent,
                                           uint64_t magnitude);
ck_special_counts ck_count_specials_neon(const uint8_t *elements, size_t count,
                                         size_t element_byte_count, uint64_t exponent,
                                         uint64_t magnitude);

/// The number of bytes that equal `value`.
uint64_t ck_count_bytes(const uint8_t *bytes, size_t count, uint8_t value);

#ifdef __cplusplus
}
#endif
