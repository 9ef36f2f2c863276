import ModelFamilies
import ReferenceModel
package import SystemPackage
import Tensors

/// What a reference computed in the mixture of one layer: a part of a file of expected values.
package struct MixtureBlock {
  let layer: Int
  let file: FilePath
  let prefix: String
  let indices: String

  /// - Parameter prefix: of the names of the tensors.
  /// - Parameter indices: the tensor of each token's experts.
  package init(
    layer: Int, file: FilePath, prefix: String = "", indices: String = "topk_indices_i64"
  ) {
    self.layer = layer
    self.file = file
    self.prefix = prefix
    self.indices = indices
  }

  /// What the model computes otherwise: other experts, or logits, weights or outputs that are
  /// further than 1e-5 from the expected ones. Empty if all is well.
  package func mismatches(of model: FixtureModel) throws -> [String] {
    guard let description = model.description.layers.first(where: { $0.index == layer }),
      let mixture = try model.mixture(description)
    else { return ["layer \(layer) has no experts"] }
    let expected = try ExpectedValues(path: file)
    let input = try expected.matrix(prefix + "hidden_in")
    guard input.columns == model.description.hiddenSize else {
      return ["layer \(layer): hidden_in has \(input.columns) columns"]
    }
    let experts = try expected.integers(prefix + indices)
    let result = mixture.forward(
      input, choice: description.mixtureOfExperts?.routerTable == nil ? nil : experts)

    var found: [String] = []
    for (what, matrix) in [("router_logits", result.logits), ("hidden_out", result.output)] {
      let error = relativeError(matrix, try expected.matrix(prefix + what))
      // Not a number is no small error.
      if !(error < 1e-5) { found.append("layer \(layer): \(what) differs by \(error)") }
    }
    let weights = try expected.matrix(prefix + "topk_weights")
    guard weights.rows == input.rows, weights.columns == result.routing.expertsPerToken,
      experts.count == weights.values.count
    else {
      return found + [
        "layer \(layer): \(result.routing.expertsPerToken) experts per token, expected "
          + "\(weights.columns)"
      ]
    }
    // The order within a token is not specified: compare each expert's weight.
    for token in 0..<input.rows {
      let chosen = Dictionary(
        zip(result.routing.experts(of: token), result.routing.weights(of: token)),
        uniquingKeysWith: { first, _ in first })
      for slot in token * weights.columns..<(token + 1) * weights.columns {
        let value = weights.values[slot]
        guard let weight = chosen[experts[slot]] else {
          found.append(
            "layer \(layer): token \(token) goes to \(chosen.keys.sorted()), expected "
              + "\(experts[slot])")
          continue
        }
        if !(abs(weight - value) <= 1e-5 * abs(value)) {
          found.append(
            "layer \(layer): token \(token), expert \(experts[slot]): weight \(weight), expected "
              + "\(value)")
        }
      }
    }
    return found
  }
}
