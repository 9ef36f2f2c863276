#pragma STDC FP_CONTRACT OFF
#include "ck_checksum.h"

#if defined(__aarch64__)
#include <arm_neon.h>

static uint64x2_t load(const uint8_t *bytes) { return vreinterpretq_u64_u8(vld1q_u8(bytes)); }

size_t ck_checksum_stripes_neon(
    uint64_t lanes[8], const uint8_t *bytes, size_t stripe_count, size_t stripes_in_block) {
  const uint32x2_t prime = vdup_n_u32(0x9E3779B1u);
  uint64x2_t lane[4];
  for (int j = 0; j < 4; j++) lane[j] = vld1q_u64(lanes + 2 * j);
  for (size_t i = 0; i < stripe_count; i++) {
    const uint8_t *stripe = bytes + 64 * i;
    const uint8_t *secret = ck_checksum_secret + 8 * stripes_in_block;
    __builtin_prefetch(stripe + 512);
    for (int j = 0; j < 4; j++) {
      uint64x2_t value = load(stripe + 16 * j);
      uint64x2_t key = veorq_u64(value, load(secret + 16 * j));
      // Neighbouring lanes exchange their values.
      lane[j] = vaddq_u64(lane[j], vextq_u64(value, value, 1));
      lane[j] = vmlal_u32(lane[j], vmovn_u64(key), vshrn_n_u64(key, 32));
    }
    if (++stripes_in_block < 16) continue;
    stripes_in_block = 0;
    for (int j = 0; j < 4; j++) {
      uint64x2_t mixed = veorq_u64(lane[j], vshrq_n_u64(lane[j], 47));
      mixed = veorq_u64(mixed, load(ck_checksum_secret + 128 + 16 * j));
      // 64 × 32 bits: the low product, and the high product moved up.
      uint64x2_t high = vmull_u32(vshrn_n_u64(mixed, 32), prime);
      lane[j] = vmlal_u32(vshlq_n_u64(high, 32), vmovn_u64(mixed), prime);
    }
  }
  for (int j = 0; j < 4; j++) vst1q_u64(lanes + 2 * j, lane[j]);
  return stripes_in_block;
}
#endif
