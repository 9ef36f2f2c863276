import Bytes
import ReferenceModel

extension ModelFamily {
  /// Hunyuan-Large: up and gate of an expert in one tensor, in this order. The weight of the one
  /// expert of a token is its probability among all.
  ///
  /// Source: the modelling code of tencent/Tencent-Hunyuan-Large.
  static let hunyuanLarge = ModelFamily(
    name: "Hunyuan-Large",
    modelTypes: ["hunyuan"],
    architectures: ["HunYuanForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu"), "moe_topk": .integer(1)],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size",
      .experts: "num_experts",
      .expertWidth: SizeRule(keys: ["moe_intermediate_size", "intermediate_size"]),
      .expertPair: SizeRule(keys: ["moe_intermediate_size", "intermediate_size"], multiple: 2),
      .sharedWidth: SizeRule(
        keys: ["moe_intermediate_size", "intermediate_size"], factorKey: "num_shared_expert"),
      .sharedPair: SizeRule(
        keys: ["moe_intermediate_size", "intermediate_size"], factorKey: "num_shared_expert",
        multiple: 2),
    ],
    mixtureLayers: .from(first: "moe_layer_num_skipped", absent: 0, step: "moe_layer_freq"),
    router: RouterTemplate(
      scoring: .softmax, expertsPerToken: ["moe_topk"], normalization: .never),
    tensors: [
      .decoder(),
      [
        TensorRule(.layer, "self_attn.query_layernorm.weight", .norm, nil, .optional),
        TensorRule(.layer, "self_attn.key_layernorm.weight", .norm, nil, .optional),
        TensorRule(.mixtureLayer, "mlp.gate.wg.weight", .router, [.experts, .hidden]),
        .fused(
          .mixtureLayer, "mlp.experts.{}.gate_and_up_proj.weight", [.expertPair, .hidden],
          FusedRule([.expertUp, .expertGate], isStacked: false)),
        TensorRule(
          .mixtureLayer, "mlp.experts.{}.down_proj.weight", .expertDown, [.hidden, .expertWidth]),
        .fused(
          .mixtureLayer, "mlp.shared_mlp.gate_and_up_proj.weight", [.sharedPair, .hidden],
          FusedRule([.sharedUp, .sharedGate], isStacked: false)),
        TensorRule(
          .mixtureLayer, "mlp.shared_mlp.down_proj.weight", .sharedDown, [.hidden, .sharedWidth]),
      ],
      .denseMLP("mlp."),
    ])
}
