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
  private let input: LayerInput
  private let activation: GatedActivation
  private let seed: UInt64
  private let sums: Mutex<(output: LayerOutput, experts: [Report.ExpertEntry])>

  /// The number of inputs of a layer that the stream from the tokens does not reach.
  private static let seededRowCount = 64

  /// - Parameter streams: nil for a layer that the streams do not pass (multi-token prediction); it
  ///   is measured on seeded inputs.
  init(
    layer: LayerDescription, streams: Streams?, normEpsilon: Double, hiddenSize: Int, seed: UInt64,
    weights: WeightTable, pass: any MeasuringPass
  ) throws {
    self.layer = layer
    self.seed = seed
    let norm = try pass.values(of: weights.required(layer.postAttentionNorm))
    let reference =
      streams?.reference
      ?? Matrix.seededNormal(
        rows: Self.seededRowCount, columns: hiddenSize, rootMeanSquare: 1, seed: seed,
        stream: [UInt64(layer.index)])
    let x = reference.rmsNormalized(weight: norm.original, epsilon: normEpsilon)
    let xDelivered =
      streams?.delivered.rmsNormalized(weight: norm.delivered, epsilon: normEpsilon)
      ?? Matrix(rows: 0, columns: hiddenSize)

    activation = layer.activation
    switch layer.mlp {
    case .dense:
      input = LayerInput(
        reference: x, delivered: xDelivered, isSeeded: streams == nil, routings: nil)
    case .mixtureOfExperts(let moe):
      let router = try Router(moe: moe, hiddenSize: hiddenSize, weights: weights, pass: pass)
      input = LayerInput(
        reference: x, delivered: xDelivered, isSeeded: streams == nil,
        routings: .init(
          reference: router.original(x), local: router.delivered(x),
          cumulative: router.delivered(xDelivered)))
    }
    sums = Mutex((LayerOutput(input: input), []))
  }

  /// A layer's router, as the source has it and as the output has it.
  private struct Router {
    let rule: RouterRule
    let weight: (original: Matrix, delivered: Matrix)
    let bias: (original: [Float]?, delivered: [Float]?)

    init(
      moe: MoEDescription, hiddenSize: Int, weights: WeightTable, pass: any MeasuringPass
    ) throws {
      rule = moe.router
      let values = try pass.values(of: weights.required(moe.routerWeight))
      func matrix(_ values: [Float]) -> Matrix {
        Matrix(rows: values.count / hiddenSize, columns: hiddenSize, values: values)
      }
      weight = (matrix(values.original), matrix(values.delivered))
      if let name = moe.correctionBias {
        let values = try pass.values(of: weights.required(name))
        bias = (values.original, values.delivered)
      } else {
        bias = (nil, nil)
      }
    }

    func original(_ x: Matrix) -> Routing {
      route(
        logits: x.multiplied(byTransposed: weight.original), rule: rule,
        correctionBias: bias.original)
    }

    func delivered(_ x: Matrix) -> Routing {
      route(
        logits: x.multiplied(byTransposed: weight.delivered), rule: rule,
        correctionBias: bias.delivered)
    }
  }

  /// A probe for one of the layer's MLPs, or nil for a unit that is none.
  func probe(of unit: ConversionUnit) -> MLPProbe? {
    let share: TokenShare
    switch unit.kind {
    case .tensors: return nil
    case .denseMLP, .sharedExpert: share = input.shareOfAllTokens
    case .expert(let expert): share = input.share(ofExpert: expert)
    }
    let expert: UInt64 = if case .expert(let expert) = unit.kind { UInt64(expert) + 1 } else { 0 }
    return MLPProbe(
      input: input, share: share, intermediateSize: unit.weights[0].source.shape.rows,
      activation: activation, seed: seed, stream: [UInt64(layer.index), expert])
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
