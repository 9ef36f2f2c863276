// Runs every kernel with every instruction set that this processor has, without Swift, so that an
// emulator can: the twins must give the portable kernel's bits, and the bits must be the same on
// all processors. scripts/test-aarch64 builds it for both.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "CKernels.h"

/// What an operation is given, as its case defines it, and where its results go.
typedef void (*sweep_operation)(const void *arguments, uint8_t *output);

/// Runs an operation portably and with each instruction set, and compares all `output_byte_count`
/// bytes and those behind them. The name is that of the kernel in the summary.
void sweep_compare(const char *name, sweep_operation run, const void *arguments,
                   size_t output_byte_count);

/// Counts an expectation that is no comparison of twins.
void sweep_expect(const char *name, int is_true);

/// Puts NaN without a sign for those that were computed: processors choose the sign.
void sweep_unify_nans(float *values, size_t count);

/// A copy that ends where memory ends, so that reading past it is noticed. There are eight places,
/// of which each holds its latest copy.
const void *sweep_input(int place, const void *bytes, size_t count);

/// The next number of SplitMix64 (Sebastiano Vigna).
uint64_t sweep_random(void);

/// Fills with random bytes.
void sweep_fill(void *bytes, size_t count);

/// What rows of weights may look like; SWEEP_KINDS of them.
enum { SWEEP_KINDS = 18 };
void sweep_row(int kind, size_t columns, float *values);

/// Lengths around the widths of vectors.
extern const size_t sweep_lengths[];
extern const size_t sweep_length_count;
enum { SWEEP_LONGEST = 1029 };

void sweep_checksums(void);
void sweep_conversions(void);
void sweep_statistics(void);
void sweep_dequantizers(void);
void sweep_quantizers(void);
void sweep_tables(void);
void sweep_products(void);
