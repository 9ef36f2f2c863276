#include "lut.h"

#if defined(__x86_64__)

#include "lanes_avx2.h"

#pragma STDC FP_CONTRACT OFF

/// The 32 indices of a whole chunk.
CK_AVX2_INLINE __m256i chunk_indices(int level_count, const uint8_t *chunk) {
  if (level_count == 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)chunk);
    __m256i both = _mm256_set_m128i(_mm_srli_epi16(bytes, 4), bytes);
    return _mm256_and_si256(both, _mm256_set1_epi8(15));
  }
  int64_t low;
  int32_t high;
  memcpy(&low, chunk, sizeof low);
  memcpy(&high, chunk + 8, sizeof high);
  __m256i pairs = _mm256_srlv_epi64(_mm256_set1_epi64x(low), _mm256_set_epi64x(6, 4, 2, 0));
  pairs = _mm256_and_si256(pairs, _mm256_set1_epi8(3));
  // Byte i of the bits' copy is the one that holds bit i.
  __m256i copies = _mm256_shuffle_epi8(
      _mm256_set1_epi32(high),
      _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0));
  __m256i bits = _mm256_set1_epi64x((int64_t)0x8040201008040201);
  __m256i is_set = _mm256_cmpeq_epi8(_mm256_and_si256(copies, bits), bits);
  return _mm256_or_si256(pairs, _mm256_and_si256(is_set, _mm256_set1_epi8(4)));
}

/// Decodes 16 weights of which all have one scale.
CK_AVX2_INLINE void decode_16(__m128i levels, float scale, float *values) {
  __m256 scales = _mm256_set1_ps(scale);
  __m256 first = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(levels));
  __m256 second = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(levels, levels)));
  _mm256_storeu_ps(values, _mm256_mul_ps(first, scales));
  _mm256_storeu_ps(values + 8, _mm256_mul_ps(second, scales));
}

CK_AVX2 void ck_lut_dequantize_avx2(const ck_lut *lut, const uint8_t *codes, const uint8_t *scales,
                                    size_t rows, float *values) {
  __m128i tables[2];
  for (int t = 0; t < 2; t++) tables[t] = _mm_loadu_si128((const __m128i *)lut->levels[t]);
  size_t chunk_bytes = ck_lut_chunk_bytes(lut->level_count, CK_LUT_CHUNK);
  for (size_t row = 0; row < rows; row++) {
    for (size_t start = 0; start < lut->columns; start += CK_LUT_SUPER_COLUMNS) {
      ck_lut_record record = ck_lut_read_record(lut, start, &scales);
      size_t i = 0;
      for (; i + CK_LUT_CHUNK <= record.columns; i += CK_LUT_CHUNK) {
        size_t low = i / lut->group_columns, high = (i + 16) / lut->group_columns;
        __m256i chosen = _mm256_set_m128i(tables[record.tables[high]], tables[record.tables[low]]);
        __m256i levels = _mm256_shuffle_epi8(chosen, chunk_indices(lut->level_count, codes));
        decode_16(_mm256_castsi256_si128(levels), record.scales[low], values + i);
        decode_16(_mm256_extracti128_si256(levels, 1), record.scales[high], values + i + 16);
        codes += chunk_bytes;
      }
      ck_lut_decode_chunk(lut, &record, codes, record.columns - i, i, values + i);
      codes += ck_lut_chunk_bytes(lut->level_count, record.columns - i);
      values += record.columns;
    }
  }
}

#endif
