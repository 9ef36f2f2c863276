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
}

/// Where a config states a size.
struct SizeRule: Sendable, ExpressibleByStringLiteral {
  /// The first of these keys that is there counts.
  let keys: [String]
  /// What the size is multiplied by. If it is absent, null or 0, there is no such size.
  let factorKey: String?

  init(keys: [String], factorKey: String? = nil) {
    self.keys = keys
    self.factorKey = factorKey
  }

  init(stringLiteral key: String) {
    self.init(keys: [key])
  }
}

/// The sizes of a model, as its config states them.
struct Sizes: Sendable {
  /// No size is larger: products of two fit into 48 bits, and OpenBLAS counts in 32.
  static let largest = 1 << 24

  private let values: [Dimension: Int]
  private let keys: [Dimension: String]

  init(rules: [Dimension: SizeRule], config: Config) throws(ModelFamiliesError) {
    var values: [Dimension: Int] = [:]
    var keys: [Dimension: String] = [:]
    for (dimension, rule) in rules {
      let key = rule.keys.first { config.value($0) != nil } ?? rule.keys[0]
      keys[dimension] = rule.factorKey ?? key
      if let factorKey = rule.factorKey {
        guard config.isSet(factorKey) else { continue }
        let factor = try config.integer(factorKey, in: 1...Self.largest)
        let (product, overflow) = try config.integer(key, in: 1...Self.largest)
          .multipliedReportingOverflow(by: factor)
        guard !overflow, product <= Self.largest else {
          throw .invalidSetting(key: factorKey, value: "\(factor)", expected: "a smaller number")
        }
        values[dimension] = product
      } else {
        values[dimension] = try config.integer(key, in: 1...Self.largest)
      }
    }
    self.values = values
    self.keys = keys
  }

  /// Nil if the model has nothing of this size.
  subscript(dimension: Dimension) -> Int? { values[dimension] }

  /// The config key that states a size.
  func key(_ dimension: Dimension) -> String { keys[dimension] ?? "\(dimension)" }
}
