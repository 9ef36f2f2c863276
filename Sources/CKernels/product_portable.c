#include "ck_product.h"

#pragma STDC FP_CONTRACT OFF

enum { LANES = 16 };

void ck_multiply_rows_portable(const float *left, size_t left_rows, size_t left_stride,
                               const float *right, size_t right_rows, size_t columns,
                               float *output, size_t stride) {
  for (size_t i = 0; i < left_rows; i++) {
    const float *a = left + i * left_stride;
    for (size_t j = 0; j < right_rows; j++) {
      const float *b = right + j * columns;
      float sums[LANES] = {0};
      size_t k = 0;
      for (; k + LANES <= columns; k += LANES)
        for (size_t lane = 0; lane < LANES; lane++) sums[lane] += a[k + lane] * b[k + lane];
      for (size_t lane = 0; k + lane < columns; lane++) sums[lane] += a[k + lane] * b[k + lane];
      for (size_t width = LANES / 2; width >= 1; width /= 2)
        for (size_t lane = 0; lane < width; lane++) sums[lane] += sums[lane + width];
      output[i * stride + j] = sums[0];
    }
  }
}
