#include "lut.h"

#if defined(__x86_64__)

#include "lanes_avx2.h"

#pragma STDC FP_CONTRACT OFF

/// Of each level of a table the two upper bytes of its Float32; the others are zero, for a signed
/// byte has eight digits. In both lanes of 128 bits.
typedef struct {
  __m256i low;
  __m256i high;
} byte_tables;

CK_AVX2_INLINE byte_tables load_table(const int8_t *levels) {
  uint8_t low[16], high[16];
  for (int i = 0; i < 16; i++) {
    uint32_t bits = ck_bits((float)levels[i]);
    low[i] = (uint8_t)(bits >> 16);
    high[i] = (uint8_t)(bits >> 24);
  }
  return (byte_tables){
      _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)low)),
      _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)high)),
  };
}

/// Reads the scales of a whole super-block as ck_lut_read_record does.
CK_AVX2_INLINE void read_record(const ck_lut *lut, int table_count, const uint8_t *bytes,
                                ck_lut_record *record) {
  int is_wide = lut->group_columns == 32;
  int16_t code;
  memcpy(&code, bytes, sizeof code);
  __m256 super_scale = _mm256_cvtph_ps(_mm_set1_epi16(code));
  super_scale = _mm256_mul_ps(super_scale, _mm256_set1_ps(lut->global_scale));
  // Bytes 0 to 7, and 6 to 13 where there are as many.
  int64_t first, second;
  memcpy(&first, bytes, sizeof first);
  memcpy(&second, bytes + (is_wide ? 0 : 6), sizeof second);
  __m256i both = _mm256_broadcastsi128_si256(_mm_set_epi64x(second, first));
  // The steps of four groups take three bytes. Those go to the lanes of the groups, and the bits of
  // each group to the upper end, from where they come back with their sign.
  const __m128i quarters[4] = {_mm_set1_epi32(0x040302), _mm_set1_epi32(0x070605),
                               _mm_set1_epi32(0x0C0B0A), _mm_set1_epi32(0x0F0E0D)};
  const __m256i in_quarters = _mm256_setr_epi32(26, 20, 14, 8, 26, 20, 14, 8);
  const __m256i in_halves = _mm256_setr_epi32(26, 26, 20, 20, 14, 14, 8, 8);
  for (int half = 0; half < 2; half++) {
    __m256i places = is_wide ? _mm256_set_m128i(quarters[half], quarters[half])
                             : _mm256_set_m128i(quarters[2 * half + 1], quarters[2 * half]);
    __m256i steps = _mm256_shuffle_epi8(both, places);
    steps = _mm256_sllv_epi32(steps, is_wide ? in_halves : in_quarters);
    __m256 numbers = _mm256_cvtepi32_ps(_mm256_srai_epi32(steps, 26));
    _mm256_storeu_ps(record->scales + 8 * half, _mm256_mul_ps(numbers, super_scale));
  }
  if (table_count == 1) return;
  int16_t choices;
  memcpy(&choices, bytes + (is_wide ? 8 : 14), sizeof choices);
  // Byte i of the copies is the one that holds the bit of part i.
  __m128i places = _mm_set_epi64x(is_wide ? 0 : 0x0101010101010101, 0);
  __m128i copies = _mm_shuffle_epi8(_mm_set1_epi16(choices), places);
  __m128i bits = is_wide ? _mm_set_epi64x((int64_t)0x8080404020201010, 0x0808040402020101)
                         : _mm_set1_epi64x((int64_t)0x8040201008040201);
  __m128i is_set = _mm_cmpeq_epi8(_mm_and_si128(copies, bits), bits);
  _mm_storeu_si128((__m128i *)record->tables, _mm_and_si128(is_set, _mm_set1_epi8(1)));
}

/// The 32 indices of a whole chunk in the order in which decode_chunks has use for them: columns i
/// and i + 8 follow each other, columns 0 to 3 and 4 to 7 lie 16 bytes apart, and eight bytes after
/// these columns are those 16 further.
CK_AVX2_INLINE __m256i chunk_indices(int level_count, const uint8_t *chunk) {
  const __m256i upper = _mm256_setr_epi64x(0, 4, 0, 4);
  if (level_count == 16) {
    __m256i bytes = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)chunk));
    const __m256i order = _mm256_setr_epi64x(0x0B030A0209010800, 0x0B030A0209010800,
                                             0x0F070E060D050C04, 0x0F070E060D050C04);
    bytes = _mm256_srlv_epi64(_mm256_shuffle_epi8(bytes, order), upper);
    return _mm256_and_si256(bytes, _mm256_set1_epi8(15));
  }
  int64_t low;
  int32_t high;
  memcpy(&low, chunk, sizeof low);
  memcpy(&high, chunk + 8, sizeof high);
  const __m256i order = _mm256_setr_epi64x(0x0303020201010000, 0x0303020201010000,
                                           0x0707060605050404, 0x0707060605050404);
  __m256i pairs = _mm256_shuffle_epi8(_mm256_set1_epi64x(low), order);
  pairs = _mm256_srlv_epi64(pairs, upper);
  pairs = _mm256_or_si256(
      _mm256_and_si256(pairs, _mm256_set1_epi16(0x0003)),
      _mm256_and_si256(_mm256_srli_epi16(pairs, 2), _mm256_set1_epi16(0x0300)));
  const __m256i copies = _mm256_setr_epi64x(0x0100010001000100, 0x0302030203020302,
                                            0x0100010001000100, 0x0302030203020302);
  const __m256i bits = _mm256_setr_epi64x(0x0808040402020101, 0x0808040402020101,
                                          (int64_t)0x8080404020201010, (int64_t)0x8080404020201010);
  __m256i thirds = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32(high), copies), bits);
  __m256i is_set = _mm256_cmpeq_epi8(thirds, bits);
  return _mm256_or_si256(pairs, _mm256_and_si256(is_set, _mm256_set1_epi8(4)));
}

