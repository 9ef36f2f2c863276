"""The table of single kernels, as `kelter bench` prints it."""
import subprocess

from measured import CommandFailed


def kernels(benchmark):
    """What `kelter bench` prints."""
    found = subprocess.run(
        [benchmark.kelter, "bench"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if found.returncode and not found.stdout:
        raise CommandFailed(f"kelter bench: {' '.join(found.stderr.split())}")
    yield ("`kelter bench`: source bytes per second against memcpy of as many bytes, one thread, "
           "into one reused tile.")
    yield ""
    yield "```"
    yield found.stdout.strip("\n")
    yield "```"
    if found.returncode:
        benchmark.missed.append(f"kelter bench: exit code {found.returncode}")
