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

void sweep_dequantizers(void) {
  static const struct {
    const char *name;
    ck_code code;
    size_t bits;
  } kinds[] = {{"ck_dequantize_row e4m3", CK_CODE_E4M3, 8},
               {"ck_dequantize_row e2m1", CK_CODE_E2M1, 4},
               {"ck_dequantize_row int8", CK_CODE_INT8, 8},
               {"ck_dequantize_row int4", CK_CODE_INT4, 4},
               {"ck_dequantize_row uint4", CK_CODE_UINT4, 4}};
  static const size_t group_sizes[] = {1, 2, 3, 7, 8, 16, 17, 31, 32, 33, 64, 128, 1029};
  static const float specials[] = {0.02f,   -0.5f,    0.0f, -0.0f,    0x1p-140f, 0x1p-126f,
                                   3e38f,   INFINITY, NAN,  -INFINITY, 1.7f,     0x1p-127f,
                                   0x1p-149f, -0.1f};
  static uint8_t codes[SWEEP_LONGEST], zero_points[SWEEP_LONGEST];
  static float scales[SWEEP_LONGEST];
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
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
          given.zero_points = sweep_input(2, zero_points, (groups + 1) / 2);
          sweep_compare(kinds[k].name, dequantize, &given, 4 * given.columns);
        }
      }
    }
  }
}
