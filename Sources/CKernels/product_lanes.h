// The products of ck_product.h in vectors; see lanes.h. The file that includes it defines how many
// sums its registers hold at a time, of CK_PRODUCT_LEFT rows with CK_PRODUCT_RIGHT rows, at most 6
// and 4, and how many elements of left rows its second cache holds beside all else,
// CK_PRODUCT_BLOCK.
//
// A block of rows on the left stays in the second cache, a stretch of its columns at a time, while
// the rows of a block on the right pass by, a few at a time. Stretches are as long as that allows,
// as processors read ahead best along long rows. Between two stretches the sixteen sums of each
// product wait in memory.
#include "lanes.h"

#define CK_UNROLL _Pragma("clang loop unroll(full)")
#define CK_LEAST(a, b) ((a) < (b) ? (a) : (b))

enum { BLOCK_LEFT = 64, BLOCK_RIGHT = 64 };
_Static_assert(BLOCK_RIGHT % CK_PRODUCT_RIGHT == 0, "a few rows lie in one block");

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

/// Adds the products of a few rows with a few, whose counts are constants, so that all sums stay in
/// registers.
CK_INLINE void multiply_few(ck_rows left, ck_rows right, size_t columns, ck_floats *totals) {
  ck_floats sums[CK_PRODUCT_LEFT][CK_PRODUCT_RIGHT];
  CK_UNROLL for (size_t i = 0; i < left.count; i++)
    CK_UNROLL for (size_t j = 0; j < right.count; j++)
      sums[i][j] = totals[i * CK_PRODUCT_RIGHT + j];
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
    CK_UNROLL for (size_t j = 0; j < right.count; j++)
      totals[i * CK_PRODUCT_RIGHT + j] = sums[i][j];
}

/// One case of a switch over the count of `rows`, at most `most`; in `statement` it is a constant.
#define CK_WITH_COUNT(n, most, rows, statement) \
  case n: \
    if (n > most) break; \
    rows.count = n; \
    statement; \
    break

/// - Parameter left: rows whose count is a constant.
CK_INLINE void multiply_with_few(ck_rows left, ck_rows right, size_t columns, ck_floats *totals) {
  switch (right.count) {
    CK_WITH_COUNT(1, CK_PRODUCT_RIGHT, right, multiply_few(left, right, columns, totals));
    CK_WITH_COUNT(2, CK_PRODUCT_RIGHT, right, multiply_few(left, right, columns, totals));
    CK_WITH_COUNT(3, CK_PRODUCT_RIGHT, right, multiply_few(left, right, columns, totals));
    CK_WITH_COUNT(4, CK_PRODUCT_RIGHT, right, multiply_few(left, right, columns, totals));
  }
}

/// Adds the products of all rows of a block with at most CK_PRODUCT_RIGHT rows.
CK_INLINE void multiply_block(ck_rows left, ck_rows right, size_t columns, ck_floats *totals) {
  for (size_t i = 0; i < left.count;) {
    ck_rows few = some_rows(left, i, fair_part(left.count - i, CK_PRODUCT_LEFT));
    ck_floats *to = totals + i * CK_PRODUCT_RIGHT;
    i += few.count;
    switch (few.count) {
      CK_WITH_COUNT(1, CK_PRODUCT_LEFT, few, multiply_with_few(few, right, columns, to));
      CK_WITH_COUNT(2, CK_PRODUCT_LEFT, few, multiply_with_few(few, right, columns, to));
      CK_WITH_COUNT(3, CK_PRODUCT_LEFT, few, multiply_with_few(few, right, columns, to));
      CK_WITH_COUNT(4, CK_PRODUCT_LEFT, few, multiply_with_few(few, right, columns, to));
      CK_WITH_COUNT(5, CK_PRODUCT_LEFT, few, multiply_with_few(few, right, columns, to));
      CK_WITH_COUNT(6, CK_PRODUCT_LEFT, few, multiply_with_few(few, right, columns, to));
    }
  }
}

static void multiply_blocks(ck_rows left, ck_rows right, size_t columns, float *output,
                            size_t stride) {
  // The totals of a few right rows with all left ones lie together: at a distance of 4096 bytes
  // they would be in each other's way.
  ck_floats totals[BLOCK_RIGHT / CK_PRODUCT_RIGHT][BLOCK_LEFT * CK_PRODUCT_RIGHT];
  for (size_t j = 0; j < right.count; j += CK_PRODUCT_RIGHT)
    memset(totals[j / CK_PRODUCT_RIGHT], 0, left.count * sizeof **totals * CK_PRODUCT_RIGHT);
  size_t whole = columns - columns % CK_LANES, rest = columns - whole;
  size_t stretch = CK_PRODUCT_BLOCK / left.count / CK_LANES * CK_LANES;
  for (size_t k = 0; k < whole; k += stretch) {
    ck_rows a = {left.first + k, left.count, left.stride};
    for (size_t j = 0; j < right.count; j += CK_PRODUCT_RIGHT) {
      ck_rows few = some_rows(right, j, CK_LEAST(right.count - j, CK_PRODUCT_RIGHT));
      few.first += k;
      multiply_block(a, few, CK_LEAST(whole - k, stretch), totals[j / CK_PRODUCT_RIGHT]);
    }
  }
  for (size_t i = 0; i < left.count; i++) {
    for (size_t j = 0; j < right.count; j++) {
      ck_floats sums = totals[j / CK_PRODUCT_RIGHT][i * CK_PRODUCT_RIGHT + j % CK_PRODUCT_RIGHT];
      // Zeros add nothing.
      if (rest > 0)
        sums += ck_load_part(left.first + i * left.stride + whole, rest) *
                ck_load_part(right.first + j * right.stride + whole, rest);
      output[i * stride + j] = ck_lane_sum(sums);
    }
  }
}

void CK_TWIN(ck_multiply_rows)(const float *left, size_t left_rows, size_t left_stride,
                               const float *right, size_t right_rows, size_t columns,
                               float *output, size_t stride) {
  ck_rows all_left = {left, left_rows, left_stride}, all_right = {right, right_rows, columns};
  for (size_t j = 0; j < right_rows; j += BLOCK_RIGHT) {
    ck_rows b = some_rows(all_right, j, CK_LEAST(right_rows - j, BLOCK_RIGHT));
    for (size_t i = 0; i < left_rows;) {
      ck_rows a = some_rows(all_left, i, fair_part(left_rows - i, BLOCK_LEFT));
      multiply_blocks(a, b, columns, output + i * stride + j, stride);
      i += a.count;
    }
  }
}
