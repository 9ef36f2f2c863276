#include "ck_benchmark.h"

#include <string.h>
#include <time.h>

void ck_copy(const uint8_t *bytes, size_t count, uint8_t *copy) { memcpy(copy, bytes, count); }

uint64_t ck_thread_nanoseconds(void) {
  struct timespec time;
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) return 0;
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}
