#include "statistics.h"

#if defined(__x86_64__)

#include "lanes_avx2.h"

#pragma STDC FP_CONTRACT OFF

/// Lanes 0…3 and 4…7 of the specification's eight, added in its order.
CK_AVX2_INLINE double lane_sum(__m256d low, __m256d high) {
  __m256d four = _mm256_add_pd(low, high);
  __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

CK_AVX2_INLINE double greatest_lane(__m256d lanes) {
  __m128d two = _mm_max_pd(_mm256_castpd256_pd128(lanes), _mm256_extractf128_pd(lanes, 1));
  return _mm_cvtsd_f64(_mm_max_sd(two, _mm_unpackhi_pd(two, two)));
}

CK_AVX2 static ck_error_chunk chunk_errors(const float *reference, const float *approximation,
                                           size_t count) {
  const __m256 infinity = _mm256_castsi256_ps(_mm256_set1_epi32(0x7F800000));
  const __m256 zero = _mm256_setzero_ps();
  const __m256d magnitude = _mm256_castsi256_pd(_mm256_set1_epi64x(0x7FFFFFFFFFFFFFFF));
  __m256d squares[2] = {_mm256_setzero_pd(), _mm256_setzero_pd()};
  __m256d errors[2] = {_mm256_setzero_pd(), _mm256_setzero_pd()};
  __m256d greatest = _mm256_setzero_pd();
  ck_error_chunk chunk = {0};
  for (size_t i = 0; i < count; i += 8) {
    __m256 x, y;
    if (count - i >= 8) {
      x = _mm256_loadu_ps(reference + i);
      y = _mm256_loadu_ps(approximation + i);
    } else {
      float last[2][8] = {{0}};
      memcpy(last[0], reference + i, (count - i) * sizeof(float));
      memcpy(last[1], approximation + i, (count - i) * sizeof(float));
      x = _mm256_loadu_ps(last[0]);
      y = _mm256_loadu_ps(last[1]);
    }
    __m256 finite = _mm256_and_ps(_mm256_cmp_ps(ck8_magnitude(x), infinity, _CMP_LT_OQ),
                                  _mm256_cmp_ps(ck8_magnitude(y), infinity, _CMP_LT_OQ));
    x = _mm256_and_ps(x, finite);
    y = _mm256_and_ps(y, finite);
    __m256 zeroed = _mm256_and_ps(_mm256_cmp_ps(x, zero, _CMP_NEQ_OQ),
                                  _mm256_cmp_ps(y, zero, _CMP_EQ_OQ));
    chunk.nonfinite_count += 8 - (uint64_t)__builtin_popcount((unsigned)_mm256_movemask_ps(finite));
    chunk.zeroed_count += (uint64_t)__builtin_popcount((unsigned)_mm256_movemask_ps(zeroed));
    for (int half = 0; half < 2; half++) {
      __m256d value = _mm256_cvtps_pd(half ? _mm256_extractf128_ps(x, 1) : _mm256_castps256_ps128(x));
      __m256d other = _mm256_cvtps_pd(half ? _mm256_extractf128_ps(y, 1) : _mm256_castps256_ps128(y));
      __m256d error = _mm256_sub_pd(value, other);
      squares[half] = _mm256_add_pd(squares[half], _mm256_mul_pd(value, value));
      errors[half] = _mm256_add_pd(errors[half], _mm256_mul_pd(error, error));
      greatest = _mm256_max_pd(greatest, _mm256_and_pd(error, magnitude));
    }
  }
  chunk.squares = lane_sum(squares[0], squares[1]);
  chunk.squared_errors = lane_sum(errors[0], errors[1]);
  chunk.maximum_absolute_error = greatest_lane(greatest);
  return chunk;
}

CK_AVX2 void ck_add_errors_avx2(const float *reference, const float *approximation, size_t count,
                                ck_error_sums *sums) {
  for (size_t i = 0; i < count; i += CK_ERROR_CHUNK) {
    size_t length = count - i < CK_ERROR_CHUNK ? count - i : CK_ERROR_CHUNK;
    ck_error_chunk chunk = chunk_errors(reference + i, approximation + i, length);
    ck_add_chunk(&chunk, length, sums);
  }
}

#endif
