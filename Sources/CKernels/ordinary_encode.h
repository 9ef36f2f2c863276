// Codes of ordinary blocks, and the errors that they leave, while both are in registers. See
// ordinary_lanes.h.
#include "lanes.h"
#include "search_scale.h"
#include "statistics_lanes.h"

enum {
  /// Weights that are encoded at a time.
  CK_UNIT = 64,
  /// Chunks whose sums are folded at a time.
  CK_CHUNKS = 8,
  CK_MOST_BLOCKS = CK_SPAN / CK_LANES,
};

/// The scales of blocks, and the numbers between which codes lie, with CK_ROUNDING_MAGIC added.
typedef struct {
  float scales[CK_MOST_BLOCKS], inverses[CK_MOST_BLOCKS];
  float lowest[CK_MOST_BLOCKS], highest[CK_MOST_BLOCKS];
  uint8_t zero_points[CK_MOST_BLOCKS];
} ck_block_scales;

/// Weights in chunks, CK_ERROR_CHUNK in each but the last.
typedef struct {
  const float *values;
  uint8_t *codes;
  /// Where what the codes stand for goes, or NULL.
  float *delivered;
  /// From one chunk to the next.
  size_t stride, code_stride;
  /// Weight i, counted through the chunks, belongs to block i >> block_shift.
  int block_shift;
} ck_run;

/// Errors on the way into ck_error_sums.
typedef struct {
  ck_floats squares, squared_errors, greatest;
  /// Its lanes are zero if a weight is.
  ck_uints least_square;
  /// How many codes are those of zero, for each place in a unit.
  ck_bytes64 zero_codes;
} ck_encoded_errors;

#ifndef CK_HAS_LOW_BYTES
/// The low bytes of 64 lanes.
CK_INLINE ck_bytes64 ck_low_bytes(const ck_ints lanes[4]) {
  return ck_joined(__builtin_convertvector(lanes[0], ck_bytes16),
                   __builtin_convertvector(lanes[1], ck_bytes16),
                   __builtin_convertvector(lanes[2], ck_bytes16),
                   __builtin_convertvector(lanes[3], ck_bytes16));
}
#endif

/// The numbers that codes of sixteen weights stand for, and the codes in the low bytes of lanes,
/// less any zero point.
CK_INLINE ck_floats encode_lanes(ck_code code, ck_floats values, const ck_block_scales *scales,
                                 size_t block, ck_ints *codes) {
  ck_floats ratios = values * ck_splat(scales->inverses[block]);
  if (ck_is_small_float(code)) {
    ck_minifloat format = code == CK_CODE_E2M1 ? CK_E2M1 : CK_E4M3;
    ck_ints magnitudes = (ck_ints)ck_min(ck_magnitudes(ratios), ck_splat(format.maximum));
    int shift = 23 - format.mantissa_bits, least = (127 + format.minimum_exponent) << 23;
    ck_ints exponents = __builtin_elementwise_max(magnitudes & ck_splat_int(0x7F800000),
                                                  ck_splat_int(least));
    // As in ck_round_to_grid. The sum's low bits count the grid's steps; `offset` takes away what
    // the least exponent adds.
    int offset = -(least >> shift) & 0xFF;
    ck_floats magic = (ck_floats)(exponents + ck_splat_int((shift << 23) + offset));
    ck_floats sums = (ck_floats)magnitudes + magic;
    ck_ints signs = ck_sign_bits(ratios);
    *codes = ((ck_ints)sums + (exponents >> shift)) |
             (ck_ints)((ck_uints)signs >> (31 - format.sign_shift));
    return (ck_floats)((ck_ints)(sums - magic) | signs);
  }
  // The sum's low bits are the rounded integer's.
  ck_floats magic = ck_splat(CK_ROUNDING_MAGIC + (code == CK_CODE_INT4 ? 8 : 0));
  ck_floats sums = ratios + magic;
  sums = ck_max(sums, code == CK_CODE_UINT4  ? ck_splat(scales->lowest[block])
                      : code == CK_CODE_INT4 ? magic - ck_splat(8)
                                             : magic - ck_splat(128));
  sums = ck_min(sums, code == CK_CODE_UINT4  ? ck_splat(scales->highest[block])
                      : code == CK_CODE_INT4 ? magic + ck_splat(7)
                                             : magic + ck_splat(127));
  *codes = (ck_ints)sums;
  return sums - magic;
}

