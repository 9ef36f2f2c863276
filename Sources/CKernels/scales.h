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

/// Sets scales, given in their stored type: what they stand for, their reciprocals and the integers
/// that symmetric codes may stand for.
static inline void ck_set_stored(const ck_quantizer *quantizer, ck_candidates *candidates,
                                 int count) {
  candidates->count = count;
  if (quantizer->scale == CK_SCALE_BF16) {
    // The same for all, so that the compiler uses vectors.
    for (int i = 0; i < CK_CANDIDATES; i++)
      candidates->scales[i] = ck_float(candidates->stored[i] << 16);
  } else {
    for (int i = 0; i < count; i++)
      candidates->scales[i] = ck_value_of_scale(quantizer, candidates->stored[i]);
  }
  for (int i = count; i < CK_CANDIDATES; i++) candidates->scales[i] = 1;
  for (int i = 0; i < CK_CANDIDATES; i++) candidates->inverses[i] = 1.0f / candidates->scales[i];
  float lowest = quantizer->code == CK_CODE_INT8 ? -128 : -8;
  float highest = quantizer->code == CK_CODE_INT8 ? 127 : 7;
  for (int i = 0; i < CK_CANDIDATES; i++) {
    candidates->zero_points[i] = 0;
    candidates->lowest[i] = lowest;
    candidates->highest[i] = highest;
  }
}

/// Sets the scales nearest to those wanted.
static inline void ck_set_scales(const ck_quantizer *quantizer, ck_candidates *candidates,
                                 const float *wanted, int count) {
  if (quantizer->scale == CK_SCALE_BF16) {
    for (int i = 0; i < CK_CANDIDATES; i++) {
      uint32_t bits = ck_bits(i < count ? wanted[i] : 1.0f);
      // As ck_stored_scale; scales are finite.
      uint32_t code = ((bits & 0x7FFFFFFFu) + 0x7FFFu + (bits >> 16 & 1)) >> 16;
      candidates->stored[i] = (bits >> 31 << 15) | (code < 0x0080 ? 0x0080 : code);
    }
  } else {
    for (int i = 0; i < count; i++) candidates->stored[i] = ck_stored_scale(quantizer, wanted[i]);
  }
  ck_set_stored(quantizer, candidates, count);
}

/// Sets the zero point of each candidate, 0…15.
static inline void ck_set_zero_points(ck_candidates *candidates, const float *zero_points) {
  for (int i = 0; i < CK_CANDIDATES; i++) {
    float zero_point = zero_points[i] > 0 ? zero_points[i] : 0;
    zero_point = zero_point < 15 ? zero_point : 15;
    candidates->zero_points[i] = (int)zero_point;
    candidates->lowest[i] = -zero_point;
    candidates->highest[i] = 15 - zero_point;
  }
}

/// For each scale the zero point that loses as much of the range at one end as at the other.
static inline void ck_middle_zero_points(const ck_block *block, const ck_candidates *candidates,
                                         float *zero_points) {
  const float magic = 12582912.0f;  // rounds to nearest even, see quantize_portable.c
  float sum = (block->minimum + block->maximum) * 0.5f;
  for (int i = 0; i < CK_CANDIDATES; i++) {
    float middle = 7.5f - sum * candidates->inverses[i];
    zero_points[i] = (middle + magic) - magic;
  }
}

/// The one scale nearest to `scale`, which needs no comparison.
static inline ck_choice ck_only_choice(const ck_quantizer *quantizer, float scale,
                                       int zero_point) {
  ck_choice choice = {.stored = ck_stored_scale(quantizer, scale), .zero_point = zero_point};
  choice.scale = ck_value_of_scale(quantizer, choice.stored);
  choice.inverse = 1.0f / choice.scale;
  int is_unsigned = quantizer->code == CK_CODE_UINT4;
  int is_byte = quantizer->code == CK_CODE_INT8;
  choice.lowest = is_unsigned ? (float)-zero_point : is_byte ? -128 : -8;
  choice.highest = is_unsigned ? (float)(15 - zero_point) : is_byte ? 127 : 7;
  return choice;
}
