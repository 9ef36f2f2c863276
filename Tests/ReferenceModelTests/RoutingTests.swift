import Foundation
import ReferenceModel
import Tensors
import Testing

/// Routing in Double, written as families and papers state it, with sorting for choosing.
private struct RoutingOracle {
  let rule: RouterRule
  let bias: [Double]

  /// The chosen experts of one token, best first, and their weights.
  func route(_ logits: [Double]) -> [(expert: Int, weight: Double)] {
    let scores: [Double] =
      switch rule.scoring {
      case .sigmoid: logits.map { 1 / (1 + exponential(-$0)) }
      case .softmax: softmax(logits)
      case .squareRootSoftplus: logits.map { log(1 + exponential($0)).squareRoot() }
      case .logits: logits
      }
    var choice = zip(scores, bias).map(+)
    if let groups = rule.groups {
      let size = choice.count / groups.count
      let members = (0..<groups.count).map { Array(choice[$0 * size..<($0 + 1) * size]) }
      let groupScores = members.map {
        $0.sorted(by: >).prefix(groups.scoring == .largest ? 1 : 2).reduce(0, +)
      }
      let kept = best(groups.kept, of: groupScores)
      for expert in choice.indices where !kept.contains(expert / size) {
        choice[expert] = -.infinity
      }
    }
    let chosen = best(rule.expertsPerToken, of: choice)
    let values = chosen.map { scores[$0] }
    let weights: [Double] =
      switch rule.normalization {
      case .none: values
      case .sum: values.map { $0 / values.reduce(0, +) }
      case .clampedSum(let minimum): values.map { $0 / max(values.reduce(0, +), Double(minimum)) }
      case .norm(let exponent):
        values.map {
          $0 / pow(values.map { pow($0, Double(exponent)) }.reduce(0, +), 1 / Double(exponent))
        }
      case .softmax: softmax(values)
      case .sigmoid: values.map { 1 / (1 + exponential(-$0)) }
      }
    return zip(chosen, weights).map { ($0, $1 * Double(rule.scalingFactor)) }
  }

  private func softmax(_ values: [Double]) -> [Double] {
    values.map { exponential($0) / values.map(exponential).reduce(0, +) }
  }

  private func best(_ count: Int, of scores: [Double]) -> [Int] {
    let order = scores.indices.sorted {
      scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1)
    }
    return Array(order.prefix(count))
  }
}

@Suite struct RoutingTests {
  static let rules: [RouterRule] = [
    // DeepSeek-V3's shape, and smaller ones of the same kind.
    RouterRule(
      scoring: .sigmoid, expertCount: 256, expertsPerToken: 8,
      groups: .init(count: 8, kept: 4), normalization: .sum(epsilon: 1e-20), scalingFactor: 2.5),
    RouterRule(
      scoring: .sigmoid, expertCount: 12, expertsPerToken: 3,
      groups: .init(count: 4, kept: 2), normalization: .sum(epsilon: 1e-20), scalingFactor: 2.5),
    RouterRule(
      scoring: .sigmoid, expertCount: 8, expertsPerToken: 4,
      groups: .init(count: 4, kept: 2), normalization: .none, scalingFactor: 16),
    // Kimi-K2's.
    RouterRule(
      scoring: .sigmoid, expertCount: 384, expertsPerToken: 8,
      normalization: .sum(epsilon: 1e-20), scalingFactor: 2.827),
    // Qwen3-MoE's and Mixtral's.
    RouterRule(
      scoring: .softmax, expertCount: 128, expertsPerToken: 8, normalization: .sum(epsilon: 0)),
    RouterRule(scoring: .softmax, expertCount: 8, expertsPerToken: 2, normalization: .none),
    RouterRule(
      scoring: .softmax, expertCount: 1, expertsPerToken: 1, normalization: .sum(epsilon: 0)),
    // DeepSeek-V2's.
    RouterRule(
      scoring: .softmax, expertCount: 160, expertsPerToken: 6,
      groups: .init(count: 8, kept: 3, scoring: .largest), normalization: .none,
      scalingFactor: 16),
    // DeepSeek-V4's, ERNIE-4.5's, DBRX's, gpt-oss's and Llama-4's.
    RouterRule(
      scoring: .squareRootSoftplus, expertCount: 32, expertsPerToken: 6,
      normalization: .sum(epsilon: 1e-20), scalingFactor: 1.5),
    RouterRule(
      scoring: .softmax, expertCount: 64, expertsPerToken: 6,
      normalization: .clampedSum(minimum: 0.9)),
    RouterRule(
      scoring: .softmax, expertCount: 16, expertsPerToken: 4, normalization: .norm(exponent: 2)),
    RouterRule(scoring: .logits, expertCount: 32, expertsPerToken: 4, normalization: .softmax),
    RouterRule(
      scoring: .logits, expertCount: 16, expertsPerToken: 1, normalization: .sigmoid,
      scalesInput: true),
  ]

