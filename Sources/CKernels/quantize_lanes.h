// The quantizer in vectors; see lanes.h.
#include "candidates.h"
#include "lanes.h"
#include "statistics_lanes.h"

/// The extremes of a block that may hold what is not finite.
CK_INLINE void hostile_extremes(ck_block *block) {
  block->minimum = block->maximum = 0;
  for (size_t row = 0; row < block->rows; row++) {
    for (size_t i = 0; i < block->columns; i++) {
      float value = block->values[row * block->stride + i];
      if ((ck_bits(value) & 0x7F800000u) == 0x7F800000u) {
        block->has_nonfinite = 1;
        continue;
      }
      if (value < block->minimum) block->minimum = value;
      if (value > block->maximum) block->maximum = value;
    }
  }
}

CK_INLINE void block_extremes(ck_block *block) {
  ck_floats minima = {0}, maxima = {0};
  ck_ints has_nan = {0};
  for (size_t row = 0; row < block->rows; row++) {
    const float *values = block->values + row * block->stride;
    for (size_t i = 0; i < block->columns; i += CK_LANES) {
      ck_floats lanes = ck_load_up_to(values + i, block->columns - i);
      minima = ck_min(lanes, minima);
      maxima = ck_max(lanes, maxima);
      has_nan |= (ck_ints)(lanes != lanes);
    }
  }
  block->minimum = -ck_greatest_lane(-minima);
  block->maximum = ck_greatest_lane(maxima);
  block->has_nonfinite = 0;
  if (__builtin_reduce_or(has_nan) != 0 || !(block->maximum - block->minimum < HUGE_VALF))
    hostile_extremes(block);
  // The largest scales and their multiples stay finite.
  if (block->minimum < -0x1p125f) block->minimum = -0x1p125f;
  if (block->maximum > 0x1p125f) block->maximum = 0x1p125f;
}

/// Adds x·q and q² for q = clamp(round(x / scale)). A lane is a candidate.
CK_INLINE void add_integer_sums(const float *values, size_t count,
                                const ck_candidates *candidates, ck_floats *products,
                                ck_floats *squares) {
  ck_floats inverses = ck_load(candidates->inverses);
  ck_floats lowest = ck_load(candidates->lowest), highest = ck_load(candidates->highest);
  ck_floats product_sums = {0}, square_sums = {0};
  for (size_t i = 0; i < count; i++) {
    ck_floats value = ck_splat(values[i]);
    ck_floats code = ck_round(ck_min(ck_max(value * inverses, lowest), highest));
    product_sums += value * code;
    square_sums += code * code;
  }
  *products = product_sums;
  *squares = square_sums;
}

/// The same for q on the grid of a small floating-point format. Only magnitudes matter.
CK_INLINE void add_minifloat_sums(const float *values, size_t count,
                                  const ck_candidates *candidates, ck_minifloat format,
                                  ck_floats *products, ck_floats *squares) {
  ck_floats inverses = ck_load(candidates->inverses);
  ck_floats product_sums = {0}, square_sums = {0};
  for (size_t i = 0; i < count; i++) {
    ck_floats value = ck_splat(ck_magnitude(values[i]));
    ck_floats code =
        ck_round_to_grid16(ck_min(value * inverses, ck_splat(format.maximum)), format);
    product_sums += value * code;
    square_sums += code * code;
  }
  *products = product_sums;
  *squares = square_sums;
}

