#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// The instruction sets that kernels are written for.
typedef enum {
  CK_ISA_PORTABLE = 0,
  CK_ISA_AVX2 = 1,
} ck_isa;

/// The instruction set in use: the best that this processor has, unless `ck_select_isa` or the
/// environment (`KELTER_KERNELS=portable`) chose another.
ck_isa ck_isa_in_use(void);

/// Chooses an instruction set for the whole process, for tests and benchmarks. Returns 0, or -1
/// and changes nothing where this processor lacks it.
int ck_select_isa(ck_isa isa);

#ifdef __cplusplus
}
#endif
