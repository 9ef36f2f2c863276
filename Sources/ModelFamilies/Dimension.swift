/// A size that tensors share and the config states.
enum Dimension: Sendable, Hashable {
  case hidden
  case vocabulary
  /// The intermediate size of a layer without experts.
  case denseWidth
  /// The intermediate size of a routed expert.
  case expertWidth
  /// The intermediate size of the shared expert.
  case sharedWidth
  case experts
  /// Gate and up of a routed expert together.
  case expertPair
  /// Gate and up of the shared expert together.
  case sharedPair
  /// The intermediate size of all routed experts together.
  case stackedExperts
  /// How many experts a token is sent to.
  case chosenExperts
  /// One.
  case single
}

/// Where a config states a size.
struct SizeRule: Sendable, ExpressibleByStringLiteral {
  /// The first of these keys that is there counts.
  let keys: [String]
  /// What the size is multiplied by. If it is absent, null or 0, there is no such size.
  let factorKey: String?
  /// What the size is multiplied by in any case.
  let multiple: Int
  /// Whether the size does not exist if its key is absent, null or 0.
  let isOptional: Bool

  init(keys: [String], factorKey: String? = nil, multiple: Int = 1, isOptional: Bool = false) {
    self.keys = keys
    self.factorKey = factorKey
    self.multiple = multiple
    self.isOptional = isOptional
  }

  /// Twice what the key says: two matrices of that size share a tensor.
  static func twice(_ key: String) -> SizeRule { SizeRule(keys: [key], multiple: 2) }

  /// A size that a model may lack.
  static func optional(_ key: String, multiple: Int = 1) -> SizeRule {
    SizeRule(keys: [key], multiple: multiple, isOptional: true)
  }

  init(stringLiteral key: String) {
    self.init(keys: [key])
  }
}

/// The sizes of a model, as its config states them.
struct Sizes: Sendable {
  /// No size is larger: products of two fit into 48 bits.
  static let largest = 1 << 24

  private let values: [Dimension: Int]
  private let keys: [Dimension: String]

  init(rules: [Dimension: SizeRule], config: Config) throws(ModelFamiliesError) {
    var values: [Dimension: Int] = [.single: 1]
    var keys: [Dimension: String] = [:]
    for (dimension, rule) in rules {
      let key = config.present(rule.keys)
      keys[dimension] = rule.factorKey ?? key
      if rule.isOptional, !config.isSet(key) { continue }
      var factor = rule.multiple
      if let factorKey = rule.factorKey {
        guard config.isSet(factorKey) else { continue }
        factor *= try config.integer(factorKey, in: 1...Self.largest)
      }
      let (product, overflow) = try config.integer(key, in: 1...Self.largest)
        .multipliedReportingOverflow(by: factor)
      guard !overflow, product <= Self.largest else {
        throw .invalidSetting(
          key: rule.factorKey ?? key, value: "\(factor)", expected: "a smaller number")
      }
      values[dimension] = product
    }
    self.values = values
    self.keys = keys
  }

  /// Nil if the model has nothing of this size.
  subscript(dimension: Dimension) -> Int? { values[dimension] }

  /// The config key that states a size.
  func key(_ dimension: Dimension) -> String { keys[dimension] ?? "\(dimension)" }
}
