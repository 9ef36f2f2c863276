import Bytes
import ReferenceModel

extension ModelFamily {
  /// Qwen3-30B-A3B, Qwen3-235B-A22B and Qwen3-Coder-480B-A35B.
  ///
  /// Source: transformers' `qwen3_moe`.
  static let qwen3MoE = ModelFamily(
    name: "Qwen3-MoE",
    models: ["Qwen3-30B-A3B", "235B-A22B", "Coder-480B-A35B"],
    modelTypes: ["qwen3_moe"],
    architectures: ["Qwen3MoeForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size",
      .experts: SizeRule(keys: ["num_experts", "num_local_experts"]),
      .expertWidth: "moe_intermediate_size",
    ],
    mixtureLayers: .every(step: "decoder_sparse_step", except: "mlp_only_layers"),
    router: .softmax(normalizedIfAbsent: false),
    tensors: [
      .decoder(),
      .queryKeyValueAttention,
      [
        TensorRule(.layer, "self_attn.q_norm.weight", .norm),
        TensorRule(.layer, "self_attn.k_norm.weight", .norm),
        TensorRule(.mixtureLayer, "mlp.gate.weight", .router, [.experts, .hidden]),
      ],
      .experts("mlp.experts.{}."),
      .denseMLP("mlp."),
    ])
}
