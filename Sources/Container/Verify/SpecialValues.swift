import Tensors

/// How many elements stand for no ordinary number.
struct SpecialValues: Sendable, Hashable {
  /// NaN and infinities.
  var nonFiniteCount = 0
  /// Zeros, of either sign.
  var zeroCount = 0

  /// Counts in whole little-endian elements. Dtypes without NaN and infinities count zeros only
  /// where asked for scales, which are floats.
  mutating func add(_ bytes: Span<UInt8>, dtype: DType) {
    switch dtype {
    case .f8E8M0: count(bytes, byteCount: 1, exponent: 0xFF, magnitude: 0xFF, hasZero: false)
    case .f8E4M3: count(bytes, byteCount: 1, exponent: 0x7F, magnitude: 0x7F)
    case .f8E5M2: count(bytes, byteCount: 1, exponent: 0x7C, magnitude: 0x7F)
    case .f8E4M3FNUZ, .f8E5M2FNUZ:
      // The byte of −0 is the only NaN.
      for index in bytes.indices {
        nonFiniteCount &+= bytes[index] == 0x80 ? 1 : 0
        zeroCount &+= bytes[index] == 0 ? 1 : 0
      }
    case .f16: count(bytes, byteCount: 2, exponent: 0x7C00, magnitude: 0x7FFF)
    case .bf16: count(bytes, byteCount: 2, exponent: 0x7F80, magnitude: 0x7FFF)
    case .f32, .c64: count(bytes, byteCount: 4, exponent: 0x7F80_0000, magnitude: 0x7FFF_FFFF)
    case .f64:
      count(
        bytes, byteCount: 8, exponent: 0x7FF0_0000_0000_0000, magnitude: 0x7FFF_FFFF_FFFF_FFFF)
    case .bool, .f4, .f6E2M3, .f6E3M2, .u8, .i8, .i16, .u16, .i32, .u32, .i64, .u64: break
    }
  }

  /// - Parameters:
  ///   - exponent: An element with all these bits is NaN or infinite.
  ///   - magnitude: An element with none of these bits is zero.
  private mutating func count(
    _ bytes: Span<UInt8>, byteCount: Int, exponent: UInt64, magnitude: UInt64, hasZero: Bool = true
  ) {
    var start = 0
    while start + byteCount <= bytes.count {
      var value: UInt64 = 0
      for place in 0..<byteCount { value |= UInt64(bytes[start + place]) << UInt64(8 * place) }
      nonFiniteCount &+= value & exponent == exponent ? 1 : 0
      zeroCount &+= hasZero && value & magnitude == 0 ? 1 : 0
      start += byteCount
    }
  }
}
