"""What the benchmarks share: a release build, and commands whose time and memory are measured."""
import contextlib
import dataclasses
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Measured:
    peak: int  # resident bytes, of files mapped too
    wall: float  # seconds
    cpu: float  # seconds


class CommandFailed(Exception):
    """A command that had to succeed; the message has its last lines."""


def kelter():
    """The path of a release build."""
    return subprocess.run(
        [HERE.parent / "release-binary"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def measure(command, **options):
    """Runs a command. Raises CommandFailed if it fails."""
    start = time.monotonic()
    child = subprocess.Popen(command, **options)
    try:
        _, status, usage = os.wait4(child.pid, 0)
    except BaseException:
        child.kill()
        raise
    wall = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise CommandFailed(f"exit code {child.returncode}: {' '.join(map(str, command))}")
    return Measured(usage.ru_maxrss * 1024, wall, usage.ru_utime + usage.ru_stime)


def measure_quietly(command, log, **options):
    """As `measure`, with the output in a file, whose end is part of what is raised."""
    with open(log, "wb") as out:
        try:
            return measure(command, stdout=out, stderr=subprocess.STDOUT, **options)
        except CommandFailed as error:
            lines = pathlib.Path(log).read_text(errors="replace").splitlines()
            raise CommandFailed(f"{error}: {' '.join(lines[-3:])}") from None


def anonymous_bytes(pid):
    """What a process holds that no file backs."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) << 10
    return 0


def watch(command, log, **options):
    """Runs a command, its output in a file; returns its peak of anonymous bytes, looked at two
    hundred times a second, and its wall time. Raises CommandFailed if it fails."""
    peak, done = 0, threading.Event()
    start = time.monotonic()
    with open(log, "wb") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **options)

        def look():
            nonlocal peak
            while not done.wait(0.005):
                peak = max(peak, anonymous_bytes(child.pid))

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            code = child.wait()
        finally:
            done.set()
            watcher.join()
            child.kill()
    wall = time.monotonic() - start
    if code != 0:
        text = " ".join(pathlib.Path(log).read_text(errors="replace").split()[-40:])
        raise CommandFailed(f"exit code {code}: {' '.join(map(str, command))}: {text}")
    return peak, wall


def run(command, **options):
    """As `measure`; a failure ends the program."""
    try:
        return measure(command, **options)
    except CommandFailed as error:
        sys.exit(str(error))


def spread(values, form="{:.2f}"):
    """The median and, in parentheses, the least and the greatest."""
    if len(values) == 1:
        return form.format(values[0])
    least, greatest = (form.format(end) for end in (min(values), max(values)))
    return f"{form.format(statistics.median(values))} ({least}–{greatest})"