CK_INLINE void block_sums(const ck_quantizer *quantizer, const ck_block *block,
                          const ck_candidates *candidates, ck_sums *sums) {
  memset(sums, 0, sizeof *sums);
  for (size_t row = 0; row < block->rows; row++) {
    for (size_t column = 0; column < block->columns; column += CK_CHUNK) {
      size_t count = block->columns - column < CK_CHUNK ? block->columns - column : CK_CHUNK;
      float copy[CK_CHUNK];
      const float *values =
          finite_chunk(block, block->values + row * block->stride + column, count, copy);
      ck_floats products, squares;
      if (quantizer->code == CK_CODE_E4M3) {
        add_minifloat_sums(values, count, candidates, CK_E4M3, &products, &squares);
      } else if (quantizer->code == CK_CODE_E2M1) {
        add_minifloat_sums(values, count, candidates, CK_E2M1, &products, &squares);
      } else {
        add_integer_sums(values, count, candidates, &products, &squares);
      }
      for (int c = 0; c < CK_CANDIDATES; c++) {
        sums->products[c] += products[c];
        sums->squares[c] += squares[c];
      }
    }
  }
}

/// Sixteen values times a reciprocal; 0 for NaN. Lanes from `count` on are 0.
CK_INLINE ck_floats scaled(const float *values, size_t count, ck_floats inverse) {
  ck_floats lanes = ck_load_up_to(values, count);
  return (ck_floats)((ck_ints)lanes & (ck_ints)(lanes == lanes)) * inverse;
}

/// Stores up to sixteen codes; a last half byte is filled with zero bits.
CK_INLINE void store_codes(ck_ints lanes, size_t count, int bits, uint8_t *codes) {
  uint8_t last[CK_LANES] = {0};
  uint8_t *place = count >= CK_LANES ? codes : last;
  if (count < CK_LANES) {
    const ck_ints index = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    lanes &= index < ck_splat_int((int32_t)count);
  }
  if (bits == 8) {
    ck_store_bytes(lanes, place);
  } else {
    ck_store_nibbles(lanes, place);
  }
  if (count < CK_LANES) memcpy(codes, last, (count * (size_t)bits + 7) / 8);
}

CK_INLINE void encode_integers(const float *values, size_t count, const ck_choice *choice,
                               int offset, int bits, uint8_t *codes, float *delivered) {
  ck_floats inverse = ck_splat(choice->inverse), scale = ck_splat(choice->scale);
  ck_floats lowest = ck_splat(choice->lowest), highest = ck_splat(choice->highest);
  ck_ints offsets = ck_splat_int(offset), mask = ck_splat_int(bits == 8 ? 0xFF : 15);
  for (size_t i = 0; i < count; i += CK_LANES) {
    ck_floats lanes = ck_min(ck_max(scaled(values + i, count - i, inverse), lowest), highest);
    ck_ints integers = __builtin_convertvector(ck_round(lanes), ck_ints);
    // Not the rounded number: an integer has no −0.
    ck_store_up_to(__builtin_convertvector(integers, ck_floats) * scale, count - i,
                   delivered + i);
    store_codes((integers + offsets) & mask, count - i, bits, codes + i * (size_t)bits / 8);
  }
}

CK_INLINE void encode_minifloats(const float *values, size_t count, const ck_choice *choice,
                                 ck_minifloat format, int bits, uint8_t *codes,
                                 float *delivered) {
  ck_floats inverse = ck_splat(choice->inverse), scale = ck_splat(choice->scale);
  for (size_t i = 0; i < count; i += CK_LANES) {
    ck_floats lanes = scaled(values + i, count - i, inverse);
    ck_floats magnitudes = ck_min(ck_magnitudes(lanes), ck_splat(format.maximum));
    magnitudes = ck_round_to_grid16(magnitudes, format);
    ck_ints sign = ck_sign_bits(lanes);
    ck_store_up_to((ck_floats)((ck_ints)magnitudes | sign) * scale, count - i, delivered + i);
    ck_ints code_sign = (ck_ints)(sign != 0) & ck_splat_int(1 << format.sign_shift);
    store_codes(ck_code_of_grid16(magnitudes, format) | code_sign, count - i, bits,
                codes + i * (size_t)bits / 8);
  }
}

#include "quantize_block.h"

void CK_TWIN(ck_quantize)(const ck_quantizer *quantizer, const float *values, size_t rows,
                          const ck_quantized *to) {
  quantize_tile(quantizer, values, rows, to);
}
