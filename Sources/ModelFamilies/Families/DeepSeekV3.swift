import Bytes
import ReferenceModel

extension ModelFamily {
  /// DeepSeek-V3, R1 and V3.1, and Moonlight.
  ///
  /// Sources: deepseek-ai/DeepSeek-V3 (`inference/model.py`, `README_WEIGHTS.md`), transformers'
  /// `deepseek_v3`.
  static let deepSeekV3 = ModelFamily(
    name: "DeepSeek-V3",
    models: ["DeepSeek-V3", "R1", "V3.1", "Moonlight"],
    modelTypes: ["deepseek_v3"],
    architectures: ["DeepseekV3ForCausalLM"],
    expectedSettings: [
      "hidden_act": .string("silu"), "scoring_func": .string("sigmoid"),
      "topk_method": .string("noaux_tc"),
    ],
    sizes: .deepSeek,
    mixtureLayers: .deepSeek,
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
