// The products of ck_product.h in vectors; see lanes.h. The file that includes it defines how many
// sums its registers hold at a time, of CK_PRODUCT_LEFT rows with CK_PRODUCT_RIGHT rows.
#include "lanes.h"

#define CK_UNROLL _Pragma("clang loop unroll(full)")

/// The products of at most CK_PRODUCT_LEFT rows with at most CK_PRODUCT_RIGHT.
CK_INLINE void multiply_few(const float *left, size_t left_rows, const float *right,
                            size_t right_rows, size_t columns, float *output, size_t stride) {
  ck_floats sums[CK_PRODUCT_LEFT][CK_PRODUCT_RIGHT] = {{{0}}};
  size_t k = 0;
  for (; k + CK_LANES <= columns; k += CK_LANES) {
    ck_floats b[CK_PRODUCT_RIGHT];
    CK_UNROLL for (size_t j = 0; j < right_rows; j++) b[j] = ck_load(right + j * columns + k);
    CK_UNROLL for (size_t i = 0; i < left_rows; i++) {
      ck_floats a = ck_load(left + i * columns + k);
      CK_UNROLL for (size_t j = 0; j < right_rows; j++) sums[i][j] += a * b[j];
    }
  }
  for (size_t i = 0; i < left_rows; i++) {
    for (size_t j = 0; j < right_rows; j++) {
      // Zeros add nothing.
      if (k < columns)
        sums[i][j] += ck_load_part(left + i * columns + k, columns - k) *
                      ck_load_part(right + j * columns + k, columns - k);
      output[i * stride + j] = ck_lane_sum(sums[i][j]);
    }
  }
}

void CK_TWIN(ck_multiply_rows)(const float *left, size_t left_rows, const float *right,
                               size_t right_rows, size_t columns, float *output, size_t stride) {
  for (size_t i = 0; i < left_rows;) {
    size_t rows = left_rows - i < CK_PRODUCT_LEFT ? 1 : CK_PRODUCT_LEFT;
    const float *a = left + i * columns;
    for (size_t j = 0; j < right_rows;) {
      size_t others = right_rows - j < CK_PRODUCT_RIGHT ? 1 : CK_PRODUCT_RIGHT;
      const float *b = right + j * columns;
      float *to = output + i * stride + j;
      // Constants, so that all sums stay in registers.
      if (rows > 1 && others > 1) {
        multiply_few(a, CK_PRODUCT_LEFT, b, CK_PRODUCT_RIGHT, columns, to, stride);
      } else if (rows > 1) {
        multiply_few(a, CK_PRODUCT_LEFT, b, 1, columns, to, stride);
      } else if (others > 1) {
        multiply_few(a, 1, b, CK_PRODUCT_RIGHT, columns, to, stride);
      } else {
        multiply_few(a, 1, b, 1, columns, to, stride);
      }
      j += others;
    }
    i += rows;
  }
}
