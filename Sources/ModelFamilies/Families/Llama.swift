import Bytes

extension ModelFamily {
  /// Llama 2 and 3, R1-Distill-Llama, Yi: dense.
  ///
  /// Source: transformers' `llama`.
  static let llama = ModelFamily(
    name: "Llama",
    models: ["Llama 2 and 3", "R1-Distill-Llama", "Yi"],
    modelTypes: ["llama"],
    architectures: ["LlamaForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu"), "mlp_bias": .bool(false)],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size",
    ],
    tensors: [
      .decoder(),
      .queryKeyValueAttention,
      .denseMLP("mlp."),
    ])
}
