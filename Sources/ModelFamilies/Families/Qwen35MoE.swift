import Bytes
import ReferenceModel

extension ModelFamily {
  /// Qwen3.5-MoE and Qwen3.6-MoE: experts in two tensors, or each in its own as in the FP8
  /// releases. Norms are zero-centred.
  ///
  /// Source: transformers' `qwen3_5_moe`.
  static let qwen35MoE = ModelFamily(
    name: "Qwen3.5-MoE",
    models: ["Qwen3.5-MoE", "Qwen3.6-MoE"],
    modelTypes: ["qwen3_5_moe", "qwen3_5_moe_text"],
    architectures: ["Qwen3_5MoeForConditionalGeneration", "Qwen3_5MoeForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size",
      .experts: SizeRule(keys: ["num_experts", "num_local_experts"]),
      .expertWidth: "moe_intermediate_size", .expertPair: .twice("moe_intermediate_size"),
      .sharedWidth: "shared_expert_intermediate_size",
    ],
    mixtureLayers: .all,
    router: RouterTemplate(scoring: .softmax, normalization: .always(.sum(epsilon: 0))),
    norm: NormRule(normalization: .zeroCentredRootMeanSquare),
    tensors: [
      .decoder(), .queryKeyNorms, .linearAttention, .gatedSharedExpert,
      [
        .fused(
          .mixtureLayer, "mlp.experts.gate_up_proj", [.experts, .expertPair, .hidden],
          FusedRule([.expertGate, .expertUp])),
        .fused(
          .mixtureLayer, "mlp.experts.down_proj", [.experts, .hidden, .expertWidth],
          FusedRule([.expertDown])),
      ],
      .experts("mlp.experts.{}.", .optional),
      .prediction("mtp."), .encoders("model.visual."),
    ],
    wrappers: [NameWrapper(released: "model.language_model.", plain: "model.")],
    omissions: ["its gated delta-net"])
}
