#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The running state of XXH64 (seed 0; xxHash's doc/xxhash_spec.md), whose low half is the checksum
/// in zstd's frames and seek tables.
typedef struct {
  uint64_t lanes[4];
  uint8_t buffer[32];
  uint64_t total;
} ck_xxh64_state;

void ck_xxh64_init(ck_xxh64_state *state);
void ck_xxh64_update(ck_xxh64_state *state, const uint8_t *bytes, size_t count);
/// The checksum of everything so far; the state stays as it is.
uint64_t ck_xxh64_value(const ck_xxh64_state *state);

#ifdef __cplusplus
}
#endif
