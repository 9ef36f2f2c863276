package import Checkpoints
import FixtureSupport
package import ModelFamilies
package import ReferenceModel
package import SourceWeights
package import SystemPackage
package import Tensors

/// A fixture's checkpoint with its description, and its layers as the reference computes them.
package struct FixtureModel {
  package let checkpoint: Checkpoint
  package let sources: SourceWeights
  package let description: ModelDescription

  /// A folder of fixtures/.
  package init(_ fixture: String) throws {
    try self.init(path: Fixtures.path(fixture))
  }

  package init(path: FilePath) throws {
    checkpoint = try Checkpoint(path: path)
    let family = try ModelFamily.recognize(config: checkpoint.config)
    sources = try SourceWeights(checkpoint: checkpoint)
    description = try family.describe(
      config: checkpoint.config!,
      weights: sources.weights.map {
        NamedShape(name: $0.name, shape: $0.shape, isQuantized: $0.isQuantized)
      })
  }

  package func vector(_ name: String) throws -> [Float] {
    try checkpoint.floats(of: checkpoint[name]!)
  }

  /// A weight, decoded exactly.
  package func matrix(_ name: String) throws -> Matrix {
    let source = sources[name]!
    var reader = WeightReader(weight: source, checkpoint: checkpoint)
    var matrix = Matrix(rows: source.rows, columns: source.columns)
    var values = matrix.values.mutableSpan
    try reader.readRows(0..<source.rows, into: &values)
    return matrix
  }

  /// A weight or a part of one, outputs × inputs.
  package func matrix(_ reference: WeightReference) throws -> Matrix {
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

  package func mlp(_ weights: MLPWeights) throws -> GatedMLPWeights {
    GatedMLPWeights(
      gate: try matrix(weights.gate), up: try matrix(weights.up), down: try matrix(weights.down),
      biases: try weights.biases.map {
        GatedMLPBiases(
          gate: try matrix($0.gate).values, up: try matrix($0.up).values,
          down: try matrix($0.down).values)
      })
  }

  package func mixture(_ layer: LayerDescription) throws -> MoELayer? {
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
