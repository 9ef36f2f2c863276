"""Tables against llama.cpp, on a smaller checkpoint of the same layout: rates are per byte."""
import pathlib
import statistics
import subprocess

from benchmark import cpus, ratio, read_all, shards, source_bytes, tensor_bytes, walls
from conversion_tables import FULL
from measured import HERE, CommandFailed, measure_quietly, spread


class LlamaCpp:
    def __init__(self, benchmark):
        self.benchmark = benchmark
        found = subprocess.run(
            [HERE / "llama.cpp"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if found.returncode:
            raise CommandFailed(f"llama.cpp: {' '.join(found.stderr.split()[-30:])}")
        self.folder = found.stdout.strip()
        self.quantizer = pathlib.Path(self.folder, "build/bin/llama-quantize")
        if not self.quantizer.exists():
            raise CommandFailed(f"llama.cpp: no {self.quantizer}")
        found = subprocess.run(
            [HERE.parent / "python-environment", HERE / "llama.cpp-requirements.txt"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if found.returncode:
            raise CommandFailed(f"its Python packages: {' '.join(found.stderr.split()[-30:])}")
        self.python = found.stdout.strip()

    def convert(self, checkpoint, output, *arguments):
        """Runs convert_hf_to_gguf.py."""
        return measure_quietly(
            [self.python, HERE / "convert_hf_to_gguf.py", self.folder, checkpoint, "--outtype",
             "bf16", "--outfile", output, *arguments],
            self.benchmark.folder / "convert.log")

    def quantize(self, source, kind, *arguments):
        """Runs llama-quantize, and removes its output."""
        output = self.benchmark.folder / "quantized.gguf"
        found = measure_quietly(
            [self.quantizer, *arguments, source, output, kind,
             str(self.benchmark.threads)],
            self.benchmark.folder / "quantize.log")
        output.unlink()
        return found


def by_kelter(name, shape):
    return ".mlp." in name and name.endswith("_proj.weight")


def by_llama_quantize(name, shape):
    # convert_hf_to_gguf.py makes vectors and routers F32, which llama-quantize keeps.
    return len(shape) > 1 and not name.endswith("mlp.gate.weight")


def quantizers(benchmark):
    """Full search against llama-quantize."""
    llama = LlamaCpp(benchmark)
    large, small = benchmark.checkpoint("bf16"), benchmark.checkpoint("bf16-small")
    gguf = benchmark.folder / "small.gguf"
    llama.convert(small, gguf)
    few = min(2, benchmark.rounds)  # of what takes half a minute
    rows = [
        ("Q4_K in every tensor (`--pure`)", ["Q4_K", "--pure"], 8, benchmark.rounds),
        ("Q4_K (the mixture Q4_K_M)", ["Q4_K"], 8, benchmark.rounds),
        ("IQ4_NL (`--pure`)", ["IQ4_NL", "--pure"], 25, few),
        ("IQ4_XS (`--pure`)", ["IQ4_XS", "--pure"], 25, few)]
    theirs = tensor_bytes(small, by_llama_quantize) / 1e9
    ours = tensor_bytes(large, by_kelter) / 1e9
    yield (f"Full search to int4-g32 without the gate, {source_bytes(large) / 1e9:.2f} GB of BF16, "
           f"against llama-quantize on a GGUF of {theirs:.2f} GB, the same layout with fewer "
           f"layers and experts; {benchmark.threads} threads each, in turns. Rates count the "
           "source bytes of what each quantizes: Kelter experts, llama-quantize all matrices but "
           "routers. The time is that of the whole program.")
    yield ""
    yield "| llama-quantize to | wall | CPU | GB/s | Kelter, wall | GB/s | times as fast | limit |"
    yield "|---|---|---|---|---|---|---|---|"
    read_all([*shards(large), gguf])
    benchmark.convert(large, *FULL)
    for what, (kind, *arguments), limit, rounds in rows:
        peer, own = [], []
        for _ in range(rounds):
            own.append(benchmark.convert(large, *FULL))
            peer.append(llama.quantize(gguf, kind, *arguments))
        peer_rates = [theirs / wall for wall in walls(peer)]
        own_rates = [ours / wall for wall in walls(own)]
        times, shown = ratio(own_rates, peer_rates)
        yield (f"| {what} | {spread(walls(peer))} "
               f"| {statistics.median(run.cpu for run in peer):.2f} "
               f"| {spread(peer_rates, '{:.3f}')} | {spread(walls(own))} | {spread(own_rates)} "
               f"| {shown} | {benchmark.limit(what, times, limit, at_least=True)} |")
    gguf.unlink()


def lookup(benchmark):
    """Quantizing to a lookup-table scheme against llama-quantize to Q4_K."""
    llama = LlamaCpp(benchmark)
    small, gguf = benchmark.checkpoint("bf16-small"), benchmark.folder / "small.gguf"
    llama.convert(small, gguf)
    read_all([*shards(small), gguf])
    ours = tensor_bytes(small, by_kelter) / 1e6
    theirs = tensor_bytes(small, by_llama_quantize) / 1e6
    yield (f"`lut4-g16` without the gate, from {source_bytes(small) / 1e9:.2f} GB of BF16, against "
           "llama-quantize to Q4_K in every tensor (`--pure`) from the same as GGUF, in turns. "
           "Rates are source bytes of what each quantizes per second of processor time, of the whole "
           "program. Errors are root mean squares over the matrices.")
    yield ""
    yield ("| search | error | of full's | limit | CPU | MB per CPU second | llama-quantize, CPU "
           "| MB per CPU second | times as many | limit |")
    yield "|---|---|---|---|---|---|---|---|---|---|"
    own, peer = {"full": [], "fast": []}, []
    for _ in range(benchmark.rounds):
        peer.append(llama.quantize(gguf, "Q4_K", "--pure"))
        for search, found in own.items():
            found.append(benchmark.convert(
                small, "--scheme", "lut4-g16", "--search", search, "--no-gate"))
    gguf.unlink()
    peer_rates = [theirs / cpu for cpu in cpus(peer)]
    for search, limit in ("full", 5), ("fast", 12):
        rates = [ours / cpu for cpu in cpus(own[search])]
        times, shown = ratio(rates, peer_rates)
        worse = own[search][0].error / own["full"][0].error
        judged = "" if search == "full" else benchmark.limit(
            "lut4-g16, the error of fast search by full search's", worse, 1.02)
        what = f"lut4-g16, {search} search, beside Q4_K"
        yield (f"| {search} | {own[search][0].error:.5f} | {worse:.4f} | {judged} "
               f"| {spread(cpus(own[search]))} | {spread(rates, '{:.0f}')} | {spread(cpus(peer))} "
               f"| {spread(peer_rates, '{:.0f}')} | {shown} "
               f"| {benchmark.limit(what, times, limit, at_least=True)} |")


def whole_way(benchmark):
    """From the checkpoint to 4 bits."""
    llama = LlamaCpp(benchmark)
    yield ("From the checkpoint to int4-g32 (full search, no gate), against convert_hf_to_gguf.py "
           "to BF16 and llama-quantize to Q4_K from there. The time that the script takes to start "
           "(`--vocab-only`) is not counted, as it does not grow with the checkpoint. GB/s of the "
           "checkpoint's bytes.")
    yield ""
    yield ("| source | its start | convert_hf_to_gguf.py, wall | llama-quantize, wall | GB/s "
           "| Kelter, wall | GB/s | times as fast | limit |")
    yield "|---|---|---|---|---|---|---|---|---|"
    gguf, vocabulary = benchmark.folder / "small.gguf", benchmark.folder / "vocabulary.gguf"
    for name, limit in ("bf16", 15), ("fp8", 20):
        large, small = benchmark.checkpoint(name), benchmark.checkpoint(f"{name}-small")
        read_all([*shards(large), *shards(small)])
        llama.convert(small, vocabulary, "--vocab-only")
        starts, converted, quantized, own, peer_rates = [], [], [], [], []
        for _ in range(benchmark.rounds):
            own.append(benchmark.convert(large, *FULL))
            starts.append(llama.convert(small, vocabulary, "--vocab-only").wall)
            converted.append(max(0, llama.convert(small, gguf).wall - starts[-1]))
            quantized.append(llama.quantize(gguf, "Q4_K").wall)
            peer_rates.append(source_bytes(small) / 1e9 / (converted[-1] + quantized[-1]))
        own_rates = [source_bytes(large) / 1e9 / wall for wall in walls(own)]
        times, shown = ratio(own_rates, peer_rates)
        what = f"the whole way from {name.upper()}"
        yield (f"| {name.upper()} | {spread(starts)} | {spread(converted)} | {spread(quantized)} "
               f"| {spread(peer_rates, '{:.3f}')} | {spread(walls(own))} | {spread(own_rates)} "
               f"| {shown} | {benchmark.limit(what, times, limit, at_least=True)} |")
    for file in gguf, vocabulary:
        file.unlink(missing_ok=True)
