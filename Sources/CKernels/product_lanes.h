// The products of ck_product.h in vectors; see lanes.h. The file that includes it defines how many
// sums its registers hold at a time, of CK_PRODUCT_LEFT rows with CK_PRODUCT_RIGHT rows, at most 4
// and 4.
//
// A block of rows on the left meets a block of rows on the right, a stretch of columns at a time, so
// that what is used again and again stays in the second cache, and a panel of the right rows in the
// first. Meanwhile the sixteen sums of each product wait in memory.
#include "lanes.h"

#define CK_UNROLL _Pragma("clang loop unroll(full)")
#define CK_LEAST(a, b) ((a) < (b) ? (a) : (b))

enum { BLOCK_LEFT = 64, BLOCK_RIGHT = 64, PANEL_RIGHT = 16, STRETCH = 512 };

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

/// Asks for a stretch of a row that will be needed soon.
CK_INLINE void prefetch(const float *row, size_t columns) {
  for (size_t k = 0; k < columns; k += CK_LANES) __builtin_prefetch(row + k, 0, 2);
}

/// Adds the products of a few rows, a constant count, with all of a panel.
/// - Parameter ahead: how many columns further on the same rows are wanted next; 0 if they are not.
CK_INLINE void multiply_with_panel(ck_rows left, ck_rows right, size_t columns, size_t ahead,
                                   ck_floats *totals) {
  for (size_t j = 0, row = 0; j < right.count; row++) {
    // One row each time, as the first cache takes only so many requests at once.
    if (ahead > 0 && row < left.count) prefetch(left.first + row * left.stride + ahead, columns);
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

/// Adds the products of all rows of a block with those of a panel.
/// - Parameter next: the panel that is wanted after this one; no rows if there is none.
CK_INLINE void multiply_panel(ck_rows left, ck_rows right, ck_rows next, size_t columns,
                              size_t ahead, ck_floats *totals) {
  for (size_t i = 0, row = 0; i < left.count; row++) {
    if (row < next.count) prefetch(next.first + row * next.stride, columns);
    size_t count = fair_part(left.count - i, CK_PRODUCT_LEFT);
    ck_rows few = some_rows(left, i, count);
    ck_floats *to = totals + i * PANEL_RIGHT;
    switch (few.count) {
    case 1: few.count = 1, multiply_with_panel(few, right, columns, ahead, to); break;
    case 2: few.count = 2, multiply_with_panel(few, right, columns, ahead, to); break;
    case 3:
      few.count = CK_LEAST(3, CK_PRODUCT_LEFT);
      multiply_with_panel(few, right, columns, ahead, to);
      break;
    case 4:
      few.count = CK_LEAST(4, CK_PRODUCT_LEFT);
      multiply_with_panel(few, right, columns, ahead, to);
      break;
    }
    i += count;
  }
}

/// Rows whose distance is a multiple of 4096 bytes would push each other out of the first cache:
/// where they are used often enough, they are copied next to each other.
static inline ck_rows packed_rows(ck_rows rows, size_t columns, size_t uses, float *copy) {
  if (uses <= BLOCK_LEFT / 2) return rows;
  for (size_t j = 0; j < rows.count; j++)
    memcpy(copy + j * STRETCH, rows.first + j * rows.stride, columns * sizeof(float));
  return (ck_rows){copy, rows.count, STRETCH};
}

/// At most PANEL_RIGHT rows from one on, and their columns from one on.
static inline ck_rows panel(ck_rows rows, size_t start, size_t column) {
  ck_rows some = some_rows(rows, start, CK_LEAST(rows.count - start, PANEL_RIGHT));
  some.first += column;
  return some;
}

/// - Parameter is_streamed: whether the left rows are more than the second cache holds.
static void multiply_blocks(ck_rows left, ck_rows right, size_t columns, int is_streamed,
                            float *output, size_t stride) {
  // Those of a panel lie together: rows at a distance of 4096 bytes would be in each other's way.
  ck_floats totals[BLOCK_RIGHT / PANEL_RIGHT][BLOCK_LEFT * PANEL_RIGHT];
  float copy[PANEL_RIGHT * STRETCH];
  for (size_t j = 0; j < right.count; j += PANEL_RIGHT)
    memset(totals[j / PANEL_RIGHT], 0, left.count * PANEL_RIGHT * sizeof totals[0][0]);
  size_t whole = columns - columns % CK_LANES, rest = columns - whole;
  for (size_t k = 0; k < whole; k += STRETCH) {
    size_t count = CK_LEAST(whole - k, STRETCH);
    ck_rows a = {left.first + k, left.count, left.stride};
    for (size_t j = 0; j < right.count; j += PANEL_RIGHT) {
      ck_rows b = panel(right, j, k), next = {0};
      size_t ahead = 0;
      if (is_streamed && j + PANEL_RIGHT < right.count) {
        next = panel(right, j + PANEL_RIGHT, k);
      } else if (is_streamed && whole - k >= 2 * STRETCH) {
        next = panel(right, 0, k + STRETCH);
        ahead = STRETCH;
      }
      b = packed_rows(b, count, left.count, copy);
      multiply_panel(a, b, next, count, ahead, totals[j / PANEL_RIGHT]);
    }
  }
  for (size_t i = 0; i < left.count; i++) {
    for (size_t j = 0; j < right.count; j++) {
      ck_floats sums = totals[j / PANEL_RIGHT][i * PANEL_RIGHT + j % PANEL_RIGHT];
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
  for (size_t j = 0; j < right_rows; j += BLOCK_RIGHT) {
    ck_rows b = some_rows(all_right, j, CK_LEAST(right_rows - j, BLOCK_RIGHT));
    for (size_t i = 0; i < left_rows; i += BLOCK_LEFT) {
      ck_rows a = some_rows(all_left, i, CK_LEAST(left_rows - i, BLOCK_LEFT));
      multiply_blocks(a, b, columns, left_rows > BLOCK_LEFT, output + i * stride + j, stride);
    }
  }
}
