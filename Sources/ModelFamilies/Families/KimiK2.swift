import Bytes
import ReferenceModel

extension ModelFamily {
  /// Kimi-K2, K2-Thinking, and the text model of K2.5.
  ///
  /// Source: the modelling code of moonshotai/Kimi-K2, which is DeepSeek-V3's.
  static let kimiK2 = ModelFamily(
    name: "Kimi-K2",
    models: ["Kimi-K2", "K2-Thinking", "K2.5"],
    modelTypes: ["kimi_k2", "kimi_k25"],
    architectures: ["KimiK25ForConditionalGeneration"],
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
      .encoders("vision_tower.", "mm_projector."),
    ],
    wrappers: [NameWrapper(released: "language_model.", plain: "")])
}
