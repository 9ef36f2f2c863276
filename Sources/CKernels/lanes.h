// Sixteen Float32 lanes in Clang's vector types: a text that is written once and compiled for each
// instruction set. Private to CKernels; include it where functions are compiled for that set.
#pragma once

#include "minifloat.h"

#pragma STDC FP_CONTRACT OFF
// All functions that take vectors are inlined, so that no convention of calling matters.
#pragma clang diagnostic ignored "-Wpsabi"

#define CK_INLINE static inline __attribute__((always_inline))

enum { CK_LANES = 16 };
typedef float ck_floats __attribute__((ext_vector_type(16)));
typedef int32_t ck_ints __attribute__((ext_vector_type(16)));
typedef uint32_t ck_uints __attribute__((ext_vector_type(16)));
typedef uint64_t ck_counts __attribute__((ext_vector_type(16)));
typedef float ck_floats8 __attribute__((ext_vector_type(8)));
typedef float ck_floats4 __attribute__((ext_vector_type(4)));
typedef uint8_t ck_bytes16 __attribute__((ext_vector_type(16)));
typedef uint8_t ck_bytes64 __attribute__((ext_vector_type(64)));
typedef uint8_t ck_bytes32 __attribute__((ext_vector_type(32)));
typedef uint16_t ck_words32 __attribute__((ext_vector_type(32)));
typedef uint16_t ck_words16 __attribute__((ext_vector_type(16)));
typedef uint16_t ck_words8 __attribute__((ext_vector_type(8)));
typedef uint8_t ck_bytes8 __attribute__((ext_vector_type(8)));

CK_INLINE ck_floats ck_splat(float value) {
  return (ck_floats)value;
}

CK_INLINE ck_ints ck_splat_int(int32_t value) {
  return (ck_ints)value;
}

CK_INLINE ck_floats ck_load(const float *values) {
  ck_floats lanes;
  memcpy(&lanes, values, sizeof lanes);
  return lanes;
}

/// The first `count` of the values, fewer than sixteen, and zeros.
CK_INLINE ck_floats ck_load_part(const float *values, size_t count) {
  float lanes[CK_LANES] = {0};
  memcpy(lanes, values, count * sizeof(float));
  return ck_load(lanes);
}

/// As many of sixteen values as there are; zeros in the other lanes.
CK_INLINE ck_floats ck_load_up_to(const float *values, size_t count) {
  return count >= CK_LANES ? ck_load(values) : ck_load_part(values, count);
}

CK_INLINE void ck_store(ck_floats lanes, float *values) { memcpy(values, &lanes, sizeof lanes); }

CK_INLINE void ck_store_up_to(ck_floats lanes, size_t count, float *values) {
  memcpy(values, &lanes, count >= CK_LANES ? sizeof lanes : count * sizeof(float));
}

/// The smaller of each pair; `b` where one is NaN.
CK_INLINE ck_floats ck_min(ck_floats a, ck_floats b) { return a < b ? a : b; }

/// The greater of each pair; `b` where one is NaN.
CK_INLINE ck_floats ck_max(ck_floats a, ck_floats b) { return a > b ? a : b; }

/// The smaller of each pair of which `b` is +0 or greater, as their bits are: processors have more
/// units that compare integers.
CK_INLINE ck_floats ck_at_most(ck_floats a, ck_floats b) {
  return (ck_floats)__builtin_elementwise_min((ck_ints)a, (ck_ints)b);
}

/// The greater of each pair of which `b` is −0 or less.
CK_INLINE ck_floats ck_at_least(ck_floats a, ck_floats b) {
  return (ck_floats)__builtin_elementwise_min((ck_uints)a, (ck_uints)b);
}

CK_INLINE ck_floats ck_magnitudes(ck_floats values) {
  return (ck_floats)((ck_ints)values & ck_splat_int(0x7FFFFFFF));
}

