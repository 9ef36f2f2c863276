import Bytes
import ReferenceModel

extension ModelFamily {
  /// Granite-3.x-MoE, with and without a shared expert.
  ///
  /// Sources: transformers' `granitemoe` and `granitemoeshared`.
  static let graniteMoE = ModelFamily(
    name: "Granite-MoE",
    models: ["Granite-3.x 1B-A400M", "3B-A800M"],
    modelTypes: ["granitemoe", "granitemoeshared"],
    architectures: ["GraniteMoeForCausalLM", "GraniteMoeSharedForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .experts: "num_local_experts",
      .expertWidth: "intermediate_size", .expertPair: .twice("intermediate_size"),
      .sharedWidth: .optional("shared_intermediate_size"),
      .sharedPair: .optional("shared_intermediate_size", multiple: 2),
    ],
    mixtureLayers: .all,
    router: RouterTemplate(scoring: .logits, normalization: .always(.softmax)),
    residual: .scaled(outputKey: "residual_multiplier"),
    embeddingFactor: "embedding_multiplier",
    tensors: [
      .decoder(), .queryKeyValueAttention,
      [
        TensorRule(
          .mixtureLayer, "block_sparse_moe.router.layer.weight", .router, [.experts, .hidden]),
        .fused(
          .mixtureLayer, "block_sparse_moe.input_linear.weight",
          [.experts, .expertPair, .hidden], FusedRule([.expertGate, .expertUp])),
        .fused(
          .mixtureLayer, "block_sparse_moe.output_linear.weight",
          [.experts, .hidden, .expertWidth], FusedRule([.expertDown])),
        .fused(
          .mixtureLayer, "shared_mlp.input_linear.weight", [.sharedPair, .hidden],
          FusedRule([.sharedGate, .sharedUp], isStacked: false)),
        TensorRule(
          .mixtureLayer, "shared_mlp.output_linear.weight", .sharedDown, [.hidden, .sharedWidth]),
      ],
    ])
}
