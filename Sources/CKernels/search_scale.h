// The search for the scales of some blocks, each block in its lane: the same text for every
// instruction set. Private to CKernels. The file that includes it defines, for its instruction set,
// the type `ck_weights`, `gather_weights`, `candidate_errors` and `least_squares_scales`.
#pragma once

#include "scales.h"

#pragma STDC FP_CONTRACT OFF

/// The scales that blocks of zeros get, whose codes are zero for any: one that is not zero leaves
/// zero to mean damage.
CK_INLINE ck_floats scale_of_zeros(const ck_quantizer *quantizer) {
  return ck_splat(quantizer->scale == CK_SCALE_E4M3 ? quantizer->global_scale : 1);
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
  wanted = extremes == ck_splat(0) ? scale_of_zeros(quantizer) : wanted;
  if (quantizer->tensor_scale != 0) wanted = ck_splat(quantizer->tensor_scale);
  ck_candidates scales = ck_stored_candidates(quantizer, ck_stored_scales(quantizer, wanted));
  if (quantizer->code == CK_CODE_UINT4) {
    ck_floats zero_points = -minima / scales.scales;
    ck_set_zero_points(&scales, quantizer->tensor_scale != 0 ? ck_splat(0) : zero_points);
  }
  return scales;
}

/// What is known of up to CK_LANES blocks, and the best scales so far.
typedef struct {
  const ck_quantizer *quantizer;
  ck_weights weights;
  ck_floats minima, maxima;
  ck_ints stored, zero_points;
  /// The squared errors in units of the first candidates' scales, squared.
  ck_floats errors;
  /// The reciprocals of the first candidates' scales.
  ck_floats units;
} ck_contest;

/// Compares candidates in order; a later one must be strictly better.
static inline void consider(ck_contest *contest, const ck_candidates *candidates, int count,
                            ck_ints is_allowed) {
  ck_floats errors[CK_CANDIDATES];
  candidate_errors(contest->quantizer, &contest->weights, candidates, count, errors);
  for (int i = 0; i < count; i++) {
    // In units of one scale, so that squares neither overflow nor vanish.
    ck_floats ratios = candidates[i].scales * contest->units;
    ck_floats error = errors[i] * (ratios * ratios);
    ck_ints is_better = (error < contest->errors) & is_allowed;
    contest->errors = is_better ? error : contest->errors;
    contest->stored = is_better ? candidates[i].stored : contest->stored;
    contest->zero_points = is_better ? candidates[i].zero_points : contest->zero_points;
  }
}

/// Compares the first candidates.
static inline void open_contest(ck_contest *contest, const ck_candidates *candidates, int count) {
  contest->stored = candidates[0].stored;
  contest->zero_points = candidates[0].zero_points;
  contest->units = candidates[0].inverses;
  contest->errors = ck_splat(HUGE_VALF);
  consider(contest, candidates, count, ck_splat_int(-1));
}

/// Scales, given in their stored type, with their zero points, if codes have any.
static inline ck_candidates scales_and_zeros(const ck_quantizer *quantizer, ck_ints stored,
                                             ck_ints zero_points) {
  ck_candidates candidates = ck_stored_candidates(quantizer, stored);
  if (quantizer->code == CK_CODE_UINT4)
    ck_set_zero_points(&candidates, __builtin_convertvector(zero_points, ck_floats));
  return candidates;
}

/// Tries the least-squares scales of the best candidates' codes and their neighbours in the stored
/// type.
static inline void refine(ck_contest *contest) {
  const ck_quantizer *quantizer = contest->quantizer;
  static const int steps[] = {0, 1, -1, 2, -2, 3, -3, 4};
  ck_candidates best = scales_and_zeros(quantizer, contest->stored, contest->zero_points);
  ck_floats refits = least_squares_scales(quantizer, &contest->weights, &best);
  // Not a number if all codes are zero; larger only if weights are beyond 2^125, whose scales are
  // bounded.
  ck_ints is_allowed = (ck_magnitudes(refits) <= ck_splat(2) * ck_magnitudes(best.scales)) &
                       (refits != ck_splat(0));
  ck_ints middles = ck_stored_scales(quantizer, refits);
  ck_candidates candidates[8];
  int count = quantizer->scale == CK_SCALE_F32 ? 1 : 8;
  for (int i = 0; i < count; i++)
    candidates[i] = scales_and_zeros(
        quantizer, ck_stepped_scales(quantizer, middles, steps[i]), contest->zero_points);
  consider(contest, candidates, count, is_allowed);
}

/// Signed nibbles and bytes. The first candidate is that of absmax. The extreme weight lies near
/// the lowest or the highest code, so that nibbles need scales of both signs: the extreme gets the
/// one that makes it −8, as without clipping both signs are alike.
static inline void search_symmetric(ck_contest *contest) {
  static const float byte_divisors[] = {127.5f, 127, 131, 135, 139, 143, 147, 151,
                                        155,    159, 163, 167, 171, 175, 179, 183};
  static const float nibble_divisors[] = {7.5f,   -6.0f, -6.25f, -6.5f, -6.75f, -7.0f,
                                          -7.25f, -7.5f, -7.75f, -8.0f, -8.25f, -8.5f,
                                          -8.75f, -9.0f, -9.25f, -9.5f};
  const ck_quantizer *quantizer = contest->quantizer;
  int is_byte = quantizer->code == CK_CODE_INT8;
  const float *divisors = is_byte ? byte_divisors : nibble_divisors;
  ck_floats extremes =
      contest->maxima >= -contest->minima ? contest->maxima : contest->minima;
  ck_candidates candidates[CK_CANDIDATES];
  for (int i = 0; i < CK_CANDIDATES; i++) {
    ck_floats wanted = (is_byte || i == 0 ? ck_magnitudes(extremes) : extremes) /
                       ck_splat(divisors[i]);
    candidates[i] = ck_stored_candidates(quantizer, ck_stored_scales(quantizer, wanted));
  }
  open_contest(contest, candidates, CK_CANDIDATES);
}

