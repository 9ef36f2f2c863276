import Checkpoints
import Conversion
import FixtureSupport
import ModelFamilies
import Quantization
import ReferenceModel
import Tensors
import Testing
import Validation

/// The figures of the layers against a computation with whole matrices, from the original weights
/// and from those that are in the file.
@Suite struct TruthTests {
  @Test(arguments: [
    ("trained", Scheme.int4G64), ("trained", .mxfp4), ("deepseek_v3_fp8", .nvfp4),
    ("qwen3_moe", .int4AsymmetricG32), ("mixtral", .int4G128), ("llama_r1_distill", .int8Channel),
    ("qwen2_moe", .int4G32), ("qwen3_next", .int4G32), ("minimax", .int4G32), ("phimoe", .int4G32),
    ("ernie4_5_moe", .int4G32), ("qwen3_5_moe", .int4G32), ("gpt_oss", .int4G32),
    ("granitemoe", .int4G32), ("llama4_text", .int4G32), ("dbrx", .int4G32),
  ])
  func figuresAreTrue(fixture: String, scheme: Scheme) throws {
    try withTemporaryFolder { folder in
      let converted = try Converted(fixture, in: folder, scheme: scheme) {
        // The router and the embedding are changed as well, so that both streams differ.
        $0.recipe = try Recipe(
          yaml:
            "rules: [{role: router, scheme: fp8-e4m3-channel}, {role: embedding, scheme: mxfp8}]",
          file: "r.yaml")
        if fixture == "trained" {
          $0.tokens = Fixtures.path("trained/tokens-test.safetensors")
        }
      }
      let original = WholeModel(
        converted, weights: converted.original, matrices: converted.original)
      let delivered = WholeModel(
        converted, weights: converted.delivered, matrices: converted.delivered)
      let ids = try tokens(converted)
      var x = try original.embedded(ids)
      var xDelivered = try delivered.embedded(ids)
      for layer in converted.source.description.layers where !layer.isMultiTokenPrediction {
        let entry = try #require(
          converted.report.layers.first { $0.layer == layer.index })
        let y = try original.output(layer, x)
        // Local: the reference stream, normalized by the reference, through the delivered layer.
        let local = try delivered.output(layer, normalized: original.normalized(layer, x))
        let cumulative = try delivered.output(layer, xDelivered)
        expect(entry.relativeError, relativeError(y.output, local.output), "layer \(layer.index)")
        expect(
          entry.cumulativeRelativeError, relativeError(y.output, cumulative.output),
          "cumulative, layer \(layer.index)")
        if let a = y.routing, let b = cumulative.routing {
          let common = (0..<ids.count).reduce(0) {
            $0 + Set(a.experts(of: $1)).intersection(b.experts(of: $1)).count
          }
          #expect(entry.routingAgreement == Double(common) / Double(a.experts.count))
          for expert in entry.experts {
            #expect(expert.tokens == a.tokens(of: expert.expert).count)
          }
        }
        x = layer.residual(stream: x, input: try original.normalized(layer, x), output: y.output)
        xDelivered = layer.residual(
          stream: xDelivered, input: try delivered.normalized(layer, xDelivered),
          output: cumulative.output)
      }
    }
  }

  private func expect(_ a: Double?, _ b: Double?, _ place: Comment) {
    guard let a, let b else {
      Issue.record("a figure is missing: \(place)")
      return
    }
    #expect(abs(a - b) <= 1e-4 * b, place)
    #expect(b > 1e-4, place)
  }

  private func relativeError(_ y: Matrix, _ ŷ: Matrix) -> Double? {
    var comparison = OutputComparison()
    comparison.add(reference: y.values, approximation: ŷ.values)
    return comparison.relativeError
  }

  /// The token ids that the conversion used.
  private func tokens(_ converted: Converted) throws -> [Int] {
    let count = converted.report.measurement.tokenCount
    if let path = converted.plan.options.tokens {
      let file = try Checkpoint(path: path)
      return Array(try file.integers(of: #require(file["input_ids"])).prefix(count))
    }
    var generator = SplitMix64(seed: 0)
    return (0..<count).map { _ in
      Int.random(in: 0..<converted.source.description.vocabularySize, using: &generator)
    }
  }
}

/// A model without attention, with all its weights in memory.
private struct WholeModel {
  let description: ModelDescription
  let weight: (String) throws -> Matrix
  let matrix: (WeightReference) throws -> Matrix

  init(
    _ converted: Converted, weights: @escaping (String) throws -> Matrix,
    matrices: @escaping (WeightReference) throws -> Matrix
  ) {
    matrix = matrices
    description = converted.source.description
    weight = weights
  }

  func embedded(_ ids: [Int]) throws -> Matrix {
    var rows = try weight(description.embedding).gatheredRows(at: ids)
    for index in rows.values.indices { rows.values[index] *= description.embeddingFactor }
    return rows
  }

  func normalized(_ layer: LayerDescription, _ x: Matrix) throws -> Matrix {
    x.normalized(
      layer.normalization, weight: try weight(layer.postAttentionNorm).values,
      bias: try layer.postAttentionNormBias.map { try weight($0).values },
      epsilon: description.normEpsilon)
  }

  func output(
    _ layer: LayerDescription, _ x: Matrix
  ) throws -> (output: Matrix, routing: Routing?) {
    try output(layer, normalized: normalized(layer, x))
  }

  func output(
    _ layer: LayerDescription, normalized x: Matrix
  ) throws -> (output: Matrix, routing: Routing?) {
    func mlp(_ names: MLPWeights) throws -> GatedMLPWeights {
      GatedMLPWeights(
        gate: try matrix(names.gate), up: try matrix(names.up), down: try matrix(names.down),
        biases: try names.biases.map {
          GatedMLPBiases(
            gate: try matrix($0.gate).values, up: try matrix($0.up).values,
            down: try matrix($0.down).values)
        })
    }
    switch layer.mlp {
    case .dense(let names):
      return (try mlp(names).forward(x, activation: layer.activation), nil)
    case .mixtureOfExperts(let moe):
      let result = MoELayer(
        routerWeight: try weight(moe.routerWeight),
        correctionBias: try moe.correctionBias.map { try weight($0).values },
        logitBias: try moe.logitBias.map { try weight($0).values }, rule: moe.router,
        experts: try moe.experts.map(mlp), sharedExpert: try moe.sharedExpert.map(mlp),
        sharedExpertGate: try moe.sharedExpertGate.map { try weight($0) },
        activation: layer.activation
      ).forward(x)
      return (result.output, result.routing)
    }
  }
}
