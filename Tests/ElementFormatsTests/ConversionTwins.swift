import CKernels

/// The forms of each conversion that this processor can run, the portable one first.
enum ConversionTwins {
  typealias Decode = @Sendable (_ codes: [UInt8], _ values: inout [Float]) -> Void
  typealias Encode = @Sendable (_ values: [Float], _ codes: inout [UInt8]) -> Void

  #if arch(x86_64)
    static let bf16 = unsafe decoders([
      ck_decode_bf16_portable, ck_decode_bf16_avx2, ck_decode_bf16_avx512,
    ])
    static let f16 = unsafe decoders([
      ck_decode_f16_portable, ck_decode_f16_avx2, ck_decode_f16_avx512,
    ])
    static let e4m3 = unsafe decoders([
      ck_decode_e4m3_portable, ck_decode_e4m3_avx2, ck_decode_e4m3_avx512,
    ])
    static let e5m2 = unsafe decoders([
      ck_decode_e5m2_portable, ck_decode_e5m2_avx2, ck_decode_e5m2_avx512,
    ])
    static let e8m0 = unsafe decoders([
      ck_decode_e8m0_portable, ck_decode_e8m0_avx2, ck_decode_e8m0_avx512,
    ])
    static let e2m1 = unsafe decoders([
      ck_decode_e2m1_portable, ck_decode_e2m1_avx2, ck_decode_e2m1_avx512,
    ])
    static let int8 = unsafe decoders([
      ck_decode_int8_portable, ck_decode_int8_avx2, ck_decode_int8_avx512,
    ])
    static let toBF16 = unsafe encoders([ck_encode_bf16_portable, ck_encode_bf16_avx2])
    static let toE4M3 = unsafe encoders([ck_encode_e4m3_portable, ck_encode_e4m3_avx2])
    private static let sets = [CK_ISA_PORTABLE, CK_ISA_AVX2, CK_ISA_AVX512]
  #elseif arch(arm64)
    static let bf16 = unsafe decoders([ck_decode_bf16_portable, ck_decode_bf16_neon])
    static let f16 = unsafe decoders([ck_decode_f16_portable, ck_decode_f16_neon])
    static let e4m3 = unsafe decoders([ck_decode_e4m3_portable, ck_decode_e4m3_neon])
    static let e5m2 = unsafe decoders([ck_decode_e5m2_portable, ck_decode_e5m2_neon])
    static let e8m0 = unsafe decoders([ck_decode_e8m0_portable, ck_decode_e8m0_neon])
    static let e2m1 = unsafe decoders([ck_decode_e2m1_portable, ck_decode_e2m1_neon])
    static let int8 = unsafe decoders([ck_decode_int8_portable, ck_decode_int8_neon])
    static let toBF16 = unsafe encoders([ck_encode_bf16_portable, ck_encode_bf16_neon])
    static let toE4M3 = unsafe encoders([ck_encode_e4m3_portable, ck_encode_e4m3_neon])
    private static let sets = [CK_ISA_PORTABLE, CK_ISA_NEON]
  #endif

  private typealias CDecode =
    @Sendable @convention(c) (
      UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<Float>?
    ) -> Void
  private typealias CEncode =
    @Sendable @convention(c) (
      UnsafePointer<Float>?, Int, UnsafeMutablePointer<UInt8>?
    ) -> Void

  private static func decoders(_ twins: [CDecode]) -> [Decode] {
    unsafe zip(twins, sets).filter { ck_has_isa($1) != 0 }.map { decode, _ in
      { codes, values in unsafe decode(codes, values.count, &values) }
    }
  }

  /// As many codes as there are values; `codes` has their size.
  private static func encoders(_ twins: [CEncode]) -> [Encode] {
    unsafe zip(twins, sets).filter { ck_has_isa($1) != 0 }.map { encode, _ in
      { values, codes in unsafe encode(values, values.count, &codes) }
    }
  }
}
