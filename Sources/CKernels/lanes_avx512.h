// Codes in AVX-512's vectors. Private to CKernels.
#pragma once

#include <immintrin.h>

#include "minifloat.h"

#define CK_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")))
#define CK_AVX512_INLINE CK_AVX512 static inline __attribute__((always_inline))

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

/// Decodes any number of E4M3 codes and multiplies them by scales, of which each is that of
/// `group_columns` weights, a multiple of 16 and a constant.
CK_AVX512_INLINE void ck_scaled_e4m3(const uint8_t *codes, size_t count, const float *scales,
                                     size_t group_columns, float *values) {
  const __m512i third[2] = {_mm512_loadu_si512(ck_third_bytes_of_e4m3),
                            _mm512_loadu_si512(ck_third_bytes_of_e4m3 + 64)};
  const __m512i fourth[2] = {_mm512_loadu_si512(ck_fourth_bytes_of_e4m3),
                             _mm512_loadu_si512(ck_fourth_bytes_of_e4m3 + 64)};
  // For each vector of sixteen results: bytes 0 and 1 of a result are masked; byte 2 is taken from
  // the first source, byte 3 from the second, whose indices begin at 64.
  const __m512i step = _mm512_set1_epi32(0x10100000);
  const __m512i first = _mm512_add_epi32(
      _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                         _mm512_set1_epi32(0x01010000)),
      _mm512_set1_epi32(0x40000000));
  const __mmask64 upper = 0xCCCCCCCCCCCCCCCC;
  for (size_t i = 0; i < count; i += 64) {
    size_t rest = count - i;
    __m512i code = rest >= 64 ? _mm512_loadu_si512(codes + i)
                              : _mm512_maskz_loadu_epi8(((__mmask64)1 << rest) - 1, codes + i);
    // The lookup reads seven bits.
    __m512i low = _mm512_permutex2var_epi8(third[0], code, third[1]);
    __m512i high = _mm512_permutex2var_epi8(fourth[0], code, fourth[1]);
    // high | (code & 0x80)
    high = _mm512_ternarylogic_epi32(high, code, _mm512_set1_epi8((char)0x80), 0xF8);
    __m512i index = first;
    for (size_t part = 0; part < 64 && part < rest; part += 16) {
      __m512i lanes = _mm512_maskz_permutex2var_epi8(upper, low, index, high);
      __m512 scale = _mm512_set1_ps(scales[(i + part) / group_columns]);
      __m512 products = _mm512_mul_ps(_mm512_castsi512_ps(lanes), scale);
      if (rest - part >= 16) {
        _mm512_storeu_ps(values + i + part, products);
      } else {
        _mm512_mask_storeu_ps(values + i + part, (__mmask16)((1u << (rest - part)) - 1), products);
      }
      index = _mm512_add_epi32(index, step);
    }
  }
}
