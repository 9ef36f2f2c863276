import Bytes
import Tensors

extension ModelFamily {
  /// Any model at all: roles by name and shape, and no layer that can be measured.
  static let generic = ModelFamily(
    name: "generic", modelTypes: ["generic"], architectures: [], expectedSettings: [:],
    sizes: [:], tensors: [], isGeneric: true)

  /// Gives each weight the role that its name suggests.
  func describeByNames(config: Config, weights: [NamedShape]) -> ModelDescription {
    var assignments = Assignments(capacity: weights.count)
    var total = 0
    for weight in weights {
      assignments.add(GenericRole.assignment(of: weight), of: weight.name, parts: [])
      total &+= weight.shape.elementCount
    }
    return ModelDescription(
      familyName: name, modelType: config.string("model_type"), hiddenSize: 0, vocabularySize: 0,
      normEpsilon: 0, embedding: "", embeddingFactor: 1, layers: [],
      parameters: ParameterCounts(total: total, activePerToken: total, multiTokenPrediction: 0),
      notes: [.rolesByName], assignments: assignments)
  }
}

/// What the names of weights suggest.
enum GenericRole {
  /// The words that a part of a name may be for gate, up and down; the last are llama.cpp's.
  private static let projections: [(role: Int, words: Set<String>)] = [
    (0, ["gate_proj", "w1", "gate", "ffn_gate", "ffn_gate_shexp", "ffn_gate_exps"]),
    (1, ["up_proj", "w3", "up", "ffn_up", "ffn_up_shexp", "ffn_up_exps"]),
    (
      2,
      [
        "down_proj", "w2", "down", "output_linear", "wo", "ffn_down", "ffn_down_shexp",
        "ffn_down_exps",
      ]
    ),
  ]

  static func assignment(of weight: NamedShape) -> TensorAssignment {
    let words = weight.name.split(separator: ".").map(String.init)
    let layer = words.lazy.compactMap(index).first
    let expert = zip(words, words.dropFirst()).first { $0.0 == "experts" }.flatMap { index($0.1) }
    return TensorAssignment(
      role: role(words, expert: expert, shape: weight.shape), layer: layer, expert: expert)
  }

  /// The number that a part of a name is; none of ten digits or more.
  private static func index(_ word: String) -> Int? {
    word.utf8.count < 10 && word.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(word) : nil
  }

  private static func role(_ words: [String], expert: Int?, shape: Shape) -> TensorRole {
    func has(_ part: String) -> Bool { words.contains { $0.contains(part) } }
    if words.first == "mtp" { return .multiTokenPrediction }
    if has("visual") || has("vision") { return .encoder }
    if has("inv_freq") { return .buffer }
    // What is no matrix is never a projection.
    guard shape.rank >= 2 else { return has("norm") ? .norm : .other }
    if has("attn") || has("attention") { return .attention }
    if has("mamba") || has("ssm") { return .mixer }
    if has("embd") || has("embed") || words.contains("wte") { return .embedding }
    if words.contains("lm_head") || words.contains("head") || words == ["output", "weight"] {
      return .head
    }
    if has("router") || has("ffn_gate_inp") { return .router }
    if let projection = projections.first(where: { !$0.words.isDisjoint(with: words) })?.role {
      if expert != nil || has("_exps") { return [.expertGate, .expertUp, .expertDown][projection] }
      if has("shared") || has("_shexp") {
        return [.sharedGate, .sharedUp, .sharedDown][projection]
      }
      // `mlp.gate` chooses experts; a gate projection is as wide as a model.
      if words.contains("gate") { return .router }
      return [.denseGate, .denseUp, .denseDown][projection]
    }
    return .other
  }
}
