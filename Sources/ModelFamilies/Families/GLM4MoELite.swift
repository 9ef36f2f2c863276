import Bytes
import ReferenceModel

extension ModelFamily {
  /// GLM-4.7-Flash.
  ///
  /// Source: transformers' `glm4_moe_lite`.
  static let glm4MoELite = ModelFamily(
    name: "GLM-4.7-Flash",
    modelTypes: ["glm4_moe_lite"],
    architectures: ["Glm4MoeLiteForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: .deepSeek,
    mixtureLayers: .deepSeekTyped,
    predictionLayers: "num_nextn_predict_layers",
    router: .noAuxiliaryLoss,
    tensors: [
      .decoder(),
      .latentAttention,
      .deepSeekMLPs,
      .correctionBias,
      .predictionLayer,
    ])
}
