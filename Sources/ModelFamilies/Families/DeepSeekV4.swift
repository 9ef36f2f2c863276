import Bytes
import ReferenceModel

extension ModelFamily {
  /// DeepSeek-V4: names of its own, first layers whose experts a table of token ids chooses, a
  /// clamped activation.
  ///
  /// Source: transformers' `deepseek_v4`, deepseek-ai/DeepSeek-V4.
  static let deepSeekV4 = ModelFamily(
    name: "DeepSeek-V4",
    modelTypes: ["deepseek_v4"],
    architectures: ["DeepseekV4ForCausalLM"],
    expectedSettings: [
      "hidden_act": .string("silu"), "scoring_func": .string("sqrtsoftplus"),
    ],
    sizes: .deepSeekWithoutDense,
    mixtureLayers: .all,
    router: RouterTemplate(
      scoring: .squareRootSoftplus,
      normalization: .ifSet(key: "norm_topk_prob", absent: true, epsilon: 1e-20),
      scalingFactor: "routed_scaling_factor"),
    activation: .clampedSilu(limitKey: "swiglu_limit"),
    norm: NormRule("ffn_norm.weight"),
    tensors: [
      [
        TensorRule(.model, "embed.weight", .embedding, [.vocabulary, .hidden]),
        TensorRule(.model, "norm.weight", .norm, [.hidden]),
        TensorRule(
          .model, "head.weight", .head, [.vocabulary, .hidden],
          .requiredUnless("tie_word_embeddings")),
        TensorRule(.layer, "attn_norm.weight", .norm, [.hidden]),
        TensorRule(.layer, "ffn_norm.weight", .norm, [.hidden]),
        TensorRule(.layer, "attn.q_norm.weight", .norm, nil, .optional),
        TensorRule(.layer, "attn.kv_norm.weight", .norm, nil, .optional),
        TensorRule(.layer, "attn.compressor.norm.weight", .norm, nil, .optional),
        TensorRule(.layer, "attn.indexer.compressor.norm.weight", .norm, nil, .optional),
        TensorRule(.layer, "attn.*", .attention, nil, .optional),
        TensorRule(.mixtureLayer, "ffn.gate.weight", .router, [.experts, .hidden]),
        // A layer has the one or the other.
        TensorRule(.mixtureLayer, "ffn.gate.bias", .routerBias, [.experts], .optional),
        TensorRule(
          .mixtureLayer, "ffn.gate.tid2eid", .routerTable, [.vocabulary, .chosenExperts],
          .optional),
      ],
      .experts(
        "ffn.experts.{}.", gate: "w1.weight", up: "w3.weight", down: "w2.weight"),
      .sharedExpert(
        "ffn.shared_experts.", gate: "w1.weight", up: "w3.weight", down: "w2.weight"),
      .hyperConnections, .prediction("mtp."),
    ],
    layerPrefix: "layers.{}.",
    omissions: ["its hyper-connections"])
}