  /// Logits and biases on a coarse grid, so that ties occur in every batch; biases of −3 to −1 make
  /// every score for choosing negative, where a mask of 0 instead of −∞ would let left-out groups
  /// win.
  @Test(arguments: rules, [0, -2.0])
  func agreesWithTheOracle(rule: RouterRule, biasOffset: Double) {
    var random = SplitMix64(seed: 7)
    let tokens = 40
    let logits = Matrix(
      rows: tokens, columns: rule.expertCount,
      values: (0..<tokens * rule.expertCount).map { _ in
        Float(Int.random(in: 1...12, using: &random)) / 4
      })
    let bias = (0..<rule.expertCount).map { _ in
      Float(biasOffset) + Float(Int.random(in: -4...4, using: &random)) / 8
    }
    let oracle = RoutingOracle(rule: rule, bias: bias.map(Double.init))
    let routing = route(logits: logits, rule: rule, correctionBias: bias)
    #expect(routing.tokenCount == tokens)
    for token in 0..<tokens {
      let expected = oracle.route(logits.row(token).map(Double.init))
      #expect(Array(routing.experts(of: token)) == expected.map(\.expert))
      for (weight, expected) in zip(routing.weights(of: token), expected) {
        #expect(abs(Double(weight) - expected.weight) <= 2e-6 * expected.weight)
      }
    }
  }

  @Test func tiesGoToTheLowerIndex() {
    let logits = Matrix(rows: 1, columns: 8)
    let plain = RouterRule(
      scoring: .softmax, expertCount: 8, expertsPerToken: 3, normalization: .none)
    #expect(route(logits: logits, rule: plain).experts == [0, 1, 2])
    let grouped = RouterRule(
      scoring: .sigmoid, expertCount: 8, expertsPerToken: 3, groups: .init(count: 4, kept: 2),
      normalization: .none)
    #expect(route(logits: logits, rule: grouped).experts == [0, 1, 2])
  }

  @Test func aGroupsScoreIsTheSumOfItsTwoLargest() {
    // The first group holds the best expert, the second the better pair.
    let logits = Matrix(rows: 1, columns: 6, values: [3, -9, -9, 1, 1, -9])
    let rule = RouterRule(
      scoring: .sigmoid, expertCount: 6, expertsPerToken: 2, groups: .init(count: 2, kept: 1),
      normalization: .none)
    #expect(route(logits: logits, rule: rule).experts == [3, 4])
  }

  @Test func aGroupsScoreMayBeItsLargest() {
    let logits = Matrix(rows: 1, columns: 6, values: [3, -9, -9, 1, 1, -9])
    let rule = RouterRule(
      scoring: .sigmoid, expertCount: 6, expertsPerToken: 2,
      groups: .init(count: 2, kept: 1, scoring: .largest), normalization: .none)
    #expect(route(logits: logits, rule: rule).experts == [0, 1])
  }

  /// A table chooses, and the scores of its choice weigh.
  @Test func aTableMayChoose() {
    let logits = Matrix(rows: 2, columns: 3, values: [0, 0, 2, 0, 1, 2])
    let rule = RouterRule(
      scoring: .sigmoid, expertCount: 3, expertsPerToken: 1, normalization: .none)
    let routing = route(
      logits: logits, rule: rule, correctionBias: [9, 9, 9], choice: [1, 0])
    #expect(routing.experts == [1, 0])
    #expect(routing.weights == [0.5, 0.5])
  }

