#include <math.h>
#include <string.h>

#include "sweep.h"

enum { ROWS = 130, COLUMNS = 300, IMPORTANCES = 9000 };

/// The formats of kelter's schemes. Zero rows or columns stand for all.
static const struct {
  const char *name;
  ck_code code;
  ck_scale scale;
  size_t block_rows, block_columns;
  int has_global_scale;
} formats[] = {
    {"fp8-e4m3-b128", CK_CODE_E4M3, CK_SCALE_F32, 128, 128, 0},
    {"fp8-e4m3-channel", CK_CODE_E4M3, CK_SCALE_F32, 1, 0, 0},
    {"fp8-e4m3-tensor", CK_CODE_E4M3, CK_SCALE_F32, 0, 0, 0},
    {"int8-channel", CK_CODE_INT8, CK_SCALE_F32, 1, 0, 0},
    {"int4-g32", CK_CODE_INT4, CK_SCALE_BF16, 1, 32, 0},
    {"int4-g64", CK_CODE_INT4, CK_SCALE_BF16, 1, 64, 0},
    {"int4-g128", CK_CODE_INT4, CK_SCALE_BF16, 1, 128, 0},
    {"int4-asym-g32", CK_CODE_UINT4, CK_SCALE_BF16, 1, 32, 0},
    {"int4-asym-g64", CK_CODE_UINT4, CK_SCALE_BF16, 1, 64, 0},
    {"int4-asym-g128", CK_CODE_UINT4, CK_SCALE_BF16, 1, 128, 0},
    {"mxfp4", CK_CODE_E2M1, CK_SCALE_E8M0, 1, 32, 0},
    {"mxfp8", CK_CODE_E4M3, CK_SCALE_E8M0, 1, 32, 0},
    {"nvfp4", CK_CODE_E2M1, CK_SCALE_E4M3, 1, 16, 1},
};

typedef struct {
  ck_quantizer quantizer;
  const float *values;
  /// One for each column, or NULL.
  const float *importance;
  size_t rows;
  /// Whether errors, and the values that a reader gets, are asked for.
  int is_measured, is_delivered;
  size_t code_bytes, scale_bytes, zero_point_bytes;
} tile;

static void quantize(const void *arguments, uint8_t *output) {
  const tile *given = arguments;
  ck_error_sums sums = {0};
  static float delivered[ROWS * COLUMNS];
  size_t count = given->rows * given->quantizer.columns;
  ck_quantized to = {.codes = output,
                     // As callers do, no address for a plane that is none.
                     .scales = given->scale_bytes ? output + given->code_bytes : NULL,
                     .delivered = given->is_delivered ? delivered : NULL,
                     .sums = given->is_measured ? &sums : NULL};
  size_t plane_bytes = given->code_bytes + given->scale_bytes;
  if (given->zero_point_bytes) to.zero_points = output + plane_bytes;
  ck_quantize(&given->quantizer, given->values, given->rows, given->importance, &to);
  output += plane_bytes + given->zero_point_bytes;
  if (given->is_measured) memcpy(output, &sums, sizeof sums);
  if (given->is_delivered) memcpy(output + sizeof sums, delivered, 4 * count);
}

static void sweep_tile(size_t format, ck_search search, const float *values, size_t rows,
                       size_t columns, const float *importance, int is_partly_asked) {
  ck_code code = formats[format].code;
  size_t block_rows = formats[format].block_rows, block_columns = formats[format].block_columns;
  float maximum = 0;
  for (size_t i = 0; i < rows * columns; i++)
    if (isfinite(values[i])) maximum = fmaxf(maximum, fabsf(values[i]));
  maximum = fminf(maximum, 0x1p125f);
  tile given = {.values = sweep_input(0, values, 4 * rows * columns), .rows = rows};
  if (importance) given.importance = sweep_input(1, importance, 4 * columns);
  given.quantizer = (ck_quantizer){
      .code = code,
      .scale = formats[format].scale,
      .search = search,
      .columns = columns,
      .block_rows = block_rows ? block_rows : SIZE_MAX,
      .block_columns = block_columns ? block_columns : columns,
      .global_scale = 1};
  if (formats[format].has_global_scale && maximum > 0)
    given.quantizer.global_scale = fmaxf(maximum / 2688, 0x1p-110f);
  if (block_rows == 0)
    given.quantizer.tensor_scale = maximum == 0 ? 1 : fmaxf(maximum / 448, 0x1p-126f);
  size_t bits = code == CK_CODE_E4M3 || code == CK_CODE_INT8 ? 8 : 4;
  size_t scale_rows = block_rows == 0 ? 0 : (rows + block_rows - 1) / block_rows;
  size_t scale_columns = block_columns ? (columns + block_columns - 1) / block_columns : 1;
  size_t scale_size = formats[format].scale == CK_SCALE_F32    ? 4
                      : formats[format].scale == CK_SCALE_BF16 ? 2
                                                               : 1;
  given.code_bytes = rows * ((columns * bits + 7) / 8);
  given.scale_bytes = scale_rows * scale_columns * scale_size;
  given.zero_point_bytes = code == CK_CODE_UINT4 ? rows * ((scale_columns + 1) / 2) : 0;
  size_t plane_bytes = given.code_bytes + given.scale_bytes + given.zero_point_bytes;
  for (int asked = 0; asked < 4; asked++) {
    given.is_measured = asked & 1;
    given.is_delivered = asked >> 1;
    if (given.is_measured != given.is_delivered && !is_partly_asked) continue;
    sweep_compare(formats[format].name, quantize, &given,
                  asked == 0 ? plane_bytes
                             : plane_bytes + sizeof(ck_error_sums) + 4 * rows * columns);
  }
}

