#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// memcpy, which kernels are compared with.
void ck_copy(const uint8_t *bytes, size_t count, uint8_t *copy);

/// The processor time of this thread so far: what others do on the machine does not show as much as
/// it does in the time of a clock.
uint64_t ck_thread_nanoseconds(void);

#ifdef __cplusplus
}
#endif
