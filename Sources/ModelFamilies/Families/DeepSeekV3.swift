import Bytes
import ReferenceModel

extension ModelFamily {
  /// DeepSeek-V3, R1 and V3.1, Kimi-K2 and Moonlight.
  ///
  /// Sources: deepseek-ai/DeepSeek-V3 (`inference/model.py`, `README_WEIGHTS.md`), transformers'
  /// `deepseek_v3`.
  static let deepSeekV3 = ModelFamily(
    name: "DeepSeek-V3",
    modelTypes: ["deepseek_v3", "kimi_k2"],
    architectures: ["DeepseekV3ForCausalLM"],
    expectedSettings: [
      "hidden_act": .string("silu"), "scoring_func": .string("sigmoid"),
      "topk_method": .string("noaux_tc"),
    ],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size",
      .experts: "n_routed_experts", .expertWidth: "moe_intermediate_size",
      .sharedWidth: SizeRule(keys: ["moe_intermediate_size"], factorKey: "n_shared_experts"),
    ],
    mixtureLayers: .from(first: "first_k_dense_replace", step: "moe_layer_freq"),
    predictionLayers: "num_nextn_predict_layers",
    router: RouterTemplate(
      scoring: .sigmoid, groups: (count: "n_group", kept: "topk_group"),
      normalization: .ifSet(key: "norm_topk_prob", absent: true, epsilon: 1e-20),
      scalingFactor: "routed_scaling_factor"),
    tensors: .decoder + [
      TensorRule(
        .layer, "self_attn.q_proj.weight", .attention, nil, .requiredUnless("q_lora_rank")),
      TensorRule(
        .layer, "self_attn.q_a_proj.weight", .attention, nil, .requiredIf("q_lora_rank")),
      TensorRule(
        .layer, "self_attn.q_a_layernorm.weight", .norm, nil, .requiredIf("q_lora_rank")),
      TensorRule(
        .layer, "self_attn.q_b_proj.weight", .attention, nil, .requiredIf("q_lora_rank")),
      TensorRule(.layer, "self_attn.kv_a_proj_with_mqa.weight", .attention),
      TensorRule(.layer, "self_attn.kv_a_layernorm.weight", .norm),
      TensorRule(.layer, "self_attn.kv_b_proj.weight", .attention),
      TensorRule(.layer, "self_attn.o_proj.weight", .attention),
      TensorRule(.mixtureLayer, "mlp.gate.weight", .router, [.experts, .hidden]),
      TensorRule(.mixtureLayer, "mlp.gate.e_score_correction_bias", .routerBias, [.experts]),
      TensorRule(
        .predictionLayer, "embed_tokens.weight", .multiTokenPrediction, [.vocabulary, .hidden]),
      TensorRule(.predictionLayer, "enorm.weight", .multiTokenPrediction, [.hidden]),
      TensorRule(.predictionLayer, "hnorm.weight", .multiTokenPrediction, [.hidden]),
      TensorRule(.predictionLayer, "eh_proj.weight", .multiTokenPrediction),
      TensorRule(.predictionLayer, "shared_head.norm.weight", .multiTokenPrediction, [.hidden]),
      TensorRule(
        .predictionLayer, "shared_head.head.weight", .multiTokenPrediction,
        [.vocabulary, .hidden]),
    ]
      + .experts(
        "mlp.experts.{}.", gate: "gate_proj.weight", up: "up_proj.weight",
        down: "down_proj.weight")
      + .sharedExpert(
        "mlp.shared_experts.", gate: "gate_proj.weight", up: "up_proj.weight",
        down: "down_proj.weight")
      + .denseMLP(
        "mlp.", gate: "gate_proj.weight", up: "up_proj.weight", down: "down_proj.weight"))
}
