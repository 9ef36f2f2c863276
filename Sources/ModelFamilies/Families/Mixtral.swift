import Bytes
import ReferenceModel

extension ModelFamily {
  /// Mixtral 8x7B and 8x22B.
  ///
  /// Source: transformers' `mixtral`.
  static let mixtral = ModelFamily(
    name: "Mixtral",
    models: ["Mixtral 8x7B", "8x22B"],
    modelTypes: ["mixtral"],
    architectures: ["MixtralForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .experts: "num_local_experts",
      .expertWidth: "intermediate_size",
    ],
    mixtureLayers: .all,
    router: RouterTemplate(scoring: .softmax, normalization: .always(.sum(epsilon: 0))),
    tensors: [
      .decoder(),
      .queryKeyValueAttention,
      .mixtralMLPs,
    ])
}
