import CKernels

/// The forms of each kernel that this processor can run, the portable one first.
@unsafe enum Twins {
  #if arch(x86_64)
    static let quantize = unsafe runnable([
      ck_quantize_portable, ck_quantize_avx2, ck_quantize_avx512,
    ])
    static let addErrors = unsafe runnable([
      ck_add_errors_portable, ck_add_errors_avx2, ck_add_errors_avx512,
    ])
    static let dequantizeRow = unsafe runnable([
      ck_dequantize_row_portable, ck_dequantize_row_avx2, ck_dequantize_row_avx512,
    ])
    static let learnTables = unsafe runnable([
      ck_lut_learn_portable, ck_lut_learn_avx2, ck_lut_learn_avx512,
    ])
    static let quantizeToTables = unsafe runnable([
      ck_lut_quantize_portable, ck_lut_quantize_avx2, ck_lut_quantize_avx512,
    ])
    static let dequantizeFromTables = unsafe runnable([
      ck_lut_dequantize_portable, ck_lut_dequantize_avx2, ck_lut_dequantize_avx512,
    ])
  #elseif arch(arm64)
    static let quantize = unsafe [ck_quantize_portable, ck_quantize_neon]
    static let addErrors = unsafe [ck_add_errors_portable, ck_add_errors_neon]
    static let dequantizeRow = unsafe [ck_dequantize_row_portable, ck_dequantize_row_neon]
    static let learnTables = unsafe [ck_lut_learn_portable, ck_lut_learn_neon]
    static let quantizeToTables = unsafe [ck_lut_quantize_portable, ck_lut_quantize_neon]
    static let dequantizeFromTables = unsafe [
      ck_lut_dequantize_portable, ck_lut_dequantize_neon,
    ]
  #else
    static let quantize = unsafe [ck_quantize_portable]
    static let addErrors = unsafe [ck_add_errors_portable]
    static let dequantizeRow = unsafe [ck_dequantize_row_portable]
    static let learnTables = unsafe [ck_lut_learn_portable]
    static let quantizeToTables = unsafe [ck_lut_quantize_portable]
    static let dequantizeFromTables = unsafe [ck_lut_dequantize_portable]
  #endif

  private static func runnable<Kernel>(_ twins: [Kernel]) -> [Kernel] {
    zip(twins, [CK_ISA_PORTABLE, CK_ISA_AVX2, CK_ISA_AVX512]).filter { ck_has_isa($1) != 0 }
      .map(\.0)
  }
}
