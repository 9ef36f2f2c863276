// The quantizer in vectors; see lanes.h.
#include "candidates.h"
#include "lanes.h"
#include "search_lanes.h"
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
    size_t i = 0;
    for (; i + CK_LANES <= block->columns; i += CK_LANES) {
      ck_floats lanes = ck_load(values + i);
      minima = ck_min(lanes, minima);
      maxima = ck_max(lanes, maxima);
      has_nan |= (ck_ints)(lanes != lanes);
    }
    if (i < block->columns) {
      ck_floats lanes = ck_load_part(values + i, block->columns - i);
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

/// Encodes up to sixteen values as integers.
CK_INLINE void encode_some_integers(const float *values, size_t count, const ck_choice *choice,
                                    int offset, int bits, uint8_t *codes, float *delivered) {
  ck_floats lanes = scaled(values, count, ck_splat(choice->inverse));
  lanes = ck_min(ck_max(lanes, ck_splat(choice->lowest)), ck_splat(choice->highest));
  ck_ints integers = __builtin_convertvector(ck_round(lanes), ck_ints);
  // Not the rounded number: an integer has no −0.
  ck_floats numbers = __builtin_convertvector(integers, ck_floats);
  ck_store_up_to(numbers * ck_splat(choice->scale), count, delivered);
  ck_ints mask = ck_splat_int(bits == 8 ? 0xFF : 15);
  store_codes((integers + ck_splat_int(offset)) & mask, count, bits, codes);
}

CK_INLINE void encode_integers(const float *values, size_t count, const ck_choice *given,
                               int offset, int bits, uint8_t *codes, float *delivered) {
  ck_choice choice = *given;
  size_t i = 0;
  for (; i + CK_LANES <= count; i += CK_LANES)
    encode_some_integers(values + i, CK_LANES, &choice, offset, bits,
                         codes + i * (size_t)bits / 8, delivered + i);
  if (i < count)
    encode_some_integers(values + i, count - i, &choice, offset, bits,
                         codes + i * (size_t)bits / 8, delivered + i);
}

/// Encodes up to sixteen values as small floats.
CK_INLINE void encode_some_minifloats(const float *values, size_t count, const ck_choice *choice,
                                      ck_minifloat format, int bits, uint8_t *codes,
                                      float *delivered) {
  ck_floats lanes = scaled(values, count, ck_splat(choice->inverse));
  ck_floats magnitudes = ck_min(ck_magnitudes(lanes), ck_splat(format.maximum));
  magnitudes = ck_round_to_grid16(magnitudes, format);
  ck_ints sign = ck_sign_bits(lanes);
  ck_floats numbers = (ck_floats)((ck_ints)magnitudes | sign);
  ck_store_up_to(numbers * ck_splat(choice->scale), count, delivered);
  ck_ints code_sign = (ck_ints)(sign != 0) & ck_splat_int(1 << format.sign_shift);
  store_codes(ck_code_of_grid16(magnitudes, format) | code_sign, count, bits, codes);
}

CK_INLINE void encode_minifloats(const float *values, size_t count, const ck_choice *given,
                                 ck_minifloat format, int bits, uint8_t *codes,
                                 float *delivered) {
  ck_choice choice = *given;
  size_t i = 0;
  for (; i + CK_LANES <= count; i += CK_LANES)
    encode_some_minifloats(values + i, CK_LANES, &choice, format, bits,
                           codes + i * (size_t)bits / 8, delivered + i);
  if (i < count)
    encode_some_minifloats(values + i, count - i, &choice, format, bits,
                           codes + i * (size_t)bits / 8, delivered + i);
}

#include "ordinary_lanes.h"
#include "quantize_block.h"

void CK_TWIN(ck_quantize)(const ck_quantizer *quantizer, const float *values, size_t rows,
    const float *importance, const ck_quantized *to) {
  quantize_tile(quantizer, values, rows, importance, to);
}
