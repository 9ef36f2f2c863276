/// A power of two: 2^(bitPattern − 127), from 2^−127 to 2^127; 0xFF is NaN. There is no zero and no
/// sign. Source: OCP Microscaling Formats (MX) Specification 1.0.
public struct E8M0: Sendable, Hashable {
  public let bitPattern: UInt8

  public init(bitPattern: UInt8) { self.bitPattern = bitPattern }

  /// Rounds to the nearest power of two, ties to the greater. Values below 2^−127 become 2^−127;
  /// what rounds to 2^128 or is infinite, not positive or NaN becomes NaN.
  public init(_ value: Float) {
    guard value > 0, value.isFinite else {
      bitPattern = 0xFF
      return
    }
    let exponent = Int(value.exponent) + (value.significand >= 1.5 ? 1 : 0)
    bitPattern = exponent > 127 ? 0xFF : UInt8(max(exponent, -127) + 127)
  }

  /// Whether this is no number.
  public var isNaN: Bool { bitPattern == 0xFF }
}

extension Float {
  /// Exact; 2^−127 is a subnormal Float32.
  public init(_ value: E8M0) {
    self =
      value.isNaN
      ? .nan : Float(sign: .plus, exponent: Int(value.bitPattern) - 127, significand: 1)
  }
}
