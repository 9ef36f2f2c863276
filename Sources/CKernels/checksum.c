// XXH3-64 with seed 0 and the default secret, after doc/xxhash_spec.md of Cyan4973/xxHash.
#pragma STDC FP_CONTRACT OFF
#include "ck_checksum.h"

#include <string.h>

#define PRIME32_1 0x9E3779B1u
#define PRIME32_2 0x85EBCA77u
#define PRIME32_3 0xC2B2AE3Du
#define PRIME64_1 0x9E3779B185EBCA87u
#define PRIME64_2 0xC2B2AE3D27D4EB4Fu
#define PRIME64_3 0x165667B19E3779F9u
#define PRIME64_4 0x85EBCA77C2B2AE63u
#define PRIME64_5 0x27D4EB2F165667C5u
#define MIX_1 0x165667919E3779F9u
#define MIX_2 0x9FB21C651E98DF25u

enum { STRIPE = 64, STRIPES_PER_BLOCK = 16, SHORT_LIMIT = 240, BUFFER = 256 };

const uint8_t ck_checksum_secret[192] = {
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
    0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
    0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
    0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
    0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
    0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
    0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
    0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
    0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
    0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
    0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
    0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
};

static uint32_t read32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t read64(const uint8_t *p) {
  return (uint64_t)read32(p) | (uint64_t)read32(p + 4) << 32;
}

