public import Tensors

/// A mixture-of-experts layer with all its weights in memory: the plainest statement of what the
/// streaming form computes. For tests and small models.
public struct MoELayer: Sendable {
  /// expert count × hidden size
  public let routerWeight: Matrix
  public let correctionBias: [Float]?
  /// Added to the router's logits: expert count elements; nil for zeros.
  public let logitBias: [Float]?
  public let rule: RouterRule
  public let experts: [GatedMLPWeights]
  /// Every token goes through it; its output is added to that of the routed experts.
  public let sharedExpert: GatedMLPWeights?
  /// 1 × hidden size: the shared expert's output is multiplied by sigmoid(x · weightᵀ).
  public let sharedExpertGate: Matrix?
  public let activation: GatedActivation

  public init(
    routerWeight: Matrix, correctionBias: [Float]?, logitBias: [Float]? = nil, rule: RouterRule,
    experts: [GatedMLPWeights],
    sharedExpert: GatedMLPWeights?, sharedExpertGate: Matrix?, activation: GatedActivation
  ) {
    self.routerWeight = routerWeight
    self.correctionBias = correctionBias
    self.logitBias = logitBias
    self.rule = rule
    self.experts = experts
    self.sharedExpert = sharedExpert
    self.sharedExpertGate = sharedExpertGate
    self.activation = activation
  }

  /// What a layer computes for a batch.
  public struct Result: Sendable {
    /// tokens × expert count
    public let logits: Matrix
    public let routing: Routing
    /// tokens × hidden size
    public let output: Matrix
  }

  /// - Parameter input: tokens × hidden size, normalized.
  /// - Parameter choice: the experts of each token where a table and not the router decides.
  public func forward(_ input: Matrix, choice: [Int]? = nil) -> Result {
    let logits = input.logits(routerWeight: routerWeight, bias: logitBias)
    let routing = route(
      logits: logits, rule: rule, correctionBias: correctionBias, choice: choice)
    var output = Matrix(rows: input.rows, columns: input.columns)
    for (index, expert) in experts.enumerated() {
      let assignments = routing.tokens(of: index)
      guard !assignments.isEmpty else { continue }
      let tokens = input.gatheredRows(for: assignments)
      output.scatterAdd(expert.forward(tokens, activation: activation), to: assignments)
    }
    if let sharedExpert {
      var shared = sharedExpert.forward(input, activation: activation)
      if let sharedExpertGate {
        shared.scaleRows(by: input.sharedExpertWeights(gate: sharedExpertGate))
      }
      output.add(shared)
    }
    return Result(logits: logits, routing: routing, output: output)
  }
}

extension Matrix {
  /// x · weightᵀ + bias for each row x: a router's logits.
  /// - Parameter routerWeight: expert count × hidden size.
  /// - Parameter bias: expert count elements; nil for zeros.
  public func logits(routerWeight: Matrix, bias: [Float]?) -> Matrix {
    var logits = multiplied(byTransposed: routerWeight)
    guard let bias else { return logits }
    precondition(bias.count == logits.columns)
    for index in logits.values.indices { logits.values[index] += bias[index % bias.count] }
    return logits
  }

  /// sigmoid(x · gateᵀ) for each row x: the weight of a gated shared expert's output.
  /// - Parameter gate: 1 × hidden size.
  public func sharedExpertWeights(gate: Matrix) -> [Float] {
    multiplied(byTransposed: gate).values.map { sigmoid($0) }
  }

  /// Multiplies each row by its factor.
  public mutating func scaleRows(by factors: [Float]) {
    precondition(factors.count == rows)
    for row in 0..<rows {
      for index in row * columns..<(row + 1) * columns { values[index] *= factors[row] }
    }
  }
}
