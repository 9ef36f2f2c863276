/// What a quantizer has to know of a whole tensor before its first tile.
public enum TensorSummary: Sendable {
  case nothing
  /// The largest finite magnitude.
  case maximum(Float)
  /// Weights to learn tables from.
  case sample(TensorSample)

  /// Which of these a format needs.
  public enum Kind: Sendable {
    case nothing, maximum, sample
  }

  /// The summary of a tensor that is held as a whole.
  /// - Precondition: there are `rows × columns` values.
  public init(of values: Span<Float>, rows: Int, columns: Int, kind: Kind) {
    precondition(values.count == rows * columns)
    switch kind {
    case .nothing: self = .nothing
    case .maximum:
      var maximum: Float = 0
      for index in values.indices where values[index].isFinite {
        maximum = max(maximum, values[index].magnitude)
      }
      self = .maximum(maximum)
    case .sample:
      var sample = TensorSample(rows: rows, columns: columns)
      for row in sample.rows { sample.add(values.extracting(row * columns..<(row + 1) * columns)) }
      self = .sample(sample)
    }
  }
}

extension QuantizationFormat {
  /// What a quantizer to this format has to know of the whole tensor.
  public var neededSummary: TensorSummary.Kind {
    if tableCount > 0 { return .sample }
    return blockRows == nil || hasGlobalScale ? .maximum : .nothing
  }
}
