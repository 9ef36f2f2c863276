/// The upper half of a Float32: 1 sign bit, 8 exponent bits and 7 mantissa bits.
///
/// - Normal: ±(1 + k/128)·2^e with 0 ≤ k ≤ 127 and −126 ≤ e ≤ 127.
/// - Subnormal: ±k·2^−133 with 0 ≤ k ≤ 127; ±0 are distinct.
/// - Infinite: 0x7F80 and 0xFF80. NaN: the codes beyond them.
public struct BFloat16: Sendable, Hashable {
  public let bitPattern: UInt16

  public init(bitPattern: UInt16) { self.bitPattern = bitPattern }

  /// Rounds to nearest, ties to even, as IEEE 754 has it: overflow becomes infinite. A NaN stays a
  /// NaN, quiet, with its sign and the upper bits of its payload.
  public init(_ value: Float) {
    let bits = value.bitPattern
    let upper = UInt16(truncatingIfNeeded: bits >> 16)
    if value.isNaN {
      bitPattern = upper | 0x0040
      return
    }
    let lower = bits & 0xFFFF
    let roundsUp = lower > 0x8000 || lower == 0x8000 && upper % 2 == 1
    bitPattern = roundsUp ? upper + 1 : upper
  }
}

extension Float {
  /// Exact.
  public init(_ value: BFloat16) {
    self.init(bitPattern: UInt32(value.bitPattern) << 16)
  }
}
