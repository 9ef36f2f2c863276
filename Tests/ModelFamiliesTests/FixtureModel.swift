import Checkpoints
import FixtureSupport
import ModelFamilies
import ReferenceModel
import SourceWeights
import Tensors

/// A fixture's checkpoint with its description, and its layers as the reference computes them.
struct FixtureModel {
  let checkpoint: Checkpoint
  let sources: SourceWeights
  let description: ModelDescription

  init(_ fixture: String) throws {
    checkpoint = try Checkpoint(path: Fixtures.path(fixture))
    sources = try SourceWeights(checkpoint: checkpoint)
    let family = try ModelFamily.recognize(config: checkpoint.config)
    description = try family.describe(
      config: checkpoint.config!,
      weights: sources.weights.map { NamedShape(name: $0.name, shape: $0.shape) })
  }

  func vector(_ name: String) throws -> [Float] {
    try checkpoint.floats(of: checkpoint[name]!)
  }

  /// A weight, decoded exactly.
  func matrix(_ name: String) throws -> Matrix {
    let source = sources[name]!
    var reader = WeightReader(weight: source, checkpoint: checkpoint)
    var matrix = Matrix(rows: source.rows, columns: source.columns)
    var values = matrix.values.mutableSpan
    try reader.readRows(0..<source.rows, into: &values)
    return matrix
  }

  /// A weight or a part of one, outputs × inputs.
  func matrix(_ reference: WeightReference) throws -> Matrix {
    let whole = try matrix(reference.name)
    guard let part = reference.part else { return whole }
    let shape = part.shape(columns: whole.columns)
    var matrix = Matrix(rows: shape.rows, columns: shape.columns)
    for row in 0..<matrix.rows {
      let output = part.firstOutput + row * part.outputStride
      for column in 0..<matrix.columns {
        let stored = part.isTransposed ? (column, output) : (output, column)
        matrix.values[row * matrix.columns + column] =
          whole.values[(part.storedRows.lowerBound + stored.0) * whole.columns + stored.1]
      }
    }
    return matrix
  }

  func mlp(_ weights: MLPWeights) throws -> GatedMLPWeights {
    GatedMLPWeights(
      gate: try matrix(weights.gate), up: try matrix(weights.up), down: try matrix(weights.down),
      biases: try weights.biases.map {
        GatedMLPBiases(
          gate: try matrix($0.gate).values, up: try matrix($0.up).values,
          down: try matrix($0.down).values)
      })
  }

  func mixture(_ layer: LayerDescription) throws -> MoELayer? {
    guard let mixture = layer.mixtureOfExperts else { return nil }
    return MoELayer(
      routerWeight: try matrix(mixture.routerWeight),
      correctionBias: try mixture.correctionBias.map(vector),
      logitBias: try mixture.logitBias.map(vector),
      rule: mixture.router,
      experts: try mixture.experts.map(mlp),
      sharedExpert: try mixture.sharedExpert.map(mlp),
      sharedExpertGate: try mixture.sharedExpertGate.map { try matrix($0) },
      activation: layer.activation)
  }
}

/// What a file of expected values holds.
struct ExpectedValues {
  private let file: Checkpoint

  init(_ path: String) throws {
    file = try Checkpoint(path: Fixtures.path(path))
  }

  func matrix(_ name: String) throws -> Matrix {
    let record = file[name]!
    return Matrix(
      rows: record.shape.rows, columns: record.shape.columns, values: try file.floats(of: record))
  }

  func integers(_ name: String) throws -> [Int] {
    try file.integers(of: file[name]!)
  }
}

/// ‖a − b‖ / ‖b‖ over all elements.
func relativeError(_ matrix: Matrix, _ reference: Matrix) -> Double {
  guard matrix.rows == reference.rows, matrix.columns == reference.columns else { return .infinity }
  var difference = 0.0
  var norm = 0.0
  for (value, expected) in zip(matrix.values, reference.values) {
    difference += (Double(value) - Double(expected)) * (Double(value) - Double(expected))
    norm += Double(expected) * Double(expected)
  }
  return (difference / norm).squareRoot()
}
