import Bytes
import ReferenceModel

extension ModelFamily {
  /// Hunyuan-A13B.
  ///
  /// Source: transformers' `hunyuan_v1_moe`; the least divisor is that of tencent/Hunyuan-A13B's
  /// own code.
  static let hunyuanA13B = ModelFamily(
    name: "Hunyuan-A13B",
    modelTypes: ["hunyuan_v1_moe"],
    architectures: ["HunYuanMoEV1ForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu"), "norm_topk_prob": .bool(true)],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size",
      .experts: SizeRule(keys: ["num_experts", "num_local_experts"]),
      .expertWidth: SizeRule(keys: ["moe_intermediate_size", "intermediate_size"]),
      .sharedWidth: SizeRule(
        keys: ["moe_intermediate_size", "intermediate_size"], factorKey: "num_shared_expert"),
    ],
    mixtureLayers: .from(first: "moe_layer_num_skipped", absent: 0, step: "moe_layer_freq"),
    router: RouterTemplate(
      scoring: .softmax, expertsPerToken: ["moe_topk", "num_experts_per_tok"],
      normalization: .always(.clampedSum(minimum: 1e-8))),
    tensors: [
      .decoder(),
      .queryKeyValueAttention,
      [
        TensorRule(.layer, "self_attn.query_layernorm.weight", .norm, nil, .optional),
        TensorRule(.layer, "self_attn.key_layernorm.weight", .norm, nil, .optional),
        TensorRule(.mixtureLayer, "mlp.gate.wg.weight", .router, [.experts, .hidden]),
      ],
      .experts("mlp.experts.{}."),
      .sharedExpert("mlp.shared_mlp."),
      .denseMLP("mlp."),
    ])
}
