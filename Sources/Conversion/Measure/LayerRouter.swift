import ModelFamilies
import ReferenceModel
import Tensors
import Validation

/// A layer's router and the gate of its shared expert, as the source has them and as the output has
/// them.
struct LayerRouter {
  /// What a router is made of.
  struct Weights {
    let weight: Matrix
    let correctionBias: [Float]?
    let logitBias: [Float]?
    /// 1 × hidden size.
    let sharedExpertGate: Matrix?
  }

  let rule: RouterRule
  let original: Weights
  let delivered: Weights
  /// Vocabulary size × experts per token; nil where scores decide.
  private let table: [Int]?

  init(
    moe: MoEDescription, hiddenSize: Int, weights: WeightTable, pass: any MeasuringPass
  ) throws {
    rule = moe.router
    func values(_ name: String?) throws -> (original: [Float], delivered: [Float])? {
      try name.map { try pass.values(of: weights.required($0)) }
    }
    func matrix(_ values: [Float]) -> Matrix {
      Matrix(rows: values.count / hiddenSize, columns: hiddenSize, values: values)
    }
    let weight = try pass.values(of: weights.required(moe.routerWeight))
    let correctionBias = try values(moe.correctionBias)
    let logitBias = try values(moe.logitBias)
    let gate = try values(moe.sharedExpertGate)
    original = Weights(
      weight: matrix(weight.original), correctionBias: correctionBias?.original,
      logitBias: logitBias?.original, sharedExpertGate: (gate?.original).map(matrix))
    delivered = Weights(
      weight: matrix(weight.delivered), correctionBias: correctionBias?.delivered,
      logitBias: logitBias?.delivered, sharedExpertGate: (gate?.delivered).map(matrix))
    table = try moe.routerTable.map { try pass.integers(of: weights.required($0)) }
  }

  /// Where a batch goes.
  /// - Parameter tokens: the token id of each row.
  func route(
    _ x: Matrix, as side: KeyPath<LayerRouter, Weights>, tokens: [Int]
  ) throws(ConversionError) -> Routing {
    let weights = self[keyPath: side]
    return ReferenceModel.route(
      logits: x.logits(routerWeight: weights.weight, bias: weights.logitBias), rule: rule,
      correctionBias: weights.correctionBias, choice: try choice(tokens))
  }

  /// The experts that the table names for tokens.
  private func choice(_ tokens: [Int]) throws(ConversionError) -> [Int]? {
    guard let table else { return nil }
    let width = rule.expertsPerToken
    var choice: [Int] = []
    for token in tokens {
      guard token >= 0, (token + 1) * width <= table.count else {
        throw .cannotMeasure(reason: "the routing table has no token \(token)")
      }
      let experts = table[token * width..<(token + 1) * width]
      if let expert = experts.first(where: { !(0..<rule.expertCount).contains($0) }) {
        throw .cannotMeasure(
          reason: "the routing table sends token \(token) to expert \(expert) of "
            + "\(rule.expertCount)")
      }
      choice += experts
    }
    return choice
  }

  /// The weights of the shared expert's output in both streams; nil where it is added as it is.
  func sharedExpertWeights(
    _ reference: Matrix, _ delivered: Matrix
  ) -> LayerInput.SharedExpertWeights? {
    guard let gate = original.sharedExpertGate, let ours = self.delivered.sharedExpertGate else {
      return nil
    }
    return LayerInput.SharedExpertWeights(
      reference: reference.sharedExpertWeights(gate: gate),
      local: reference.sharedExpertWeights(gate: ours),
      cumulative: delivered.sharedExpertWeights(gate: ours))
  }
}
