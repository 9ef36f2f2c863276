"""What the benchmarks share: a release build, and commands whose time and memory are measured."""
import dataclasses
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Measured:
    peak: int  # resident bytes, of files mapped too
    wall: float  # seconds
    cpu: float  # seconds


def kelter():
    """The path of a release build."""
    return subprocess.run(
        [HERE.parent / "release-binary"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def run(command, **options):
    """Runs a command, which must succeed."""
    start = time.monotonic()
    child = subprocess.Popen(command, **options)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"exit code {child.returncode}: {' '.join(map(str, command))}")
    return Measured(usage.ru_maxrss * 1024, wall, usage.ru_utime + usage.ru_stime)
