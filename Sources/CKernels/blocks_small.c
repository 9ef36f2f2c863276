// Blocks of 32 or 64 elements. Source: ggml-common.h and ggml-quants.c of ggml, quants.py of
// gguf-py.
#include "blocks.h"

#pragma STDC FP_CONTRACT OFF

/// Element i of 32: low nibbles first, then high ones.
static int nibble(const uint8_t *codes, int i) {
  return i < 16 ? codes[i] & 15 : codes[i - 16] >> 4;
}

/// As `nibble`, with a fifth bit each.
static int five_bits(const uint8_t *codes, uint32_t high, int i) {
  return nibble(codes, i) | (int)(high >> i & 1) << 4;
}

void ck_decode_block_q4_0_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block);
  for (int i = 0; i < 32; i++) values[i] = scale * (float)(nibble(block + 2, i) - 8);
}

void ck_decode_block_q4_1_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block), minimum = ck_block_f16(block + 2);
  for (int i = 0; i < 32; i++) {
    float product = scale * (float)nibble(block + 4, i);
    values[i] = product + minimum;
  }
}

void ck_decode_block_q5_0_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block);
  uint32_t high = ck_block_u32(block + 2);
  for (int i = 0; i < 32; i++) values[i] = scale * (float)(five_bits(block + 6, high, i) - 16);
}

void ck_decode_block_q5_1_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block), minimum = ck_block_f16(block + 2);
  uint32_t high = ck_block_u32(block + 4);
  for (int i = 0; i < 32; i++) {
    float product = scale * (float)five_bits(block + 8, high, i);
    values[i] = product + minimum;
  }
}

void ck_decode_block_q8_0_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block);
  for (int i = 0; i < 32; i++) values[i] = (float)(int8_t)block[2 + i] * scale;
}

void ck_decode_block_iq4_nl_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block);
  for (int i = 0; i < 32; i++) values[i] = scale * (float)ck_iq4_values[nibble(block + 2, i)];
}

/// The magnitudes of E2M1, doubled.
static const int8_t doubled_e2m1[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                        0, -1, -2, -3, -4, -6, -8, -12};

void ck_decode_block_mxfp4_portable(const uint8_t *block, float *values) {
  // Half the scale, for doubled magnitudes: 2^(byte − 128).
  uint32_t exponent = block[0];
  float half = ck_float(exponent < 2 ? 0x00200000u << exponent : (exponent - 1) << 23);
  for (int i = 0; i < 32; i++) values[i] = half * (float)doubled_e2m1[nibble(block + 1, i)];
}

void ck_decode_block_nvfp4_portable(const uint8_t *block, float *values) {
  for (int group = 0; group < 4; group++) {
    // E4M3 without a sign, whose bit is not looked at. 0x7F counts as zero.
    uint8_t code = block[group];
    int exponent = code >> 3 & 15;
    float mantissa = (float)(code & 7);
    float scale = exponent == 0 ? mantissa * 0x1p-9f
                                : (1.0f + mantissa * 0.125f) *
                                      ck_float((uint32_t)(exponent - 7 + 127) << 23);
    float half = code == 0x7F ? 0.0f : scale * 0.5f;
    const uint8_t *codes = block + 4 + 8 * group;
    for (int i = 0; i < 16; i++) {
      int element = i < 8 ? codes[i] & 15 : codes[i - 8] >> 4;
      values[16 * group + i] = half * (float)doubled_e2m1[element];
    }
  }
}
