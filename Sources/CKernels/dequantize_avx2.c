#include "dequantize.h"

#if defined(__x86_64__)

#include "lanes_avx2.h"

#pragma STDC FP_CONTRACT OFF

CK_AVX2 void ck_dequantize_row_avx2(ck_code code, const uint8_t *codes, size_t columns,
                                    size_t group_columns, const float *scales,
                                    const uint8_t *zero_points, float *values) {
  for (size_t start = 0, group = 0; start < columns; start += group_columns, group++) {
    size_t end = columns - start < group_columns ? columns : start + group_columns;
    int zero_point = ck_zero_point(code, zero_points, group);
    __m256 scale = _mm256_set1_ps(scales[group]);
    __m256i zero_points8 = _mm256_set1_epi32(zero_point);
    size_t i = start;
    switch (code) {
    case CK_CODE_E4M3:
      for (; i + 8 <= end; i += 8) {
        __m256 lanes = ck8_value_of_e4m3(ck8_load_bytes(codes + i));
        _mm256_storeu_ps(values + i, _mm256_mul_ps(lanes, scale));
      }
      break;
    case CK_CODE_INT8:
      for (; i + 8 <= end; i += 8) {
        __m128i bytes = _mm_loadl_epi64((const __m128i *)(codes + i));
        __m256 lanes = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
        _mm256_storeu_ps(values + i, _mm256_mul_ps(lanes, scale));
      }
      break;
    case CK_CODE_E2M1:
      // A group that starts within a byte is left to the scalar code.
      for (; i % 2 == 0 && i + 8 <= end; i += 8) {
        __m256 lanes = ck8_value_of_e2m1(ck8_load_nibbles(codes + i / 2));
        _mm256_storeu_ps(values + i, _mm256_mul_ps(lanes, scale));
      }
      break;
    case CK_CODE_INT4:
    case CK_CODE_UINT4:
      for (; i % 2 == 0 && i + 8 <= end; i += 8) {
        __m256i integers = _mm256_sub_epi32(ck8_load_nibbles(codes + i / 2), zero_points8);
        _mm256_storeu_ps(values + i, _mm256_mul_ps(_mm256_cvtepi32_ps(integers), scale));
      }
      break;
    }
    if (i < end) ck_dequantize_group(code, codes, i, end, scales[group], zero_point, values);
  }
}

#endif
