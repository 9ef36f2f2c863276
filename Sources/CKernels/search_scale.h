// The search for a block's scale: the same text for every instruction set. Private to CKernels. The
// file that includes it defines, for its instruction set, `block_errors` and
// `least_squares_scale`.
#pragma once

#include "scales.h"

#pragma STDC FP_CONTRACT OFF

/// Compares candidates in order; a later one must be strictly better.
static inline void consider(const ck_quantizer *quantizer, const ck_block *block,
                            const ck_candidates *candidates, ck_choice *best) {
  ck_floats errors = block_errors(quantizer, block, candidates);
  int is_first = best->scale == 0;
  if (is_first) best->unit = candidates->inverses[0];
  // In units of one scale, so that squares neither overflow nor vanish.
  ck_floats ratios = candidates->scales * ck_splat(best->unit);
  errors *= ratios * ratios;
  int i = ck_first_least(errors);
  if (!is_first && !(errors[i] < best->error)) return;
  best->scale = candidates->scales[i];
  best->inverse = candidates->inverses[i];
  best->lowest = candidates->lowest[i];
  best->highest = candidates->highest[i];
  best->zero_point = candidates->zero_points[i];
  best->stored = (uint32_t)candidates->stored[i];
  best->error = errors[i];
}

/// Whether the scale of the search's best candidate is refitted to its codes.
static inline int has_refit(const ck_quantizer *quantizer) {
  int is_small_float = quantizer->code == CK_CODE_E4M3 || quantizer->code == CK_CODE_E2M1;
  return quantizer->search == CK_SEARCH_FULL && quantizer->tensor_scale == 0 &&
         (quantizer->scale == CK_SCALE_F32 || !is_small_float);
}

/// Tries the least-squares scale of the best candidate's codes and its neighbours in the stored type.
static inline void refine(const ck_quantizer *quantizer, const ck_block *block, float refit,
                          ck_choice *best) {
  // Not a number if all codes are zero; larger only if weights are beyond 2^125, whose scales are
  // bounded.
  if (!(ck_magnitude(refit) <= 2 * ck_magnitude(best->scale)) || refit == 0) return;
  const ck_ints steps = {0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7, 8};
  uint32_t middle = ck_stored_scale(quantizer, refit);
  ck_candidates candidates =
      ck_stored_candidates(quantizer, ck_stepped_scales(quantizer, middle, steps));
  if (quantizer->code == CK_CODE_UINT4)
    ck_set_zero_points(&candidates, ck_splat((float)best->zero_point));
  consider(quantizer, block, &candidates, best);
}

/// Signed nibbles and bytes. The first candidate is that of absmax. The extreme weight lies near the
/// lowest or the highest code, so that nibbles need scales of both signs: the extreme gets the one
/// that makes it −8, as without clipping both signs are alike.
static inline ck_choice search_symmetric(const ck_quantizer *quantizer, const ck_block *block) {
  float extreme = block->maximum >= -block->minimum ? block->maximum : block->minimum;
  int is_byte = quantizer->code == CK_CODE_INT8;
  float first = ck_magnitude(extreme) / (is_byte ? 127.5f : 7.5f);
  const ck_floats byte_divisors = {127.5f, 127, 131, 135, 139, 143, 147, 151,
                                   155,    159, 163, 167, 171, 175, 179, 183};
  const ck_floats nibble_divisors = {7.5f,   -6.0f, -6.25f, -6.5f, -6.75f, -7.0f, -7.25f, -7.5f,
                                     -7.75f, -8.0f, -8.25f, -8.5f, -8.75f, -9.0f, -9.25f, -9.5f};
  ck_floats wanted = is_byte ? ck_splat(ck_magnitude(extreme)) / byte_divisors
                             : ck_splat(extreme) / nibble_divisors;
  wanted[0] = first;
  ck_candidates candidates = ck_stored_candidates(quantizer, ck_stored_scales(quantizer, wanted));
  ck_choice best = {0};
  consider(quantizer, block, &candidates, &best);
  return best;
}

/// Unsigned nibbles with a zero point. A batch is one zero point of 15 or 16 scales.
static inline ck_choice search_asymmetric(const ck_quantizer *quantizer, const ck_block *block) {
  float range = block->maximum - block->minimum;
  float rounded =
      ck_value_of_scale(quantizer, ck_stored_scale(quantizer, range / 15.0f));
  float first = (-block->minimum / rounded + CK_ROUNDING_MAGIC) - CK_ROUNDING_MAGIC;
  first = first > 15 ? 15 : first > 0 ? first : 0;
  const ck_floats fast_divisors = {15,     14.5f,  14.5f,  14.5f, 15.25f, 15.25f, 15.25f, 16,
                                   16,     16,     16.75f, 16.75f, 16.75f, 17.5f, 17.5f, 17.5f};
  const ck_floats full_divisors = {15,    13,    13.5f, 14,    14.5f, 15,    15.5f, 16,
                                   16.5f, 17,    17.5f, 18,    18.5f, 19,    19.5f, 20};
  int is_fast = quantizer->search == CK_SEARCH_FAST;
  ck_floats wanted = ck_splat(range) / (is_fast ? fast_divisors : full_divisors);
  ck_candidates candidates = ck_stored_candidates(quantizer, ck_stored_scales(quantizer, wanted));
  ck_floats middle = ck_middle_zero_points(block, &candidates);
  ck_choice best = {0};
  if (is_fast) {
    const ck_floats offsets = {0, -1, 0, 1, -1, 0, 1, -1, 0, 1, -1, 0, 1, -1, 0, 1};
    middle += offsets;
    middle[0] = first;
    ck_set_zero_points(&candidates, middle);
    consider(quantizer, block, &candidates, &best);
    return best;
  }
  for (int offset = -1; offset <= 1; offset++) {
    ck_floats zero_points = middle + ck_splat((float)offset);
    if (offset == -1) zero_points[0] = first;
    ck_set_zero_points(&candidates, zero_points);
    consider(quantizer, block, &candidates, &best);
  }
  return best;
}

