import CKernels
import ElementFormats
import Testing

/// The bulk conversions in C, portable and AVX2, against the scalar codecs, bit for bit.
@Suite struct ConversionKernelTests {
  static let lengths = [
    0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1023,
  ]

  struct Decoding: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bitsPerCode: Int
    let portable: Kernel
    let vector: Kernel
    let value: @Sendable (Int) -> Float
    typealias Kernel = @Sendable (_ codes: [UInt8], _ values: inout [Float]) -> Void
  }

  static func quieted(_ value: Float) -> Float {
    value.isNaN ? Float(bitPattern: value.bitPattern | 0x0040_0000) : value
  }

  static var decodings: [Decoding] {
    [
      Decoding(
        testDescription: "BF16", bitsPerCode: 16,
        portable: { unsafe ck_decode_bf16_portable($0, $1.count, &$1) },
        vector: { unsafe ck_decode_bf16_avx2($0, $1.count, &$1) },
        value: { Float(BFloat16(bitPattern: UInt16($0))) }),
      Decoding(
        testDescription: "F16", bitsPerCode: 16,
        portable: { unsafe ck_decode_f16_portable($0, $1.count, &$1) },
        vector: { unsafe ck_decode_f16_avx2($0, $1.count, &$1) },
        value: { quieted(Float(Float16(bitPattern: UInt16($0)))) }),
      Decoding(
        testDescription: "E4M3", bitsPerCode: 8,
        portable: { unsafe ck_decode_e4m3_portable($0, $1.count, &$1) },
        vector: { unsafe ck_decode_e4m3_avx2($0, $1.count, &$1) },
        value: { Float(E4M3(bitPattern: UInt8($0))) }),
      Decoding(
        testDescription: "E5M2", bitsPerCode: 8,
        portable: { unsafe ck_decode_e5m2_portable($0, $1.count, &$1) },
        vector: { unsafe ck_decode_e5m2_avx2($0, $1.count, &$1) },
        value: { code in
          let value = Float(E5M2(bitPattern: UInt8(code)))
          // The payload of a NaN stays.
          return value.isNaN
            ? Float(bitPattern: value.bitPattern | UInt32(code & 3) << 21) : value
        }),
      Decoding(
        testDescription: "E8M0", bitsPerCode: 8,
        portable: { unsafe ck_decode_e8m0_portable($0, $1.count, &$1) },
        vector: { unsafe ck_decode_e8m0_avx2($0, $1.count, &$1) },
        value: { Float(E8M0(bitPattern: UInt8($0))) }),
      Decoding(
        testDescription: "E2M1", bitsPerCode: 4,
        portable: { unsafe ck_decode_e2m1_portable($0, $1.count, &$1) },
        vector: { unsafe ck_decode_e2m1_avx2($0, $1.count, &$1) },
        value: { Float(E2M1(bitPattern: UInt8($0))) }),
      Decoding(
        testDescription: "I8", bitsPerCode: 8,
        portable: { unsafe ck_decode_int8_portable($0, $1.count, &$1) },
        vector: { unsafe ck_decode_int8_avx2($0, $1.count, &$1) },
        value: { Float(Int8(bitPattern: UInt8($0))) }),
    ] + decodingsOfAVX512
  }

  static var decodingsOfAVX512: [Decoding] {
    guard ck_has_isa(CK_ISA_AVX512) != 0 else { return [] }
    return [
      Decoding(
        testDescription: "BF16, AVX-512", bitsPerCode: 16,
        portable: { unsafe ck_decode_bf16_portable($0, $1.count, &$1) },
        vector: { unsafe ck_decode_bf16_avx512($0, $1.count, &$1) },
        value: { Float(BFloat16(bitPattern: UInt16($0))) }),
      Decoding(
        testDescription: "E4M3, AVX-512", bitsPerCode: 8,
        portable: { unsafe ck_decode_e4m3_portable($0, $1.count, &$1) },
        vector: { unsafe ck_decode_e4m3_avx512($0, $1.count, &$1) },
        value: { Float(E4M3(bitPattern: UInt8($0))) }),
    ]
  }

  /// `count` codes from `start` on, counted up, as bytes.
  static func bytes(from start: Int, count: Int, bitsPerCode: Int) -> [UInt8] {
    let codes = start..<start + count
    switch bitsPerCode {
    case 16: return codes.flatMap { [UInt8($0 & 255), UInt8($0 >> 8 & 255)] }
    case 8: return codes.map { UInt8($0 & 255) }
    default:
      var bytes = [UInt8](repeating: 0, count: (count + 1) / 2)
      for (i, code) in codes.enumerated() { bytes[i / 2] |= UInt8(code & 15) << (i % 2 * 4) }
      return bytes
    }
  }

  @Test(arguments: decodings)
  func decode(_ decoding: Decoding) {
    let codeCount = 1 << decoding.bitsPerCode
    var cases = lengthsAndStarts.filter { $0.start < codeCount }
    cases.append((codeCount, 0))
    for (count, start) in cases {
      let bytes = Self.bytes(from: start, count: count, bitsPerCode: decoding.bitsPerCode)
      for kernel in [decoding.portable, decoding.vector] {
        var values = [Float](repeating: -1, count: count)
        kernel(bytes, &values)
        for (i, value) in values.enumerated() {
          let expected = decoding.value((start + i) % codeCount)
          if value.bitPattern != expected.bitPattern {
            Issue.record("code \(start + i): \(value) instead of \(expected)")
          }
        }
      }
    }
  }

  private var lengthsAndStarts: [(count: Int, start: Int)] {
    Self.lengths.map { ($0, $0 * 3 % 16) }
  }

  @Test func encodeBFloat16() throws {
    let sweep = try ElementFormatTests.floats("sweep.f32")
    for count in Self.lengths + [sweep.count] {
      let values = Array(sweep.suffix(count))
      var portable = [UInt8](repeating: 0xAA, count: 2 * count)
      var vector = portable
      unsafe ck_encode_bf16_portable(values, count, &portable)
      unsafe ck_encode_bf16_avx2(values, count, &vector)
      let expected = values.map { BFloat16($0).bitPattern }
        .flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
      #expect(portable == expected)
      #expect(vector == expected)
    }
  }

  @Test func encodeE4M3() throws {
    let sweep = try ElementFormatTests.floats("sweep.f32")
    for count in Self.lengths + [sweep.count] {
      let values = Array(sweep.suffix(count))
      var portable = [UInt8](repeating: 0xAA, count: count)
      var vector = portable
      unsafe ck_encode_e4m3_portable(values, count, &portable)
      unsafe ck_encode_e4m3_avx2(values, count, &vector)
      let expected = values.map { E4M3($0).bitPattern }
      #expect(portable == expected)
      #expect(vector == expected)
    }
  }
}
