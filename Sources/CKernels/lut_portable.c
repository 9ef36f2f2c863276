#include "lut_block.h"
#include "lut_starts.h"

#pragma STDC FP_CONTRACT OFF

/// What is looked up in a table.
typedef ck_lut_table lut_lookup;

static inline lut_lookup lut_prepare(const ck_lut_table *table) { return *table; }

/// The index of the level nearest to a number; of two that are equally near, the lower.
static inline int index_of(const lut_lookup *table, float number) {
  int index = 0;
  for (int step = 8; step > 0; step /= 2)
    if (number > table->thresholds[index + step - 1]) index += step;
  return index;
}

/// The groups of a super-block, as searches see them.
typedef struct {
  const lut_block *block;
} lut_groups;

static inline void lut_arrange(const lut_block *block, lut_groups *groups) {
  groups->block = block;
}

typedef struct {
  float product;
  float square;
} sums;

/// Σ w·x·q and Σ w·q² over a group's weights, in order, q being the level nearest to x × inverse;
/// over each half of a group of 32, and these added.
static inline sums group_sums(const lut_lookup *table, const lut_block *block, size_t group,
                              float inverse) {
  sums total = {0, 0};
  size_t end = (group + 1) * block->group_columns;
  for (size_t start = end - block->group_columns; start < end; start += LUT_PARTS) {
    sums part = {0, 0};
    for (size_t i = start; i < start + LUT_PARTS && i < block->columns; i++) {
      float value = block->searched[i];
      float level = table->levels[index_of(table, value * inverse)];
      float weighted = block->importance ? block->importance[i] * level : level;
      part.product += value * weighted;
      part.square += level * weighted;
    }
    total.product += part.product;
    total.square += part.square;
  }
  return total;
}

/// The weight of largest magnitude of each group, with its sign; a positive one before a negative
/// one.
static inline void lut_extremes(const lut_groups *groups, float *extremes) {
  const lut_block *block = groups->block;
  memset(extremes, 0, LUT_PARTS * sizeof(float));
  for (size_t i = 0; i < block->columns; i++) {
    float value = block->searched[i], *extreme = &extremes[i / block->group_columns];
    float magnitude = ck_magnitude(value), greatest = ck_magnitude(*extreme);
    if (magnitude > greatest || (magnitude == greatest && value > 0)) *extreme = value;
  }
}

/// For each group the scale of the greatest gain among those that are least squares' for the codes
/// that extreme / candidate makes.
static inline void lut_find_scales(const lut_lookup *table, const lut_groups *groups,
                                   const float *extremes, const float *candidates, int count,
                                   lut_scales *found) {
  memset(found, 0, sizeof *found);
  for (size_t g = 0; g < groups->block->group_count; g++) {
    if (ck_magnitude(extremes[g]) < LUT_SMALLEST) continue;
    float reciprocal = 1 / extremes[g];
    for (int i = 0; i < count; i++) {
      sums sums = group_sums(table, groups->block, g, candidates[i] * reciprocal);
      if (!(sums.square > 0)) continue;
      float scale = sums.product / sums.square, gain = sums.product * scale;
      if (!(gain > found->gains[g])) continue;
      found->gains[g] = gain;
      found->scales[g] = scale;
      found->squares[g] = sums.square;
    }
  }
}

/// For each group the step of the greatest gain among eight around its scale, the codes made anew
/// for each; 0 where none gains.
static inline void lut_find_steps(const lut_lookup *table, const lut_groups *groups,
                                  const lut_scales *found, float super_scale, float *steps,
                                  float *gains) {
  float inverse = 1 / super_scale;
  for (size_t g = 0; g < LUT_PARTS; g++) {
    steps[g] = gains[g] = 0;
    if (found->scales[g] == 0) continue;
    // Half-way to the step below: the eight reach as far up as down.
    float middle = lut_step(found->scales[g] * inverse - 0.5f);
    for (int i = -3; i <= 4; i++) {
      float step = lut_step(middle + (float)i);
      // No scale gains nothing.
      if (step == 0) continue;
      float scale = step * super_scale;
      sums sums = group_sums(table, groups->block, g, 1 / scale);
      float gain = scale * (2 * sums.product - scale * sums.square);
      if (!(gain > gains[g])) continue;
      gains[g] = gain;
      steps[g] = step;
    }
  }
}

/// The indices of a part's weights.
static inline void lut_encode(const lut_lookup *table, const float *values, float inverse,
                              uint8_t *indices) {
  for (size_t i = 0; i < LUT_PARTS; i++) indices[i] = (uint8_t)index_of(table, values[i] * inverse);
}

/// Adds to the sums of levels those of the groups whose scale is not 0. In Float32 each part is
/// summed in order, and the parts in a tree, the first halves of groups of 32 before the second
/// ones.
static inline void lut_add_levels(const lut_lookup *table, const lut_groups *groups,
                                  const float *scales, lut_level_sums *to) {
  const lut_block *block = groups->block;
  float products[16][LUT_PARTS] = {0}, squares[16][LUT_PARTS] = {0};
  for (size_t i = 0; i < block->columns; i++) {
    size_t group = i / block->group_columns;
    float scale = scales[group], value = block->searched[i];
    if (scale == 0) continue;
    size_t part = group + i % block->group_columns / LUT_PARTS * (LUT_PARTS / 2);
    int index = index_of(table, value * (1 / scale));
    float weighted = block->importance ? block->importance[i] * scale : scale;
    products[index][part] += weighted * value;
    squares[index][part] += weighted * scale;
  }
  for (int level = 0; level < table->count; level++) {
    for (int width = LUT_PARTS / 2; width >= 1; width /= 2) {
      for (int i = 0; i < width; i++) {
        products[level][i] += products[level][i + width];
        squares[level][i] += squares[level][i + width];
      }
    }
    to->products[level] += products[level][0];
    to->squares[level] += squares[level][0];
  }
}

#define CK_TWIN(name) name##_portable
#include "lut_search.h"
#include "lut_learn.h"