/// Rows in which all is ordinary but, in some, a weight, a chunk or a few weights.
static void sweep_wide_tile(size_t format, size_t rows, size_t columns, float *values,
                            const float *importance) {
  static const float e2m1[8] = {0, 0.5f, -1, 1.5f, -2, 3, 4, -6};
  enum { KINDS = 13 };
  for (int kind = 0; kind < KINDS; kind++) {
    for (size_t row = 0; row < rows; row++) sweep_row(0, columns, values + row * columns);
    size_t count = rows * columns, place = (size_t)(sweep_random() % count);
    size_t chunk = place / 128 * 128, end = chunk + 128 < count ? chunk + 128 : count;
    switch (kind) {
    case 1: values[place] = NAN; break;
    case 2: values[place] = -INFINITY; break;
    case 3: values[place] = 0x1.8p125f; break;
    case 4: values[place] = -0x1p125f; break;
    // Chunks whose sums are zero, or too small for Float32.
    case 5: memset(values + chunk, 0, 4 * (end - chunk)); break;
    case 6: for (size_t i = chunk; i < end; i++) values[i] *= 0x1p-60f; break;
    case 7: for (size_t i = 0; i < count; i += 3) values[i] = i % 2 ? 0.0f : -0.0f; break;
    // Weights that some codes hold without an error.
    case 8: for (size_t i = 0; i < count; i++) values[i] = e2m1[i % 8] * 0x1p-4f; break;
    case 9: for (size_t i = 0; i < count; i++) values[i] = (float)(i % 16) - 5; break;
    case 10: for (size_t i = chunk; i < end; i++) values[i] = (float)(i % 16) - 5; break;
    // With one error, whose square is too small for Float32.
    case 11:
      for (size_t i = 0; i < count; i++) values[i] = (float)(i % 16) - 5;
      values[chunk + 5] = 0x1.2345p-70f;
      break;
    // Many out of their blocks' ranges.
    case 12: for (size_t i = 0; i < count; i++) values[i] = i % 3 ? 0.0379f : -0.01f; break;
    }
    sweep_tile(format, CK_SEARCH_ABSMAX, values, rows, columns, NULL, 1);
    // An emulator takes long for it.
    if (count < 5000) sweep_tile(format, CK_SEARCH_FULL, values, rows, columns, NULL, 0);
  }
  sweep_tile(format, CK_SEARCH_FAST, values, rows, columns, NULL, 1);
  sweep_tile(format, CK_SEARCH_FULL, values, rows, columns, importance, 1);
}

void sweep_quantizers(void) {
  static float values[ROWS * COLUMNS], importance[IMPORTANCES];
  // Less than 2, as the kernels ask; zeros and subnormal numbers among them.
  sweep_row(11, IMPORTANCES, importance);
  for (size_t i = 0; i < IMPORTANCES; i++)
    importance[i] = i % 7 == 3 ? 0 : i % 13 == 5 ? 0x1p-140f : fminf(importance[i] * 16, 1.9f);
  for (size_t format = 0; format < sizeof formats / sizeof *formats; format++) {
    for (ck_search search = CK_SEARCH_ABSMAX; search <= CK_SEARCH_FULL; search++) {
      for (int kind = 0; kind < SWEEP_KINDS; kind++) {
        for (size_t i = 0; i < sweep_length_count; i++) {
          if (sweep_lengths[i] == 0) continue;
          sweep_row(kind, sweep_lengths[i], values);
          sweep_tile(format, search, values, 1, sweep_lengths[i], NULL, 0);
          sweep_tile(format, search, values, 1, sweep_lengths[i], importance, 0);
        }
      }
      // A row of each kind; then blocks that are cut off at both ends.
      for (size_t columns = 31; columns <= 97; columns += 33) {
        for (int kind = 0; kind < SWEEP_KINDS; kind++)
          sweep_row(kind, columns, values + (size_t)kind * columns);
        sweep_tile(format, search, values, SWEEP_KINDS, columns, NULL, 0);
        sweep_tile(format, search, values, SWEEP_KINDS, columns, importance, 0);
      }
      for (size_t row = 0; row < ROWS; row++) sweep_row(0, COLUMNS, values + row * COLUMNS);
      sweep_tile(format, search, values, ROWS, COLUMNS, NULL, 0);
      sweep_tile(format, search, values, ROWS, COLUMNS, importance, 0);
    }
    // Whole blocks and chunks, many of them, and almost whole ones.
    static const size_t widths[] = {64, 320, 1040, 1408, 9000};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
      sweep_wide_tile(format, 2, widths[i], values, importance);
    sweep_wide_tile(format, ROWS, 192, values, importance);
    sweep_wide_tile(format, 17, 256, values, importance);
  }
}
