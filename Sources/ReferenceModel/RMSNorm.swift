public import Tensors

extension Matrix {
  /// Each row x becomes x / √(mean(x²) + ε) · weight, the mean accumulated in Double.
  ///
  /// - Parameter weight: one factor for each column.
  /// - Parameter epsilon: `rms_norm_eps`.
  public func rmsNormalized(weight: [Float], epsilon: Double) -> Matrix {
    precondition(weight.count == columns)
    var normalized = self
    for row in 0..<rows {
      let first = row * columns
      var sum = 0.0
      for column in 0..<columns {
        let value = Double(values[first + column])
        sum += value * value
      }
      let factor = Float(1 / (sum / Double(columns) + epsilon).squareRoot())
      for column in 0..<columns {
        normalized.values[first + column] = values[first + column] * factor * weight[column]
      }
    }
    return normalized
  }
}
