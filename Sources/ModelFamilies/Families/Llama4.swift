import Bytes
import ReferenceModel

extension ModelFamily {
  /// Llama-4 Scout and Maverick: the weights of the router multiply the experts' inputs.
  ///
  /// Source: transformers' `llama4`.
  static let llama4 = ModelFamily(
    name: "Llama-4",
    models: ["Llama-4 Scout", "Maverick"],
    modelTypes: ["llama4", "llama4_text"],
    architectures: ["Llama4ForConditionalGeneration", "Llama4ForCausalLM"],
    expectedSettings: ["hidden_act": .string("silu")],
    sizes: [
      .hidden: "hidden_size", .vocabulary: "vocab_size", .denseWidth: "intermediate_size_mlp",
      .experts: "num_local_experts", .expertWidth: "intermediate_size",
      .expertPair: .twice("intermediate_size"), .sharedWidth: "intermediate_size",
    ],
    mixtureLayers: .listed(key: "moe_layers", step: "interleave_moe_layer_step"),
    router: RouterTemplate(
      scoring: .logits, normalization: .always(.sigmoid), scalesInput: true),
    tensors: [
      .decoder(), .queryKeyValueAttention,
      [TensorRule(.mixtureLayer, "feed_forward.router.weight", .router, [.experts, .hidden])],
      .transposedExperts("feed_forward.experts."),
      .experts("feed_forward.experts.{}.", .optional),
      .sharedExpert("feed_forward.shared_expert."),
      .denseMLP("feed_forward."),
      .encoders("vision_model.", "multi_modal_projector."),
    ],
    wrappers: [NameWrapper(released: "language_model.", plain: "")])
}
