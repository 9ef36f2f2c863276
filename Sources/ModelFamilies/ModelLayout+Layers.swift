import ReferenceModel
import Tensors

extension ModelLayout {
  /// The layer's weights.
  /// - Throws: `missingTensor` for the first that is not there.
  func layer(
    _ layer: Int, in assignments: Assignments
  ) throws(ModelFamiliesError) -> LayerDescription {
    let norm = family.norm
    var bias: String?
    if let name = norm.bias { bias = try present(self.name(name, layer: layer), in: assignments) }
    return LayerDescription(
      index: layer,
      isMultiTokenPrediction: isPredictionLayer(layer),
      postAttentionNorm: try present(name(norm.name, layer: layer), in: assignments),
      postAttentionNormBias: bias,
      normalization: norm.normalization,
      residual: residual,
      activation: activation,
      mlp: try mlp(layer, in: assignments))
  }

  private func mlp(
    _ layer: Int, in assignments: Assignments
  ) throws(ModelFamiliesError) -> LayerDescription.MLP {
    guard hasExperts[layer], let router else {
      return .dense(
        MLPWeights(
          gate: try reference(.denseGate, layer: layer, in: assignments),
          up: try reference(.denseUp, layer: layer, in: assignments),
          down: try reference(.denseDown, layer: layer, in: assignments),
          intermediateSize: try sizes.value(.denseWidth)))
    }
    let routerTable = optionalName(.routerTable, layer: layer, in: assignments)
    // A layer whose table chooses has no bias for choosing.
    let correctionBias =
      routerTable == nil && family.requires(.routerBias)
      ? try name(.routerBias, layer: layer, in: assignments)
      : optionalName(.routerBias, layer: layer, in: assignments)
    return .mixtureOfExperts(
      MoEDescription(
        routerWeight: try name(.router, layer: layer, in: assignments),
        correctionBias: correctionBias,
        logitBias: optionalName(.routerLogitBias, layer: layer, in: assignments),
        routerTable: routerTable,
        router: router,
        experts: try experts(layer, count: router.expertCount, in: assignments),
        sharedExpert: try sharedExpert(layer, in: assignments),
        sharedExpertGate: optionalName(.sharedExpertGate, layer: layer, in: assignments)))
  }

  private func experts(
    _ layer: Int, count: Int, in assignments: Assignments
  ) throws(ModelFamiliesError) -> [MLPWeights] {
    let width = try sizes.value(.expertWidth)
    let gate = ExpertNames(.expertGate, layer: layer, layout: self)
    let up = ExpertNames(.expertUp, layer: layer, layout: self)
    let down = ExpertNames(.expertDown, layer: layer, layout: self)
    // No room is reserved: the config's count is believed only as far as there are tensors.
    var experts: [MLPWeights] = []
    for expert in 0..<count {
      experts.append(
        MLPWeights(
          gate: try gate.reference(expert, in: assignments),
          up: try up.reference(expert, in: assignments),
          down: try down.reference(expert, in: assignments),
          intermediateSize: width,
          biases: try biases(expert, layer: layer, width: width, in: assignments)))
    }
    return experts
  }

  private func biases(
    _ expert: Int, layer: Int, width: Int, in assignments: Assignments
  ) throws(ModelFamiliesError) -> MLPBiases? {
    guard let rule = family.expertBiases else { return nil }
    let gateUp = try present(name(rule.gateUp, layer: layer), in: assignments)
    let down = try present(name(rule.down, layer: layer), in: assignments)
    /// Of a row of the tensor, some elements as a column.
    func part(_ first: Int, _ stride: Int, _ count: Int) -> WeightPart {
      WeightPart(
        storedRows: expert..<expert + 1, isTransposed: true, firstOutput: first,
        outputStride: stride, outputCount: count)
    }
    let (upFirst, stride) = rule.order == .interleaved ? (1, 2) : (width, 1)
    return MLPBiases(
      gate: WeightReference(name: gateUp, part: part(0, stride, width)),
      up: WeightReference(name: gateUp, part: part(upFirst, stride, width)),
      down: WeightReference(name: down, part: part(0, 1, hiddenSize)))
  }

  private func sharedExpert(
    _ layer: Int, in assignments: Assignments
  ) throws(ModelFamiliesError) -> MLPWeights? {
    guard let width = sizes[.sharedWidth] else { return nil }
    return MLPWeights(
      gate: try reference(.sharedGate, layer: layer, in: assignments),
      up: try reference(.sharedUp, layer: layer, in: assignments),
      down: try reference(.sharedDown, layer: layer, in: assignments),
      intermediateSize: width)
  }

  /// The matrix that plays a role of which a layer has one.
  private func reference(
    _ role: TensorRole, layer: Int, in assignments: Assignments
  ) throws(ModelFamiliesError) -> WeightReference {
    try ExpertNames(role, layer: layer, layout: self).reference(nil, in: assignments)
  }

  /// The name of the tensor that plays a role, of which a layer, or the model, has one.
  func name(
    _ role: TensorRole, layer: Int? = nil, in assignments: Assignments
  ) throws(ModelFamiliesError) -> String {
    try present(name(family.rules(of: role)[0], layer: layer), in: assignments)
  }

  /// The name of a tensor that a layer may lack.
  private func optionalName(_ role: TensorRole, layer: Int, in assignments: Assignments) -> String?
  {
    family.rules(of: role).lazy.map { name($0, layer: layer) }.first { assignments[$0] != nil }
  }

  private func present(
    _ name: String, in assignments: Assignments
  ) throws(ModelFamiliesError) -> String {
    guard assignments[name] != nil else {
      throw .missingTensor(name: name, family: family.name)
    }
    return name
  }
}

/// The names under which a layer may have the matrix of a role, taken apart once.
private struct ExpertNames {
  private let role: TensorRole
  private let family: String
  private let candidates: [(name: SplitName, rule: TensorRule)]

  init(_ role: TensorRole, layer: Int, layout: ModelLayout) {
    self.role = role
    family = layout.family.name
    candidates = layout.family.rules(of: role).map {
      (SplitName(layout.name($0, layer: layer)), $0)
    }
  }

  /// - Parameter expert: nil for a role of which a layer has one matrix.
  func reference(
    _ expert: Int?, in assignments: Assignments
  ) throws(ModelFamiliesError) -> WeightReference {
    for (name, rule) in candidates {
      let name = name.with(expert ?? 0)
      guard assignments[name] != nil else { continue }
      guard let fused = rule.fused else { return WeightReference(name: name) }
      let parts = assignments.parts[name] ?? []
      let first = fused.isStacked ? (expert ?? 0) * fused.roles.count : 0
      guard let place = fused.roles.firstIndex(of: role), first + place < parts.count else {
        continue
      }
      return WeightReference(name: name, part: parts[first + place].part)
    }
    throw .missingTensor(name: candidates.first?.name.with(expert ?? 0) ?? "", family: family)
  }
}

extension ModelFamily {
  /// Whether every layer with experts has a tensor of this role.
  fileprivate func requires(_ role: TensorRole) -> Bool {
    rules(of: role).contains { rule in
      if case .required = rule.presence { true } else { false }
    }
  }

  /// The rules of a role, and those of tensors that hold a matrix of it.
  /// - Precondition: for a role that every layer plays, the family has one.
  func rules(of role: TensorRole) -> [TensorRule] {
    tensors.filter { $0.fused?.roles.contains(role) ?? ($0.role == role) }
  }
}
