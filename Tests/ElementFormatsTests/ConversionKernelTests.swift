import CKernels
import ElementFormats
import Testing

/// The bulk conversions in C, portable and in vectors, against the scalar codecs, bit for bit.
@Suite struct ConversionKernelTests {
  static let lengths = [
    0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1023,
  ]

  struct Decoding: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bitsPerCode: Int
    let twins: [ConversionTwins.Decode]
    let value: @Sendable (Int) -> Float
  }

  static func quieted(_ value: Float) -> Float {
    value.isNaN ? Float(bitPattern: value.bitPattern | 0x0040_0000) : value
  }

  static var decodings: [Decoding] {
    [
      Decoding(
        testDescription: "BF16", bitsPerCode: 16,
        twins: ConversionTwins.bf16,
        value: { Float(BFloat16(bitPattern: UInt16($0))) }),
      Decoding(
        testDescription: "F16", bitsPerCode: 16,
        twins: ConversionTwins.f16,
        value: { quieted(Float(Float16(bitPattern: UInt16($0)))) }),
      Decoding(
        testDescription: "E4M3", bitsPerCode: 8,
        twins: ConversionTwins.e4m3,
        value: { Float(E4M3(bitPattern: UInt8($0))) }),
      Decoding(
        testDescription: "E5M2", bitsPerCode: 8,
        twins: ConversionTwins.e5m2,
        value: { code in
          let value = Float(E5M2(bitPattern: UInt8(code)))
          // The payload of a NaN stays.
          return value.isNaN
            ? Float(bitPattern: value.bitPattern | UInt32(code & 3) << 21) : value
        }),
      Decoding(
        testDescription: "E8M0", bitsPerCode: 8,
        twins: ConversionTwins.e8m0,
        value: { Float(E8M0(bitPattern: UInt8($0))) }),
      Decoding(
        testDescription: "E2M1", bitsPerCode: 4,
        twins: ConversionTwins.e2m1,
        value: { Float(E2M1(bitPattern: UInt8($0))) }),
      Decoding(
        testDescription: "I8", bitsPerCode: 8,
        twins: ConversionTwins.int8,
        value: { Float(Int8(bitPattern: UInt8($0))) }),
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
      for decode in decoding.twins {
        var values = [Float](repeating: -1, count: count)
        decode(bytes, &values)
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
      let expected = values.map { BFloat16($0).bitPattern }
        .flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
      for encode in ConversionTwins.toBF16 {
        var codes = [UInt8](repeating: 0xAA, count: 2 * count)
        encode(values, &codes)
        #expect(codes == expected)
      }
    }
  }

  @Test func encodeE4M3() throws {
    let sweep = try ElementFormatTests.floats("sweep.f32")
    for count in Self.lengths + [sweep.count] {
      let values = Array(sweep.suffix(count))
      let expected = values.map { E4M3($0).bitPattern }
      for encode in ConversionTwins.toE4M3 {
        var codes = [UInt8](repeating: 0xAA, count: count)
        encode(values, &codes)
        #expect(codes == expected)
      }
    }
  }
}
