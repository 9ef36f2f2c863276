#pragma once

#include <stddef.h>
#include <stdint.h>

#include "ck_statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The type of a code. The numbers are those of CodeFormat.
typedef enum {
  CK_CODE_E4M3 = 1,
  CK_CODE_E2M1 = 2,
  CK_CODE_INT8 = 3,
  CK_CODE_INT4 = 4,
  CK_CODE_UINT4 = 5,
} ck_code;

/// The type of a scale that a quantizer writes.
typedef enum {
  CK_SCALE_F32 = 1,
  CK_SCALE_BF16 = 2,
  CK_SCALE_E8M0 = 3,
  CK_SCALE_E4M3 = 4,
} ck_scale;

/// How many scales are tried.
typedef enum {
  CK_SEARCH_ABSMAX = 0,
  CK_SEARCH_FAST = 1,
  CK_SEARCH_FULL = 2,
} ck_search;

/// What to quantize to. formats/quantization.md specifies the result bit by bit.
typedef struct {
  ck_code code;
  ck_scale scale;
  ck_search search;
  /// The number of weights in a row.
  size_t columns;
  /// The size of the block that shares a scale; at least 1. Unless it is one row high, it is as
  /// wide as the matrix or a multiple of 128. 4-bit codes need an even `block_columns`, or one that
  /// is not less than `columns`.
  size_t block_rows;
  size_t block_columns;
  /// Multiplies all scales; 1 where there is none.
  float global_scale;
  /// The scale of all weights, given; 0 where each block has its own.
  float tensor_scale;
} ck_quantizer;

/// Where a tile's planes go, which are this tile's alone, and what is found on the way.
typedef struct {
  uint8_t *codes;
  /// Not written with a tensor scale.
  uint8_t *scales;
  /// Written only for CK_CODE_UINT4.
  uint8_t *zero_points;
  /// The `rows × columns` values that a reader will get, or NULL where nobody asks.
  float *delivered;
  /// The errors of those are added to these, as `ck_add_errors` does; NULL where nobody asks.
  ck_error_sums *sums;
} ck_quantized;

/// Quantizes a tile of rows and measures the error while it is at hand. `values` is
/// `rows × columns`. `importance` holds for each column what its squared errors are multiplied by
/// when scales are compared, less than 2; NULL stands for ones.
void ck_quantize(const ck_quantizer *quantizer, const float *values, size_t rows,
    const float *importance, const ck_quantized *to);
void ck_quantize_portable(const ck_quantizer *quantizer, const float *values, size_t rows,
    const float *importance, const ck_quantized *to);
void ck_quantize_avx2(const ck_quantizer *quantizer, const float *values, size_t rows,
    const float *importance, const ck_quantized *to);
void ck_quantize_avx512(const ck_quantizer *quantizer, const float *values, size_t rows,
    const float *importance, const ck_quantized *to);
void ck_quantize_neon(const ck_quantizer *quantizer, const float *values, size_t rows,
    const float *importance, const ck_quantized *to);

/// What codes and scales mean.
typedef struct {
  ck_code code;
  /// The number of weights in a row; at least 1.
  size_t columns;
  /// The size of the block that shares a scale; at least 1.
  size_t block_rows;
  size_t block_columns;
} ck_dequantizer;

/// Decodes a tile of rows: `value = code × scale`, or `(code − zero point) × scale`, rounded once.
/// `scales` holds a Float32 for each block, row after row; `zero_points` holds a nibble for each, a
/// row of them starting on a whole byte, and is read only for CK_CODE_UINT4.
void ck_dequantize(const ck_dequantizer *format, const uint8_t *codes, const float *scales,
                   const uint8_t *zero_points, size_t rows, float *values);

/// Decodes one row. `scales` and `zero_points` are those of its groups of `group_columns` weights,
/// the last of which may be fewer.
void ck_dequantize_row(ck_code code, const uint8_t *codes, size_t columns, size_t group_columns,
                       const float *scales, const uint8_t *zero_points, float *values);
void ck_dequantize_row_portable(ck_code code, const uint8_t *codes, size_t columns,
                                size_t group_columns, const float *scales,
                                const uint8_t *zero_points, float *values);
void ck_dequantize_row_avx2(ck_code code, const uint8_t *codes, size_t columns,
                            size_t group_columns, const float *scales, const uint8_t *zero_points,
                            float *values);
void ck_dequantize_row_avx512(ck_code code, const uint8_t *codes, size_t columns,
                              size_t group_columns, const float *scales,
                              const uint8_t *zero_points, float *values);
void ck_dequantize_row_neon(ck_code code, const uint8_t *codes, size_t columns,
                            size_t group_columns, const float *scales, const uint8_t *zero_points,
                            float *values);

#ifdef __cplusplus
}
#endif
