// The kernels whose text is the same for all vectors, for NEON, which every aarch64 processor has.
#if defined(__aarch64__)

#include <arm_neon.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ck_lut.h"
#include "ck_product.h"
#include "ck_quantize.h"
#include "ck_statistics.h"

#define CK_TWIN(operation) operation##_neon
#define CK_PRODUCT_LEFT 2
#define CK_PRODUCT_RIGHT 2
#define CK_PRODUCT_BLOCK (1 << 16)
#define CK_SEARCH_STEP 2
#include "product_lanes.h"
#include "quantize_lanes.h"
#include "specials_lanes.h"

typedef union {
  ck_floats all;
  ck_ints ints;
  uint8x16_t bytes[4];
  uint8x16x2_t first_half;
  uint8x16x4_t whole;
} ck_quarters;

/// Where the bytes of looked up numbers lie in a table.
CK_INLINE ck_quarters ck_byte_places(ck_ints lanes) {
  return (ck_quarters){.ints = lanes * 0x04040404 + 0x03020100};
}

CK_INLINE ck_floats ck_lookup4(ck_floats table, ck_ints lanes) {
  ck_quarters from = {table}, places = ck_byte_places(lanes), to;
  for (int i = 0; i < 4; i++) to.bytes[i] = vqtbl1q_u8(from.bytes[0], places.bytes[i]);
  return to.all;
}

CK_INLINE ck_floats ck_lookup8(ck_floats table, ck_ints lanes) {
  ck_quarters from = {table}, places = ck_byte_places(lanes), to;
  for (int i = 0; i < 4; i++) to.bytes[i] = vqtbl2q_u8(from.first_half, places.bytes[i]);
  return to.all;
}

CK_INLINE ck_floats ck_lookup16(ck_floats table, ck_ints lanes) {
  ck_quarters from = {table}, places = ck_byte_places(lanes), to;
  for (int i = 0; i < 4; i++) to.bytes[i] = vqtbl4q_u8(from.whole, places.bytes[i]);
  return to.all;
}

CK_INLINE ck_ints ck_next_index(ck_ints indices, ck_floats numbers, ck_floats thresholds) {
  return indices + indices - (numbers > thresholds);
}

#define LUT_AT_ONCE 1
#include "lut_lanes.h"

#endif
