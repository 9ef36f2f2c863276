#pragma once

#include "ck_quantize.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The number of columns that share a Float16 scale.
#define CK_LUT_SUPER_COLUMNS 256

/// Codes that are indices into tables of levels. formats/quantization.md specifies the bytes.
typedef struct {
  /// 16 or 8 levels in a table: codes of 4 or 3 bits.
  int level_count;
  /// 1, or 2 of which each group chooses one.
  int table_count;
  /// 16 or 32 columns share a 6-bit scale.
  size_t group_columns;
  /// The number of weights in a row.
  size_t columns;
  /// Multiplies all scales. A quantizer's is a power of two.
  float global_scale;
  /// The levels of each table, in ascending order.
  int8_t levels[2][16];
} ck_lut;

/// The number of bytes that the codes of a row take.
size_t ck_lut_code_bytes(const ck_lut *lut);
/// The number of bytes that the scales of a row take.
size_t ck_lut_scale_bytes(const ck_lut *lut);

/// Learns the levels and the global scale from a sample, given as `piece_count` pieces of rows of
/// `width` weights each, at most CK_LUT_SUPER_COLUMNS. `importance` holds a number for each weight
/// of the sample, or is NULL. All other fields of `lut` are set.
void ck_lut_learn(ck_lut *lut, const float *sample, size_t piece_count, size_t width,
                  const float *importance);
void ck_lut_learn_portable(ck_lut *lut, const float *sample, size_t piece_count, size_t width,
                           const float *importance);
void ck_lut_learn_avx2(ck_lut *lut, const float *sample, size_t piece_count, size_t width,
                       const float *importance);
void ck_lut_learn_avx512(ck_lut *lut, const float *sample, size_t piece_count, size_t width,
                         const float *importance);
void ck_lut_learn_neon(ck_lut *lut, const float *sample, size_t piece_count, size_t width,
                       const float *importance);

/// Quantizes a tile of rows. `importance` holds a number for each column, or is NULL.
void ck_lut_quantize(const ck_lut *lut, ck_search search, const float *importance,
                     const float *values, size_t rows, uint8_t *codes, uint8_t *scales);
void ck_lut_quantize_portable(const ck_lut *lut, ck_search search, const float *importance,
                              const float *values, size_t rows, uint8_t *codes, uint8_t *scales);
void ck_lut_quantize_avx2(const ck_lut *lut, ck_search search, const float *importance,
                          const float *values, size_t rows, uint8_t *codes, uint8_t *scales);
void ck_lut_quantize_avx512(const ck_lut *lut, ck_search search, const float *importance,
                            const float *values, size_t rows, uint8_t *codes, uint8_t *scales);
void ck_lut_quantize_neon(const ck_lut *lut, ck_search search, const float *importance,
                          const float *values, size_t rows, uint8_t *codes, uint8_t *scales);

/// Decodes a tile of rows.
void ck_lut_dequantize(const ck_lut *lut, const uint8_t *codes, const uint8_t *scales, size_t rows,
                       float *values);
void ck_lut_dequantize_portable(const ck_lut *lut, const uint8_t *codes, const uint8_t *scales,
                                size_t rows, float *values);
void ck_lut_dequantize_avx2(const ck_lut *lut, const uint8_t *codes, const uint8_t *scales,
                            size_t rows, float *values);
void ck_lut_dequantize_avx512(const ck_lut *lut, const uint8_t *codes, const uint8_t *scales,
                              size_t rows, float *values);
void ck_lut_dequantize_neon(const ck_lut *lut, const uint8_t *codes, const uint8_t *scales,
                            size_t rows, float *values);

/// The number of values of a tile that lie outside of their group's range by more than half of the
/// outermost step.
uint64_t ck_lut_count_outside(const ck_lut *lut, const uint8_t *scales, const float *values,
                              size_t rows);

#ifdef __cplusplus
}
#endif
