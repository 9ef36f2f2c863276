// Decoders of one block each of ggml's types. Private to CKernels.
#pragma once

#include "ck_blocks.h"
#include "minifloat.h"

static inline uint16_t ck_block_u16(const uint8_t *bytes) {
  return (uint16_t)(bytes[0] | (uint16_t)bytes[1] << 8);
}

static inline uint32_t ck_block_u32(const uint8_t *bytes) {
  return ck_block_u16(bytes) | (uint32_t)ck_block_u16(bytes + 2) << 16;
}

static inline float ck_block_f16(const uint8_t *bytes) {
  return ck_value_of_f16(ck_block_u16(bytes));
}

/// The 16 numbers that codes of IQ4_NL and IQ4_XS stand for.
static const int8_t ck_iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                         1,    13,   25,  38,  53,  69,  89,  113};

typedef void (*ck_block_decoder)(const uint8_t *block, float *values);

void ck_decode_block_q4_0_portable(const uint8_t *block, float *values);
void ck_decode_block_q4_1_portable(const uint8_t *block, float *values);
void ck_decode_block_q5_0_portable(const uint8_t *block, float *values);
void ck_decode_block_q5_1_portable(const uint8_t *block, float *values);
void ck_decode_block_q8_0_portable(const uint8_t *block, float *values);
void ck_decode_block_iq4_nl_portable(const uint8_t *block, float *values);
void ck_decode_block_mxfp4_portable(const uint8_t *block, float *values);
void ck_decode_block_nvfp4_portable(const uint8_t *block, float *values);

void ck_decode_block_q2_k_portable(const uint8_t *block, float *values);
void ck_decode_block_q3_k_portable(const uint8_t *block, float *values);
void ck_decode_block_q4_k_portable(const uint8_t *block, float *values);
void ck_decode_block_q5_k_portable(const uint8_t *block, float *values);
void ck_decode_block_q6_k_portable(const uint8_t *block, float *values);
void ck_decode_block_iq4_xs_portable(const uint8_t *block, float *values);
void ck_decode_block_tq1_0_portable(const uint8_t *block, float *values);
void ck_decode_block_tq2_0_portable(const uint8_t *block, float *values);

void ck_decode_block_iq2_xxs_portable(const uint8_t *block, float *values);
void ck_decode_block_iq2_xs_portable(const uint8_t *block, float *values);
void ck_decode_block_iq2_s_portable(const uint8_t *block, float *values);
void ck_decode_block_iq3_xxs_portable(const uint8_t *block, float *values);
void ck_decode_block_iq3_s_portable(const uint8_t *block, float *values);
void ck_decode_block_iq1_s_portable(const uint8_t *block, float *values);
void ck_decode_block_iq1_m_portable(const uint8_t *block, float *values);
