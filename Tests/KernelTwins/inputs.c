#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sweep.h"

const size_t sweep_lengths[] = {0,  1,  2,  3,  5,  7,  8,   9,   15,  16,  17,  23,
                                24, 31, 32, 33, 47, 63, 64,  65,  127, 128, 129, 191,
                                192, 255, 256, 257, 383, 511, 513, 1023, SWEEP_LONGEST};
const size_t sweep_length_count = sizeof sweep_lengths / sizeof sweep_lengths[0];

const void *sweep_input(int place, const void *bytes, size_t count) {
  enum { PLACES = 8, SIZE = 1 << 21 };
  static uint8_t *ends[PLACES];
  if (ends[place] == NULL) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *memory =
        mmap(NULL, SIZE + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + SIZE, page, PROT_NONE) != 0) {
      perror("mmap");
      exit(2);
    }
    ends[place] = memory + SIZE;
  }
  if (count > SIZE) {
    fprintf(stderr, "an input of %zu bytes\n", count);
    exit(2);
  }
  return memcpy(ends[place] - count, bytes, count);
}

uint64_t sweep_random(void) {
  static uint64_t state = 0x4B656C746572;
  uint64_t z = state += 0x9E3779B97F4A7C15;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

void sweep_fill(void *bytes, size_t count) {
  uint8_t *byte = bytes;
  for (size_t i = 0; i < count; i++) byte[i] = (uint8_t)(sweep_random() >> 56);
}

/// Nearly normal, from sums of twelve uniform numbers: no library function that differs by machine.
static float normal(void) {
  int64_t sum = 0;
  for (int i = 0; i < 12; i++) sum += (int64_t)(sweep_random() >> 40);
  return (float)(sum - 6 * (1 << 24)) * 0x1p-24f * 0.02f;
}

static float with_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

void sweep_row(int kind, size_t columns, float *values) {
  static const uint32_t nans[4] = {0x7FC00000, 0xFFC12345, 0x7F800001, 0xFFABCDEF};
  for (size_t i = 0; i < columns; i++) {
    float value = normal();
    switch (kind) {
    case 1: value = i % 5 == 2 ? with_bits(nans[i / 5 % 4]) : value; break;
    case 2: value = i % 7 == 3 ? INFINITY : value; break;
    case 3: value = i % 11 == 5 ? -INFINITY : value; break;
    // Subnormal squares, subnormal numbers, and squares that overflow.
    case 4: value *= 0x1p-70f; break;
    case 5: value *= 0x1p-120f * 0x1p-4f; break;
    case 6: value *= 0x1p120f * 0x1p10f; break;
    case 7: value = 0.0f; break;
    case 8: value = -0.0f; break;
    case 9: value = 0.3f; break;
    case 10: value = -1.7e-5f; break;
    case 11: value = fabsf(value); break;
    case 12: value = -fabsf(value); break;
    case 13: value = i % 3 == 1 ? 3.4e38f : value; break;
    case 14: value = i % 200 == 100 ? 10.0f : value; break;
    // Any bits; any that are finite; halves, which lie between codes.
    case 15: value = with_bits((uint32_t)sweep_random()); break;
    case 16: value = with_bits((uint32_t)sweep_random() & 0xBF7FFFFF); break;
    case 17: value = (float)((int)(sweep_random() >> 59) - 16) * 0.5f; break;
    }
    values[i] = value;
  }
}

void sweep_unify_nans(float *values, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (values[i] != values[i]) values[i] = with_bits(0x7FC00000);
}
