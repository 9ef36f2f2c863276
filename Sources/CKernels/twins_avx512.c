// The kernels whose text is the same for all vectors, for AVX-512.
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ck_product.h"
#include "ck_quantize.h"
#include "ck_statistics.h"

#define CK_TWIN(operation) operation##_avx512
#define CK_PRODUCT_LEFT 4
#define CK_PRODUCT_RIGHT 4
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,f16c"))), apply_to = function)
#include "low_bytes_avx512.h"
#include "product_lanes.h"
#include "quantize_lanes.h"
#pragma clang attribute pop

#endif
