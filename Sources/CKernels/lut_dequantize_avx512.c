#include "lut.h"

#if defined(__x86_64__)

#include "lanes_avx512.h"

#pragma STDC FP_CONTRACT OFF

/// The most groups of a super-block; of 16 columns each, for groups of 32 are taken as two.
enum { GROUPS = CK_LUT_SUPER_COLUMNS / 16 };

/// The levels of both tables as Float32; eight are there twice.
typedef struct {
  _Alignas(64) float levels[2 * 16];
} float_tables;

CK_AVX512_INLINE float_tables load_tables(const ck_lut *lut) {
  float_tables tables;
  for (int table = 0; table < 2; table++) {
    __m512 levels = ck16_load_int8((const uint8_t *)lut->levels[table]);
    if (lut->level_count == 8) levels = _mm512_shuffle_f32x4(levels, levels, 0x44);
    _mm512_store_ps(tables.levels + 16 * table, levels);
  }
  return tables;
}

/// The scales of a whole super-block, one for every sixteen columns, as ck_lut_read_record computes
/// them.
CK_AVX512_INLINE void read_scales(const ck_lut *lut, const uint8_t *record, float *scales) {
  int16_t code;
  memcpy(&code, record, sizeof code);
  __m512 super_scale = _mm512_cvtph_ps(_mm256_set1_epi16(code));
  super_scale = _mm512_mul_ps(super_scale, _mm512_set1_ps(lut->global_scale));
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
  _mm512_storeu_ps(scales, _mm512_mul_ps(_mm512_cvtepi32_ps(steps), super_scale));
}

/// Where the tables of a whole super-block begin, in Float32, one for every sixteen columns.
CK_AVX512_INLINE void read_choices(const ck_lut *lut, const uint8_t *record, uint32_t *choices) {
  uint16_t bits;
  if (lut->group_columns == 32) {
    // Each bit twice.
    uint32_t spread = record[8];
    spread = (spread | spread << 4) & 0x0F0F;
    spread = (spread | spread << 2) & 0x3333;
    spread = (spread | spread << 1) & 0x5555;
    bits = (uint16_t)(3 * spread);
  } else {
    memcpy(&bits, record + 14, sizeof bits);
  }
  _mm512_storeu_si512(choices, _mm512_maskz_set1_epi32(bits, 16));
}

/// The 32 indices of a chunk, each in as many of a lane's lower bits as it has. What a lookup reads
/// besides makes no difference.
CK_AVX512_INLINE void chunk_indices(int level_count, const uint8_t *chunk, __m512i indices[2]) {
  if (level_count == 16) {
    indices[0] = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)chunk));
    // A shift by four, which compilers would do before, at the cost of another conversion.
    const __m512i fours = _mm512_set1_epi64(36ll << 32 | 4);
    indices[1] = _mm512_multishift_epi64_epi8(fours, indices[0]);
    return;
  }
  int64_t pairs;
  uint32_t thirds;
  memcpy(&pairs, chunk, sizeof pairs);
  memcpy(&thirds, chunk + 8, sizeof thirds);
  // Of the pairs, lane i gets the bits from 8(i mod 8) + 2(i div 8) on. The third bits are masks,
  // because this waits for shuffles already.
  const __m512i pair_bits =
      _mm512_setr_epi32(0, 8, 16, 24, 32, 40, 48, 56, 2, 10, 18, 26, 34, 42, 50, 58);
  for (int half = 0; half < 2; half++) {
    __m512i low = _mm512_multishift_epi64_epi8(
        _mm512_add_epi32(pair_bits, _mm512_set1_epi32(4 * half)), _mm512_set1_epi64(pairs));
    low = _mm512_and_si512(low, _mm512_set1_epi32(3));
    indices[half] = _mm512_mask_or_epi32(low, (__mmask16)(thirds >> 16 * half), low,
                                         _mm512_set1_epi32(4));
  }
}

enum { SUPER_BLOCKS = 8 };

