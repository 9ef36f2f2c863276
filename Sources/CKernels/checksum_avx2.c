#pragma STDC FP_CONTRACT OFF
#include "ck_checksum.h"

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2,f16c"))) size_t ck_checksum_stripes_avx2(
    uint64_t lanes[8], const uint8_t *bytes, size_t stripe_count, size_t stripes_in_block) {
  const __m256i prime = _mm256_set1_epi32((int)0x9E3779B1u);
  __m256i lane[2] = {
      _mm256_loadu_si256((const __m256i *)lanes),
      _mm256_loadu_si256((const __m256i *)(lanes + 4)),
  };
  for (size_t i = 0; i < stripe_count; i++) {
    const uint8_t *stripe = bytes + 64 * i;
    const uint8_t *secret = ck_checksum_secret + 8 * stripes_in_block;
    _mm_prefetch((const char *)stripe + 512, _MM_HINT_T0);
    for (int j = 0; j < 2; j++) {
      __m256i value = _mm256_loadu_si256((const __m256i *)(stripe + 32 * j));
      __m256i key =
          _mm256_xor_si256(value, _mm256_loadu_si256((const __m256i *)(secret + 32 * j)));
      __m256i product = _mm256_mul_epu32(key, _mm256_srli_epi64(key, 32));
      // Neighbouring lanes exchange their values.
      __m256i swapped = _mm256_shuffle_epi32(value, _MM_SHUFFLE(1, 0, 3, 2));
      lane[j] = _mm256_add_epi64(lane[j], _mm256_add_epi64(product, swapped));
    }
    if (++stripes_in_block < 16) continue;
    stripes_in_block = 0;
    for (int j = 0; j < 2; j++) {
      __m256i mixed = _mm256_xor_si256(lane[j], _mm256_srli_epi64(lane[j], 47));
      mixed = _mm256_xor_si256(
          mixed, _mm256_loadu_si256((const __m256i *)(ck_checksum_secret + 128 + 32 * j)));
      // 64 × 32 bits: the low product, and the high product moved up.
      __m256i low = _mm256_mul_epu32(mixed, prime);
      __m256i high = _mm256_mul_epu32(_mm256_srli_epi64(mixed, 32), prime);
      lane[j] = _mm256_add_epi64(low, _mm256_slli_epi64(high, 32));
    }
  }
  _mm256_storeu_si256((__m256i *)lanes, lane[0]);
  _mm256_storeu_si256((__m256i *)(lanes + 4), lane[1]);
  return stripes_in_block;
}

// One stripe: its values, exchanged between neighbouring lanes, and their products with the key.
__attribute__((target("avx512f,avx512dq"))) static inline __m512i stripe_sum_avx512(
    const uint8_t *stripe, __m512i secret) {
  __m512i value = _mm512_loadu_si512(stripe);
  __m512i key = _mm512_xor_si512(value, secret);
  __m512i product = _mm512_mul_epu32(key, _mm512_srli_epi64(key, 32));
  return _mm512_add_epi64(product, _mm512_shuffle_epi32(value, _MM_PERM_BADC));
}

__attribute__((target("avx512f,avx512dq"))) size_t ck_checksum_stripes_avx512(
    uint64_t lanes[8], const uint8_t *bytes, size_t stripe_count, size_t stripes_in_block) {
  const __m512i prime = _mm512_set1_epi32((int)0x9E3779B1u);
  const __m512i last = _mm512_loadu_si512(ck_checksum_secret + 128);
  // No secret starts where a line of the cache does: they stay in registers.
  __m512i secrets[16];
  for (int i = 0; i < 16; i++) secrets[i] = _mm512_loadu_si512(ck_checksum_secret + 8 * i);
  __m512i lane = _mm512_loadu_si512(lanes);
  while (stripe_count > 0) {
    if (stripes_in_block == 0 && stripe_count >= 16) {
#pragma clang loop unroll(full)
      for (int i = 0; i < 16; i++) {
        _mm_prefetch((const char *)bytes + 64 * i + 512, _MM_HINT_T0);
        lane = _mm512_add_epi64(lane, stripe_sum_avx512(bytes + 64 * i, secrets[i]));
      }
      bytes += 1024;
      stripe_count -= 16;
    } else {
      __m512i secret = _mm512_loadu_si512(ck_checksum_secret + 8 * stripes_in_block);
      lane = _mm512_add_epi64(lane, stripe_sum_avx512(bytes, secret));
      bytes += 64;
      stripe_count--;
      if (++stripes_in_block < 16) continue;
      stripes_in_block = 0;
    }
    __m512i mixed = _mm512_ternarylogic_epi64(lane, _mm512_srli_epi64(lane, 47), last, 0x96);
    __m512i low = _mm512_mul_epu32(mixed, prime);
    __m512i high = _mm512_mul_epu32(_mm512_srli_epi64(mixed, 32), prime);
    lane = _mm512_add_epi64(low, _mm512_slli_epi64(high, 32));
  }
  _mm512_storeu_si512(lanes, lane);
  return stripes_in_block;
}
#endif
