import Bytes
import ReferenceModel

extension ModelFamily {
  /// Phi-3.5-MoE: norms with a bias, experts chosen one by one.
  ///
  /// Source: transformers' `phimoe`.
  static let phi35MoE = ModelFamily(
    name: "Phi-3.5-MoE",
    modelTypes: ["phimoe"],
    architectures: ["PhiMoEForCausalLM", "PhimoeForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .experts: "num_local_experts",
      .expertWidth: "intermediate_size",
    ],
    mixtureLayers: .all,
    router: RouterTemplate(
      scoring: .logits, selection: .sparseMixer(jitterKey: "router_jitter_noise"),
      normalization: .never),
    norm: NormRule(bias: "post_attention_layernorm.bias", normalization: .layer),
    tensors: [
      .decoder(),
      .queryKeyValueAttention,
      .mixtralMLPs,
      [
        TensorRule(.model, "model.norm.bias", .norm, [.hidden]),
        TensorRule(.model, "lm_head.bias", .head, [.vocabulary], .optional),
        TensorRule(.layer, "input_layernorm.bias", .norm, [.hidden]),
        TensorRule(.layer, "post_attention_layernorm.bias", .norm, [.hidden]),
      ],
    ])
}
