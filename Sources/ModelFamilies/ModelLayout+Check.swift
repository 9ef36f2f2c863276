import Tensors

/// What each weight of a checkpoint does.
struct Assignments: Sendable {
  private(set) var all: [String: TensorAssignment] = [:]
  /// The matrices of those that hold several, expert after expert.
  private(set) var parts: [String: [TensorPart]] = [:]

  /// Those whose matrices lie the other way round in a plain checkpoint.
  private(set) var turned: Set<String> = []

  init(capacity: Int) { all.reserveCapacity(capacity) }

  mutating func add(_ assignment: TensorAssignment, of name: String, parts: [TensorPart]) {
    all[name] = assignment
    if !parts.isEmpty { self.parts[name] = parts }
  }

  mutating func addTurned(_ name: String) { turned.insert(name) }

  subscript(name: String) -> TensorAssignment? { all[name] }
}

extension ModelLayout {
  /// Gives each weight its role, and checks its place and shape.
  func assignments(
    of weights: [NamedShape]
  ) throws(ModelFamiliesError) -> Assignments {
    let shapes = family.tensors.map { shape(of: $0) }
    var assignments = Assignments(capacity: weights.count)
    for weight in weights {
      let name = wrapper?.unwrapped(weight.name) ?? weight.name
      guard let match = family.roles.match(name) else {
        throw .unknownTensor(name: weight.name, family: family.name)
      }
      let rule = family.tensors[match.rule]
      if let layer = match.layer {
        try check(place: rule, of: weight.name, layer: layer, expert: match.expert)
      }
      try check(shape: shapes[match.rule], of: weight, rule: rule)
      let assignment = TensorAssignment(
        role: rule.role, layer: match.layer, expert: match.expert)
      assignments.add(
        assignment, of: weight.name,
        parts: rule.fused?.parts(
          of: weight, assignment: assignment, expertCount: sizes[.experts] ?? 0) ?? [])
      if rule.fused?.isTurned(weight) ?? false { assignments.addTurned(weight.name) }
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
        keys: [family.layerCount] + [family.predictionLayers].compactMap { $0 })
    }
    guard hasTensors(rule.scope, in: layer) else {
      if rule.scope == .predictionLayer {
        throw .misplacedTensor(
          name: name, place: "is for multi-token prediction, but its layer is an ordinary one",
          keys: [family.layerCount])
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
    guard var dimensions = rule.shape else { return }
    guard var expected else {
      throw .misplacedTensor(
        name: weight.name, place: "is of a kind that the config says the model does not have",
        keys: dimensions.filter { sizes[$0] == nil }.map { sizes.key($0) })
    }
    if rule.fused?.isTurned(weight) ?? false {
      dimensions.swapAt(dimensions.count - 2, dimensions.count - 1)
      expected.swapAt(expected.count - 2, expected.count - 1)
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
  func presentLayers(_ assignments: Assignments) -> [Int] {
    let present = Set(assignments.all.values.lazy.compactMap(\.layer).filter(isPredictionLayer))
    return Array(0..<mainLayerCount) + present.sorted()
  }

  /// Finds the first tensor that the model lacks outside of its layers.
  func requireTensors(in assignments: Assignments) throws(ModelFamiliesError) {
    for rule in family.tensors where isRequired(rule) && rule.scope == .model {
      try require(name(rule, layer: nil), in: assignments)
    }
  }

  /// Finds the first tensor that a layer lacks, those of experts aside.
  func requireTensors(in assignments: Assignments, layer: Int) throws(ModelFamiliesError) {
    for rule in family.tensors
    where isRequired(rule) && !rule.isPerExpert && hasTensors(rule.scope, in: layer) {
      try require(name(rule, layer: layer), in: assignments)
    }
  }

  private func require(
    _ name: String, in assignments: Assignments
  ) throws(ModelFamiliesError) {
    guard assignments[name] != nil else {
      throw .missingTensor(name: name, family: family.name)
    }
  }
}
