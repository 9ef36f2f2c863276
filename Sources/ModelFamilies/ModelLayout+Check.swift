import Tensors

extension ModelLayout {
  /// Gives each weight its role, and checks its place and shape.
  func assignments(
    of weights: [NamedShape]
  ) throws(ModelFamiliesError) -> [String: TensorAssignment] {
    let shapes = family.tensors.map { shape(of: $0) }
    var assignments: [String: TensorAssignment] = [:]
    assignments.reserveCapacity(weights.count)
    for weight in weights {
      guard let match = family.roles.match(weight.name) else {
        throw .unknownTensor(name: weight.name, family: family.name)
      }
      let rule = family.tensors[match.rule]
      if let layer = match.layer {
        try check(place: rule, of: weight.name, layer: layer, expert: match.expert)
      }
      try check(shape: shapes[match.rule], of: weight, rule: rule)
      assignments[weight.name] = TensorAssignment(
        role: rule.role, layer: match.layer, expert: match.expert)
    }
    return assignments
  }

  private func check(
    place rule: TensorRule, of name: String, layer: Int, expert: Int?
  ) throws(ModelFamiliesError) {
    guard layer < hasExperts.count else {
      throw .misplacedTensor(
        name: name,
        place: "is in a layer that the config does not have: it has \(hasExperts.count)",
        keys: [Self.layerCountKey] + [family.predictionLayers].compactMap { $0 })
    }
    guard hasTensors(rule.scope, in: layer) else {
      if rule.scope == .predictionLayer {
        throw .misplacedTensor(
          name: name, place: "is for multi-token prediction, but its layer is an ordinary one",
          keys: [Self.layerCountKey])
      }
      throw .misplacedTensor(
        name: name,
        place: hasExperts[layer]
          ? "belongs to a dense MLP, but its layer has experts"
          : "belongs to a mixture of experts, but its layer is dense",
        keys: family.mixtureLayers.keys)
    }
    if rule.isPerExpert, let expert, let expertCount = sizes[.experts], expert >= expertCount {
      throw .misplacedTensor(
        name: name, place: "is of an expert that the config does not have: it has \(expertCount)",
        keys: [sizes.key(.experts)])
    }
  }

  private func check(
    shape expected: [Int]?, of weight: NamedShape, rule: TensorRule
  ) throws(ModelFamiliesError) {
    guard let dimensions = rule.shape else { return }
    guard let expected else {
      throw .misplacedTensor(
        name: weight.name, place: "is of a kind that the config says the model does not have",
        keys: dimensions.filter { sizes[$0] == nil }.map { sizes.key($0) })
    }
    guard weight.shape.dimensions != expected else { return }
    let actual = weight.shape.dimensions
    // Blame the sizes that differ, all of them if the rank does.
    let differing = dimensions.indices.filter {
      actual.count != expected.count || actual[$0] != expected[$0]
    }
    throw .shapeMismatch(
      tensor: weight.name, shape: weight.shape, expected: expected,
      keys: differing.map { sizes.key(dimensions[$0]) })
  }

  /// The layers that must be whole: all ordinary ones, and those of multi-token prediction that
  /// have any tensor.
  func presentLayers(_ assignments: [String: TensorAssignment]) -> [Int] {
    let present = Set(assignments.values.lazy.compactMap(\.layer).filter(isPredictionLayer))
    return Array(0..<mainLayerCount) + present.sorted()
  }

  /// Finds the first tensor that a present layer, or the model, lacks.
  func requireTensors(
    in assignments: [String: TensorAssignment], layers: [Int]
  ) throws(ModelFamiliesError) {
    let required = family.tensors.filter { isRequired($0) && !$0.isPerExpert }
    for rule in required where rule.scope == .model {
      try require(name(rule, layer: nil), in: assignments)
    }
    for layer in layers {
      for rule in required where hasTensors(rule.scope, in: layer) {
        try require(name(rule, layer: layer), in: assignments)
      }
    }
  }

  private func require(
    _ name: String, in assignments: [String: TensorAssignment]
  ) throws(ModelFamiliesError) {
    guard assignments[name] != nil else {
      throw .missingTensor(name: name, family: family.name)
    }
  }
}
