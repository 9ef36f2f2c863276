"""Makes the tables of speed and memory and writes them into scripts/benchmarks/RESULTS.md.

    scripts/benchmarks/run                    everything, some 20 minutes with 2 cores
    scripts/benchmarks/run gate threads       these tables only, to stdout
    scripts/benchmarks/run --quick            everything on tiny checkpoints, to stdout: a test of
                                              the tables; its figures mean nothing

Each figure is a ratio of programs that run in turns on this machine, on synthetic checkpoints that
make-checkpoint makes (5.0 GB of BF16, 5.1 GB of FP8; 40 GB of disk at the most, removed at the
end). A table whose peer cannot be had, or that fails, says so and the others go on. Exit code 1 if
a limit was missed or a table failed.
"""
import argparse
import datetime
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import conversion_tables
import file_tables
import kernel_tables
import memory_tables
import peer_tables
from benchmark import Benchmark
from measured import HERE, CommandFailed

TABLES = {
    "yardstick": ("Beside reading and writing alone", conversion_tables.yardstick),
    "quantizers": ("Beside llama-quantize", peer_tables.quantizers),
    "lookup": ("Lookup tables, beside llama-quantize", peer_tables.lookup),
    "whole-way": ("The whole way, beside llama.cpp", peer_tables.whole_way),
    "gate": ("The gate", conversion_tables.gate),
    "kernels": ("Kernels, one thread", kernel_tables.kernels),
    "opening": ("Finding an expert in a file of 671B shape", file_tables.opening),
    "verify": ("Verifying", file_tables.verify),
    "memory": ("Memory", memory_tables.memory),
    "linearity": ("Cost by size", conversion_tables.linearity),
    "threads": ("Threads", conversion_tables.threads),
}
RESULTS = HERE / "RESULTS.md"
START, END = "<!-- scripts/benchmarks/run -->\n", "<!-- end -->\n"


def parse():
    parser = argparse.ArgumentParser(
        prog="run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}; default: all")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--rounds", type=int, help="how often each thing is measured; default: 3, and 5 where it "
        "is short")
    parser.add_argument(
        "--temporary", type=pathlib.Path,
        help="where to make the files; the yardstick and all conversions write there")
    parser.add_argument(
        "--checkpoints", type=pathlib.Path,
        help="a folder whose bf16, fp8, bf16-small … are taken rather than made; must be what "
        "benchmark.py would make")
    options = parser.parse_args()
    unknown = set(options.tables) - set(TABLES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(TABLES)}")
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def machine(benchmark):
    """What the figures were measured on."""
    model = platform.machine()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    version, commit, load = (
        subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=HERE).stdout.strip()
        for command in ([benchmark.kelter, "--version"], ["git", "describe", "--always", "--dirty"],
                        ["cut", "-d", " ", "-f", "1", "/proc/loadavg"]))
    file_system = subprocess.run(
        ["stat", "-f", "-c", "%T", benchmark.folder], stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    yield (f"{model}, {benchmark.threads} cores, {memory:.0f} GiB, Linux {platform.release()}, "
           f"{file_system}; {version}, {commit}; {datetime.date.today()}, "
           f"load {load} when it began. Threads are as many as cores. Times are median "
           "(least–greatest).")


def write_results(text):
    """Puts the tables between the marks in RESULTS.md."""
    before, _, rest = RESULTS.read_text().partition(START)
    _, _, after = rest.partition(END)
    RESULTS.write_text(before + START + text + END + after)


def main():
    options = parse()
    names = options.tables or list(TABLES)
    rounds = options.rounds or (1 if options.quick else 3)
    sections, failed = [], []
    with tempfile.TemporaryDirectory(dir=options.temporary, prefix="kelter-benchmarks-") as folder:
        benchmark = Benchmark(
            pathlib.Path(folder), options.checkpoints, rounds, options.quick)
        sections.append("\n".join(machine(benchmark)))
        print(sections[0] + "\n", flush=True)
        for name in names:
            title, table = TABLES[name]
            lines = [f"### {title}", ""]
            print("\n".join(lines), flush=True)
            start = time.monotonic()
            try:
                for line in table(benchmark):
                    lines.append(line)
                    print(line, flush=True)
            except Exception as error:  # whatever it is, the other tables are made
                kind = "" if isinstance(error, CommandFailed) else f"{type(error).__name__}: "
                reason = " ".join(f"{kind}{error}".split())
                failed.append(f"{name}: {reason}")
                lines.append(f"\nnot measured: {reason}")
                print(lines[-1], flush=True)
                benchmark.remove_output()
            print(flush=True)
            print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
            sections.append("\n".join(lines))
        if benchmark.missed:
            sections.append("Limits that were missed: " + "; ".join(benchmark.missed) + ".")
            print(sections[-1])
    if not options.tables and not options.quick:
        write_results("\n" + "\n\n".join(sections) + "\n\n")
    if failed or (benchmark.missed and not options.quick):
        sys.exit("\n".join(failed + benchmark.missed))


if __name__ == "__main__":
    main()
