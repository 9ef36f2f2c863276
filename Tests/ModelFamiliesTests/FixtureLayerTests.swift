import FixtureSupport
import ModelFamilies
import ReferenceModel
import Tensors
import Testing

/// The reference against what transformers computed from the same weights.
@Suite struct FixtureLayerTests {
  /// A file of expected values, for the mixture of one layer.
  struct Block: Sendable, CustomTestStringConvertible {
    let fixture: String
    let layer: Int
    let file: String
    var prefix = ""
    var indices = "topk_indices_i64"

    var testDescription: String { "\(fixture)/\(file) layer \(layer)" }
  }

  static let blocks =
    [
      Block(fixture: "deepseek_v3", layer: 1, file: "expected.safetensors"),
      Block(fixture: "deepseek_v3_mtp", layer: 1, file: "expected.safetensors"),
      Block(fixture: "deepseek_v3_mtp", layer: 2, file: "expected_mtp.safetensors"),
      Block(fixture: "deepseek_v3_fp8", layer: 1, file: "expected.safetensors"),
      Block(fixture: "qwen3_moe", layer: 1, file: "expected.safetensors"),
      Block(fixture: "mixtral", layer: 1, file: "expected.safetensors"),
    ]
    + FixtureShapes.mixtures.map {
      Block(fixture: $0, layer: 1, file: "expected.safetensors")
    }
    // Quantized as released, each in another layout.
    + [
      "kimi_k2_thinking_int4", "qwen3_moe_nvfp4", "qwen3_moe_gptq_int4", "qwen3_moe_fp8_bf16scale",
      "glm4_moe_fp8_channel",
    ].map {
      Block(fixture: $0, layer: 1, file: "expected.safetensors")
    }
    + (1...3).map {
      Block(
        fixture: "trained", layer: $0, file: "activations.safetensors", prefix: "layers.\($0).",
        indices: "topk_indices")
    }

  @Test(arguments: blocks)
  func mixtureReproducesTheExpectedValues(_ block: Block) throws {
    let model = try FixtureModel(block.fixture)
    let layer = try #require(try model.mixture(model.description.layers[block.layer]))
    let expected = try ExpectedValues("\(block.fixture)/\(block.file)")
    let input = try expected.matrix(block.prefix + "hidden_in")
    let result = layer.forward(input)

    #expect(
      relativeError(result.logits, try expected.matrix(block.prefix + "router_logits")) < 1e-5)
    #expect(
      relativeError(result.output, try expected.matrix(block.prefix + "hidden_out")) < 1e-5)

    // The order within a token is not specified: compare each expert's weight.
    let experts = try expected.integers(block.prefix + block.indices)
    let weights = try expected.matrix(block.prefix + "topk_weights")
    #expect(weights.rows == input.rows)
    #expect(result.routing.expertsPerToken == weights.columns)
    for token in 0..<input.rows {
      let chosen = Dictionary(
        uniqueKeysWithValues: zip(
          result.routing.experts(of: token), result.routing.weights(of: token)))
      let slots = token * weights.columns..<(token + 1) * weights.columns
      #expect(Set(chosen.keys) == Set(experts[slots]), "token \(token)")
      for slot in slots {
        let weight = try #require(chosen[experts[slot]])
        #expect(abs(weight - weights.values[slot]) <= 1e-5 * abs(weights.values[slot]))
      }
    }
  }

  static let forwardFixtures = [
    "deepseek_v3", "deepseek_v3_fp8", "qwen3_moe", "mixtral", "llama_r1_distill",
    "qwen2_r1_distill", "deepseek_v2", "qwen2_moe", "qwen3_next", "glm4_moe", "ernie4_5_moe",
    "hunyuan_v1_moe", "jamba", "seed_oss", "phimoe",
  ]

  /// The norm before the MLP, and dense MLPs: the stream after attention in, the MLP's output out.
  @Test(arguments: forwardFixtures)
  func mlpOfEveryLayerReproducesTheForwardPass(fixture: String) throws {
    let model = try FixtureModel(fixture)
    let expected = try ExpectedValues("\(fixture)/expected_forward.safetensors")
    var stream = try model.matrix(model.description.embedding)
      .gatheredRows(at: try expected.integers("input_ids"))
    for layer in model.description.layers {
      stream.add(try expected.matrix("layers.\(layer.index).attn_out"))
      let input = stream.normalized(
        layer.normalization, weight: try model.vector(layer.postAttentionNorm),
        bias: try layer.postAttentionNormBias.map(model.vector),
        epsilon: model.description.normEpsilon)
      let output =
        switch layer.mlp {
        case .dense(let weights):
          try model.mlp(weights).forward(input, activation: layer.activation)
        case .mixtureOfExperts: try #require(try model.mixture(layer)).forward(input).output
        }
      #expect(
        relativeError(output, try expected.matrix("layers.\(layer.index).mlp_out")) < 1e-5)
      stream = try expected.matrix("layers.\(layer.index).out")
    }
  }
}
