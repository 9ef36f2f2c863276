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
  /// How the tensor holds several matrices; nil if it is one.
  let fused: FusedRule?

  init(
    _ scope: Scope, _ name: String, _ role: TensorRole, _ shape: [Dimension]? = nil,
    _ presence: Presence = .required, fused: FusedRule? = nil
  ) {
    self.fused = fused
    self.scope = scope
    self.name = name
    self.role = role
    self.shape = shape
    self.presence = presence
  }

  /// Whether there is one for each expert.
  var isPerExpert: Bool { name.contains("{}") && scope == .mixtureLayer }
}

extension TensorRule {
  /// A tensor that holds several matrices; whichever of a layer's tensors have them.
  static func fused(
    _ scope: Scope, _ name: String, _ shape: [Dimension], _ fused: FusedRule
  ) -> TensorRule {
    TensorRule(scope, name, fused.roles[0], shape, .optional, fused: fused)
  }
}

extension [TensorRule] {
  /// The three projections of each routed expert.
  static func experts(
    _ prefix: String, gate: String = "gate_proj.weight", up: String = "up_proj.weight",
    down: String = "down_proj.weight", _ presence: TensorRule.Presence = .required
  ) -> Self {
    [
      TensorRule(.mixtureLayer, prefix + gate, .expertGate, [.expertWidth, .hidden], presence),
      TensorRule(.mixtureLayer, prefix + up, .expertUp, [.expertWidth, .hidden], presence),
      TensorRule(.mixtureLayer, prefix + down, .expertDown, [.hidden, .expertWidth], presence),
    ]
  }

  /// The three projections of the shared expert.
  static func sharedExpert(
    _ prefix: String, gate: String = "gate_proj.weight", up: String = "up_proj.weight",
    down: String = "down_proj.weight", _ presence: TensorRule.Presence = .required
  ) -> Self {
    [
      TensorRule(.mixtureLayer, prefix + gate, .sharedGate, [.sharedWidth, .hidden], presence),
      TensorRule(.mixtureLayer, prefix + up, .sharedUp, [.sharedWidth, .hidden], presence),
      TensorRule(.mixtureLayer, prefix + down, .sharedDown, [.hidden, .sharedWidth], presence),
    ]
  }

  /// The three projections of a layer without experts.
  static func denseMLP(
    _ prefix: String, gate: String = "gate_proj.weight", up: String = "up_proj.weight",
    down: String = "down_proj.weight", _ presence: TensorRule.Presence = .required
  ) -> Self {
    [
      TensorRule(.denseLayer, prefix + gate, .denseGate, [.denseWidth, .hidden], presence),
      TensorRule(.denseLayer, prefix + up, .denseUp, [.denseWidth, .hidden], presence),
      TensorRule(.denseLayer, prefix + down, .denseDown, [.hidden, .denseWidth], presence),
    ]
  }
}
