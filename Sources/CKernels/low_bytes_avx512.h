// What Clang does not find by itself. Private to CKernels; include it where functions are compiled
// for AVX-512 with VBMI.
#pragma once

#include <immintrin.h>

#include "lanes.h"

#define CK_HAS_LOW_BYTES

/// The low bytes of 64 lanes.
CK_INLINE ck_bytes64 ck_low_bytes(const ck_ints lanes[4]) {
  ck_bytes64 every_fourth = {0,  4,  8,  12, 16, 20, 24, 28, 32, 36,  40,  44,  48,  52,  56,  60,
                             64, 68, 72, 76, 80, 84, 88, 92, 96, 100, 104, 108, 112, 116, 120, 124};
  // Clang makes four instructions of a permutation that it knows.
  __asm__("" : "+v"(every_fourth));
  __m512i first = _mm512_permutex2var_epi8((__m512i)lanes[0], (__m512i)every_fourth,
                                           (__m512i)lanes[1]);
  __m512i second = _mm512_permutex2var_epi8((__m512i)lanes[2], (__m512i)every_fourth,
                                            (__m512i)lanes[3]);
  return (ck_bytes64)_mm512_inserti64x4(first, _mm512_castsi512_si256(second), 1);
}
