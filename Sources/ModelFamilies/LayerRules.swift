import ReferenceModel

/// The norm before an MLP.
struct NormRule: Sendable {
  /// The name of its factors, after the layer prefix.
  let name: String
  /// The name of its addends.
  let bias: String?
  let normalization: Normalization
  /// The config key of ε, for every norm of the model.
  let epsilonKey: String
  /// What ε is where the key is absent; nil if it must be there.
  let absentEpsilon: Double?

  init(
    _ name: String = "post_attention_layernorm.weight", bias: String? = nil,
    normalization: Normalization = .rootMeanSquare, epsilonKey: String = "rms_norm_eps",
    absentEpsilon: Double? = nil
  ) {
    self.name = name
    self.bias = bias
    self.normalization = normalization
    self.epsilonKey = epsilonKey
    self.absentEpsilon = absentEpsilon
  }
}

/// A family's activation: which config keys complete it.
enum ActivationRule: Sendable {
  case silu
  case clampedSilu(limitKey: String)
  case clampedSwish(sharpness: Float, limitKey: String)

  func activation(_ config: Config) throws(ModelFamiliesError) -> GatedActivation {
    switch self {
    case .silu: .silu
    case .clampedSilu(let key):
      .clampedSilu(limit: Float(try config.number(key, in: 1e-3...1e6)))
    case .clampedSwish(let sharpness, let key):
      .clampedSwish(sharpness: sharpness, limit: Float(try config.number(key, in: 1e-3...1e6)))
    }
  }
}

/// How an MLP's output joins the stream: which config keys complete it.
enum ResidualRule: Sendable {
  case plain
  /// The output is multiplied by what the key says.
  case scaled(outputKey: String)
  /// The normalized stream goes on, multiplied as the first keys say, the output by the second.
  case normalized(streamKeys: [String], outputKeys: [String])

  func residual(_ config: Config) throws(ModelFamiliesError) -> Residual {
    func factor(_ keys: [String]) throws(ModelFamiliesError) -> Float {
      Float(try config.number(config.present(keys), in: -1e6...1e6))
    }
    switch self {
    case .plain: return .plain
    case .scaled(let key):
      return Residual(isNormalized: false, streamFactor: 1, outputFactor: try factor([key]))
    case .normalized(let streamKeys, let outputKeys):
      return Residual(
        isNormalized: true, streamFactor: try factor(streamKeys),
        outputFactor: try factor(outputKeys))
    }
  }
}
