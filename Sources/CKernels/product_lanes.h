// The products of ck_product.h in vectors; see lanes.h. The file that includes it defines how many
// sums its registers hold at a time, of CK_PRODUCT_LEFT rows with CK_PRODUCT_RIGHT rows, at most 4
// and 4.
//
// Rows are taken in panels, and panels a stretch of columns at a time, so that what is used again
// and again stays in the first cache. Meanwhile the sixteen sums of each product wait in memory.
#include "lanes.h"

#define CK_UNROLL _Pragma("clang loop unroll(full)")
#define CK_LEAST(a, b) ((a) < (b) ? (a) : (b))

enum { PANEL_LEFT = 64, PANEL_RIGHT = 16, PANEL_COLUMNS = 512 };

/// Some rows, and the distance from one to the next.
typedef struct {
  const float *first;
  size_t count;
  size_t stride;
} ck_rows;

static inline ck_rows some_rows(ck_rows rows, size_t start, size_t count) {
  return (ck_rows){rows.first + start * rows.stride, count, rows.stride};
}

/// How many of `count` to take next, so that the last ones are not much fewer than `most`.
static inline size_t fair_part(size_t count, size_t most) {
  return count <= most ? count : count < 2 * most ? (count + 1) / 2 : most;
}

/// Adds the products of a few rows with a few; the counts are constants.
CK_INLINE void multiply_few(ck_rows left, ck_rows right, size_t columns, ck_floats *totals) {
  ck_floats sums[CK_PRODUCT_LEFT][CK_PRODUCT_RIGHT];
  CK_UNROLL for (size_t i = 0; i < left.count; i++)
    CK_UNROLL for (size_t j = 0; j < right.count; j++) sums[i][j] = totals[i * PANEL_RIGHT + j];
  for (size_t k = 0; k < columns; k += CK_LANES) {
    ck_floats b[CK_PRODUCT_RIGHT];
    CK_UNROLL for (size_t j = 0; j < right.count; j++)
      b[j] = ck_load(right.first + j * right.stride + k);
    CK_UNROLL for (size_t i = 0; i < left.count; i++) {
      ck_floats a = ck_load(left.first + i * left.stride + k);
      CK_UNROLL for (size_t j = 0; j < right.count; j++) sums[i][j] += a * b[j];
    }
  }
  CK_UNROLL for (size_t i = 0; i < left.count; i++)
    CK_UNROLL for (size_t j = 0; j < right.count; j++) totals[i * PANEL_RIGHT + j] = sums[i][j];
}

/// Adds the products of a few rows, a constant count, with all of a panel.
CK_INLINE void multiply_with_panel(ck_rows left, ck_rows right, size_t columns, ck_floats *totals) {
  for (size_t j = 0; j < right.count;) {
    size_t count = fair_part(right.count - j, CK_PRODUCT_RIGHT);
    ck_rows few = some_rows(right, j, count);
    // Constants, so that all sums stay in registers.
    switch (few.count) {
    case 1: few.count = 1, multiply_few(left, few, columns, totals + j); break;
    case 2: few.count = 2, multiply_few(left, few, columns, totals + j); break;
    case 3:
      few.count = CK_LEAST(3, CK_PRODUCT_RIGHT), multiply_few(left, few, columns, totals + j);
      break;
    case 4:
      few.count = CK_LEAST(4, CK_PRODUCT_RIGHT), multiply_few(left, few, columns, totals + j);
      break;
    }
    j += count;
  }
}

/// Adds the products of all rows of two panels.
CK_INLINE void multiply_panels(ck_rows left, ck_rows right, size_t columns, ck_floats *totals) {
  for (size_t i = 0; i < left.count;) {
    size_t count = fair_part(left.count - i, CK_PRODUCT_LEFT);
    ck_rows few = some_rows(left, i, count);
    ck_floats *to = totals + i * PANEL_RIGHT;
    switch (few.count) {
    case 1: few.count = 1, multiply_with_panel(few, right, columns, to); break;
    case 2: few.count = 2, multiply_with_panel(few, right, columns, to); break;
    case 3:
      few.count = CK_LEAST(3, CK_PRODUCT_LEFT), multiply_with_panel(few, right, columns, to);
      break;
    case 4:
      few.count = CK_LEAST(4, CK_PRODUCT_LEFT), multiply_with_panel(few, right, columns, to);
      break;
    }
    i += count;
  }
}

/// Rows whose distance is a multiple of 4096 bytes would push each other out of the first cache:
/// where they are used often enough, they are copied next to each other.
static inline ck_rows packed_rows(ck_rows rows, size_t columns, size_t uses, float *copy) {
  if (uses <= CK_PRODUCT_LEFT) return rows;
  for (size_t j = 0; j < rows.count; j++)
    memcpy(copy + j * PANEL_COLUMNS, rows.first + j * rows.stride, columns * sizeof(float));
  return (ck_rows){copy, rows.count, PANEL_COLUMNS};
}

static void multiply_whole_panels(ck_rows left, ck_rows right, size_t columns, float *output,
                                  size_t stride) {
  ck_floats totals[PANEL_LEFT * PANEL_RIGHT];
  float copy[PANEL_RIGHT * PANEL_COLUMNS];
  memset(totals, 0, left.count * PANEL_RIGHT * sizeof totals[0]);
  size_t whole = columns - columns % CK_LANES, rest = columns - whole;
  for (size_t k = 0; k < whole; k += PANEL_COLUMNS) {
    size_t count = CK_LEAST(whole - k, PANEL_COLUMNS);
    ck_rows a = {left.first + k, left.count, left.stride};
    ck_rows b = {right.first + k, right.count, right.stride};
    multiply_panels(a, packed_rows(b, count, left.count, copy), count, totals);
  }
  for (size_t i = 0; i < left.count; i++) {
    for (size_t j = 0; j < right.count; j++) {
      ck_floats sums = totals[i * PANEL_RIGHT + j];
      // Zeros add nothing.
      if (rest > 0)
        sums += ck_load_part(left.first + i * left.stride + whole, rest) *
                ck_load_part(right.first + j * right.stride + whole, rest);
      output[i * stride + j] = ck_lane_sum(sums);
    }
  }
}

void CK_TWIN(ck_multiply_rows)(const float *left, size_t left_rows, const float *right,
                               size_t right_rows, size_t columns, float *output, size_t stride) {
  ck_rows all_left = {left, left_rows, columns}, all_right = {right, right_rows, columns};
  for (size_t j = 0; j < right_rows; j += PANEL_RIGHT) {
    ck_rows b = some_rows(all_right, j, CK_LEAST(right_rows - j, PANEL_RIGHT));
    for (size_t i = 0; i < left_rows; i += PANEL_LEFT) {
      ck_rows a = some_rows(all_left, i, CK_LEAST(left_rows - i, PANEL_LEFT));
      multiply_whole_panels(a, b, columns, output + i * stride + j, stride);
    }
  }
}
