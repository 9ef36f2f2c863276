import Bytes

/// Which layers have experts.
indirect enum MixtureLayers: Sendable {
  case none
  case all
  /// Those from the index under `first`, of which every `step`-th has (1 if the key is absent).
  case from(first: String, absent: Int? = nil, step: String)
  /// Those outside the list under `except` whose ordinal (from 1) is a multiple of `step`.
  case every(step: String, except: String)
  /// Those whose index leaves the remainder under `offset` when divided by `period`.
  case periodic(period: String, offset: String)
  /// Those from `first` to `last`, -1 being the last of all, whose ordinal is a multiple of `step`.
  case between(first: String, last: String, step: String)
  /// Those in the list under `key`; without it, those whose ordinal is a multiple of `step`.
  case listed(key: String, step: String)
  /// Those whose entry in the list under `key` is not `dense`; without it, as `otherwise` says.
  case typed(key: String, dense: String, otherwise: MixtureLayers)

  /// For each of `layerCount` layers, whether it has experts.
  func flags(layerCount: Int, config: Config) throws(ModelFamiliesError) -> [Bool] {
    let steps = 1...Sizes.largest
    let layers = 0...max(0, layerCount - 1)
    switch self {
    case .none:
      return [Bool](repeating: false, count: layerCount)
    case .all:
      return [Bool](repeating: true, count: layerCount)
    case .from(let first, let absent, let step):
      let first = try config.integer(first, in: 0...Sizes.largest, default: absent)
      let step = try config.integer(step, in: steps, default: 1)
      return (0..<layerCount).map { $0 >= first && $0 % step == 0 }
    case .every(let step, let except):
      let step = try config.integer(step, in: steps, default: 1)
      let except = try Set(config.integers(except, in: layers))
      return (0..<layerCount).map { !except.contains($0) && ($0 + 1) % step == 0 }
    case .periodic(let period, let offset):
      let period = try config.integer(period, in: steps)
      let offset = try config.integer(offset, in: 0...period - 1)
      return (0..<layerCount).map { $0 % period == offset }
    case .between(let first, let last, let step):
      let first = try config.integer(first, in: 0...Sizes.largest, default: 0)
      let end = try config.integer(last, in: -1...Sizes.largest, default: -1)
      let step = try config.integer(step, in: steps, default: 1)
      return (0..<layerCount).map {
        $0 >= first && (end < 0 || $0 <= end) && ($0 + 1) % step == 0
      }
    case .listed(let key, let step):
      guard config.value(key) != nil else {
        let step = try config.integer(step, in: steps, default: 1)
        return (0..<layerCount).map { ($0 + 1) % step == 0 }
      }
      let listed = try Set(config.integers(key, in: layers))
      return (0..<layerCount).map { listed.contains($0) }
    case .typed(let key, let dense, let otherwise):
      guard let value = config.value(key) else {
        return try otherwise.flags(layerCount: layerCount, config: config)
      }
      guard let types = value.array?.compactMap(\.string), types.count == value.array?.count,
        types.count <= layerCount
      else {
        throw .invalidSetting(
          key: key, value: value.summary, expected: "a list of at most \(layerCount) names")
      }
      // Multi-token-prediction layers, which the list leaves out, are like the last.
      return (0..<layerCount).map { (types.indices.contains($0) ? types[$0] : types.last) != dense }
    }
  }

  /// The config keys that decide.
  var keys: [String] {
    switch self {
    case .none, .all: []
    case .from(let first, _, let step): [first, step]
    case .every(let step, let except): [except, step]
    case .periodic(let period, let offset): [period, offset]
    case .between(let first, let last, let step): [first, last, step]
    case .listed(let key, let step): [key, step]
    case .typed(let key, _, let otherwise): [key] + otherwise.keys
    }
  }
}
