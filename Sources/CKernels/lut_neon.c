#include "lut_starts.h"
#include "lut_tables.h"

#if defined(__aarch64__)

#include "lanes_neon.h"

#pragma STDC FP_CONTRACT OFF

/// The thresholds that each step of a binary search looks at, by the index found so far, and the
/// levels; all Float32, taken from their bytes.
typedef struct {
  float first;
  uint8x16_t second;
  uint8x16_t third;
  uint8x16x2_t fourth;
  uint8x16x4_t levels;
  int count;
} lut_lookup;

CK_INLINE uint8x16_t float_bytes(const float *values) {
  return vreinterpretq_u8_f32(vld1q_f32(values));
}

CK_INLINE lut_lookup lut_prepare(const ck_lut_table *table) {
  float steps[4][8];
  for (int step = 0; step < 4; step++) {
    int distance = table->count >> step;
    for (int i = 0; i < 8; i++) {
      int place = distance * i + distance / 2 - 1;
      steps[step][i] = distance > 1 && place < table->count ? table->thresholds[place] : INFINITY;
    }
  }
  return (lut_lookup){steps[0][0],
                      float_bytes(steps[1]),
                      float_bytes(steps[2]),
                      {{float_bytes(steps[3]), float_bytes(steps[3] + 4)}},
                      {{float_bytes(table->levels), float_bytes(table->levels + 4),
                        float_bytes(table->levels + 8), float_bytes(table->levels + 12)}},
                      table->count};
}

/// Where the bytes of the Float32 of each index are.
CK_INLINE uint8x16_t byte_places(uint32x4_t index) {
  uint32x4_t places = vmulq_n_u32(index, 0x04040404);
  return vreinterpretq_u8_u32(vaddq_u32(places, vdupq_n_u32(0x03020100)));
}

/// The index found so far, one step further.
CK_INLINE uint32x4_t next_index(uint32x4_t index, float32x4_t numbers, uint8x16_t thresholds) {
  uint32x4_t above = vcgtq_f32(numbers, vreinterpretq_f32_u8(thresholds));
  return vsubq_u32(vshlq_n_u32(index, 1), above);
}

/// The indices of the nearest levels.
CK_INLINE uint32x4_t indices_of(const lut_lookup *table, int level_count, float32x4_t numbers) {
  uint32x4_t index = vshrq_n_u32(vcgtq_f32(numbers, vdupq_n_f32(table->first)), 31);
  index = next_index(index, numbers, vqtbl1q_u8(table->second, byte_places(index)));
  index = next_index(index, numbers, vqtbl1q_u8(table->third, byte_places(index)));
  if (level_count == 8) return index;
  return next_index(index, numbers, vqtbl2q_u8(table->fourth, byte_places(index)));
}

/// Eight candidates.
CK_INLINE void add_sums(const lut_lookup *table, int level_count, const float *values,
                        const float *importance, size_t count, const float *inverses,
                        float *products, float *squares) {
  const lut_lookup lookup = *table;
  float32x4_t product[2] = {vdupq_n_f32(0), vdupq_n_f32(0)}, square[2] = {product[0], product[0]};
  float32x4_t reciprocals[2] = {vld1q_f32(inverses), vld1q_f32(inverses + 4)};
  for (size_t i = 0; i < count; i++) {
    for (int part = 0; part < 2; part++) {
      float32x4_t numbers = vmulq_n_f32(reciprocals[part], values[i]);
      uint8x16_t places = byte_places(indices_of(&lookup, level_count, numbers));
      float32x4_t level = vreinterpretq_f32_u8(vqtbl4q_u8(lookup.levels, places));
      float32x4_t weighted = importance ? vmulq_n_f32(level, importance[i]) : level;
      product[part] = vaddq_f32(product[part], vmulq_n_f32(weighted, values[i]));
      square[part] = vaddq_f32(square[part], vmulq_f32(level, weighted));
    }
  }
  for (int part = 0; part < 2; part++) {
    vst1q_f32(products + 4 * part, product[part]);
    vst1q_f32(squares + 4 * part, square[part]);
  }
}

/// A lane is a candidate.
CK_INLINE void lut_sums(const lut_lookup *table, const float *values, const float *importance,
                        size_t count, int lanes, const float *inverses, float *products,
                        float *squares) {
  for (int lane = 0; lane < lanes; lane += 8) {
    // Each a loop of its own, without a question inside.
    if (table->count == 16 && !importance)
      add_sums(table, 16, values, NULL, count, inverses + lane, products + lane, squares + lane);
    else if (!importance)
      add_sums(table, 8, values, NULL, count, inverses + lane, products + lane, squares + lane);
    else if (table->count == 16)
      add_sums(table, 16, values, importance, count, inverses + lane, products + lane,
               squares + lane);
    else
      add_sums(table, 8, values, importance, count, inverses + lane, products + lane,
               squares + lane);
  }
}

CK_INLINE float lut_extreme(const float *values, size_t count) {
  ck_floats minima = {0}, maxima = {0};
  for (size_t i = 0; i < count; i += CK_LANES) {
    ck_floats lanes = ck_load_up_to(values + i, count - i);
    minima = ck_min(lanes, minima);
    maxima = ck_max(lanes, maxima);
  }
  float least = -ck_greatest_lane(-minima), greatest = ck_greatest_lane(maxima);
  return greatest >= -least ? greatest : least;
}

CK_INLINE int lut_greatest(const float *numbers, int count) {
  const ck_ints index = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  float twice[CK_LANES];
  memcpy(twice, numbers, 8 * sizeof(float));
  memcpy(twice + 8, count == 16 ? numbers + 8 : numbers, 8 * sizeof(float));
  ck_floats lanes = ck_load(twice);
  ck_floats greatest = ck_splat(ck_greatest_lane(lanes));
  return __builtin_reduce_min(lanes == greatest ? index : ck_splat_int(CK_LANES));
}

/// The indices of sixteen weights.
CK_INLINE uint8x16_t encode_16(const lut_lookup *table, const float *values, float inverse) {
  uint16x8_t words[2];
  for (int half = 0; half < 2; half++) {
    float32x4_t low = vmulq_n_f32(vld1q_f32(values + 8 * half), inverse);
    float32x4_t high = vmulq_n_f32(vld1q_f32(values + 8 * half + 4), inverse);
    words[half] = vcombine_u16(vmovn_u32(indices_of(table, table->count, low)),
                               vmovn_u32(indices_of(table, table->count, high)));
  }
  return vcombine_u8(vmovn_u16(words[0]), vmovn_u16(words[1]));
}

CK_INLINE void lut_encode(const lut_lookup *table, const float *values, size_t count,
                          float inverse, uint8_t *indices) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) vst1q_u8(indices + i, encode_16(table, values + i, inverse));
  if (i == count) return;
  float last[16] = {0};
  uint8_t bytes[16];
  memcpy(last, values + i, (count - i) * sizeof(float));
  vst1q_u8(bytes, encode_16(table, last, inverse));
  memcpy(indices + i, bytes, count - i);
}

#define CK_TWIN(name) name##_neon
#include "lut_search.h"
#include "lut_learn.h"

#endif
