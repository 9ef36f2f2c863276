// The search for the scales of a super-block: the same text for every instruction set. Private to
// CKernels. The file that includes it defines `lut_lookup`, `lut_prepare`, `lut_sums`,
// `lut_extreme`, `lut_greatest` and `lut_encode` for its instruction set, and CK_TWIN.

#pragma STDC FP_CONTRACT OFF

/// Magnitudes are bounded by this, so that no level times its scale overflows, ...
#define LUT_LARGEST_WEIGHT 0x1p120f
/// ... and by this in units of the global scale: the largest Float16 times 2^12.
#define LUT_LARGEST 0x1p28f
/// Groups of smaller magnitudes are groups of zeros: less than half of the smallest scale.
#define LUT_SMALLEST 0x1p-32f

/// What is known of a group: the best scale of those tried, and the sums for its codes.
typedef struct {
  float scale;
  float product;
  float square;
  int table;
} lut_group;

/// A super-block in units of the global scale.
typedef struct {
  size_t columns;
  size_t group_columns;
  size_t group_count;
  /// What codes are made of: NaN became 0, an infinity the largest magnitude.
  float values[CK_LUT_SUPER_COLUMNS];
  /// What scales are made of: an infinity became 0.
  const float *searched;
  float without_infinities[CK_LUT_SUPER_COLUMNS];
  const float *importance;
} lut_block;

static inline size_t lut_count(const lut_block *block, size_t group) {
  size_t rest = block->columns - group * block->group_columns;
  return rest < block->group_columns ? rest : block->group_columns;
}

static inline void lut_load(lut_block *block, const ck_lut *lut, const float *values, size_t count,
                            const float *importance) {
  float inverse = 1 / lut->global_scale;
  block->columns = count;
  block->group_columns = lut->group_columns;
  block->group_count = ck_lut_group_count(lut, count);
  block->importance = importance;
  float largest = LUT_LARGEST_WEIGHT * inverse;
  largest = largest < LUT_LARGEST ? largest : LUT_LARGEST;
  uint32_t nonfinite = 0;
  for (size_t i = 0; i < count; i++) {
    float value = values[i] * inverse;
    value = value < largest ? value : largest;
    value = value > -largest ? value : -largest;
    block->values[i] = values[i] == values[i] ? value : 0.0f;
    nonfinite |= (ck_bits(values[i]) & 0x7F800000u) == 0x7F800000u;
  }
  block->searched = block->values;
  if (!nonfinite) return;
  for (size_t i = 0; i < count; i++) {
    int is_infinite = (ck_bits(values[i]) & 0x7F800000u) == 0x7F800000u;
    block->without_infinities[i] = is_infinite ? 0.0f : block->values[i];
  }
  block->searched = block->without_infinities;
}

static inline const float *lut_values(const lut_block *block, size_t group) {
  return block->searched + group * block->group_columns;
}

static inline const float *lut_importance(const lut_block *block, size_t group) {
  return block->importance ? block->importance + group * block->group_columns : NULL;
}

/// The best scale for each group, not rounded, among 8 or 16 for each table: half of them lay the
/// extreme near the highest level, half near the lowest. Each step is done for all groups before the
/// next, because those of one group wait for each other.
static inline void lut_search_groups(const ck_lut_table *tables, const lut_lookup *lookups,
                                     int table_count, const lut_block *block, int lanes,
                                     lut_group *groups) {
  size_t group_count = block->group_count;
  float extremes[CK_LUT_GROUPS], gains[CK_LUT_GROUPS], candidates[CK_LUT_CANDIDATES];
  float inverses[CK_LUT_GROUPS][CK_LUT_CANDIDATES];
  float products[CK_LUT_GROUPS][CK_LUT_CANDIDATES], squares[CK_LUT_GROUPS][CK_LUT_CANDIDATES];
  for (size_t g = 0; g < group_count; g++) {
    extremes[g] = lut_extreme(lut_values(block, g), lut_count(block, g));
    gains[g] = 0;
    groups[g] = (lut_group){0};
  }
  for (int t = 0; t < table_count; t++) {
    float highest = tables[t].levels[tables[t].count - 1], lowest = tables[t].levels[0];
    for (int i = 0; i < lanes / 2; i++) {
      float part = lanes == 16 ? 0.76f + 0.06f * (float)i : 0.8f + 0.09f * (float)i;
      candidates[i] = highest * part;
      candidates[lanes / 2 + i] = lowest * part;
    }
    for (size_t g = 0; g < group_count; g++) {
      float reciprocal = 1 / extremes[g];
      for (int i = 0; i < CK_LUT_CANDIDATES; i++)
        inverses[g][i] = i < lanes ? candidates[i] * reciprocal : 1;
    }
    for (size_t g = 0; g < group_count; g++) {
      lut_sums(&lookups[t], lut_values(block, g), lut_importance(block, g), lut_count(block, g),
               lanes, inverses[g], products[g], squares[g]);
    }
    for (size_t g = 0; g < group_count; g++) {
      if (ck_magnitude(extremes[g]) < LUT_SMALLEST) continue;
      float found[CK_LUT_CANDIDATES];
      for (int i = 0; i < lanes; i++)
        found[i] = squares[g][i] > 0 ? products[g][i] * products[g][i] / squares[g][i] : 0;
      int winner = lut_greatest(found, lanes);
      if (!(found[winner] > gains[g])) continue;
      gains[g] = found[winner];
      float product = products[g][winner], square = squares[g][winner];
      groups[g] = (lut_group){product / square, product, square, t};
    }
  }
}