/// Encodes a unit. The unit's first weight belongs to `block`.
CK_INLINE void encode_unit(ck_code code, const float *values, const ck_block_scales *scales,
                           size_t block, int block_shift, uint8_t *codes, float *delivered,
                           ck_encoded_errors *errors) {
  ck_ints lanes[CK_UNIT / CK_LANES];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < CK_UNIT / CK_LANES; i++) {
    size_t own = block + (i * CK_LANES >> block_shift);
    ck_floats x = ck_load(values + i * CK_LANES);
    ck_floats y = encode_lanes(code, x, scales, own, &lanes[i]) * ck_splat(scales->scales[own]);
    if (delivered) ck_store(y, delivered + i * CK_LANES);
    if (!errors) continue;
    ck_floats error = x - y, square = x * x;
    errors->squares += square;
    errors->squared_errors += error * error;
    errors->greatest = ck_max(ck_magnitudes(error), errors->greatest);
    errors->least_square = __builtin_elementwise_min(errors->least_square, (ck_uints)square);
  }
  ck_bytes64 bytes = ck_low_bytes(lanes);
  if (errors) {
    uint8_t of_zero = code == CK_CODE_INT4 ? 8 : 0;
    uint8_t mask = code == CK_CODE_E4M3 ? 0x7F : code == CK_CODE_E2M1 ? 7 : 0xFF;
    errors->zero_codes -= (ck_bytes64)((bytes & mask) == of_zero);
  }
  if (code == CK_CODE_UINT4) {
    const uint8_t *zero_points = scales->zero_points + block;
    bytes += ck_joined((ck_bytes16)zero_points[0],
                       (ck_bytes16)zero_points[(size_t)16 >> block_shift],
                       (ck_bytes16)zero_points[(size_t)32 >> block_shift],
                       (ck_bytes16)zero_points[(size_t)48 >> block_shift]);
  }
  if (ck_bit_count(code) == 8) {
    memcpy(codes, &bytes, sizeof bytes);
  } else {
    ck_words32 pairs = (ck_words32)bytes;
    ck_bytes32 packed = __builtin_convertvector(pairs | pairs >> 4, ck_bytes32);
    memcpy(codes, &packed, sizeof packed);
  }
}

/// The number of weights that are zero, from one weight of a run to another.
CK_INLINE uint64_t zero_count(const ck_run *run, size_t start, size_t end) {
  ck_ints zeros = {0};
  for (size_t i = start; i < end; i += CK_LANES) {
    const float *values = run->values + i / CK_ERROR_CHUNK * run->stride + i % CK_ERROR_CHUNK;
    zeros -= (ck_ints)(ck_load(values) == ck_splat(0));
  }
  return (uint64_t)__builtin_reduce_add(zeros);
}

