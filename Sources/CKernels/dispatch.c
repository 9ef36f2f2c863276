#include "ck_checksum.h"
#include "ck_dispatch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static int processor_has(ck_isa isa) {
#if defined(__x86_64__)
  if (isa == CK_ISA_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c");
#endif
  return isa == CK_ISA_PORTABLE;
}

// -1: not chosen yet. Two threads that choose at once choose the same.
static _Atomic int chosen_isa = -1;

ck_isa ck_isa_in_use(void) {
  int isa = atomic_load_explicit(&chosen_isa, memory_order_relaxed);
  if (isa < 0) {
    const char *wish = getenv("KELTER_KERNELS");
    int portable = wish != NULL && strcmp(wish, "portable") == 0;
    isa = !portable && processor_has(CK_ISA_AVX2) ? CK_ISA_AVX2 : CK_ISA_PORTABLE;
    atomic_store_explicit(&chosen_isa, isa, memory_order_relaxed);
  }
  return (ck_isa)isa;
}

int ck_select_isa(ck_isa isa) {
  if (!processor_has(isa)) return -1;
  atomic_store_explicit(&chosen_isa, (int)isa, memory_order_relaxed);
  return 0;
}

size_t ck_checksum_stripes(
    uint64_t lanes[8], const uint8_t *bytes, size_t stripe_count, size_t stripes_in_block) {
#if defined(__x86_64__)
  if (ck_isa_in_use() == CK_ISA_AVX2) {
    return ck_checksum_stripes_avx2(lanes, bytes, stripe_count, stripes_in_block);
  }
#endif
  return ck_checksum_stripes_portable(lanes, bytes, stripe_count, stripes_in_block);
}
