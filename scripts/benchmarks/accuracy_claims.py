"""What issue 5 claims of the lookup-table schemes, checked on measured rows."""

HEAD = """# Accuracy on trained weights

Made by `scripts/benchmarks/accuracy`; `--help` tells what it does. {versions}.

Errors are ‖ŵ − w‖ / ‖w‖ of each matrix: their root mean square, weighted by the number of weights, and
the largest. Bits per weight count the bytes that hold the weights: codes, scales, zero points, tables.
All schemes and peers see the same matrices, and one function compares what they return. Of ggml's types
the better of two counts: without importance, and with an importance of 1 for every column. Where rows
are no multiple of a type's block, its blocks reach over the ends of rows, which llama.cpp would not do:
that favours ggml, while a scheme of Kelter pays for the super-block of 256 that a row does not fill
(MiniLM's rows are 384 and 1536 long, the trained fixture's 128 and 384: the same scheme has more bits per
weight there than its nominal ones). HQQ's scales and zeros are stored in half precision, as its
checkpoints have them.
"""

# Tables, and super-blocks that rows do not fill, take a little more than a scheme's nominal bits. Bits
# this close count as equal.
SAME = 0.02
# How many bits more a peer outside of ggml may have and is still to be beaten.
MORE = 0.5


def check(rows):
    """Markdown with a line per claim, and how many fail."""
    ours = [row for row in rows if row.project == "Kelter" and row.name.startswith("lut")]
    if not ours:
        return "Claims: none checked, no lookup-table scheme was measured.\n", 0
    lines, failed = [], 0
    for our in ours:
        ggml = [row for row in rows if row.project == "ggml"]
        claims = {"every ggml type of no more bits":
                  [row for row in ggml if row.bits <= our.bits + SAME]}
        larger = [row for row in ggml if row.bits >= our.bits - SAME]
        least = min((row.bits for row in larger), default=0)
        claims["the smallest ggml type of no fewer bits"] = [
            row for row in larger if row.bits <= least + SAME]
        for project in ("compressed-tensors", "HQQ", "NF4"):
            claims[f"{project} at up to half a bit more"] = [
                row for row in rows
                if row.project == project and our.bits - SAME <= row.bits <= our.bits + MORE]
        for claim, peers in claims.items():
            if not peers:
                lines.append([our.name, claim, "–", "not tested: none was measured"])
                continue
            best = min(peers, key=lambda row: row.error)
            holds = our.error < best.error
            failed += not holds
            lines.append([
                our.name, claim, f"{best.name}: {best.bits:.3f} bits, {best.error:.4f}",
                f"{'pass' if holds else '**FAIL**'} ({our.bits:.3f} bits, {our.error:.4f})"])
    head = "| scheme | less error than | the best of these | |\n|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join(line)} |\n" for line in lines), failed