/// E2M1 and E4M3 codes.
static inline ck_choice search_minifloat(const ck_quantizer *quantizer, const ck_block *block) {
  float extreme = block->maximum >= -block->minimum ? block->maximum : -block->minimum;
  int is_e2m1 = quantizer->code == CK_CODE_E2M1, is_power = quantizer->scale == CK_SCALE_E8M0;
  // OCP: the exponent of the largest magnitude less that of the largest number, 2^2·1.5 or 2^8·1.75.
  float first = is_power ? extreme * (is_e2m1 ? 0x1p-2f : 0x1p-8f)
                         : extreme / (is_e2m1 ? 6.0f : 448.0f);
  uint32_t stored = ck_stored_scale(quantizer, first);
  ck_ints all;
  if (quantizer->scale == CK_SCALE_F32) {
    const ck_floats factors = {1,     0.88f, 0.96f, 1.04f, 1.12f, 1.2f,  1.28f, 1.36f,
                               1.44f, 1.52f, 1.6f,  1.68f, 1.76f, 1.84f, 1.92f, 2};
    all = ck_stored_scales(quantizer, ck_splat(ck_float(stored)) * factors);
  } else {
    const ck_ints powers = {0, 1, -1, -2};
    const ck_ints steps = {0, -9, -8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6};
    all = ck_stepped_scales(quantizer, stored, is_power ? powers : steps);
  }
  ck_candidates candidates = ck_stored_candidates(quantizer, all);
  ck_choice best = {0};
  consider(quantizer, block, &candidates, &best);
  return best;
}

/// The scales that just hold the largest magnitudes of blocks, a lane each; or the tensor's.
CK_INLINE ck_candidates absmax_candidates(const ck_quantizer *quantizer, ck_floats minima,
                                          ck_floats maxima) {
  ck_floats extremes = ck_max(maxima, ck_splat(0) - minima), wanted = {0};
  int is_power = quantizer->scale == CK_SCALE_E8M0;
  switch (quantizer->code) {
  case CK_CODE_E4M3:
    // OCP: the exponent of the largest magnitude less that of the largest number.
    wanted = is_power ? extremes * ck_splat(0x1p-8f) : extremes / ck_splat(448);
    break;
  case CK_CODE_E2M1:
    wanted = is_power ? extremes * ck_splat(0x1p-2f) : extremes / ck_splat(6);
    break;
  case CK_CODE_INT8: wanted = extremes / ck_splat(127.5f); break;
  case CK_CODE_INT4: wanted = extremes / ck_splat(7.5f); break;
  case CK_CODE_UINT4: wanted = (maxima - minima) / ck_splat(15); break;
  }
  // The scale of zeros is 1; see search_scale.
  float one = quantizer->scale == CK_SCALE_E4M3 ? quantizer->global_scale : 1;
  wanted = extremes == ck_splat(0) ? ck_splat(one) : wanted;
  if (quantizer->tensor_scale != 0) wanted = ck_splat(quantizer->tensor_scale);
  ck_candidates scales = ck_stored_candidates(quantizer, ck_stored_scales(quantizer, wanted));
  if (quantizer->code == CK_CODE_UINT4) {
    const ck_floats magic = ck_splat(CK_ROUNDING_MAGIC);
    ck_floats zero_points = (ck_splat(0) - minima) / scales.scales;
    if (quantizer->tensor_scale != 0) zero_points = ck_splat(0);
    ck_set_zero_points(&scales, (zero_points + magic) - magic);
  }
  return scales;
}

/// As absmax_candidates, of at most CK_LANES blocks.
static inline void absmax_scales(const ck_quantizer *quantizer, const ck_block *blocks, int count,
                                 ck_choice *choices) {
  ck_floats minima = {0}, maxima = {0};
  for (int i = 0; i < count; i++) {
    minima[i] = blocks[i].minimum;
    maxima[i] = blocks[i].maximum;
  }
  ck_candidates scales = absmax_candidates(quantizer, minima, maxima);
  for (int i = 0; i < count; i++) {
    choices[i].scale = scales.scales[i];
    choices[i].inverse = scales.inverses[i];
    choices[i].lowest = scales.lowest[i];
    choices[i].highest = scales.highest[i];
    choices[i].zero_point = scales.zero_points[i];
    choices[i].stored = (uint32_t)scales.stored[i];
  }
}

/// The scale of a block, before any refit.
static inline ck_choice search_scale(const ck_quantizer *quantizer, const ck_block *block) {
  int is_zero = block->minimum == 0 && block->maximum == 0;
  if (quantizer->tensor_scale != 0 || is_zero) {
    // The codes of zeros are zero for any scale. One that is not zero leaves zero to mean damage.
    float scale = quantizer->tensor_scale;
    if (scale == 0) scale = quantizer->scale == CK_SCALE_E4M3 ? quantizer->global_scale : 1.0f;
    return ck_only_choice(quantizer, scale, 0);
  }
  switch (quantizer->code) {
  case CK_CODE_INT4:
  case CK_CODE_INT8: return search_symmetric(quantizer, block);
  case CK_CODE_UINT4: return search_asymmetric(quantizer, block);
  default: return search_minifloat(quantizer, block);
  }
}
