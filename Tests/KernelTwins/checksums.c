#include <string.h>

#include "sweep.h"

typedef struct {
  const uint8_t *bytes;
  size_t count;
  /// Bytes that are given at a time.
  size_t piece;
} text;

/// The operation that gives a text to a checksum piece by piece.
#define PIECEWISE(sum)                                                                      \
  static void sum(const void *arguments, uint8_t *output) {                                 \
    const text *given = arguments;                                                          \
    ck_##sum##_state state;                                                                 \
    ck_##sum##_init(&state);                                                                \
    for (size_t i = 0; i < given->count; i += given->piece) {                               \
      size_t rest = given->count - i;                                                       \
      ck_##sum##_update(&state, given->bytes + i, rest < given->piece ? rest : given->piece);\
    }                                                                                       \
    uint64_t value = ck_##sum##_value(&state);                                              \
    memcpy(output, &value, sizeof value);                                                   \
  }
PIECEWISE(checksum)
PIECEWISE(xxh64)

typedef struct {
  uint64_t lanes[8];
  const uint8_t *bytes;
  size_t stripe_count;
  size_t stripes_in_block;
} stripes;

static void add_stripes(const void *arguments, uint8_t *output) {
  const stripes *given = arguments;
  uint64_t lanes[8];
  memcpy(lanes, given->lanes, sizeof lanes);
  uint64_t in_block = ck_checksum_stripes(lanes, given->bytes, given->stripe_count,
                                          given->stripes_in_block);
  memcpy(output, lanes, sizeof lanes);
  memcpy(output + sizeof lanes, &in_block, sizeof in_block);
}

void sweep_checksums(void) {
  static uint8_t bytes[20000];
  sweep_fill(bytes, sizeof bytes);
  static const size_t pieces[] = {1, 63, 64, 257, 1000, sizeof bytes};
  static const size_t long_counts[] = {1024, 1025, 2047, 4096, 10007, sizeof bytes};
  for (size_t i = 0; i < 600 + sizeof long_counts / sizeof *long_counts; i++) {
    size_t count = i < 600 ? i : long_counts[i - 600];
    const uint8_t *input = sweep_input(0, bytes + sizeof bytes - count, count);
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
      text given = {input, count, pieces[p]};
      sweep_compare("ck_checksum", checksum, &given, 8);
      sweep_compare("ck_xxh64", xxh64, &given, 8);
    }
  }
  for (size_t in_block = 0; in_block < 16; in_block++) {
    for (size_t count = 0; count <= 40; count++) {
      stripes given = {.stripe_count = count, .stripes_in_block = in_block};
      sweep_fill(given.lanes, sizeof given.lanes);
      given.bytes = sweep_input(0, bytes + count, 64 * count);
      sweep_compare("ck_checksum_stripes", add_stripes, &given, 72);
    }
  }
}
