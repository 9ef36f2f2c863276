"""The tensors and the config.json of the layouts that make-checkpoint knows.

`options` carries dtype, layers, dense_layers, experts, experts_per_token, hidden, expert_width,
dense_width, heads and vocabulary. A layout has `defaults`, `tensors(options)`, which yields
(layer, name, dtype, shape) in the order of the release, and `config(options)`.
"""

FP8_BLOCK = 128


def matrix(name, rows, columns, dtype):
    if dtype == "bf16":
        yield name + ".weight", "BF16", [rows, columns]
    else:
        yield name + ".weight", "F8_E4M3", [rows, columns]
        yield (name + ".weight_scale_inv", "F32",
               [-(-rows // FP8_BLOCK), -(-columns // FP8_BLOCK)])


def mlp(prefix, width, options):
    yield from matrix(prefix + ".gate_proj", width, options.hidden, options.dtype)
    yield from matrix(prefix + ".up_proj", width, options.hidden, options.dtype)
    yield from matrix(prefix + ".down_proj", options.hidden, width, options.dtype)


def model(options, layer):
    """Embeddings, every layer as `layer` yields it, final norm and head."""
    hidden = options.hidden
    for index in range(options.layers):
        prefix = f"model.layers.{index}"
        if index == 0:
            yield 0, "model.embed_tokens.weight", "BF16", [options.vocabulary, hidden]
        yield index, prefix + ".input_layernorm.weight", "BF16", [hidden]
        yield index, prefix + ".post_attention_layernorm.weight", "BF16", [hidden]
        for tensor in layer(prefix, index < options.dense_layers):
            yield index, *tensor
    yield options.layers - 1, "model.norm.weight", "BF16", [hidden]
    yield options.layers - 1, "lm_head.weight", "BF16", [options.vocabulary, hidden]


def common_config(options):
    """What both layouts call alike."""
    config = {
        "vocab_size": options.vocabulary, "hidden_size": options.hidden, "hidden_act": "silu",
        "intermediate_size": options.dense_width, "moe_intermediate_size": options.expert_width,
        "num_hidden_layers": options.layers, "num_experts_per_tok": options.experts_per_token,
        "norm_topk_prob": True, "num_attention_heads": options.heads, "rms_norm_eps": 1e-06,
        "tie_word_embeddings": False, "torch_dtype": "bfloat16"}
    if options.dtype == "fp8":
        config["quantization_config"] = {
            "activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8",
            "weight_block_size": [FP8_BLOCK, FP8_BLOCK]}
    return config


class DeepSeekV3:
    """Latent attention, a shared expert, sigmoid router with a bias; matrices of DeepSeek-V3."""

    defaults = {
        "dtype": "fp8", "layers": 7, "dense_layers": 1, "experts": 16, "experts_per_token": 4,
        "hidden": 7168, "expert_width": 2048, "dense_width": 18432, "heads": 128}
    query_rank, key_rank, rope, head = 1536, 512, 64, 128

    @classmethod
    def tensors(cls, options):
        def layer(prefix, is_dense):
            hidden, heads, dtype = options.hidden, options.heads, options.dtype
            attention = prefix + ".self_attn"
            yield from matrix(attention + ".q_a_proj", cls.query_rank, hidden, dtype)
            yield attention + ".q_a_layernorm.weight", "BF16", [cls.query_rank]
            yield from matrix(
                attention + ".q_b_proj", heads * (cls.head + cls.rope), cls.query_rank, dtype)
            yield from matrix(
                attention + ".kv_a_proj_with_mqa", cls.key_rank + cls.rope, hidden, dtype)
            yield attention + ".kv_a_layernorm.weight", "BF16", [cls.key_rank]
            yield from matrix(attention + ".kv_b_proj", heads * 2 * cls.head, cls.key_rank, dtype)
            yield from matrix(attention + ".o_proj", hidden, heads * cls.head, dtype)
            if is_dense:
                yield from mlp(prefix + ".mlp", options.dense_width, options)
                return
            yield prefix + ".mlp.gate.weight", "BF16", [options.experts, hidden]
            yield prefix + ".mlp.gate.e_score_correction_bias", "F32", [options.experts]
            yield from mlp(prefix + ".mlp.shared_experts", options.expert_width, options)
            for expert in range(options.experts):
                yield from mlp(f"{prefix}.mlp.experts.{expert}", options.expert_width, options)

        return model(options, layer)

    @classmethod
    def config(cls, options):
        return common_config(options) | {
            "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3",
            "first_k_dense_replace": options.dense_layers, "moe_layer_freq": 1,
            "n_routed_experts": options.experts, "n_shared_experts": 1, "n_group": 1,
            "topk_group": 1, "topk_method": "noaux_tc", "scoring_func": "sigmoid",
            "routed_scaling_factor": 2.5, "num_key_value_heads": options.heads,
            "q_lora_rank": cls.query_rank, "kv_lora_rank": cls.key_rank,
            "qk_rope_head_dim": cls.rope, "qk_nope_head_dim": cls.head, "v_head_dim": cls.head,
            "num_nextn_predict_layers": 0, "rope_theta": 10000, "max_position_embeddings": 4096}


class Qwen3MoE:
    """Grouped-query attention, no shared expert, softmax router; matrices of Qwen3-30B-A3B."""

    defaults = {
        "dtype": "bf16", "layers": 4, "dense_layers": 0, "experts": 128, "experts_per_token": 8,
        "hidden": 2048, "expert_width": 768, "dense_width": 6144, "heads": 32}
    head, key_heads = 128, 4

    @classmethod
    def tensors(cls, options):
        def layer(prefix, is_dense):
            hidden, dtype = options.hidden, options.dtype
            attention = prefix + ".self_attn"
            for name, heads in ("q", options.heads), ("k", cls.key_heads), ("v", cls.key_heads):
                yield from matrix(f"{attention}.{name}_proj", heads * cls.head, hidden, dtype)
            yield from matrix(attention + ".o_proj", hidden, options.heads * cls.head, dtype)
            yield attention + ".q_norm.weight", "BF16", [cls.head]
            yield attention + ".k_norm.weight", "BF16", [cls.head]
            if is_dense:
                yield from mlp(prefix + ".mlp", options.dense_width, options)
                return
            yield prefix + ".mlp.gate.weight", "BF16", [options.experts, hidden]
            for expert in range(options.experts):
                yield from mlp(f"{prefix}.mlp.experts.{expert}", options.expert_width, options)

        return model(options, layer)

    @classmethod
    def config(cls, options):
        return common_config(options) | {
            "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe",
            "mlp_only_layers": list(range(options.dense_layers)), "decoder_sparse_step": 1,
            "num_experts": options.experts, "num_key_value_heads": cls.key_heads,
            "head_dim": cls.head, "attention_bias": False, "rope_theta": 1000000.0,
            "max_position_embeddings": 40960}


LAYOUTS = {"deepseek-v3": DeepSeekV3, "qwen3-moe": Qwen3MoE}
