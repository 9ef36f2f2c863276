#include <math.h>
#include <string.h>

#include "sweep.h"

typedef struct {
  ck_code code;
  const uint8_t *codes;
  size_t columns;
  size_t group_columns;
  const float *scales;
  const uint8_t *zero_points;
} row;

static void dequantize(const void *arguments, uint8_t *output) {
  const row *given = arguments;
  float *values = (float *)(void *)output;
  ck_dequantize_row(given->code, given->codes, given->columns, given->group_columns, given->scales,
                    given->zero_points, values);
  // 0 × ∞
  sweep_unify_nans(values, given->columns);
}

typedef struct {
  ck_dequantizer format;
  const uint8_t *codes;
  const float *scales;
  const uint8_t *zero_points;
  size_t rows;
} tile;

static void dequantize_tile(const void *arguments, uint8_t *output) {
  const tile *given = arguments;
  float *values = (float *)(void *)output;
  ck_dequantize(&given->format, given->codes, given->scales, given->zero_points, given->rows,
                values);
  sweep_unify_nans(values, given->rows * given->format.columns);
}

static const float specials[] = {0.02f,   -0.5f,    0.0f, -0.0f,    0x1p-140f, 0x1p-126f,
                                 3e38f,   INFINITY, NAN,  -INFINITY, 1.7f,     0x1p-127f,
                                 0x1p-149f, -0.1f};

/// Tiles of several rows; the portable tile is also compared with its rows, decoded one by one.
static void sweep_tiles(const char *name, ck_code code, size_t bits) {
  static const struct {
    size_t rows, columns, block_rows, block_columns;
  } shapes[] = {{5, 64, 1, 32},   {5, 64, 1, 16},  {4, 96, 1, 32},   {3, 70, 1, 32},
                {3, 33, 1, 11},   {3, 34, 1, 17},  {7, 48, 2, 16},   {6, 130, 3, 128},
                {4, 17, 9, 5},    {1, 48, 1, 16},  {2, 1029, 2, 64}, {5, 40, 1, 100},
                {3, 15, 1, 5},    {9, 1, 1, 1},    {4, 256, 4, 256}};
  static uint8_t codes[1 << 13], zero_points[1 << 12];
  static float scales[1 << 12], rows[1 << 13], whole[1 << 13];
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    size_t columns = shapes[s].columns, code_bytes = (columns * bits + 7) / 8;
    size_t groups = (columns + shapes[s].block_columns - 1) / shapes[s].block_columns;
    size_t scale_rows = (shapes[s].rows + shapes[s].block_rows - 1) / shapes[s].block_rows;
    size_t zero_point_bytes = (groups + 1) / 2;
    sweep_fill(codes, shapes[s].rows * code_bytes);
    sweep_fill(zero_points, scale_rows * zero_point_bytes);
    for (size_t i = 0; i < scale_rows * groups; i++)
      scales[i] = specials[sweep_random() % (sizeof specials / sizeof *specials)];
    tile given = {.format = {.code = code,
                             .columns = columns,
                             .block_rows = shapes[s].block_rows,
                             .block_columns = shapes[s].block_columns},
                  .codes = sweep_input(0, codes, shapes[s].rows * code_bytes),
                  .scales = sweep_input(1, scales, 4 * scale_rows * groups),
                  .zero_points = code == CK_CODE_UINT4
                                     ? sweep_input(2, zero_points, scale_rows * zero_point_bytes)
                                     : NULL,
                  .rows = shapes[s].rows};
    size_t byte_count = 4 * shapes[s].rows * columns;
    sweep_compare(name, dequantize_tile, &given, byte_count);
    ck_select_isa(CK_ISA_PORTABLE);
    dequantize_tile(&given, (uint8_t *)whole);
    for (size_t r = 0; r < given.rows; r++) {
      size_t block = r / shapes[s].block_rows;
      ck_dequantize_row(code, codes + r * code_bytes, columns, shapes[s].block_columns,
                        scales + block * groups, zero_points + block * zero_point_bytes,
                        rows + r * columns);
    }
    sweep_unify_nans(rows, given.rows * columns);
    sweep_expect(name, memcmp(rows, whole, byte_count) == 0);
  }
}

