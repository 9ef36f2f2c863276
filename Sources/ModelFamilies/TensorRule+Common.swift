extension [TensorRule] {
  /// What decoder layers of this kind share: the norms around attention and MLP, the table of
  /// embeddings, the last norm and the head.
  ///
  /// - Parameter lastNorm: the norm after the last layer.
  /// - Parameter norm: the norm before the MLP.
  static func decoder(
    lastNorm: String = "model.norm.weight", norm: String = "post_attention_layernorm.weight"
  ) -> Self {
    [
      TensorRule(.model, "model.embed_tokens.weight", .embedding, [.vocabulary, .hidden]),
      TensorRule(.model, lastNorm, .norm, [.hidden]),
      TensorRule(
        .model, "lm_head.weight", .head, [.vocabulary, .hidden],
        .requiredUnless("tie_word_embeddings")),
      TensorRule(.model, "model.rotary_emb.inv_freq", .buffer, nil, .optional),
      TensorRule(.layer, "input_layernorm.weight", .norm, [.hidden]),
      TensorRule(.layer, norm, .norm, [.hidden]),
      TensorRule(.layer, "self_attn.rotary_emb.inv_freq", .buffer, nil, .optional),
      TensorRule(.layer, "self_attn.*", .attention, nil, .optional),
    ]
  }

  /// Attention with a projection each for queries, keys, values and the output, biases optional.
  static let queryKeyValueAttention: [TensorRule] =
    ["q", "k", "v", "o"].flatMap {
      [
        TensorRule(.layer, "self_attn.\($0)_proj.weight", .attention),
        TensorRule(.layer, "self_attn.\($0)_proj.bias", .attentionBias, nil, .optional),
      ]
    }

  /// Norms of single heads, or of all queries and keys, inside attention.
  static let queryKeyNorms: [TensorRule] = ["q", "k"].map {
    TensorRule(.layer, "self_attn.\($0)_norm.weight", .norm, nil, .optional)
  }

  /// Multi-head latent attention of DeepSeek-V2 and what follows it.
  static let latentAttention: [TensorRule] = [
    TensorRule(.layer, "self_attn.q_proj.weight", .attention, nil, .requiredUnless("q_lora_rank")),
    TensorRule(.layer, "self_attn.q_a_proj.weight", .attention, nil, .requiredIf("q_lora_rank")),
    TensorRule(.layer, "self_attn.q_a_layernorm.weight", .norm, nil, .requiredIf("q_lora_rank")),
    TensorRule(.layer, "self_attn.q_b_proj.weight", .attention, nil, .requiredIf("q_lora_rank")),
    TensorRule(.layer, "self_attn.kv_a_proj_with_mqa.weight", .attention),
    TensorRule(.layer, "self_attn.kv_a_layernorm.weight", .norm),
    TensorRule(.layer, "self_attn.kv_b_proj.weight", .attention),
    TensorRule(.layer, "self_attn.o_proj.weight", .attention),
  ]

  /// What chooses the tokens that sparse attention looks at. Not every layer has its own.
  static let attentionIndexer: [TensorRule] = [
    TensorRule(.layer, "self_attn.indexer.wq_b.weight", .attention, nil, .optional),
    TensorRule(.layer, "self_attn.indexer.wk.weight", .attention, nil, .optional),
    TensorRule(.layer, "self_attn.indexer.weights_proj.weight", .attention, nil, .optional),
    TensorRule(.layer, "self_attn.indexer.k_norm.weight", .norm, nil, .optional),
    TensorRule(.layer, "self_attn.indexer.k_norm.bias", .norm, nil, .optional),
  ]

  /// What only multi-token-prediction layers have that are numbered as the others.
  static let predictionLayer: [TensorRule] = [
    TensorRule(
      .predictionLayer, "embed_tokens.weight", .multiTokenPrediction, [.vocabulary, .hidden]),
    TensorRule(.predictionLayer, "enorm.weight", .multiTokenPrediction, [.hidden]),
    TensorRule(.predictionLayer, "hnorm.weight", .multiTokenPrediction, [.hidden]),
    TensorRule(.predictionLayer, "eh_proj.weight", .multiTokenPrediction),
    TensorRule(.predictionLayer, "shared_head.norm.weight", .multiTokenPrediction, [.hidden]),
    TensorRule(
      .predictionLayer, "shared_head.head.weight", .multiTokenPrediction, [.vocabulary, .hidden]),
  ]

  /// Router, experts and shared experts by DeepSeek's names, dense MLPs included.
  static let deepSeekMLPs: [TensorRule] =
    [TensorRule(.mixtureLayer, "mlp.gate.weight", .router, [.experts, .hidden])]
    + .experts("mlp.experts.{}.")
    + .sharedExpert("mlp.shared_experts.")
    + .denseMLP("mlp.")

  /// The bias for choosing, by DeepSeek's name.
  static let correctionBias: [TensorRule] = [
    TensorRule(.mixtureLayer, "mlp.gate.e_score_correction_bias", .routerBias, [.experts])
  ]

  /// Router and gated shared expert by Qwen's names.
  static let gatedSharedExpert: [TensorRule] =
    [
      TensorRule(.mixtureLayer, "mlp.gate.weight", .router, [.experts, .hidden]),
      TensorRule(
        .mixtureLayer, "mlp.shared_expert_gate.weight", .sharedExpertGate, [.single, .hidden]),
    ] + .sharedExpert("mlp.shared_expert.")

  /// Router, experts and gated shared expert by Qwen's names, dense MLPs included.
  static let qwenMLPs: [TensorRule] =
    gatedSharedExpert + .experts("mlp.experts.{}.") + .denseMLP("mlp.")

  /// All experts in two tensors of inputs × outputs, gate before up.
  static func transposedExperts(_ prefix: String) -> Self {
    [
      .fused(
        .mixtureLayer, prefix + "gate_up_proj", [.experts, .hidden, .expertPair],
        FusedRule([.expertGate, .expertUp], .inputsByOutputs)),
      .fused(
        .mixtureLayer, prefix + "down_proj", [.experts, .expertWidth, .hidden],
        FusedRule([.expertDown], .inputsByOutputs)),
    ]
  }

  /// Router and experts by Mixtral's names.
  static let mixtralMLPs: [TensorRule] =
    [TensorRule(.mixtureLayer, "block_sparse_moe.gate.weight", .router, [.experts, .hidden])]
    + .experts(
      "block_sparse_moe.experts.{}.", gate: "w1.weight", up: "w3.weight", down: "w2.weight")

  /// Gated delta-net and other linear attention in layers of their own.
  static let linearAttention: [TensorRule] = [
    TensorRule(.layer, "linear_attn.norm.weight", .norm, nil, .optional),
    TensorRule(.layer, "linear_attn.*", .mixer, nil, .optional),
  ]

  /// Several streams in place of one, and how sub-layers read and write them.
  static let hyperConnections: [TensorRule] =
    ["fn", "base", "scale"].flatMap { part in
      [
        TensorRule(.model, "hc_head_\(part)", .residual, nil, .optional),
        TensorRule(.layer, "hc_attn_\(part)", .residual, nil, .optional),
        TensorRule(.layer, "hc_ffn_\(part)", .residual, nil, .optional),
      ]
    }

  /// Layers for multi-token prediction that have names of their own.
  static func prediction(_ prefix: String) -> Self {
    [TensorRule(.model, prefix + "*", .multiTokenPrediction, nil, .optional)]
  }

  /// Encoders of images and sound.
  static func encoders(_ prefixes: String...) -> Self {
    prefixes.map { TensorRule(.model, $0 + "*", .encoder, nil, .optional) }
  }
}