/// Decodes at most SUPER_BLOCKS whole super-blocks. The counts of levels and tables are constants,
/// so that nothing is decided for each group.
CK_AVX512_INLINE void decode_super_blocks(const ck_lut *lut, int level_count, int table_count,
                                          const float_tables *tables, size_t count,
                                          const uint8_t *codes, const uint8_t *records,
                                          float *values) {
  size_t record_bytes = ck_lut_record_bytes(lut, CK_LUT_SUPER_COLUMNS / lut->group_columns);
  float scales[SUPER_BLOCKS * GROUPS];
  uint32_t choices[SUPER_BLOCKS * GROUPS];
  for (size_t block = 0; block < count; block++) {
    const uint8_t *record = records + block * record_bytes;
    read_scales(lut, record, scales + block * GROUPS);
    if (table_count == 2) read_choices(lut, record, choices + block * GROUPS);
  }
  for (size_t block = 0; block < count; block++) {
    // The codes of a super-block lie in two lines, or in three.
    ck_prefetch_page_ahead(codes);
    ck_prefetch_page_ahead(codes + 64);
#pragma clang loop unroll(full)
    for (size_t group = 0; group < GROUPS; group += 2) {
      __m512i indices[2];
      chunk_indices(level_count, codes, indices);
      codes += level_count == 16 ? 16 : 12;
      for (size_t half = 0; half < 2; half++) {
        size_t own = block * GROUPS + group + half;
        const float *table = tables->levels + (table_count == 2 ? choices[own] : 0);
        __m512 levels = _mm512_permutexvar_ps(indices[half], _mm512_load_ps(table));
        _mm512_storeu_ps(values, _mm512_mul_ps(levels, _mm512_set1_ps(scales[own])));
        values += 16;
      }
    }
  }
}

CK_AVX512 void ck_lut_dequantize_avx512(const ck_lut *lut, const uint8_t *codes,
                                        const uint8_t *scales, size_t rows, float *values) {
  float_tables tables = load_tables(lut);
  size_t code_bytes = CK_LUT_SUPER_COLUMNS / CK_LUT_CHUNK *
                      ck_lut_chunk_bytes(lut->level_count, CK_LUT_CHUNK);
  size_t record_bytes = ck_lut_record_bytes(lut, CK_LUT_SUPER_COLUMNS / lut->group_columns);
  for (size_t row = 0; row < rows; row++) {
    size_t rest = lut->columns / CK_LUT_SUPER_COLUMNS;
    for (size_t count; rest > 0; rest -= count) {
      count = rest < SUPER_BLOCKS ? rest : SUPER_BLOCKS;
      if (lut->level_count == 16 && lut->table_count == 1) {
        decode_super_blocks(lut, 16, 1, &tables, count, codes, scales, values);
      } else if (lut->level_count == 16) {
        decode_super_blocks(lut, 16, 2, &tables, count, codes, scales, values);
      } else if (lut->table_count == 1) {
        decode_super_blocks(lut, 8, 1, &tables, count, codes, scales, values);
      } else {
        decode_super_blocks(lut, 8, 2, &tables, count, codes, scales, values);
      }
      codes += count * code_bytes;
      scales += count * record_bytes;
      values += count * CK_LUT_SUPER_COLUMNS;
    }
    size_t start = lut->columns / CK_LUT_SUPER_COLUMNS * CK_LUT_SUPER_COLUMNS;
    if (start == lut->columns) continue;
    ck_lut_record record = ck_lut_read_record(lut, start, &scales);
    for (size_t i = 0; i < record.columns; i += CK_LUT_CHUNK) {
      size_t left = record.columns - i < CK_LUT_CHUNK ? record.columns - i : CK_LUT_CHUNK;
      ck_lut_decode_chunk(lut, &record, codes, left, i, values + i);
      codes += ck_lut_chunk_bytes(lut->level_count, left);
    }
    values += record.columns;
  }
}

#endif
