import ReferenceModel

/// What the many models share that follow DeepSeek's config keys.

extension [Dimension: SizeRule] {
  static let deepSeek: Self = [
    .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size",
    .experts: "n_routed_experts", .expertWidth: "moe_intermediate_size",
    .sharedWidth: SizeRule(keys: ["moe_intermediate_size"], factorKey: "n_shared_experts"),
  ]
}

extension [Dimension: SizeRule] {
  /// Every layer has experts.
  static let deepSeekWithoutDense: Self = [
    .hidden: "hidden_size", .vocabulary: "vocab_size",
    .experts: "n_routed_experts", .expertWidth: "moe_intermediate_size",
    .sharedWidth: SizeRule(keys: ["moe_intermediate_size"], factorKey: "n_shared_experts"),
    .chosenExperts: "num_experts_per_tok",
  ]
}

extension MixtureLayers {
  /// From `first_k_dense_replace`.
  static let deepSeek = MixtureLayers.from(
    first: "first_k_dense_replace", step: "moe_layer_freq")
  /// By `mlp_layer_types`, or from `first_k_dense_replace`.
  static let deepSeekTyped = MixtureLayers.typed(
    key: "mlp_layer_types", dense: "dense", otherwise: .deepSeek)
}

extension RouterTemplate {
  /// `noaux_tc`: sigmoid scores, a bias for choosing, groups.
  static let noAuxiliaryLoss = RouterTemplate(
    scoring: .sigmoid, groups: Groups(count: "n_group", kept: "topk_group"),
    normalization: .ifSet(key: "norm_topk_prob", absent: true, epsilon: 1e-20),
    scalingFactor: "routed_scaling_factor")

  /// Softmax over all experts; the largest, divided by their sum if `norm_topk_prob` says so.
  static func softmax(normalizedIfAbsent absent: Bool) -> RouterTemplate {
    RouterTemplate(
      scoring: .softmax,
      normalization: .ifSet(key: "norm_topk_prob", absent: absent, epsilon: 0))
  }
}
