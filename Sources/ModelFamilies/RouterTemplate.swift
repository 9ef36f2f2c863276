import ReferenceModel

/// A family's router: which config keys complete its rule.
struct RouterTemplate: Sendable {
  enum Normalization: Sendable {
    case always(epsilon: Float)
    /// If the key is true, or absent and `absent` is.
    case ifSet(key: String, absent: Bool, epsilon: Float)
  }

  let scoring: RouterRule.Scoring
  let expertsPerToken: String
  /// The keys of the number of groups and of the groups that a token may use.
  let groups: (count: String, kept: String)?
  let normalization: Normalization
  /// The key of the factor; nil if there is none.
  let scalingFactor: String?

  init(
    scoring: RouterRule.Scoring, expertsPerToken: String = "num_experts_per_tok",
    groups: (count: String, kept: String)? = nil, normalization: Normalization,
    scalingFactor: String? = nil
  ) {
    self.scoring = scoring
    self.expertsPerToken = expertsPerToken
    self.groups = groups
    self.normalization = normalization
    self.scalingFactor = scalingFactor
  }

  func rule(expertCount: Int, config: Config) throws(ModelFamiliesError) -> RouterRule {
    let chosen = try config.integer(expertsPerToken, in: 1...expertCount)
    let groups = try groups(expertCount: expertCount, expertsPerToken: chosen, config: config)
    let scale =
      if let scalingFactor { try config.number(scalingFactor, in: 1e-6...1e6) } else { 1.0 }
    return RouterRule(
      scoring: scoring, expertCount: expertCount, expertsPerToken: chosen, groups: groups,
      normalization: try normalization(config), scalingFactor: Float(scale))
  }

  /// Nil for one group, which keeps every expert.
  private func groups(
    expertCount: Int, expertsPerToken: Int, config: Config
  ) throws(ModelFamiliesError) -> RouterRule.Groups? {
    guard let keys = groups else { return nil }
    let count = try config.integer(keys.count, in: 1...expertCount)
    let kept = try config.integer(keys.kept, in: 1...count)
    guard count > 1 else { return nil }
    let groups = RouterRule.Groups(count: count, kept: kept)
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

  private func normalization(
    _ config: Config
  ) throws(ModelFamiliesError) -> RouterRule.Normalization {
    switch normalization {
    case .always(let epsilon):
      return .sum(epsilon: epsilon)
    case .ifSet(let key, let absent, let epsilon):
      return try config.bool(key, default: absent) ? .sum(epsilon: epsilon) : .none
    }
  }
}
