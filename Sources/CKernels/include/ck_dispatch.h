#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// The instruction sets that kernels are written for.
typedef enum {
  CK_ISA_PORTABLE = 0,
  CK_ISA_AVX2 = 1,
  /// F, BW, DQ, VL and VBMI.
  CK_ISA_AVX512 = 2,
  /// What every aarch64 processor has.
  CK_ISA_NEON = 3,
} ck_isa;

/// The name that people know an instruction set by.
const char *ck_isa_name(ck_isa isa);

/// Whether this processor has an instruction set.
int ck_has_isa(ck_isa isa);

/// The instruction set in use: the best that this processor has, unless `ck_select_isa` or the
/// environment (`KELTER_KERNELS=portable`, or `avx2`, `avx512`, `neon`) chose another that it has.
ck_isa ck_isa_in_use(void);

/// Chooses an instruction set for the whole process, for tests and benchmarks. Returns 0, or -1
/// and changes nothing where this processor lacks it.
int ck_select_isa(ck_isa isa);

#ifdef __cplusplus
}
#endif
