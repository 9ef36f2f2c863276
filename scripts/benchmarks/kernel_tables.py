"""The table of single kernels, of what `kelter bench` measures."""
import json
import subprocess

from measured import CommandFailed


def kernels(benchmark):
    """What `kelter bench` measures, for each instruction set; the best one is held to limits."""
    found = subprocess.run(
        [benchmark.kelter, "bench", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True)
    if found.returncode:
        raise CommandFailed(f"kelter bench: {' '.join(found.stderr.split())}")
    document = json.loads(found.stdout)
    copy, timings = document["memcpy"], document["timings"]
    sets = list(dict.fromkeys(timing["instruction_set"] for timing in timings))
    by_kernel = {}
    for timing in timings:
        by_kernel.setdefault(timing["kernel"], {})[timing["instruction_set"]] = timing
    yield ("`kelter bench`: medians, one thread, source bytes per second of processor time, and "
           "against memcpy of the same source to one tile, timed beside each run, in pieces of "
           f"the size at which it is fastest, {copy['piece_byte_count'] >> 10} KiB: "
           f"{copy['gigabytes_per_second']:.2f} GB/s. Ratios are medians of five pairs. "
           "The limits are for the last instruction set, the one that conversions take here; times "
           "per weight are its own.")
    yield ""
    yield (f"| GB/s | {' | of memcpy | '.join(sets)} | of memcpy | ns/weight | of int4-g64's time "
           "| GFLOP/s | limit |")
    yield "|---" * (2 * len(sets) + 5) + "|"
    for kernel, by_set in by_kernel.items():
        cells = [f"{timing['gigabytes_per_second']:.2f} | {timing['ratio_to_memcpy']:.2f}"
                 for timing in (by_set[name] for name in sets)]
        best = by_set[sets[-1]]
        judged = ""
        if "least_ratio_to_memcpy" in best:
            judged = benchmark.limit(
                kernel, best["ratio_to_memcpy"], best["least_ratio_to_memcpy"], at_least=True)
        if "most_times_int4" in best:
            judged = benchmark.limit(
                f"{kernel}, of int4's time", best["times_int4"], best["most_times_int4"])
        yield (f"| {kernel} | {' | '.join(cells)} | {figure(best, 'nanoseconds_per_weight', 3)} "
               f"| {figure(best, 'times_int4', 2)} | {figure(best, 'gigaflops', 1)} | {judged} |")


def figure(timing, name, digits):
    return f"{timing[name]:.{digits}f}" if name in timing else ""
