"""ggml's own quantizers and dequantizers, called in the library that scripts/benchmarks/llama.cpp
builds.

    blocks = quantize(weights, "Q4_K")                      # weights: float32, rows × columns
    blocks = quantize(weights, "IQ4_XS", importance=x2)     # x2: a float32 per column
    back = dequantize(blocks, "Q4_K", weights.shape)

Run as a program, it prints the relative error of some types on N(0, 0.02), 1024 × 4096.
"""
import ctypes
import functools
import pathlib
import subprocess

import numpy

TYPES = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "Q2_K": 10,
    "Q3_K": 11, "Q4_K": 12, "Q5_K": 13, "Q6_K": 14, "IQ2_XXS": 16, "IQ2_XS": 17, "IQ3_XXS": 18,
    "IQ1_S": 19, "IQ4_NL": 20, "IQ3_S": 21, "IQ2_S": 22, "IQ4_XS": 23, "IQ1_M": 29, "BF16": 30,
    "TQ1_0": 34, "TQ2_0": 35, "MXFP4": 39, "NVFP4": 40,
}
FLOATS = numpy.ctypeslib.ndpointer(numpy.float32, flags="C_CONTIGUOUS")


class Traits(ctypes.Structure):
    """The head of ggml_type_traits in ggml.h."""

    _fields_ = [
        ("name", ctypes.c_char_p), ("block_size", ctypes.c_int64), ("interleave", ctypes.c_int64),
        ("block_bytes", ctypes.c_size_t), ("is_quantized", ctypes.c_bool),
        ("to_float", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64))]


class InitParameters(ctypes.Structure):
    _fields_ = [("byte_count", ctypes.c_size_t), ("buffer", ctypes.c_void_p),
                ("no_alloc", ctypes.c_bool)]


@functools.cache
def library():
    folder = subprocess.run(
        [pathlib.Path(__file__).with_name("llama.cpp")], check=True, stdout=subprocess.PIPE,
        text=True).stdout.strip()
    ggml = ctypes.CDLL(f"{folder}/build/bin/libggml-base.so")
    ggml.ggml_get_type_traits.restype = ctypes.POINTER(Traits)
    ggml.ggml_get_type_traits.argtypes = [ctypes.c_int]
    ggml.ggml_quantize_requires_imatrix.restype = ctypes.c_bool
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [
        ctypes.c_int, FLOATS, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64,
        ctypes.c_void_p]
    # ggml_init fills the tables that F16 scales are decoded with.
    ggml.ggml_init.restype = ctypes.c_void_p
    ggml.ggml_init.argtypes = [InitParameters]
    ggml.ggml_free.argtypes = [ctypes.c_void_p]
    ggml.ggml_free(ggml.ggml_init(InitParameters(1 << 16, None, True)))
    return ggml


def traits(kind):
    found = library().ggml_get_type_traits(TYPES[kind]).contents
    if found.name.decode().lower() != kind.lower():
        raise RuntimeError(f"ggml's type {TYPES[kind]} is {found.name.decode()}, not {kind}")
    return found


def bits_per_weight(kind):
    return 8 * traits(kind).block_bytes / traits(kind).block_size


def needs_importance(kind):
    return library().ggml_quantize_requires_imatrix(TYPES[kind])


def quantize(weights, kind, importance=None):
    """The blocks of a matrix, as bytes. `importance` weighs the squared error of each column, as
    llama-quantize's --imatrix does."""
    weights = numpy.ascontiguousarray(weights, dtype=numpy.float32)
    rows, columns = weights.shape
    found = traits(kind)
    if columns % found.block_size:
        raise ValueError(f"{kind} needs rows of a multiple of {found.block_size}, not {columns}")
    if importance is None and needs_importance(kind):
        raise ValueError(f"{kind} needs importance")
    if importance is not None:
        importance = numpy.ascontiguousarray(importance, dtype=numpy.float32)
        if importance.shape != (columns,):
            raise ValueError(f"importance: {importance.shape} for {columns} columns")
    blocks = numpy.empty(rows * columns // found.block_size * found.block_bytes, numpy.uint8)
    written = library().ggml_quantize_chunk(
        TYPES[kind], weights, blocks.ctypes.data, 0, rows, columns,
        None if importance is None else importance.ctypes.data)
    if written != blocks.nbytes:
        raise RuntimeError(f"ggml wrote {written} bytes of {kind}, not {blocks.nbytes}")
    return blocks


def dequantize(blocks, kind, shape):
    """The float32 matrix that blocks hold."""
    found = traits(kind)
    count = int(numpy.prod(shape))
    blocks = numpy.ascontiguousarray(blocks, dtype=numpy.uint8)
    if blocks.nbytes != count // found.block_size * found.block_bytes:
        raise ValueError(f"{blocks.nbytes} bytes are not {shape} of {kind}")
    weights = numpy.empty(shape, numpy.float32)
    found.to_float(blocks.ctypes.data, weights.ctypes.data, count)
    return weights


def main():
    weights = numpy.random.default_rng(0).standard_normal((1024, 4096), dtype=numpy.float32) * 0.02
    importance = numpy.ones(4096, numpy.float32)
    print("| type | bits per weight | relative error | with importance 1 |\n|---|---|---|---|")
    for kind in TYPES:
        if kind in ("F32", "F16", "BF16"):
            continue
        errors = []
        for given in (None, importance):
            if given is None and needs_importance(kind):
                errors.append("")
                continue
            back = dequantize(quantize(weights, kind, given), kind, weights.shape)
            errors.append(f"{numpy.linalg.norm(back - weights) / numpy.linalg.norm(weights):.4f}")
        print(f"| {kind} | {bits_per_weight(kind):.4g} | {' | '.join(errors)} |", flush=True)


if __name__ == "__main__":
    main()
