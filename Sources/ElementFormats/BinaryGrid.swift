/// The magnitudes of a small floating-point format, counted from zero: with `m` mantissa bits and
/// the smallest normal number 2^e, code `c` is `(c mod 2^m) · 2^(e−m)` if `c < 2^m`, else
/// `(2^m + c mod 2^m) · 2^(c div 2^m − 1 + e − m)`.
package struct BinaryGrid: Sendable {
  package let mantissaBits: Int
  package let minimumExponent: Int

  package init(mantissaBits: Int, minimumExponent: Int) {
    self.mantissaBits = mantissaBits
    self.minimumExponent = minimumExponent
  }

  /// The magnitude of a code. Exact for all formats of this module.
  package func magnitude(ofCode code: Int) -> Double {
    let fraction = code & (1 << mantissaBits - 1)
    let exponentField = code >> mantissaBits
    let significand = exponentField == 0 ? fraction : 1 << mantissaBits + fraction
    let exponent = max(exponentField - 1, 0) + minimumExponent - mantissaBits
    return Double(sign: .plus, exponent: exponent, significand: 1) * Double(significand)
  }

  /// The code of the nearest magnitude, ties to an even code, on a grid without end.
  /// - Precondition: `magnitude` is finite and not negative.
  package func code(nearest magnitude: Double) -> Int {
    if magnitude == 0 { return 0 }
    let exponent = max(Int(magnitude.exponent), minimumExponent)
    let step = Double(sign: .plus, exponent: exponent - mantissaBits, significand: 1)
    let steps = (magnitude / step).rounded(.toNearestOrEven)
    return (exponent - minimumExponent) << mantissaBits + Int(steps)
  }
}
