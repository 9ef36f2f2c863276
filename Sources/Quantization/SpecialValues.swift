import CKernels
public import Tensors

/// How many elements stand for no ordinary number.
public struct SpecialValues: Sendable, Hashable {
  /// NaN and infinities.
  public private(set) var nonFiniteCount = 0
  /// Zeros, of either sign.
  public private(set) var zeroCount = 0

  public init() {}

  /// Counts in whole little-endian elements; bytes that make no whole element at the end are left
  /// out. Integers and formats with neither NaN nor infinities count nothing.
  public mutating func add(_ bytes: Span<UInt8>, dtype: DType) {
    switch dtype {
    // It has no zero.
    case .f8E8M0: nonFiniteCount += Self.count(bytes, equalTo: 0xFF)
    // The byte of −0 is the only NaN.
    case .f8E4M3FNUZ, .f8E5M2FNUZ:
      nonFiniteCount += Self.count(bytes, equalTo: 0x80)
      zeroCount += Self.count(bytes, equalTo: 0)
    case .f8E4M3: count(bytes, byteCount: 1, exponent: 0x7F, magnitude: 0x7F)
    case .f8E5M2: count(bytes, byteCount: 1, exponent: 0x7C, magnitude: 0x7F)
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
    _ bytes: Span<UInt8>, byteCount: Int, exponent: UInt64, magnitude: UInt64
  ) {
    let counts = unsafe bytes.withUnsafeBufferPointer {
      unsafe ck_count_specials(
        $0.baseAddress, $0.count / byteCount, byteCount, exponent, magnitude)
    }
    nonFiniteCount += Int(counts.nonfinite_count)
    zeroCount += Int(counts.zero_count)
  }

  private static func count(_ bytes: Span<UInt8>, equalTo byte: UInt8) -> Int {
    unsafe bytes.withUnsafeBufferPointer {
      unsafe Int(ck_count_bytes($0.baseAddress, $0.count, byte))
    }
  }
}
