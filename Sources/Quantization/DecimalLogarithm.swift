extension Double {
  /// log₁₀ of a number that is not negative, computed with additions, multiplications and divisions
  /// alone, each rounded once: the same bits on every processor, which a C library does not
  /// promise. formats/container.md says how. Within 4 units in the last place for numbers that are
  /// not near 1.
  package var decimalLogarithm: Double {
    guard self > 0, isFinite else { return self == 0 ? -.infinity : self }
    var exponent = Double(self.exponent)
    var fraction = significand
    if fraction > 0x1.6A09E667F3BCDp0 {  // √2
      fraction /= 2
      exponent += 1
    }
    // ln f = 2 artanh((f − 1) / (f + 1)), as a series.
    let s = (fraction - 1) / (fraction + 1)
    let square = s * s
    var sum = 1.0 / 25
    for divisor in stride(from: 23.0, through: 1, by: -2) { sum = sum * square + 1 / divisor }
    // log₁₀ 2, and 2 log₁₀ e.
    return exponent * 0x1.34413509F79FFp-2 + s * sum * 0x1.BCB7B1526E50Ep-1
  }
}
