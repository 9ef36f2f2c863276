import Bytes
import ModelFamilies
import Tensors
import Testing

/// A fixture with one thing changed, and the error that must name it.
struct HostileCase: Sendable, CustomTestStringConvertible {
  let fixture: String
  let testDescription: String
  let edit: @Sendable (inout FixtureShapes) -> Void
  let error: ModelFamiliesError

  init(
    _ fixture: String, _ description: String, _ error: ModelFamiliesError,
    _ edit: @escaping @Sendable (inout FixtureShapes) -> Void
  ) {
    self.fixture = fixture
    self.testDescription = "\(fixture): \(description)"
    self.error = error
    self.edit = edit
  }
}

@Suite struct HostileConfigTests {
  static let cases: [HostileCase] = [
    HostileCase(
      "deepseek_v3", "fewer experts than tensors",
      .misplacedTensor(
        name: "model.layers.1.mlp.experts.6.down_proj.weight",
        place: "is of an expert that the config does not have: it has 6",
        keys: ["n_routed_experts"])
    ) { $0.config["n_routed_experts"] = .integer(6) },
    HostileCase(
      "deepseek_v3", "more experts than tensors",
      .shapeMismatch(
        tensor: "model.layers.1.mlp.gate.e_score_correction_bias", shape: Shape([8])!,
        expected: [16], keys: ["n_routed_experts"])
    ) { $0.config["n_routed_experts"] = .integer(16) },
    HostileCase(
      "deepseek_v3", "another hidden size",
      .shapeMismatch(
        tensor: "lm_head.weight", shape: Shape([128, 128])!, expected: [128, 256],
        keys: ["hidden_size"])
    ) { $0.config["hidden_size"] = .integer(256) },
    HostileCase(
      "deepseek_v3", "another expert width",
      .shapeMismatch(
        tensor: "model.layers.1.mlp.experts.0.down_proj.weight", shape: Shape([128, 64])!,
        expected: [128, 32], keys: ["moe_intermediate_size"])
    ) { $0.config["moe_intermediate_size"] = .integer(32) },
    HostileCase(
      "deepseek_v3", "two shared experts",
      .shapeMismatch(
        tensor: "model.layers.1.mlp.shared_experts.down_proj.weight", shape: Shape([128, 64])!,
        expected: [128, 128], keys: ["n_shared_experts"])
    ) { $0.config["n_shared_experts"] = .integer(2) },
    HostileCase(
      "deepseek_v3", "no shared experts",
      .misplacedTensor(
        name: "model.layers.1.mlp.shared_experts.down_proj.weight",
        place: "is of a kind that the config says the model does not have",
        keys: ["n_shared_experts"])
    ) { $0.config["n_shared_experts"] = .null },
    HostileCase(
      "deepseek_v3", "one more layer, which is absent",
      .missingTensor(name: "model.layers.2.input_layernorm.weight", family: "DeepSeek-V3")
    ) { $0.config["num_hidden_layers"] = .integer(3) },
    HostileCase(
      "deepseek_v3", "a million layers",
      .invalidSetting(
        key: "num_hidden_layers", value: "1000000", expected: "a whole number from 1 to 100000")
    ) { $0.config["num_hidden_layers"] = .integer(1_000_000) },
    HostileCase(
      "deepseek_v3", "as many layers as are allowed",
      .missingTensor(name: "model.layers.2.input_layernorm.weight", family: "DeepSeek-V3")
    ) { $0.config["num_hidden_layers"] = .integer(100_000) },
    HostileCase(
      "mixtral", "fewer layers than tensors",
      .misplacedTensor(
        name: "model.layers.1.block_sparse_moe.experts.0.w1.weight",
        place: "is in a layer that the config does not have: it has 1",
        keys: ["num_hidden_layers"])
    ) { $0.config["num_hidden_layers"] = .integer(1) },
    HostileCase(
      "deepseek_v3", "an expert in a dense layer",
      .misplacedTensor(
        name: "model.layers.1.mlp.experts.0.down_proj.weight",
        place: "belongs to a mixture of experts, but its layer is dense",
        keys: ["first_k_dense_replace", "moe_layer_freq"])
    ) { $0.config["first_k_dense_replace"] = .integer(2) },
    HostileCase(
      "qwen3_moe", "a dense MLP in a layer with experts",
      .misplacedTensor(
        name: "model.layers.0.mlp.down_proj.weight",
        place: "belongs to a dense MLP, but its layer has experts",
        keys: ["mlp_only_layers", "decoder_sparse_step"])
    ) { $0.config["mlp_only_layers"] = .array([]) },
    HostileCase(
      "deepseek_v3", "a prediction tensor in an ordinary layer",
      .misplacedTensor(
        name: "model.layers.1.enorm.weight",
        place: "is for multi-token prediction, but its layer is an ordinary one",
        keys: ["num_hidden_layers"])
    ) { $0.add("model.layers.1.enorm.weight", [128]) },
    HostileCase(
      "deepseek_v3_mtp", "a prediction layer without its projection",
      .missingTensor(name: "model.layers.2.eh_proj.weight", family: "DeepSeek-V3")
    ) { $0.remove("model.layers.2.eh_proj.weight") },
    HostileCase(
      "deepseek_v3_mtp", "a prediction layer that is not declared",
      .misplacedTensor(
        name: "model.layers.2.eh_proj.weight",
        place: "is in a layer that the config does not have: it has 2",
        keys: ["num_hidden_layers", "num_nextn_predict_layers"])
    ) { $0.config["num_nextn_predict_layers"] = .integer(0) },
    HostileCase(
      "deepseek_v3", "a tensor nobody knows",
      .unknownTensor(name: "model.layers.1.mlp.surprise.weight", family: "DeepSeek-V3")
    ) { $0.add("model.layers.1.mlp.surprise.weight", [1]) },
    HostileCase(
      "llama_r1_distill", "experts in a dense family",
      .unknownTensor(name: "model.layers.1.mlp.gate.weight", family: "Llama")
    ) { $0.add("model.layers.1.mlp.gate.weight", [8, 128]) },
    HostileCase(
      "deepseek_v3", "no router",
      .missingTensor(name: "model.layers.1.mlp.gate.weight", family: "DeepSeek-V3")
    ) { $0.remove("model.layers.1.mlp.gate.weight") },
    HostileCase(
      "deepseek_v3", "no correction bias",
      .missingTensor(
        name: "model.layers.1.mlp.gate.e_score_correction_bias", family: "DeepSeek-V3")
    ) { $0.remove("model.layers.1.mlp.gate.e_score_correction_bias") },
    HostileCase(
      "deepseek_v3", "an expert without its down projection",
      .missingTensor(name: "model.layers.1.mlp.experts.3.down_proj.weight", family: "DeepSeek-V3")
    ) { $0.remove("model.layers.1.mlp.experts.3.down_proj.weight") },
    HostileCase(
      "qwen2_r1_distill", "no head, though embeddings are not tied",
      .missingTensor(name: "lm_head.weight", family: "Qwen2")
    ) { $0.remove("lm_head.weight") },
    HostileCase(
      "llama_r1_distill", "attention without its output projection",
      .missingTensor(name: "model.layers.1.self_attn.o_proj.weight", family: "Llama")
    ) { $0.remove("model.layers.1.self_attn.o_proj.weight") },
    HostileCase(
      "deepseek_v3", "no low-rank query projection, though a rank is given",
      .missingTensor(name: "model.layers.0.self_attn.q_b_proj.weight", family: "DeepSeek-V3")
    ) { $0.remove("model.layers.0.self_attn.q_b_proj.weight") },
    HostileCase(
      "deepseek_v3", "a transposed router",
      .shapeMismatch(
        tensor: "model.layers.1.mlp.gate.weight", shape: Shape([128, 8])!, expected: [8, 128],
        keys: ["n_routed_experts", "hidden_size"])
    ) { $0.reshape("model.layers.1.mlp.gate.weight", [128, 8]) },
    HostileCase(
      "deepseek_v3", "a norm of two dimensions",
      .shapeMismatch(
        tensor: "model.layers.1.post_attention_layernorm.weight", shape: Shape([1, 128])!,
        expected: [128], keys: ["hidden_size"])
    ) { $0.reshape("model.layers.1.post_attention_layernorm.weight", [1, 128]) },
    HostileCase(
      "deepseek_v3", "no hidden size", .missingSetting(key: "hidden_size")
    ) { $0.config["hidden_size"] = nil },
    HostileCase(
      "deepseek_v3", "a hidden size in quotes",
      .invalidSetting(
        key: "hidden_size", value: "\"128\"", expected: "a whole number from 1 to 16777216")
    ) { $0.config["hidden_size"] = .string("128") },
    HostileCase(
      "deepseek_v3", "a hidden size beyond every memory",
      .invalidSetting(
        key: "hidden_size", value: "\(Int.max)", expected: "a whole number from 1 to 16777216")
    ) { $0.config["hidden_size"] = .integer(.max) },
    HostileCase(
      "deepseek_v3", "a shared expert beyond every memory",
      .invalidSetting(
        key: "n_shared_experts", value: "16777216", expected: "a smaller number")
    ) { $0.config["n_shared_experts"] = .integer(1 << 24) },
    HostileCase(
      "deepseek_v3", "more experts to a token than there are",
      .invalidSetting(
        key: "num_experts_per_tok", value: "9", expected: "a whole number from 1 to 8")
    ) { $0.config["num_experts_per_tok"] = .integer(9) },
    HostileCase(
      "deepseek_v3", "groups that do not divide the experts",
      .invalidSetting(
        key: "n_group", value: "3",
        expected: "groups that divide 8 experts evenly, of two or more each, "
          + "1 of which (topk_group) hold 3")
    ) { $0.config["n_group"] = .integer(3) },
    HostileCase(
      "deepseek_v3", "more kept groups than groups",
      .invalidSetting(key: "topk_group", value: "3", expected: "a whole number from 1 to 2")
    ) { $0.config["topk_group"] = .integer(3) },
    HostileCase(
      "deepseek_v3", "a scaling factor of zero",
      .invalidSetting(
        key: "routed_scaling_factor", value: "0.0", expected: "a number from 1e-06 to 1000000.0")
    ) { $0.config["routed_scaling_factor"] = .number(0) },
    HostileCase(
      "deepseek_v3", "a negative epsilon",
      .invalidSetting(key: "rms_norm_eps", value: "-1.0", expected: "a number from 0.0 to 1.0")
    ) { $0.config["rms_norm_eps"] = .number(-1) },
    HostileCase(
      "deepseek_v3", "normalization that is no boolean",
      .invalidSetting(key: "norm_topk_prob", value: "1", expected: "true or false")
    ) { $0.config["norm_topk_prob"] = .integer(1) },
    HostileCase(
      "deepseek_v3", "another scoring",
      .invalidSetting(key: "scoring_func", value: "\"softmax\"", expected: "\"sigmoid\"")
    ) { $0.config["scoring_func"] = .string("softmax") },
    HostileCase(
      "mixtral", "another activation",
      .invalidSetting(key: "hidden_act", value: "\"gelu\"", expected: "\"silu\"")
    ) { $0.config["hidden_act"] = .string("gelu") },
    HostileCase(
      "qwen3_moe", "dense layers that do not exist",
      .invalidSetting(
        key: "mlp_only_layers", value: "a list",
        expected: "a list of whole numbers from 0 to 1")
    ) { $0.config["mlp_only_layers"] = .array([.integer(0), .integer(2)]) },
    HostileCase(
      "qwen3_moe", "a step of zero",
      .invalidSetting(
        key: "decoder_sparse_step", value: "0", expected: "a whole number from 1 to 16777216")
    ) { $0.config["decoder_sparse_step"] = .integer(0) },
  ]

  @Test(arguments: cases)
  func isRefusedByName(_ hostile: HostileCase) throws {
    var shapes = try FixtureShapes(hostile.fixture)
    hostile.edit(&shapes)
    let error = try #require(throws: ModelFamiliesError.self) { try shapes.describe() }
    #expect(error == hostile.error)
    #expect(error.kind == .invalidInput)
    #expect(!error.description.contains("\n"))
  }

  /// What looks odd and is fine.
  @Test func harmlessOddities() throws {
    var shapes = try FixtureShapes("qwen2_r1_distill")
    shapes.config["tie_word_embeddings"] = .bool(true)
    _ = try shapes.describe()
    shapes.remove("lm_head.weight")
    shapes.add("model.layers.0.self_attn.rotary_emb.inv_freq", [16])
    _ = try shapes.describe()
  }
}
