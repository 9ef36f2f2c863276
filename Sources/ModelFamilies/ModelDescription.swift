public import ReferenceModel
public import Tensors

/// A tensor's name and its shape as a weight: not that of packed codes.
public struct NamedShape: Sendable, Hashable {
  public let name: String
  public let shape: Shape
  /// Whether the source stores codes.
  public let isQuantized: Bool

  public init(name: String, shape: Shape, isQuantized: Bool = false) {
    self.name = name
    self.shape = shape
    self.isQuantized = isQuantized
  }
}

/// What a checkpoint is: every tensor's role, and for every layer which weights make its MLP.
/// Tensors are named as in the checkpoint, and each that is named here is there.
public struct ModelDescription: Sendable {
  /// The name that people use: "DeepSeek-V3".
  public let familyName: String
  /// The config's `model_type`; nil if it has none.
  public let modelType: String?
  public let hiddenSize: Int
  public let vocabularySize: Int
  /// The ε of every norm.
  public let normEpsilon: Double
  /// The table of token embeddings, vocabulary size × hidden size.
  public let embedding: String
  /// What embeddings are multiplied by.
  public let embeddingFactor: Float
  /// All layers in order, those of multi-token prediction last.
  public let layers: [LayerDescription]
  public let parameters: ParameterCounts
  /// What is unusual and no error.
  public let notes: [ModelNote]

  let assignments: Assignments

  /// The matrices that a tensor holds, expert after expert; none for a tensor that is one.
  public func parts(of tensor: String) -> [TensorPart] {
    assignments.parts[tensor] ?? []
  }

  /// Whether the matrices of a tensor, which a quantized source stores outputs × inputs, are
  /// inputs × outputs in a plain checkpoint of the family.
  public func isTurnedInPlainCheckpoints(_ tensor: String) -> Bool {
    assignments.turned.contains(tensor)
  }

  /// The role of a tensor of the checkpoint; nil for any other name. Of a tensor that holds several
  /// matrices it is the role of the first.
  public func assignment(of tensor: String) -> TensorAssignment? {
    assignments[tensor]
  }

  /// The number of layers that are not there for multi-token prediction.
  public var mainLayerCount: Int { layers.count { !$0.isMultiTokenPrediction } }
}

/// One decoder layer, as far as its MLP goes.
public struct LayerDescription: Sendable, Hashable {
  /// The number in the names of its tensors.
  public let index: Int
  /// Whether the layer predicts tokens further ahead: it takes no part in the model's stream.
  public let isMultiTokenPrediction: Bool
  /// The norm before the MLP: hidden size elements.
  public let postAttentionNorm: String
  /// What that norm adds, as many elements; nil if nothing.
  public let postAttentionNormBias: String?
  /// What that norm does.
  public let normalization: Normalization
  /// How the MLP's output joins the stream.
  public let residual: Residual
  public let activation: GatedActivation
  public let mlp: MLP

  public enum MLP: Sendable, Hashable {
    case dense(MLPWeights)
    case mixtureOfExperts(MoEDescription)
  }

  /// Nil for a dense layer.
  public var mixtureOfExperts: MoEDescription? {
    if case .mixtureOfExperts(let mixture) = mlp { mixture } else { nil }
  }
}

/// The weights of a mixture of experts, and its router's rule.
public struct MoEDescription: Sendable, Hashable {
  /// expert count × hidden size
  public let routerWeight: String
  /// expert count elements; nil if the family has none.
  public let correctionBias: String?
  /// Added to the logits: expert count elements; nil if the family has none.
  public let logitBias: String?
  /// For each token id the experts that it is sent to, whatever its scores: vocabulary size ×
  /// experts per token; nil where scores decide.
  public let routerTable: String?
  public let router: RouterRule
  /// The routed experts by index.
  public let experts: [MLPWeights]
  public let sharedExpert: MLPWeights?
  /// 1 × hidden size: the shared expert's output is multiplied by sigmoid(x · weightᵀ); nil if it
  /// is added as it is.
  public let sharedExpertGate: String?
}

/// How many numbers the model has learned. Scales of a quantized source are no parameters.
public struct ParameterCounts: Sendable, Hashable {
  /// Without multi-token-prediction layers.
  public let total: Int
  /// Those that one token meets, without multi-token-prediction layers: all but the routed experts
  /// that are not chosen. The table of embeddings counts whole, as it does on model cards.
  public let activePerToken: Int
  /// In multi-token-prediction layers.
  public let multiTokenPrediction: Int
}

/// Something about a checkpoint that a user should know and that stops nothing.
public enum ModelNote: Sendable, Hashable, CustomStringConvertible {
  /// The config declares multi-token-prediction layers that have no tensors.
  case absentPredictionLayers(declared: Int, present: Int, key: String)
  /// A multi-token-prediction layer lacks experts: what is there is carried and not measured.
  case incompletePredictionLayer(layer: Int, missing: String)
  /// The family is not known.
  case rolesByName
  /// Something besides attention that the measured stream leaves out.
  case leftOut(what: String)

  public var description: String {
    switch self {
    case .absentPredictionLayers(let declared, let present, let key):
      "config.json declares \(declared) multi-token-prediction layer\(declared == 1 ? "" : "s") "
        + "('\(key)'), of which the checkpoint holds \(present == 0 ? "none" : "\(present)")"
    case .incompletePredictionLayer(let layer, let missing):
      "the multi-token-prediction layer \(layer) is not complete (\(missing) is missing), "
        + "so it is carried without being measured"
    case .rolesByName:
      "family 'generic': roles are guessed from names and shapes, and no layer is measured"
    case .leftOut(let what):
      "besides attention, \(what) will not be measured; the tensors are carried"
    }
  }
}