/// Unsigned nibbles with a zero point: the one that loses as much of the range at one end as at the
/// other; for the best scale then also its neighbours. The first candidate is that of absmax.
static inline void search_asymmetric(ck_contest *contest) {
  static const float divisors[] = {15,    13,    13.5f, 14,    14.5f, 15,    15.5f, 16,
                                   16.5f, 17,    17.5f, 18,    18.5f, 19,    19.5f, 20};
  const ck_quantizer *quantizer = contest->quantizer;
  ck_floats ranges = contest->maxima - contest->minima;
  ck_floats middles = (contest->minima + contest->maxima) * ck_splat(0.5f);
  ck_candidates candidates[CK_CANDIDATES];
  candidates[0] = absmax_candidates(quantizer, contest->minima, contest->maxima);
  for (int i = 1; i < CK_CANDIDATES; i++) {
    ck_floats wanted = ranges / ck_splat(divisors[i]);
    candidates[i] = ck_stored_candidates(quantizer, ck_stored_scales(quantizer, wanted));
    ck_set_zero_points(&candidates[i], ck_splat(7.5f) - middles * candidates[i].inverses);
  }
  open_contest(contest, candidates, CK_CANDIDATES);
  for (int i = 0; i < 2; i++)
    candidates[i] = scales_and_zeros(quantizer, contest->stored,
                                     contest->zero_points + ck_splat_int(i == 0 ? -1 : 1));
  consider(contest, candidates, 2, ck_splat_int(-1));
}

/// E2M1 and E4M3 codes. The first candidate is that of absmax.
static inline void search_minifloat(ck_contest *contest) {
  static const float factors[] = {1,     0.88f, 0.96f, 1.04f, 1.12f, 1.2f,  1.28f, 1.36f,
                                  1.44f, 1.52f, 1.6f,  1.68f, 1.76f, 1.84f, 1.92f, 2};
  static const int powers[] = {0, 1, -1, -2};
  static const int steps[] = {0, -9, -8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6};
  const ck_quantizer *quantizer = contest->quantizer;
  int is_e2m1 = quantizer->code == CK_CODE_E2M1, is_power = quantizer->scale == CK_SCALE_E8M0;
  ck_floats extremes = ck_max(contest->maxima, ck_splat(0) - contest->minima);
  // OCP: the exponent of the largest magnitude less that of the largest number, 2^2·1.5 or
  // 2^8·1.75.
  ck_floats first = is_power ? extremes * ck_splat(is_e2m1 ? 0x1p-2f : 0x1p-8f)
                             : extremes / ck_splat(is_e2m1 ? 6.0f : 448.0f);
  ck_ints stored = ck_stored_scales(quantizer, first);
  ck_candidates candidates[CK_CANDIDATES];
  int count = is_power ? 4 : CK_CANDIDATES;
  for (int i = 0; i < count; i++) {
    ck_ints scales = quantizer->scale == CK_SCALE_F32
                         ? ck_stored_scales(quantizer, (ck_floats)stored * ck_splat(factors[i]))
                         : ck_stepped_scales(quantizer, stored, is_power ? powers[i] : steps[i]);
    candidates[i] = ck_stored_candidates(quantizer, scales);
  }
  open_contest(contest, candidates, count);
}

/// Whether the scales of the search's best candidates are refitted to their codes.
static inline int has_refit(const ck_quantizer *quantizer) {
  return quantizer->search == CK_SEARCH_FULL &&
         (quantizer->scale == CK_SCALE_F32 || !ck_is_small_float(quantizer->code));
}

/// Whether scales are searched for.
static inline int is_searched(const ck_quantizer *quantizer) {
  return quantizer->search != CK_SEARCH_ABSMAX && quantizer->tensor_scale == 0;
}

/// The scales of up to CK_LANES blocks that leave the least errors, of those that are tried.
static inline ck_candidates best_candidates(const ck_quantizer *quantizer, const ck_block *blocks,
                                            int count, ck_floats minima, ck_floats maxima) {
  ck_contest contest;
  contest.quantizer = quantizer;
  contest.minima = minima;
  contest.maxima = maxima;
  gather_weights(quantizer, blocks, count, &contest.weights);
  switch (quantizer->code) {
  case CK_CODE_INT4:
  case CK_CODE_INT8: search_symmetric(&contest); break;
  case CK_CODE_UINT4: search_asymmetric(&contest); break;
  default: search_minifloat(&contest); break;
  }
  if (has_refit(quantizer)) refine(&contest);
  ck_ints are_zeros = minima == maxima;
  ck_ints of_zeros = ck_stored_scales(quantizer, scale_of_zeros(quantizer));
  return scales_and_zeros(quantizer, are_zeros ? of_zeros : contest.stored,
                          are_zeros ? ck_splat_int(0) : contest.zero_points);
}
