import Bytes
import ReferenceModel

extension ModelFamily {
  /// gpt-oss-20b and 120b: gate and up in turns, biases, a clamped activation. Experts are in two
  /// tensors: inputs × outputs in plain elements, outputs × inputs in the release's MXFP4.
  ///
  /// Source: openai/gpt-oss, transformers' `gpt_oss`.
  static let gptOSS = ModelFamily(
    name: "gpt-oss",
    models: ["gpt-oss-20b", "120b"],
    modelTypes: ["gpt_oss"],
    architectures: ["GptOssForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .experts: "num_local_experts",
      .expertWidth: "intermediate_size", .expertPair: .twice("intermediate_size"),
    ],
    mixtureLayers: .all,
    router: RouterTemplate(
      scoring: .logits, expertsPerToken: ["num_experts_per_tok", "experts_per_token"],
      normalization: .always(.softmax)),
    activation: .clampedSwish(sharpness: 1.702, limitKey: "swiglu_limit"),
    tensors: [
      .decoder(), .queryKeyValueAttention,
      [
        TensorRule(.mixtureLayer, "mlp.router.weight", .router, [.experts, .hidden]),
        TensorRule(.mixtureLayer, "mlp.router.bias", .routerLogitBias, [.experts]),
        .fused(
          .mixtureLayer, "mlp.experts.gate_up_proj", [.experts, .hidden, .expertPair],
          FusedRule([.expertGate, .expertUp], order: .interleaved, .inputsByOutputsIfPlain)),
        .fused(
          .mixtureLayer, "mlp.experts.down_proj", [.experts, .expertWidth, .hidden],
          FusedRule([.expertDown], .inputsByOutputsIfPlain)),
        TensorRule(
          .mixtureLayer, "mlp.experts.gate_up_proj_bias", .mlpBias, [.experts, .expertPair]),
        TensorRule(.mixtureLayer, "mlp.experts.down_proj_bias", .mlpBias, [.experts, .hidden]),
      ],
    ],
    expertBiases: ExpertBiasRule(
      gateUp: "mlp.experts.gate_up_proj_bias", order: .interleaved,
      down: "mlp.experts.down_proj_bias"))
}
