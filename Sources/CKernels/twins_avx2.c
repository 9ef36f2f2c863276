// The kernels whose text is the same for all vectors, for AVX2.
#if defined(__x86_64__)

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ck_product.h"
#include "ck_quantize.h"
#include "ck_statistics.h"

#define CK_TWIN(operation) operation##_avx2
#define CK_PRODUCT_LEFT 3
#define CK_PRODUCT_RIGHT 2
#pragma clang attribute push(__attribute__((target("avx2,f16c"))), apply_to = function)
#include "product_lanes.h"
#include "quantize_lanes.h"
#pragma clang attribute pop

#endif
