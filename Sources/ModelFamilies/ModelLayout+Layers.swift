import ReferenceModel

extension ModelLayout {
  /// The layer's weights.
  /// - Throws: `missingTensor` for the first that is not there.
  func layer(
    _ layer: Int, in assignments: [String: TensorAssignment]
  ) throws(ModelFamiliesError) -> LayerDescription {
    let norm = SplitName(family.layerPrefix + family.postAttentionNorm).with(layer)
    return LayerDescription(
      index: layer,
      isMultiTokenPrediction: isPredictionLayer(layer),
      postAttentionNorm: try present(norm, in: assignments),
      activation: family.activation,
      mlp: try mlp(layer, in: assignments))
  }

  private func mlp(
    _ layer: Int, in assignments: [String: TensorAssignment]
  ) throws(ModelFamiliesError) -> LayerDescription.MLP {
    guard hasExperts[layer], let router else {
      return .dense(
        MLPWeights(
          gate: try name(.denseGate, layer: layer, in: assignments),
          up: try name(.denseUp, layer: layer, in: assignments),
          down: try name(.denseDown, layer: layer, in: assignments),
          intermediateSize: try sizes.value(.denseWidth)))
    }
    return .mixtureOfExperts(
      MoEDescription(
        routerWeight: try name(.router, layer: layer, in: assignments),
        correctionBias: family.has(.routerBias)
          ? try name(.routerBias, layer: layer, in: assignments) : nil,
        router: router,
        experts: try experts(layer, count: router.expertCount, in: assignments),
        sharedExpert: try sharedExpert(layer, in: assignments)))
  }

  private func experts(
    _ layer: Int, count: Int, in assignments: [String: TensorAssignment]
  ) throws(ModelFamiliesError) -> [MLPWeights] {
    let width = try sizes.value(.expertWidth)
    let names = [TensorRole.expertGate, .expertUp, .expertDown].map { role in
      SplitName(name(family.rule(of: role), layer: layer))
    }
    // No room is reserved: the config's count is believed only as far as there are tensors.
    var experts: [MLPWeights] = []
    for expert in 0..<count {
      experts.append(
        MLPWeights(
          gate: try present(names[0].with(expert), in: assignments),
          up: try present(names[1].with(expert), in: assignments),
          down: try present(names[2].with(expert), in: assignments),
          intermediateSize: width))
    }
    return experts
  }

  private func sharedExpert(
    _ layer: Int, in assignments: [String: TensorAssignment]
  ) throws(ModelFamiliesError) -> MLPWeights? {
    guard let width = sizes[.sharedWidth] else { return nil }
    return MLPWeights(
      gate: try name(.sharedGate, layer: layer, in: assignments),
      up: try name(.sharedUp, layer: layer, in: assignments),
      down: try name(.sharedDown, layer: layer, in: assignments),
      intermediateSize: width)
  }

  /// The name of the tensor that plays a role, of which a layer, or the model, has one.
  func name(
    _ role: TensorRole, layer: Int? = nil, in assignments: [String: TensorAssignment]
  ) throws(ModelFamiliesError) -> String {
    try present(name(family.rule(of: role), layer: layer), in: assignments)
  }

  private func present(
    _ name: String, in assignments: [String: TensorAssignment]
  ) throws(ModelFamiliesError) -> String {
    guard assignments[name] != nil else {
      throw .missingTensor(name: name, family: family.name)
    }
    return name
  }
}

extension ModelFamily {
  fileprivate func has(_ role: TensorRole) -> Bool {
    tensors.contains { $0.role == role }
  }

  /// The first rule of a role.
  /// - Precondition: the family has one.
  fileprivate func rule(of role: TensorRole) -> TensorRule {
    tensors.first { $0.role == role }!
  }
}
