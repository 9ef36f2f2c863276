#include "ck_checksum.h"
#include "ck_convert.h"
#include "ck_dispatch.h"
#include "ck_lut.h"
#include "ck_product.h"
#include "ck_quantize.h"
#include "ck_statistics.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

int ck_has_isa(ck_isa isa) {
#if defined(__x86_64__)
  if (isa == CK_ISA_AVX2)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c");
  if (isa == CK_ISA_AVX512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
           ck_has_isa(CK_ISA_AVX2);
#elif defined(__aarch64__)
  if (isa == CK_ISA_NEON) return 1;
#endif
  return isa == CK_ISA_PORTABLE;
}

const char *ck_isa_name(ck_isa isa) {
  switch (isa) {
  case CK_ISA_AVX2: return "AVX2";
  case CK_ISA_AVX512: return "AVX-512";
  case CK_ISA_NEON: return "NEON";
  default: return "portable";
  }
}

// -1: not chosen yet. Two threads that choose at once choose the same.
static _Atomic int chosen_isa = -1;

ck_isa ck_isa_in_use(void) {
  int isa = atomic_load_explicit(&chosen_isa, memory_order_relaxed);
  if (isa < 0) {
    static const char *const names[] = {"portable", "avx2", "avx512", "neon"};
    const char *wish = getenv("KELTER_KERNELS");
    isa = CK_ISA_NEON;
    while (!ck_has_isa((ck_isa)isa)) isa--;
    for (int i = 0; wish != NULL && i <= CK_ISA_NEON; i++)
      if (strcmp(wish, names[i]) == 0 && ck_has_isa((ck_isa)i)) isa = i;
    atomic_store_explicit(&chosen_isa, isa, memory_order_relaxed);
  }
  return (ck_isa)isa;
}

int ck_select_isa(ck_isa isa) {
  if (!ck_has_isa(isa)) return -1;
  atomic_store_explicit(&chosen_isa, (int)isa, memory_order_relaxed);
  return 0;
}

// Calls the chosen twin of an operation, or of one that has no AVX-512 twin.
#if defined(__x86_64__)
#define CK_DISPATCH(operation, ...)                          \
  (ck_isa_in_use() == CK_ISA_AVX512                          \
       ? operation##_avx512(__VA_ARGS__)                     \
       : CK_DISPATCH_TO_AVX2(operation, __VA_ARGS__))
#define CK_DISPATCH_TO_AVX2(operation, ...)                  \
  (ck_isa_in_use() == CK_ISA_PORTABLE                        \
       ? operation##_portable(__VA_ARGS__)                   \
       : operation##_avx2(__VA_ARGS__))
#elif defined(__aarch64__)
#define CK_DISPATCH(operation, ...)                          \
  (ck_isa_in_use() == CK_ISA_PORTABLE                        \
       ? operation##_portable(__VA_ARGS__)                   \
       : operation##_neon(__VA_ARGS__))
#define CK_DISPATCH_TO_AVX2 CK_DISPATCH
#else
#define CK_DISPATCH(operation, ...) operation##_portable(__VA_ARGS__)
#define CK_DISPATCH_TO_AVX2 CK_DISPATCH
#endif

size_t ck_checksum_stripes(
    uint64_t lanes[8], const uint8_t *bytes, size_t stripe_count, size_t stripes_in_block) {
  return CK_DISPATCH(ck_checksum_stripes, lanes, bytes, stripe_count, stripes_in_block);
}

#define CK_DISPATCH_DECODE(format)                                                  \
  void ck_decode_##format(const uint8_t *codes, size_t count, float *values) {      \
    CK_DISPATCH(ck_decode_##format, codes, count, values);                          \
  }
CK_DISPATCH_DECODE(bf16)
CK_DISPATCH_DECODE(f16)
CK_DISPATCH_DECODE(e4m3)
CK_DISPATCH_DECODE(e5m2)
CK_DISPATCH_DECODE(e8m0)
CK_DISPATCH_DECODE(e2m1)
CK_DISPATCH_DECODE(int8)

#define CK_DISPATCH_ENCODE(format)                                                  \
  void ck_encode_##format(const float *values, size_t count, uint8_t *codes) {      \
    CK_DISPATCH_TO_AVX2(ck_encode_##format, values, count, codes);                  \
  }
CK_DISPATCH_ENCODE(bf16)
CK_DISPATCH_ENCODE(e4m3)

void ck_quantize(const ck_quantizer *quantizer, const float *values, size_t rows,
    const float *importance, const ck_quantized *to) {
  CK_DISPATCH(ck_quantize, quantizer, values, rows, importance, to);
}

void ck_dequantize_row(ck_code code, const uint8_t *codes, size_t columns, size_t group_columns,
                       const float *scales, const uint8_t *zero_points, float *values) {
  CK_DISPATCH(ck_dequantize_row, code, codes, columns, group_columns, scales, zero_points,
              values);
}

void ck_add_errors(const float *reference, const float *approximation, size_t rows,
                   size_t columns, ck_error_sums *sums) {
  CK_DISPATCH(ck_add_errors, reference, approximation, rows, columns, sums);
}

ck_special_counts ck_count_specials(const uint8_t *elements, size_t count,
                                    size_t element_byte_count, uint64_t exponent,
                                    uint64_t magnitude) {
  return CK_DISPATCH(ck_count_specials, elements, count, element_byte_count, exponent, magnitude);
}

void ck_multiply_rows(const float *left, size_t left_rows, size_t left_stride, const float *right,
                      size_t right_rows, size_t columns, float *output, size_t stride) {
  CK_DISPATCH(ck_multiply_rows, left, left_rows, left_stride, right, right_rows, columns, output,
              stride);
}

void ck_lut_learn(ck_lut *lut, const float *sample, size_t piece_count, size_t width,
                  const float *importance) {
  CK_DISPATCH(ck_lut_learn, lut, sample, piece_count, width, importance);
}

void ck_lut_quantize(const ck_lut *lut, ck_search search, const float *importance,
                     const float *values, size_t rows, uint8_t *codes, uint8_t *scales) {
  CK_DISPATCH(ck_lut_quantize, lut, search, importance, values, rows, codes, scales);
}

void ck_lut_dequantize(const ck_lut *lut, const uint8_t *codes, const uint8_t *scales, size_t rows,
                       float *values) {
  CK_DISPATCH(ck_lut_dequantize, lut, codes, scales, rows, values);
}
