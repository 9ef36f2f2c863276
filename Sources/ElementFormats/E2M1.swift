/// A floating-point number of 1 sign bit, 2 exponent bits and 1 mantissa bit: ±0, ±0.5, ±1, ±1.5,
/// ±2, ±3, ±4 and ±6, and nothing else. Source: OCP Microscaling Formats (MX) Specification 1.0.
public struct E2M1: Sendable, Hashable {
  package static let grid = BinaryGrid(mantissaBits: 1, minimumExponent: 0)
  /// 6.
  public static let greatestFiniteMagnitude = E2M1(bitPattern: 0x7)

  /// 0…15.
  public let bitPattern: UInt8

  /// Takes the low four bits.
  public init(bitPattern: UInt8) { self.bitPattern = bitPattern & 15 }

  /// Rounds to nearest, ties to even. Saturates: overflow and infinities become ±6. The format has
  /// no NaN; one becomes +0.
  public init(_ value: Float) {
    let sign: UInt8 = value.sign == .minus ? 8 : 0
    if value.isNaN {
      bitPattern = 0
    } else if value.isInfinite {
      bitPattern = sign | 7
    } else {
      bitPattern = sign | UInt8(min(Self.grid.code(nearest: Double(value.magnitude)), 7))
    }
  }
}

extension Float {
  /// Exact.
  public init(_ value: E2M1) {
    let magnitude = Float(E2M1.grid.magnitude(ofCode: Int(value.bitPattern & 7)))
    self = value.bitPattern & 8 == 0 ? magnitude : -magnitude
  }
}
