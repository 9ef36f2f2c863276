import Bytes
import ModelFamilies
import Tensors
import Testing

@Suite struct RoleTests {
  @Test(arguments: FixtureShapes.names)
  func everyTensorHasARole(fixture: String) throws {
    let shapes = try FixtureShapes(fixture)
    let description = try shapes.describe()
    let family = try ModelFamily.recognize(config: .object(shapes.config))
    #expect(!shapes.weights.isEmpty)
    for weight in shapes.weights {
      let assignment = try #require(description.assignment(of: weight.name), "\(weight.name)")
      #expect(assignment == family.assignment(of: weight.name))
      // MLP weights are the matrices; what is one-dimensional never is one.
      if assignment.role.isMLPWeight { #expect(weight.shape.rank >= 2) }
    }
    #expect(description.assignment(of: "nonsense") == nil)
  }

  @Test(arguments: [
    ("deepseek_v3", "model.layers.1.mlp.experts.7.down_proj.weight", "expert.down", 1, 7),
    ("deepseek_v3", "model.layers.1.mlp.shared_experts.up_proj.weight", "shared.up", 1, nil),
    ("deepseek_v3", "model.layers.0.mlp.gate_proj.weight", "dense.gate", 0, nil),
    ("deepseek_v3", "model.layers.1.mlp.gate.weight", "router", 1, nil),
    ("deepseek_v3", "model.layers.1.mlp.gate.e_score_correction_bias", "router.bias", 1, nil),
    ("deepseek_v3", "model.layers.0.self_attn.kv_b_proj.weight", "attention", 0, nil),
    ("deepseek_v3", "model.layers.0.self_attn.q_a_layernorm.weight", "norm", 0, nil),
    ("deepseek_v3", "model.embed_tokens.weight", "embedding", nil, nil),
    ("deepseek_v3", "lm_head.weight", "head", nil, nil),
    ("deepseek_v3", "model.norm.weight", "norm", nil, nil),
    ("deepseek_v3", "model.layers.61.eh_proj.weight", "mtp", 61, nil),
    ("deepseek_v3", "model.layers.61.shared_head.head.weight", "mtp", 61, nil),
    ("deepseek_v3", "model.layers.61.mlp.experts.255.up_proj.weight", "expert.up", 61, 255),
    ("deepseek_v3", "model.layers.3.self_attn.rotary_emb.inv_freq", "buffer", 3, nil),
    ("qwen3_moe", "model.layers.1.self_attn.q_norm.weight", "norm", 1, nil),
    ("mixtral", "model.layers.31.block_sparse_moe.experts.3.w1.weight", "expert.gate", 31, 3),
    ("mixtral", "model.layers.31.block_sparse_moe.experts.3.w3.weight", "expert.up", 31, 3),
    ("mixtral", "model.layers.31.block_sparse_moe.experts.3.w2.weight", "expert.down", 31, 3),
    ("llama", "model.rotary_emb.inv_freq", "buffer", nil, nil),
    ("qwen2", "model.layers.2.self_attn.q_proj.bias", "attention.bias", 2, nil),
    ("llama", "model.layers.9.self_attn.k_scale", "attention", 9, nil),
    ("kimi_k2", "language_model.model.layers.3.mlp.experts.2.up_proj.weight", "expert.up", 3, 2),
    ("kimi_k2", "language_model.lm_head.weight", "head", nil, nil),
    ("kimi_k2", "vision_tower.encoder.blocks.3.norm0.weight", "encoder", nil, nil),
    ("deepseek_v32", "model.layers.4.self_attn.indexer.wq_b.weight", "attention", 4, nil),
    ("deepseek_v32", "model.layers.4.self_attn.indexer.k_norm.bias", "norm", 4, nil),
    ("qwen2_moe", "model.layers.4.mlp.shared_expert_gate.weight", "router.shared", 4, nil),
    ("qwen3_next", "model.layers.0.linear_attn.A_log", "mixer", 0, nil),
    ("qwen3_next", "mtp.layers.0.mlp.experts.1.up_proj.weight", "mtp", nil, nil),
    (
      "minimax_m2", "model.layers.5.block_sparse_moe.e_score_correction_bias", "router.bias", 5, nil
    ),
    ("minimax", "model.layers.5.self_attn.qkv_proj.weight", "mixer", 5, nil),
    ("ernie4_5_moe", "model.mtp_block.0.mlp.up_proj.weight", "mtp", nil, nil),
    ("phimoe", "model.layers.7.post_attention_layernorm.bias", "norm", 7, nil),
    ("deepseek_v4", "layers.0.ffn.gate.tid2eid", "router.table", 0, nil),
    ("deepseek_v4", "layers.9.hc_ffn_scale", "residual", 9, nil),
    ("deepseek_v4", "layers.9.ffn.experts.77.w3.weight", "expert.up", 9, 77),
    ("deepseek_v4", "mtp.0.ffn.experts.77.w3.weight", "mtp", nil, nil),
    ("gpt_oss", "model.layers.2.mlp.experts.down_proj_bias", "mlp.bias", 2, nil),
    ("gpt_oss", "model.layers.2.mlp.router.bias", "router.logit_bias", 2, nil),
    (
      "qwen3_5_moe", "model.language_model.layers.2.mlp.experts.gate_up_proj", "expert.gate", 2, nil
    ),
    (
      "qwen3_5_moe", "model.language_model.layers.2.mlp.experts.3.up_proj.weight", "expert.up", 2, 3
    ),
    ("qwen3_5_moe", "model.visual.blocks.1.attn.qkv.weight", "encoder", nil, nil),
    ("llama4", "language_model.model.layers.1.feed_forward.router.weight", "router", 1, nil),
    ("hunyuan", "model.layers.1.mlp.experts.3.gate_and_up_proj.weight", "expert.up", 1, 3),
    ("dbrx", "transformer.blocks.3.ffn.experts.mlp.w2", "expert.down", 3, nil),
    ("jamba", "model.layers.7.mamba.dt_layernorm.weight", "norm", 7, nil),
    ("baichuan", "model.layers.7.self_attn.W_pack.weight", "attention", 7, nil),
  ])
  func names(family: String, tensor: String, role: String, layer: Int?, expert: Int?) throws {
    let family = try ModelFamily.recognize(config: nil, named: family)
    let assignment = try #require(family.assignment(of: tensor))
    #expect(assignment.role.rawValue == role)
    #expect(assignment.layer == layer)
    #expect(assignment.expert == expert)
  }

  /// Names that resemble known ones, but are not.
  @Test(arguments: [
    "", ".", "{}", "model.layers.{}.mlp.gate.weight", "model.layers.01.mlp.gate.weight",
    "model.layers.-1.mlp.gate.weight", "model.layers.1.mlp.gate.weight ",
    "model.layers.99999999999999999999.mlp.gate.weight", "model.layers.1.mlp.gate.weight_scale_inv",
    "model.layers..mlp.gate.weight", "model.layers.1.mlp.experts.gate_proj.weight",
    "model.layers.1.mlp.experts.+1.up_proj.weight", "model.layers.1.mlp.experts.1e0.up_proj.weight",
    "Model.layers.1.mlp.gate.weight", "model.layers.1.mlp.gate", "model.layers.1.self_attn",
    "model.layers.١.mlp.gate.weight",
  ])
  func unknownNames(name: String) throws {
    let family = try ModelFamily.recognize(config: nil, named: "deepseek_v3")
    #expect(family.assignment(of: name) == nil)
  }

  @Test func roleNamesAreStable() {
    #expect(
      TensorRole.allCases.map(\.rawValue) == [
        "expert.gate", "expert.up", "expert.down", "shared.gate", "shared.up", "shared.down",
        "dense.gate", "dense.up", "dense.down", "router", "router.bias", "router.logit_bias",
        "router.table", "router.shared", "mlp.bias", "attention", "attention.bias", "mixer",
        "residual", "norm", "embedding", "head", "mtp", "encoder", "other", "buffer",
      ])
  }
}
