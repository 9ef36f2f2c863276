import Bytes
import ReferenceModel

extension ModelFamily {
  /// DBRX: the experts' matrices one under the other, down projections inputs × outputs.
  ///
  /// Source: transformers' `dbrx`.
  static let dbrx = ModelFamily(
    name: "DBRX",
    modelTypes: ["dbrx"],
    architectures: ["DbrxForCausalLM"],
    expectedSettings: ["ffn_config.ffn_act_fn.name": .string("silu")],
    sizes: [
      .hidden: "d_model", .vocabulary: "vocab_size", .experts: "ffn_config.moe_num_experts",
      .expertWidth: "ffn_config.ffn_hidden_size",
      .stackedExperts: SizeRule(
        keys: ["ffn_config.ffn_hidden_size"], factorKey: "ffn_config.moe_num_experts"),
    ],
    layerCount: "n_layers",
    mixtureLayers: .all,
    router: RouterTemplate(
      scoring: .softmax, expertsPerToken: ["ffn_config.moe_top_k"],
      normalization: .norm(exponentKey: "ffn_config.moe_normalize_expert_weights")),
    norm: NormRule(
      "norm_attn_norm.norm_2.weight", normalization: .layer, epsilonKey: "layer_norm_epsilon",
      absentEpsilon: 1e-5),
    tensors: [
      [
        TensorRule(.model, "transformer.wte.weight", .embedding, [.vocabulary, .hidden]),
        TensorRule(.model, "transformer.norm_f.weight", .norm, [.hidden]),
        TensorRule(
          .model, "lm_head.weight", .head, [.vocabulary, .hidden],
          .requiredUnless("tie_word_embeddings")),
        TensorRule(.layer, "norm_attn_norm.norm_1.weight", .norm, [.hidden]),
        TensorRule(.layer, "norm_attn_norm.norm_2.weight", .norm, [.hidden]),
        TensorRule(.layer, "norm_attn_norm.attn.Wqkv.weight", .attention),
        TensorRule(.layer, "norm_attn_norm.attn.out_proj.weight", .attention),
        TensorRule(.mixtureLayer, "ffn.router.layer.weight", .router, [.experts, .hidden]),
        .fused(
          .mixtureLayer, "ffn.experts.mlp.w1", [.stackedExperts, .hidden],
          FusedRule([.expertGate])),
        .fused(
          .mixtureLayer, "ffn.experts.mlp.v1", [.stackedExperts, .hidden], FusedRule([.expertUp])),
        .fused(
          .mixtureLayer, "ffn.experts.mlp.w2", [.stackedExperts, .hidden],
          FusedRule([.expertDown], .inputsByOutputs)),
      ]
    ],
    layerPrefix: "transformer.blocks.{}.")
}
