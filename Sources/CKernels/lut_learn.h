// Learns tables of levels from a sample: the same text for every instruction set. Private to
// CKernels; after lut_search.h.

#pragma STDC FP_CONTRACT OFF

#define LUT_ROUNDS 7

/// A power of two that brings the sample's largest magnitude to 2^8…2^9: the Float16 scales of most
/// super-blocks are then far from both ends of their range.
static inline float lut_global_scale(const float *sample, size_t count) {
  float largest = 0;
  for (size_t i = 0; i < count; i++) {
    float magnitude = ck_magnitude(sample[i]);
    largest = magnitude > largest && magnitude < INFINITY ? magnitude : largest;
  }
  largest = largest < LUT_LARGEST_WEIGHT ? largest : LUT_LARGEST_WEIGHT;
  int exponent = largest == 0 ? -4 : (int)(ck_bits(largest) >> 23) - 127;
  exponent -= 8;
  return ck_float((uint32_t)(127 + (exponent < -126 ? -126 : exponent)) << 23);
}

/// One round: the groups of the sample choose scales and indices; returns by how much the levels as
/// they are lessen the sum of squares.
static inline double lut_round(const ck_lut *lut, const ck_lut_table *tables, const float *sample,
                               size_t piece_count, size_t width, const float *importance,
                               size_t piece_stride, lut_level_sums *sums) {
  lut_lookup lookups[2];
  memset(sums, 0, 2 * sizeof *sums);
  for (int t = 0; t < lut->table_count; t++) lookups[t] = lut_prepare(&tables[t]);
  double gain = 0;
  lut_block block;
  lut_groups groups;
  for (size_t piece = 0; piece < piece_count; piece += piece_stride) {
    lut_load(&block, lut, sample + piece * width, width,
             importance ? importance + piece * width : NULL);
    lut_arrange(&block, &groups);
    lut_search search;
    lut_search_groups(tables, lookups, lut->table_count, &groups, 0, &search);
    for (size_t g = 0; g < block.group_count; g++) gain += search.gains[g];
    for (int t = 0; t < lut->table_count; t++) {
      float scales[LUT_PARTS];
      for (int g = 0; g < LUT_PARTS; g++) scales[g] = search.tables[g] == t ? search.scales[g] : 0;
      lut_add_levels(&lookups[t], &groups, scales, &sums[t]);
    }
  }
  return gain;
}

/// Moves each level towards the least-squares one, by `pace` times the distance, and brings the
/// largest magnitude to 127.
static inline void lut_move(ck_lut_table *table, const lut_level_sums *sums, double pace) {
  double levels[16], largest = 0;
  for (int i = 0; i < table->count; i++) {
    double level = table->levels[i];
    if (sums->squares[i] > 0) level += pace * (sums->products[i] / sums->squares[i] - level);
    if (i > 0 && level < levels[i - 1]) level = levels[i - 1];
    levels[i] = level;
    largest = fabs(level) > largest ? fabs(level) : largest;
  }
  if (!(largest > 0)) return;
  for (int i = 0; i < table->count; i++) table->levels[i] = (float)(levels[i] * (127 / largest));
  ck_lut_set_thresholds(table);
}

/// Rounds levels to signed bytes, at the size, of those with a largest magnitude of 96…127, that
/// rounding harms least.
static inline void lut_round_levels(const ck_lut_table *table, const lut_level_sums *sums,
                                    int8_t *rounded) {
  double best = 1, least = INFINITY;
  for (int quarter = 0; quarter <= 124; quarter++) {
    double factor = (127 - 0.25 * quarter) / 127, loss = 0;
    for (int i = 0; i < table->count; i++) {
      double error = rint(table->levels[i] * factor) / factor - table->levels[i];
      loss += sums->squares[i] * (error * error);
    }
    if (!(loss < least)) continue;
    least = loss;
    best = factor;
  }
  for (int i = 0; i < table->count; i++) rounded[i] = (int8_t)rint(table->levels[i] * best);
}

void CK_TWIN(ck_lut_learn)(ck_lut *lut, const float *sample, size_t piece_count, size_t width,
                           const float *importance) {
  lut->global_scale = lut_global_scale(sample, piece_count * width);
  ck_lut_table start[2], tables[2], best[2];
  lut_level_sums sums[2], best_sums[2];
  // The start that fits a part of the sample best.
  double gain = -1;
  for (int i = 0; i < CK_LUT_STARTS; i++) {
    ck_lut_table candidate[2];
    for (int t = 0; t < lut->table_count; t++)
      candidate[t] = ck_lut_table_of(ck_lut_start(lut, i, t), lut->level_count);
    double found = lut_round(lut, candidate, sample, piece_count, width, importance, 8, sums);
    if (!(found > gain)) continue;
    gain = found;
    memcpy(start, candidate, sizeof start);
  }
  memcpy(tables, start, sizeof tables);
  // Long steps arrive sooner; a round that went too far is taken back.
  double gain_of_start = 0;
  gain = -1;
  for (int round = 0; round < LUT_ROUNDS; round++) {
    double found = lut_round(lut, tables, sample, piece_count, width, importance, 1, sums);
    if (round == 0) gain_of_start = found;
    int is_better = found > gain;
    if (is_better) {
      gain = found;
      memcpy(best, tables, sizeof best);
      memcpy(best_sums, sums, sizeof best_sums);
    } else {
      memcpy(tables, best, sizeof tables);
    }
    for (int t = 0; t < lut->table_count; t++)
      lut_move(&tables[t], &best_sums[t], is_better && round + 1 < LUT_ROUNDS ? 1.9 : 1);
  }
  for (int t = 0; t < lut->table_count; t++) {
    lut_round_levels(&tables[t], &best_sums[t], lut->levels[t]);
    tables[t] = ck_lut_table_of(lut->levels[t], lut->level_count);
  }
  // Rounding may cost more than was won where the start was good.
  if (lut_round(lut, tables, sample, piece_count, width, importance, 1, sums) >= gain_of_start)
    return;
  for (int t = 0; t < lut->table_count; t++)
    for (int i = 0; i < lut->level_count; i++) lut->levels[t][i] = (int8_t)start[t].levels[i];
}
