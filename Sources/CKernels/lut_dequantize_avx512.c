#include "lut.h"

#if defined(__x86_64__)

#include "lanes_avx512.h"

#pragma STDC FP_CONTRACT OFF

/// A table of levels as Float32.
typedef struct {
  /// All sixteen; of eight only the first half counts.
  __m512 levels;
  /// With eight levels: the first and the second four, in each quarter of the vector.
  __m512 first, second;
} float_table;

CK_AVX512_INLINE float_table load_table(const int8_t *levels) {
  float_table table = {.levels = ck16_load_int8((const uint8_t *)levels)};
  table.first = _mm512_shuffle_f32x4(table.levels, table.levels, 0x00);
  table.second = _mm512_shuffle_f32x4(table.levels, table.levels, 0x55);
  return table;
}

/// The scales of a whole super-block, one for every sixteen columns, as ck_lut_read_record computes
/// them.
CK_AVX512_INLINE void read_scales(const ck_lut *lut, const uint8_t *record, float *scales) {
  float super_scale = ck_value_of_f16((uint16_t)(record[0] | record[1] << 8));
  super_scale = super_scale * lut->global_scale;
  int is_wide = lut->group_columns == 32;
  __m512i bytes =
      _mm512_castsi128_si512(_mm_maskz_loadu_epi8(is_wide ? 0x003F : 0x0FFF, record + 2));
  // The steps of four groups take three bytes. Those go to the lanes of the groups, and the bits of
  // each group to the upper end, from where they come back with their sign.
  const __m512i quarters = _mm512_setr_epi32(
      0x020100, 0x020100, 0x020100, 0x020100, 0x050403, 0x050403, 0x050403, 0x050403,
      0x080706, 0x080706, 0x080706, 0x080706, 0x0B0A09, 0x0B0A09, 0x0B0A09, 0x0B0A09);
  const __m512i halves = _mm512_setr_epi32(
      0x020100, 0x020100, 0x020100, 0x020100, 0x020100, 0x020100, 0x020100, 0x020100,
      0x050403, 0x050403, 0x050403, 0x050403, 0x050403, 0x050403, 0x050403, 0x050403);
  const __m512i in_quarters =
      _mm512_setr_epi32(26, 20, 14, 8, 26, 20, 14, 8, 26, 20, 14, 8, 26, 20, 14, 8);
  const __m512i in_halves =
      _mm512_setr_epi32(26, 26, 20, 20, 14, 14, 8, 8, 26, 26, 20, 20, 14, 14, 8, 8);
  __m512i steps = _mm512_permutexvar_epi8(is_wide ? halves : quarters, bytes);
  steps = _mm512_srai_epi32(_mm512_sllv_epi32(steps, is_wide ? in_halves : in_quarters), 26);
  _mm512_storeu_ps(scales, _mm512_mul_ps(_mm512_cvtepi32_ps(steps), _mm512_set1_ps(super_scale)));
}

/// The levels of the sixteen indices of half a chunk.
CK_AVX512_INLINE __m512 look_up(int level_count, const uint8_t *chunk, size_t half,
                                const float_table *table) {
  if (level_count == 16) {
    __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)chunk));
    // The lookup reads four bits.
    if (half) bytes = _mm512_srli_epi32(bytes, 4);
    return _mm512_permutexvar_ps(bytes, table->levels);
  }
  int64_t pairs;
  memcpy(&pairs, chunk, sizeof pairs);
  uint16_t third_bits;
  memcpy(&third_bits, chunk + 8 + 2 * half, sizeof third_bits);
  // Lane i gets the bits from 8(i mod 8) + 2(i div 8) on, and the lookups within a quarter read two.
  const __m512i first_bits =
      _mm512_setr_epi32(0, 8, 16, 24, 32, 40, 48, 56, 2, 10, 18, 26, 34, 42, 50, 58);
  __m512i from = half ? _mm512_add_epi32(first_bits, _mm512_set1_epi32(4)) : first_bits;
  __m512i indices = _mm512_multishift_epi64_epi8(from, _mm512_set1_epi64(pairs));
  __m512 levels = _mm512_permutevar_ps(table->first, indices);
  return _mm512_mask_permutevar_ps(levels, third_bits, table->second, indices);
}

/// Decodes a whole super-block.
CK_AVX512_INLINE void decode_super_block(const ck_lut *lut, int level_count, int table_count,
                                         const float_table tables[2], const uint8_t *codes,
                                         const uint8_t *record, float *values) {
  float scales[CK_LUT_SUPER_COLUMNS / 16];
  read_scales(lut, record, scales);
  int is_wide = lut->group_columns == 32;
  uint16_t choices = 0;
  if (table_count == 2) memcpy(&choices, record + (is_wide ? 8 : 14), sizeof choices);
#pragma clang loop unroll(full)
  for (size_t i = 0; i < CK_LUT_SUPER_COLUMNS / 16; i++) {
    const float_table *table = &tables[table_count == 2 ? choices >> (i >> is_wide) & 1 : 0];
    const uint8_t *chunk = codes + i / 2 * (level_count == 16 ? 16 : 12);
    __m512 levels = look_up(level_count, chunk, i % 2, table);
    _mm512_storeu_ps(values + 16 * i, _mm512_mul_ps(levels, _mm512_set1_ps(scales[i])));
  }
}

CK_AVX512 void ck_lut_dequantize_avx512(const ck_lut *lut, const uint8_t *codes,
                                        const uint8_t *scales, size_t rows, float *values) {
  const float_table tables[2] = {load_table(lut->levels[0]), load_table(lut->levels[1])};
  size_t super_bytes = CK_LUT_SUPER_COLUMNS / CK_LUT_CHUNK *
                       ck_lut_chunk_bytes(lut->level_count, CK_LUT_CHUNK);
  size_t record_bytes = ck_lut_record_bytes(lut, CK_LUT_SUPER_COLUMNS / lut->group_columns);
  for (size_t row = 0; row < rows; row++) {
    size_t start = 0;
    for (; start + CK_LUT_SUPER_COLUMNS <= lut->columns; start += CK_LUT_SUPER_COLUMNS) {
      // Constants, so that nothing is decided for each group.
      if (lut->level_count == 16 && lut->table_count == 1) {
        decode_super_block(lut, 16, 1, tables, codes, scales, values);
      } else if (lut->level_count == 16) {
        decode_super_block(lut, 16, 2, tables, codes, scales, values);
      } else if (lut->table_count == 1) {
        decode_super_block(lut, 8, 1, tables, codes, scales, values);
      } else {
        decode_super_block(lut, 8, 2, tables, codes, scales, values);
      }
      codes += super_bytes;
      scales += record_bytes;
      values += CK_LUT_SUPER_COLUMNS;
    }
    if (start == lut->columns) continue;
    ck_lut_record record = ck_lut_read_record(lut, start, &scales);
    for (size_t i = 0; i < record.columns; i += CK_LUT_CHUNK) {
      size_t count = record.columns - i < CK_LUT_CHUNK ? record.columns - i : CK_LUT_CHUNK;
      ck_lut_decode_chunk(lut, &record, codes, count, i, values + i);
      codes += ck_lut_chunk_bytes(lut->level_count, count);
    }
    values += record.columns;
  }
}

#endif
