import FixtureChecks
import FixtureSupport
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
      "kimi_k2_thinking_int4", "qwen3_moe_nvfp4", "qwen3_moe_gptq_int4",
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
    let expected = MixtureBlock(
      layer: block.layer, file: Fixtures.path("\(block.fixture)/\(block.file)"),
      prefix: block.prefix, indices: block.indices)
    #expect(try expected.mismatches(of: FixtureModel(block.fixture)) == [])
  }

  static let forwardFixtures = [
    "deepseek_v3", "deepseek_v3_fp8", "qwen3_moe", "mixtral", "llama_r1_distill",
    "qwen2_r1_distill", "deepseek_v2", "qwen2_moe", "qwen3_next", "glm4_moe", "ernie4_5_moe",
    "hunyuan_v1_moe", "jamba", "seed_oss", "phimoe",
  ]

  /// The norm before the MLP, and dense MLPs: the stream after attention in, the MLP's output out.
  @Test(arguments: forwardFixtures)
  func mlpOfEveryLayerReproducesTheForwardPass(fixture: String) throws {
    let expected = try ForwardPass(
      file: Fixtures.path("\(fixture)/expected_forward.safetensors"))
    #expect(try expected.mismatches(of: FixtureModel(fixture)) == [])
  }
}