/// Rounds numbers of magnitude up to 2^22 to nearest even, and clamps them to 6-bit numbers.
static inline float lut_step(float number) {
  const float magic = 12582912.0f;
  float step = (number + magic) - magic;
  step = step > -32 ? step : -32;
  return step < 31 ? step : 31;
}

/// A scale of a super-block as it is stored: a Float16 that is not zero.
static inline float lut_stored(float scale) {
  float stored = ck_round_to_grid(scale < 65504.0f ? scale : 65504.0f, CK_F16);
  return stored > 0x1p-24f ? stored : 0x1p-24f;
}

/// The Float16 scale whose multiples are nearest to the groups' scales, weighed by what is lost.
static inline float lut_super_scale(const lut_group *groups, size_t group_count, int batches) {
  float largest = 0;
  for (size_t g = 0; g < group_count; g++) {
    float magnitude = ck_magnitude(groups[g].scale);
    largest = magnitude > largest ? magnitude : largest;
  }
  // A scale of zero would mean damage; the steps of zeros are zero for any.
  if (largest == 0) return 1;
  float best = 1, greatest = -INFINITY;
  float distance = batches == 1 ? 0.5f : 0.25f;
  for (int batch = 0; batch < batches; batch++) {
    float scales[CK_LUT_CANDIDATES], inverses[CK_LUT_CANDIDATES], losses[CK_LUT_CANDIDATES];
    for (int i = 0; i < CK_LUT_CANDIDATES; i++) {
      scales[i] = lut_stored(largest / (32.5f - distance * (float)(16 * batch + i)));
      inverses[i] = 1 / scales[i];
      losses[i] = 0;
    }
    for (size_t g = 0; g < group_count; g++) {
      float scale = groups[g].scale, square = groups[g].square;
      for (int i = 0; i < CK_LUT_CANDIDATES; i++) {
        float error = lut_step(scale * inverses[i]) * scales[i] - scale;
        losses[i] += square * (error * error);
      }
    }
    for (int i = 0; i < CK_LUT_CANDIDATES; i++) losses[i] = -losses[i];
    int winner = lut_greatest(losses, CK_LUT_CANDIDATES);
    if (!(losses[winner] > greatest)) continue;
    greatest = losses[winner];
    best = scales[winner];
  }
  return best;
}

/// For each group the best of eight steps around its scale, the codes made anew for each.
static inline void lut_choose_steps(const lut_lookup *lookups, const lut_block *block,
                                    const lut_group *groups, float super_scale, float *chosen) {
  float steps[CK_LUT_GROUPS][8], inverses[CK_LUT_GROUPS][8];
  float products[CK_LUT_GROUPS][8], squares[CK_LUT_GROUPS][8];
  float inverse = 1 / super_scale;
  for (size_t g = 0; g < block->group_count; g++) {
    // Half-way to the step below: the eight reach as far up as down.
    float middle = lut_step(groups[g].scale * inverse - 0.5f);
    for (int i = 0; i < 8; i++) {
      float step = lut_step(middle + (float)(i - 3));
      step = step == 0 ? (groups[g].scale > 0 ? 1 : -1) : step;
      steps[g][i] = step;
      inverses[g][i] = 1 / (step * super_scale);
    }
  }
  for (size_t g = 0; g < block->group_count; g++) {
    lut_sums(&lookups[groups[g].table], lut_values(block, g), lut_importance(block, g),
             lut_count(block, g), 8, inverses[g], products[g], squares[g]);
  }
  for (size_t g = 0; g < block->group_count; g++) {
    float gains[8];
    for (int i = 0; i < 8; i++) {
      float scale = steps[g][i] * super_scale;
      gains[i] = scale * (2 * products[g][i] - scale * squares[g][i]);
    }
    int winner = lut_greatest(gains, 8);
    chosen[g] = groups[g].scale != 0 && gains[winner] > 0 ? steps[g][winner] : 0;
  }
}

