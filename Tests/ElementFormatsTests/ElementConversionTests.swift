import ElementFormats
import Tensors
import Testing

/// Arrays of elements through the API.
@Suite struct ElementConversionTests {
  static func decode(_ bytes: [UInt8], as dtype: DType, count: Int) -> [Float] {
    var values = [Float](repeating: -1, count: count)
    var span = values.mutableSpan
    ElementConversion.decode(bytes.span, as: dtype, into: &span)
    return values
  }

  static func littleEndian(_ bits: UInt64, byteCount: Int) -> [UInt8] {
    (0..<byteCount).map { UInt8(bits >> (8 * UInt64($0)) & 255) }
  }

  @Test func decodeEachDType() {
    #expect(Self.decode([0x21, 0x0F], as: .f4, count: 3) == [0.5, 1, -6])
    #expect(Self.decode([0x3C, 0x7B, 0xFC], as: .f8E5M2, count: 3) == [1, 57344, -.infinity])
    #expect(Self.decode([0x38, 0x7E, 0x81], as: .f8E4M3, count: 3) == [1, 448, -0x1p-9])
    #expect(Self.decode([127, 0, 254], as: .f8E8M0, count: 3) == [1, 0x1p-127, 0x1p127])
    #expect(Self.decode([0x00, 0x3C, 0x01, 0x80], as: .f16, count: 2) == [1, -0x1p-24])
    #expect(Self.decode([0x80, 0x3F, 0x01, 0x80], as: .bf16, count: 2) == [1, -0x1p-133])
    #expect(Self.decode([0x00, 0x00, 0xC0, 0xBF], as: .f32, count: 1) == [-1.5])
    #expect(Self.decode([0x80, 0x7F, 0xFF], as: .i8, count: 3) == [-128, 127, -1])
    for dtype in DType.allCases where ElementConversion.canDecode(dtype) {
      #expect(Self.decode([], as: dtype, count: 0).isEmpty)
    }
    #expect(!ElementConversion.canDecode(.i32))
  }

  static let f64Cases: [(value: Double, expected: Float)] = [
    (0x1.000001p0, 1), (0x1.000003p0, 0x1.000004p0), (0x1.0000010001p0, 0x1.000002p0),
    (1e39, .infinity), (0x1p-150, 0), (-0x1.8p-149, -0x1p-148), (0.1, 0.1),
  ]

  /// F64 rounds to nearest, ties to even, and overflows to infinity.
  @Test(arguments: f64Cases)
  func decodeF64(value: Double, expected: Float) {
    let bytes = Self.littleEndian(value.bitPattern, byteCount: 8)
    #expect(Self.decode(bytes, as: .f64, count: 1) == [expected])
  }

  @Test func encode() {
    let values: [Float] = [1, -1.5, 1000, 0x1p-9, 1 + 0x1p-8]
    var bf16 = [UInt8](repeating: 0xAA, count: 10)
    var bf16Span = bf16.mutableSpan
    ElementConversion.encodeBF16(values.span, into: &bf16Span)
    #expect(bf16 == [0x80, 0x3F, 0xC0, 0xBF, 0x7A, 0x44, 0x00, 0x3B, 0x80, 0x3F])
    var e4m3 = [UInt8](repeating: 0xAA, count: 5)
    var e4m3Span = e4m3.mutableSpan
    ElementConversion.encodeE4M3(values.span, into: &e4m3Span)
    #expect(e4m3 == [0x38, 0xBC, 0x7E, 0x01, 0x38])
    var f32 = [UInt8](repeating: 0xAA, count: 20)
    var f32Span = f32.mutableSpan
    ElementConversion.encodeF32(values.span, into: &f32Span)
    #expect(f32 == values.flatMap { Self.littleEndian(UInt64($0.bitPattern), byteCount: 4) })
  }
}
