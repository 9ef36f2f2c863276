import Bytes
import ReferenceModel

extension ModelFamily {
  /// OLMoE-1B-7B.
  ///
  /// Source: transformers' `olmoe`.
  static let olmoe = ModelFamily(
    name: "OLMoE",
    models: ["OLMoE-1B-7B"],
    modelTypes: ["olmoe"],
    architectures: ["OlmoeForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size",
      .experts: SizeRule(keys: ["num_experts", "num_local_experts"]),
      .expertWidth: "intermediate_size",
    ],
    mixtureLayers: .all,
    router: .softmax(normalizedIfAbsent: false),
    tensors: [
      .decoder(),
      .queryKeyValueAttention,
      .queryKeyNorms,
      [
        TensorRule(.mixtureLayer, "mlp.gate.weight", .router, [.experts, .hidden])
      ],
      .experts("mlp.experts.{}."),
    ])
}
