#include "dequantize.h"

#if defined(__x86_64__)

#include "lanes_avx512.h"

#pragma STDC FP_CONTRACT OFF

/// Decodes whole groups of nibbles, each `part_count` times `part_columns`, a multiple of 16 that
/// is a constant, so that the loop over a part's vectors is none.
CK_AVX512_INLINE void decode_groups(ck_code code, const uint8_t *codes, size_t group_count,
                                    size_t part_columns, size_t part_count, const float *scales,
                                    const uint8_t *zero_points, float *values) {
  const __m512 integers = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512 numbers = code == CK_CODE_E2M1 ? ck16_numbers_of_e2m1()
                                        : _mm512_sub_ps(integers, _mm512_set1_ps(8));
  float own_zero_points[16];
  for (size_t group = 0; group < group_count; group++) {
    if (code == CK_CODE_UINT4) {
      if (group % 16 == 0) {
        // Those of the next sixteen groups at once.
        size_t rest = group_count - group;
        uint8_t nibbles[8] = {0};
        if (rest >= 16) {
          memcpy(nibbles, zero_points + group / 2, sizeof nibbles);
        } else {
          memcpy(nibbles, zero_points + group / 2, (rest + 1) / 2);
        }
        __m512i lanes = ck16_load_nibbles(nibbles);
        lanes = _mm512_and_si512(lanes, _mm512_set1_epi32(15));
        _mm512_storeu_ps(own_zero_points, _mm512_cvtepi32_ps(lanes));
      }
      numbers = _mm512_sub_ps(integers, _mm512_set1_ps(own_zero_points[group % 16]));
    }
    // Nibbles are looked up among the sixteen values that they can stand for in their group.
    __m512 products = _mm512_mul_ps(numbers, _mm512_set1_ps(scales[group]));
    for (size_t part = 0; part < part_count; part++) {
      ck_prefetch_page_ahead(codes);
#pragma clang loop unroll(full)
      for (size_t i = 0; i < part_columns; i += 16)
        _mm512_storeu_ps(values + i,
                         _mm512_permutexvar_ps(ck16_load_nibbles(codes + i / 2), products));
      codes += part_columns / 2;
      values += part_columns;
    }
  }
}

#define CK_AT_ONCE 16
#define CK_INLINED CK_AVX512_INLINE
#include "dequantize_nibbles.h"

CK_AVX512 void ck_dequantize_row_avx512(ck_code code, const uint8_t *codes, size_t columns,
                                        size_t group_columns, const float *scales,
                                        const uint8_t *zero_points, float *values) {
  if (code != CK_CODE_E4M3 && code != CK_CODE_INT8) {
    dequantize_nibbles(code, codes, columns, group_columns, scales, zero_points, values);
    return;
  }
  if (code == CK_CODE_E4M3 && group_columns == 32) {
    ck_scaled_e4m3(codes, columns, scales, 32, values);
    return;
  }
  for (size_t start = 0, group = 0; start < columns; start += group_columns, group++) {
    size_t end = columns - start < group_columns ? columns : start + group_columns;
    if (code == CK_CODE_E4M3) {
      ck_scaled_e4m3(codes + start, end - start, scales + group, SIZE_MAX, values + start);
      continue;
    }
    __m512 scale = _mm512_set1_ps(scales[group]);
    size_t i = start;
    for (; i + 16 <= end; i += 16) {
      ck_prefetch_page_ahead(codes + i);
      _mm512_storeu_ps(values + i, _mm512_mul_ps(ck16_load_int8(codes + i), scale));
    }
    if (i < end) ck_dequantize_group(code, codes, i, end, scales[group], 0, values);
  }
}

#endif
