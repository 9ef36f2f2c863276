/// A floating-point number of 1 sign bit, 5 exponent bits and 2 mantissa bits; the upper half of a
/// Float16. Source: OCP 8-bit Floating Point Specification 1.0.
///
/// - Normal: ±(1 + k/4)·2^e with 0 ≤ k ≤ 3 and −14 ≤ e ≤ 15; the largest is 57344.
/// - Subnormal: ±k·2^−16 with 0 ≤ k ≤ 3; ±0 are distinct.
/// - Infinite: 0x7C and 0xFC. NaN: the codes beyond them.
public struct E5M2: Sendable, Hashable {
  package static let grid = BinaryGrid(mantissaBits: 2, minimumExponent: -14)
  /// 57344.
  public static let greatestFiniteMagnitude = E5M2(bitPattern: 0x7B)

  public let bitPattern: UInt8

  public init(bitPattern: UInt8) { self.bitPattern = bitPattern }

  /// Rounds to nearest, ties to even, as IEEE 754 has it: magnitudes from 61440 on become infinite.
  /// A NaN becomes 0x7E with its sign.
  public init(_ value: Float) {
    let sign: UInt8 = value.sign == .minus ? 0x80 : 0
    if value.isNaN {
      bitPattern = sign | 0x7E
    } else if value.isInfinite {
      bitPattern = sign | 0x7C
    } else {
      bitPattern = sign | UInt8(min(Self.grid.code(nearest: Double(value.magnitude)), 0x7C))
    }
  }

  /// Whether this is no number.
  public var isNaN: Bool { bitPattern & 0x7F > 0x7C }
  /// Whether this is an infinity.
  public var isInfinite: Bool { bitPattern & 0x7F == 0x7C }
}

extension Float {
  /// Exact.
  public init(_ value: E5M2) {
    let magnitude: Float =
      value.isNaN
      ? .nan
      : value.isInfinite
        ? .infinity : Float(E5M2.grid.magnitude(ofCode: Int(value.bitPattern & 0x7F)))
    self = value.bitPattern & 0x80 == 0 ? magnitude : -magnitude
  }
}
