import Glibc
public import Tensors

/// Chooses experts for each row of logits.
///
/// Equal scores are resolved towards the lower index, for experts as for groups, and a NaN ranks
/// below everything, so that the choice never depends on a sort.
///
/// - Parameter logits: one row for each token, one column for each expert.
/// - Parameter correctionBias: added to the scores for choosing (`e_score_correction_bias`); nil
///   means zeros.
/// - Parameter choice: the experts of each token, `expertsPerToken` to a token, where a table and
///   not the scores decides; the weights are as if they had been chosen.
/// - Precondition: `logits` has `rule.expertCount` columns, `correctionBias` as many elements, and
///   `choice` has experts below that count.
public func route(
  logits: Matrix, rule: RouterRule, correctionBias: [Float]? = nil, choice: [Int]? = nil
) -> Routing {
  precondition(
    choice?.count ?? logits.rows * rule.expertsPerToken
      == logits.rows * rule.expertsPerToken)
  precondition(logits.columns == rule.expertCount)
  precondition(correctionBias == nil || correctionBias?.count == rule.expertCount)
  var experts: [Int] = []
  var weights: [Float] = []
  experts.reserveCapacity(logits.rows * rule.expertsPerToken)
  weights.reserveCapacity(logits.rows * rule.expertsPerToken)

  for token in 0..<logits.rows {
    if case .sparseMixer(let jitter) = rule.selection {
      let picks = Array(logits.row(token)).sparseMixerPicks(
        rule.expertsPerToken, jitter: jitter)
      experts += picks.map(\.expert)
      weights += picks.map { $0.weight * rule.scalingFactor }
      continue
    }
    let scores = rule.scoring.scores(of: logits.row(token))
    if let choice {
      let chosen = choice[token * rule.expertsPerToken..<(token + 1) * rule.expertsPerToken]
      experts += chosen
      weights += rule.weights(ofScores: chosen.map { scores[$0] })
      continue
    }
    var choiceScores = scores
    if let correctionBias {
      for expert in scores.indices { choiceScores[expert] += correctionBias[expert] }
    }
    rule.groups?.maskLeftOut(&choiceScores)
    let chosen = choiceScores.indicesOfLargest(rule.expertsPerToken)
    experts += chosen
    weights += rule.weights(ofScores: chosen.map { scores[$0] })
  }
  return Routing(
    expertCount: rule.expertCount, expertsPerToken: rule.expertsPerToken, experts: experts,
    weights: weights, scalesInput: rule.scalesInput)
}

extension RouterRule.Scoring {
  fileprivate func scores(of logits: ArraySlice<Float>) -> [Float] {
    switch self {
    case .sigmoid:
      return logits.map { ReferenceModel.sigmoid($0) }
    case .softmax:
      return softmaxOf(Array(logits))
    case .squareRootSoftplus:
      // ln(1 + e^x), without overflow.
      return logits.map { (log1p(exp(-$0.magnitude)) + max($0, 0)).squareRoot() }
    case .logits:
      return Array(logits)
    }
  }
}

/// e^x divided by its sum over all elements.
private func softmaxOf(_ values: [Float]) -> [Float] {
  let largest = values.reduce(-Float.infinity, max)
  let exponentials = values.map { exp($0 - largest) }
  let sum = exponentials.reduce(0, +)
  return exponentials.map { $0 / sum }
}

extension RouterRule.Groups {
  /// Sets the scores of all groups but the `kept` best to −∞.
  fileprivate func maskLeftOut(_ scores: inout [Float]) {
    let groupSize = scores.count / count
    let groupScores = (0..<count).map { group in
      let members = Array(scores[group * groupSize..<(group + 1) * groupSize])
      let counted = scoring == .largest ? 1 : 2
      return members.indicesOfLargest(counted).reduce(0) { $0 + members[$1] }
    }
    let keptGroups = groupScores.indicesOfLargest(kept)
    for group in 0..<count where !keptGroups.contains(group) {
      for expert in group * groupSize..<(group + 1) * groupSize { scores[expert] = -.infinity }
    }
  }
}

extension RouterRule {
  fileprivate func weights(ofScores scores: [Float]) -> [Float] {
    switch normalization {
    case .none:
      return scores.map { $0 * scalingFactor }
    case .sum(let epsilon):
      let sum = scores.reduce(0, +) + epsilon
      return scores.map { $0 / sum * scalingFactor }
    case .clampedSum(let minimum):
      let sum = max(scores.reduce(0, +), minimum)
      return scores.map { $0 / sum * scalingFactor }
    case .norm(let exponent):
      let sum = scores.reduce(0) { $0 + pow($1.magnitude, exponent) }
      let norm = pow(sum, 1 / exponent)
      return scores.map { $0 / norm * scalingFactor }
    case .softmax:
      return softmaxOf(scores).map { $0 * scalingFactor }
    case .sigmoid:
      return scores.map { ReferenceModel.sigmoid($0) * scalingFactor }
    }
  }
}

extension [Float] {
  /// The indices of the `wanted` largest elements, largest first; of equal ones the lower index
  /// first, NaN last.
  fileprivate func indicesOfLargest(_ wanted: Int) -> [Int] {
    var chosen: [Int] = []
    chosen.reserveCapacity(wanted + 1)
    for index in indices {
      let value = self[index]
      // A later element moves up only past smaller ones, so equal ones stay in order.
      var position = chosen.count
      while position > 0, ranks(value, above: self[chosen[position - 1]]) { position -= 1 }
      if position < wanted {
        chosen.insert(index, at: position)
        if chosen.count > wanted { chosen.removeLast() }
      }
    }
    return chosen
  }
}

extension [Float] {
  /// The choices of `RouterRule.Selection.sparseMixer` among these logits.
  fileprivate func sparseMixerPicks(
    _ wanted: Int, jitter: Float
  ) -> [(expert: Int, weight: Float)] {
    var remaining = self
    return (0..<wanted).map { _ in
      let expert = remaining.indicesOfLargest(1)[0]
      let largest = remaining[expert]
      var sum: Float = 0
      for index in indices where remaining[index] != -.infinity {
        let distance = (largest - self[index]) / Swift.max(self[index].magnitude, largest)
        if !(distance > 2 * jitter) { sum += exp(remaining[index] - largest) }
      }
      remaining[expert] = -.infinity
      return (expert, 1 / sum)
    }
  }
}

private func ranks(_ value: Float, above other: Float) -> Bool {
  value > other || (other.isNaN && !value.isNaN)
}
