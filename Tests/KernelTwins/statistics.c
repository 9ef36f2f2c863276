#include <string.h>

#include "sweep.h"

typedef struct {
  const float *reference;
  const float *approximation;
  size_t rows;
  size_t columns;
} pairs;

static void add_errors(const void *arguments, uint8_t *output) {
  const pairs *given = arguments;
  ck_error_sums sums = {0};
  ck_add_errors(given->reference, given->approximation, given->rows, given->columns, &sums);
  // Once more, on top of something.
  ck_add_errors(given->reference, given->approximation, given->rows, given->columns, &sums);
  ck_error_sums whole = sums;
  ck_merge_errors(&sums, &whole);
  memcpy(output, &sums, sizeof sums);
  memcpy(output + sizeof sums, &whole, sizeof whole);
}

typedef struct {
  const uint8_t *elements;
  size_t count;
  size_t element_byte_count;
  uint64_t exponent;
  uint64_t magnitude;
} elements;

static void count_specials(const void *arguments, uint8_t *output) {
  const elements *given = arguments;
  ck_special_counts counts = ck_count_specials(given->elements, given->count,
                                               given->element_byte_count, given->exponent,
                                               given->magnitude);
  memcpy(output, &counts, sizeof counts);
}

static void count_bytes(const void *arguments, uint8_t *output) {
  const elements *given = arguments;
  uint64_t counts[2] = {ck_count_bytes(given->elements, given->count, 0x7F),
                        ck_count_bytes(given->elements, given->count, 0)};
  memcpy(output, counts, sizeof counts);
}

static void count_outside(const void *arguments, uint8_t *output) {
  const pairs *given = arguments;
  uint64_t count = ck_count_outside(given->reference, given->columns, -0.01f, 0.02f);
  memcpy(output, &count, sizeof count);
}

static void sweep_specials(void) {
  static const struct {
    size_t byte_count;
    uint64_t exponent, magnitude;
  } types[] = {{8, 0x7FF0000000000000, 0x7FFFFFFFFFFFFFFF},
               {4, 0x7F800000, 0x7FFFFFFF},
               {2, 0x7F80, 0x7FFF},
               {2, 0x7C00, 0x7FFF},
               {1, 0x7F, 0x7F},
               {1, 0x7C, 0x7F}};
  static uint8_t bytes[8 * SWEEP_LONGEST];
  for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
    for (size_t i = 0; i < sweep_length_count; i++) {
      elements given = {.count = sweep_lengths[i],
                        .element_byte_count = types[t].byte_count,
                        .exponent = types[t].exponent,
                        .magnitude = types[t].magnitude};
      size_t byte_count = given.count * given.element_byte_count;
      sweep_fill(bytes, byte_count);
      // Zeros and infinities among them.
      for (size_t e = 0; e < given.count; e++) {
        uint64_t element = e % 5 == 1 ? 0 : given.exponent;
        if (e % 5 < 3 && e % 5 > 0)
          memcpy(bytes + e * given.element_byte_count, &element, given.element_byte_count);
      }
      given.elements = sweep_input(0, bytes, byte_count);
      sweep_compare("ck_count_specials", count_specials, &given, 16);
      if (given.element_byte_count == 1)
        sweep_compare("ck_count_bytes", count_bytes, &given, 16);
    }
  }
}

// More elements than the narrowest lanes count, all of which are counted.
static void sweep_many_specials(void) {
  static uint8_t bytes[300 * 64 + 17];
  memset(bytes + sizeof bytes / 2, 0x7F, sizeof bytes - sizeof bytes / 2);
  elements given = {.elements = bytes,
                    .count = sizeof bytes,
                    .element_byte_count = 1,
                    .exponent = 0x7F,
                    .magnitude = 0x7F};
  for (; given.elements < bytes + sizeof bytes / 2; given.elements += 401, given.count -= 401)
    sweep_compare("ck_count_specials", count_specials, &given, 16);
}

void sweep_statistics(void) {
  sweep_many_specials();
  enum { ROWS = 3 };
  static float reference[ROWS * SWEEP_LONGEST], approximation[ROWS * SWEEP_LONGEST];
  for (int kind = 0; kind < SWEEP_KINDS; kind++) {
    for (int other = 0; other < SWEEP_KINDS; other++) {
      for (size_t i = 0; i < sweep_length_count; i++) {
        pairs given = {.rows = 1 + i % ROWS, .columns = sweep_lengths[i]};
        size_t count = given.rows * given.columns;
        sweep_row(kind, count, reference);
        sweep_row(other, count, approximation);
        // Mostly near each other, as approximations are.
        if (other == kind)
          for (size_t v = 0; v < count; v++) approximation[v] = reference[v] * 0.9921875f;
        given.reference = sweep_input(0, reference, 4 * count);
        given.approximation = sweep_input(1, approximation, 4 * count);
        sweep_compare("ck_add_errors", add_errors, &given, 2 * sizeof(ck_error_sums));
        if (other == 0) sweep_compare("ck_count_outside", count_outside, &given, 8);
      }
    }
  }
  sweep_specials();
}
