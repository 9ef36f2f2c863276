import Bytes
import ReferenceModel

extension ModelFamily {
  /// DeepSeek-V2, V2-Lite, Coder-V2.
  ///
  /// With `norm_topk_prob`, which no release sets, implementations disagree.
  ///
  /// Sources: transformers' `deepseek_v2`, the modelling code of deepseek-ai/DeepSeek-V2.
  static let deepSeekV2 = ModelFamily(
    name: "DeepSeek-V2",
    models: ["DeepSeek-V2", "V2.5", "V2-Lite", "Coder-V2"],
    modelTypes: ["deepseek_v2"],
    architectures: ["DeepseekV2ForCausalLM"],
    expectedSettings: [
      "hidden_act": .string("silu"), "scoring_func": .string("softmax"),
      "norm_topk_prob": .bool(false),
    ],
    sizes: .deepSeek,
    mixtureLayers: .deepSeek,
    router: RouterTemplate(
      scoring: .softmax,
      groups: RouterTemplate.Groups(
        count: "n_group", kept: "topk_group", scoring: .largest,
        condition: (key: "topk_method", value: "group_limited_greedy")),
      normalization: .never, scalingFactor: "routed_scaling_factor"),
    tensors: [
      .decoder(),
      .latentAttention,
      .deepSeekMLPs,
    ])
}
