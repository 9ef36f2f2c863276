"""Tables on the finished file: verify's rate, and how soon an expert of a huge file is found."""
import json
import statistics
import subprocess
import sys

from benchmark import read_all, source_bytes, walls
from conversion_tables import FULL
from measured import HERE, measure_quietly, spread, watch

OPENING_LIMIT = 5000  # microseconds


def verify(benchmark):
    """`kelter verify` against reading the file alone."""
    yield ("`kelter verify` of the int4-g32 file (structure, checksums, NaN and zero scales), "
           "against pread of the same file, in turns, page cache warm.")
    yield ""
    yield ("| from | GB | pread, wall | GB/s | verify, wall | CPU | GB/s | of the read's rate "
           "| limit |")
    yield "|---|---|---|---|---|---|---|---|---|"
    for name in "bf16", "fp8":
        output = benchmark.folder / "out.kelter"
        measure_quietly(
            [benchmark.kelter, "convert", benchmark.checkpoint(name), "-o", output, "--quiet",
             *FULL], benchmark.folder / "kelter.log")
        size = output.stat().st_size / 1e9
        read_all([output])
        command = [benchmark.kelter, "verify", output, "--quiet"]
        log = benchmark.folder / "kelter.log"
        measure_quietly(command, log)
        reads, verified = [], []
        for _ in range(benchmark.rounds + 2):
            reads += benchmark.yardstick.run([output], 0, benchmark.threads)["read"]
            verified.append(measure_quietly(command, log))
        benchmark.remove_output()
        ratios = [read / own for read, own in zip(walls(reads), walls(verified))]
        what = f"verify, from {name.upper()}"
        judged = benchmark.limit(what, statistics.median(ratios), 0.6, at_least=True)
        yield (f"| {name.upper()} | {size:.2f} | {spread(walls(reads))} "
               f"| {spread([size / wall for wall in walls(reads)], '{:.1f}')} "
               f"| {spread(walls(verified))} "
               f"| {statistics.median(run.cpu for run in verified):.2f} "
               f"| {spread([size / wall for wall in walls(verified)], '{:.1f}')} "
               f"| {spread(ratios)} | {judged} |")


def opening(benchmark):
    """Opening a container of 671B shape and handing out experts."""
    container = benchmark.folder / "out.671b.kelter"
    subprocess.run(
        [sys.executable, HERE / "make-671b-container", container], check=True, stdout=sys.stderr)
    small = benchmark.folder / "out.small.kelter"
    measure_quietly(
        [benchmark.kelter, "convert", benchmark.checkpoint("fp8-small"), "-o", small, "--quiet",
         "--scheme", "int4-g64", "--search", "absmax", "--no-gate"],
        benchmark.folder / "kelter.log")
    runs = 20 if benchmark.quick else 1000
    yield (f"`kelter expert FILE --runs {runs}`: the file is opened, the expert found, and the "
           "first byte of each of its projections loaded, in one process; beside it, the same in a small "
           "file. The file of 671B shape is sparse: its index is whole, its values are holes.")
    yield ""
    yield ("| file | GB | experts | layer, expert | the first time, ms | median, ms "
           "| 99th of 100, ms | anonymous memory, peak | limit |")
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, file, places in (
            ("671B shape", container, [(3, 0), (31, 128), (61, 255)]), ("small", small, [(0, 7)])):
        for layer, expert in places:
            command = [benchmark.kelter, "expert", file, "--layer", str(layer), "--expert",
                       str(expert), "--json", "--runs"]
            log = benchmark.folder / "expert.json"
            measure_quietly([*command, "1"], log)
            first = json.loads(log.read_text())["microseconds"][0]
            peak, _ = watch([*command, str(runs)], log)
            times = json.loads(log.read_text())["microseconds"]
            late = times[len(times) * 99 // 100]
            what = f"expert {expert} of layer {layer}, {name}"
            judged = benchmark.limit(f"{what}, µs", late, OPENING_LIMIT)
            experts = 59 * 256 if file is container else 8
            yield (f"| {name} | {file.stat().st_size / 1e9:.1f} | {experts} | {layer}, {expert} "
                   f"| {first / 1e3:.3f} | {statistics.median(times) / 1e3:.3f} "
                   f"| {late / 1e3:.3f} | {peak / 2**20:.1f} MiB "
                   f"| {judged.replace(str(OPENING_LIMIT), '5 ms')} |")
    benchmark.remove_output()
