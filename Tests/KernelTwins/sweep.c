#include "sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_OUTPUT = 1 << 20, BEHIND = 64, KERNELS = 64 };

/// What is known of a kernel.
typedef struct {
  const char *name;
  uint64_t passed;
  uint64_t failed;
  /// FNV-1a of the portable kernel's results.
  uint64_t digest;
  /// What the first failure was with, and how many passed before it.
  const char *first_failure;
  uint64_t passed_before;
} summary;

static summary kernels[KERNELS];

static summary *summary_of(const char *name) {
  for (int i = 0; i < KERNELS; i++) {
    if (kernels[i].name == NULL)
      kernels[i] = (summary){.name = name, .digest = 0xCBF29CE484222325u};
    if (strcmp(kernels[i].name, name) == 0) return &kernels[i];
  }
  fprintf(stderr, "more than %d kernels\n", KERNELS);
  exit(2);
}

static void count(summary *kernel, int is_true, const char *isa) {
  if (is_true) {
    kernel->passed++;
    return;
  }
  if (kernel->failed++ > 0) return;
  kernel->first_failure = isa;
  kernel->passed_before = kernel->passed;
}

static void run(sweep_operation operation, const void *arguments, ck_isa isa, uint8_t *output,
                size_t byte_count) {
  memset(output, 0xA5, byte_count + BEHIND);
  ck_select_isa(isa);
  operation(arguments, output);
}

void sweep_compare(const char *name, sweep_operation operation, const void *arguments,
                   size_t output_byte_count) {
  static _Alignas(64) uint8_t expected[LONGEST_OUTPUT + BEHIND], found[LONGEST_OUTPUT + BEHIND];
  if (output_byte_count > LONGEST_OUTPUT) {
    fprintf(stderr, "%s: %zu bytes\n", name, output_byte_count);
    exit(2);
  }
  summary *kernel = summary_of(name);
  run(operation, arguments, CK_ISA_PORTABLE, expected, output_byte_count);
  int is_clean = 1;
  for (size_t i = 0; i < BEHIND; i++) is_clean &= expected[output_byte_count + i] == 0xA5;
  count(kernel, is_clean, "portable, behind the output");
  for (size_t i = 0; i < output_byte_count; i++)
    kernel->digest = (kernel->digest ^ expected[i]) * 0x100000001B3u;
  for (int isa = CK_ISA_PORTABLE + 1; isa <= CK_ISA_NEON; isa++) {
    if (!ck_has_isa((ck_isa)isa)) continue;
    run(operation, arguments, (ck_isa)isa, found, output_byte_count);
    count(kernel, memcmp(expected, found, output_byte_count + BEHIND) == 0,
          ck_isa_name((ck_isa)isa));
  }
}

void sweep_expect(const char *name, int is_true) { count(summary_of(name), is_true, "portable"); }

/// An operation whose twins are wrong by one bit.
static void differ_by_one_bit(const void *arguments, uint8_t *output) {
  (void)arguments;
  memset(output, 0, 4096);
  if (ck_isa_in_use() != CK_ISA_PORTABLE) output[4095] ^= 1;
}

/// Proves that a difference is found, and forgets it.
static void check_the_comparison(int isa_count) {
  sweep_compare("one bit", differ_by_one_bit, NULL, 4096);
  summary *kernel = summary_of("one bit");
  int is_found = kernel->failed == (uint64_t)isa_count;
  memset(kernel, 0, sizeof *kernel);
  sweep_expect("a difference of one bit is found", is_found);
}

int main(void) {
  int isa_count = 0;
  printf("Instruction sets: portable");
  for (int isa = CK_ISA_PORTABLE + 1; isa <= CK_ISA_NEON; isa++) {
    if (!ck_has_isa((ck_isa)isa)) continue;
    printf(", %s", ck_isa_name((ck_isa)isa));
    isa_count++;
  }
  printf("\n");
  if (isa_count == 0) {
    fprintf(stderr, "This processor has none but the portable kernels: nothing to compare.\n");
    return 2;
  }
  check_the_comparison(isa_count);
  sweep_checksums();
  sweep_conversions();
  sweep_statistics();
  sweep_dequantizers();
  sweep_quantizers();
  sweep_tables();
  sweep_products();
  uint64_t passed = 0, failed = 0;
  for (int i = 0; i < KERNELS && kernels[i].name != NULL; i++) {
    passed += kernels[i].passed;
    failed += kernels[i].failed;
    if (kernels[i].failed > 0)
      printf("%s: %llu FAILED, first with %s after %llu that passed\n", kernels[i].name,
             (unsigned long long)kernels[i].failed, kernels[i].first_failure,
             (unsigned long long)kernels[i].passed_before);
    // What scripts/test-aarch64 compares between processors.
    printf("digest %-24s %016llx\n", kernels[i].name, (unsigned long long)kernels[i].digest);
  }
  printf("%llu passed, %llu failed\n", (unsigned long long)passed, (unsigned long long)failed);
  return failed == 0 ? 0 : 1;
}
