// Blocks of 256 elements without a grid. Source: ggml-common.h and ggml-quants.c of ggml, quants.py
// of gguf-py.
#include "blocks.h"

#pragma STDC FP_CONTRACT OFF

void ck_decode_block_q2_k_portable(const uint8_t *block, float *values) {
  const uint8_t *codes = block + 16;
  float scale = ck_block_f16(block + 80), minimum = ck_block_f16(block + 82);
  for (int i = 0; i < 256; i++) {
    uint8_t both = block[i / 16];
    float group_scale = scale * (float)(both & 15), group_minimum = minimum * (float)(both >> 4);
    int code = codes[i / 128 * 32 + i % 32] >> 2 * (i / 32 % 4) & 3;
    float product = group_scale * (float)code;
    values[i] = product - group_minimum;
  }
}

void ck_decode_block_q3_k_portable(const uint8_t *block, float *values) {
  const uint8_t *high = block, *codes = block + 32, *packed = block + 96;
  float scale = ck_block_f16(block + 108);
  for (int i = 0; i < 256; i++) {
    // Six bits for each of 16 groups: four low ones in 8 bytes, two high ones in 4.
    int group = i / 16;
    int low = group < 8 ? packed[group] & 15 : packed[group - 8] >> 4;
    int group_scale = (low | (packed[8 + group % 4] >> 2 * (group / 4) & 3) << 4) - 32;
    int code = codes[i / 128 * 32 + i % 32] >> 2 * (i / 32 % 4) & 3;
    // A high bit of one adds nothing, one of zero takes four away.
    if (!(high[i % 32] >> i / 32 & 1)) code -= 4;
    float product = scale * (float)group_scale;
    values[i] = product * (float)code;
  }
}

/// Scale and minimum, of six bits each, of one of the eight groups of Q4_K and Q5_K.
static void scale_and_minimum(const uint8_t *packed, int group, int *scale, int *minimum) {
  if (group < 4) {
    *scale = packed[group] & 63;
    *minimum = packed[4 + group] & 63;
  } else {
    uint8_t low = packed[4 + group];
    *scale = (low & 15) | (packed[group - 4] >> 2 & 0x30);
    *minimum = low >> 4 | (packed[group] >> 2 & 0x30);
  }
}

/// Q4_K and Q5_K; `high` holds the fifth bits, NULL for none.
static void decode_q45_k(const uint8_t *block, const uint8_t *high, const uint8_t *codes,
                         float *values) {
  float scale = ck_block_f16(block), minimum = ck_block_f16(block + 2);
  for (int group = 0; group < 8; group++) {
    int own_scale, own_minimum;
    scale_and_minimum(block + 4, group, &own_scale, &own_minimum);
    float group_scale = scale * (float)own_scale, group_minimum = minimum * (float)own_minimum;
    for (int i = 0; i < 32; i++) {
      int code = codes[group / 2 * 32 + i] >> 4 * (group % 2) & 15;
      if (high) code |= (high[i] >> group & 1) << 4;
      float product = group_scale * (float)code;
      values[32 * group + i] = product - group_minimum;
    }
  }
}

void ck_decode_block_q4_k_portable(const uint8_t *block, float *values) {
  decode_q45_k(block, NULL, block + 16, values);
}

void ck_decode_block_q5_k_portable(const uint8_t *block, float *values) {
  decode_q45_k(block, block + 16, block + 48, values);
}

void ck_decode_block_q6_k_portable(const uint8_t *block, float *values) {
  const uint8_t *low = block, *high = block + 128, *scales = block + 192;
  float scale = ck_block_f16(block + 208);
  for (int i = 0; i < 256; i++) {
    int half = i / 128;
    int code = low[half * 64 + i % 64] >> 4 * (i / 64 % 2) & 15;
    code |= (high[half * 32 + i % 32] >> 2 * (i / 32 % 4) & 3) << 4;
    float group_scale = scale * (float)(int8_t)scales[i / 16];
    values[i] = group_scale * (float)(code - 32);
  }
}

void ck_decode_block_iq4_xs_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block);
  uint16_t high = ck_block_u16(block + 2);
  for (int group = 0; group < 8; group++) {
    int low = block[4 + group / 2] >> 4 * (group % 2) & 15;
    float group_scale = scale * (float)((low | (high >> 2 * group & 3) << 4) - 32);
    const uint8_t *codes = block + 8 + 16 * group;
    for (int i = 0; i < 32; i++) {
      int code = i < 16 ? codes[i] & 15 : codes[i - 16] >> 4;
      values[32 * group + i] = group_scale * (float)ck_iq4_values[code];
    }
  }
}

void ck_decode_block_tq1_0_portable(const uint8_t *block, float *values) {
  static const uint8_t powers[5] = {1, 3, 9, 27, 81};
  float scale = ck_block_f16(block + 52);
  for (int i = 0; i < 256; i++) {
    // Five digits of base three to a byte, each found as the carry of a product; four in the last.
    int position, digit;
    if (i < 160) {
      position = i % 32, digit = i / 32;
    } else if (i < 240) {
      position = 32 + i % 16, digit = (i - 160) / 16;
    } else {
      position = 48 + i % 4, digit = (i - 240) / 4;
    }
    uint8_t product = (uint8_t)(block[position] * powers[digit]);
    values[i] = scale * (float)((product * 3 >> 8) - 1);
  }
}

void ck_decode_block_tq2_0_portable(const uint8_t *block, float *values) {
  float scale = ck_block_f16(block + 64);
  for (int i = 0; i < 256; i++) {
    int code = block[i / 128 * 32 + i % 32] >> 2 * (i / 32 % 4) & 3;
    values[i] = scale * (float)(code - 1);
  }
}
