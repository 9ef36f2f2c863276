// XXH64 with seed 0, after doc/xxhash_spec.md of Cyan4973/xxHash.
#pragma STDC FP_CONTRACT OFF
#include "ck_xxh64.h"

#include <string.h>

#define PRIME_1 0x9E3779B185EBCA87u
#define PRIME_2 0xC2B2AE3D27D4EB4Fu
#define PRIME_3 0x165667B19E3779F9u
#define PRIME_4 0x85EBCA77C2B2AE63u
#define PRIME_5 0x27D4EB2F165667C5u

enum { STRIPE = 32 };

static uint64_t read_little_endian(const uint8_t *p, int byte_count) {
  uint64_t value = 0;
  for (int i = 0; i < byte_count; i++) value |= (uint64_t)p[i] << (8 * i);
  return value;
}

static uint64_t rotate_left(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

static uint64_t round_of(uint64_t lane, uint64_t input) {
  return rotate_left(lane + input * PRIME_2, 31) * PRIME_1;
}

static void add_stripes(ck_xxh64_state *state, const uint8_t *bytes, size_t stripe_count) {
  uint64_t a = state->lanes[0], b = state->lanes[1], c = state->lanes[2], d = state->lanes[3];
  for (size_t i = 0; i < stripe_count; i++, bytes += STRIPE) {
    a = round_of(a, read_little_endian(bytes, 8));
    b = round_of(b, read_little_endian(bytes + 8, 8));
    c = round_of(c, read_little_endian(bytes + 16, 8));
    d = round_of(d, read_little_endian(bytes + 24, 8));
  }
  state->lanes[0] = a;
  state->lanes[1] = b;
  state->lanes[2] = c;
  state->lanes[3] = d;
}

void ck_xxh64_init(ck_xxh64_state *state) {
  *state = (ck_xxh64_state){.lanes = {PRIME_1 + PRIME_2, PRIME_2, 0, 0 - PRIME_1}};
}

void ck_xxh64_update(ck_xxh64_state *state, const uint8_t *bytes, size_t count) {
  if (count == 0) return;
  size_t held = state->total % STRIPE;
  state->total += count;
  if (held > 0) {
    size_t taken = count < STRIPE - held ? count : STRIPE - held;
    memcpy(state->buffer + held, bytes, taken);
    if (held + taken < STRIPE) return;
    add_stripes(state, state->buffer, 1);
    bytes += taken;
    count -= taken;
  }
  add_stripes(state, bytes, count / STRIPE);
  memcpy(state->buffer, bytes + count / STRIPE * STRIPE, count % STRIPE);
}

static uint64_t merge(uint64_t value, uint64_t lane) {
  return (value ^ round_of(0, lane)) * PRIME_1 + PRIME_4;
}

uint64_t ck_xxh64_value(const ck_xxh64_state *state) {
  uint64_t value = PRIME_5;
  if (state->total >= STRIPE) {
    const uint64_t *lanes = state->lanes;
    value = rotate_left(lanes[0], 1) + rotate_left(lanes[1], 7) + rotate_left(lanes[2], 12) +
            rotate_left(lanes[3], 18);
    for (int i = 0; i < 4; i++) value = merge(value, lanes[i]);
  }
  value += state->total;
  const uint8_t *rest = state->buffer;
  size_t left = state->total % STRIPE;
  for (; left >= 8; rest += 8, left -= 8) {
    value = rotate_left(value ^ round_of(0, read_little_endian(rest, 8)), 27) * PRIME_1 + PRIME_4;
  }
  if (left >= 4) {
    value = rotate_left(value ^ read_little_endian(rest, 4) * PRIME_1, 23) * PRIME_2 + PRIME_3;
    rest += 4;
    left -= 4;
  }
  for (; left > 0; rest++, left--) value = rotate_left(value ^ *rest * PRIME_5, 11) * PRIME_1;
  value ^= value >> 33;
  value *= PRIME_2;
  value ^= value >> 29;
  value *= PRIME_3;
  return value ^ value >> 32;
}
