public import Bytes
import ReferenceModel

/// A family of models: the names of its tensors and the rules of its router. Everything that one
/// family does and another does not is a value here.
public struct ModelFamily: Sendable {
  /// The name that people use: "DeepSeek-V3".
  public let name: String
  /// The `model_type`s of its configs.
  public let modelTypes: [String]
  /// The `architectures` of its configs, which decide where `model_type` is absent.
  public let architectures: [String]

  /// Settings that the reference relies on: absent, or this value.
  let expectedSettings: [String: JSONValue]
  let sizes: [Dimension: SizeRule]
  let mixtureLayers: MixtureLayers
  /// The config key of the number of multi-token-prediction layers.
  let predictionLayers: String?
  /// Nil for a dense model.
  let router: RouterTemplate?
  let tensors: [TensorRule]

  /// What precedes the names of a layer's tensors.
  let layerPrefix = "model.layers.{}."
  /// The norm before the MLP.
  let postAttentionNorm = "post_attention_layernorm.weight"
  let activation = GatedActivation.silu
  let roles: RoleTable

  init(
    name: String, modelTypes: [String], architectures: [String],
    expectedSettings: [String: JSONValue], sizes: [Dimension: SizeRule],
    mixtureLayers: MixtureLayers = .none, predictionLayers: String? = nil,
    router: RouterTemplate? = nil, tensors: [TensorRule]
  ) {
    self.name = name
    self.modelTypes = modelTypes
    self.architectures = architectures
    self.expectedSettings = expectedSettings
    self.sizes = sizes
    self.mixtureLayers = mixtureLayers
    self.predictionLayers = predictionLayers
    self.router = router
    self.tensors = tensors
    self.roles = RoleTable(rules: tensors, layerPrefix: layerPrefix)
  }
}

extension ModelFamily {
  /// Every family that is known. A new one is a file in `Families/` and an entry here.
  public static let all: [ModelFamily] = [deepSeekV3, qwen3MoE, mixtral, llama, qwen2]

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
      let family = all.first { $0.name.lowercased() == wanted || $0.modelTypes.contains(wanted) }
      guard let family else { throw .unknownFamily(name: name, known: all.map(\.name)) }
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

  /// The role of a tensor by its name alone; nil if the family has no such tensor.
  public func assignment(of name: String) -> TensorAssignment? {
    roles.match(name).map { match in
      TensorAssignment(role: tensors[match.rule].role, layer: match.layer, expert: match.expert)
    }
  }
}
