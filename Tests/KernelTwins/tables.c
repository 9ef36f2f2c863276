#include <string.h>

#include "sweep.h"

enum { ROWS = SWEEP_KINDS };

typedef struct {
  ck_lut lut;
  ck_search search;
  const float *importance;
  const float *values;
  size_t rows;
} tile;

/// The first weights of each row are the sample.
static void learn(const void *arguments, uint8_t *output) {
  const tile *given = arguments;
  size_t columns = given->lut.columns;
  size_t width = columns < CK_LUT_SUPER_COLUMNS ? columns : CK_LUT_SUPER_COLUMNS;
  float sample[ROWS * CK_LUT_SUPER_COLUMNS], importance[ROWS * CK_LUT_SUPER_COLUMNS];
  for (size_t row = 0; row < given->rows; row++) {
    memcpy(sample + row * width, given->values + row * columns, 4 * width);
    if (given->importance) memcpy(importance + row * width, given->importance, 4 * width);
  }
  ck_lut lut = given->lut;
  ck_lut_learn(&lut, sample, given->rows, width, given->importance ? importance : NULL);
  memcpy(output, &lut.global_scale, sizeof lut.global_scale);
  memcpy(output + sizeof lut.global_scale, lut.levels, sizeof lut.levels);
}

static void quantize(const void *arguments, uint8_t *output) {
  const tile *given = arguments;
  uint8_t *scales = output + given->rows * ck_lut_code_bytes(&given->lut);
  ck_lut_quantize(&given->lut, given->search, given->importance, given->values, given->rows,
                  output, scales);
}

typedef struct {
  ck_lut lut;
  const uint8_t *codes;
  const uint8_t *scales;
  const float *values;
  size_t rows;
} codes;

static void dequantize(const void *arguments, uint8_t *output) {
  const codes *given = arguments;
  float *values = (float *)(void *)output;
  size_t count = given->rows * given->lut.columns;
  ck_lut_dequantize(&given->lut, given->codes, given->scales, given->rows, values);
  // 0 × ∞
  sweep_unify_nans(values, count);
  uint64_t outside = ck_lut_count_outside(&given->lut, given->scales, given->values, given->rows);
  memcpy(values + count, &outside, sizeof outside);
}

static void sweep_tile(ck_lut lut, const float *values, size_t rows, const float *importance) {
  size_t count = rows * lut.columns;
  tile given = {.lut = lut, .values = sweep_input(0, values, 4 * count), .rows = rows};
  if (importance) given.importance = sweep_input(1, importance, 4 * lut.columns);
  sweep_compare("ck_lut_learn", learn, &given, sizeof(float) + sizeof lut.levels);
  ck_select_isa(CK_ISA_PORTABLE);
  uint8_t learned[sizeof(float) + sizeof lut.levels];
  learn(&given, learned);
  memcpy(&given.lut.global_scale, learned, sizeof(float));
  memcpy(given.lut.levels, learned + sizeof(float), sizeof lut.levels);
  size_t code_bytes = rows * ck_lut_code_bytes(&lut), scale_bytes = rows * ck_lut_scale_bytes(&lut);
  static uint8_t planes[1 << 16];
  for (given.search = CK_SEARCH_ABSMAX; given.search <= CK_SEARCH_FULL; given.search++)
    sweep_compare("ck_lut_quantize", quantize, &given, code_bytes + scale_bytes);
  given.search = CK_SEARCH_FULL;
  quantize(&given, planes);
  codes made = {.lut = given.lut, .values = given.values, .rows = rows};
  for (int is_random = 0; is_random < 2; is_random++) {
    if (is_random) sweep_fill(planes, code_bytes + scale_bytes);
    made.codes = sweep_input(2, planes, code_bytes);
    made.scales = sweep_input(3, planes + code_bytes, scale_bytes);
    sweep_compare("ck_lut_dequantize", dequantize, &made, 4 * count + 8);
  }
}

void sweep_tables(void) {
  static const struct {
    int level_count, table_count;
    size_t group_columns;
  } formats[] = {{16, 1, 32}, {16, 2, 32}, {16, 1, 16},
                 {16, 2, 16}, {8, 1, 16},  {8, 2, 16}};
  static float values[ROWS * SWEEP_LONGEST], importance[SWEEP_LONGEST];
  for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
    for (size_t i = 0; i < sweep_length_count; i++) {
      size_t columns = sweep_lengths[i];
      if (columns == 0) continue;
      ck_lut lut = {.level_count = formats[f].level_count,
                    .table_count = formats[f].table_count,
                    .group_columns = formats[f].group_columns,
                    .columns = columns};
      sweep_row(11, columns, importance);
      // Single columns, and whole groups, that do not count.
      for (size_t column = 3; column < columns; column += 7) importance[column] = 0;
      for (size_t column = 32; column < columns && column < 64; column++) importance[column] = 0;
      for (int kind = 0; kind < SWEEP_KINDS; kind++)
        sweep_row(kind, columns, values + (size_t)kind * columns);
      // Row by row, and together.
      for (size_t row = 0; row < SWEEP_KINDS; row++)
        sweep_tile(lut, values + row * columns, 1, (row + i) % 2 ? importance : NULL);
      sweep_tile(lut, values, SWEEP_KINDS, i % 2 ? importance : NULL);
    }
  }
}
