// The search for the scales of a super-block: the same text for every instruction set. Private to
// CKernels. The file that includes it defines CK_TWIN and, as lut_portable.c tells, `lut_lookup`,
// `lut_prepare`, `lut_groups`, `lut_arrange`, `lut_extremes`, `lut_find_scales`, `lut_find_steps`,
// `lut_encode` and `lut_add_levels`.

#pragma STDC FP_CONTRACT OFF

/// What is known of the groups: the best of the tables for each.
typedef struct {
  lut_scales of_table[2];
  float scales[LUT_PARTS];
  float squares[LUT_PARTS];
  float gains[LUT_PARTS];
  uint8_t tables[LUT_PARTS];
} lut_search;

/// The best scale for each group, not rounded: half of those tried lay the extreme near the highest
/// level of a table, half near the lowest.
static inline void lut_search_groups(const ck_lut_table *tables, const lut_lookup *lookups,
                                     int table_count, const lut_groups *groups, int is_full,
                                     lut_search *search) {
  float extremes[LUT_PARTS];
  lut_extremes(groups, extremes);
  int half = is_full ? 8 : 4;
  for (int t = 0; t < table_count; t++) {
    float highest = tables[t].levels[tables[t].count - 1], lowest = tables[t].levels[0];
    float candidates[CK_LUT_CANDIDATES];
    for (int i = 0; i < half; i++) {
      float part = is_full ? 0.76f + 0.06f * (float)i : 0.8f + 0.09f * (float)i;
      candidates[i] = highest * part;
      candidates[half + i] = lowest * part;
    }
    lut_find_scales(&lookups[t], groups, extremes, candidates, 2 * half, &search->of_table[t]);
  }
  for (int g = 0; g < LUT_PARTS; g++) {
    int t = table_count == 2 && search->of_table[1].gains[g] > search->of_table[0].gains[g];
    search->tables[g] = (uint8_t)t;
    search->scales[g] = search->of_table[t].scales[g];
    search->squares[g] = search->of_table[t].squares[g];
    search->gains[g] = search->of_table[t].gains[g];
  }
}

/// A scale of a super-block as it is stored: a Float16 that is not zero.
static inline float lut_stored(float scale) {
  float stored = ck_round_to_grid(scale < 65504.0f ? scale : 65504.0f, CK_F16);
  return stored > 0x1p-24f ? stored : 0x1p-24f;
}

/// The Float16 scale whose multiples are nearest to the groups' scales, weighed by what is lost.
static inline float lut_super_scale(const lut_search *search, size_t group_count, int batches) {
  float largest = 0;
  for (size_t g = 0; g < group_count; g++) {
    float magnitude = ck_magnitude(search->scales[g]);
    largest = magnitude > largest ? magnitude : largest;
  }
  // A scale of zero would mean damage; the steps of zeros are zero for any.
  if (largest == 0) return 1;
  float best = 1, least = INFINITY;
  float distance = batches == 1 ? 0.5f : 0.25f;
  for (int batch = 0; batch < batches; batch++) {
    float scales[CK_LUT_CANDIDATES], inverses[CK_LUT_CANDIDATES], losses[CK_LUT_CANDIDATES];
    for (int i = 0; i < CK_LUT_CANDIDATES; i++) {
      scales[i] = lut_stored(largest / (32.5f - distance * (float)(16 * batch + i)));
      inverses[i] = 1 / scales[i];
      losses[i] = 0;
    }
    for (size_t g = 0; g < group_count; g++) {
      float scale = search->scales[g], square = search->squares[g];
      for (int i = 0; i < CK_LUT_CANDIDATES; i++) {
        float error = lut_step(scale * inverses[i]) * scales[i] - scale;
        losses[i] += square * (error * error);
      }
    }
    for (int i = 0; i < CK_LUT_CANDIDATES; i++) {
      if (!(losses[i] < least)) continue;
      least = losses[i];
      best = scales[i];
    }
  }
  return best;
}

/// The steps of the groups, and the tables where they change: in `full` for each the best of eight
/// around the scale that was found for it.
static inline void lut_choose_steps(const lut_lookup *lookups, int table_count,
                                    const lut_groups *groups, lut_search *search,
                                    float super_scale, int is_full, float *steps) {
  if (!is_full) {
    float inverse = 1 / super_scale;
    for (int g = 0; g < LUT_PARTS; g++) steps[g] = lut_step(search->scales[g] * inverse);
    return;
  }
  float gains[LUT_PARTS], other_steps[LUT_PARTS], other_gains[LUT_PARTS];
  lut_find_steps(&lookups[0], groups, &search->of_table[0], super_scale, steps, gains);
  if (table_count == 1) return;
  lut_find_steps(&lookups[1], groups, &search->of_table[1], super_scale, other_steps, other_gains);
  for (int g = 0; g < LUT_PARTS; g++) {
    search->tables[g] = other_gains[g] > gains[g];
    if (search->tables[g]) steps[g] = other_steps[g];
  }
}

/// Scales that lay the extreme of each group on the level of largest magnitude.
static inline void lut_fit_extremes(const ck_lut_table *table, const lut_groups *groups,
                                    lut_search *search) {
  float highest = table->levels[table->count - 1], lowest = table->levels[0];
  float level = highest >= -lowest ? highest : lowest;
  float extremes[LUT_PARTS];
  lut_extremes(groups, extremes);
  for (int g = 0; g < LUT_PARTS; g++) {
    int is_zero = ck_magnitude(extremes[g]) < LUT_SMALLEST;
    search->scales[g] = is_zero ? 0.0f : extremes[g] / level;
    search->squares[g] = 1;
    search->tables[g] = 0;
  }
}

static inline void lut_quantize_block(const ck_lut *lut, const ck_lut_table *tables,
                                      const lut_lookup *lookups, ck_search kind,
                                      const lut_block *block, uint8_t *codes, uint8_t *scales) {
  int is_full = kind == CK_SEARCH_FULL;
  lut_groups groups;
  lut_arrange(block, &groups);
  lut_search search;
  if (kind == CK_SEARCH_ABSMAX) {
    lut_fit_extremes(&tables[0], &groups, &search);
  } else {
    lut_search_groups(tables, lookups, lut->table_count, &groups, is_full, &search);
  }
  float super_scale = lut_super_scale(&search, block->group_count, is_full ? 3 : 1);
  float steps[LUT_PARTS];
  lut_choose_steps(lookups, lut->table_count, &groups, &search, super_scale, is_full, steps);
  uint8_t indices[CK_LUT_SUPER_COLUMNS];
  for (size_t start = 0; start < block->columns; start += LUT_PARTS) {
    size_t g = start / block->group_columns;
    // Without a scale all codes are that of the number 0.
    float scale = steps[g] * super_scale;
    lut_encode(&lookups[search.tables[g]], block->values + start, scale == 0 ? 0.0f : 1 / scale,
               indices + start);
  }
  for (size_t start = 0; start < block->columns; start += CK_LUT_CHUNK) {
    size_t count = block->columns - start < CK_LUT_CHUNK ? block->columns - start : CK_LUT_CHUNK;
    ck_lut_write_indices(lut->level_count, indices + start, count, codes);
    codes += ck_lut_chunk_bytes(lut->level_count, count);
  }
  ck_lut_write_record(lut, super_scale, steps, search.tables, block->group_count, scales);
}

void CK_TWIN(ck_lut_quantize)(const ck_lut *lut, ck_search search, const float *importance,
                              const float *values, size_t rows, uint8_t *codes, uint8_t *scales) {
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
