// Scales to be compared, and what is known of a block. Private to CKernels.
#pragma once

#include "ck_quantize.h"
#include "minifloat.h"

/// The number of scales that are compared at a time.
#define CK_CANDIDATES 16
/// Products are summed in Float32 over so many weights, then in Float64.
#define CK_CHUNK 128

/// A block of weights that share a scale.
typedef struct {
  const float *values;
  size_t rows;
  size_t columns;
  /// From one row to the next, in weights.
  size_t stride;
  /// The extremes of the finite weights, and of 0; at most 2^125 in magnitude.
  float minimum;
  float maximum;
  /// Whether a weight is infinite or NaN. The search takes it for 0.
  int has_nonfinite;
} ck_block;

/// Scales, each with its reciprocal and the integers that codes may stand for.
typedef struct {
  int count;
  float scales[CK_CANDIDATES];
  float inverses[CK_CANDIDATES];
  float lowest[CK_CANDIDATES];
  float highest[CK_CANDIDATES];
  int zero_points[CK_CANDIDATES];
  /// The scale as it is stored, before any global scale.
  uint32_t stored[CK_CANDIDATES];
} ck_candidates;

/// For each candidate the sums Σ x·q and Σ q² over the weights, q being the number that the weight's
/// code stands for.
typedef struct {
  double products[CK_CANDIDATES];
  double squares[CK_CANDIDATES];
} ck_sums;

/// A scale that was chosen.
typedef struct {
  float scale;
  float inverse;
  float lowest;
  float highest;
  int zero_point;
  uint32_t stored;
  /// By how much it lowers the squared error of all zeros: Σ x² − Σ (x − scale·q)².
  double gain;
  /// The scale of least squared error for the same codes, or 0.
  double refit;
} ck_choice;

/// Copies a chunk with 0 in place of what is not finite, and returns it; or the chunk itself.
static inline const float *finite_chunk(const ck_block *block, const float *values, size_t count,
                                        float *copy) {
  if (!block->has_nonfinite) return values;
  for (size_t i = 0; i < count; i++)
    copy[i] = (ck_bits(values[i]) & 0x7F800000u) == 0x7F800000u ? 0.0f : values[i];
  return copy;
}
