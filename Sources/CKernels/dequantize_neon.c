#include "dequantize.h"

#if defined(__aarch64__)

#include "lanes_neon.h"

#pragma STDC FP_CONTRACT OFF

void ck_dequantize_row_neon(ck_code code, const uint8_t *codes, size_t columns,
                            size_t group_columns, const float *scales, const uint8_t *zero_points,
                            float *values) {
  ck_neon_nibbles table = code == CK_CODE_E2M1 ? ck_nibbles_of_e2m1() : ck_nibbles_less(8);
  for (size_t start = 0, group = 0; start < columns; start += group_columns, group++) {
    size_t end = columns - start < group_columns ? columns : start + group_columns;
    int zero_point = ck_zero_point(code, zero_points, group);
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
    if (i < end) ck_dequantize_group(code, codes, i, end, scales[group], zero_point, values);
  }
}

#endif
