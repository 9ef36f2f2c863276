/// What a tensor does in the model. The raw values are the names that recipes and reports use and
/// do not change.
public enum TensorRole: String, Sendable, Hashable, CaseIterable, Codable {
  /// A routed expert's projections.
  case expertGate = "expert.gate"
  case expertUp = "expert.up"
  case expertDown = "expert.down"
  /// The projections of the expert that every token goes through.
  case sharedGate = "shared.gate"
  case sharedUp = "shared.up"
  case sharedDown = "shared.down"
  /// The MLP of a layer without experts.
  case denseGate = "dense.gate"
  case denseUp = "dense.up"
  case denseDown = "dense.down"
  /// Makes a logit for each expert.
  case router = "router"
  /// Added to the router's scores for choosing experts.
  case routerBias = "router.bias"
  /// Added to the router's logits.
  case routerLogitBias = "router.logit_bias"
  /// Names the experts of each token id, in place of a choice by scores.
  case routerTable = "router.table"
  /// Makes the weight of the shared expert's output.
  case sharedExpertGate = "router.shared"
  /// What the projections of experts add.
  case mlpBias = "mlp.bias"
  /// A projection of attention.
  case attention = "attention"
  /// What such a projection adds.
  case attentionBias = "attention.bias"
  /// What mixes tokens in place of attention: linear attention, a state space.
  case mixer = "mixer"
  /// How sub-layers join the stream, where it is more than a sum.
  case residual = "residual"
  /// The factors of a normalization, wherever it stands.
  case norm = "norm"
  /// The table of token embeddings.
  case embedding = "embedding"
  /// Makes logits of the last hidden state.
  case head = "head"
  /// What only a multi-token-prediction layer has; its decoder layer has the usual roles.
  case multiTokenPrediction = "mtp"
  /// An encoder of images or sound, and what leads from it into the model.
  case encoder = "encoder"
  /// Anything else.
  case other = "other"
  /// No parameter: an engine computes it from the config.
  case buffer = "buffer"

  /// Whether it is a matrix of a routed expert, shared expert or dense MLP: what a scheme applies
  /// to unless a recipe says otherwise.
  public var isMLPWeight: Bool {
    switch self {
    case .expertGate, .expertUp, .expertDown, .sharedGate, .sharedUp, .sharedDown, .denseGate,
      .denseUp, .denseDown:
      true
    default: false
    }
  }

  /// Whether it is a matrix of a routed expert.
  var isExpertWeight: Bool { self == .expertGate || self == .expertUp || self == .expertDown }
}

/// The role of one tensor, and where it stands.
public struct TensorAssignment: Sendable, Hashable {
  public let role: TensorRole
  /// Nil outside of layers. Multi-token-prediction layers follow the others.
  public let layer: Int?
  /// Nil but for routed experts.
  public let expert: Int?
}
