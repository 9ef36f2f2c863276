public import Tensors

/// A matrix of a checkpoint: a weight, or a part of one.
public struct WeightReference: Sendable, Hashable, ExpressibleByStringLiteral {
  /// The weight's name.
  public let name: String
  /// Nil for the whole weight.
  public let part: WeightPart?

  public init(name: String, part: WeightPart? = nil) {
    self.name = name
    self.part = part
  }

  public init(stringLiteral name: String) {
    self.init(name: name)
  }
}

/// One of the matrices that a tensor holds.
public struct TensorPart: Sendable, Hashable {
  /// What the matrix does.
  public let assignment: TensorAssignment
  public let part: WeightPart
  /// Tells apart those that share tensor and expert.
  public let index: Int
}

/// The weights of a gated MLP.
public struct MLPWeights: Sendable, Hashable {
  /// intermediate size × hidden size
  public let gate: WeightReference
  /// intermediate size × hidden size
  public let up: WeightReference
  /// hidden size × intermediate size
  public let down: WeightReference
  public let intermediateSize: Int
  /// What the projections add; nil if nothing.
  public let biases: MLPBiases?

  public init(
    gate: WeightReference, up: WeightReference, down: WeightReference, intermediateSize: Int,
    biases: MLPBiases? = nil
  ) {
    self.gate = gate
    self.up = up
    self.down = down
    self.intermediateSize = intermediateSize
    self.biases = biases
  }
}

/// Where a gated MLP's biases are: parts of one column.
public struct MLPBiases: Sendable, Hashable {
  /// intermediate size × 1
  public let gate: WeightReference
  /// intermediate size × 1
  public let up: WeightReference
  /// hidden size × 1
  public let down: WeightReference
}
