import Quantization
import Tensors
import Testing

/// The counts of NaN, infinities and zeros against the decoded values.
@Suite struct SpecialValuesTests {
  /// Every code of every small float.
  @Test(arguments: [DType.f8E4M3, .f8E5M2, .f8E8M0, .f16, .bf16])
  func everyCode(dtype: DType) {
    let byteCount = dtype.bitsPerElement / 8
    let count = 1 << dtype.bitsPerElement
    let bytes = (0..<count).flatMap { code in
      (0..<byteCount).map { UInt8(truncatingIfNeeded: code >> (8 * $0)) }
    }
    var values = [Float](repeating: 0, count: count)
    var span = values.mutableSpan
    ElementConversion.decode(bytes.span, as: dtype, into: &span)
    var found = SpecialValues()
    found.add(bytes.span, dtype: dtype)
    #expect(found.nonFiniteCount == values.count { !$0.isFinite })
    #expect(found.zeroCount == values.count { $0 == 0 })
    #expect(found.nonFiniteCount > 0)
  }

  /// One NaN among 256 codes, and no negative zero.
  @Test(arguments: [DType.f8E4M3FNUZ, .f8E5M2FNUZ])
  func finiteFormats(dtype: DType) {
    let bytes = (0...255).map { UInt8($0) }
    var found = SpecialValues()
    found.add(bytes.span, dtype: dtype)
    #expect(found.nonFiniteCount == 1 && found.zeroCount == 1)
  }

  /// Numbers beyond Float32 are finite as Float64 and not zero.
  @Test func wideFloats() {
    let doubles = [1e300, -1e-300, .infinity, -.infinity, .nan, 0, -0.0, 1, .leastNonzeroMagnitude]
    let floats = doubles.map(Float.init)
    func bytes<Bits: FixedWidthInteger>(_ bits: [Bits]) -> [UInt8] {
      bits.flatMap { bits in
        (0..<Bits.bitWidth / 8).map { UInt8(truncatingIfNeeded: bits >> Bits(8 * $0)) }
      }
    }
    var found = SpecialValues()
    found.add(bytes(doubles.map(\.bitPattern)).span, dtype: .f64)
    #expect(found.nonFiniteCount == 3 && found.zeroCount == 2)
    for dtype in [DType.f32, .c64] {
      var found = SpecialValues()
      found.add(bytes(floats.map(\.bitPattern)).span, dtype: dtype)
      #expect(found.nonFiniteCount == floats.count { !$0.isFinite })
      #expect(found.zeroCount == floats.count { $0 == 0 })
    }
  }

  /// More than the sums of the narrow elements hold, in parts, with a rest that is no element.
  @Test(arguments: [0, 1, 254, 255, 256, 510, 511, 70_001])
  func many(count: Int) {
    for (dtype, special) in [
      (DType.f8E4M3, [0x7F] as [UInt8]), (.f8E8M0, [0xFF]), (.bf16, [0xC0, 0x7F]),
      (.f32, [0, 0, 0x80, 0xFF]), (.f64, [0, 0, 0, 0, 0, 0, 0xF8, 0x7F]),
    ] {
      let bytes = [[UInt8]](repeating: special, count: count).flatMap { $0 }
      var found = SpecialValues()
      found.add(bytes.span, dtype: dtype)
      found.add((bytes + special.dropLast()).span, dtype: dtype)
      #expect(found.nonFiniteCount == 2 * count && found.zeroCount == 0, "\(dtype)")
    }
    var found = SpecialValues()
    found.add([UInt8](repeating: 0, count: 2 * count).span, dtype: .bf16)
    #expect(found.zeroCount == count && found.nonFiniteCount == 0)
  }

  @Test func integersHaveNone() {
    var found = SpecialValues()
    found.add([UInt8](repeating: 0, count: 64).span, dtype: .i32)
    found.add([UInt8](repeating: 0xFF, count: 64).span, dtype: .u8)
    #expect(found == SpecialValues())
  }
}
