#include "ck_convert.h"

#if defined(__aarch64__)

#include "lanes_neon.h"

#pragma STDC FP_CONTRACT OFF

// Every function does whole vectors of sixteen and leaves the rest to its portable twin.

static uint16x8_t load_words(const uint8_t *bytes) { return vreinterpretq_u16_u8(vld1q_u8(bytes)); }

void ck_decode_bf16_neon(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    uint16x8_t first = load_words(codes + 2 * i), second = load_words(codes + 2 * i + 16);
    ck16_store((ck_neon16){{vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(first), 16)),
                            vreinterpretq_f32_u32(vshll_high_n_u16(first, 16)),
                            vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(second), 16)),
                            vreinterpretq_f32_u32(vshll_high_n_u16(second, 16))}},
               values + i);
  }
  ck_decode_bf16_portable(codes + 2 * i, count - i, values + i);
}

void ck_decode_f16_neon(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    ck16_store(ck16_of_f16(load_words(codes + 2 * i), load_words(codes + 2 * i + 16)), values + i);
  ck_decode_f16_portable(codes + 2 * i, count - i, values + i);
}

void ck_decode_e4m3_neon(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) ck16_store(ck16_of_e4m3(codes + i), values + i);
  ck_decode_e4m3_portable(codes + i, count - i, values + i);
}

void ck_decode_e5m2_neon(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    uint8x16_t bytes = vld1q_u8(codes + i);
    ck16_store(ck16_of_f16(vshll_n_u8(vget_low_u8(bytes), 8), vshll_high_n_u8(bytes, 8)),
               values + i);
  }
  ck_decode_e5m2_portable(codes + i, count - i, values + i);
}

void ck_decode_e8m0_neon(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    ck_bytes16 bytes;
    memcpy(&bytes, codes + i, sizeof bytes);
    ck_ints lanes = __builtin_convertvector(bytes, ck_ints);
    // 2^-127 is subnormal; 0xFF is NaN.
    ck_ints is_special = (ck_ints)(lanes == 0) | (ck_ints)(lanes == 0xFF);
    ck_store((ck_floats)(lanes << 23 | (is_special & 0x00400000)), values + i);
  }
  ck_decode_e8m0_portable(codes + i, count - i, values + i);
}

void ck_decode_e2m1_neon(const uint8_t *codes, size_t count, float *values) {
  const ck_neon_nibbles table = ck_nibbles_of_e2m1();
  size_t i = 0;
  for (; i + 16 <= count; i += 16) ck16_store(ck16_of_nibbles(table, codes + i / 2), values + i);
  ck_decode_e2m1_portable(codes + i / 2, count - i, values + i);
}

void ck_decode_int8_neon(const uint8_t *codes, size_t count, float *values) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    ck16_store(ck16_of_int8(vreinterpretq_s8_u8(vld1q_u8(codes + i))), values + i);
  ck_decode_int8_portable(codes + i, count - i, values + i);
}

/// As ck_bf16_of, of four values.
static uint16x4_t bf16_of(const float *values) {
  float32x4_t lanes = vld1q_f32(values);
  uint32x4_t bits = vreinterpretq_u32_f32(lanes);
  uint32x4_t upper = vshrq_n_u32(bits, 16);
  uint32x4_t half = vaddq_u32(vandq_u32(upper, vdupq_n_u32(1)), vdupq_n_u32(0x7FFF));
  uint16x4_t rounded = vshrn_n_u32(vaddq_u32(bits, half), 16);
  uint16x4_t nan = vmovn_u32(vorrq_u32(upper, vdupq_n_u32(0x40)));
  return vbsl_u16(vmovn_u32(vceqq_f32(lanes, lanes)), rounded, nan);
}

void ck_encode_bf16_neon(const float *values, size_t count, uint8_t *codes) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (size_t part = i; part < i + 16; part += 8) {
      uint16x8_t words = vcombine_u16(bf16_of(values + part), bf16_of(values + part + 4));
      vst1q_u8(codes + 2 * part, vreinterpretq_u8_u16(words));
    }
  }
  ck_encode_bf16_portable(values + i, count - i, codes + 2 * i);
}

void ck_encode_e4m3_neon(const float *values, size_t count, uint8_t *codes) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    ck_floats lanes = ck_load(values + i);
    ck_floats magnitudes = ck_min(ck_magnitudes(lanes), ck_splat(CK_E4M3.maximum));
    ck_ints code = ck_code_of_grid16(ck_round_to_grid16(magnitudes, CK_E4M3), CK_E4M3);
    code |= (ck_ints)(lanes != lanes) & 0x7F;
    ck_store_bytes(code | (ck_sign_bits(lanes) >> 24 & 0x80), codes + i);
  }
  ck_encode_e4m3_portable(values + i, count - i, codes + i);
}

#endif
