// The counts of ck_statistics.h in vectors; see lanes.h.
#include "lanes.h"

// Vectors of 64 bytes. Lanes as wide as the elements hold the counts of at most 255 vectors; those
// of bytes are widened before they are added up.
#define CK_COUNT_SPECIALS(type, lane_count, sum_type)                                              \
  {                                                                                                \
    typedef type vector __attribute__((ext_vector_type(lane_count)));                              \
    typedef sum_type sums __attribute__((ext_vector_type(lane_count)));                            \
    const vector exponents = (vector)(type)exponent, magnitudes = (vector)(type)magnitude;         \
    while (vector_count > 0) {                                                                     \
      size_t turn_count = vector_count < 255 ? vector_count : 255;                                 \
      vector nonfinite = {0}, zero = {0};                                                          \
      for (size_t i = 0; i < turn_count; i++) {                                                    \
        vector element;                                                                            \
        memcpy(&element, elements + 64 * i, 64);                                                   \
        nonfinite -= (vector)((element & exponents) == exponents);                                 \
        zero -= (vector)((element & magnitudes) == 0);                                             \
      }                                                                                            \
      counts.nonfinite_count += __builtin_reduce_add(__builtin_convertvector(nonfinite, sums));    \
      counts.zero_count += __builtin_reduce_add(__builtin_convertvector(zero, sums));              \
      elements += 64 * turn_count;                                                                 \
      vector_count -= turn_count;                                                                  \
    }                                                                                              \
  }

ck_special_counts CK_TWIN(ck_count_specials)(const uint8_t *elements, size_t count,
                                             size_t element_byte_count, uint64_t exponent,
                                             uint64_t magnitude) {
  ck_special_counts counts = {0};
  size_t vector_count = count * element_byte_count / 64;
  count -= vector_count * 64 / element_byte_count;
  switch (element_byte_count) {
  case 1: CK_COUNT_SPECIALS(uint8_t, 64, uint16_t) break;
  case 2: CK_COUNT_SPECIALS(uint16_t, 32, uint16_t) break;
  case 4: CK_COUNT_SPECIALS(uint32_t, 16, uint32_t) break;
  case 8: CK_COUNT_SPECIALS(uint64_t, 8, uint64_t) break;
  }
  ck_special_counts rest = ck_count_specials_portable(elements, count, element_byte_count,
                                                      exponent, magnitude);
  counts.nonfinite_count += rest.nonfinite_count;
  counts.zero_count += rest.zero_count;
  return counts;
}
