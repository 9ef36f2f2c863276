import Bytes
import ReferenceModel

extension ModelFamily {
  /// GLM-4.5, 4.5-Air, 4.6 and 4.7.
  ///
  /// Source: transformers' `glm4_moe`.
  static let glm4MoE = ModelFamily(
    name: "GLM-4.5",
    models: ["GLM-4.5", "4.5-Air", "4.6", "4.7"],
    modelTypes: ["glm4_moe"],
    architectures: ["Glm4MoeForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: .deepSeek,
    mixtureLayers: .deepSeek,
    predictionLayers: "num_nextn_predict_layers",
    router: .noAuxiliaryLoss,
    tensors: [
      .decoder(),
      .queryKeyValueAttention,
      .queryKeyNorms,
      .deepSeekMLPs,
      .correctionBias,
      .predictionLayer,
    ])
}
