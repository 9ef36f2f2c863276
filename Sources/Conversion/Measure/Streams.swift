import ModelFamilies
import ReferenceModel
import SourceWeights
import Tensors
import Validation

/// The two hidden states that go through the layers: x += mlp(norm(x)), attention left out.
struct Streams: Sendable {
  /// The token ids that the streams start from.
  let tokens: [Int]
  /// Through the original weights, tokens × hidden size.
  private(set) var reference: Matrix
  /// Through the delivered weights, with their own error.
  private(set) var delivered: Matrix

  /// Starts both streams from the embeddings of token ids.
  init(tokens: [Int], description: ModelDescription, weights: WeightTable, pass: any MeasuringPass)
    throws
  {
    let embedding = try weights.required(description.embedding)
    (reference, delivered) = try pass.rows(tokens, of: embedding)
    self.tokens = tokens
    let factor = description.embeddingFactor
    guard factor != 1 else { return }
    let factors = [Float](repeating: factor, count: tokens.count)
    reference.scaleRows(by: factors)
    delivered.scaleRows(by: factors)
  }

  /// Streams as they were behind some layer.
  init(tokens: [Int], reference: Matrix, delivered: Matrix) {
    self.tokens = tokens
    self.reference = reference
    self.delivered = delivered
  }

  /// Joins a layer's output with the streams.
  mutating func add(_ output: LayerOutput, of layer: LayerDescription, input: LayerInput) {
    reference = layer.residual(
      stream: reference, input: input.reference, output: output.reference)
    delivered = layer.residual(
      stream: delivered, input: input.delivered, output: output.cumulative)
  }
}

/// The planned weights by name.
struct WeightTable: Sendable {
  private let weights: [String: PlannedWeight]

  init(units: [ConversionUnit]) {
    weights = Dictionary(
      units.flatMap(\.weights).map { ($0.source.name, $0) }, uniquingKeysWith: { first, _ in first }
    )
  }

  subscript(name: String) -> PlannedWeight? { weights[name] }

  /// The weight of that name, which a description named.
  func required(_ name: String) throws(ConversionError) -> PlannedWeight {
    guard let weight = weights[name] else {
      throw .cannotMeasure(reason: "the tensor \(name) is missing")
    }
    return weight
  }
}
