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
/// - Precondition: `logits` has `rule.expertCount` columns, and `correctionBias` as many elements.
public func route(logits: Matrix, rule: RouterRule, correctionBias: [Float]? = nil) -> Routing {
  precondition(logits.columns == rule.expertCount)
  precondition(correctionBias == nil || correctionBias?.count == rule.expertCount)
  var experts: [Int] = []
  var weights: [Float] = []
  experts.reserveCapacity(logits.rows * rule.expertsPerToken)
  weights.reserveCapacity(logits.rows * rule.expertsPerToken)

  for token in 0..<logits.rows {
    let scores = rule.scoring.scores(of: logits.row(token))
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
    weights: weights)
}

extension RouterRule.Scoring {
  fileprivate func scores(of logits: ArraySlice<Float>) -> [Float] {
    switch self {
    case .sigmoid:
      return logits.map { ReferenceModel.sigmoid($0) }
    case .softmax:
      let largest = logits.reduce(-Float.infinity, max)
      let exponentials = logits.map { exp($0 - largest) }
      let sum = exponentials.reduce(0, +)
      return exponentials.map { $0 / sum }
    }
  }
}

extension RouterRule.Groups {
  /// Sets the scores of all groups but the `kept` best to −∞.
  fileprivate func maskLeftOut(_ scores: inout [Float]) {
    let groupSize = scores.count / count
    let groupScores = (0..<count).map { group in
      let members = Array(scores[group * groupSize..<(group + 1) * groupSize])
      return members.indicesOfLargest(2).reduce(0) { $0 + members[$1] }
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

private func ranks(_ value: Float, above other: Float) -> Bool {
  value > other || (other.isNaN && !value.isNaN)
}
