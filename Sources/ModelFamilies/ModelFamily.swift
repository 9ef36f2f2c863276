public import Bytes
import ReferenceModel

/// A family of models: the names of its tensors and the rules of its router. Everything that one
/// family does and another does not is a value here.
public struct ModelFamily: Sendable {
  /// The name that people use: "DeepSeek-V3".
  public let name: String
  /// The models that people know it by.
  public let models: [String]
  /// The `model_type`s of its configs.
  public let modelTypes: [String]
  /// The `architectures` of its configs, which decide where `model_type` is absent.
  public let architectures: [String]

  /// Settings that the reference relies on: absent, or this value.
  let expectedSettings: [String: JSONValue]
  let sizes: [Dimension: SizeRule]
  /// The config key of the number of layers.
  let layerCount: String
  let mixtureLayers: MixtureLayers
  /// The config key of the number of multi-token-prediction layers that are numbered as the others.
  let predictionLayers: String?
  /// Nil for a dense model.
  let router: RouterTemplate?
  let activation: ActivationRule
  /// The norm before the MLP.
  let norm: NormRule
  let residual: ResidualRule
  /// The config key of what embeddings are multiplied by.
  let embeddingFactor: String?
  let tensors: [TensorRule]
  /// What the projections of routed experts add; nil if nothing.
  let expertBiases: ExpertBiasRule?
  /// What precedes the names of a layer's tensors.
  let layerPrefix: String
  /// Prefixes that releases put in the place of another (or of nothing).
  let wrappers: [NameWrapper]
  /// What of the stream of hidden states is left out besides attention.
  let omissions: [String]
  /// Whether roles follow from names alone.
  let isGeneric: Bool

  let roles: RoleTable

  init(
    name: String, models: [String]? = nil, modelTypes: [String], architectures: [String],
    expectedSettings: [String: JSONValue], sizes: [Dimension: SizeRule],
    layerCount: String = "num_hidden_layers",
    mixtureLayers: MixtureLayers = .none, predictionLayers: String? = nil,
    router: RouterTemplate? = nil, activation: ActivationRule = .silu, norm: NormRule = NormRule(),
    residual: ResidualRule = .plain, embeddingFactor: String? = nil, tensors: [[TensorRule]],
    expertBiases: ExpertBiasRule? = nil, layerPrefix: String = "model.layers.{}.",
    wrappers: [NameWrapper] = [], omissions: [String] = [],
    isGeneric: Bool = false
  ) {
    self.name = name
    self.models = models ?? [name]
    self.modelTypes = modelTypes
    self.architectures = architectures
    self.expectedSettings = expectedSettings
    self.sizes = sizes
    self.layerCount = layerCount
    self.mixtureLayers = mixtureLayers
    self.predictionLayers = predictionLayers
    self.router = router
    self.activation = activation
    self.norm = norm
    self.residual = residual
    self.embeddingFactor = embeddingFactor
    self.tensors = Array(tensors.joined())
    self.expertBiases = expertBiases
    self.layerPrefix = layerPrefix
    self.wrappers = wrappers
    self.omissions = omissions
    self.isGeneric = isGeneric
    self.roles = RoleTable(rules: self.tensors, layerPrefix: layerPrefix)
  }
}

extension ModelFamily {
  /// Every family that is known. A new one is a file in `Families/` and an entry here.
  public static let all: [ModelFamily] = [
    deepSeekV2, deepSeekV3, deepSeekV32, deepSeekV4, kimiK2, qwen2MoE, qwen3MoE, qwen3VLMoE,
    qwen3Next,
    qwen35MoE, glm4MoE, glm4MoELite, glm5, gptOSS, miniMax, miniMaxM2, hunyuanA13B, hunyuanLarge,
    ernie45, llama4, mixtral, dbrx, graniteMoE, olmoe, phi35MoE, jamba, llama, qwen2, seedOSS,
    baichuan,
  ]

  /// Whether the family knows no config and measures no layer.
  public var isForAnyModel: Bool { isGeneric }

  /// The family that a config names.
  ///
  /// - Parameter config: `config.json`; nil if the checkpoint has none.
  /// - Parameter name: the name or a model type of the family to take whatever the config says.
  /// - Throws: `configMissing`, `unknownArchitecture`, `unknownFamily`
  public static func recognize(
    config: JSONValue?, named name: String? = nil
  ) throws(ModelFamiliesError) -> ModelFamily {
    if let name {
      let wanted = name.lowercased()
      let family = (all + [generic]).first {
        $0.name.lowercased() == wanted || $0.modelTypes.contains(wanted)
      }
      guard let family else {
        throw .unknownFamily(name: name, known: (all + [generic]).map(\.name))
      }
      return family
    }
    guard let config else { throw .configMissing }
    let look = Config(config)
    let architectures = look.value("architectures")?.array?.compactMap(\.string) ?? []
    let family =
      if let modelType = look.string("model_type") {
        all.first { $0.modelTypes.contains(modelType) }
      } else {
        all.first { !Set($0.architectures).isDisjoint(with: architectures) }
      }
    guard let family else {
      throw .unknownArchitecture(
        modelType: look.string("model_type"), architectures: architectures,
        known: all.flatMap(\.modelTypes))
    }
    return family
  }

  /// The role of a tensor by its name alone; nil if the family has no such tensor. Of a tensor that
  /// holds several matrices it is the role of the first.
  public func assignment(of name: String) -> TensorAssignment? {
    let names = [name] + wrappers.compactMap { $0.unwrapped(name) }
    return names.lazy.compactMap { roles.match($0) }.first.map { match in
      TensorAssignment(role: tensors[match.rule].role, layer: match.layer, expert: match.expert)
    }
  }
}

/// A prefix that releases put in the place of the one that a family's names have.
struct NameWrapper: Sendable {
  let released: String
  let plain: String

  /// The family's name of a tensor; nil if the prefix is another.
  func unwrapped(_ name: String) -> String? {
    guard name.utf8.starts(with: released.utf8) else { return nil }
    return plain + String(name.utf8.dropFirst(released.utf8.count))!
  }

  /// The released name of a tensor.
  func wrapped(_ name: String) -> String {
    guard name.utf8.starts(with: plain.utf8) else { return name }
    return released + String(name.utf8.dropFirst(plain.utf8.count))!
  }
}

/// Where what the projections of routed experts add is: tensors with a row for each expert.
struct ExpertBiasRule: Sendable {
  /// Gate and up together, after the layer prefix.
  let gateUp: String
  let order: FusedRule.Order
  let down: String
}
