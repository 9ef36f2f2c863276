/// The sums from which the error and the cosine of an output come, accumulated in Double.
public struct OutputComparison: Sendable, Equatable {
  /// Σ y².
  public private(set) var sumOfSquares = 0.0
  /// Σ ŷ².
  public private(set) var approximationSumOfSquares = 0.0
  /// Σ y ŷ.
  public private(set) var sumOfProducts = 0.0
  /// Σ (ŷ − y)².
  public private(set) var sumOfSquaredErrors = 0.0

  public init() {}

  /// Adds outputs of equal count, in order.
  public mutating func add(reference: some Sequence<Float>, approximation: some Sequence<Float>) {
    for (reference, approximation) in zip(reference, approximation) {
      let y = Double(reference)
      let ŷ = Double(approximation)
      sumOfSquares += y * y
      approximationSumOfSquares += ŷ * ŷ
      sumOfProducts += y * ŷ
      sumOfSquaredErrors += (ŷ - y) * (ŷ - y)
    }
  }

  /// ‖ŷ − y‖₂ / ‖y‖₂; 0 if both are zero, nil if it is not finite.
  public var relativeError: Double? {
    if sumOfSquaredErrors == 0 && sumOfSquares.isFinite { return 0 }
    return (sumOfSquaredErrors / sumOfSquares).squareRoot().finite
  }

  /// ⟨ŷ, y⟩ / (‖ŷ‖₂ ‖y‖₂); 1 if both are zero, nil if it is not finite.
  public var cosine: Double? {
    if sumOfSquares == 0 && approximationSumOfSquares == 0 { return 1 }
    return (sumOfProducts / (sumOfSquares * approximationSumOfSquares).squareRoot()).finite
  }
}

extension Double {
  /// The number itself, or nil if it is NaN or infinite.
  package var finite: Double? { isFinite ? self : nil }
}
