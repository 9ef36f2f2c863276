// The bytes of codes that are indices into tables, and of their scales. Private to CKernels.
#pragma once

#include "ck_lut.h"
#include "minifloat.h"

#pragma STDC FP_CONTRACT OFF

/// The number of columns whose codes lie together.
#define CK_LUT_CHUNK 32
/// A super-block is as many parts of as many columns. A part is a group of 16, or half of one of
/// 32.
#define LUT_PARTS 16

#define CK_F16 ((ck_minifloat){10, -14, 65504.0f, 15})

/// The number of bytes that the codes of up to CK_LUT_CHUNK columns take.
static inline size_t ck_lut_chunk_bytes(int level_count, size_t count) {
  return level_count == 16 ? (count + 1) / 2 : (count + 3) / 4 + (count + 7) / 8;
}

/// The number of bytes of a super-block's scales: a Float16, a string of 6-bit numbers, and with
/// two tables a string of bits; to an even number.
static inline size_t ck_lut_record_bytes(const ck_lut *lut, size_t group_count) {
  size_t choices = lut->table_count == 2 ? (group_count + 7) / 8 : 0;
  return (2 + (6 * group_count + 7) / 8 + choices + 1) / 2 * 2;
}

static inline size_t ck_lut_group_count(const ck_lut *lut, size_t columns) {
  return (columns + lut->group_columns - 1) / lut->group_columns;
}

/// What is known of a super-block.
typedef struct {
  size_t columns;
  /// The scale of each part, with the super-block's and the global scale.
  float scales[LUT_PARTS];
  /// The table of each part.
  uint8_t tables[LUT_PARTS];
} ck_lut_record;

/// Reads the scales of the super-block that starts at a column, and moves past their bytes.
static inline ck_lut_record ck_lut_read_record(const ck_lut *lut, size_t column,
                                               const uint8_t **bytes) {
  size_t rest = lut->columns - column;
  ck_lut_record record = {.columns = rest < CK_LUT_SUPER_COLUMNS ? rest : CK_LUT_SUPER_COLUMNS};
  size_t group_count = ck_lut_group_count(lut, record.columns);
  size_t parts = lut->group_columns / LUT_PARTS;
  const uint8_t *steps = *bytes + 2, *choices = steps + (6 * group_count + 7) / 8;
  float super_scale = ck_value_of_f16((uint16_t)((*bytes)[0] | (*bytes)[1] << 8));
  super_scale = super_scale * lut->global_scale;
  for (size_t group = 0; group < group_count; group++) {
    size_t bit = 6 * group;
    uint32_t word = steps[bit / 8];
    if (bit % 8 > 2) word |= (uint32_t)steps[bit / 8 + 1] << 8;
    // Two's complement of 6 bits.
    int step = (int)((word >> bit % 8 & 63) ^ 32) - 32;
    for (size_t part = parts * group; part < parts * (group + 1); part++) {
      record.scales[part] = (float)step * super_scale;
      record.tables[part] = lut->table_count == 2 ? choices[group / 8] >> group % 8 & 1 : 0;
    }
  }
  *bytes += ck_lut_record_bytes(lut, group_count);
  return record;
}

static inline void ck_lut_write_record(const ck_lut *lut, float super_scale, const float *steps,
                                       const uint8_t *tables, size_t group_count, uint8_t *bytes) {
  uint32_t code = ck_code_of_grid(super_scale, CK_F16);
  memset(bytes, 0, ck_lut_record_bytes(lut, group_count));
  bytes[0] = (uint8_t)code;
  bytes[1] = (uint8_t)(code >> 8);
  bytes += 2;
  for (size_t group = 0; group < group_count; group++) {
    size_t bit = 6 * group;
    uint32_t word = ((uint32_t)(int)steps[group] & 63) << bit % 8;
    bytes[bit / 8] |= (uint8_t)word;
    if (bit % 8 > 2) bytes[bit / 8 + 1] |= (uint8_t)(word >> 8);
  }
  bytes += (6 * group_count + 7) / 8;
  if (lut->table_count == 2)
    for (size_t group = 0; group < group_count; group++)
      bytes[group / 8] |= (uint8_t)(tables[group] << group % 8);
}

