// What lut_search.h and lut_learn.h want, in vectors; see lanes.h. A lane is a part of the
// super-block, so that all groups are searched in step. The file that includes it defines
// ck_lookup4, ck_lookup8 and ck_lookup16, which look lanes up in the first 4, 8 or 16 lanes of a
// table, ck_next_index, which is 2 × index, and one more where the number is greater than the
// threshold, and LUT_AT_ONCE, the number of vectors that are searched for together.
#include "lanes.h"
#include "lut_block.h"
#include "lut_starts.h"

#pragma STDC FP_CONTRACT OFF

/// A table as binary searches in step use it: each step looks up its threshold by the index so far.
typedef struct {
  int count;
  float first;
  ck_floats second;
  ck_floats third;
  ck_floats fourth;
  ck_floats levels;
} lut_lookup;

static inline lut_lookup lut_prepare(const ck_lut_table *table) {
  float steps[4][LUT_PARTS] = {{0}};
  for (int step = 0; table->count >> step > 1; step++) {
    int distance = table->count >> step;
    for (int index = 0; index < 1 << step; index++)
      steps[step][index] = table->thresholds[distance * index + distance / 2 - 1];
  }
  return (lut_lookup){table->count,      steps[0][0],       ck_load(steps[1]),
                      ck_load(steps[2]), ck_load(steps[3]), ck_load(table->levels)};
}

#define EACH(count) for (int k = 0; k < count; k++)

/// The indices of the levels nearest to `count` vectors of numbers, which take each step together,
/// as a search waits for each of its steps.
CK_INLINE void find_indices(const lut_lookup *table, int level_count, int count,
                            const ck_floats *numbers, ck_ints *indices) {
  EACH(count) indices[k] = ck_next_index(ck_splat_int(0), numbers[k], ck_splat(table->first));
  EACH(count)
    indices[k] = ck_next_index(indices[k], numbers[k], ck_lookup4(table->second, indices[k]));
  EACH(count)
    indices[k] = ck_next_index(indices[k], numbers[k], ck_lookup4(table->third, indices[k]));
  if (level_count == 8) return;
  EACH(count)
    indices[k] = ck_next_index(indices[k], numbers[k], ck_lookup8(table->fourth, indices[k]));
}

/// The weights of a super-block as searches see them.
typedef struct {
  int is_weighted;
  int is_paired;
  /// Number i of each part. Of a group of 32, the halves are eight lanes apart.
  ck_floats values[LUT_PARTS];
  /// The importance; 0 past the last column.
  ck_floats weights[LUT_PARTS];
} lut_groups;

CK_INLINE void load_parts(const float *values, int is_paired, ck_floats *parts) {
  for (int lane = 0; lane < LUT_PARTS; lane++) {
    int part = is_paired ? lane % 8 * 2 + lane / 8 : lane;
    parts[lane] = ck_load(values + part * LUT_PARTS);
  }
  ck_transpose(parts);
}

static inline void lut_arrange(const lut_block *block, lut_groups *groups) {
  groups->is_paired = block->group_columns == 2 * LUT_PARTS;
  groups->is_weighted = block->importance || block->columns < CK_LUT_SUPER_COLUMNS;
  load_parts(block->searched, groups->is_paired, groups->values);
  if (!groups->is_weighted) return;
  float weights[CK_LUT_SUPER_COLUMNS] = {0};
  for (size_t i = 0; i < block->columns; i++)
    weights[i] = block->importance ? block->importance[i] : 1;
  load_parts(weights, groups->is_paired, groups->weights);
}

/// Lanes eight apart have each other's numbers.
CK_INLINE ck_floats swapped(ck_floats lanes) {
  return __builtin_shufflevector(lanes, lanes, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6,
                                 7);
}

typedef struct {
  ck_floats product;
  ck_floats square;
} sums;

CK_INLINE sums part_sums(const lut_lookup *table, int level_count, const lut_groups *groups,
                         int is_weighted, ck_floats inverse) {
  sums sums = {0, 0};
  for (int i = 0; i < LUT_PARTS; i += LUT_AT_ONCE) {
    const ck_floats *values = groups->values + i, *weights = groups->weights + i;
    ck_floats numbers[LUT_AT_ONCE], levels[LUT_AT_ONCE], weighted[LUT_AT_ONCE];
    ck_ints indices[LUT_AT_ONCE];
    EACH(LUT_AT_ONCE) numbers[k] = values[k] * inverse;
    find_indices(table, level_count, LUT_AT_ONCE, numbers, indices);
    EACH(LUT_AT_ONCE) levels[k] = ck_lookup16(table->levels, indices[k]);
    EACH(LUT_AT_ONCE) weighted[k] = is_weighted ? weights[k] * levels[k] : levels[k];
    EACH(LUT_AT_ONCE) sums.product += values[k] * weighted[k];
    EACH(LUT_AT_ONCE) sums.square += levels[k] * weighted[k];
  }
  return sums;
}

