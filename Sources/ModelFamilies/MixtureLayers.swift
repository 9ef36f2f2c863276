/// Which layers have experts.
enum MixtureLayers: Sendable {
  case none
  case all
  /// Those from the index under `first`, of which every `step`-th has (1 if the key is absent).
  case from(first: String, step: String)
  /// Those outside the list under `except` whose ordinal (from 1) is a multiple of `step`.
  case every(step: String, except: String)

  /// For each of `layerCount` layers, whether it has experts.
  func flags(layerCount: Int, config: Config) throws(ModelFamiliesError) -> [Bool] {
    switch self {
    case .none:
      return [Bool](repeating: false, count: layerCount)
    case .all:
      return [Bool](repeating: true, count: layerCount)
    case .from(let first, let step):
      let first = try config.integer(first, in: 0...Sizes.largest)
      let step = try config.integer(step, in: 1...Sizes.largest, default: 1)
      return (0..<layerCount).map { $0 >= first && $0 % step == 0 }
    case .every(let step, let except):
      let step = try config.integer(step, in: 1...Sizes.largest, default: 1)
      let except = try Set(config.integers(except, in: 0...max(0, layerCount - 1)))
      return (0..<layerCount).map { !except.contains($0) && ($0 + 1) % step == 0 }
    }
  }

  /// The config keys that decide.
  var keys: [String] {
    switch self {
    case .none, .all: []
    case .from(let first, let step): [first, step]
    case .every(let step, let except): [except, step]
    }
  }
}
