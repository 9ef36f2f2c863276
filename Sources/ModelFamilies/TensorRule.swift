/// The name of a tensor in a family, its role, and what must hold for it.
struct TensorRule: Sendable {
  /// Where the tensor occurs.
  enum Scope: Sendable {
    /// Once; the name is the whole name.
    case model
    /// In every layer, as in those that follow; the name follows the family's layer prefix.
    case layer
    /// In layers whose MLP has no experts.
    case denseLayer
    /// In layers with experts.
    case mixtureLayer
    /// In multi-token-prediction layers.
    case predictionLayer
  }

  /// Whether a checkpoint may lack the tensor.
  enum Presence: Sendable {
    case required
    case optional
    /// Required if the config has this key, neither null, false nor 0.
    case requiredIf(String)
    /// Required if the config does not.
    case requiredUnless(String)
  }

  let scope: Scope
  /// The name; `{}` stands for the index of an expert, `*` at the end for anything.
  let name: String
  let role: TensorRole
  /// What the config says about its shape; nil if it says nothing that matters here.
  let shape: [Dimension]?
  let presence: Presence

  init(
    _ scope: Scope, _ name: String, _ role: TensorRole, _ shape: [Dimension]? = nil,
    _ presence: Presence = .required
  ) {
    self.scope = scope
    self.name = name
    self.role = role
    self.shape = shape
    self.presence = presence
  }

  /// Whether there is one for each expert.
  var isPerExpert: Bool { name.contains("{}") && scope == .mixtureLayer }
}

extension [TensorRule] {
  /// What decoder layers of this kind share: the norms around attention and MLP, the table of
  /// embeddings, the last norm and the head.
  static let decoder: [TensorRule] = [
    TensorRule(.model, "model.embed_tokens.weight", .embedding, [.vocabulary, .hidden]),
    TensorRule(.model, "model.norm.weight", .norm, [.hidden]),
    TensorRule(
      .model, "lm_head.weight", .head, [.vocabulary, .hidden],
      .requiredUnless("tie_word_embeddings")),
    TensorRule(.model, "model.rotary_emb.inv_freq", .buffer, nil, .optional),
    TensorRule(.layer, "input_layernorm.weight", .norm, [.hidden]),
    TensorRule(.layer, "post_attention_layernorm.weight", .norm, [.hidden]),
    TensorRule(.layer, "self_attn.rotary_emb.inv_freq", .buffer, nil, .optional),
    TensorRule(.layer, "self_attn.*", .attention, nil, .optional),
  ]

  /// Attention with a projection each for queries, keys, values and the output, biases optional.
  static let queryKeyValueAttention: [TensorRule] =
    ["q", "k", "v", "o"].flatMap {
      [
        TensorRule(.layer, "self_attn.\($0)_proj.weight", .attention),
        TensorRule(.layer, "self_attn.\($0)_proj.bias", .attentionBias, nil, .optional),
      ]
    }

  /// The three projections of each routed expert.
  static func experts(_ prefix: String, gate: String, up: String, down: String) -> Self {
    [
      TensorRule(.mixtureLayer, prefix + gate, .expertGate, [.expertWidth, .hidden]),
      TensorRule(.mixtureLayer, prefix + up, .expertUp, [.expertWidth, .hidden]),
      TensorRule(.mixtureLayer, prefix + down, .expertDown, [.hidden, .expertWidth]),
    ]
  }

  /// The three projections of the shared expert.
  static func sharedExpert(_ prefix: String, gate: String, up: String, down: String) -> Self {
    [
      TensorRule(.mixtureLayer, prefix + gate, .sharedGate, [.sharedWidth, .hidden]),
      TensorRule(.mixtureLayer, prefix + up, .sharedUp, [.sharedWidth, .hidden]),
      TensorRule(.mixtureLayer, prefix + down, .sharedDown, [.hidden, .sharedWidth]),
    ]
  }

  /// The three projections of a layer without experts.
  static func denseMLP(_ prefix: String, gate: String, up: String, down: String) -> Self {
    [
      TensorRule(.denseLayer, prefix + gate, .denseGate, [.denseWidth, .hidden]),
      TensorRule(.denseLayer, prefix + up, .denseUp, [.denseWidth, .hidden]),
      TensorRule(.denseLayer, prefix + down, .denseDown, [.hidden, .denseWidth]),
    ]
  }
}
