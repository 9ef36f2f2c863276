#include "ck_convert.h"
#include "ck_quantize.h"
#include "minifloat.h"

#pragma STDC FP_CONTRACT OFF

static int nibble(const uint8_t *bytes, size_t index) {
  return index % 2 == 0 ? bytes[index / 2] & 15 : bytes[index / 2] >> 4;
}

/// The weights from `start` to `end` of a row, which share a scale.
static void decode_group(ck_code code, const uint8_t *codes, size_t start, size_t end, float scale,
                         int zero_point, float *values) {
  for (size_t i = start; i < end; i++) {
    switch (code) {
    case CK_CODE_E4M3: values[i] = ck_value_of_e4m3(codes[i]) * scale; break;
    case CK_CODE_E2M1: values[i] = ck_value_of_e2m1((uint8_t)nibble(codes, i)) * scale; break;
    case CK_CODE_INT8: values[i] = (float)(int8_t)codes[i] * scale; break;
    case CK_CODE_INT4:
    case CK_CODE_UINT4: values[i] = (float)(nibble(codes, i) - zero_point) * scale; break;
    }
  }
}

void ck_dequantize_row_portable(ck_code code, const uint8_t *codes, size_t columns,
                                size_t group_columns, const float *scales,
                                const uint8_t *zero_points, float *values) {
  for (size_t start = 0, group = 0; start < columns; start += group_columns, group++) {
    size_t end = columns - start < group_columns ? columns : start + group_columns;
    int zero_point = code == CK_CODE_UINT4 ? nibble(zero_points, group) : 8;
    decode_group(code, codes, start, end, scales[group], zero_point, values);
  }
}

#if defined(__x86_64__)

#include "lanes_avx2.h"

CK_AVX2 void ck_dequantize_row_avx2(ck_code code, const uint8_t *codes, size_t columns,
                                    size_t group_columns, const float *scales,
                                    const uint8_t *zero_points, float *values) {
  for (size_t start = 0, group = 0; start < columns; start += group_columns, group++) {
    size_t end = columns - start < group_columns ? columns : start + group_columns;
    int zero_point = code == CK_CODE_UINT4 ? nibble(zero_points, group) : 8;
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
    decode_group(code, codes, i, end, scales[group], zero_point, values);
  }
}

#endif

#if defined(__x86_64__)

#include <immintrin.h>

/// Nibbles are looked up among the sixteen values that they can stand for.
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))) void ck_dequantize_row_avx512(
    ck_code code, const uint8_t *codes, size_t columns, size_t group_columns, const float *scales,
    const uint8_t *zero_points, float *values) {
  if (code == CK_CODE_E4M3) {
    for (size_t start = 0, group = 0; start < columns; start += group_columns, group++) {
      size_t end = columns - start < group_columns ? columns : start + group_columns;
      size_t done =
          start + ck_scale_e4m3_avx512(codes + start, end - start, scales[group], values + start);
      decode_group(code, codes, done, end, scales[group], 0, values);
    }
    return;
  }
  if (code == CK_CODE_INT8) {
    ck_dequantize_row_avx2(code, codes, columns, group_columns, scales, zero_points, values);
    return;
  }
  const __m512 numbers = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512 e2m1 = _mm512_setr_ps(0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f, -0.0f, -0.5f,
                                     -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f);
  // The lower nibbles are in the first vector, the upper ones in the second.
  const __m512i first =
      _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
  for (size_t start = 0, group = 0; start < columns; start += group_columns, group++) {
    size_t end = columns - start < group_columns ? columns : start + group_columns;
    int zero_point = code == CK_CODE_UINT4 ? nibble(zero_points, group) : 8;
    __m512 number =
        code == CK_CODE_E2M1 ? e2m1 : _mm512_sub_ps(numbers, _mm512_set1_ps((float)zero_point));
    __m512 table = _mm512_mul_ps(number, _mm512_set1_ps(scales[group]));
    size_t i = start;
    // What is read a kilobyte later is not on its way yet.
    _mm_prefetch((const char *)codes + i / 2 + 1024, _MM_HINT_T0);
    // A group that starts within a byte is left to the scalar code.
    for (; i % 2 == 0 && i + 32 <= end; i += 32) {
      __m512i bytes =
          _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(codes + i / 2)));
      // The lookup reads four bits.
      __m512 low = _mm512_permutexvar_ps(bytes, table);
      __m512 high = _mm512_permutexvar_ps(_mm512_srli_epi32(bytes, 4), table);
      _mm512_storeu_ps(values + i, _mm512_permutex2var_ps(low, first, high));
      _mm512_storeu_ps(values + i + 16, _mm512_permutex2var_ps(low, second, high));
    }
    if (i < end) decode_group(code, codes, i, end, scales[group], zero_point, values);
  }
}

#endif

#if defined(__aarch64__)

#include "lanes_neon.h"

void ck_dequantize_row_neon(ck_code code, const uint8_t *codes, size_t columns,
                            size_t group_columns, const float *scales, const uint8_t *zero_points,
                            float *values) {
  ck_neon_nibbles table = code == CK_CODE_E2M1 ? ck_nibbles_of_e2m1() : ck_nibbles_less(8);
  for (size_t start = 0, group = 0; start < columns; start += group_columns, group++) {
    size_t end = columns - start < group_columns ? columns : start + group_columns;
    int zero_point = code == CK_CODE_UINT4 ? nibble(zero_points, group) : 8;
    if (code == CK_CODE_UINT4) table = ck_nibbles_less(zero_point);
    size_t i = start;
    switch (code) {
    case CK_CODE_E4M3:
      for (; i + 16 <= end; i += 16)
        ck16_store(ck16_scaled(ck16_of_e4m3(codes + i), scales[group]), values + i);
      break;
    case CK_CODE_INT8:
      for (; i + 16 <= end; i += 16) {
        ck_neon16 lanes = ck16_of_int8(vreinterpretq_s8_u8(vld1q_u8(codes + i)));
        ck16_store(ck16_scaled(lanes, scales[group]), values + i);
      }
      break;
    case CK_CODE_E2M1:
    case CK_CODE_INT4:
    case CK_CODE_UINT4:
      // A group that starts within a byte is left to the scalar code.
      for (; i % 2 == 0 && i + 16 <= end; i += 16)
        ck16_store(ck16_scaled(ck16_of_nibbles(table, codes + i / 2), scales[group]), values + i);
      break;
    }
    decode_group(code, codes, i, end, scales[group], zero_point, values);
  }
}

#endif
