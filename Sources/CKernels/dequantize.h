// What the dequantizers of all instruction sets share. Private to CKernels.
#pragma once

#include "ck_quantize.h"
#include "minifloat.h"

#pragma STDC FP_CONTRACT OFF

static inline int ck_nibble(const uint8_t *bytes, size_t index) {
  return index % 2 == 0 ? bytes[index / 2] & 15 : bytes[index / 2] >> 4;
}

/// The zero point of a group; what symmetric nibbles are stored with.
static inline int ck_zero_point(ck_code code, const uint8_t *zero_points, size_t group) {
  return code == CK_CODE_UINT4 ? ck_nibble(zero_points, group) : 8;
}

/// Decodes the weights from `start` to `end` of a row, which share a scale.
void ck_dequantize_group(ck_code code, const uint8_t *codes, size_t start, size_t end, float scale,
                         int zero_point, float *values);
