#include "dequantize.h"

#pragma STDC FP_CONTRACT OFF

void ck_dequantize_group(ck_code code, const uint8_t *codes, size_t start, size_t end, float scale,
                         int zero_point, float *values) {
  if (code == CK_CODE_E4M3) {
    for (size_t i = start; i < end; i++) values[i] = ck_value_of_e4m3(codes[i]) * scale;
    return;
  }
  if (code == CK_CODE_INT8) {
    for (size_t i = start; i < end; i++) values[i] = (float)(int8_t)codes[i] * scale;
    return;
  }
  // A nibble can stand for sixteen values only.
  float products[16];
  for (int n = 0; n < 16; n++) {
    float number = code == CK_CODE_E2M1 ? ck_value_of_e2m1((uint8_t)n) : (float)(n - zero_point);
    products[n] = number * scale;
  }
  size_t i = start;
  if (i % 2 == 1 && i < end) {
    values[i] = products[codes[i / 2] >> 4];
    i++;
  }
  for (; i + 2 <= end; i += 2) {
    values[i] = products[codes[i / 2] & 15];
    values[i + 1] = products[codes[i / 2] >> 4];
  }
  if (i < end) values[i] = products[codes[i / 2] & 15];
}

void ck_dequantize_row_portable(ck_code code, const uint8_t *codes, size_t columns,
                                size_t group_columns, const float *scales,
                                const uint8_t *zero_points, float *values) {
  for (size_t start = 0, group = 0; start < columns; start += group_columns, group++) {
    size_t end = columns - start < group_columns ? columns : start + group_columns;
    ck_dequantize_group(code, codes, start, end, scales[group],
                        ck_zero_point(code, zero_points, group), values);
  }
}

void ck_dequantize(const ck_dequantizer *format, const uint8_t *codes, const float *scales,
                   const uint8_t *zero_points, size_t rows, float *values) {
  ck_code code = format->code;
  size_t columns = format->columns, block_columns = format->block_columns;
  size_t groups = columns / block_columns + (columns % block_columns != 0);
  int is_byte = code == CK_CODE_E4M3 || code == CK_CODE_INT8;
  if (format->block_rows == 1 && columns % block_columns == 0 && (is_byte || columns % 2 == 0) &&
      (code != CK_CODE_UINT4 || groups % 2 == 0)) {
    // Nothing tells where a row ends.
    ck_dequantize_row(code, codes, rows * columns, block_columns, scales, zero_points, values);
    return;
  }
  size_t code_bytes = is_byte ? columns : (columns + 1) / 2;
  for (size_t row = 0; row < rows; row++) {
    size_t scale_row = row / format->block_rows;
    ck_dequantize_row(code, codes + row * code_bytes, columns, block_columns,
                      scales + scale_row * groups,
                      code == CK_CODE_UINT4 ? zero_points + scale_row * ((groups + 1) / 2) : NULL,
                      values + row * columns);
  }
}
