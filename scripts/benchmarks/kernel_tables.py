"""The table of single kernels, of what `kelter bench` measures."""
import json
import subprocess

from measured import CommandFailed

LIMITS = {
    "FP8 to F32": 0.4, "BF16 to F32": 0.6, "dequantize int4": 0.3, "absmax int4": 0.3,
    "checksum": 0.6}


def limit_of(kernel):
    if "measured" in kernel:
        return None
    return next((limit for name, limit in LIMITS.items() if kernel.startswith(name)), None)


def kernels(benchmark):
    """What `kelter bench` measures, for each instruction set; the best one is held to limits."""
    found = subprocess.run(
        [benchmark.kelter, "bench", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True)
    if found.returncode:
        raise CommandFailed(f"kelter bench: {' '.join(found.stderr.split())}")
    timings = json.loads(found.stdout)["timings"]
    yield ("`kelter bench`: medians, one thread, source bytes per second of processor time, and "
           "against memcpy of as many bytes, both into one reused tile. The limits are for the last "
           "instruction set, the one that conversions take here.")
    yield ""
    yield "| kernel | instructions | GB/s | of memcpy's rate | limit |\n|---|---|---|---|---|"
    best = timings[-1]["instruction_set"] if timings else None
    for timing in timings:
        kernel, ratio = timing["kernel"], timing["ratio_to_memcpy"]
        limit = limit_of(kernel) if timing["instruction_set"] == best else None
        judged = benchmark.limit(kernel, ratio, limit, at_least=True) if limit else ""
        yield (f"| {kernel} | {timing['instruction_set']} "
               f"| {timing['gigabytes_per_second']:.2f} | {ratio:.2f} | {judged} |")
