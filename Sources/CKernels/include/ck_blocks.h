#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The block types of ggml that have a decoder in gguf-py, by their numbers in GGUF files.
typedef enum {
  CK_BLOCK_Q4_0 = 2,
  CK_BLOCK_Q4_1 = 3,
  CK_BLOCK_Q5_0 = 6,
  CK_BLOCK_Q5_1 = 7,
  CK_BLOCK_Q8_0 = 8,
  CK_BLOCK_Q2_K = 10,
  CK_BLOCK_Q3_K = 11,
  CK_BLOCK_Q4_K = 12,
  CK_BLOCK_Q5_K = 13,
  CK_BLOCK_Q6_K = 14,
  CK_BLOCK_IQ2_XXS = 16,
  CK_BLOCK_IQ2_XS = 17,
  CK_BLOCK_IQ3_XXS = 18,
  CK_BLOCK_IQ1_S = 19,
  CK_BLOCK_IQ4_NL = 20,
  CK_BLOCK_IQ3_S = 21,
  CK_BLOCK_IQ2_S = 22,
  CK_BLOCK_IQ4_XS = 23,
  CK_BLOCK_IQ1_M = 29,
  CK_BLOCK_TQ1_0 = 34,
  CK_BLOCK_TQ2_0 = 35,
  CK_BLOCK_MXFP4 = 39,
  CK_BLOCK_NVFP4 = 40,
} ck_block_type;

// Decodes blocks that follow each other, with the operations of gguf-py in their order, so that the
// bits are the same. -1, and nothing decoded, for a type that is none of these.
int ck_decode_blocks(ck_block_type type, const uint8_t *blocks, size_t block_count, float *values);

#ifdef __cplusplus
}
#endif
