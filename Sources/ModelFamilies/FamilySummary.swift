import ReferenceModel

/// What is known of a family, in words. formats/families.schema.json describes the JSON form.
public struct FamilySummary: Sendable, Encodable, Equatable {
  /// The name that `--family` takes.
  public let name: String
  /// The models that people know it by.
  public let models: [String]
  public let modelTypes: [String]
  /// How experts are chosen and weighted; nil for a dense model.
  public let router: String?
  /// What the gate runs, on the original weights and on the quantized ones.
  public let measured: [String]
  /// What is converted without being run.
  public let notMeasured: [String]

  enum CodingKeys: String, CodingKey {
    case name, models, router, measured
    case modelTypes = "model_types"
    case notMeasured = "not_measured"
  }
}

extension ModelFamily {
  public var summary: FamilySummary {
    func has(_ role: TensorRole) -> Bool { !rules(of: role).isEmpty }
    var measured: [String] = []
    if has(.expertGate) { measured.append("routed experts") }
    if has(.sharedGate) { measured.append("shared expert") }
    if has(.denseGate) { measured.append("dense MLPs") }
    if predictionLayers != nil { measured.append("prediction layers") }
    var notMeasured = ["attention"]
    notMeasured += omissions.map { $0.hasPrefix("its ") ? String($0.dropFirst(4)) : $0 }
    if predictionLayers == nil, has(.multiTokenPrediction) {
      notMeasured.append("prediction layers")
    }
    if has(.encoder) { notMeasured.append("encoders of images") }
    return FamilySummary(
      name: name, models: models, modelTypes: modelTypes,
      router: router?.words(hasBias: has(.routerBias), hasTable: has(.routerTable)),
      measured: measured, notMeasured: notMeasured)
  }
}

extension RouterTemplate {
  /// The steps in the order in which they are taken.
  /// - Parameter hasBias: whether a bias is added to the scores for choosing.
  /// - Parameter hasTable: whether some layers choose by the token's id.
  func words(hasBias: Bool, hasTable: Bool) -> String {
    var steps: [String] = []
    switch (selection, scoring) {
    case (.sparseMixer, _): steps.append("SparseMixer: one by one, softmax among close logits")
    case (.largest, .sigmoid): steps.append("sigmoid")
    case (.largest, .softmax): steps.append("softmax")
    case (.largest, .squareRootSoftplus): steps.append("√softplus")
    case (.largest, .logits): steps.append("largest logits")
    }
    if hasBias { steps.append("bias for choosing") }
    if let groups {
      steps.append("groups by their " + (groups.scoring == .largest ? "best" : "two best"))
    }
    switch normalization {
    case .always(.none): break
    case .always(.softmax): steps.append("softmax of those")
    case .always(.sigmoid): steps.append("sigmoid of those")
    case .always(.sum(_)), .always(.clampedSum(_)), .clamped: steps.append("weights sum to 1")
    case .always(.norm(_)), .norm: steps.append("weights divided by their norm")
    case .ifSet(let key, _, _): steps.append("weights sum to 1 if \(key)")
    }
    if scalingFactor != nil { steps.append("scaled") }
    if scalesInput { steps.append("weights multiply the inputs") }
    if hasTable { steps.append("first layers by token id") }
    return steps.joined(separator: ", ")
  }
}
