#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Products of each row of `left` with each row of `right`, both of `columns` Float32:
/// output[i · stride + j] = Σ left[i · left_stride + k] · right[j · columns + k].
///
/// It is fastest where the left rows are not a multiple of 4096 bytes apart: those would be in each
/// other's way in the first cache.
///
/// A sum is taken in sixteen Float32 lanes, term k in lane k mod 16 in order of k, and then over
/// the lanes: those that lie eight apart first, then four, two and one. So its bits depend on its
/// two rows alone.
void ck_multiply_rows(const float *left, size_t left_rows, size_t left_stride, const float *right,
                      size_t right_rows, size_t columns, float *output, size_t stride);
void ck_multiply_rows_portable(const float *left, size_t left_rows, size_t left_stride,
                               const float *right, size_t right_rows, size_t columns,
                               float *output, size_t stride);
#if defined(__x86_64__)
void ck_multiply_rows_avx2(const float *left, size_t left_rows, size_t left_stride,
                           const float *right, size_t right_rows, size_t columns,
                           float *output, size_t stride);
void ck_multiply_rows_avx512(const float *left, size_t left_rows, size_t left_stride,
                             const float *right, size_t right_rows, size_t columns,
                             float *output, size_t stride);
#elif defined(__aarch64__)
void ck_multiply_rows_neon(const float *left, size_t left_rows, size_t left_stride,
                           const float *right, size_t right_rows, size_t columns,
                           float *output, size_t stride);
#endif

#ifdef __cplusplus
}
#endif
