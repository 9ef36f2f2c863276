import Bytes
import ReferenceModel

extension ModelFamily {
  /// Qwen3-Next-80B-A3B. Its norms are zero-centred.
  ///
  /// Source: transformers' `qwen3_next`.
  static let qwen3Next = ModelFamily(
    name: "Qwen3-Next",
    models: ["Qwen3-Next-80B-A3B"],
    modelTypes: ["qwen3_next"],
    architectures: ["Qwen3NextForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size",
      .experts: SizeRule(keys: ["num_experts", "num_local_experts"]),
      .expertWidth: "moe_intermediate_size", .sharedWidth: "shared_expert_intermediate_size",
    ],
    mixtureLayers: .every(step: "decoder_sparse_step", except: "mlp_only_layers"),
    router: .softmax(normalizedIfAbsent: true),
    norm: NormRule(normalization: .zeroCentredRootMeanSquare),
    tensors: [
      .decoder(),
      .queryKeyNorms,
      .linearAttention,
      .qwenMLPs,
      .prediction("mtp."),
    ],
    omissions: ["its gated delta-net"])
}
