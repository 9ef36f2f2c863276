// Scales in the types that they are stored in. Private to CKernels.
#pragma once

#include <math.h>

#include "candidates.h"

#pragma STDC FP_CONTRACT OFF

/// The number that a stored scale stands for, global scale included.
static inline float ck_value_of_scale(const ck_quantizer *quantizer, uint32_t stored) {
  switch (quantizer->scale) {
  case CK_SCALE_F32: return ck_float(stored);
  case CK_SCALE_BF16: return ck_value_of_bf16((uint16_t)stored);
  case CK_SCALE_E8M0: return ck_value_of_e8m0((uint8_t)stored);
  case CK_SCALE_E4M3: return ck_value_of_e4m3((uint8_t)stored) * quantizer->global_scale;
  }
  return 1.0f;
}

/// The stored scale nearest to `scale`, not zero, not infinite, and with a finite reciprocal: at
/// least 2^-126 (E8M0: 2^-127; E4M3: its least subnormal).
static inline uint32_t ck_stored_scale(const ck_quantizer *quantizer, float scale) {
  float magnitude = ck_magnitude(scale);
  uint32_t sign = ck_bits(scale) & 0x80000000u;
  switch (quantizer->scale) {
  case CK_SCALE_F32: return sign | ck_bits(magnitude < 0x1p-126f ? 0x1p-126f : magnitude);
  case CK_SCALE_BF16: {
    uint32_t code = ck_bf16_of(magnitude);
    return sign >> 16 | (code < 0x0080 ? 0x0080 : code);
  }
  case CK_SCALE_E8M0: {
    // Rounded down to a power of two.
    return ck_bits(magnitude) >> 23;
  }
  case CK_SCALE_E4M3: {
    uint32_t code = ck_code_of(magnitude / quantizer->global_scale, CK_E4M3);
    return code == 0 ? 1 : code;
  }
  }
  return 0;
}

/// The stored scale `steps` further from zero (nearer, if negative), within the bounds of
/// `ck_stored_scale`.
static inline uint32_t ck_stepped_scale(const ck_quantizer *quantizer, uint32_t stored, int steps) {
  uint32_t sign = 0;
  int least = 0, greatest = 0;
  switch (quantizer->scale) {
  case CK_SCALE_F32: return stored;
  case CK_SCALE_BF16:
    sign = stored & 0x8000;
    least = 0x0080;
    greatest = 0x7F7F;
    break;
  case CK_SCALE_E8M0: greatest = 254; break;
  case CK_SCALE_E4M3:
    least = 1;
    greatest = 0x7E;
    break;
  }
  int code = (int)(stored ^ sign) + steps;
  return sign | (uint32_t)(code < least ? least : code > greatest ? greatest : code);
}

static inline size_t ck_scale_byte_count(ck_scale scale) {
  return scale == CK_SCALE_F32 ? 4 : scale == CK_SCALE_BF16 ? 2 : 1;
}

static inline void ck_store_scale(ck_scale scale, uint32_t stored, uint8_t *bytes) {
  for (size_t i = 0; i < ck_scale_byte_count(scale); i++) bytes[i] = (uint8_t)(stored >> 8 * i);
}

/// Adds a candidate in its stored type.
static inline void ck_add_stored(const ck_quantizer *quantizer, ck_candidates *candidates,
                                 uint32_t stored, int zero_point) {
  int i = candidates->count++;
  candidates->stored[i] = stored;
  candidates->scales[i] = ck_value_of_scale(quantizer, stored);
  candidates->inverses[i] = 1.0f / candidates->scales[i];
  candidates->zero_points[i] = zero_point;
  switch (quantizer->code) {
  case CK_CODE_INT4:
    candidates->lowest[i] = -8;
    candidates->highest[i] = 7;
    break;
  case CK_CODE_UINT4:
    candidates->lowest[i] = (float)-zero_point;
    candidates->highest[i] = (float)(15 - zero_point);
    break;
  case CK_CODE_INT8:
    candidates->lowest[i] = -128;
    candidates->highest[i] = 127;
    break;
  default: candidates->lowest[i] = candidates->highest[i] = 0; break;
  }
}

/// Adds the candidate nearest to `scale`.
static inline void ck_add_scale(const ck_quantizer *quantizer, ck_candidates *candidates,
                                float scale, int zero_point) {
  ck_add_stored(quantizer, candidates, ck_stored_scale(quantizer, scale), zero_point);
}

/// Adds the candidate nearest to `scale` with the zero point that loses as much of the range at one
/// end as at the other, moved by `offset`.
static inline void ck_add_asymmetric(const ck_quantizer *quantizer, const ck_block *block,
                                     ck_candidates *candidates, float scale, int offset) {
  uint32_t stored = ck_stored_scale(quantizer, scale);
  float rounded = ck_value_of_scale(quantizer, stored);
  float middle = 7.5f - (block->minimum + block->maximum) * 0.5f / rounded;
  int zero_point = (int)rintf(middle) + offset;
  if (zero_point < 0) zero_point = 0;
  if (zero_point > 15) zero_point = 15;
  ck_add_stored(quantizer, candidates, stored, zero_point);
}
