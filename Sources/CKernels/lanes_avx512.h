// Codes in AVX-512's vectors. Private to CKernels.
#pragma once

#include <immintrin.h>

#include "minifloat.h"

#define CK_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")))
#define CK_AVX512_INLINE CK_AVX512 static inline __attribute__((always_inline))

/// Asks for the line a page ahead of what a decoder reads, into the second cache. It stores many
/// times as much as it loads, and between so many stores Zen 4 sees no stream of loads.
CK_AVX512_INLINE void ck_prefetch_page_ahead(const uint8_t *bytes) {
  _mm_prefetch((const char *)bytes + 4096, _MM_HINT_T1);
}

/// Sixteen nibbles of eight bytes, the low one of each byte first: each in the low bits of a 32-bit
/// lane, whose other bits are anything. A lookup among sixteen reads four bits.
CK_AVX512_INLINE __m512i ck16_load_nibbles(const uint8_t *bytes) {
  int64_t word;
  memcpy(&word, bytes, sizeof word);
  // The eight bits from 4i on become the low byte of lane i.
  const __m512i first_bits =
      _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60);
  return _mm512_multishift_epi64_epi8(first_bits, _mm512_set1_epi64(word));
}

CK_AVX512_INLINE __m512 ck16_load_int8(const uint8_t *bytes) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)bytes)));
}

CK_AVX512_INLINE __m512 ck16_numbers_of_e2m1(void) {
  return _mm512_setr_ps(0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f, -0.0f, -0.5f, -1.0f, -1.5f,
                        -2.0f, -3.0f, -4.0f, -6.0f);
}

/// Bits 16…23 of the Float32 of each E4M3 code without sign; bits 0…15 are zero.
static const uint8_t ck_third_bytes_of_e4m3[128] = {
    0x00, 0x00, 0x80, 0xC0, 0x00, 0x20, 0x40, 0x60, 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0,
    0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0,
    0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0,
    0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0,
    0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0,
    0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0,
    0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0,
    0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0, 0xC0,
};

/// Bits 24…31.
static const uint8_t ck_fourth_bytes_of_e4m3[128] = {
    0x00, 0x3B, 0x3B, 0x3B, 0x3C, 0x3C, 0x3C, 0x3C, 0x3C, 0x3C, 0x3C, 0x3C, 0x3C, 0x3C, 0x3C, 0x3C,
    0x3D, 0x3D, 0x3D, 0x3D, 0x3D, 0x3D, 0x3D, 0x3D, 0x3D, 0x3D, 0x3D, 0x3D, 0x3D, 0x3D, 0x3D, 0x3D,
    0x3E, 0x3E, 0x3E, 0x3E, 0x3E, 0x3E, 0x3E, 0x3E, 0x3E, 0x3E, 0x3E, 0x3E, 0x3E, 0x3E, 0x3E, 0x3E,
    0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F,
    0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40,
    0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41,
    0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42, 0x42,
    0x43, 0x43, 0x43, 0x43, 0x43, 0x43, 0x43, 0x43, 0x43, 0x43, 0x43, 0x43, 0x43, 0x43, 0x43, 0x7F,
};

/// Where the codes are put whose bytes are then joined in pairs, within 128 bits: the first and the
/// second sixteen in turns, then the third and the fourth.
static const uint8_t ck_order_of_e4m3[64] = {
    0, 16, 1, 17, 2, 18, 3, 19, 32, 48, 33, 49, 34, 50, 35, 51,
    4, 20, 5, 21, 6, 22, 7, 23, 36, 52, 37, 53, 38, 54, 39, 55,
    8, 24, 9, 25, 10, 26, 11, 27, 40, 56, 41, 57, 42, 58, 43, 59,
    12, 28, 13, 29, 14, 30, 15, 31, 44, 60, 45, 61, 46, 62, 47, 63,
};

/// Decodes those of 64 E4M3 codes whose bits are set and multiplies them by scales, of which each
/// is that of `group_columns` weights, a multiple of 16 and a constant.
CK_AVX512_INLINE void ck_scaled_e4m3_block(const uint8_t *codes, __mmask64 mask,
                                           const float *scales, size_t group_columns,
                                           float *values) {
  ck_prefetch_page_ahead(codes);
  __m512i code = _mm512_permutexvar_epi8(_mm512_loadu_si512(ck_order_of_e4m3),
                                         _mm512_maskz_loadu_epi8(mask, codes));
  // The lookup reads seven bits.
  __m512i third = _mm512_permutex2var_epi8(_mm512_loadu_si512(ck_third_bytes_of_e4m3), code,
                                           _mm512_loadu_si512(ck_third_bytes_of_e4m3 + 64));
  __m512i fourth = _mm512_permutex2var_epi8(_mm512_loadu_si512(ck_fourth_bytes_of_e4m3), code,
                                            _mm512_loadu_si512(ck_fourth_bytes_of_e4m3 + 64));
  // fourth | (code & 0x80)
  fourth = _mm512_ternarylogic_epi32(fourth, code, _mm512_set1_epi8((char)0x80), 0xF8);
  const __m512i words[2] = {_mm512_unpacklo_epi8(third, fourth),
                            _mm512_unpackhi_epi8(third, fourth)};
#pragma clang loop unroll(full)
  for (int part = 0; part < 4; part++) {
    if (mask >> 16 * part == 0) break;
    __m512i pair = words[part / 2];
    __m512i bits = part % 2 == 0 ? _mm512_slli_epi32(pair, 16)
                                 : _mm512_and_si512(pair, _mm512_set1_epi32((int)0xFFFF0000));
    __m512 scale = _mm512_set1_ps(scales[16 * (size_t)part / group_columns]);
    _mm512_mask_storeu_ps(values + 16 * part, (__mmask16)(mask >> 16 * part),
                          _mm512_mul_ps(_mm512_castsi512_ps(bits), scale));
  }
}

/// The same of any number of codes.
CK_AVX512_INLINE void ck_scaled_e4m3(const uint8_t *codes, size_t count, const float *scales,
                                     size_t group_columns, float *values) {
  size_t i = 0;
  for (; i + 64 <= count; i += 64)
    ck_scaled_e4m3_block(codes + i, ~(__mmask64)0, scales + i / group_columns, group_columns,
                         values + i);
  if (i < count)
    ck_scaled_e4m3_block(codes + i, ((__mmask64)1 << (count - i)) - 1, scales + i / group_columns,
                         group_columns, values + i);
}
