#include <math.h>
#include <string.h>

#include "sweep.h"

#pragma STDC FP_CONTRACT OFF

/// More than are taken together: rows of each side, and columns. Left rows lie up to MOST_PADDING
/// further apart.
enum { MOST_LEFT = 127, MOST_RIGHT = 67, MOST_COLUMNS = 2100, MOST_PADDING = 48 };
enum { PRODUCTS = MOST_LEFT * (MOST_RIGHT + 1) };

typedef struct {
  const float *left;
  const float *right;
  size_t left_rows;
  size_t left_stride;
  size_t right_rows;
  size_t columns;
} factors;

static void multiply(const void *arguments, uint8_t *output) {
  const factors *given = arguments;
  // One column more than are written.
  float products[PRODUCTS] = {0};
  ck_multiply_rows(given->left, given->left_rows, given->left_stride, given->right,
                   given->right_rows, given->columns, products, given->right_rows + 1);
  memcpy(output, products, sizeof products);
}

/// Compares with sums in Float64. A sum of n products in sixteen lanes is off by at most
/// (n / 16 + 6) · 2^-24 of the sum of their magnitudes.
static int is_near(const factors *given) {
  float products[PRODUCTS] = {0};
  multiply(given, (uint8_t *)products);
  for (size_t i = 0; i < given->left_rows; i++) {
    for (size_t j = 0; j < given->right_rows; j++) {
      double sum = 0, magnitudes = 0;
      for (size_t k = 0; k < given->columns; k++) {
        double product =
            (double)given->left[i * given->left_stride + k] * given->right[j * given->columns + k];
        sum += product;
        magnitudes += fabs(product);
      }
      double limit = ((double)given->columns / 16 + 7) * 0x1p-24 * magnitudes + 0x1p-140;
      if (!(fabs(products[i * (given->right_rows + 1) + j] - sum) <= limit)) return 0;
    }
  }
  return 1;
}

static void sweep_shape(size_t left_rows, size_t padding, size_t right_rows, size_t columns) {
  static float left[MOST_LEFT * (MOST_COLUMNS + MOST_PADDING)], right[MOST_RIGHT * MOST_COLUMNS];
  factors given = {.left_rows = left_rows,
                   .left_stride = columns + padding,
                   .right_rows = right_rows,
                   .columns = columns};
  // Nothing lies behind the last row.
  size_t left_count = left_rows == 0 ? 0 : (left_rows - 1) * given.left_stride + columns;
  size_t right_count = right_rows * columns;
  for (size_t i = 0; i < left_count; i++) left[i] = (float)(int32_t)sweep_random() * 0x1p-31f;
  for (size_t i = 0; i < right_count; i++) right[i] = (float)(int32_t)sweep_random() * 0x1p-38f;
  given.left = sweep_input(0, left, left_count * sizeof(float));
  given.right = sweep_input(1, right, right_count * sizeof(float));
  sweep_compare("ck_multiply_rows", multiply, &given, sizeof(float) * PRODUCTS);
  sweep_expect("ck_multiply_rows", is_near(&given));
}

void sweep_products(void) {
  for (size_t l = 0; l < sweep_length_count; l++)
    for (size_t rows = 0; rows <= 13; rows++)
      sweep_shape(rows, rows % 3, 9 - rows % 7, sweep_lengths[l]);
  // Rows of more than one block; and with 64 or 127 of them columns of more than one stretch.
  const size_t columns[] = {0, 5, 16, 512, 1029, 2047, 2048, 2064, MOST_COLUMNS};
  const size_t lefts[] = {5, 64, 65, MOST_LEFT}, rights[] = {1, 17, 65, MOST_RIGHT};
  for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
    for (size_t l = 0; l < sizeof lefts / sizeof *lefts; l++)
      for (size_t r = 0; r < sizeof rights / sizeof *rights; r++)
        sweep_shape(lefts[l], (l + r) % 2 * MOST_PADDING, rights[r], columns[c]);
}
