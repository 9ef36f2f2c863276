// Scales to be compared, and what is known of a block. Private to CKernels.
#pragma once

#include "ck_quantize.h"
#include "lanes.h"

/// Errors are summed in Float32 over so many weights of a row, then in Float64.
#define CK_CHUNK 128

/// Weights of a row whose scales are all found before the first is encoded: enough to keep a processor
/// busy, few enough for its nearest cache.
#define CK_SPAN 4096

/// A block of weights that share a scale.
typedef struct {
  const float *values;
  size_t rows;
  size_t columns;
  /// From one row to the next, in weights.
  size_t stride;
  /// How much each column's errors matter, or NULL if all matter alike.
  const float *importance;
  /// The extremes of the finite weights, and of 0; at most 2^125 in magnitude.
  float minimum;
  float maximum;
  /// Whether a weight is infinite or NaN. The search takes it for 0.
  int has_nonfinite;
} ck_block;

/// Scales, a lane each, with their reciprocals and the integers that codes may stand for.
typedef struct {
  ck_floats scales;
  ck_floats inverses;
  ck_floats lowest;
  ck_floats highest;
  ck_ints zero_points;
  /// The scales as they are stored, before any global scale.
  ck_ints stored;
} ck_candidates;

/// A scale that was chosen.
typedef struct {
  float scale;
  float inverse;
  float lowest;
  float highest;
  int zero_point;
  uint32_t stored;
  /// The reciprocal of the first candidate's scale, in whose units errors are compared.
  float unit;
  /// The squared error in units of the first candidate's scale, squared.
  float error;
} ck_choice;

/// Copies a chunk with 0 in place of what is not finite, and returns it; or the chunk itself.
static inline const float *finite_chunk(const ck_block *block, const float *values, size_t count,
                                        float *copy) {
  if (!block->has_nonfinite) return values;
  for (size_t i = 0; i < count; i++)
    copy[i] = (ck_bits(values[i]) & 0x7F800000u) == 0x7F800000u ? 0.0f : values[i];
  return copy;
}
