// How the twins of x86-64 cut rows of nibbles, written once. Private to CKernels; include it where
// `decode_groups` is, `CK_AT_ONCE`, the number of lanes in a vector, and `CK_INLINED`, what stands
// before an inlined function.

#include "dequantize.h"

/// As ck_dequantize_row, of nibbles. Groups of the sizes that schemes have are all decoded at once.
CK_INLINED void dequantize_nibbles(ck_code code, const uint8_t *codes, size_t columns,
                                   size_t group_columns, const float *scales,
                                   const uint8_t *zero_points, float *values) {
  size_t whole = columns / group_columns;
  if (group_columns == 16) {
    decode_groups(code, codes, whole, 16, 1, scales, zero_points, values);
  } else if (group_columns == 32) {
    decode_groups(code, codes, whole, 32, 1, scales, zero_points, values);
  } else if (group_columns % 64 == 0) {
    decode_groups(code, codes, whole, 64, group_columns / 64, scales, zero_points, values);
  } else {
    whole = 0;
  }
  for (size_t group = whole; group * group_columns < columns; group++) {
    size_t i = group * group_columns;
    size_t end = columns - i < group_columns ? columns : i + group_columns;
    uint8_t zero_point = (uint8_t)ck_zero_point(code, zero_points, group);
    // What starts within a byte is left to the scalar code.
    if (i % 2 == 0) {
      size_t vectors = (end - i) / CK_AT_ONCE;
      decode_groups(code, codes + i / 2, 1, CK_AT_ONCE, vectors, scales + group, &zero_point,
                    values + i);
      i += CK_AT_ONCE * vectors;
    }
    if (i < end) ck_dequantize_group(code, codes, i, end, scales[group], zero_point, values);
  }
}
