"""Tables on what a conversion costs: against reading and writing alone, the gate, the size of the
checkpoint, the number of threads."""
import statistics

from benchmark import against_yardstick, cpus, ratio, read_all, shards, source_bytes, walls
from measured import spread
from yardstick import cheaper, table

FULL = ["--scheme", "int4-g32", "--search", "full", "--no-gate"]
ABSMAX = ["--scheme", "int4-g64", "--search", "absmax", "--no-gate"]


def yardstick(benchmark):
    """Conversions beside the yardstick, which preads the same bytes and writes as many as the
    output has."""
    yield ("Beside a program that only reads the same bytes and writes as many as the output has "
           "(`yardstick.c`, by buffered or direct writes, whichever took less), in turns, page "
           "cache warm. Conversions and buffered runs start 3 seconds after the run before, so "
           "that they do not write into memory that was just freed. Seconds: median "
           "(least–greatest).")
    yield ""
    yield ("| conversion | GB in, out | yardstick, wall | CPU | Kelter, wall | CPU | GB/s in "
           "| times the yardstick | limit |")
    yield "|---|---|---|---|---|---|---|---|---|"
    rows = [
        ("bf16", "int4-g64, absmax", ABSMAX, benchmark.rounds + 2, 2),
        ("fp8", "int4-g64, absmax", ABSMAX, benchmark.rounds + 2, 2.5),
        ("bf16", "int4-g32, full search", FULL, benchmark.rounds, 8),
        ("fp8", "int4-g32, full search", FULL, benchmark.rounds, 8)]
    for name, what, arguments, rounds, limit in rows:
        checkpoint = benchmark.checkpoint(name)
        size = source_bytes(checkpoint)
        found, alone = against_yardstick(benchmark, checkpoint, *arguments, rounds=rounds)
        reference, kind = cheaper(alone, "both")
        times, shown = ratio(walls(found), walls(reference))
        what = f"{name.upper()} to {what}"
        rates = [size / 1e9 / wall for wall in walls(found)]
        yield (f"| {what} | {size / 1e9:.2f}, {found[0].output_bytes / 1e9:.2f} "
               f"| {spread(walls(reference))}, {kind} | {statistics.median(cpus(reference)):.2f} "
               f"| {spread(walls(found))} | {statistics.median(cpus(found)):.2f} "
               f"| {spread(rates)} | {shown} | {benchmark.limit(what, times, limit)} |")
    yield ""
    yield f"The yardstick's own figures, of the last row ({benchmark.threads} threads):"
    yield ""
    yield from table(alone)


def gate(benchmark):
    """What the gate adds to a full-search conversion."""
    yield ("Full search to int4-g32 without the gate and with it, its 256 tokens, in turns. "
           "Seconds: median (least–greatest).")
    yield ""
    yield "| source | without, wall | CPU | with, wall | CPU | time it adds, relative | limit |"
    yield "|---|---|---|---|---|---|---|"
    for name in "bf16", "fp8":
        checkpoint = benchmark.checkpoint(name)
        read_all(shards(checkpoint))
        without, measured = [], []
        for _ in range(benchmark.rounds):
            without.append(benchmark.convert(checkpoint, *FULL))
            measured.append(benchmark.convert(checkpoint, *FULL[:-1]))
        added = [b - a for a, b in zip(walls(without), walls(measured))]
        times, shown = ratio(added, walls(without))
        yield (f"| {name.upper()} | {spread(walls(without))} "
               f"| {statistics.median(cpus(without)):.2f} | {spread(walls(measured))} "
               f"| {statistics.median(cpus(measured)):.2f} | {shown} "
               f"| {benchmark.limit(f'gate from {name.upper()}', times, 1)} |")


def linearity(benchmark):
    """Time by the size of the checkpoint."""
    yield ("Full search to int4-g32 from BF16, no gate: the same layers, once, twice and four "
           "times. No limit is set; a cost that grows with the square would double the last "
           "column from row to row.")
    yield ""
    yield "| GB in | wall | CPU | CPU seconds per GB |"
    yield "|---|---|---|---|"
    for name in "bf16-quarter", "bf16-half", "bf16":
        checkpoint = benchmark.checkpoint(name)
        read_all(shards(checkpoint))
        size = source_bytes(checkpoint)
        found = [benchmark.convert(checkpoint, *FULL) for _ in range(benchmark.rounds)]
        per_byte = [cpu / (size / 1e9) for cpu in cpus(found)]
        yield (f"| {size / 1e9:.2f} | {spread(walls(found))} | {spread(cpus(found))} "
               f"| {spread(per_byte)} |")


def threads(benchmark):
    """Time by the number of threads."""
    yield "Full search to int4-g32, no gate, in turns."
    yield ""
    yield "| source | 1 thread, wall | CPU | 2 threads, wall | CPU | of one thread's time | limit |"
    yield "|---|---|---|---|---|---|---|"
    for name in "bf16-half", "fp8":
        checkpoint = benchmark.checkpoint(name)
        read_all(shards(checkpoint))
        one, two = [], []
        for _ in range(benchmark.rounds):
            one.append(benchmark.convert(checkpoint, *FULL, threads=1))
            two.append(benchmark.convert(checkpoint, *FULL, threads=2))
        times, shown = ratio(walls(two), walls(one))
        name = name.split("-")[0].upper()
        yield (f"| {name}, {source_bytes(checkpoint) / 1e9:.2f} GB | {spread(walls(one))} "
               f"| {statistics.median(cpus(one)):.2f} | {spread(walls(two))} "
               f"| {statistics.median(cpus(two)):.2f} | {shown} "
               f"| {benchmark.limit(f'2 threads, {name}', times, 0.6)} |")