typedef struct {
  ck_lut lut;
  const uint8_t *codes;
  const uint8_t *scales;
  size_t rows;
} table_tile;

static void dequantize_from_tables(const void *arguments, uint8_t *output) {
  const table_tile *given = arguments;
  float *values = (float *)(void *)output;
  ck_lut_dequantize(&given->lut, given->codes, given->scales, given->rows, values);
  sweep_unify_nans(values, given->rows * given->lut.columns);
}

/// All formats that a file may have, also those that nothing quantizes to; random bytes.
static void sweep_table_tiles(void) {
  static const size_t widths[] = {1, 31, 33, 96, 255, 256, 257, 300, 512, 640, 1000};
  static uint8_t codes[1 << 12], scales[1 << 12];
  for (int format = 0; format < 8; format++) {
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
      table_tile given = {.lut = {.level_count = format & 1 ? 8 : 16,
                                  .table_count = format & 2 ? 2 : 1,
                                  .group_columns = format & 4 ? 32 : 16,
                                  .columns = widths[w],
                                  .global_scale = w % 2 ? 0x1p-20f : -3.7e30f},
                          .rows = 3};
      sweep_fill(given.lut.levels, sizeof given.lut.levels);
      size_t code_bytes = given.rows * ck_lut_code_bytes(&given.lut);
      size_t scale_bytes = given.rows * ck_lut_scale_bytes(&given.lut);
      sweep_fill(codes, code_bytes);
      sweep_fill(scales, scale_bytes);
      given.codes = sweep_input(0, codes, code_bytes);
      given.scales = sweep_input(1, scales, scale_bytes);
      sweep_compare("ck_lut_dequantize random", dequantize_from_tables, &given,
                    4 * given.rows * given.lut.columns);
    }
  }
}

void sweep_dequantizers(void) {
  static const struct {
    const char *name, *tile_name;
    ck_code code;
    size_t bits;
  } kinds[] = {{"ck_dequantize_row e4m3", "ck_dequantize e4m3", CK_CODE_E4M3, 8},
               {"ck_dequantize_row e2m1", "ck_dequantize e2m1", CK_CODE_E2M1, 4},
               {"ck_dequantize_row int8", "ck_dequantize int8", CK_CODE_INT8, 8},
               {"ck_dequantize_row int4", "ck_dequantize int4", CK_CODE_INT4, 4},
               {"ck_dequantize_row uint4", "ck_dequantize uint4", CK_CODE_UINT4, 4}};
  static const size_t group_sizes[] = {1,  2,  3,  7,  8,  15, 16,  17,  24,
                                       31, 32, 33, 48, 64, 80, 128, 130, 1029};
  static uint8_t codes[SWEEP_LONGEST], zero_points[SWEEP_LONGEST];
  static float scales[SWEEP_LONGEST];
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    sweep_tiles(kinds[k].tile_name, kinds[k].code, kinds[k].bits);
    for (size_t i = 0; i < sweep_length_count; i++) {
      for (size_t g = 0; g < sizeof group_sizes / sizeof *group_sizes; g++) {
        for (int is_hostile = 0; is_hostile < 2; is_hostile++) {
          row given = {.code = kinds[k].code,
                       .columns = sweep_lengths[i],
                       .group_columns = group_sizes[g]};
          size_t code_bytes = (given.columns * kinds[k].bits + 7) / 8;
          size_t groups = (given.columns + given.group_columns - 1) / given.group_columns;
          sweep_fill(codes, code_bytes);
          sweep_fill(zero_points, (groups + 1) / 2);
          sweep_row(0, groups, scales);
          if (is_hostile)
            for (size_t s = 0; s < groups; s++)
              scales[s] = specials[sweep_random() % (sizeof specials / sizeof *specials)];
          given.codes = sweep_input(0, codes, code_bytes);
          given.scales = sweep_input(1, scales, 4 * groups);
          if (kinds[k].code == CK_CODE_UINT4)
            given.zero_points = sweep_input(2, zero_points, (groups + 1) / 2);
          sweep_compare(kinds[k].name, dequantize, &given, 4 * given.columns);
        }
      }
    }
  }
  sweep_table_tiles();
}
