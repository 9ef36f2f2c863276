import Bytes

extension ModelFamily {
  /// Qwen2, Qwen2.5 and R1-Distill-Qwen: dense, with biases in attention.
  ///
  /// Source: transformers' `qwen2`.
  static let qwen2 = ModelFamily(
    name: "Qwen2",
    models: ["Qwen2", "Qwen2.5", "R1-Distill-Qwen"],
    modelTypes: ["qwen2"],
    architectures: ["Qwen2ForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size",
    ],
    tensors: [
      .decoder(),
      .queryKeyValueAttention,
      .denseMLP("mlp."),
    ])
}
