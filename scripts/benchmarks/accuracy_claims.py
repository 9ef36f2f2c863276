"""What is claimed of the lookup-table schemes, checked on measured rows."""
import dataclasses

# Of whole super-blocks, without tables: formats/quantization.md.
FORMAT_BITS = {
    "lut4-g32": 4.25, "lut4-g32-k2": 4.3125, "lut4-g16": 4.4375, "lut4-g16-k2": 4.5,
    "lut3-g16": 3.4375, "lut3-g16-k2": 3.5}
# How many bits more a peer outside of ggml may have and is still to be beaten.
MORE = 0.5

RULE = """\
Each lookup-table scheme is to have less error than every ggml type of no more bits, than the
smallest ggml type of no fewer bits (all of that size), and than all of compressed-tensors, of HQQ
and of NF4 from as many bits to half a bit more. This is tested twice, without any tolerance. *By
the file's bytes* all bytes count that hold the same matrices: the tables too, and super-blocks of
256 columns that a row does not fill. *By the format's bits* a scheme counts as it is named, as if
rows were multiples of 256 and tables cost nothing, while peers count as measured. By bytes, tables
put `lut4-g32` above IQ4_XS and `lut3-g16` above Q3_K and IQ3_S, by a thousandth of a bit in
matrices of usual size, and the next type up is a fourth of a bit larger for the one and 0.8 bits
for the others: ggml has none between 3.4375 and 4.25 bits. So `lut3-g16-k2`, with 3.5 bits, is
measured against IQ4_XS by either count, and loses. In the trained fixture, whose rows of 128 fill
half a super-block, it has 3.63 bits, and peers of 4.13 bits come within its half a bit.
"""


@dataclasses.dataclass
class Claim:
    scheme: str
    text: str
    by_bytes: tuple  # (whether it holds, or None without a peer; text)
    by_format: tuple


def peers_of(claim, bits, rows):
    ggml = [row for row in rows if row.project == "ggml"]
    if claim == "every ggml type of no more bits":
        return [row for row in ggml if row.bits <= bits]
    if claim == "the smallest ggml type of no fewer bits":
        larger = [row for row in ggml if row.bits >= bits]
        least = min((row.bits for row in larger), default=0)
        return [row for row in larger if row.bits == least]
    return [row for row in rows
            if claim.startswith(row.project) and bits <= row.bits <= bits + MORE]


def judge(claim, bits, our, rows):
    peers = peers_of(claim, bits, rows)
    if not peers:
        return None, "none measured"
    best = min(peers, key=lambda row: row.error)
    holds = our.error < best.error
    return holds, (f"{'holds' if holds else '**fails**'}: {our.error:.4f}, "
                   f"{best.name} ({best.bits:.4g} bits) {best.error:.4f}")


def check(rows):
    """All claims on the rows of a model."""
    return [
        Claim(our.name, claim, judge(claim, our.bits, our, rows),
              judge(claim, FORMAT_BITS[our.name], our, rows))
        for our in rows if our.name in FORMAT_BITS
        for claim in (
            "every ggml type of no more bits", "the smallest ggml type of no fewer bits",
            "compressed-tensors at up to half a bit more", "HQQ at up to half a bit more",
            "NF4 at up to half a bit more")]


def failures(claims, count):
    """The claims that fail by "by_bytes" or "by_format"."""
    return [claim for claim in claims if getattr(claim, count)[0] is False]
