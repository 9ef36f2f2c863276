"""The table on memory: what a conversion holds under real limits, by the size of the checkpoint."""
import contextlib
import os
import pathlib
import resource
import statistics
import subprocess
import time

from benchmark import read_all, shards, source_bytes
from measured import watch

LIMIT = 512 << 20
GROUPS = pathlib.Path("/sys/fs/cgroup/memory")


@contextlib.contextmanager
def memory_group(byte_count):
    """A cgroup (version 1) with this limit, or None where none can be made."""
    group = GROUPS / f"kelter-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(byte_count))
    except OSError:
        yield None
        return
    try:
        yield group
    finally:
        for _ in range(100):
            with contextlib.suppress(OSError):
                group.rmdir()
                return
            time.sleep(0.05)


def limited(command, group, log):
    """Runs a command under RLIMIT_DATA and in the group."""
    def enter():
        if group:
            (group / "tasks").write_text(str(os.getpid()))
        resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))

    return watch(command, log, preexec_fn=enter)


def memory(benchmark):
    """Conversions with the gate under limits of 512 MiB."""
    log = benchmark.folder / "kelter.log"
    with memory_group(LIMIT) as group:
        where = "RLIMIT_DATA of 512 MiB" + (
            " in a cgroup of 512 MiB, page cache included" if group else
            "; no cgroup of version 1 could be made here")
        yield (f"`kelter convert --scheme int4-g32 --memory-limit 512MiB`, gate on, under {where}. "
               "The peak is that of anonymous memory, looked at 200 times a second.")
        yield ""
        yield "| source | GB | peak, MiB | wall | of the first one's peak | limit |"
        yield "|---|---|---|---|---|---|"
        first = None
        for name in "fp8", "fp8-triple":
            checkpoint = benchmark.checkpoint(name)
            read_all(shards(checkpoint))
            size = source_bytes(checkpoint) / 1e9
            output = benchmark.folder / "out.kelter"
            found = [
                limited([benchmark.kelter, "convert", checkpoint, "-o", output, "--quiet",
                         "--scheme", "int4-g32", "--memory-limit", "512MiB", "--force"], group, log)
                for _ in range(2 if name == "fp8" and not benchmark.quick else 1)]
            benchmark.remove_output()
            if name != "fp8":
                benchmark.remove_checkpoint(name)
            peak = statistics.median(peak for peak, _ in found)
            first = first or peak
            judged = benchmark.limit(f"peak in MiB, {name}", peak / 2**20, 512)
            if name != "fp8":
                judged += ", " + benchmark.limit(f"growth of the peak, {name}", peak / first, 1.1)
            yield (f"| {name.upper()} | {size:.2f} | {peak / 2**20:.0f} "
                   f"| {statistics.median(wall for _, wall in found):.1f} s | {peak / first:.2f} "
                   f"| {judged} |")
    yield ""
    command = [benchmark.kelter, "convert", benchmark.checkpoint("fp8"), "-o",
               benchmark.folder / "out.kelter", "--scheme", "int4-g32", "--memory-limit", "4MiB"]
    refused = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if refused.returncode == 0:
        benchmark.missed.append("--memory-limit 4MiB was not refused")
    benchmark.remove_output()
    message = refused.stderr.strip().replace(str(benchmark.folder) + "/", "")
    yield f"With `--memory-limit 4MiB`, before anything is read: exit code {refused.returncode},"
    yield f"`{message}`"
