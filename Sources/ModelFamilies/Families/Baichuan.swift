import Bytes

extension ModelFamily {
  /// Baichuan and Baichuan2: dense, with queries, keys and values in one projection.
  ///
  /// Source: the modelling code of baichuan-inc/Baichuan2-7B-Base.
  static let baichuan = ModelFamily(
    name: "Baichuan",
    models: ["Baichuan", "Baichuan2"],
    modelTypes: ["baichuan"],
    architectures: ["BaichuanForCausalLM", "BaiChuanForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size",
    ],
    tensors: [
      .decoder(),
      [
        TensorRule(.layer, "self_attn.W_pack.weight", .attention),
        TensorRule(.layer, "self_attn.o_proj.weight", .attention),
      ],
      .denseMLP("mlp."),
    ])
}