CK_INLINE ck_ints ck_sign_bits(ck_floats values) {
  return (ck_ints)values & ck_splat_int((int32_t)0x80000000u);
}

/// A bit for each lane, the first the lowest: whether the lane, of −1 and 0, is −1.
CK_INLINE uint32_t ck_lane_bits(ck_ints lanes) {
  typedef _Bool bools __attribute__((ext_vector_type(16)));
  bools are_set = __builtin_convertvector(lanes, bools);
  uint16_t bits;
  memcpy(&bits, &are_set, sizeof bits);
  return bits;
}

/// Rounds magnitudes of at most 2^22 to nearest even.
CK_INLINE ck_floats ck_round(ck_floats values) { return __builtin_elementwise_roundeven(values); }

#define CK_LOW_HALF(v) __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7)
#define CK_HIGH_HALF(v) __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15)

/// Exchanges rows and columns of sixteen by sixteen.
CK_INLINE void ck_transpose(ck_floats rows[CK_LANES]) {
// In each pair of rows that lie so far apart, the lanes that do change places.
#define CK_EXCHANGE(distance, FIRST, SECOND)                        \
  _Pragma("clang loop unroll(full)")                                \
  for (int i = 0; i < CK_LANES; i++) {                              \
    if (i & distance) continue;                                     \
    ck_floats a = rows[i], b = rows[i + distance];                  \
    rows[i] = __builtin_shufflevector(a, b, FIRST);                 \
    rows[i + distance] = __builtin_shufflevector(a, b, SECOND);     \
  }
#define CK_LIST(...) __VA_ARGS__
  CK_EXCHANGE(8, CK_LIST(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
              CK_LIST(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
  CK_EXCHANGE(4, CK_LIST(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
              CK_LIST(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
  CK_EXCHANGE(2, CK_LIST(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
              CK_LIST(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
  CK_EXCHANGE(1, CK_LIST(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
              CK_LIST(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
#undef CK_LIST
#undef CK_EXCHANGE
}

/// The sum of the lanes: those that lie eight apart first, then four, two and one.
CK_INLINE float ck_lane_sum(ck_floats lanes) {
  ck_floats8 eight = CK_LOW_HALF(lanes) + CK_HIGH_HALF(lanes);
  ck_floats4 four = __builtin_shufflevector(eight, eight, 0, 1, 2, 3) +
                    __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
  return (four[0] + four[2]) + (four[1] + four[3]);
}

CK_INLINE float ck_greatest_lane(ck_floats lanes) {
  ck_floats8 a = CK_LOW_HALF(lanes), b = CK_HIGH_HALF(lanes);
  ck_floats8 eight = a > b ? a : b;
  ck_floats4 c = __builtin_shufflevector(eight, eight, 0, 1, 2, 3);
  ck_floats4 d = __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
  ck_floats4 four = c > d ? c : d;
  float even = four[0] > four[2] ? four[0] : four[2];
  float odd = four[1] > four[3] ? four[1] : four[3];
  return even > odd ? even : odd;
}

/// How vectors are folded.
typedef enum { CK_SUM, CK_GREATEST_INT, CK_GREATEST_UINT } ck_fold;

CK_INLINE ck_floats ck_folded(ck_fold fold, ck_floats a, ck_floats b) {
  switch (fold) {
  case CK_SUM: return a + b;
  case CK_GREATEST_INT: return (ck_floats)__builtin_elementwise_max((ck_ints)a, (ck_ints)b);
  case CK_GREATEST_UINT: return (ck_floats)__builtin_elementwise_max((ck_uints)a, (ck_uints)b);
  }
}

/// Folds the lanes of each of sixteen vectors, in the order of ck_lane_sum, to a lane of the
/// result.
CK_INLINE ck_floats ck_fold_all(ck_fold fold, const ck_floats vectors[CK_LANES]) {
  ck_floats eights[8], fours[4], twos[2];
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) {
    // In the end, vectors that are four apart here lie side by side.
    ck_floats a = vectors[i / 2 + 8 * (i % 2)], b = vectors[i / 2 + 8 * (i % 2) + 4];
    eights[i] = ck_folded(
        fold,
        __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
        __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30,
                                31));
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    ck_floats a = eights[2 * i], b = eights[2 * i + 1];
    fours[i] = ck_folded(
        fold,
        __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27),
        __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31));
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 2; i++) {
    ck_floats a = fours[2 * i], b = fours[2 * i + 1];
    twos[i] = ck_folded(
        fold,
        __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
        __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31));
  }
  ck_floats a = twos[0], b = twos[1];
  return ck_folded(
      fold,
      __builtin_shufflevector(a, b, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30),
      __builtin_shufflevector(a, b, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31));
}

/// As ck_round_to_grid.
CK_INLINE ck_floats ck_round_to_grid16(ck_floats magnitudes, ck_minifloat format) {
  ck_ints exponent = (ck_ints)magnitudes & ck_splat_int(0x7F800000);
  ck_ints least = ck_splat_int((127 + format.minimum_exponent) << 23);
  exponent = __builtin_elementwise_max(exponent, least);
  ck_floats magic = (ck_floats)(exponent + ck_splat_int((23 - format.mantissa_bits) << 23));
  return (magnitudes + magic) - magic;
}

/// As ck_code_of_grid.
CK_INLINE ck_ints ck_code_of_grid16(ck_floats magnitudes, ck_minifloat format) {
  ck_ints bits = (ck_ints)magnitudes;
  int bias = 127 + format.minimum_exponent;
  float steps = ck_float((uint32_t)(127 + format.mantissa_bits - format.minimum_exponent) << 23);
  ck_ints subnormal = __builtin_convertvector(magnitudes * ck_splat(steps), ck_ints);
  ck_ints normal =
      (bits >> (23 - format.mantissa_bits)) - ck_splat_int((bias - 1) << format.mantissa_bits);
  return bits < ck_splat_int(bias << 23) ? subnormal : normal;
}

/// As ck_value_of_e4m3, of codes 0…255.
CK_INLINE ck_floats ck_values_of_e4m3(ck_ints codes) {
  ck_ints shifted = (codes & ck_splat_int(0x7F)) << 20;
  ck_floats subnormal = (ck_floats)(shifted + ck_splat_int(121 << 23)) - ck_splat(0x1p-6f);
  ck_ints magnitude = shifted < ck_splat_int(0x00800000)
                          ? (ck_ints)subnormal : shifted + ck_splat_int(120 << 23);
  magnitude = shifted == ck_splat_int(0x07F00000) ? ck_splat_int(0x7FC00000) : magnitude;
  return (ck_floats)(magnitude | (codes >> 7 << 31));
}

/// Stores the low bytes of lanes of 0…255.
CK_INLINE void ck_store_bytes(ck_ints lanes, uint8_t *bytes) {
  ck_bytes16 packed = __builtin_convertvector(lanes, ck_bytes16);
  memcpy(bytes, &packed, sizeof packed);
}

/// Stores lanes of 0…15 in eight bytes, the first in a low nibble.
CK_INLINE void ck_store_nibbles(ck_ints lanes, uint8_t *bytes) {
  ck_words8 pairs = (ck_words8)__builtin_convertvector(lanes, ck_bytes16);
  ck_bytes8 packed = __builtin_convertvector(pairs | pairs >> 4, ck_bytes8);
  memcpy(bytes, &packed, sizeof packed);
}

/// Four vectors of bytes as one.
CK_INLINE ck_bytes64 ck_joined(ck_bytes16 a, ck_bytes16 b, ck_bytes16 c, ck_bytes16 d) {
  ck_bytes32 first, second;
  first.lo = a, first.hi = b;
  second.lo = c, second.hi = d;
  ck_bytes64 all;
  all.lo = first, all.hi = second;
  return all;
}
