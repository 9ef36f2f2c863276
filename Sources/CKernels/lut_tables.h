// The tables of levels as a search uses them. Private to CKernels.
#pragma once

#include <math.h>

#include "lut.h"

#pragma STDC FP_CONTRACT OFF

/// The number of scales that are compared at a time.
#define CK_LUT_CANDIDATES 16

/// A table of levels, which need not be whole while it is learned, in ascending order.
typedef struct {
  int count;
  /// Those past `count` repeat the last.
  float levels[16];
  /// Half-way between neighbours; those past the last are infinite. A number greater than the first
  /// n has the index n.
  float thresholds[16];
} ck_lut_table;

static inline void ck_lut_set_thresholds(ck_lut_table *table) {
  for (int i = 0; i < 16; i++) {
    if (i >= table->count) table->levels[i] = table->levels[table->count - 1];
    table->thresholds[i] =
        i + 1 < table->count ? (table->levels[i] + table->levels[i + 1]) * 0.5f : INFINITY;
  }
}

static inline ck_lut_table ck_lut_table_of(const int8_t *levels, int count) {
  ck_lut_table table = {.count = count};
  for (int i = 0; i < count; i++) table.levels[i] = levels[i];
  ck_lut_set_thresholds(&table);
  return table;
}