CK_INLINE sums group_sums(const lut_lookup *table, const lut_groups *groups, ck_floats inverse) {
  sums sums;
  // Each a loop of its own, without a question inside.
  if (groups->is_weighted)
    sums = table->count == 16 ? part_sums(table, 16, groups, 1, inverse)
                              : part_sums(table, 8, groups, 1, inverse);
  else
    sums = table->count == 16 ? part_sums(table, 16, groups, 0, inverse)
                              : part_sums(table, 8, groups, 0, inverse);
  if (groups->is_paired) {
    sums.product += swapped(sums.product);
    sums.square += swapped(sums.square);
  }
  return sums;
}

static inline void lut_extremes(const lut_groups *groups, float *extremes) {
  ck_floats least = {0}, greatest = {0};
  for (int i = 0; i < LUT_PARTS; i++) {
    least = ck_min(groups->values[i], least);
    greatest = ck_max(groups->values[i], greatest);
  }
  if (groups->is_paired) {
    least = ck_min(swapped(least), least);
    greatest = ck_max(swapped(greatest), greatest);
  }
  ck_store(greatest >= -least ? greatest : least, extremes);
}

static inline void lut_find_scales(const lut_lookup *table, const lut_groups *groups,
                                   const float *extremes, const float *candidates, int count,
                                   lut_scales *found) {
  const lut_lookup lookup = *table;
  ck_floats extreme = ck_load(extremes), reciprocal = 1 / extreme;
  ck_ints is_zero = ck_magnitudes(extreme) < ck_splat(LUT_SMALLEST);
  ck_floats scales = {0}, gains = {0}, squares = {0};
  for (int i = 0; i < count; i++) {
    sums sums = group_sums(&lookup, groups, ck_splat(candidates[i]) * reciprocal);
    ck_floats scale = sums.product / sums.square, gain = sums.product * scale;
    ck_ints is_better = (sums.square > 0) & (gain > gains) & ~is_zero;
    gains = is_better ? gain : gains;
    scales = is_better ? scale : scales;
    squares = is_better ? sums.square : squares;
  }
  ck_store(scales, found->scales);
  ck_store(gains, found->gains);
  ck_store(squares, found->squares);
}

/// As lut_step.
CK_INLINE ck_floats steps_of(ck_floats numbers) {
  const ck_floats magic = ck_splat(CK_ROUNDING_MAGIC);
  return ck_min(ck_max((numbers + magic) - magic, ck_splat(-32)), ck_splat(31));
}

static inline void lut_find_steps(const lut_lookup *table, const lut_groups *groups,
                                  const lut_scales *found, float super_scale, float *steps,
                                  float *gains) {
  const lut_lookup lookup = *table;
  ck_floats scales = ck_load(found->scales), super_scales = ck_splat(super_scale);
  ck_ints has_scale = scales != 0;
  ck_floats middle = steps_of(scales * ck_splat(1 / super_scale) - ck_splat(0.5f));
  ck_floats best = {0}, greatest = {0};
  for (int i = -3; i <= 4; i++) {
    ck_floats step = steps_of(middle + ck_splat((float)i)), scale = step * super_scales;
    sums sums = group_sums(&lookup, groups, 1 / scale);
    // 0 where the step is.
    ck_floats gain = scale * (2 * sums.product - scale * sums.square);
    ck_ints is_better = (gain > greatest) & has_scale;
    greatest = is_better ? gain : greatest;
    best = is_better ? step : best;
  }
  ck_store(best, steps);
  ck_store(greatest, gains);
}

static inline void lut_encode(const lut_lookup *table, const float *values, float inverse,
                              uint8_t *indices) {
  ck_floats numbers = ck_load(values) * ck_splat(inverse);
  ck_ints lanes;
  find_indices(table, table->count, 1, &numbers, &lanes);
  ck_store_bytes(lanes, indices);
}

static inline void lut_add_levels(const lut_lookup *table, const lut_groups *groups,
                                  const float *scales, lut_level_sums *to) {
  ck_floats scale = ck_load(scales), products[LUT_PARTS], squares[LUT_PARTS];
  if (groups->is_paired)
    scale = __builtin_shufflevector(scale, scale, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7);
  ck_floats inverse = scale == 0 ? 0 : 1 / scale;
  ck_ints indices[LUT_PARTS];
  for (int i = 0; i < LUT_PARTS; i++) {
    ck_floats values = groups->values[i], numbers = values * inverse;
    ck_floats weighted = groups->is_weighted ? groups->weights[i] * scale : scale;
    find_indices(table, table->count, 1, &numbers, &indices[i]);
    products[i] = weighted * values;
    squares[i] = weighted * scale;
  }
  for (int level = 0; level < table->count; level++) {
    ck_floats product = {0}, square = {0};
    for (int i = 0; i < LUT_PARTS; i++) {
      ck_ints is_level = indices[i] == level;
      product += (ck_floats)((ck_ints)products[i] & is_level);
      square += (ck_floats)((ck_ints)squares[i] & is_level);
    }
    to->products[level] += ck_lane_sum(product);
    to->squares[level] += ck_lane_sum(square);
  }
}

#include "lut_search.h"
#include "lut_learn.h"
