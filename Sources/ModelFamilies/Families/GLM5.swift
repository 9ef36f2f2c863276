import Bytes
import ReferenceModel

extension ModelFamily {
  /// GLM-5: latent attention that is sparse, as in DeepSeek-V3.2.
  ///
  /// Source: transformers' `glm_moe_dsa`.
  static let glm5 = ModelFamily(
    name: "GLM-5",
    modelTypes: ["glm_moe_dsa"],
    architectures: ["GlmMoeDsaForCausalLM"],
    expectedSettings: [
      "hidden_act": .string("silu"), "scoring_func": .string("sigmoid"),
      "topk_method": .string("noaux_tc"),
    ],
    sizes: .deepSeek,
    mixtureLayers: .deepSeekTyped,
    predictionLayers: "num_nextn_predict_layers",
    router: .noAuxiliaryLoss,
    tensors: [
      .decoder(),
      .latentAttention,
      .attentionIndexer,
      .deepSeekMLPs,
      .correctionBias,
      .predictionLayer,
    ])
}
