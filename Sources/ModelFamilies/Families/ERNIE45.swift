import Bytes
import ReferenceModel

extension ModelFamily {
  /// ERNIE-4.5-21B-A3B and 300B-A47B, in the form for PyTorch.
  ///
  /// Source: transformers' `ernie4_5_moe`.
  static let ernie45 = ModelFamily(
    name: "ERNIE-4.5",
    models: ["ERNIE-4.5-21B-A3B", "300B-A47B"],
    modelTypes: ["ernie4_5_moe"],
    architectures: ["Ernie4_5_MoeForCausalLM", "Ernie4_5_MoEForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu"), "use_bias": .bool(false)],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size",
      .experts: "moe_num_experts", .expertWidth: "moe_intermediate_size",
      .sharedWidth: SizeRule(keys: ["moe_intermediate_size"], factorKey: "moe_num_shared_experts"),
    ],
    mixtureLayers: .between(
      first: "moe_layer_start_index", last: "moe_layer_end_index", step: "moe_layer_interval"),
    router: RouterTemplate(
      scoring: .softmax, expertsPerToken: ["moe_k"],
      normalization: .clamped(minimumKey: "moe_norm_min", absent: 1e-12)),
    tensors: [
      .decoder(),
      .queryKeyValueAttention,
      .deepSeekMLPs,
      .prediction("model.mtp_"),
      [
        TensorRule(
          .mixtureLayer, "mlp.moe_statics.e_score_correction_bias", .routerBias,
          [.single, .experts])
      ],
    ])
}
