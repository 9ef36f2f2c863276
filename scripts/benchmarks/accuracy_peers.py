"""The quantizers that Kelter is compared with, each the peer's own code.

A peer is called with a float32 matrix and returns what it becomes and the bytes that hold it. Bytes
are those of the arrays that the peer would write: codes as it packs them, scales, zero points.
"""
import dataclasses
import importlib.metadata
import typing

import numpy
import torch

import ggml_quantize

# llm-compressor's `mse` observer: shrunken ranges, and the power of the differences it sums.
SHRINKS = [1 - step / 100 for step in range(0, 80, 4)]
NORM = 2.4


@dataclasses.dataclass
class Peer:
    project: str  # ggml, compressed-tensors, HQQ or NF4
    name: str
    run: typing.Callable  # float32 matrix → (float32 matrix, bytes)


def byte_count(*tensors):
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def ggml():
    """Every type that llama.cpp quantizes to. With and without importance (of 1 for every column),
    its quantizers weigh differently: the better of both counts."""
    ggml_quantize.library()

    def peer(kind):
        def run(weights):
            # Blocks follow each other in memory. Where rows hold no whole number of blocks,
            # llama.cpp would take another type: here blocks reach over the ends of rows.
            size = ggml_quantize.traits(kind).block_size
            if weights.shape[1] % size:
                weights = weights.reshape(-1, size)
            found = []
            for importance in (None, numpy.ones(weights.shape[1], numpy.float32)):
                if importance is None and ggml_quantize.needs_importance(kind):
                    continue
                blocks = ggml_quantize.quantize(weights, kind, importance)
                found.append((ggml_quantize.dequantize(blocks, kind, weights.shape), blocks.nbytes))
            return min(found, key=lambda pair: numpy.linalg.norm(pair[0] - weights))

        return Peer("ggml", kind, run)

    return [peer(kind) for kind in ggml_quantize.TYPES if kind not in ("F32", "F16", "BF16")]


def compressed_tensors():
    from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32
    from compressed_tensors.quantization import QuantizationArgs
    from compressed_tensors.quantization.lifecycle.forward import dequantize, quantize
    from compressed_tensors.quantization.utils import calculate_qparams

    def peer(bits, group_size, symmetric, search):
        arguments = QuantizationArgs(
            num_bits=bits, type="int", strategy="group", group_size=group_size,
            symmetric=symmetric)

        def run(weights):
            x = torch.from_numpy(weights)
            if x.shape[1] % group_size:
                raise ValueError(f"rows of {x.shape[1]} are no groups of {group_size}")
            groups = x.view(len(x), -1, group_size)
            low, high = groups.amin(-1), groups.amax(-1)
            least = torch.full_like(low, torch.inf)
            chosen, points = torch.ones_like(low), torch.zeros_like(low)
            for shrink in SHRINKS if search == "mse" else [1]:
                scale, point = calculate_qparams(low * shrink, high * shrink, arguments)
                scale, point = scale.bfloat16().float(), point.float()
                codes = quantize(x, scale, point, arguments)
                back = dequantize(codes, scale, point, arguments).view_as(groups)
                error = (back - groups).abs().pow(NORM).sum(-1)
                chosen = torch.where(error < least, scale, chosen)
                points = torch.where(error < least, point, points)
                least = torch.minimum(error, least)
            codes = quantize(x, chosen, points, arguments)
            arrays = [pack_to_int32(codes.to(torch.int8), bits), chosen.bfloat16()]
            if not symmetric:
                arrays.append(pack_to_int32(points.to(torch.int8), bits, packed_dim=0))
            back = dequantize(codes, chosen, points, arguments)
            return back.view_as(x).float().numpy(), byte_count(*arrays)

        kind = f"int{bits}" + ("" if symmetric else "-asym")
        return Peer("compressed-tensors", f"{kind} g{group_size}, {search}", run)

    return [
        peer(bits, group_size, symmetric, search)
        for bits, group_sizes in ((4, (32, 64, 128)), (3, (32, 64)))
        for group_size in group_sizes
        for symmetric in (True, False)
        for search in ("minmax", "mse")]


def hqq():
    from hqq.core.quantize import BaseQuantizeConfig, Quantizer

    def peer(bits, group_size, axis):
        settings = BaseQuantizeConfig(nbits=bits, group_size=group_size, axis=axis)

        def run(weights):
            codes, meta = Quantizer.quantize(
                torch.from_numpy(weights), device="cpu", compute_dtype=torch.float16,
                **settings["weight_quant_params"])
            # As HQQ stores them for a model in half precision.
            for name in ("scale", "zero"):
                meta[name] = meta[name].half()
            back = Quantizer.dequantize(
                codes, meta | {name: meta[name].float() for name in ("scale", "zero")})
            return back.float().numpy(), byte_count(codes, meta["scale"], meta["zero"])

        return Peer("HQQ", f"{bits} bits, g{group_size}, axis {axis}", run)

    return [peer(*settings) for settings in (
        (4, 32, 1), (4, 64, 1), (4, 64, 0), (4, 128, 1), (3, 64, 1), (3, 64, 0), (3, 128, 1))]


def nf4():
    import bitsandbytes.functional

    def peer(group_size, nested):
        def run(weights):
            codes, state = bitsandbytes.functional.quantize_4bit(
                torch.from_numpy(weights), blocksize=group_size, compress_statistics=nested,
                quant_type="nf4")
            back = bitsandbytes.functional.dequantize_4bit(codes, state)
            # Not the tables of levels, which are the same for all matrices.
            arrays = [codes, state.absmax]
            if nested:
                arrays += [state.state2.absmax, state.offset]
            return back.float().numpy(), byte_count(*arrays)

        return Peer("NF4", f"blocks of {group_size}" + (", nested scales" if nested else ""), run)

    return [peer(group_size, nested) for group_size in (32, 64) for nested in (False, True)]


def all_peers():
    """(peers, versions, reasons): what can be measured here, and why the rest cannot."""
    peers, versions, reasons = [], [], []
    for project, package, make in (
            ("ggml", None, ggml), ("compressed-tensors", "compressed-tensors", compressed_tensors),
            ("HQQ", "hqq", hqq), ("NF4", "bitsandbytes", nf4)):
        try:
            peers += make()
        except Exception as error:  # whatever a package throws where it does not run
            reasons.append(f"{project}: not measured: {type(error).__name__}: {error}")
            continue
        versions.append(
            f"{package} {importlib.metadata.version(package)}" if package
            else "ggml of llama-cpp-python 0.3.36")
    versions.append(f"torch {torch.__version__}")
    return peers, versions, reasons