  /// The factors of Llama-4 are applied before the expert, and only there.
  @Test func inputsMayBeScaled() {
    let rule = RouterRule(
      scoring: .logits, expertCount: 2, expertsPerToken: 1, normalization: .sigmoid,
      scalesInput: true)
    let routing = route(logits: Matrix(rows: 1, columns: 2, values: [-1, 0]), rule: rule)
    #expect(Array(routing.tokens(of: 1)) == [.init(token: 0, weight: 1, inputFactor: 0.5)])
    let input = Matrix(rows: 1, columns: 2, values: [3, -4])
    #expect(input.gatheredRows(for: routing.tokens(of: 1)).values == [1.5, -2])
  }

  /// By hand: with a jitter of 0.1, logits within a fifth of the largest count for its softmax. For
  /// the second choice the first is out, and the distances are to the new largest.
  @Test func sparseMixerChoosesOneByOne() {
    let rule = RouterRule(
      scoring: .logits, expertCount: 4, expertsPerToken: 2,
      selection: .sparseMixer(jitter: 0.1), normalization: .none)
    let routing = route(
      logits: Matrix(rows: 1, columns: 4, values: [1, 10, 9, 7.9]), rule: rule)
    #expect(routing.experts == [1, 2])
    let first = 1 / (1 + exponential(-1))
    let second = 1 / (1 + exponential(-1.1))
    #expect(abs(Double(routing.weights[0]) - first) < 1e-6)
    #expect(abs(Double(routing.weights[1]) - second) < 1e-6)
  }

  @Test func theBiasChoosesButDoesNotWeigh() {
    let logits = Matrix(rows: 1, columns: 3, values: [0, 0, 2])
    let rule = RouterRule(
      scoring: .sigmoid, expertCount: 3, expertsPerToken: 1, normalization: .none)
    let routing = route(logits: logits, rule: rule, correctionBias: [0, 5, 0])
    #expect(routing.experts == [1])
    #expect(routing.weights == [0.5])
  }

  @Test func nanIsChosenLast() {
    let logits = Matrix(rows: 1, columns: 4, values: [.nan, -3, .nan, -2])
    let rule = RouterRule(
      scoring: .sigmoid, expertCount: 4, expertsPerToken: 3, normalization: .none)
    #expect(route(logits: logits, rule: rule).experts == [3, 1, 0])
  }

  @Test func largeLogitsDoNotOverflowTheSoftmax() {
    let logits = Matrix(rows: 1, columns: 2, values: [1e4, 1e4])
    let rule = RouterRule(
      scoring: .softmax, expertCount: 2, expertsPerToken: 2, normalization: .none)
    #expect(route(logits: logits, rule: rule).weights == [0.5, 0.5])
  }

  @Test func assignmentsOfAnExpertAreInTokenOrder() {
    let routing = Routing(
      expertCount: 4, expertsPerToken: 2, experts: [2, 0, 0, 3, 2, 3],
      weights: [1, 2, 3, 4, 5, 6])
    #expect(routing.tokens(of: 0).map(\.token) == [0, 1])
    #expect(routing.tokens(of: 0).map(\.weight) == [2, 3])
    #expect(routing.tokens(of: 1).isEmpty)
    #expect(routing.tokens(of: 2).map(\.token) == [0, 2])
    #expect(routing.tokens(of: 3).map(\.weight) == [4, 6])
  }

  @Test(arguments: [
    (8, 9, nil), (8, 0, nil), (0, 1, nil), (8, 2, RouterRule.Groups(count: 3, kept: 1)),
    (8, 2, .init(count: 8, kept: 4)), (8, 5, .init(count: 4, kept: 2)),
    (8, 2, .init(count: 4, kept: 5)), (8, 2, .init(count: 0, kept: 0)),
  ])
  func impossibleChoicesAreInconsistent(
    experts: Int, perToken: Int, groups: RouterRule.Groups?
  ) {
    #expect(
      !RouterRule.isConsistent(expertCount: experts, expertsPerToken: perToken, groups: groups))
  }
}
