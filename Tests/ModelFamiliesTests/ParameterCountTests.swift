import Bytes
import FixtureChecks
import ModelFamilies
import Tensors
import Testing

@Suite struct ParameterCountTests {
  /// Counted from `meta.json` by the names alone.
  @Test(arguments: FixtureShapes.names)
  func agreeWithTheFixture(fixture: String) throws {
    let shapes = try FixtureShapes(fixture)
    func first(_ keys: String...) -> Int {
      let value = keys.lazy.compactMap {
        shapes.config[$0] ?? shapes.config["ffn_config"]?[$0]
      }.first
      return value?.int ?? value?[0]?.int ?? 1
    }
    let perToken = first("num_experts_per_tok", "moe_topk", "moe_k", "moe_top_k")
    let experts = first(
      "n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts")
    var total = 0
    var routed = 0
    var prediction = 0
    for weight in shapes.weights {
      let count = weight.shape.dimensions.reduce(1, *)
      if fixture == "deepseek_v3_mtp", weight.name.hasPrefix("model.layers.2.") {
        prediction += count
        continue
      }
      total += count
      if weight.name.contains(".experts.") || weight.name.contains("put_linear"),
        !weight.name.hasSuffix("_bias")
      {
        routed += count
      }
    }
    let counts = try shapes.describe().parameters
    #expect(counts.total == total)
    #expect(counts.activePerToken == total - routed + routed * perToken / experts)
    #expect(counts.multiTokenPrediction == prediction)
  }

  @Test func theTrainedModelHasThoseOfItsReadme() throws {
    let counts = try FixtureModel("trained").description.parameters
    #expect(counts.total == 2_822_936)
    #expect(counts.multiTokenPrediction == 0)
  }

  /// The model card and README_WEIGHTS.md of deepseek-ai/DeepSeek-V3: 671B parameters, 37B
  /// activated, and a prediction layer of 11.5B beside its copies of embedding and head of 0.9B
  /// each.
  @Test func deepSeekV3AsReleased() throws {
    let family = try ModelFamily.recognize(config: DeepSeekV3Release.config)
    let weights = DeepSeekV3Release.weights()
    let description = try family.describe(config: DeepSeekV3Release.config, weights: weights)
    #expect(description.layers.count == 62)
    #expect(description.layers.count { $0.mixtureOfExperts != nil } == 59)
    #expect(description.notes == [])
    #expect(weights.count == 46_183)
    let billion = 1e9
    let counts = description.parameters
    #expect(abs(Double(counts.total) / billion - 671) < 0.5)
    #expect(abs(Double(counts.activePerToken) / billion - 37) < 1)
    #expect(abs(Double(counts.multiTokenPrediction) / billion - (11.5 + 2 * 0.9)) < 0.5)
  }
}

/// Names and shapes of DeepSeek-V3 as released, written out from its modelling code.
enum DeepSeekV3Release {
  static let config = JSONValue.object([
    "model_type": .string("deepseek_v3"), "hidden_size": .integer(7168),
    "vocab_size": .integer(129_280), "intermediate_size": .integer(18_432),
    "moe_intermediate_size": .integer(2048), "n_routed_experts": .integer(256),
    "n_shared_experts": .integer(1), "num_experts_per_tok": .integer(8), "n_group": .integer(8),
    "topk_group": .integer(4), "routed_scaling_factor": .number(2.5),
    "norm_topk_prob": .bool(true), "first_k_dense_replace": .integer(3),
    "moe_layer_freq": .integer(1), "num_hidden_layers": .integer(61),
    "num_nextn_predict_layers": .integer(1), "q_lora_rank": .integer(1536),
    "rms_norm_eps": .number(1e-6), "tie_word_embeddings": .bool(false),
    "hidden_act": .string("silu"), "scoring_func": .string("sigmoid"),
    "topk_method": .string("noaux_tc"),
  ])

  /// Every weight, without scales: 46,183 of them.
  static func weights() -> [NamedShape] {
    var weights: [NamedShape] = []
    func add(_ name: String, _ dimensions: Int...) {
      weights.append(NamedShape(name: name, shape: Shape(dimensions)!))
    }
    func addMLP(_ prefix: String, width: Int) {
      add(prefix + "gate_proj.weight", width, 7168)
      add(prefix + "up_proj.weight", width, 7168)
      add(prefix + "down_proj.weight", 7168, width)
    }
    add("model.embed_tokens.weight", 129_280, 7168)
    add("model.norm.weight", 7168)
    add("lm_head.weight", 129_280, 7168)
    for layer in 0...61 {
      let prefix = "model.layers.\(layer)."
      add(prefix + "input_layernorm.weight", 7168)
      add(prefix + "post_attention_layernorm.weight", 7168)
      let attention = prefix + "self_attn."
      add(attention + "q_a_proj.weight", 1536, 7168)
      add(attention + "q_a_layernorm.weight", 1536)
      add(attention + "q_b_proj.weight", 24_576, 1536)
      add(attention + "kv_a_proj_with_mqa.weight", 576, 7168)
      add(attention + "kv_a_layernorm.weight", 512)
      add(attention + "kv_b_proj.weight", 32_768, 512)
      add(attention + "o_proj.weight", 7168, 16_384)
      if layer < 3 {
        addMLP(prefix + "mlp.", width: 18_432)
        continue
      }
      add(prefix + "mlp.gate.weight", 256, 7168)
      add(prefix + "mlp.gate.e_score_correction_bias", 256)
      addMLP(prefix + "mlp.shared_experts.", width: 2048)
      for expert in 0..<256 { addMLP(prefix + "mlp.experts.\(expert).", width: 2048) }
    }
    add("model.layers.61.embed_tokens.weight", 129_280, 7168)
    add("model.layers.61.shared_head.head.weight", 129_280, 7168)
    add("model.layers.61.shared_head.norm.weight", 7168)
    add("model.layers.61.enorm.weight", 7168)
    add("model.layers.61.hnorm.weight", 7168)
    add("model.layers.61.eh_proj.weight", 7168, 14_336)
    return weights
  }
}