/// The index of a column of a chunk.
static inline int ck_lut_read_index(int level_count, const uint8_t *chunk, size_t count, size_t i) {
  if (level_count == 16) {
    size_t half = (count + 1) / 2;
    return i < half ? chunk[i] & 15 : chunk[i - half] >> 4;
  }
  size_t quarter = (count + 3) / 4;
  return (chunk[i % quarter] >> 2 * (i / quarter) & 3) | (chunk[quarter + i / 8] >> i % 8 & 1) << 2;
}

/// Reads the indices of a chunk.
static inline void ck_lut_read_indices(int level_count, const uint8_t *chunk, size_t count,
                                       uint8_t *indices) {
  if (count < CK_LUT_CHUNK) {
    for (size_t i = 0; i < count; i++)
      indices[i] = (uint8_t)ck_lut_read_index(level_count, chunk, count, i);
  } else if (level_count == 16) {
    for (size_t i = 0; i < 16; i++) {
      indices[i] = chunk[i] & 15;
      indices[i + 16] = chunk[i] >> 4;
    }
  } else {
    uint64_t pairs;
    memcpy(&pairs, chunk, sizeof pairs);
    for (size_t byte = 0; byte < 4; byte++) {
      // Of eight indices the third bits, each in its byte; adding 0x7F carries them to the top.
      uint64_t thirds = chunk[8 + byte] * 0x0101010101010101u & 0x8040201008040201u;
      thirds = (thirds + 0x7F7F7F7F7F7F7F7Fu) >> 5 & 0x0404040404040404u;
      uint64_t eight = (pairs >> 2 * byte & 0x0303030303030303u) | thirds;
      memcpy(indices + 8 * byte, &eight, sizeof eight);
    }
  }
}

/// Writes the indices of a chunk.
static inline void ck_lut_write_indices(int level_count, const uint8_t *indices, size_t count,
                                        uint8_t *chunk) {
  if (level_count == 16) {
    size_t half = (count + 1) / 2;
    if (count == CK_LUT_CHUNK) {
      // The same with a constant count, which the compiler turns into vectors.
      for (size_t i = 0; i < 16; i++) chunk[i] = (uint8_t)(indices[i] | indices[i + 16] << 4);
      return;
    }
    for (size_t i = 0; i < half; i++)
      chunk[i] = (uint8_t)(indices[i] | (i + half < count ? indices[i + half] << 4 : 0));
    return;
  }
  if (count == CK_LUT_CHUNK) {
    for (size_t i = 0; i < 8; i++) {
      chunk[i] = (uint8_t)((indices[i] & 3) | (indices[i + 8] & 3) << 2 |
                           (indices[i + 16] & 3) << 4 | (indices[i + 24] & 3) << 6);
    }
    for (size_t byte = 0; byte < 4; byte++) {
      // The third bits of eight indices, brought together by a multiplication.
      uint64_t eight;
      memcpy(&eight, indices + 8 * byte, sizeof eight);
      eight = eight >> 2 & 0x0101010101010101u;
      chunk[8 + byte] = (uint8_t)(eight * 0x0102040810204080u >> 56);
    }
    return;
  }
  size_t quarter = (count + 3) / 4;
  memset(chunk, 0, ck_lut_chunk_bytes(level_count, count));
  for (size_t i = 0; i < count; i++) {
    chunk[i % quarter] |= (uint8_t)((indices[i] & 3) << 2 * (i / quarter));
    chunk[quarter + i / 8] |= (uint8_t)(indices[i] >> 2 << i % 8);
  }
}

/// Decodes `count` weights, a chunk that starts at a column of its super-block.
static inline void ck_lut_decode_chunk(const ck_lut *lut, const ck_lut_record *record,
                                       const uint8_t *chunk, size_t count, size_t column,
                                       float *values) {
  uint8_t indices[CK_LUT_CHUNK];
  ck_lut_read_indices(lut->level_count, chunk, count, indices);
  for (size_t start = 0; start < count; start += LUT_PARTS) {
    size_t part = (column + start) / LUT_PARTS;
    float products[16];
    for (int level = 0; level < 16; level++)
      products[level] = (float)lut->levels[record->tables[part]][level] * record->scales[part];
    size_t end = count - start < LUT_PARTS ? count : start + LUT_PARTS;
    for (size_t i = start; i < end; i++) values[i] = products[indices[i]];
  }
}