/// Decodes 16 weights from the upper halves of their levels' Float32: in lane i those of columns i
/// and i + 8.
CK_AVX2_INLINE void decode_part(__m256i halves, float scale, float *values) {
  __m256 scales = _mm256_set1_ps(scale);
  __m256 first = _mm256_castsi256_ps(_mm256_slli_epi32(halves, 16));
  __m256 second =
      _mm256_castsi256_ps(_mm256_and_si256(halves, _mm256_set1_epi32((int)0xFFFF0000)));
  _mm256_storeu_ps(values, _mm256_mul_ps(first, scales));
  _mm256_storeu_ps(values + 8, _mm256_mul_ps(second, scales));
}

/// Decodes whole chunks of a super-block. The counts of levels and tables are constants.
CK_AVX2_INLINE void decode_chunks(int level_count, int table_count, const byte_tables *tables,
                                  const ck_lut_record *record, size_t columns,
                                  const uint8_t *codes, float *values) {
  for (size_t i = 0; i + CK_LUT_CHUNK <= columns; i += CK_LUT_CHUNK) {
    size_t part = i / LUT_PARTS;
    const byte_tables *first = &tables[table_count == 2 ? record->tables[part] : 0];
    const byte_tables *second = &tables[table_count == 2 ? record->tables[part + 1] : 0];
    __m256i indices = chunk_indices(level_count, codes);
    decode_part(_mm256_unpacklo_epi8(_mm256_shuffle_epi8(first->low, indices),
                                     _mm256_shuffle_epi8(first->high, indices)),
                record->scales[part], values + i);
    decode_part(_mm256_unpackhi_epi8(_mm256_shuffle_epi8(second->low, indices),
                                     _mm256_shuffle_epi8(second->high, indices)),
                record->scales[part + 1], values + i + LUT_PARTS);
    codes += ck_lut_chunk_bytes(level_count, CK_LUT_CHUNK);
  }
}

/// Decodes a row.
CK_AVX2_INLINE void decode_row(const ck_lut *lut, int level_count, int table_count,
                               const byte_tables *tables, const uint8_t *codes,
                               const uint8_t *scales, float *values) {
  size_t chunk_bytes = ck_lut_chunk_bytes(level_count, CK_LUT_CHUNK);
  size_t record_bytes = ck_lut_record_bytes(lut, CK_LUT_SUPER_COLUMNS / lut->group_columns);
  ck_lut_record record;
  size_t start = 0;
  for (; start + CK_LUT_SUPER_COLUMNS <= lut->columns; start += CK_LUT_SUPER_COLUMNS) {
    read_record(lut, table_count, scales, &record);
    decode_chunks(level_count, table_count, tables, &record, CK_LUT_SUPER_COLUMNS, codes, values);
    codes += CK_LUT_SUPER_COLUMNS / CK_LUT_CHUNK * chunk_bytes;
    scales += record_bytes;
    values += CK_LUT_SUPER_COLUMNS;
  }
  if (start == lut->columns) return;
  record = ck_lut_read_record(lut, start, &scales);
  decode_chunks(level_count, table_count, tables, &record, record.columns, codes, values);
  size_t rest = record.columns % CK_LUT_CHUNK, whole = record.columns - rest;
  ck_lut_decode_chunk(lut, &record, codes + whole / CK_LUT_CHUNK * chunk_bytes, rest, whole,
                      values + whole);
}

CK_AVX2 void ck_lut_dequantize_avx2(const ck_lut *lut, const uint8_t *codes, const uint8_t *scales,
                                    size_t rows, float *values) {
  const byte_tables tables[2] = {load_table(lut->levels[0]), load_table(lut->levels[1])};
  size_t code_bytes = ck_lut_code_bytes(lut), scale_bytes = ck_lut_scale_bytes(lut);
  for (size_t row = 0; row < rows; row++) {
    if (lut->level_count == 16 && lut->table_count == 1) {
      decode_row(lut, 16, 1, tables, codes, scales, values);
    } else if (lut->level_count == 16) {
      decode_row(lut, 16, 2, tables, codes, scales, values);
    } else if (lut->table_count == 1) {
      decode_row(lut, 8, 1, tables, codes, scales, values);
    } else {
      decode_row(lut, 8, 2, tables, codes, scales, values);
    }
    codes += code_bytes;
    scales += scale_bytes;
    values += lut->columns;
  }
}

#endif
