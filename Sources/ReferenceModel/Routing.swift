/// Which experts each token of a batch is sent to, and with which weights.
public struct Routing: Sendable, Equatable {
  /// A token that an expert receives.
  public struct Assignment: Sendable, Equatable {
    /// The row of the batch.
    public let token: Int
    /// The weight of the expert's output in the token's sum.
    public let weight: Float
    /// What the expert's input is multiplied by.
    public let inputFactor: Float

    public init(token: Int, weight: Float, inputFactor: Float = 1) {
      self.token = token
      self.weight = weight
      self.inputFactor = inputFactor
    }
  }

  public let tokenCount: Int
  public let expertCount: Int
  public let expertsPerToken: Int
  /// The chosen experts, `expertsPerToken` to a token, best choice first.
  public let experts: [Int]
  /// The weight of each choice, in the order of `experts`.
  public let weights: [Float]

  /// The assignments, ordered by expert, then by token.
  private let assignments: [Assignment]
  /// Where each expert's assignments start; one more entry than experts.
  private let starts: [Int]

  /// - Parameter scalesInput: whether the weights are factors of the experts' inputs, and their
  ///   outputs are summed as they are.
  /// - Precondition: as many weights as experts, a multiple of `expertsPerToken`, and each expert
  ///   is below `expertCount`.
  public init(
    expertCount: Int, expertsPerToken: Int, experts: [Int], weights: [Float],
    scalesInput: Bool = false
  ) {
    precondition(experts.count == weights.count && experts.count % expertsPerToken == 0)
    self.tokenCount = experts.count / expertsPerToken
    self.expertCount = expertCount
    self.expertsPerToken = expertsPerToken
    self.experts = experts
    self.weights = weights

    var starts = [Int](repeating: 0, count: expertCount + 1)
    for expert in experts { starts[expert + 1] += 1 }
    for expert in 0..<expertCount { starts[expert + 1] += starts[expert] }
    var next = starts
    var assignments = [Assignment](
      repeating: Assignment(token: 0, weight: 0), count: experts.count)
    for choice in experts.indices {
      let expert = experts[choice]
      assignments[next[expert]] = Assignment(
        token: choice / expertsPerToken, weight: scalesInput ? 1 : weights[choice],
        inputFactor: scalesInput ? weights[choice] : 1)
      next[expert] += 1
    }
    self.assignments = assignments
    self.starts = starts
  }

  /// The tokens that an expert receives, in their order.
  public func tokens(of expert: Int) -> ArraySlice<Assignment> {
    assignments[starts[expert]..<starts[expert + 1]]
  }

  /// The experts that a token is sent to, best choice first.
  public func experts(of token: Int) -> ArraySlice<Int> {
    experts[token * expertsPerToken..<(token + 1) * expertsPerToken]
  }

  /// The weights of a token's experts, in the order of `experts(of:)`.
  public func weights(of token: Int) -> ArraySlice<Float> {
    weights[token * expertsPerToken..<(token + 1) * expertsPerToken]
  }
}
