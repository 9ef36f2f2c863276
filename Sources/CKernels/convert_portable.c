#include "ck_convert.h"
#include "minifloat.h"

#pragma STDC FP_CONTRACT OFF

static uint16_t load16(const uint8_t *bytes) {
  return (uint16_t)(bytes[0] | (uint16_t)bytes[1] << 8);
}

void ck_decode_bf16_portable(const uint8_t *codes, size_t count, float *values) {
  for (size_t i = 0; i < count; i++) values[i] = ck_value_of_bf16(load16(codes + 2 * i));
}

void ck_decode_f16_portable(const uint8_t *codes, size_t count, float *values) {
  for (size_t i = 0; i < count; i++) values[i] = ck_value_of_f16(load16(codes + 2 * i));
}

void ck_decode_e4m3_portable(const uint8_t *codes, size_t count, float *values) {
  for (size_t i = 0; i < count; i++) values[i] = ck_value_of_e4m3(codes[i]);
}

void ck_decode_e5m2_portable(const uint8_t *codes, size_t count, float *values) {
  // E5M2 is the upper half of a Float16.
  for (size_t i = 0; i < count; i++) values[i] = ck_value_of_f16((uint16_t)(codes[i] << 8));
}

void ck_decode_e8m0_portable(const uint8_t *codes, size_t count, float *values) {
  for (size_t i = 0; i < count; i++) values[i] = ck_value_of_e8m0(codes[i]);
}

void ck_decode_e2m1_portable(const uint8_t *codes, size_t count, float *values) {
  for (size_t i = 0; i < count; i++)
    values[i] = ck_value_of_e2m1((uint8_t)(i % 2 == 0 ? codes[i / 2] & 15 : codes[i / 2] >> 4));
}

void ck_decode_int8_portable(const uint8_t *codes, size_t count, float *values) {
  for (size_t i = 0; i < count; i++) values[i] = (float)(int8_t)codes[i];
}

void ck_decode_f64(const uint8_t *codes, size_t count, float *values) {
  for (size_t i = 0; i < count; i++) {
    double value;
    memcpy(&value, codes + 8 * i, sizeof value);
    values[i] = (float)value;
  }
}

void ck_encode_bf16_portable(const float *values, size_t count, uint8_t *codes) {
  for (size_t i = 0; i < count; i++) {
    uint16_t code = ck_bf16_of(values[i]);
    codes[2 * i] = (uint8_t)code;
    codes[2 * i + 1] = (uint8_t)(code >> 8);
  }
}

void ck_encode_e4m3_portable(const float *values, size_t count, uint8_t *codes) {
  for (size_t i = 0; i < count; i++) {
    if (values[i] != values[i]) {
      codes[i] = (uint8_t)(0x7F | ck_bits(values[i]) >> 31 << 7);
    } else {
      codes[i] = (uint8_t)ck_code_of(values[i], CK_E4M3);
    }
  }
}
