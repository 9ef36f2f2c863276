#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The running state of XXH3-64 (seed 0, default secret; xxHash's doc/xxhash_spec.md).
typedef struct {
  uint64_t lanes[8];
  /// The latest bytes: at least the last 64, and all while there are at most 256.
  uint8_t buffer[256];
  /// How many bytes of `buffer`, from its start, are not in `lanes` yet.
  size_t buffered;
  /// Stripes of 64 bytes of the present block of 16 that are in `lanes`.
  size_t stripes_in_block;
  uint64_t total;
} ck_checksum_state;

void ck_checksum_init(ck_checksum_state *state);
void ck_checksum_update(ck_checksum_state *state, const uint8_t *bytes, size_t count);
/// The checksum of everything so far; the state stays as it is.
uint64_t ck_checksum_value(const ck_checksum_state *state);

/// Adds `stripe_count` stripes of 64 bytes to the lanes, of which the first is stripe number
/// `stripes_in_block` of its block; scrambles the lanes after each full block of 16.
/// Returns the stripes that are in the block afterwards.
size_t ck_checksum_stripes(
    uint64_t lanes[8], const uint8_t *bytes, size_t stripe_count, size_t stripes_in_block);
size_t ck_checksum_stripes_portable(
    uint64_t lanes[8], const uint8_t *bytes, size_t stripe_count, size_t stripes_in_block);
size_t ck_checksum_stripes_avx512(
    uint64_t lanes[8], const uint8_t *bytes, size_t stripe_count, size_t stripes_in_block);
size_t ck_checksum_stripes_avx2(
    uint64_t lanes[8], const uint8_t *bytes, size_t stripe_count, size_t stripes_in_block);
size_t ck_checksum_stripes_neon(
    uint64_t lanes[8], const uint8_t *bytes, size_t stripe_count, size_t stripes_in_block);

/// The 192 bytes of the default secret.
extern const uint8_t ck_checksum_secret[192];

#ifdef __cplusplus
}
#endif
