#include "candidates.h"
#include "statistics_portable.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

// 1.5·2^23: adding it to a magnitude of at most 2^22 and taking it away rounds to nearest even.
#define ROUNDING_MAGIC 12582912.0f

static inline void block_extremes(ck_block *block) {
  float minimum = 0, maximum = 0;
  int has_nonfinite = 0;
  for (size_t row = 0; row < block->rows; row++) {
    const float *values = block->values + row * block->stride;
    for (size_t i = 0; i < block->columns; i++) {
      float value = values[i];
      if ((ck_bits(value) & 0x7F800000u) == 0x7F800000u) {
        has_nonfinite = 1;
        value = 0;
      }
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
    }
  }
  // The largest scales and their multiples stay finite.
  block->minimum = minimum < -0x1p125f ? -0x1p125f : minimum;
  block->maximum = maximum > 0x1p125f ? 0x1p125f : maximum;
  block->has_nonfinite = has_nonfinite;
}

/// Adds x·q and q² for q = clamp(round(x / scale)).
static inline void add_integer_sums(const float *values, size_t count,
                                    const ck_candidates *candidates, float *products,
                                    float *squares) {
  for (size_t i = 0; i < count; i++) {
    float value = values[i];
    for (int c = 0; c < CK_CANDIDATES; c++) {
      float code = value * candidates->inverses[c];
      code = code > candidates->lowest[c] ? code : candidates->lowest[c];
      code = code < candidates->highest[c] ? code : candidates->highest[c];
      code = (code + ROUNDING_MAGIC) - ROUNDING_MAGIC;
      products[c] += value * code;
      squares[c] += code * code;
    }
  }
}

/// The same for q on the grid of a small floating-point format. Only magnitudes matter.
static inline void add_minifloat_sums(const float *values, size_t count,
                                      const ck_candidates *candidates, ck_minifloat format,
                                      float *products, float *squares) {
  for (size_t i = 0; i < count; i++) {
    float value = ck_magnitude(values[i]);
    for (int c = 0; c < CK_CANDIDATES; c++) {
      float code = value * candidates->inverses[c];
      code = ck_round_to_grid(code < format.maximum ? code : format.maximum, format);
      products[c] += value * code;
      squares[c] += code * code;
    }
  }
}

static inline void block_sums(const ck_quantizer *quantizer, const ck_block *block,
                              const ck_candidates *given, ck_sums *sums) {
  ck_candidates candidates = *given;
  memset(sums, 0, sizeof *sums);
  for (size_t row = 0; row < block->rows; row++) {
    for (size_t column = 0; column < block->columns; column += CK_CHUNK) {
      size_t count = block->columns - column < CK_CHUNK ? block->columns - column : CK_CHUNK;
      float copy[CK_CHUNK];
      const float *values =
          finite_chunk(block, block->values + row * block->stride + column, count, copy);
      float products[CK_CANDIDATES] = {0}, squares[CK_CANDIDATES] = {0};
      if (quantizer->code == CK_CODE_E4M3) {
        add_minifloat_sums(values, count, &candidates, CK_E4M3, products, squares);
      } else if (quantizer->code == CK_CODE_E2M1) {
        add_minifloat_sums(values, count, &candidates, CK_E2M1, products, squares);
      } else {
        add_integer_sums(values, count, &candidates, products, squares);
      }
      for (int c = 0; c < CK_CANDIDATES; c++) {
        sums->products[c] += products[c];
        sums->squares[c] += squares[c];
      }
    }
  }
}

/// Stores codes of 8 or 4 bits; a last half byte is filled with zero bits.
static inline void store_code(size_t index, int bits, uint32_t code, uint8_t *codes) {
  if (bits == 8) {
    codes[index] = (uint8_t)code;
  } else if (index % 2 == 0) {
    codes[index / 2] = (uint8_t)(code & 15);
  } else {
    codes[index / 2] |= (uint8_t)(code << 4);
  }
}

static inline void encode_integers(const float *values, size_t count, const ck_choice *choice,
                                   int offset, int bits, uint8_t *codes, float *delivered) {
  for (size_t i = 0; i < count; i++) {
    float code = values[i] != values[i] ? 0 : values[i] * choice->inverse;
    code = code > choice->lowest ? code : choice->lowest;
    code = code < choice->highest ? code : choice->highest;
    int integer = (int)((code + ROUNDING_MAGIC) - ROUNDING_MAGIC);
    delivered[i] = (float)integer * choice->scale;
    store_code(i, bits, (uint32_t)(integer + offset), codes);
  }
}

static inline void encode_minifloats(const float *values, size_t count, const ck_choice *choice,
                                     ck_minifloat format, int bits, uint8_t *codes,
                                     float *delivered) {
  for (size_t i = 0; i < count; i++) {
    float value = values[i] != values[i] ? 0 : values[i] * choice->inverse;
    float magnitude = ck_magnitude(value);
    magnitude = ck_round_to_grid(magnitude < format.maximum ? magnitude : format.maximum, format);
    uint32_t sign = ck_bits(value) >> 31;
    delivered[i] = ck_float(ck_bits(magnitude) | sign << 31) * choice->scale;
    store_code(i, bits, ck_code_of_grid(magnitude, format) | sign << format.sign_shift, codes);
  }
}

#include "quantize_block.h"

void ck_quantize_portable(const ck_quantizer *quantizer, const float *values, size_t rows,
                          const ck_quantized *to) {
  quantize_tile(quantizer, values, rows, to);
}
