extension Report {
  /// What quantization does to one layer's MLP output.
  public struct LayerEntry: Sendable, Codable, Equatable {
    public var layer: Int
    /// `dense` or `moe`.
    public var kind: String
    /// `tokens`: the streams from the token ids; `seeded`: normal inputs (multi-token prediction).
    public var input: String
    /// ‖ŷ − y‖₂ / ‖y‖₂ with the same input to both.
    public var relativeError: Double?
    /// ‖ŷ − y‖₂ / ‖y‖₂ where the quantized stream keeps its own error; nil for a seeded layer.
    public var cumulativeRelativeError: Double?
    /// ⟨ŷ, y⟩ / (‖ŷ‖₂ ‖y‖₂) with the same input to both.
    public var cosine: Double?
    /// The share of (token, slot) choices that both streams make; nil for a dense or seeded layer.
    public var routingAgreement: Double?
    /// The routed experts, in order; empty for a dense layer.
    public var experts: [ExpertEntry]

    public init(
      layer: Int, kind: String, input: String, relativeError: Double?,
      cumulativeRelativeError: Double?, cosine: Double?, routingAgreement: Double?,
      experts: [ExpertEntry]
    ) {
      self.layer = layer
      self.kind = kind
      self.input = input
      self.relativeError = relativeError
      self.cumulativeRelativeError = cumulativeRelativeError
      self.cosine = cosine
      self.routingAgreement = routingAgreement
      self.experts = experts
    }

    enum CodingKeys: String, CodingKey {
      case layer, kind, input, cosine, experts
      case relativeError = "relative_error"
      case cumulativeRelativeError = "cumulative_relative_error"
      case routingAgreement = "routing_agreement"
    }
  }

  /// What quantization does to one expert's output.
  public struct ExpertEntry: Sendable, Codable, Equatable {
    public var expert: Int
    /// The number of tokens that the reference router sent to this expert.
    public var tokens: Int
    /// Whether the expert saw no token and was measured on seeded inputs of the layer's scale.
    public var seeded: Bool
    /// ‖ŷ − y‖₂ / ‖y‖₂ with the same input to both.
    public var relativeError: Double?

    public init(expert: Int, tokens: Int, seeded: Bool, relativeError: Double?) {
      self.expert = expert
      self.tokens = tokens
      self.seeded = seeded
      self.relativeError = relativeError
    }

    enum CodingKeys: String, CodingKey {
      case expert, tokens, seeded
      case relativeError = "relative_error"
    }
  }

  /// What the budget says.
  public struct BudgetResult: Sendable, Codable, Equatable {
    /// Whether nothing is over the budget. True without the gate, since nothing was asked.
    public var passed: Bool
    /// `default`: only what is broken is a violation; `given`: a budget of the user's decided too.
    public var limits: String
    public var violations: [Violation]

    public init(violations: [Violation], limits: String = "given") {
      self.passed = violations.isEmpty
      self.limits = limits
      self.violations = violations
    }
  }

  /// One figure over its limit.
  public struct Violation: Sendable, Codable, Equatable {
    /// `weights.relative_error`, `layers.routing_agreement` and so on.
    public var metric: String
    /// The figure; nil if it is not finite.
    public var value: Double?
    public var limit: Double
    /// The tensor, layer or expert.
    public var location: String

    public init(metric: String, value: Double?, limit: Double, location: String) {
      self.metric = metric
      self.value = value
      self.limit = limit
      self.location = location
    }

    enum CodingKeys: String, CodingKey {
      case metric, value, limit
      case location = "where"
    }
  }
}
