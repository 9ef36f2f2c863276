#include "candidates.h"
#include "search_portable.h"
#include "statistics_portable.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

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
    int integer = (int)((code + CK_ROUNDING_MAGIC) - CK_ROUNDING_MAGIC);
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

// Vectors have a shorter way.
#define quantize_ordinary_blocks(...) ((size_t)0)

#include "quantize_block.h"

void ck_quantize_portable(const ck_quantizer *quantizer, const float *values, size_t rows,
    const float *importance, const ck_quantized *to) {
  quantize_tile(quantizer, values, rows, importance, to);
}
