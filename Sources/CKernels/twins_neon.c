// The kernels whose text is the same for all vectors, for NEON, which every aarch64 processor has.
#if defined(__aarch64__)

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ck_product.h"
#include "ck_quantize.h"
#include "ck_statistics.h"

#define CK_TWIN(operation) operation##_neon
#define CK_PRODUCT_LEFT 2
#define CK_PRODUCT_RIGHT 2
#include "product_lanes.h"
#include "quantize_lanes.h"

#endif