/// Scales that lay the extreme of each group on the level of largest magnitude.
static inline void lut_fit_extremes(const ck_lut_table *table, const lut_block *block,
                                    lut_group *groups) {
  float highest = table->levels[table->count - 1], lowest = table->levels[0];
  float level = highest >= -lowest ? highest : lowest;
  for (size_t g = 0; g < block->group_count; g++) {
    float extreme = lut_extreme(lut_values(block, g), lut_count(block, g));
    int is_zero = ck_magnitude(extreme) < LUT_SMALLEST;
    groups[g] = (lut_group){is_zero ? 0.0f : extreme / level, 0, 1, 0};
  }
}

static inline void lut_quantize_block(const ck_lut *lut, const ck_lut_table *tables,
                                      const lut_lookup *lookups, ck_search search,
                                      const lut_block *block, uint8_t *codes, uint8_t *scales) {
  lut_group groups[CK_LUT_GROUPS];
  float steps[CK_LUT_GROUPS];
  uint8_t chosen_tables[CK_LUT_GROUPS];
  int is_full = search == CK_SEARCH_FULL;
  if (search == CK_SEARCH_ABSMAX) {
    lut_fit_extremes(&tables[0], block, groups);
  } else {
    lut_search_groups(tables, lookups, lut->table_count, block, is_full ? 16 : 8, groups);
  }
  float super_scale = lut_super_scale(groups, block->group_count, is_full ? 3 : 1);
  if (is_full) {
    lut_choose_steps(lookups, block, groups, super_scale, steps);
  } else {
    float inverse = 1 / super_scale;
    for (size_t g = 0; g < block->group_count; g++) steps[g] = lut_step(groups[g].scale * inverse);
  }
  for (size_t g = 0; g < block->group_count; g++) chosen_tables[g] = (uint8_t)groups[g].table;
  uint8_t indices[CK_LUT_SUPER_COLUMNS];
  for (size_t g = 0; g < block->group_count; g++) {
    size_t start = g * block->group_columns;
    // Without a scale all codes are that of the number 0.
    float scale = steps[g] * super_scale;
    lut_encode(&lookups[groups[g].table], block->values + start, lut_count(block, g),
               scale == 0 ? 0.0f : 1 / scale, indices + start);
  }
  for (size_t start = 0; start < block->columns; start += CK_LUT_CHUNK) {
    size_t count = block->columns - start < CK_LUT_CHUNK ? block->columns - start : CK_LUT_CHUNK;
    ck_lut_write_indices(lut->level_count, indices + start, count, codes);
    codes += ck_lut_chunk_bytes(lut->level_count, count);
  }
  ck_lut_write_record(lut, super_scale, steps, chosen_tables, block->group_count, scales);
}

void CK_TWIN(ck_lut_quantize)(const ck_lut *lut, ck_search search, const float *importance,
                                  const float *values, size_t rows, uint8_t *codes,
                                  uint8_t *scales) {
  ck_lut_table tables[2];
  lut_lookup lookups[2];
  for (int t = 0; t < lut->table_count; t++) {
    tables[t] = ck_lut_table_of(lut->levels[t], lut->level_count);
    lookups[t] = lut_prepare(&tables[t]);
  }
  lut_block block;
  for (size_t row = 0; row < rows; row++) {
    for (size_t start = 0; start < lut->columns; start += CK_LUT_SUPER_COLUMNS) {
      size_t rest = lut->columns - start;
      size_t count = rest < CK_LUT_SUPER_COLUMNS ? rest : CK_LUT_SUPER_COLUMNS;
      lut_load(&block, lut, values, count, importance ? importance + start : NULL);
      lut_quantize_block(lut, tables, lookups, search, &block, codes, scales);
      values += count;
      // A super-block is whole chunks, or the last of its row.
      codes += count / CK_LUT_CHUNK * ck_lut_chunk_bytes(lut->level_count, CK_LUT_CHUNK) +
               ck_lut_chunk_bytes(lut->level_count, count % CK_LUT_CHUNK);
      scales += ck_lut_record_bytes(lut, block.group_count);
    }
  }
}
