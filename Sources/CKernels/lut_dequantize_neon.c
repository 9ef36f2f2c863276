#include "lut.h"

#if defined(__aarch64__)

#include "lanes_neon.h"

#pragma STDC FP_CONTRACT OFF

/// The 32 indices of a whole chunk.
CK_INLINE uint8x16x2_t chunk_indices(int level_count, const uint8_t *chunk) {
  if (level_count == 16) {
    uint8x16_t bytes = vld1q_u8(chunk);
    return (uint8x16x2_t){{vandq_u8(bytes, vdupq_n_u8(15)), vshrq_n_u8(bytes, 4)}};
  }
  uint8x8_t pairs = vld1_u8(chunk), two = vdup_n_u8(3);
  uint8x16_t low = vcombine_u8(vand_u8(pairs, two), vand_u8(vshr_n_u8(pairs, 2), two));
  uint8x16_t high = vcombine_u8(vand_u8(vshr_n_u8(pairs, 4), two), vshr_n_u8(pairs, 6));
  // Byte i of the bits' copy is the one that holds bit i.
  const uint8x8_t bits = vcreate_u8(0x8040201008040201);
  uint8x16_t copies[2] = {vcombine_u8(vdup_n_u8(chunk[8]), vdup_n_u8(chunk[9])),
                          vcombine_u8(vdup_n_u8(chunk[10]), vdup_n_u8(chunk[11]))};
  for (int half = 0; half < 2; half++)
    copies[half] = vandq_u8(vtstq_u8(copies[half], vcombine_u8(bits, bits)), vdupq_n_u8(4));
  return (uint8x16x2_t){{vorrq_u8(low, copies[0]), vorrq_u8(high, copies[1])}};
}

void ck_lut_dequantize_neon(const ck_lut *lut, const uint8_t *codes, const uint8_t *scales,
                            size_t rows, float *values) {
  int8x16_t tables[2] = {vld1q_s8(lut->levels[0]), vld1q_s8(lut->levels[1])};
  size_t chunk_bytes = ck_lut_chunk_bytes(lut->level_count, CK_LUT_CHUNK);
  for (size_t row = 0; row < rows; row++) {
    for (size_t start = 0; start < lut->columns; start += CK_LUT_SUPER_COLUMNS) {
      ck_lut_record record = ck_lut_read_record(lut, start, &scales);
      size_t i = 0;
      for (; i + CK_LUT_CHUNK <= record.columns; i += CK_LUT_CHUNK) {
        uint8x16x2_t indices = chunk_indices(lut->level_count, codes);
        for (size_t half = 0; half < 2; half++) {
          size_t part = i / LUT_PARTS + half;
          int8x16_t levels = vqtbl1q_s8(tables[record.tables[part]], indices.val[half]);
          ck16_store(ck16_scaled(ck16_of_int8(levels), record.scales[part]),
                     values + LUT_PARTS * part);
        }
        codes += chunk_bytes;
      }
      ck_lut_decode_chunk(lut, &record, codes, record.columns - i, i, values + i);
      codes += ck_lut_chunk_bytes(lut->level_count, record.columns - i);
      values += record.columns;
    }
  }
}

#endif
