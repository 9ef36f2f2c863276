import Bytes
import ReferenceModel

extension ModelFamily {
  /// Qwen3-VL-MoE: experts in two tensors, inputs × outputs.
  ///
  /// Source: transformers' `qwen3_vl_moe`.
  static let qwen3VLMoE = ModelFamily(
    name: "Qwen3-VL-MoE",
    models: ["Qwen3-VL-30B-A3B", "235B-A22B"],
    modelTypes: ["qwen3_vl_moe", "qwen3_vl_moe_text"],
    architectures: ["Qwen3VLMoeForConditionalGeneration"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size",
      .experts: SizeRule(keys: ["num_experts", "num_local_experts"]),
      .expertWidth: "moe_intermediate_size", .expertPair: .twice("moe_intermediate_size"),
    ],
    mixtureLayers: .every(step: "decoder_sparse_step", except: "mlp_only_layers"),
    router: RouterTemplate(scoring: .softmax, normalization: .always(.sum(epsilon: 0))),
    tensors: [
      .decoder(), .queryKeyValueAttention, .queryKeyNorms,
      [TensorRule(.mixtureLayer, "mlp.gate.weight", .router, [.experts, .hidden])],
      .transposedExperts("mlp.experts."),
      .experts("mlp.experts.{}.", .optional),
      .denseMLP("mlp."),
      .encoders("model.visual."),
    ],
    wrappers: [NameWrapper(released: "model.language_model.", plain: "model.")])
}
