public import Tensors

/// What a normalization does with each row.
public enum Normalization: Sendable, Hashable {
  /// x / √(mean(x²) + ε) · weight
  case rootMeanSquare
  /// x / √(mean(x²) + ε) · (1 + weight)
  case zeroCentredRootMeanSquare
  /// (x − mean(x)) / √(mean((x − mean(x))²) + ε) · weight + bias
  case layer
}

extension Matrix {
  /// Each row normalized, sums accumulated in Double.
  ///
  /// - Parameter weight: one factor for each column.
  /// - Parameter bias: one addend for each column; nil for zeros.
  /// - Parameter epsilon: the ε of the formula, `rms_norm_eps` or `layer_norm_eps`.
  public func normalized(
    _ normalization: Normalization = .rootMeanSquare, weight: [Float], bias: [Float]? = nil,
    epsilon: Double
  ) -> Matrix {
    precondition(weight.count == columns && bias?.count ?? columns == columns)
    let offset: Float = normalization == .zeroCentredRootMeanSquare ? 1 : 0
    var normalized = self
    for row in 0..<rows {
      let first = row * columns
      var mean = 0.0
      if normalization == .layer {
        for column in 0..<columns { mean += Double(values[first + column]) }
        mean /= Double(columns)
      }
      var sum = 0.0
      for column in 0..<columns {
        let value = Double(values[first + column]) - mean
        sum += value * value
      }
      let factor = Float(1 / (sum / Double(columns) + epsilon).squareRoot())
      for column in 0..<columns {
        normalized.values[first + column] =
          (values[first + column] - Float(mean)) * factor * (offset + weight[column])
          + (bias?[column] ?? 0)
      }
    }
    return normalized
  }
}
