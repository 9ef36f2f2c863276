#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Conversions of whole arrays between element formats and Float32. Elements are little-endian and
// need no alignment. Decoding is exact, but for Float64, which rounds to nearest even. A NaN stays
// a quiet NaN with its sign; formats/quantization.md tells the bits.

#define CK_DECODE(format)                                                                     \
  void ck_decode_##format(const uint8_t *codes, size_t count, float *values);                 \
  void ck_decode_##format##_portable(const uint8_t *codes, size_t count, float *values);      \
  void ck_decode_##format##_avx2(const uint8_t *codes, size_t count, float *values);          \
  void ck_decode_##format##_avx512(const uint8_t *codes, size_t count, float *values);        \
  void ck_decode_##format##_neon(const uint8_t *codes, size_t count, float *values);
CK_DECODE(bf16)
CK_DECODE(f16)
CK_DECODE(e4m3)
CK_DECODE(e5m2)
CK_DECODE(e8m0)
// Two to a byte, the low nibble first; `count` counts elements.
CK_DECODE(e2m1)
CK_DECODE(int8)
#undef CK_DECODE

void ck_decode_f64(const uint8_t *codes, size_t count, float *values);

#define CK_ENCODE(format)                                                                     \
  void ck_encode_##format(const float *values, size_t count, uint8_t *codes);                 \
  void ck_encode_##format##_portable(const float *values, size_t count, uint8_t *codes);      \
  void ck_encode_##format##_avx2(const float *values, size_t count, uint8_t *codes);          \
  void ck_encode_##format##_neon(const float *values, size_t count, uint8_t *codes);
// Round to nearest, ties to even; overflow becomes an infinity.
CK_ENCODE(bf16)
// Round to nearest, ties to even; overflow and infinities saturate to ±448.
CK_ENCODE(e4m3)
#undef CK_ENCODE

#ifdef __cplusplus
}
#endif
