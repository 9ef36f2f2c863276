// Arithmetic of the small floating-point formats, shared by the kernels. Private to CKernels.
#pragma once

#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

/// 1.5·2^23: adding it to a number of at most 2^22 and taking it away rounds to nearest even.
#define CK_ROUNDING_MAGIC 12582912.0f

/// A format of one sign bit, some exponent bits, `mantissa_bits` mantissa bits and no infinities.
typedef struct {
  int mantissa_bits;
  /// The exponent of the smallest normal number: 2^minimum_exponent.
  int minimum_exponent;
  /// The largest finite number.
  float maximum;
  /// The position of the sign bit in a code.
  int sign_shift;
} ck_minifloat;

#define CK_E4M3 ((ck_minifloat){3, -6, 448.0f, 7})
#define CK_E2M1 ((ck_minifloat){1, 0, 6.0f, 3})

static inline uint32_t ck_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float ck_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline float ck_magnitude(float value) { return ck_float(ck_bits(value) & 0x7FFFFFFFu); }

/// Rounds a magnitude of at most `format.maximum` to the format's grid, ties to even: adding and
/// taking away a power of two leaves as many mantissa bits as the format has.
static inline float ck_round_to_grid(float magnitude, ck_minifloat format) {
  uint32_t exponent = ck_bits(magnitude) & 0x7F800000u;
  uint32_t least = (uint32_t)(127 + format.minimum_exponent) << 23;
  if (exponent < least) exponent = least;
  float magic = ck_float(exponent + ((uint32_t)(23 - format.mantissa_bits) << 23));
  return (magnitude + magic) - magic;
}

/// The code, without sign, of a magnitude that lies on the grid.
static inline uint32_t ck_code_of_grid(float magnitude, ck_minifloat format) {
  uint32_t bits = ck_bits(magnitude);
  int bias = 127 + format.minimum_exponent;
  if (bits < (uint32_t)bias << 23) {
    // A subnormal: its code counts the grid's steps.
    float steps = ck_float((uint32_t)(127 + format.mantissa_bits - format.minimum_exponent) << 23);
    return (uint32_t)(magnitude * steps);
  }
  return (bits >> (23 - format.mantissa_bits)) - ((uint32_t)(bias - 1) << format.mantissa_bits);
}

/// The code of a finite or infinite value: rounded to nearest even, saturated.
static inline uint32_t ck_code_of(float value, ck_minifloat format) {
  float magnitude = ck_magnitude(value);
  if (magnitude > format.maximum) magnitude = format.maximum;
  uint32_t sign = ck_bits(value) >> 31 << format.sign_shift;
  return sign | ck_code_of_grid(ck_round_to_grid(magnitude, format), format);
}

static inline float ck_value_of_e4m3(uint8_t code) {
  uint32_t sign = (uint32_t)(code & 0x80) << 24;
  uint32_t shifted = (uint32_t)(code & 0x7F) << 20;
  if (shifted == 0x07F00000u) return ck_float(sign | 0x7FC00000u);
  // Below the smallest normal: put the mantissa behind 2^-6, and take 2^-6 away again.
  float magnitude = shifted < 0x00800000u ? ck_float(shifted + (121u << 23)) - 0x1p-6f
                                          : ck_float(shifted + (120u << 23));
  return ck_float(sign | ck_bits(magnitude));
}

static inline float ck_value_of_e2m1(uint8_t code) {
  static const float values[16] = {0.0f,  0.5f,  1.0f,  1.5f,  2.0f,  3.0f,  4.0f,  6.0f,
                                   -0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f};
  return values[code & 15];
}

static inline float ck_value_of_e8m0(uint8_t code) {
  if (code == 0xFF) return ck_float(0x7FC00000u);
  // 2^-127 is subnormal in Float32.
  return ck_float(code == 0 ? 0x00400000u : (uint32_t)code << 23);
}

static inline uint16_t ck_bf16_of(float value) {
  uint32_t bits = ck_bits(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7FFFu + (bits >> 16 & 1)) >> 16);
}

static inline float ck_value_of_bf16(uint16_t code) { return ck_float((uint32_t)code << 16); }

static inline float ck_value_of_f16(uint16_t code) {
  uint32_t sign = (uint32_t)(code & 0x8000) << 16;
  uint32_t shifted = (uint32_t)(code & 0x7FFF) << 13;
  if (shifted >= 0x0F800000u) {
    uint32_t mantissa = shifted & 0x007FFFFFu;
    return ck_float(sign | 0x7F800000u | mantissa | (mantissa ? 0x00400000u : 0));
  }
  float magnitude = shifted < 0x00800000u ? ck_float(shifted + (113u << 23)) - 0x1p-14f
                                          : ck_float(shifted + (112u << 23));
  return ck_float(sign | ck_bits(magnitude));
}
