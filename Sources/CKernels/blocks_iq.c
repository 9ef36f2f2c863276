// Blocks of 256 elements whose codes choose points of a grid. Source: ggml-common.h and
// ggml-quants.c of ggml, quants.py of gguf-py.
#include "blocks.h"
#include "ggml_grids.h"

#pragma STDC FP_CONTRACT OFF

static const float iq2_values[4] = {8, 25, 43, 0};
static const float iq3_xxs_values[8] = {4, 12, 20, 28, 36, 44, 52, 62};

/// Eight signs from seven bits: the number of minus signs is even.
static uint8_t even_signs(uint32_t bits) {
  bits &= 127;
  return (uint8_t)(bits | (uint32_t)__builtin_parity(bits) << 7);
}

static float with_sign(float value, uint8_t signs, int i) {
  return signs >> i & 1 ? value * -1.0f : value;
}

/// Eight elements of the IQ2 types.
static void decode_iq2(float scale, uint16_t point, uint8_t signs, float *values) {
  for (int i = 0; i < 8; i++)
    values[i] = with_sign(scale * iq2_values[point >> 2 * i & 3], signs, i);
}

void ck_decode_block_iq2_xxs_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block);
  for (int group = 0; group < 8; group++) {
    const uint8_t *codes = block + 2 + 8 * group;
    uint32_t rest = ck_block_u32(codes + 4);
    float group_scale = scale * (0.5f + (float)(rest >> 28)) * 0.25f;
    for (int i = 0; i < 4; i++)
      decode_iq2(group_scale, ck_grid_iq2_xxs[codes[i]], even_signs(rest >> 7 * i),
                 values + 32 * group + 8 * i);
  }
}

void ck_decode_block_iq2_xs_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block);
  for (int i = 0; i < 32; i++) {
    uint16_t code = ck_block_u16(block + 2 + 2 * i);
    int own = block[66 + i / 4] >> 4 * (i / 2 % 2) & 15;
    float group_scale = scale * (0.5f + (float)own) * 0.25f;
    decode_iq2(group_scale, ck_grid_iq2_xs[code & 511], even_signs(code >> 9), values + 8 * i);
  }
}

void ck_decode_block_iq2_s_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block);
  for (int i = 0; i < 32; i++) {
    int point = block[2 + i] | (block[66 + i / 4] >> 2 * (i % 4) & 3) << 8;
    int own = block[74 + i / 4] >> 4 * (i / 2 % 2) & 15;
    float group_scale = scale * (0.5f + (float)own) * 0.25f;
    decode_iq2(group_scale, ck_grid_iq2_s[point], block[34 + i], values + 8 * i);
  }
}

void ck_decode_block_iq3_xxs_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block);
  for (int i = 0; i < 256; i++) {
    uint32_t rest = ck_block_u32(block + 66 + i / 32 * 4);
    float group_scale = scale * (0.5f + (float)(rest >> 28)) * 0.5f;
    uint16_t point = ck_grid_iq3_xxs[block[2 + i / 4]];
    float product = group_scale * iq3_xxs_values[point >> 4 * (i % 4) & 7];
    values[i] = with_sign(product, even_signs(rest >> 7 * (i / 8 % 4)), i % 8);
  }
}

void ck_decode_block_iq3_s_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block);
  for (int i = 0; i < 256; i++) {
    int own = block[106 + i / 64] >> 4 * (i / 32 % 2) & 15;
    float group_scale = scale * (float)(1 + 2 * own);
    int code = block[2 + i / 4] | (block[66 + i / 32] >> i / 4 % 8 & 1) << 8;
    // The grid's values are the odd numbers up to 15.
    int place = ck_grid_iq3_s[code] >> 4 * (i % 4) & 7;
    values[i] = with_sign(group_scale * (float)(2 * place + 1), block[74 + i / 8], i % 8);
  }
}

/// Eight elements of the IQ1 types.
static void decode_iq1(float scale, uint16_t point, int is_below, float *values) {
  float delta = is_below ? -0.125f : 0.125f;
  for (int i = 0; i < 8; i++) {
    float shifted = (float)((point >> 2 * i & 3) - 1) + delta;
    values[i] = scale * shifted;
  }
}

void ck_decode_block_iq1_s_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block);
  for (int i = 0; i < 32; i++) {
    uint16_t rest = ck_block_u16(block + 34 + i / 4 * 2);
    float group_scale = scale * (float)(2 * (rest >> 12 & 7) + 1);
    int point = block[2 + i] | (rest >> 3 * (i % 4) & 7) << 8;
    decode_iq1(group_scale, ck_grid_iq1[point], rest >> 15, values + 8 * i);
  }
}

void ck_decode_block_iq1_m_portable(const uint8_t *block, float *values) {
  const uint8_t *scales = block + 48;
  // The block's scale, a Float16, lies in the highest four bits of each word of scales.
  int bits = 0;
  for (int i = 0; i < 4; i++) bits |= ck_block_u16(scales + 2 * i) >> 12 << 4 * i;
  float scale = ck_value_of_f16((uint16_t)bits);
  for (int i = 0; i < 32; i++) {
    int own = ck_block_u16(scales + i / 8 * 2) >> 3 * (i / 2 % 4) & 7;
    int rest = block[32 + i / 2] >> 4 * (i % 2) & 15;
    float group_scale = scale * (float)(2 * own + 1);
    decode_iq1(group_scale, ck_grid_iq1[block[i] | (rest & 7) << 8], rest & 8, values + 8 * i);
  }
}
