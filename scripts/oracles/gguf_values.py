"""Compares every weight of a GGUF file, as Kelter converts and exports it, with gguf-py's decode.

    gguf_values.py FILE.gguf    with the binary in $KELTER
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors import safe_open


def check(path, kelter):
    """Returns what was found, in words; raises AssertionError where a value differs."""
    reader = GGUFReader(path)
    with tempfile.TemporaryDirectory() as folder:
        container, export = pathlib.Path(folder, "x.kelter"), pathlib.Path(folder, "export")
        for command in [
            ["convert", path, "--output", container, "--family", "generic", "--scheme", "keep"],
            ["export", container, "--output", export, "--format", "f32"],
        ]:
            run = subprocess.run(
                [kelter, *command, "--quiet"], capture_output=True, text=True)
            assert run.returncode == 0, run.stderr
        found = {}
        for file in sorted(export.glob("*.safetensors")):
            with safe_open(file, "numpy") as tensors:
                found.update({name: tensors.get_tensor(name) for name in tensors.keys()})
    expected = {tensor.name: tensor for tensor in reader.tensors}
    assert found.keys() == expected.keys(), found.keys() ^ expected.keys()
    counts = {}
    exact = 0
    for name, tensor in expected.items():
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        assert found[name].dtype == np.float32 and found[name].shape == values.shape, name
        # Equal numbers. Zeros may lose their sign where codes are held with a scale above zero.
        assert np.array_equal(found[name], values), name
        exact += found[name].tobytes() == values.tobytes()
        counts[tensor.tensor_type.name] = counts.get(tensor.tensor_type.name, 0) + 1
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    return f"{len(expected)} tensors equal, {exact} of them bit for bit ({kinds})"


if __name__ == "__main__":
    print(check(pathlib.Path(sys.argv[1]), os.environ["KELTER"]))
