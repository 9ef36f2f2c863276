// Scales to be compared, and what is known of a block. Private to CKernels.
#pragma once

#include "ck_quantize.h"
#include "lanes.h"

enum {
  /// Errors are summed in Float32 over so many weights of a row, then in Float64.
  CK_CHUNK = 128,
  /// So many scales are compared at once.
  CK_CANDIDATES = 16,
};

/// Weights of a row whose scales are all found before the first is encoded: enough to keep a
/// processor busy, few enough for its nearest cache.
#define CK_SPAN 4096

/// Whether codes are small floats, whose sign is that of the weight.
static inline int ck_is_small_float(ck_code code) {
  return code == CK_CODE_E4M3 || code == CK_CODE_E2M1;
}

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

/// Scales, each in its block's lane, with their reciprocals and the integers that codes may stand
/// for.
typedef struct {
  ck_floats scales;
  ck_floats inverses;
  ck_floats lowest;
  ck_floats highest;
  ck_ints zero_points;
  /// The scales as they are stored, before any global scale.
  ck_ints stored;
} ck_candidates;

/// The scale that was chosen for a block.
typedef struct {
  float scale;
  float inverse;
  float lowest;
  float highest;
  int zero_point;
  uint32_t stored;
} ck_choice;
