"""A checkpoint whose weights, quantized by Kelter or a peer, are compared with it."""
import concurrent.futures
import dataclasses
import json
import math
import os
import subprocess
import sys

import numpy
from safetensors import safe_open
from safetensors.numpy import save_file

import kelter_reader

# Limits that nothing exceeds: the layers are measured, and nothing is decided.
BUDGET = "".join(f"{part}: {{relative_error: 1e9}}\n" for part in ("layers", "weights", "experts"))


@dataclasses.dataclass
class Row:
    project: str
    name: str
    bits: float
    error: float = math.nan  # root mean square over the weights
    worst: float = math.nan
    layers: list | None = None  # of Kelter's report


def kelter(*arguments, check=True):
    done = subprocess.run(
        [os.environ["KELTER"], *map(str, arguments), "--json"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    if check and done.returncode:
        sys.exit(f"kelter {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


class Model:
    """A checkpoint, exported as F32 once."""

    def __init__(self, title, folder, work, million):
        self.title, self.folder, self.work = title, folder, work
        work.mkdir()
        (work / "budget.yaml").write_text(BUDGET)
        plan = kelter("plan", folder, "--scheme", "int4-g64", check=False)
        self.is_known = "error" not in plan
        self.options = [] if self.is_known else ["--family", "generic"]
        kelter("convert", folder, "-o", work / "keep.kelter", "--scheme", "keep", "--no-gate",
               *self.options)
        kelter("export", work / "keep.kelter", "-o", work / "f32", "--format", "f32")
        self.files = sorted((work / "f32").glob("*.safetensors"))
        shapes = {}
        for file in self.files:
            with safe_open(file, "numpy") as tensors:
                for name in tensors.keys():
                    shapes[name] = tensors.get_slice(name).get_shape()
        if self.is_known:
            self.family = plan["family"]
            chosen = [t["name"] for t in plan["tensors"] if t["scheme"] == "int4-g64"]
        else:
            self.family = "not known to Kelter, converted with --family generic"
            chosen = [name for name in shapes if ".encoder." in f".{name}"]
        self.names = sorted({n for n in chosen if len(shapes.get(n, [])) == 2})
        self.shapes = shapes
        self.count = sum(math.prod(shapes[name]) for name in self.names)
        tokens = folder / "tokens-test.safetensors"
        self.tokens = ["--tokens", tokens] if tokens.exists() else []
        self.sample = self.draw(million * 1e6)

    def draw(self, limit):
        sample, count = [], 0
        for index in numpy.random.default_rng(0).permutation(len(self.names)):
            size = math.prod(self.shapes[self.names[index]])
            if not sample or count + size <= limit:
                sample.append(self.names[index])
                count += size
        return sorted(sample)

    def load(self, names, folder=None):
        wanted, found = set(names), {}
        for file in sorted(folder.glob("*.safetensors")) if folder else self.files:
            with safe_open(file, "numpy") as tensors:
                for name in wanted.intersection(tensors.keys()):
                    found[name] = tensors.get_tensor(name)
        return {name: found[name] for name in names}

    def summary(self, originals, found):
        """The error of each matrix, squared and averaged by its weights, and the largest."""
        squares, count, worst = 0.0, 0, 0.0
        for name, original in originals.items():
            x = original.astype(numpy.float64)
            difference = found[name].reshape(x.shape).astype(numpy.float64) - x
            error = float(numpy.linalg.norm(difference) / numpy.linalg.norm(x))
            squares += error * error * x.size
            count += x.size
            worst = max(worst, error)
        return math.sqrt(squares / count), worst

    def scheme(self, scheme, originals):
        """What Kelter's scheme makes of it, and the file."""
        out, exported = self.work / "out.kelter", self.work / "exported"
        options = ["--scheme", scheme, *self.options]
        if self.is_known:
            options += ["--budget", self.work / "budget.yaml", *self.tokens]
        else:
            rules = "".join(
                f'  - {{tensors: "{name}", scheme: {scheme}}}\n' for name in self.names)
            (self.work / "recipe.yaml").write_text("rules:\n" + rules)
            options += ["--recipe", self.work / "recipe.yaml", "--no-gate"]
        report = kelter("convert", self.folder, "-o", out, "--force", *options)
        subprocess.run(["rm", "-rf", exported], check=True)
        kelter("export", out, "-o", exported, "--format", "f32")
        error, worst = self.summary(originals, self.load(self.sample, exported))
        return Row("Kelter", scheme, self.bits(out), error, worst, report["layers"] or None), out

    def bits(self, file):
        """Bits per weight of the sample in a .kelter file."""
        tensors = [t for t in kelter_reader.Container(file).tensors if t.name in self.sample]
        count = sum(math.prod(tensor.shape) for tensor in tensors)
        return 8 * sum(tensor.payload_size for tensor in tensors) / count

    def peer(self, peer, originals):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = dict(zip(originals, pool.map(peer.run, originals.values())))
        bits = 8 * sum(size for _, size in found.values()) / sum(
            original.size for original in originals.values())
        weights = {name: back for name, (back, _) in found.items()}
        return Row(peer.project, peer.name, bits, *self.summary(originals, weights)), weights

    def layers(self, weights):
        """What Kelter's validator says of the layers with a peer's weights: they are written in
        place of the original's, as F32, kept in a container, and that is verified against the
        original."""
        folder, container = self.work / "peer", self.work / "peer.kelter"
        subprocess.run(["rm", "-rf", folder, container], check=True)
        folder.mkdir()
        for file in (self.work / "f32").iterdir():
            if file.suffix != ".safetensors":
                (folder / file.name).write_bytes(file.read_bytes())
                continue
            with safe_open(file, "numpy") as tensors:
                everything = {name: tensors.get_tensor(name) for name in tensors.keys()}
            everything |= {
                name: weights[name].reshape(everything[name].shape).astype(numpy.float32)
                for name in weights.keys() & everything.keys()}
            save_file(everything, folder / file.name, {"format": "pt"})
        kelter("convert", folder, "-o", container, "--scheme", "keep", "--no-gate")
        # The verdict is no matter here: kept weights are expected to lose nothing.
        verified = kelter(
            "verify", container, "--against", self.folder, *self.tokens, check=False)
        if "report" not in verified:
            raise RuntimeError(verified["error"]["message"])
        return verified["report"]["layers"]
