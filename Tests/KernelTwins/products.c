#include <math.h>
#include <string.h>

#include "sweep.h"

#pragma STDC FP_CONTRACT OFF

enum { MOST_ROWS = 9 };

typedef struct {
  const float *left;
  const float *right;
  size_t left_rows;
  size_t right_rows;
  size_t columns;
} factors;

static void multiply(const void *arguments, uint8_t *output) {
  const factors *given = arguments;
  // One column more than are written.
  float products[MOST_ROWS * (MOST_ROWS + 1)] = {0};
  ck_multiply_rows(given->left, given->left_rows, given->right, given->right_rows, given->columns,
                   products, given->right_rows + 1);
  memcpy(output, products, sizeof products);
}

/// Compares with sums in Float64. A sum of n products in sixteen lanes is off by at most
/// (n / 16 + 6) · 2^-24 of the sum of their magnitudes.
static int is_near(const factors *given) {
  float products[MOST_ROWS * (MOST_ROWS + 1)] = {0};
  multiply(given, (uint8_t *)products);
  for (size_t i = 0; i < given->left_rows; i++) {
    for (size_t j = 0; j < given->right_rows; j++) {
      double sum = 0, magnitudes = 0;
      for (size_t k = 0; k < given->columns; k++) {
        double product =
            (double)given->left[i * given->columns + k] * given->right[j * given->columns + k];
        sum += product;
        magnitudes += fabs(product);
      }
      double limit = ((double)given->columns / 16 + 7) * 0x1p-24 * magnitudes + 0x1p-140;
      if (!(fabs(products[i * (given->right_rows + 1) + j] - sum) <= limit)) return 0;
    }
  }
  return 1;
}

void sweep_products(void) {
  static float left[MOST_ROWS * SWEEP_LONGEST], right[MOST_ROWS * SWEEP_LONGEST];
  for (size_t l = 0; l < sweep_length_count; l++) {
    for (size_t rows = 0; rows <= MOST_ROWS; rows++) {
      factors given = {.left_rows = rows, .right_rows = MOST_ROWS - rows % 7,
                       .columns = sweep_lengths[l]};
      size_t left_count = given.left_rows * given.columns;
      size_t right_count = given.right_rows * given.columns;
      for (size_t i = 0; i < left_count; i++) left[i] = (float)(int32_t)sweep_random() * 0x1p-31f;
      for (size_t i = 0; i < right_count; i++) right[i] = (float)(int32_t)sweep_random() * 0x1p-38f;
      given.left = sweep_input(0, left, left_count * sizeof(float));
      given.right = sweep_input(1, right, right_count * sizeof(float));
      sweep_compare("ck_multiply_rows", multiply, &given,
                    sizeof(float) * MOST_ROWS * (MOST_ROWS + 1));
      sweep_expect("ck_multiply_rows", is_near(&given));
    }
  }
}
