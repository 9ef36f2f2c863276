#include "ck_statistics.h"
#include "lut.h"

#pragma STDC FP_CONTRACT OFF

void ck_lut_dequantize_portable(const ck_lut *lut, const uint8_t *codes, const uint8_t *scales,
                                size_t rows, float *values) {
  for (size_t row = 0; row < rows; row++) {
    for (size_t start = 0; start < lut->columns; start += CK_LUT_SUPER_COLUMNS) {
      ck_lut_record record = ck_lut_read_record(lut, start, &scales);
      for (size_t i = 0; i < record.columns; i += CK_LUT_CHUNK) {
        size_t rest = record.columns - i;
        size_t count = rest < CK_LUT_CHUNK ? rest : CK_LUT_CHUNK;
        ck_lut_decode_chunk(lut, &record, codes, count, i, values + i);
        codes += ck_lut_chunk_bytes(lut->level_count, count);
      }
      values += record.columns;
    }
  }
}

uint64_t ck_lut_count_outside(const ck_lut *lut, const uint8_t *scales, const float *values,
                              size_t rows) {
  float ends[2][2];
  for (int t = 0; t < lut->table_count; t++) {
    const int8_t *levels = lut->levels[t];
    int last = lut->level_count - 1;
    ends[t][0] = levels[0] - 0.5f * (float)(levels[1] - levels[0]);
    ends[t][1] = levels[last] + 0.5f * (float)(levels[last] - levels[last - 1]);
  }
  uint64_t outside = 0;
  for (size_t row = 0; row < rows; row++) {
    for (size_t start = 0; start < lut->columns; start += CK_LUT_SUPER_COLUMNS) {
      ck_lut_record record = ck_lut_read_record(lut, start, &scales);
      for (size_t first = 0; first < record.columns; first += LUT_PARTS) {
        size_t part = first / LUT_PARTS, rest = record.columns - first;
        const float *end = ends[record.tables[part]];
        float a = end[0] * record.scales[part], b = end[1] * record.scales[part];
        float lowest = a < b ? a : b, highest = a < b ? b : a;
        size_t count = rest < LUT_PARTS ? rest : LUT_PARTS;
        uint32_t found = 0;
        for (size_t i = 0; i < count; i++)
          found += (values[first + i] < lowest) | (values[first + i] > highest);
        outside += found;
      }
      values += record.columns;
    }
  }
  return outside;
}

size_t ck_lut_code_bytes(const ck_lut *lut) {
  return lut->columns / CK_LUT_CHUNK * ck_lut_chunk_bytes(lut->level_count, CK_LUT_CHUNK) +
         ck_lut_chunk_bytes(lut->level_count, lut->columns % CK_LUT_CHUNK);
}

size_t ck_lut_scale_bytes(const ck_lut *lut) {
  size_t last = lut->columns % CK_LUT_SUPER_COLUMNS;
  size_t whole = CK_LUT_SUPER_COLUMNS / lut->group_columns;
  return lut->columns / CK_LUT_SUPER_COLUMNS * ck_lut_record_bytes(lut, whole) +
         (last ? ck_lut_record_bytes(lut, ck_lut_group_count(lut, last)) : 0);
}
