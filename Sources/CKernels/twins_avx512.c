// The kernels whose text is the same for all vectors, for AVX-512.
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ck_lut.h"
#include "ck_product.h"
#include "ck_quantize.h"
#include "ck_statistics.h"

#define CK_TWIN(operation) operation##_avx512
#define CK_PRODUCT_LEFT 6
#define CK_PRODUCT_RIGHT 4
#define CK_PRODUCT_BLOCK (1 << 17)
#define CK_SEARCH_STEP 4
#pragma clang attribute push( \
    __attribute__((target( \
        "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,f16c"))), \
    apply_to = function)
#include "low_bytes_avx512.h"
#include "product_lanes.h"
#include "quantize_lanes.h"
#include "specials_lanes.h"

#define ck_lookup4 ck_lookup16
#define ck_lookup8 ck_lookup16

CK_INLINE ck_floats ck_lookup16(ck_floats table, ck_ints lanes) {
  return (ck_floats)_mm512_permutexvar_ps((__m512i)lanes, (__m512)table);
}

CK_INLINE ck_ints ck_next_index(ck_ints indices, ck_floats numbers, ck_floats thresholds) {
  // The sign of the difference moves in from the right: cheaper than a comparison to a mask.
  ck_floats differences = thresholds - numbers;
  return (ck_ints)_mm512_shldi_epi32((__m512i)indices, (__m512i)differences, 1);
}

#define LUT_AT_ONCE 8
#include "lut_lanes.h"
#pragma clang attribute pop

#endif
