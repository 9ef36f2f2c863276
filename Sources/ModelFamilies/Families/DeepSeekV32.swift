import Bytes
import ReferenceModel

extension ModelFamily {
  /// DeepSeek-V3.2 and V3.2-Exp: V3 with sparse attention.
  ///
  /// Sources: deepseek-ai/DeepSeek-V3.2-Exp, transformers' `deepseek_v32`.
  static let deepSeekV32 = ModelFamily(
    name: "DeepSeek-V3.2",
    models: ["DeepSeek-V3.2", "V3.2-Exp"],
    modelTypes: ["deepseek_v32"],
    architectures: ["DeepseekV32ForCausalLM"],
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
