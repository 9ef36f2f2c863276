import Bytes
import ReferenceModel

extension ModelFamily {
  /// MiniMax-M2, M2.1 and M2.5.
  ///
  /// Source: transformers' `minimax_m2`.
  static let miniMaxM2 = ModelFamily(
    name: "MiniMax-M2",
    models: ["MiniMax-M2", "M2.1", "M2.5"],
    modelTypes: ["minimax_m2"],
    architectures: ["MiniMaxM2ForCausalLM"],
    expectedSettings: [
      "hidden_act": .string("silu"), "scoring_func": .string("sigmoid"),
      "shared_intermediate_size": .integer(0),
    ],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .experts: "num_local_experts",
      .expertWidth: "intermediate_size",
    ],
    mixtureLayers: .all,
    router: RouterTemplate(scoring: .sigmoid, normalization: .always(.sum(epsilon: 0))),
    tensors: [
      .decoder(),
      .queryKeyValueAttention,
      .queryKeyNorms,
      .mixtralMLPs,
      [
        TensorRule(
          .mixtureLayer, "block_sparse_moe.e_score_correction_bias", .routerBias, [.experts])
      ],
    ])
}
