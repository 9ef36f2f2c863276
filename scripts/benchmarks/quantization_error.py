"""Tables of quantization errors on seeded weights. Run by scripts/benchmarks/quantization-error.

Kelter is run as a user would: on a folder with a one-layer Llama whose gate projection is
N(0, 0.02) and whose up projection has Student's t-distribution with 4 degrees of freedom. Exit code
1 if a scheme's error under full search is above its limit.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import gguf
import numpy
import torch
from compressed_tensors.quantization import QuantizationArgs
from compressed_tensors.quantization.lifecycle.forward import fake_quantize
from compressed_tensors.quantization.utils import calculate_qparams
from safetensors.numpy import save_file

SIZE = 4096
# Relative errors under full search on N(0, 0.02), and where a second is given on Student's t; None
# where none is set. Those of lut4-g32-k2 are the errors of ggml's Q4_K, which has 4.5 bits: the
# better of two, without importance and with an importance of 1 for every column.
LIMITS = {
    "fp8-e4m3-b128": 0.0266, "fp8-e4m3-channel": None, "fp8-e4m3-tensor": None,
    "int8-channel": None, "mxfp8": None, "int4-g32": 0.0812, "int4-g64": 0.0902,
    "int4-g128": 0.0970, "int4-asym-g32": 0.0777, "int4-asym-g64": None,
    "int4-asym-g128": 0.0950, "nvfp4": 0.0816, "mxfp4": 0.1117,
    "lut4-g32": (0.0745, 0.0852), "lut4-g32-k2": (0.0707, 0.0861),
    "lut4-g16": (0.0656, 0.0716), "lut4-g16-k2": (0.0638, 0.0660),
    "lut3-g16": (0.1343, 0.1462), "lut3-g16-k2": (0.1285, 0.1346),
}
SEARCHES = ["absmax", "fast", "full"]
GATE, UP = (f"model.layers.0.mlp.{name}_proj.weight" for name in ("gate", "up"))


def matrices():
    random = numpy.random.default_rng(0)
    shape = (SIZE, SIZE)
    return {
        GATE: (random.standard_normal(shape) * 0.02).astype(numpy.float32),
        UP: (random.standard_t(4, shape) * 0.02).astype(numpy.float32),
    }


def write_checkpoint(folder, weights):
    """A Llama of one layer; what is not measured is small or zero."""
    def zeros(*shape):
        return numpy.zeros(shape, numpy.float16)

    layer = "model.layers.0."
    save_file(
        weights | {
            layer + "mlp.down_proj.weight": zeros(SIZE, SIZE),
            layer + "input_layernorm.weight": zeros(SIZE),
            layer + "post_attention_layernorm.weight": zeros(SIZE),
            "model.embed_tokens.weight": zeros(16, SIZE), "lm_head.weight": zeros(16, SIZE),
            "model.norm.weight": zeros(SIZE),
        } | {layer + f"self_attn.{name}_proj.weight": zeros(16, SIZE) for name in "qkv"}
        | {layer + "self_attn.o_proj.weight": zeros(SIZE, 16)},
        folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": SIZE,
        "intermediate_size": SIZE, "num_hidden_layers": 1, "num_attention_heads": 1,
        "num_key_value_heads": 1, "head_dim": 16, "vocab_size": 16, "hidden_act": "silu",
        "rms_norm_eps": 1e-6}))
    (folder / "recipe.yaml").write_text(
        'rules:\n  - {tensors: "*.down_proj.weight", scheme: keep}\n')


def kelter_errors(folder, scheme, search):
    """The relative errors of the two matrices, and bits per weight."""
    output = folder / "out.kelter"
    subprocess.run(
        [os.environ["KELTER"], "convert", folder, "-o", output, "--scheme", scheme, "--search",
         search, "--recipe", folder / "recipe.yaml", "--no-gate", "--force", "--quiet"],
        check=True)
    report = json.loads(output.with_suffix(".report.json").read_text())
    errors = {weight["name"]: weight["relative_error"] for weight in report["weights"]}
    return [errors[GATE], errors[UP]], report["bytes"]["bits_per_weight"]


def relative_error(weights, found):
    difference = found.astype(numpy.float64) - weights
    return float(numpy.linalg.norm(difference) / numpy.linalg.norm(weights.astype(numpy.float64)))


def ggml(name):
    """gguf-py's own quantizer: (bits per weight, function)."""
    kind = gguf.GGMLQuantizationType[name]
    block, byte_count = gguf.GGML_QUANT_SIZES[kind]

    def run(weights):
        return gguf.dequantize(gguf.quantize(weights, kind), kind)

    return 8 * byte_count / block, run


def compressed_tensors(group_size, symmetric, shrinks, norm=2.4):
    """compressed-tensors' INT4 with BF16 scales. With several `shrinks`, each group takes the range
    that gives the least Σ|x − x̂|^norm among those, as llm-compressor's `mse` observer does."""
    arguments = QuantizationArgs(
        num_bits=4, type="int", strategy="group", group_size=group_size, symmetric=symmetric)

    def run(weights):
        x = torch.from_numpy(weights)
        groups = x.view(len(x), -1, group_size)
        low, high = groups.amin(-1), groups.amax(-1)
        best, least = torch.empty_like(x).view_as(groups), torch.full_like(low, torch.inf)
        for shrink in shrinks:
            scale, zero_point = calculate_qparams(low * shrink, high * shrink, arguments)
            scale = scale.to(torch.bfloat16).float()
            found = fake_quantize(x, scale, zero_point.float(), arguments).view_as(groups)
            error = (found - groups).abs().pow(norm).sum(-1)
            best = torch.where((error < least)[..., None], found, best)
            least = torch.minimum(error, least)
        return best.view_as(x).numpy()

    return 4 + (16 if symmetric else 20) / group_size, run


def peers():
    for name in ["Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "MXFP4"]:
        yield f"ggml {name} (gguf-py)", *ggml(name)
    grid = [1 - step / 100 for step in range(0, 80, 4)]
    for symmetric, kind in (True, "int4"), (False, "int4-asym"):
        for group_size in (32, 128):
            label = f"compressed-tensors {kind} g{group_size}"
            yield label + ", minmax", *compressed_tensors(group_size, symmetric, [1])
            yield label + ", mse", *compressed_tensors(group_size, symmetric, grid)


def main():
    weights = matrices()
    failures = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        write_checkpoint(folder, weights)
        print(f"Relative errors ‖x − x̂‖ / ‖x‖, {SIZE}×{SIZE}, seed 0.\n")
        print("| scheme | bits per weight | N(0, 0.02): absmax | fast | full | limit "
              "| Student-t, 4 degrees: absmax | fast | full | limit |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for scheme, limits in LIMITS.items():
            found = [kelter_errors(folder, scheme, search) for search in SEARCHES]
            limits = limits if isinstance(limits, tuple) else (limits, None)
            columns = []
            for index, limit in enumerate(limits):
                columns += [f"{errors[index]:.4f}" for errors, _ in found]
                columns.append("" if limit is None else f"{limit:.4f}")
                full = found[-1][0][index]
                if limit is not None and full > limit:
                    failures.append(f"{scheme}: {full:.5f} is above {limit}")
            print(f"| {scheme} | {found[-1][1]:.4g} | {' | '.join(columns)} |", flush=True)
    print("\n| peer | bits per weight | N(0, 0.02) | Student-t, 4 degrees |")
    print("|---|---|---|---|")
    for name, bits, run in peers():
        errors = " | ".join(f"{relative_error(x, run(x)):.4f}" for x in weights.values())
        print(f"| {name} | {bits:.4g} | {errors} |", flush=True)
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
