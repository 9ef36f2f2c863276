// Scales in the types that they are stored in. Private to CKernels.
#pragma once

#include <math.h>

#include "candidates.h"

#pragma STDC FP_CONTRACT OFF

/// The stored scales nearest to `scales`, not zero, not infinite, and with a finite reciprocal: at
/// least 2^-126 (E8M0: 2^-127; E4M3: its least subnormal).
CK_INLINE ck_ints ck_stored_scales(const ck_quantizer *quantizer, ck_floats scales) {
  ck_floats magnitudes = ck_magnitudes(scales);
  ck_ints signs = ck_sign_bits(scales);
  switch (quantizer->scale) {
  case CK_SCALE_F32: return signs | (ck_ints)ck_max(magnitudes, ck_splat(0x1p-126f));
  case CK_SCALE_BF16: {
    ck_ints bits = (ck_ints)magnitudes;
    ck_ints codes = (bits + ck_splat_int(0x7FFF) + (bits >> 16 & ck_splat_int(1))) >> 16;
    codes = __builtin_elementwise_max(codes, ck_splat_int(0x0080));
    return (signs >> 16 & ck_splat_int(0x8000)) | codes;
  }
  // Rounded down to a power of two.
  case CK_SCALE_E8M0: return (ck_ints)magnitudes >> 23;
  case CK_SCALE_E4M3: {
    magnitudes = ck_min(magnitudes / ck_splat(quantizer->global_scale), ck_splat(448.0f));
    ck_ints codes = ck_code_of_grid16(ck_round_to_grid16(magnitudes, CK_E4M3), CK_E4M3);
    return __builtin_elementwise_max(codes, ck_splat_int(1));
  }
  }
  return (ck_ints){0};
}

/// The stored scales `steps` further from zero (nearer, if negative), within the bounds of
/// `ck_stored_scales`. Float32 has no such neighbours.
CK_INLINE ck_ints ck_stepped_scales(const ck_quantizer *quantizer, ck_ints stored, int steps) {
  ck_ints signs = {0};
  int least = 0, greatest = 0;
  switch (quantizer->scale) {
  case CK_SCALE_F32: return stored;
  case CK_SCALE_BF16:
    signs = stored & ck_splat_int(0x8000);
    least = 0x0080;
    greatest = 0x7F7F;
    break;
  case CK_SCALE_E8M0: greatest = 254; break;
  case CK_SCALE_E4M3:
    least = 1;
    greatest = 0x7E;
    break;
  }
  ck_ints codes = (stored ^ signs) + ck_splat_int(steps);
  codes = __builtin_elementwise_max(codes, ck_splat_int(least));
  return __builtin_elementwise_min(codes, ck_splat_int(greatest)) | signs;
}

static inline size_t ck_bit_count(ck_code code) {
  return code == CK_CODE_E4M3 || code == CK_CODE_INT8 ? 8 : 4;
}

static inline size_t ck_scale_byte_count(ck_scale scale) {
  return scale == CK_SCALE_F32 ? 4 : scale == CK_SCALE_BF16 ? 2 : 1;
}

static inline void ck_store_scale(ck_scale scale, uint32_t stored, uint8_t *bytes) {
  switch (scale) {
  case CK_SCALE_F32: memcpy(bytes, &stored, 4); break;
  case CK_SCALE_BF16: memcpy(bytes, &stored, 2); break;
  case CK_SCALE_E8M0:
  case CK_SCALE_E4M3: *bytes = (uint8_t)stored; break;
  }
}

/// The numbers that stored scales stand for, global scale included.
CK_INLINE ck_floats ck_values_of_scales(const ck_quantizer *quantizer, ck_ints stored) {
  switch (quantizer->scale) {
  case CK_SCALE_F32: return (ck_floats)stored;
  case CK_SCALE_BF16: return (ck_floats)(stored << 16);
  case CK_SCALE_E8M0:
    return (ck_floats)(stored == ck_splat_int(0) ? ck_splat_int(0x00400000) : stored << 23);
  case CK_SCALE_E4M3: return ck_values_of_e4m3(stored) * ck_splat(quantizer->global_scale);
  }
  return (ck_floats){0};
}

/// Scales, given in their stored type, with the integers that symmetric codes may stand for.
CK_INLINE ck_candidates ck_stored_candidates(const ck_quantizer *quantizer, ck_ints stored) {
  ck_floats scales = ck_values_of_scales(quantizer, stored);
  int is_byte = quantizer->code == CK_CODE_INT8;
  return (ck_candidates){
      .scales = scales,
      .inverses = ck_splat(1) / scales,
      .lowest = ck_splat(is_byte ? -128 : -8),
      .highest = ck_splat(is_byte ? 127 : 7),
      .stored = stored,
  };
}

/// Sets the zero points, clamped to 0…15 and rounded.
CK_INLINE void ck_set_zero_points(ck_candidates *candidates, ck_floats zero_points) {
  const ck_floats magic = ck_splat(CK_ROUNDING_MAGIC);
  zero_points = ck_min(ck_max(zero_points, ck_splat(0)), ck_splat(15));
  zero_points = (zero_points + magic) - magic;
  candidates->zero_points = __builtin_convertvector(zero_points, ck_ints);
  candidates->lowest = -zero_points;
  candidates->highest = ck_splat(15) - zero_points;
}
