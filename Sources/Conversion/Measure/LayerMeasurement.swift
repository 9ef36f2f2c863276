import ModelFamilies
import Quantization
import ReferenceModel
import SourceWeights
import Synchronization
import Tensors
import Validation

/// Measures one layer: prepares what its MLPs receive, hands out a probe for each of them, and sums
/// what they return in the order of the units.
final class LayerMeasurement: Sendable {
  let layer: LayerDescription
  let input: LayerInput
  private let activation: GatedActivation
  /// What the projections of each routed expert add; empty if nothing.
  private let biases: [(original: GatedMLPBiases, delivered: GatedMLPBiases)]
  private let seed: UInt64
  private let sums: Mutex<(output: LayerOutput, experts: [Report.ExpertEntry])>

  /// The number of inputs of a layer that the stream from the tokens does not reach.
  private static let seededRowCount = 64

  /// - Parameter streams: nil for a layer that the streams do not pass (multi-token prediction); it
  ///   is measured on seeded inputs.
  init(
    layer: LayerDescription, streams: Streams?, normEpsilon: Double, hiddenSize: Int,
    vocabularySize: Int, seed: UInt64, weights: WeightTable, pass: any MeasuringPass
  ) throws {
    self.layer = layer
    self.seed = seed
    let norm = try pass.values(of: weights.required(layer.postAttentionNorm))
    let normBias = try layer.postAttentionNormBias.map {
      try pass.values(of: weights.required($0))
    }
    let reference =
      streams?.reference
      ?? Matrix.seededNormal(
        rows: Self.seededRowCount, columns: hiddenSize, rootMeanSquare: 1, seed: seed,
        stream: [UInt64(layer.index)])
    let x = reference.normalized(
      layer.normalization, weight: norm.original, bias: normBias?.original, epsilon: normEpsilon)
    // All figures would be 0/0, and nothing would be measured.
    guard x.rootMeanSquare > 0 else {
      throw ConversionError.cannotMeasure(
        reason: "what layer \(layer.index) receives is zero or not finite;"
          + " choose other tokens, or --no-gate")
    }
    let xDelivered =
      streams?.delivered.normalized(
        layer.normalization, weight: norm.delivered, bias: normBias?.delivered,
        epsilon: normEpsilon)
      ?? Matrix(rows: 0, columns: hiddenSize)

    activation = layer.activation
    switch layer.mlp {
    case .dense:
      input = LayerInput(
        reference: x, delivered: xDelivered, isSeeded: streams == nil, routings: nil)
    case .mixtureOfExperts(let moe):
      let router = try LayerRouter(moe: moe, hiddenSize: hiddenSize, weights: weights, pass: pass)
      // Where no token comes by, a table for tokens is asked for seeded ones.
      let tokens =
        streams?.tokens ?? TokenIDs.seeded(x.rows, below: vocabularySize, seed: seed)
      input = LayerInput(
        reference: x, delivered: xDelivered, isSeeded: streams == nil,
        routings: .init(
          reference: try router.route(x, as: \.original, tokens: tokens),
          local: try router.route(x, as: \.delivered, tokens: tokens),
          cumulative: try router.route(
            xDelivered, as: \.delivered, tokens: Array(tokens.prefix(xDelivered.rows)))),
        sharedExpertWeights: router.sharedExpertWeights(x, xDelivered))
    }
    biases = try ExpertBiases.all(of: layer, weights: weights, pass: pass)
    sums = Mutex((LayerOutput(input: input), []))
  }

  /// A probe for one of the layer's MLPs, or nil for a unit that is none.
  /// - Parameter threads: how many threads may compute a product together.
  func probe(of unit: ConversionUnit, threads: Int) -> MLPProbe? {
    let share: TokenShare
    switch unit.kind {
    case .tensors: return nil
    case .denseMLP: share = input.shareOfAllTokens
    case .sharedExpert: share = input.shareOfSharedExpert
    case .expert(let expert): share = input.share(ofExpert: expert)
    }
    var bias: (original: GatedMLPBiases, delivered: GatedMLPBiases)?
    if case .expert(let expert) = unit.kind, biases.indices.contains(expert) {
      bias = biases[expert]
    }
    let expert: UInt64 = if case .expert(let expert) = unit.kind { UInt64(expert) + 1 } else { 0 }
    return MLPProbe(
      input: input, share: share, intermediateSize: unit.weights[0].shape.rows,
      activation: activation, biases: bias, seed: seed,
      stream: [UInt64(layer.index), expert], threads: threads)
  }

  /// Takes what an MLP returned. Call it in the order of the units.
  func add(_ result: MLPProbe.Result, of unit: ConversionUnit) {
    sums.withLock { sums in
      sums.output.add(result)
      if case .expert(let expert) = unit.kind {
        sums.experts.append(
          .init(
            expert: expert, tokens: result.tokenCount, seeded: result.isSeeded,
            relativeError: result.comparison.relativeError))
      }
    }
  }

  /// The layer's figures and output, when all its MLPs have been added.
  func finish() -> (entry: Report.LayerEntry, output: LayerOutput) {
    sums.withLock { sums in
      (
        sums.output.entry(layer: layer.index, input: input, experts: sums.experts), sums.output
      )
    }
  }
}
