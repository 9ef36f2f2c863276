"""Compiles yardstick.c and runs it: what reading and writing alone take on this machine.

    yardstick.py WRITE_BYTES FILE...        a table; what is written goes beside the first file
"""
import collections
import dataclasses
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from measured import HERE, spread


@dataclasses.dataclass
class Run:
    wall: float  # seconds
    cpu: float  # seconds
    byte_count: int  # read and written


class Yardstick:
    def __init__(self, folder):
        self.binary = pathlib.Path(folder, "yardstick")
        self.output = pathlib.Path(folder, "yardstick.out")
        subprocess.run(
            ["clang", "-O2", "-pthread", "-o", self.binary, HERE / "yardstick.c"], check=True)

    def run(self, files, write_bytes, threads, runs=1):
        """{what: [Run]}; what is read, write-buffered, write-direct, both-buffered, both-direct,
        without the direct ones where the file system refuses O_DIRECT."""
        text = subprocess.run(
            [self.binary, str(threads), str(runs), self.output, str(write_bytes), *files],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        found = collections.defaultdict(list)
        for line in text.splitlines():
            what, wall, cpu, read, written = line.split()
            found[what].append(Run(float(wall), float(cpu), int(read) + int(written)))
        return found


def cheaper(found, what):
    """The runs of what-buffered or what-direct, whichever have the lesser median, and its name."""
    kinds = [kind for kind in ("buffered", "direct") if f"{what}-{kind}" in found]
    kind = min(
        kinds, key=lambda kind: statistics.median(run.wall for run in found[f"{what}-{kind}"]))
    return found[f"{what}-{kind}"], kind


def table(found):
    yield "| what | wall, s | CPU, s | GB/s |"
    yield "|---|---|---|---|"
    for what, runs in found.items():
        rates = [run.byte_count / run.wall / 1e9 for run in runs]
        yield (f"| {what.replace('-', ', ')} | {spread([run.wall for run in runs])} "
               f"| {spread([run.cpu for run in runs])} | {spread(rates, '{:.1f}')} |")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    files = sys.argv[2:]
    with tempfile.TemporaryDirectory(dir=pathlib.Path(files[0]).resolve().parent) as folder:
        found = Yardstick(folder).run(files, int(sys.argv[1]), os.cpu_count(), runs=5)
        print("\n".join(table(found)))


if __name__ == "__main__":
    main()
