import Bytes
import ReferenceModel

extension ModelFamily {
  /// Jamba 1.5 and 1.6.
  ///
  /// Source: transformers' `jamba`.
  static let jamba = ModelFamily(
    name: "Jamba",
    models: ["Jamba 1.5", "1.6"],
    modelTypes: ["jamba"],
    architectures: ["JambaForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size",
      .experts: "num_experts", .expertWidth: "intermediate_size",
    ],
    mixtureLayers: .periodic(period: "expert_layer_period", offset: "expert_layer_offset"),
    router: RouterTemplate(scoring: .softmax, normalization: .never),
    norm: NormRule("pre_ff_layernorm.weight"),
    tensors: [
      .decoder(lastNorm: "model.final_layernorm.weight", norm: "pre_ff_layernorm.weight"),
      [
        TensorRule(.layer, "mamba.dt_layernorm.weight", .norm, nil, .optional),
        TensorRule(.layer, "mamba.b_layernorm.weight", .norm, nil, .optional),
        TensorRule(.layer, "mamba.c_layernorm.weight", .norm, nil, .optional),
        TensorRule(.layer, "mamba.*", .mixer, nil, .optional),
        TensorRule(.mixtureLayer, "feed_forward.router.weight", .router, [.experts, .hidden]),
      ],
      .experts("feed_forward.experts.{}."),
      .denseMLP("feed_forward."),
    ],
    omissions: ["its Mamba layers"])
}
