// The specification of the sums of ck_statistics.h. Private to CKernels.
#pragma once

#include "statistics.h"

#pragma STDC FP_CONTRACT OFF

/// Adds a chunk of at most CK_ERROR_CHUNK pairs.
static inline void add_error_chunk(const float *reference, const float *approximation,
                                   size_t count, ck_error_sums *sums) {
  enum { LANES = 16 };
  float squares[LANES] = {0}, squared_errors[LANES] = {0}, greatest[LANES] = {0};
  int32_t zeroed[LANES] = {0};
  for (size_t start = 0; start < count; start += LANES) {
    float x[LANES] = {0}, y[LANES] = {0};
    size_t length = count - start < LANES ? count - start : LANES;
    if (length == LANES) {
      memcpy(x, reference + start, sizeof x);
      memcpy(y, approximation + start, sizeof y);
    } else {
      memcpy(x, reference + start, length * sizeof(float));
      memcpy(y, approximation + start, length * sizeof(float));
    }
    for (int i = 0; i < LANES; i++) {
      float error = x[i] - y[i];
      squares[i] += x[i] * x[i];
      squared_errors[i] += error * error;
      float magnitude = ck_magnitude(error);
      greatest[i] = magnitude > greatest[i] ? magnitude : greatest[i];
      zeroed[i] += (x[i] != 0) & (y[i] == 0);
    }
  }
  for (int width = LANES / 2; width >= 1; width /= 2) {
    for (int i = 0; i < width; i++) {
      squares[i] += squares[i + width];
      squared_errors[i] += squared_errors[i + width];
      greatest[i] = greatest[i] > greatest[i + width] ? greatest[i] : greatest[i + width];
      zeroed[i] += zeroed[i + width];
    }
  }
  ck_error_chunk chunk = {squares[0], squared_errors[0], greatest[0], (uint64_t)zeroed[0]};
  ck_add_chunk(&chunk, reference, approximation, count, sums);
}
