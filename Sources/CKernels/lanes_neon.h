// Float32 lanes of the operations in minifloat.h, for what lanes.h does not reach. Private to
// CKernels; include it where __aarch64__ is defined.
#pragma once

#include <arm_neon.h>

#include "lanes.h"

/// Sixteen Float32.
typedef struct {
  float32x4_t part[4];
} ck_neon16;

CK_INLINE void ck16_store(ck_neon16 lanes, float *values) {
  for (int i = 0; i < 4; i++) vst1q_f32(values + 4 * i, lanes.part[i]);
}

CK_INLINE ck_neon16 ck16_scaled(ck_neon16 lanes, float scale) {
  for (int i = 0; i < 4; i++) lanes.part[i] = vmulq_n_f32(lanes.part[i], scale);
  return lanes;
}

/// What sixteen Float16 stand for.
CK_INLINE ck_neon16 ck16_of_f16(uint16x8_t first, uint16x8_t second) {
  float16x8_t a = vreinterpretq_f16_u16(first), b = vreinterpretq_f16_u16(second);
  return (ck_neon16){{vcvt_f32_f16(vget_low_f16(a)), vcvt_high_f32_f16(a),
                      vcvt_f32_f16(vget_low_f16(b)), vcvt_high_f32_f16(b)}};
}

/// The Float16 of which eight E4M3 codes are 2^8 times as much; NaN stays NaN.
CK_INLINE uint16x8_t ck8_f16_of_e4m3(uint8x8_t codes) {
  uint16x8_t shifted = vshll_n_u8(codes, 7);
  uint16x8_t magnitude = vandq_u16(shifted, vdupq_n_u16(0x3F80));
  uint16x8_t is_nan = vceqq_u16(magnitude, vdupq_n_u16(0x3F80));
  magnitude = vbslq_u16(is_nan, vdupq_n_u16(0x7E00), magnitude);
  uint16x8_t sign = vshlq_n_u16(vandq_u16(shifted, vdupq_n_u16(0x4000)), 1);
  return vorrq_u16(magnitude, sign);
}

/// As ck_value_of_e4m3, of sixteen codes.
CK_INLINE ck_neon16 ck16_of_e4m3(const uint8_t *codes) {
  uint8x16_t bytes = vld1q_u8(codes);
  ck_neon16 lanes = ck16_of_f16(ck8_f16_of_e4m3(vget_low_u8(bytes)),
                                ck8_f16_of_e4m3(vget_high_u8(bytes)));
  return ck16_scaled(lanes, 0x1p8f);
}

CK_INLINE ck_neon16 ck16_of_int8(int8x16_t integers) {
  int16x8_t low = vmovl_s8(vget_low_s8(integers)), high = vmovl_high_s8(integers);
  return (ck_neon16){{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))),
                      vcvtq_f32_s32(vmovl_high_s16(low)),
                      vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))),
                      vcvtq_f32_s32(vmovl_high_s16(high))}};
}

/// What the sixteen codes of four bits stand for: bits 16…23 and 24…31 of Float32, whose other bits
/// are zero.
typedef struct {
  uint8x16_t third_bytes;
  uint8x16_t fourth_bytes;
} ck_neon_nibbles;

CK_INLINE ck_neon_nibbles ck_nibbles_of_e2m1(void) {
  static const uint8_t third[16] = {0x00, 0x00, 0x80, 0xC0, 0x00, 0x40, 0x80, 0xC0,
                                    0x00, 0x00, 0x80, 0xC0, 0x00, 0x40, 0x80, 0xC0};
  static const uint8_t fourth[16] = {0x00, 0x3F, 0x3F, 0x3F, 0x40, 0x40, 0x40, 0x40,
                                     0x80, 0xBF, 0xBF, 0xBF, 0xC0, 0xC0, 0xC0, 0xC0};
  return (ck_neon_nibbles){vld1q_u8(third), vld1q_u8(fourth)};
}

/// Codes less a zero point of 0…15.
CK_INLINE ck_neon_nibbles ck_nibbles_less(int zero_point) {
  // Of −15…15.
  static const uint8_t third[31] = {
      0x70, 0x60, 0x50, 0x40, 0x30, 0x20, 0x10, 0x00, 0xE0, 0xC0, 0xA0, 0x80, 0x40, 0x00, 0x80,
      0x00, 0x80, 0x00, 0x40, 0x80, 0xA0, 0xC0, 0xE0, 0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60,
      0x70};
  static const uint8_t fourth[31] = {
      0xC1, 0xC1, 0xC1, 0xC1, 0xC1, 0xC1, 0xC1, 0xC1, 0xC0, 0xC0, 0xC0, 0xC0, 0xC0, 0xC0, 0xBF,
      0x00, 0x3F, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41,
      0x41};
  return (ck_neon_nibbles){vld1q_u8(third + 15 - zero_point), vld1q_u8(fourth + 15 - zero_point)};
}

/// What sixteen codes in eight bytes stand for, the low nibble of each byte first.
CK_INLINE ck_neon16 ck16_of_nibbles(ck_neon_nibbles table, const uint8_t *codes) {
  uint8x8_t bytes = vld1_u8(codes);
  uint8x8_t low = vand_u8(bytes, vdup_n_u8(15)), high = vshr_n_u8(bytes, 4);
  uint8x16_t indices = vcombine_u8(vzip1_u8(low, high), vzip2_u8(low, high));
  uint8x16_t third = vqtbl1q_u8(table.third_bytes, indices);
  uint8x16_t fourth = vqtbl1q_u8(table.fourth_bytes, indices);
  uint16x8_t first = vreinterpretq_u16_u8(vzip1q_u8(third, fourth));
  uint16x8_t second = vreinterpretq_u16_u8(vzip2q_u8(third, fourth));
  return (ck_neon16){{vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(first), 16)),
                      vreinterpretq_f32_u32(vshll_high_n_u16(first, 16)),
                      vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(second), 16)),
                      vreinterpretq_f32_u32(vshll_high_n_u16(second, 16))}};
}
