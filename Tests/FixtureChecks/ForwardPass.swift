import ModelFamilies
import ReferenceModel
import SourceWeights
package import SystemPackage
import Tensors

/// What a reference computed in every layer of a whole model: `expected_forward.safetensors`.
package struct ForwardPass {
  private let expected: ExpectedValues

  package init(file: FilePath) throws {
    expected = try ExpectedValues(path: file)
  }

  /// Whether it holds what attention adds to the stream.
  package var tellsAttention: Bool { expected.has("layers.0.attn_out") }

  /// The layers whose MLP, the norm before it included, makes of the stream after attention
  /// something that is further than 1e-5 from the expected. Empty if all is well.
  package func mismatches(of model: FixtureModel) throws -> [String] {
    var found: [String] = []
    let ids = try expected.integers("input_ids")
    var stream = try model.matrix(model.description.embedding).gatheredRows(at: ids)
    for layer in model.description.layers where !layer.isMultiTokenPrediction {
      let attention = try expected.matrix("layers.\(layer.index).attn_out")
      guard attention.rows == stream.rows, attention.columns == stream.columns else {
        return found + ["layer \(layer.index): attn_out has another shape than the stream"]
      }
      stream.add(attention)
      let input = stream.normalized(
        layer.normalization, weight: try model.vector(layer.postAttentionNorm),
        bias: try layer.postAttentionNormBias.map(model.vector),
        epsilon: model.description.normEpsilon)
      let output =
        switch layer.mlp {
        case .dense(let weights):
          try model.mlp(weights).forward(input, activation: layer.activation)
        case .mixtureOfExperts: try model.mixture(layer)!.forward(input).output
        }
      let error = relativeError(output, try expected.matrix("layers.\(layer.index).mlp_out"))
      if !(error < 1e-5) { found.append("layer \(layer.index): mlp_out differs by \(error)") }
      stream = try expected.matrix("layers.\(layer.index).out")
    }
    return found
  }
}

extension FixtureModel {
  /// Whether the stream is what `ForwardPass` takes it for: embeddings to which attention and MLP
  /// are added as they are.
  package var hasPlainStream: Bool {
    description.embeddingFactor == 1 && description.layers.allSatisfy { $0.residual == .plain }
      && !sources.weights.contains { description.assignment(of: $0.name)?.role == .residual }
  }
}
