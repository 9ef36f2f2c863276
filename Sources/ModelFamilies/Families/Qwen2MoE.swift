import Bytes
import ReferenceModel

extension ModelFamily {
  /// Qwen1.5-MoE-A2.7B and Qwen2-57B-A14B.
  ///
  /// Source: transformers' `qwen2_moe`.
  static let qwen2MoE = ModelFamily(
    name: "Qwen2-MoE",
    models: ["Qwen1.5-MoE-A2.7B", "Qwen2-57B-A14B"],
    modelTypes: ["qwen2_moe"],
    architectures: ["Qwen2MoeForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size",
      .experts: SizeRule(keys: ["num_experts", "num_local_experts"]),
      .expertWidth: "moe_intermediate_size", .sharedWidth: "shared_expert_intermediate_size",
    ],
    mixtureLayers: .every(step: "decoder_sparse_step", except: "mlp_only_layers"),
    router: .softmax(normalizedIfAbsent: false),
    tensors: [
      .decoder(),
      .queryKeyValueAttention,
      .qwenMLPs,
    ])
}
