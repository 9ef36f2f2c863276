"""Compares the logits of exported checkpoints, by transformers, with stored ones.

Run by scripts/check-logits. Exit code 1 if `keep` does not give the stored logits.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file

MODEL = pathlib.Path("fixtures/trained")
SCHEMES = [
    "bf16", "fp8-e4m3-b128", "fp8-e4m3-channel", "fp8-e4m3-tensor", "int8-channel",
    "mxfp8", "int4-g32", "int4-g64", "int4-g128", "int4-asym-g32", "int4-asym-g64",
    "int4-asym-g128", "nvfp4", "mxfp4",
]
# Of `keep` exported as F32: the same weights and nearly the same arithmetic.
LIMIT = 1e-4
# Of `keep` exported as BF16: E4M3 × F32 scale is rounded to 8 bits of mantissa once.
BF16_LIMIT = 2e-2


def kelter(*arguments):
    subprocess.run([os.environ["KELTER"], *map(str, arguments), "--quiet"], check=True)


def logits(folder, ids):
    """The logits of the exported folder for one window of ids, in Float32."""
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info[what]:
            sys.exit(f"{folder.name}: transformers finds {what}: {sorted(info[what])[:4]}")
    with torch.no_grad():
        return model.eval()(input_ids=ids[None]).logits[0].double()


def compare(reference, found):
    """The error relative to the norm and to the largest logit; mean KL in nats; top-1 agreement."""
    p, q = reference.log_softmax(-1), found.log_softmax(-1)
    return {
        "norm": ((found - reference).norm() / reference.norm()).item(),
        "largest": ((found - reference).abs().max() / reference.abs().max()).item(),
        "kl": (p.exp() * (p - q)).sum(-1).mean().item(),
        "top1": (reference.argmax(-1) == found.argmax(-1)).double().mean().item(),
    }


def weight_errors(container):
    """The root mean square over the weights of a report, the largest, and bits per weight."""
    report = json.loads(container.with_suffix(".report.json").read_text())
    errors = [weight["relative_error"] for weight in report["weights"]]
    mean = (sum(error**2 for error in errors) / len(errors)) ** 0.5
    return mean, max(errors), report["bytes"]["bits_per_weight"]


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    stored = load_file(MODEL / "logits-window0.safetensors")
    ids, reference = stored["input_ids"].long(), stored["logits"].double()
    tokens = load_file(MODEL / "tokens-test.safetensors")["input_ids"]
    assert torch.equal(ids, tokens[: len(ids)].long())

    print(f"transformers {transformers.__version__}, torch {torch.__version__}, Float32, eager"
          f" attention, the first {len(ids)} ids of tokens-test.\n")
    print("| scheme | exported as | bits per weight | weight error (rms) | (largest) "
          "| logit error ‖Δ‖/‖y‖ | max abs Δ / max abs y | KL (nats) | top-1 agreement |")
    print("|---|---|---|---|---|---|---|---|---|")
    failures = []
    with tempfile.TemporaryDirectory() as temporary:
        for scheme in ["keep"] + SCHEMES:
            container = pathlib.Path(temporary, f"{scheme}.kelter")
            kelter("convert", MODEL, "-o", container, "--scheme", scheme, "--no-gate")
            weights = "| | | " if scheme == "keep" else "| {2:.4g} | {0:.4f} | {1:.4f} ".format(
                *weight_errors(container))
            for form in ["f32", "bf16"] if scheme == "keep" else ["f32"]:
                folder = pathlib.Path(temporary, f"{scheme}-{form}")
                kelter("export", container, "-o", folder, "--format", form)
                error = compare(reference, logits(folder, ids))
                print(f"| {scheme} | {form} {weights}| {error['norm']:.2e} "
                      f"| {error['largest']:.2e} | {error['kl']:.2e} | {error['top1']:.1%} |",
                      flush=True)
                limit = {"f32": LIMIT, "bf16": BF16_LIMIT}[form]
                if scheme == "keep" and not max(error["norm"], error["largest"]) <= limit:
                    failures.append(f"keep as {form}: above {limit:g}")
    if failures:
        sys.exit("\n".join(failures))
    print(f"\nkeep exported as F32 is within {LIMIT:g} of the checkpoint.")


if __name__ == "__main__":
    main()
