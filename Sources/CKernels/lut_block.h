// A super-block while its scales are looked for. Private to CKernels.
#pragma once

#include "lut_tables.h"

#pragma STDC FP_CONTRACT OFF

/// Magnitudes are bounded by this, so that no level times its scale overflows, ...
#define LUT_LARGEST_WEIGHT 0x1p120f
/// ... and by this in units of the global scale: the largest Float16 times 2^12.
#define LUT_LARGEST 0x1p28f
/// Groups of smaller magnitudes are groups of zeros: less than half of the smallest scale.
#define LUT_SMALLEST 0x1p-32f

/// A super-block in units of the global scale.
typedef struct {
  size_t columns;
  size_t group_columns;
  size_t group_count;
  /// What codes are made of: NaN became 0, an infinity the largest magnitude. Zeros past `columns`.
  float values[CK_LUT_SUPER_COLUMNS];
  /// What scales are made of: an infinity became 0.
  const float *searched;
  float without_infinities[CK_LUT_SUPER_COLUMNS];
  const float *importance;
} lut_block;

/// The best scales of a table for the groups, not rounded, of those tried; 0 for groups of zeros.
typedef struct {
  float scales[LUT_PARTS];
  /// By how much Σ w·(x − s·q)² is less than Σ w·x².
  float gains[LUT_PARTS];
  /// Σ w·q²
  float squares[LUT_PARTS];
} lut_scales;

/// Sums for the levels of a table: Σ w·s·x and Σ w·s² over the weights of each.
typedef struct {
  double products[16];
  double squares[16];
} lut_level_sums;

static inline void lut_load(lut_block *block, const ck_lut *lut, const float *values, size_t count,
                            const float *importance) {
  float inverse = 1 / lut->global_scale;
  block->columns = count;
  block->group_columns = lut->group_columns;
  block->group_count = ck_lut_group_count(lut, count);
  block->importance = importance;
  float largest = LUT_LARGEST_WEIGHT * inverse;
  largest = largest < LUT_LARGEST ? largest : LUT_LARGEST;
  uint32_t nonfinite = 0;
  for (size_t i = 0; i < count; i++) {
    float value = values[i] * inverse;
    value = value < largest ? value : largest;
    value = value > -largest ? value : -largest;
    block->values[i] = values[i] == values[i] ? value : 0.0f;
    nonfinite |= (ck_bits(values[i]) & 0x7F800000u) == 0x7F800000u;
  }
  for (size_t i = count; i < CK_LUT_SUPER_COLUMNS; i++) block->values[i] = 0;
  block->searched = block->values;
  if (!nonfinite) return;
  memcpy(block->without_infinities, block->values, sizeof block->values);
  for (size_t i = 0; i < count; i++)
    if ((ck_bits(values[i]) & 0x7F800000u) == 0x7F800000u) block->without_infinities[i] = 0;
  block->searched = block->without_infinities;
}

/// Rounds numbers of magnitude up to 2^22 to nearest even, and clamps them to 6-bit numbers.
static inline float lut_step(float number) {
  float step = (number + CK_ROUNDING_MAGIC) - CK_ROUNDING_MAGIC;
  step = step > -32 ? step : -32;
  return step < 31 ? step : 31;
}
