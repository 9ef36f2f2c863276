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
    if isGeneric { return describeByNames(config: Config(config), weights: weights) }
    let layout = try ModelLayout(family: self, config: Config(config), weights: weights)
    let assignments = try layout.assignments(of: weights)
    let layerIndices = layout.presentLayers(assignments)
    try layout.requireTensors(in: assignments)

    var layers: [LayerDescription] = []
    var notes = layout.notes(layers: layerIndices)
    for index in layerIndices {
      try layout.requireTensors(in: assignments, layer: index)
      do throws(ModelFamiliesError) {
        layers.append(try layout.layer(index, in: assignments))
      } catch .missingTensor(let name, _) where layout.isPredictionLayer(index) {
        // Some re-saved checkpoints lack experts of such a layer, which the model works without.
        notes.append(.incompletePredictionLayer(layer: index, missing: name))
      }
    }
    return ModelDescription(
      familyName: name,
      modelType: layout.config.string("model_type"),
      hiddenSize: layout.hiddenSize,
      vocabularySize: layout.vocabularySize,
      normEpsilon: layout.normEpsilon,
      embedding: try layout.name(.embedding, in: assignments),
      embeddingFactor: layout.embeddingFactor,
      layers: layers,
      parameters: layout.parameters(weights, assignments),
      notes: notes,
      assignments: assignments)
  }
}

/// A family and the sizes that one config gives it.
struct ModelLayout {
  let family: ModelFamily
  let config: Config
  /// The prefix that the checkpoint's names have in the place of the family's.
  let wrapper: NameWrapper?
  let sizes: Sizes
  let hiddenSize: Int
  let vocabularySize: Int
  let normEpsilon: Double
  let embeddingFactor: Float
  let activation: GatedActivation
  let residual: Residual
  /// Without multi-token-prediction layers.
  let mainLayerCount: Int
  let predictionLayerCount: Int
  /// For each layer, those of multi-token prediction included, whether it has experts.
  let hasExperts: [Bool]
  /// Nil for a dense model.
  let router: RouterRule?

  init(
    family: ModelFamily, config: Config, weights: [NamedShape]
  ) throws(ModelFamiliesError) {
    for (key, expected) in family.expectedSettings.sorted(by: { $0.key < $1.key }) {
      if let value = config.value(key), value != expected {
        throw .invalidSetting(key: key, value: value.summary, expected: expected.summary)
      }
    }
    self.family = family
    self.config = config
    wrapper = family.wrappers.first { wrapper in
      weights.contains { weight in
        wrapper.unwrapped(weight.name).map { family.roles.match($0) != nil } ?? false
      }
    }
    sizes = try Sizes(rules: family.sizes, config: config)
    hiddenSize = try sizes.value(.hidden)
    vocabularySize = try sizes.value(.vocabulary)
    normEpsilon = try config.number(
      family.norm.epsilonKey, in: 0...1, default: family.norm.absentEpsilon)
    embeddingFactor =
      if let key = family.embeddingFactor { Float(try config.number(key, in: -1e6...1e6)) } else {
        1
      }
    activation = try family.activation.activation(config)
    residual = try family.residual.residual(config)
    mainLayerCount = try config.integer(family.layerCount, in: 1...100_000)
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

  /// The name of a rule's tensor; of a routed expert's, with the place for its index.
  func name(_ rule: TensorRule, layer: Int?) -> String { name(rule.name, layer: layer) }

  func name(_ name: String, layer: Int?) -> String {
    let plain =
      if let layer { SplitName(family.layerPrefix + name).with(layer) } else { name }
    return wrapper?.wrapped(plain) ?? plain
  }
}

/// A name, perhaps with a place for a number, taken apart once to be put together many times.
struct SplitName {
  private let head: String
  /// What follows the place; nil if there is none.
  private let tail: String?

  /// The first `{}` is the place.
  init(_ name: String) {
    guard let brace = name.utf8.firstIndex(of: UInt8(ascii: "{")) else {
      head = name
      tail = nil
      return
    }
    head = String(name[..<brace])
    tail = String(name[name.utf8.index(brace, offsetBy: 2)...])
  }

  func with(_ number: Int) -> String {
    guard let tail else { return head }
    return head + String(number) + tail
  }
}

extension Sizes {
  /// The size, or an error that names its key.
  func value(_ dimension: Dimension) throws(ModelFamiliesError) -> Int {
    guard let value = self[dimension] else { throw .missingSetting(key: key(dimension)) }
    return value
  }
}
