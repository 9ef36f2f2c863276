"""What the tables of scripts/benchmarks/run share: checkpoints, conversions, limits."""
import dataclasses
import json
import math
import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import sys
import time

from measured import HERE, CommandFailed, kelter, measure_quietly, spread
from yardstick import Yardstick

DTYPE_BYTES = {"F8_E4M3": 1, "BF16": 2, "F32": 4}
DEEPSEEK = ["--layout", "deepseek-v3", "--heads", "32", "--experts-per-token", "2"]
QWEN = ["--layout", "qwen3-moe"]
# What make-checkpoint makes. Peers take the small ones: rates are per byte. `half` and `quarter`
# are for linearity, `triple` for memory.
CHECKPOINTS = {
    "bf16": [*QWEN, "--layers", "4"],
    "bf16-half": [*QWEN, "--layers", "2"],
    "bf16-quarter": [*QWEN, "--layers", "1"],
    "bf16-small": [*QWEN, "--layers", "1", "--experts", "64"],
    "fp8": [*DEEPSEEK, "--layers", "4", "--experts", "32"],
    "fp8-triple": [*DEEPSEEK, "--layers", "11", "--experts", "32"],
    "fp8-small": [*DEEPSEEK, "--layers", "1", "--dense-layers", "0", "--experts", "8"],
}
TINY = ["--hidden", "512", "--expert-width", "256", "--dense-width", "512", "--heads", "4"]
TINY_CHECKPOINTS = {
    name: [*options, *TINY, *(["--experts", "8"] if "qwen3-moe" in options else [])]
    for name, options in CHECKPOINTS.items()}


@dataclasses.dataclass
class Conversion:
    """One conversion by Kelter."""
    wall: float
    cpu: float
    output_bytes: int
    error: float  # root mean square over the matrices


class Benchmark:
    """Where files lie, how often is measured, and which limits were missed."""

    def __init__(self, folder, checkpoints, rounds, quick):
        self.folder, self.rounds, self.quick = folder, rounds, quick
        self.given = checkpoints
        self.threads = os.cpu_count()
        self.kelter = kelter()
        self.yardstick = Yardstick(folder)
        self.missed = []

    def checkpoint(self, name):
        """The folder of a checkpoint, taken from those given or made."""
        for parent in self.given, self.folder:
            if parent and (parent / name / "config.json").exists():
                return parent / name
        options = (TINY_CHECKPOINTS if self.quick else CHECKPOINTS)[name]
        make = [sys.executable, HERE / "make-checkpoint", self.folder / name, *options]
        size = int(subprocess.run(
            [*make, "--print-size"], check=True, stdout=subprocess.PIPE).stdout)
        # The checkpoint and an output, which is smaller.
        self.require_space(1.8 * size)
        subprocess.run(make, check=True, stdout=sys.stderr)
        return self.folder / name

    def remove_checkpoint(self, name):
        """Removes a checkpoint that was made here."""
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def require_space(self, byte_count):
        free = shutil.disk_usage(self.folder).free
        if free < byte_count:
            raise CommandFailed(
                f"{self.folder}: {byte_count / 1e9:.1f} GB are needed, "
                f"{free / 1e9:.1f} GB are free")

    def convert(self, checkpoint, *arguments, threads=None):
        """Converts, and removes the output."""
        output = self.folder / "out.kelter"
        found = measure_quietly(
            [self.kelter, "convert", checkpoint, "-o", output, "--quiet",
             "--threads", str(threads or self.threads), *arguments],
            self.folder / "kelter.log")
        weights = json.loads(output.with_suffix(".report.json").read_text())["weights"]
        error = math.sqrt(sum(weight["relative_error"] ** 2 for weight in weights) / len(weights))
        byte_count = output.stat().st_size
        self.remove_output()
        return Conversion(found.wall, found.cpu, byte_count, error)

    def remove_output(self):
        for file in self.folder.glob("out.*"):
            if file.is_dir():
                shutil.rmtree(file)
            else:
                file.unlink()

    def limit(self, what, value, limit, at_least=False):
        """A limit for a table's cell, with what came of it."""
        sign = "≥" if at_least else "≤"
        if self.quick:
            return f"{sign} {limit:g}"
        met = value >= limit if at_least else value <= limit
        if not met:
            self.missed.append(f"{what}: {value:.2f}, the limit is {limit:g}")
        return f"{sign} {limit:g}: {'met' if met else '**missed**'}"


def shards(checkpoint):
    return sorted(checkpoint.glob("*.safetensors"))


def source_bytes(checkpoint):
    return sum(file.stat().st_size for file in shards(checkpoint))


def tensor_bytes(checkpoint, wanted):
    """The bytes of the tensors that wanted(name, shape) takes."""
    total = 0
    for file in shards(checkpoint):
        with open(file, "rb") as opened:
            header = json.loads(opened.read(struct.unpack("<Q", opened.read(8))[0]))
        for name, tensor in header.items():
            if name != "__metadata__" and wanted(name, tensor["shape"]):
                total += math.prod(tensor["shape"]) * DTYPE_BYTES[tensor["dtype"]]
    return total


def read_all(files):
    """Puts files into the page cache."""
    for file in files:
        with open(file, "rb", buffering=0) as opened:
            while opened.read(1 << 23):
                pass


def against_yardstick(benchmark, checkpoint, *arguments, rounds):
    """(conversions, {what: the yardstick's runs}), in turns after one conversion to warm up."""
    files = shards(checkpoint)
    read_all(files)
    size = benchmark.convert(checkpoint, *arguments).output_bytes
    conversions, yardstick = [], {}
    for _ in range(rounds):
        for what, runs in benchmark.yardstick.run(files, size, benchmark.threads).items():
            yardstick.setdefault(what, []).extend(runs)
        # Into memory that is new, as the yardstick's buffered runs; see yardstick.c.
        if size > 64 << 20:
            time.sleep(3)
        conversions.append(benchmark.convert(checkpoint, *arguments))
    return conversions, yardstick


def ratio(measured, reference):
    """(median, text) of the ratios of two series that were taken in turns."""
    ratios = [a / b for a, b in zip(measured, reference)]
    return statistics.median(ratios), spread(ratios)


def walls(runs):
    return [run.wall for run in runs]


def cpus(runs):
    return [run.cpu for run in runs]
