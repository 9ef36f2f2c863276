import ReferenceModel

/// A family's router: which config keys complete its rule.
struct RouterTemplate: Sendable {
  enum Normalization: Sendable {
    case always(RouterRule.Normalization)
    /// A division by the sum if the key is true, or absent and `absent` is.
    case ifSet(key: String, absent: Bool, epsilon: Float)
    /// Division by the sum, which counts as at least what the key says.
    case clamped(minimumKey: String, absent: Float)
    /// Division by the norm whose exponent the key says; none if it is absent.
    case norm(exponentKey: String)

    static let never = Normalization.always(.none)
  }

  /// The keys of the number of groups and of the groups that a token may use.
  struct Groups: Sendable {
    let count: String
    let kept: String
    var scoring = RouterRule.Groups.Scoring.sumOfTwoLargest
    /// There are groups only if the key has the value.
    var condition: (key: String, value: String)? = nil
  }

  enum Selection: Sendable {
    case largest
    case sparseMixer(jitterKey: String)
  }

  let scoring: RouterRule.Scoring
  /// The first of these keys that is there counts.
  let expertsPerToken: [String]
  let groups: Groups?
  let selection: Selection
  let normalization: Normalization
  /// The key of the factor; nil if there is none.
  let scalingFactor: String?
  let scalesInput: Bool

  init(
    scoring: RouterRule.Scoring, expertsPerToken: [String] = ["num_experts_per_tok"],
    groups: Groups? = nil, selection: Selection = .largest, normalization: Normalization,
    scalingFactor: String? = nil, scalesInput: Bool = false
  ) {
    self.scoring = scoring
    self.expertsPerToken = expertsPerToken
    self.groups = groups
    self.selection = selection
    self.normalization = normalization
    self.scalingFactor = scalingFactor
    self.scalesInput = scalesInput
  }

  func rule(expertCount: Int, config: Config) throws(ModelFamiliesError) -> RouterRule {
    let chosen = try config.integer(config.present(expertsPerToken), in: 1...expertCount)
    let groups = try groups(expertCount: expertCount, expertsPerToken: chosen, config: config)
    let scale =
      if let scalingFactor { try config.number(scalingFactor, in: 1e-6...1e6) } else { 1.0 }
    return RouterRule(
      scoring: scoring, expertCount: expertCount, expertsPerToken: chosen, groups: groups,
      selection: try selection(config), normalization: try normalization(config),
      scalingFactor: Float(scale), scalesInput: scalesInput)
  }

  /// Nil for one group, which keeps every expert.
  private func groups(
    expertCount: Int, expertsPerToken: Int, config: Config
  ) throws(ModelFamiliesError) -> RouterRule.Groups? {
    guard let keys = groups else { return nil }
    if let condition = keys.condition, config.string(condition.key) != condition.value {
      return nil
    }
    let count = try config.integer(keys.count, in: 1...expertCount)
    let kept = try config.integer(keys.kept, in: 1...count)
    guard count > 1 else { return nil }
    let groups = RouterRule.Groups(count: count, kept: kept, scoring: keys.scoring)
    guard
      RouterRule.isConsistent(
        expertCount: expertCount, expertsPerToken: expertsPerToken, groups: groups)
    else {
      throw .invalidSetting(
        key: keys.count, value: "\(count)",
        expected: "groups that divide \(expertCount) experts evenly, of two or more each, "
          + "\(kept) of which (\(keys.kept)) hold \(expertsPerToken)")
    }
    return groups
  }

  private func selection(_ config: Config) throws(ModelFamiliesError) -> RouterRule.Selection {
    switch selection {
    case .largest: return .largest
    case .sparseMixer(let key):
      return .sparseMixer(jitter: Float(try config.number(key, in: 0...1, default: 0.01)))
    }
  }

  private func normalization(
    _ config: Config
  ) throws(ModelFamiliesError) -> RouterRule.Normalization {
    switch normalization {
    case .always(let normalization):
      return normalization
    case .ifSet(let key, let absent, let epsilon):
      return try config.bool(key, default: absent) ? .sum(epsilon: epsilon) : .none
    case .clamped(let key, let absent):
      let minimum = try config.number(key, in: 0...1, default: Double(absent))
      return .clampedSum(minimum: Float(minimum))
    case .norm(let key):
      guard config.value(key) != nil else { return .none }
      return .norm(exponent: Float(try config.number(key, in: 1...16)))
    }
  }
}