/// Adds the sums of chunks. Returns whether Float32 could hold them.
CK_INLINE int add_chunks(const ck_floats totals[CK_LANES], const ck_encoded_errors *errors,
                         const ck_run *run, size_t start, size_t end, ck_error_sums *sums) {
  ck_floats folded = ck_fold_all(CK_SUM, totals);
  float greatest = ck_greatest_lane(errors->greatest);
  // See ck_chunk_is_sound; chunks without any error are sound, too.
  ck_floats least = ck_splat(0x1p-100f);
  if (greatest == 0) {
    const ck_floats of_squares = {1, 1, 1, 1, 1, 1, 1, 1};
    least *= of_squares;
  }
  if (ck_lane_bits((ck_ints)(folded < least) | (ck_ints)(folded > ck_splat(0x1p100f)))) return 0;
  float chunk_sums[CK_LANES];
  ck_store(folded, chunk_sums);
  for (size_t k = 0; start + k * CK_ERROR_CHUNK < end; k++) {
    ck_add_exactly(chunk_sums[k], &sums->squares_high, &sums->squares_low);
    ck_add_exactly(chunk_sums[k + CK_CHUNKS], &sums->squared_errors_high,
                   &sums->squared_errors_low);
  }
  if (greatest > sums->maximum_absolute_error) sums->maximum_absolute_error = greatest;
  sums->count += end - start;
  // The codes of zero less those whose weights are: a zero's code is always that of zero.
  ck_words32 zero_codes = (ck_words32)errors->zero_codes;
  sums->zeroed_count += __builtin_reduce_add((zero_codes & 0xFF) + (zero_codes >> 8));
  if (__builtin_reduce_min(errors->least_square) == 0)
    sums->zeroed_count -= zero_count(run, start, end);
  return 1;
}

/// Encodes `count` weights, a multiple of CK_UNIT, and adds their errors to `sums` where they are
/// asked for. Returns whether Float32 can hold those of each chunk.
CK_INLINE int encode_run_as(ck_code code, int is_delivered, const ck_run *given, size_t count,
                            const ck_block_scales *scales, ck_error_sums *sums) {
  enum { COUNT = CK_CHUNKS * CK_ERROR_CHUNK };
  // A copy that nothing points to stays in registers.
  const ck_run run = *given;
  for (size_t start = 0; start < count; start += COUNT) {
    size_t end = count - start < COUNT ? count : start + COUNT;
    ck_encoded_errors errors = {.least_square = (ck_uints)UINT32_MAX};
    ck_floats totals[CK_LANES];
    for (size_t k = 0; k < CK_CHUNKS; k++) {
      size_t first = start + k * CK_ERROR_CHUNK, chunk = first / CK_ERROR_CHUNK;
      size_t last = end - first < CK_ERROR_CHUNK ? end : first + CK_ERROR_CHUNK;
      // The sums of chunks that are not there shall be sound.
      errors.squares = errors.squared_errors = ck_splat(first < end ? 0 : 1);
      for (size_t i = first; first < end && i < last; i += CK_UNIT)
        encode_unit(code, run.values + chunk * run.stride + (i - first), scales,
                    i >> run.block_shift, run.block_shift,
                    run.codes + chunk * run.code_stride + (i - first) * ck_bit_count(code) / 8,
                    is_delivered ? run.delivered + chunk * run.stride + (i - first) : NULL,
                    sums ? &errors : NULL);
      totals[k] = errors.squares;
      totals[k + CK_CHUNKS] = errors.squared_errors;
    }
    if (sums && !add_chunks(totals, &errors, given, start, end, sums)) return 0;
  }
  return 1;
}

#define CK_ENCODE_RUN(code)                                                        \
  case code:                                                                       \
    return !sums            ? encode_run_as(code, 0, run, count, scales, NULL)     \
           : run->delivered ? encode_run_as(code, 1, run, count, scales, sums)     \
                            : encode_run_as(code, 0, run, count, scales, sums);

static int encode_run(ck_code code, const ck_run *run, size_t count,
                      const ck_block_scales *scales, ck_error_sums *sums) {
  switch (code) {
    CK_ENCODE_RUN(CK_CODE_E4M3)
    CK_ENCODE_RUN(CK_CODE_E2M1)
    CK_ENCODE_RUN(CK_CODE_INT8)
    CK_ENCODE_RUN(CK_CODE_INT4)
    CK_ENCODE_RUN(CK_CODE_UINT4)
  }
  return 0;
}
