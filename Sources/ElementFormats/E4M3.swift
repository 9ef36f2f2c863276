/// A floating-point number of 1 sign bit, 4 exponent bits and 3 mantissa bits, without infinities;
/// also called E4M3FN. Source: OCP 8-bit Floating Point Specification 1.0.
///
/// - Normal: ±(1 + k/8)·2^e with 0 ≤ k ≤ 7 and −6 ≤ e ≤ 8; the largest is 448.
/// - Subnormal: ±k·2^−9 with 0 ≤ k ≤ 7; ±0 are distinct.
/// - NaN: 0x7F and 0xFF.
public struct E4M3: Sendable, Hashable {
  package static let grid = BinaryGrid(mantissaBits: 3, minimumExponent: -6)
  /// 448.
  public static let greatestFiniteMagnitude = E4M3(bitPattern: 0x7E)

  public let bitPattern: UInt8

  public init(bitPattern: UInt8) { self.bitPattern = bitPattern }

  /// Rounds to nearest, ties to even. Saturates: overflow and infinities become ±448, as the
  /// specification's saturating conversion has it. A NaN stays a NaN with its sign.
  public init(_ value: Float) {
    let sign: UInt8 = value.sign == .minus ? 0x80 : 0
    if value.isNaN {
      bitPattern = sign | 0x7F
    } else if value.isInfinite {
      bitPattern = sign | 0x7E
    } else {
      bitPattern = sign | UInt8(min(Self.grid.code(nearest: Double(value.magnitude)), 0x7E))
    }
  }

  /// Whether this is no number.
  public var isNaN: Bool { bitPattern & 0x7F == 0x7F }
}

extension Float {
  /// Exact.
  public init(_ value: E4M3) {
    let magnitude =
      value.isNaN
      ? Float.nan : Float(E4M3.grid.magnitude(ofCode: Int(value.bitPattern & 0x7F)))
    self = value.bitPattern & 0x80 == 0 ? magnitude : -magnitude
  }
}
