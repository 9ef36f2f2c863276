#include "sweep.h"

typedef struct {
  ck_block_type type;
  const uint8_t *blocks;
  size_t block_count;
  size_t value_count;
} blocks;

static void decode(const void *arguments, uint8_t *output) {
  const blocks *given = arguments;
  float *values = (float *)(void *)output;
  ck_decode_blocks(given->type, given->blocks, given->block_count, values);
  // 0 × ∞, ∞ − ∞
  sweep_unify_nans(values, given->value_count);
}

void sweep_blocks(void) {
  static const struct {
    ck_block_type type;
    size_t byte_count, value_count;
  } types[] = {
      {CK_BLOCK_Q4_0, 18, 32},     {CK_BLOCK_Q4_1, 20, 32},    {CK_BLOCK_Q5_0, 22, 32},
      {CK_BLOCK_Q5_1, 24, 32},     {CK_BLOCK_Q8_0, 34, 32},    {CK_BLOCK_Q2_K, 84, 256},
      {CK_BLOCK_Q3_K, 110, 256},   {CK_BLOCK_Q4_K, 144, 256},  {CK_BLOCK_Q5_K, 176, 256},
      {CK_BLOCK_Q6_K, 210, 256},   {CK_BLOCK_IQ2_XXS, 66, 256}, {CK_BLOCK_IQ2_XS, 74, 256},
      {CK_BLOCK_IQ3_XXS, 98, 256}, {CK_BLOCK_IQ1_S, 50, 256},  {CK_BLOCK_IQ4_NL, 18, 32},
      {CK_BLOCK_IQ3_S, 110, 256},  {CK_BLOCK_IQ2_S, 82, 256},  {CK_BLOCK_IQ4_XS, 136, 256},
      {CK_BLOCK_IQ1_M, 56, 256},   {CK_BLOCK_TQ1_0, 54, 256},  {CK_BLOCK_TQ2_0, 66, 256},
      {CK_BLOCK_MXFP4, 17, 32},    {CK_BLOCK_NVFP4, 36, 64},
  };
  enum { COUNT = 64 };
  static uint8_t bytes[COUNT * 256];
  for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
    blocks given = {.type = types[t].type,
                    .block_count = COUNT,
                    .value_count = COUNT * types[t].value_count};
    sweep_fill(bytes, COUNT * types[t].byte_count);
    given.blocks = sweep_input(0, bytes, COUNT * types[t].byte_count);
    sweep_compare("ck_decode_blocks", decode, &given, 4 * given.value_count);
  }
}
