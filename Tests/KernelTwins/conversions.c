#include <string.h>

#include "sweep.h"

typedef struct {
  void (*decode)(const uint8_t *codes, size_t count, float *values);
  void (*encode)(const float *values, size_t count, uint8_t *codes);
  const void *input;
  size_t count;
} conversion;

static void decode(const void *arguments, uint8_t *output) {
  const conversion *given = arguments;
  given->decode(given->input, given->count, (float *)(void *)output);
}

static void encode(const void *arguments, uint8_t *output) {
  const conversion *given = arguments;
  given->encode(given->input, given->count, output);
}

/// All codes at once, and random ones of every length.
static void sweep_decoder(const char *name, size_t bits,
                          void (*kernel)(const uint8_t *, size_t, float *)) {
  static uint8_t all[1 << 17];
  conversion given = {.decode = kernel};
  if (bits == 64) {
    // Float64 around every exponent that Float32 has.
    for (size_t i = 0; i < sizeof all / 8; i++) {
      uint64_t code = sweep_random();
      if (i % 4 != 0)
        code = (code & 0x800FFFFFFFFFFFFFu) | (1023 - 160 + sweep_random() % 320) << 52;
      memcpy(all + 8 * i, &code, sizeof code);
    }
    given.count = sizeof all / 8;
  } else {
    given.count = bits == 4 ? 512 : (size_t)1 << bits;
    for (size_t i = 0; i < given.count * bits / 8; i++)
      all[i] = (uint8_t)(bits == 16 && i % 2 == 0 ? i / 2 : bits == 16 ? i / 512 : i);
  }
  given.input = sweep_input(0, all, given.count * bits / 8);
  sweep_compare(name, decode, &given, 4 * given.count);
  for (size_t i = 0; i < sweep_length_count; i++) {
    given.count = sweep_lengths[i];
    size_t byte_count = (given.count * bits + 7) / 8;
    sweep_fill(all, byte_count);
    given.input = sweep_input(0, all, byte_count);
    sweep_compare(name, decode, &given, 4 * given.count);
  }
}

static void sweep_encoder(const char *name, size_t byte_count,
                          void (*kernel)(const float *, size_t, uint8_t *)) {
  static float values[1 << 16];
  conversion given = {.encode = kernel};
  for (int kind = 0; kind < SWEEP_KINDS; kind++) {
    for (size_t i = 0; i < sweep_length_count; i++) {
      given.count = sweep_lengths[i];
      sweep_row(kind, given.count, values);
      // Into the range of all formats.
      if (kind == 0)
        for (size_t v = 0; v < given.count; v++) values[v] *= 4096.0f;
      given.input = sweep_input(0, values, 4 * given.count);
      sweep_compare(name, encode, &given, byte_count * given.count);
    }
  }
  // The upper half of the bits counted up, the lower one where rounding turns.
  static const uint32_t lower[] = {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
  given.count = 1 << 16;
  for (size_t part = 0; part < sizeof lower / sizeof *lower; part++) {
    for (uint32_t i = 0; i < 1 << 16; i++) {
      uint32_t bits = i << 16 | lower[part];
      memcpy(&values[i], &bits, sizeof bits);
    }
    given.input = sweep_input(0, values, sizeof values);
    sweep_compare(name, encode, &given, byte_count * given.count);
  }
}

void sweep_conversions(void) {
  sweep_decoder("ck_decode_bf16", 16, ck_decode_bf16);
  sweep_decoder("ck_decode_f16", 16, ck_decode_f16);
  sweep_decoder("ck_decode_e4m3", 8, ck_decode_e4m3);
  sweep_decoder("ck_decode_e5m2", 8, ck_decode_e5m2);
  sweep_decoder("ck_decode_e8m0", 8, ck_decode_e8m0);
  sweep_decoder("ck_decode_e2m1", 4, ck_decode_e2m1);
  sweep_decoder("ck_decode_int8", 8, ck_decode_int8);
  sweep_decoder("ck_decode_f64", 64, ck_decode_f64);
  sweep_encoder("ck_encode_bf16", 2, ck_encode_bf16);
  sweep_encoder("ck_encode_e4m3", 1, ck_encode_e4m3);
}