static uint64_t rotate_left(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

static uint64_t multiply_fold(uint64_t a, uint64_t b) {
  __uint128_t product = (__uint128_t)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t avalanche(uint64_t h) {
  h ^= h >> 37;
  h *= MIX_1;
  return h ^ h >> 32;
}

static uint64_t avalanche_xxh64(uint64_t h) {
  h ^= h >> 33;
  h *= PRIME64_2;
  h ^= h >> 29;
  h *= PRIME64_3;
  return h ^ h >> 32;
}

static uint64_t mix16(const uint8_t *bytes, const uint8_t *secret) {
  return multiply_fold(read64(bytes) ^ read64(secret), read64(bytes + 8) ^ read64(secret + 8));
}

static uint64_t short_value(const uint8_t *bytes, size_t count) {
  const uint8_t *secret = ck_checksum_secret;
  if (count == 0) return avalanche_xxh64(read64(secret + 56) ^ read64(secret + 64));
  if (count <= 3) {
    uint32_t combined = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[count >> 1] << 24 |
                        (uint32_t)bytes[count - 1] | (uint32_t)count << 8;
    return avalanche_xxh64(combined ^ (uint64_t)(read32(secret) ^ read32(secret + 4)));
  }
  if (count <= 8) {
    uint64_t h = (uint64_t)read32(bytes) << 32 | read32(bytes + count - 4);
    h ^= read64(secret + 8) ^ read64(secret + 16);
    h ^= rotate_left(h, 49) ^ rotate_left(h, 24);
    h *= MIX_2;
    h ^= (h >> 35) + count;
    h *= MIX_2;
    return h ^ h >> 28;
  }
  if (count <= 16) {
    uint64_t low = read64(bytes) ^ read64(secret + 24) ^ read64(secret + 32);
    uint64_t high = read64(bytes + count - 8) ^ read64(secret + 40) ^ read64(secret + 48);
    return avalanche(count + __builtin_bswap64(low) + high + multiply_fold(low, high));
  }
  uint64_t h = count * PRIME64_1;
  if (count <= 128) {
    for (size_t i = 0; i <= (count - 1) / 32; i++) {
      h += mix16(bytes + 16 * i, secret + 32 * i);
      h += mix16(bytes + count - 16 * (i + 1), secret + 32 * i + 16);
    }
    return avalanche(h);
  }
  for (size_t i = 0; i < 8; i++) h += mix16(bytes + 16 * i, secret + 16 * i);
  h = avalanche(h);
  for (size_t i = 8; i < count / 16; i++) h += mix16(bytes + 16 * i, secret + 16 * (i - 8) + 3);
  return avalanche(h + mix16(bytes + count - 16, secret + 136 - 17));
}

static void add_stripe(uint64_t lanes[8], const uint8_t *bytes, const uint8_t *secret) {
  for (size_t i = 0; i < 8; i++) {
    uint64_t value = read64(bytes + 8 * i);
    uint64_t key = value ^ read64(secret + 8 * i);
    lanes[i ^ 1] += value;
    lanes[i] += (key & 0xFFFFFFFFu) * (key >> 32);
  }
}

static void scramble(uint64_t lanes[8]) {
  for (size_t i = 0; i < 8; i++) {
    uint64_t lane = lanes[i] ^ lanes[i] >> 47 ^ read64(ck_checksum_secret + 128 + 8 * i);
    lanes[i] = lane * PRIME32_1;
  }
}

size_t ck_checksum_stripes_portable(
    uint64_t lanes[8], const uint8_t *bytes, size_t stripe_count, size_t stripes_in_block) {
  for (size_t i = 0; i < stripe_count; i++) {
    add_stripe(lanes, bytes + STRIPE * i, ck_checksum_secret + 8 * stripes_in_block);
    if (++stripes_in_block == STRIPES_PER_BLOCK) {
      scramble(lanes);
      stripes_in_block = 0;
    }
  }
  return stripes_in_block;
}

void ck_checksum_init(ck_checksum_state *state) {
  static const uint64_t initial[8] = {PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3,
                                      PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1};
  memset(state, 0, sizeof *state);
  memcpy(state->lanes, initial, sizeof initial);
}

void ck_checksum_update(ck_checksum_state *state, const uint8_t *bytes, size_t count) {
  if (count == 0) return;
  state->total += count;
  // A full buffer is added only once more bytes follow: the last stripe is treated differently.
  if (count > BUFFER - state->buffered) {
    if (state->buffered > 0) {
      size_t fill = BUFFER - state->buffered;
      memcpy(state->buffer + state->buffered, bytes, fill);
      bytes += fill;
      count -= fill;
      state->stripes_in_block = ck_checksum_stripes(
          state->lanes, state->buffer, BUFFER / STRIPE, state->stripes_in_block);
      state->buffered = 0;
    }
    if (count > BUFFER) {
      size_t stripe_count = (count - 1) / BUFFER * (BUFFER / STRIPE);
      state->stripes_in_block =
          ck_checksum_stripes(state->lanes, bytes, stripe_count, state->stripes_in_block);
      bytes += STRIPE * stripe_count;
      count -= STRIPE * stripe_count;
      memcpy(state->buffer + BUFFER - STRIPE, bytes - STRIPE, STRIPE);
    }
  }
  memcpy(state->buffer + state->buffered, bytes, count);
  state->buffered += count;
}

uint64_t ck_checksum_value(const ck_checksum_state *state) {
  if (state->total <= SHORT_LIMIT) return short_value(state->buffer, (size_t)state->total);
  uint64_t lanes[8];
  memcpy(lanes, state->lanes, sizeof lanes);
  ck_checksum_stripes(
      lanes, state->buffer, (state->buffered - 1) / STRIPE, state->stripes_in_block);
  // The last 64 bytes of the input, which may begin in the part of the buffer used before.
  uint8_t last[STRIPE];
  size_t fresh = state->buffered < STRIPE ? state->buffered : STRIPE;
  memcpy(last, state->buffer + BUFFER - (STRIPE - fresh), STRIPE - fresh);
  memcpy(last + STRIPE - fresh, state->buffer + state->buffered - fresh, fresh);
  add_stripe(lanes, last, ck_checksum_secret + 121);
  uint64_t h = state->total * PRIME64_1;
  for (size_t i = 0; i < 4; i++) {
    const uint8_t *secret = ck_checksum_secret + 11 + 16 * i;
    h += multiply_fold(lanes[2 * i] ^ read64(secret), lanes[2 * i + 1] ^ read64(secret + 8));
  }
  return avalanche(h);
}
