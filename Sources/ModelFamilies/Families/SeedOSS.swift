import Bytes

extension ModelFamily {
  /// Seed-OSS-36B: dense.
  ///
  /// Source: transformers' `seed_oss`.
  static let seedOSS = ModelFamily(
    name: "Seed-OSS",
    models: ["Seed-OSS-36B"],
    modelTypes: ["seed_oss"],
    architectures: ["SeedOssForCausalLM"],
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
