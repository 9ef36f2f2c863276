public import Bytes
import ReferenceModel

extension ModelFamily {
  /// Understands a checkpoint: gives each weight its role and each layer its weights, and checks
  /// that config and weights agree.
  ///
  /// - Parameter config: `config.json`.
  /// - Parameter weights: every weight of the checkpoint, each name once, in the order in which
  ///   errors shall be found; scales that belong to a weight are not among them.
  public func describe(
    config: JSONValue, weights: [NamedShape]
  ) throws(ModelFamiliesError) -> ModelDescription {
    let layout = try ModelLayout(family: self, config: Config(config))
    let assignments = try layout.assignments(of: weights)
    let layerIndices = layout.presentLayers(assignments)
    try layout.requireTensors(in: assignments, layers: layerIndices)

    var layers: [LayerDescription] = []
    for index in layerIndices {
      layers.append(try layout.layer(index, in: assignments))
    }
    return ModelDescription(
      familyName: name,
      modelType: layout.config.string("model_type"),
      hiddenSize: layout.hiddenSize,
      vocabularySize: layout.vocabularySize,
      normEpsilon: layout.normEpsilon,
      embedding: try layout.name(.embedding, in: assignments),
      layers: layers,
      parameters: layout.parameters(weights, assignments),
      notes: layout.notes(layers: layerIndices),
      assignments: assignments)
  }
}

/// A family and the sizes that one config gives it.
struct ModelLayout {
  let family: ModelFamily
  let config: Config
  let sizes: Sizes
  let hiddenSize: Int
  let vocabularySize: Int
  let normEpsilon: Double
  /// Without multi-token-prediction layers.
  let mainLayerCount: Int
  let predictionLayerCount: Int
  /// For each layer, those of multi-token prediction included, whether it has experts.
  let hasExperts: [Bool]
  /// Nil for a dense model.
  let router: RouterRule?

  static let layerCountKey = "num_hidden_layers"

  init(family: ModelFamily, config: Config) throws(ModelFamiliesError) {
    for (key, expected) in family.expectedSettings.sorted(by: { $0.key < $1.key }) {
      if let value = config.value(key), value != expected {
        throw .invalidSetting(key: key, value: value.summary, expected: expected.summary)
      }
    }
    self.family = family
    self.config = config
    sizes = try Sizes(rules: family.sizes, config: config)
    hiddenSize = try sizes.value(.hidden)
    vocabularySize = try sizes.value(.vocabulary)
    normEpsilon = try config.number("rms_norm_eps", in: 0...1)
    mainLayerCount = try config.integer(Self.layerCountKey, in: 1...100_000)
    predictionLayerCount =
      if let key = family.predictionLayers {
        try config.integer(key, in: 0...1_000, default: 0)
      } else { 0 }
    hasExperts = try family.mixtureLayers.flags(
      layerCount: mainLayerCount + predictionLayerCount, config: config)
    router = try family.router?.rule(expertCount: sizes.value(.experts), config: config)
  }

  func isPredictionLayer(_ layer: Int) -> Bool { layer >= mainLayerCount }

  /// Whether the layer has tensors of this scope.
  func hasTensors(_ scope: TensorRule.Scope, in layer: Int) -> Bool {
    switch scope {
    case .model: false
    case .layer: true
    case .denseLayer: !hasExperts[layer]
    case .mixtureLayer: hasExperts[layer]
    case .predictionLayer: isPredictionLayer(layer)
    }
  }

  /// The sizes of a rule's shape; nil if one of them does not exist in this model.
  func shape(of rule: TensorRule) -> [Int]? {
    guard let dimensions = rule.shape else { return [] }
    let values = dimensions.compactMap { sizes[$0] }
    return values.count == dimensions.count ? values : nil
  }

  func isRequired(_ rule: TensorRule) -> Bool {
    guard shape(of: rule) != nil else { return false }
    return switch rule.presence {
    case .required: true
    case .optional: false
    case .requiredIf(let key): config.isSet(key)
    case .requiredUnless(let key): !config.isSet(key)
    }
  }

  /// The name of a rule's tensor, which is no routed expert's.
  func name(_ rule: TensorRule, layer: Int?) -> String {
    guard let layer else { return rule.name }
    return SplitName(family.layerPrefix + rule.name).with(layer)
  }
}

/// A name with a place for a number, taken apart once to be put together many times.
struct SplitName {
  private let head: String
  private let tail: String

  /// - Precondition: `name` contains `{}`; the first place counts.
  init(_ name: String) {
    let brace = name.utf8.firstIndex(of: UInt8(ascii: "{"))!
    head = String(name[..<brace])
    tail = String(name[name.utf8.index(brace, offsetBy: 2)...])
  }

  func with(_ number: Int) -> String {
    head + String(number) + tail
  }
}

extension Sizes {
  /// The size, or an error that names its key.
  func value(_ dimension: Dimension) throws(ModelFamiliesError) -> Int {
    guard let value = self[dimension] else { throw .missingSetting(key: key(dimension)) }
    return value
  }
}
