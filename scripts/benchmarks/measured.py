"""What the benchmarks share: a release build, and commands whose time and memory are measured."""
import dataclasses
import os
import pathlib
import statistics
import subprocess
import sys
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
