"""What packing gives: the archive's size, the speed, and why, plane by plane."""
import dataclasses
import functools
import pathlib
import subprocess
import sys

import kelter_reader
import numpy
import pyzstd

from measured import measure

FRAME_BYTES = 1 << 20  # as `kelter pack` cuts
HEADINGS = [
    "scheme", "bits per weight", "file", "packed", "of the file", "pack, s", "GB/s", "unpack, s",
    "GB/s", "bits per code", "codes: entropy", "zstd", "scales: entropy", "zstd", "both: zstd"]


def entropy_bits(counts):
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * numpy.log2(shares)).sum())


@dataclasses.dataclass
class Plane:
    """The bytes of all codes, or of all scales and zero points, of a file."""
    byte_count: int = 0
    entropy: float = 0  # in bytes, of single bytes, matrix by matrix
    packed: int = 0  # by zstd, in frames of their own

    def add(self, data, level):
        self.byte_count += data.size
        self.entropy += data.size * entropy_bits(numpy.bincount(data, minlength=256)) / 8
        self.packed += sum(
            len(pyzstd.compress(data[start : start + FRAME_BYTES].tobytes(), level))
            for start in range(0, data.size, FRAME_BYTES))

    def share(self, part):
        return f"{100 * part / self.byte_count:.1f} %" if self.byte_count else "–"


def planes(file, scheme, level):
    """(codes, scales, entropy of a code of 4 bits or None) of what has a scheme in a file."""
    container = kelter_reader.Container(file)
    codes, scales, nibbles = Plane(), Plane(), numpy.zeros(16)
    for tensor in container.tensors:
        if tensor.encoding == "plain" or tensor.scheme != scheme:
            continue
        places, _, _ = kelter_reader.plane_places(tensor, *tensor.shape)
        of_codes, of_scales, of_zero_points = (
            container.data[tensor.offset + start : tensor.offset + end]
            for start, end in places[:3])
        codes.add(of_codes, level)
        scales.add(numpy.concatenate([of_scales, of_zero_points]), level)
        if tensor.code in ("E2M1", "INT4", "UINT4", "LUT4"):
            pairs = numpy.bincount(of_codes, minlength=256).reshape(16, 16)
            nibbles += pairs.sum(0) + pairs.sum(1)
    return codes, scales, entropy_bits(nibbles) if nibbles.any() else None


def cpu_time(command, runs):
    """The least CPU time of a command. Raises CommandFailed if it fails."""
    return min(measure(command, stdout=subprocess.DEVNULL).cpu for _ in range(runs))


@functools.cache
def start_time(kelter):
    return cpu_time([kelter, "--version"], 5)


def row(kelter, scheme, bits_per_weight, file, level=1, runs=3):
    """A row of the table. The archive, and what it becomes again, lie beside the file for a while.
    Times are CPU seconds, less what starting the program takes, as others may be at work on the
    machine. They include all checksums."""
    file = pathlib.Path(file)
    archive, back = file.with_suffix(".packed.zst"), file.with_suffix(".unpacked")
    pack = [kelter, "pack", file, "-o", archive, "--level", str(level), "--force", "--quiet"]
    unpack = [kelter, "unpack", archive, "-o", back, "--force", "--quiet"]
    times = [max(1e-4, cpu_time(command, runs) - start_time(kelter)) for command in (pack, unpack)]
    if file.read_bytes() != back.read_bytes():
        sys.exit(f"{scheme}: packing and unpacking do not give the same bytes")
    size, packed = file.stat().st_size, archive.stat().st_size
    archive.unlink()
    back.unlink()
    codes, scales, bits = planes(file, scheme, level)
    both = Plane(codes.byte_count + scales.byte_count, packed=codes.packed + scales.packed)
    if scales.byte_count < codes.byte_count / 100:
        scales = Plane()  # a few bytes a matrix, which a frame's own head outweighs
        both = codes
    return [
        scheme, f"{bits_per_weight:.4f}" if bits_per_weight else "–", f"{size / 1e6:.1f} MB",
        f"{packed / 1e6:.1f} MB", f"{100 * packed / size:.1f} %",
        *(text for time in times for text in (f"{time:.3f}", f"{size / time / 1e9:.2f}")),
        f"{bits:.2f} of 4" if bits else "–", codes.share(codes.entropy), codes.share(codes.packed),
        scales.share(scales.entropy), scales.share(scales.packed), both.share(both.packed)]
