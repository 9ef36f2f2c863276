// Where the search for tables of levels starts. Private to CKernels.
#pragma once

#include "lut.h"

/// The number of starts for each kind of code.
#define CK_LUT_STARTS 2

/// Tables that many rounds found for weights of a normal distribution, and of Student's
/// t-distribution with 4 degrees of freedom, in groups of 16.
static const int8_t ck_lut_start_of_16[CK_LUT_STARTS][16] = {
    {-121, -99, -78, -61, -46, -33, -21, -9, 3, 14, 26, 39, 54, 70, 90, 126},
    {-126, -103, -68, -50, -36, -25, -15, -6, 2, 11, 21, 32, 47, 65, 88, 122},
};
static const int8_t ck_lut_starts_of_16[CK_LUT_STARTS][2][16] = {
    {{-107, -85, -68, -54, -41, -30, -19, -9, 1, 12, 23, 35, 49, 63, 79, 113},
     {-119, -96, -67, -51, -38, -27, -16, -6, 4, 15, 26, 37, 50, 64, 81, 100}},
    {{-116, -94, -65, -48, -35, -25, -15, -6, 3, 12, 22, 34, 47, 61, 76, 97},
     {-115, -84, -51, -37, -26, -17, -10, -4, 1, 7, 14, 22, 31, 43, 62, 118}},
};
static const int8_t ck_lut_start_of_8[CK_LUT_STARTS][8] = {
    {-107, -66, -39, -16, 6, 29, 56, 94},
    {-117, -55, -28, -10, 5, 24, 52, 91},
};
static const int8_t ck_lut_starts_of_8[CK_LUT_STARTS][2][8] = {
    {{-121, -80, -48, -21, 5, 33, 66, 110}, {-120, -59, -32, -10, 11, 32, 57, 86}},
    {{-127, -75, -41, -16, 6, 30, 64, 107}, {-116, -50, -25, -9, 3, 17, 37, 98}},
};

/// A table of a start.
static inline const int8_t *ck_lut_start(const ck_lut *lut, int start, int table) {
  if (lut->level_count == 16)
    return lut->table_count == 1 ? ck_lut_start_of_16[start] : ck_lut_starts_of_16[start][table];
  return lut->table_count == 1 ? ck_lut_start_of_8[start] : ck_lut_starts_of_8[start][table];
}
