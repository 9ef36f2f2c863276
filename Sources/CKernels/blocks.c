#include "blocks.h"

#pragma STDC FP_CONTRACT OFF

typedef struct {
  ck_block_decoder decode;
  size_t block_bytes;
  size_t block_elements;
} ck_block_kind;

static ck_block_kind kind_of(ck_block_type type) {
  switch (type) {
    case CK_BLOCK_Q4_0: return (ck_block_kind){ck_decode_block_q4_0_portable, 18, 32};
    case CK_BLOCK_Q4_1: return (ck_block_kind){ck_decode_block_q4_1_portable, 20, 32};
    case CK_BLOCK_Q5_0: return (ck_block_kind){ck_decode_block_q5_0_portable, 22, 32};
    case CK_BLOCK_Q5_1: return (ck_block_kind){ck_decode_block_q5_1_portable, 24, 32};
    case CK_BLOCK_Q8_0: return (ck_block_kind){ck_decode_block_q8_0_portable, 34, 32};
    case CK_BLOCK_Q2_K: return (ck_block_kind){ck_decode_block_q2_k_portable, 84, 256};
    case CK_BLOCK_Q3_K: return (ck_block_kind){ck_decode_block_q3_k_portable, 110, 256};
    case CK_BLOCK_Q4_K: return (ck_block_kind){ck_decode_block_q4_k_portable, 144, 256};
    case CK_BLOCK_Q5_K: return (ck_block_kind){ck_decode_block_q5_k_portable, 176, 256};
    case CK_BLOCK_Q6_K: return (ck_block_kind){ck_decode_block_q6_k_portable, 210, 256};
    case CK_BLOCK_IQ2_XXS: return (ck_block_kind){ck_decode_block_iq2_xxs_portable, 66, 256};
    case CK_BLOCK_IQ2_XS: return (ck_block_kind){ck_decode_block_iq2_xs_portable, 74, 256};
    case CK_BLOCK_IQ3_XXS: return (ck_block_kind){ck_decode_block_iq3_xxs_portable, 98, 256};
    case CK_BLOCK_IQ1_S: return (ck_block_kind){ck_decode_block_iq1_s_portable, 50, 256};
    case CK_BLOCK_IQ4_NL: return (ck_block_kind){ck_decode_block_iq4_nl_portable, 18, 32};
    case CK_BLOCK_IQ3_S: return (ck_block_kind){ck_decode_block_iq3_s_portable, 110, 256};
    case CK_BLOCK_IQ2_S: return (ck_block_kind){ck_decode_block_iq2_s_portable, 82, 256};
    case CK_BLOCK_IQ4_XS: return (ck_block_kind){ck_decode_block_iq4_xs_portable, 136, 256};
    case CK_BLOCK_IQ1_M: return (ck_block_kind){ck_decode_block_iq1_m_portable, 56, 256};
    case CK_BLOCK_TQ1_0: return (ck_block_kind){ck_decode_block_tq1_0_portable, 54, 256};
    case CK_BLOCK_TQ2_0: return (ck_block_kind){ck_decode_block_tq2_0_portable, 66, 256};
    case CK_BLOCK_MXFP4: return (ck_block_kind){ck_decode_block_mxfp4_portable, 17, 32};
    case CK_BLOCK_NVFP4: return (ck_block_kind){ck_decode_block_nvfp4_portable, 36, 64};
  }
  return (ck_block_kind){NULL, 0, 0};
}

int ck_decode_blocks(ck_block_type type, const uint8_t *blocks, size_t block_count,
                     float *values) {
  ck_block_kind kind = kind_of(type);
  if (kind.decode == NULL) return -1;
  for (size_t i = 0; i < block_count; i++)
    kind.decode(blocks + i * kind.block_bytes, values + i * kind.block_elements);
  return 0;
}
