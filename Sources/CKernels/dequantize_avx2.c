#include "dequantize.h"

#if defined(__x86_64__)

#include "lanes_avx2.h"

#pragma STDC FP_CONTRACT OFF

/// Decodes whole groups of nibbles, each `part_count` times `part_columns`, a multiple of 8 that is
/// a constant, so that the loop over a part's vectors is none.
CK_AVX2_INLINE void decode_groups(ck_code code, const uint8_t *codes, size_t group_count,
                                  size_t part_columns, size_t part_count, const float *scales,
                                  const uint8_t *zero_points, float *values) {
  for (size_t group = 0; group < group_count; group++) {
    __m256 scale = _mm256_set1_ps(scales[group]);
    __m256i zero_point = _mm256_set1_epi32(ck_zero_point(code, zero_points, group));
    for (size_t part = 0; part < part_count; part++) {
#pragma clang loop unroll(full)
      for (size_t i = 0; i < part_columns; i += 8) {
        __m256i nibbles = ck8_load_nibbles(codes + i / 2);
        __m256 numbers = code == CK_CODE_E2M1
                             ? ck8_value_of_e2m1(nibbles)
                             : _mm256_cvtepi32_ps(_mm256_sub_epi32(nibbles, zero_point));
        _mm256_storeu_ps(values + i, _mm256_mul_ps(numbers, scale));
      }
      codes += part_columns / 2;
      values += part_columns;
    }
  }
}

#define CK_AT_ONCE 8
#define CK_INLINED CK_AVX2_INLINE
#include "dequantize_nibbles.h"

CK_AVX2 void ck_dequantize_row_avx2(ck_code code, const uint8_t *codes, size_t columns,
                                    size_t group_columns, const float *scales,
                                    const uint8_t *zero_points, float *values) {
  switch (code) {
  case CK_CODE_INT4:
    dequantize_nibbles(CK_CODE_INT4, codes, columns, group_columns, scales, zero_points, values);
    return;
  case CK_CODE_UINT4:
    dequantize_nibbles(CK_CODE_UINT4, codes, columns, group_columns, scales, zero_points, values);
    return;
  case CK_CODE_E2M1:
    dequantize_nibbles(CK_CODE_E2M1, codes, columns, group_columns, scales, zero_points, values);
    return;
  case CK_CODE_E4M3:
  case CK_CODE_INT8: break;
  }
  for (size_t start = 0, group = 0; start < columns; start += group_columns, group++) {
    size_t end = columns - start < group_columns ? columns : start + group_columns;
    __m256 scale = _mm256_set1_ps(scales[group]);
    size_t i = start;
    for (; code == CK_CODE_E4M3 && i + 16 <= end; i += 16) {
      __m256 numbers[2];
      ck8_values_of_e4m3(codes + i, numbers);
      _mm256_storeu_ps(values + i, _mm256_mul_ps(numbers[0], scale));
      _mm256_storeu_ps(values + i + 8, _mm256_mul_ps(numbers[1], scale));
    }
    for (; code == CK_CODE_INT8 && i + 8 <= end; i += 8) {
      __m128i bytes = _mm_loadl_epi64((const __m128i *)(codes + i));
      __m256 numbers = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
      _mm256_storeu_ps(values + i, _mm256_mul_ps(numbers, scale));
    }
    if (i < end) ck_dequantize_group(code, codes, i, end, scales[group], 0, values);
  }
}

#endif
