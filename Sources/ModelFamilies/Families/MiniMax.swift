import Bytes
import ReferenceModel

extension ModelFamily {
  /// MiniMax-Text-01 and M1, also in the form that transformers reads.
  ///
  /// Sources: the modelling code of MiniMaxAI/MiniMax-Text-01, transformers' `minimax`.
  static let miniMax = ModelFamily(
    name: "MiniMax-Text-01",
    models: ["MiniMax-Text-01", "M1"],
    modelTypes: ["minimax", "minimax_text_01", "minimax_m1"],
    architectures: [
      "MiniMaxForCausalLM", "MiniMaxText01ForCausalLM", "MiniMaxM1ForCausalLM",
    ],
    expectedSettings: [
      "hidden_act": .string("silu"), "postnorm": .bool(true),
      "shared_intermediate_size": .integer(0),
    ],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .experts: "num_local_experts",
      .expertWidth: "intermediate_size",
    ],
    mixtureLayers: .all,
    router: RouterTemplate(scoring: .softmax, normalization: .always(.sum(epsilon: 0))),
    residual: .normalized(
      streamKeys: ["mlp_alpha_factor", "layernorm_mlp_alpha"],
      outputKeys: ["mlp_beta_factor", "layernorm_mlp_beta"]),
    tensors: [
      .decoder(),
      .mixtralMLPs,
      [
        TensorRule(.layer, "self_attn.norm.weight", .norm, nil, .optional),
        TensorRule(.layer, "self_attn.qkv_proj.weight", .mixer, nil, .optional),
        TensorRule(.layer, "self_attn.output_gate.weight", .mixer, nil, .optional),
        TensorRule(.layer, "self_attn.out_proj.weight", .mixer, nil, .optional),
        TensorRule(.layer, "self_attn.slope_rate", .buffer, nil, .optional),
        TensorRule(.layer, "self_attn.query_decay", .buffer, nil, .optional),
        TensorRule(.layer, "self_attn.key_decay", .buffer, nil, .optional),
        TensorRule(.layer, "self_attn.diagonal_decay", .buffer, nil, .optional),
      ],
    ],
    omissions: ["its lightning attention"])
}
