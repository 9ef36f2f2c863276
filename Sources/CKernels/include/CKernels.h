// Kelter's C kernels. A portable function is the specification of each operation; its twins for
// AVX2, AVX-512 and NEON give the same bits (no fused multiply-add, fixed summation order).
// dispatch.c chooses at run time among those that are there on the processor's architecture.
#pragma once
#include "ck_allocation.h"
#include "ck_benchmark.h"
#include "ck_blocks.h"
#include "ck_checksum.h"
#include "ck_convert.h"
#include "ck_dispatch.h"
#include "ck_lut.h"
#include "ck_product.h"
#include "ck_quantize.h"
#include "ck_statistics.h"
#include "ck_xxh64.h"
