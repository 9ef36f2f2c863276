#!/usr/bin/env python3
"""Reads .kelter files, with numpy and nothing else: formats/container.md in code.

As a module:

    container = Container("model.kelter")
    container.tensors                      # records, sorted by name
    container.dequantize(tensor)           # float32, or the plain elements
    container.expert(layer, expert)        # where one expert lies

As a command:

    python3 kelter_reader.py FILE [--list | --tensor NAME [--expert E] | --check]
"""

import argparse
import hashlib
import json
import struct
import sys
from collections import namedtuple

import numpy as np

MAGIC = b"\x89KLT\r\n\x1a\n"
ZSTD_MAGIC = bytes.fromhex("28B52FFD")
PAGE = 16384
NONE = 0xFFFFFFFF
SECTIONS = {  # kind: (name, record size)
    1: ("metadata", 1), 2: ("strings", 1), 3: ("tensors", 192), 4: ("extents", 48),
    5: ("layers", 32), 6: ("experts", 80), 7: ("errors", 64), 8: ("files", 32),
    9: ("sources", 48), 10: ("digests", 32),
}  # fmt: skip
DTYPES = (
    None, "BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0",
    "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64",
    "I64", "U64",
)  # fmt: skip
BITS = {
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32,
    "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip
CODES = {1: ("E4M3", 8), 2: ("E2M1", 4), 3: ("INT8", 8), 4: ("INT4", 4), 5: ("UINT4", 4)}
TABLE_CODES = {6: ("LUT4", 4), 7: ("LUT3", 3)}
ENCODINGS = {1: "plain", 2: "quantized", 3: "tables"}
TABLES_FEATURE = 1
SUPER_COLUMNS = 256

Section = namedtuple("Section", "offset size count checksum")
Tensor = namedtuple(
    "Tensor",
    "name scheme role layer expert part source_dtype shape encoding dtype code zero_points "
    "global_scale block_rows block_columns extent offset size payload_size table_count",
)
Extent = namedtuple("Extent", "kind offset size used_size checksum")
Expert = namedtuple("Expert", "layer expert extent offset size used_size tensors offsets")
Layer = namedtuple("Layer", "layer first_expert expert_count stride")
Error = namedtuple(
    "Error", "tensor relative_error snr_db max_absolute_error zeroed clipped non_finite_count"
)
File = namedtuple("File", "name extent offset size")
Source = namedtuple("Source", "name size header_size header_checksum content_checksum flags")


class FormatError(Exception):
    """The file contradicts its format."""


def require(condition, what):
    if not condition:
        raise FormatError(what)


def round_up(value, multiple):
    return -(-value // multiple) * multiple


class Container:
    def __init__(self, path):
        self.data = np.memmap(path, dtype=np.uint8, mode="r")
        self.size = len(self.data)
        magic = self.raw(0, min(8, self.size))
        require(magic[:4] != ZSTD_MAGIC, "packed; `zstd -d` or `kelter unpack` restores the file")
        require(magic == MAGIC, "not a .kelter file")
        require(self.size >= PAGE, "truncated header")
        self.version = struct.unpack("<HH", self.raw(8, 4))
        require(self.version[0] <= 1, f"format version {self.version[0]} is newer than this reader")
        (checksum,) = struct.unpack("<Q", self.raw(PAGE - 8, 8))
        require(xxh3_64(self.data[: PAGE - 8]) == checksum, "wrong checksum of the header")
        header_size, required, self.features, size, alignment, count = struct.unpack(
            "<IQQQII", self.raw(12, 36)
        )
        require(self.version[0] == 1 and header_size == PAGE and alignment == PAGE, "wrong header")
        unknown = required & ~TABLES_FEATURE
        require(unknown == 0, f"unknown required features {unknown:#x}")
        self.required = required
        require(size == self.size, f"the file has {self.size} bytes, its header says {size}")
        self.sections = self._directory(count)

    # The index.

    def _directory(self, count):
        require(64 + 48 * count <= PAGE - 8, "too many sections")
        sections, end = {}, PAGE
        for index in range(count):
            kind, record_size, records, offset, size, checksum, reserved = struct.unpack(
                "<IIQQQQQ", self.raw(64 + 48 * index, 48)
            )
            require(offset == round_up(end, 64) and reserved == 0, f"section {kind} is misplaced")
            require(size == record_size * records and offset + size <= self.size, f"section {kind}")
            require(kind not in sections, f"section {kind} is there twice")
            if kind in SECTIONS:
                require(record_size == SECTIONS[kind][1], f"record size of section {kind}")
            sections[kind] = Section(offset, size, records, checksum)
            end = offset + size
        wanted = range(1, 11 if self.features & 1 else 10)
        require(all(kind in sections for kind in wanted), "a section is missing")
        return sections

    def _records(self, kind, layout):
        section = self.sections[kind]
        for index in range(section.count):
            yield struct.unpack_from(layout, self.data, section.offset + index * SECTIONS[kind][1])

    def raw(self, offset, size):
        require(0 <= offset and 0 <= size and offset + size <= self.size, "outside of the file")
        return self.data[offset : offset + size].tobytes()

    def _string(self, offset, size):
        strings = self.sections[2]
        require(offset + size <= strings.size, "string outside of its section")
        return self.raw(strings.offset + offset, size).decode("utf-8")

    @property
    def metadata(self):
        return json.loads(self.raw(*self.sections[1][:2]))

    @property
    def tensors(self):
        found = []
        for f in self._records(3, "<8IH6B3I4x3Q8QII40x"):
            (layer, expert, part, source_dtype, rank, encoding, dtype, code, flags) = f[6:15]
            (rows, columns, extent, offset, size, payload_size) = f[15:21]
            (table_count, super_columns) = f[29:31]
            require(rank <= 8 and encoding in ENCODINGS, "unknown encoding")
            require(0 < dtype < len(DTYPES) and 0 < source_dtype < len(DTYPES), "unknown dtype")
            require(encoding != 2 or (code in CODES and flags <= 3), "unknown code")
            if encoding == 3:
                require(self.required & TABLES_FEATURE, "tables without their feature")
                known = code in TABLE_CODES and DTYPES[dtype] == "F16" and flags == 2
                require(known and rows == 1 and columns in (16, 32), "unknown code")
                require(table_count in (1, 2) and super_columns == SUPER_COLUMNS, "unknown tables")
            require(offset + size <= self.size, "tensor outside of the file")
            found.append(
                Tensor(
                    self._string(*f[0:2]), self._string(*f[2:4]), self._string(*f[4:6]), layer,
                    expert, part, DTYPES[source_dtype], f[21 : 21 + rank],
                    ENCODINGS[encoding], DTYPES[dtype],
                    (CODES | TABLE_CODES)[code][0] if encoding > 1 else None, bool(flags & 1),
                    bool(flags & 2), rows, columns, extent, offset, size, payload_size,
                    table_count,
                )
            )  # fmt: skip
        return found

    @property
    def extents(self):
        return [Extent(*record) for record in self._records(4, "<I4x4Q8x")]

    @property
    def layers(self):
        return [Layer(*record) for record in self._records(5, "<I4xIIQ8x")]

    @property
    def errors(self):
        return [Error(*record) for record in self._records(7, "<I4x5dQ8x")]

    @property
    def files(self):
        found = [File(self._string(*f[:2]), *f[2:]) for f in self._records(8, "<3I4x2Q")]
        for file in found:
            # It may be written to a folder, and must not get out of it.
            plain = file.name not in ("", ".", "..") and not set(file.name) & {"/", "\0"}
            require(plain, f"file name {file.name!r}")
        return found

    @property
    def sources(self):
        return [Source(self._string(*f[:2]), *f[2:]) for f in self._records(9, "<2I4QI4x")]

    def expert(self, layer, expert):
        """Binary search over the mapped records."""
        section, low, high = self.sections[6], 0, self.sections[6].count
        while low < high:
            middle = (low + high) // 2
            record = struct.unpack_from("<3I4x3Q3I4x3Q", self.data, section.offset + 80 * middle)
            if record[:2] == (layer, expert):
                return Expert(*record[:6], record[6:9], record[9:12])
            low, high = (middle + 1, high) if record[:2] < (layer, expert) else (low, middle)
        raise KeyError(f"no expert {expert} in layer {layer}")

    def tensor(self, name, expert=None):
        for tensor in self.tensors:
            if tensor.name == name and expert in (None, tensor.expert):
                return tensor
        raise KeyError(f"no tensor {name}")

    # The data.

    def dequantize(self, tensor):
        """The values of a tensor: float32, or the elements of a plain integer tensor."""
        if tensor.encoding == "plain":
            values = decode(self.data[tensor.offset : tensor.offset + tensor.size], tensor.dtype)
            return values.reshape(tensor.shape)
        columns = tensor.shape[-1] if tensor.shape else 1
        rows = int(np.prod(tensor.shape[:-1], dtype=object)) if tensor.shape else 1
        planes, size, payload_size = plane_places(tensor, rows, columns)
        require((size, payload_size) == (tensor.size, tensor.payload_size), "size of a tensor")
        codes, scales, zero_points, global_scale, tables = (
            self.data[tensor.offset + start : tensor.offset + end] for start, end in planes
        )
        if tensor.encoding == "tables":
            global_scale = decode(global_scale, "F32")[0]
            tables = tables.view(np.int8).reshape(tensor.table_count, -1)
            values = from_tables(tensor, rows, columns, codes, scales, global_scale, tables)
            return values.reshape(tensor.shape)
        scale_rows, scale_columns = scale_counts(tensor, rows, columns)
        scale_dtype = "F8_E8M0" if tensor.dtype == "U8" else tensor.dtype
        scales = decode(scales, scale_dtype).reshape(scale_rows, scale_columns)
        if tensor.global_scale:
            scales = scales * decode(global_scale, "F32")[0]
        # Each weight's block.
        row_block = np.arange(rows) // (tensor.block_rows or max(rows, 1))
        column_block = np.arange(columns) // (tensor.block_columns or max(columns, 1))
        spread = np.ix_(row_block, column_block)
        codes = codes.reshape(rows, -1) if rows else codes.reshape(0, 0)
        if tensor.code == "E4M3":
            values = E4M3[codes]
        elif tensor.code == "INT8":
            values = codes.view(np.int8).astype(np.float32)
        else:
            nibbles = unpack_nibbles(codes, columns)
            if tensor.code == "E2M1":
                values = E2M1[nibbles]
            elif tensor.code == "INT4":
                values = nibbles.astype(np.float32) - np.float32(8)
            else:
                zeros = np.zeros((scale_rows, scale_columns), np.uint8)
                if tensor.zero_points:
                    zeros = unpack_nibbles(zero_points.reshape(scale_rows, -1), scale_columns)
                values = nibbles.astype(np.float32) - zeros[spread].astype(np.float32)
        return (values * scales[spread]).astype(np.float32).reshape(tensor.shape)

    def check(self):
        """Yields a line for everything that is wrong."""
        end = PAGE
        for kind, section in sorted(self.sections.items()):
            name = SECTIONS[kind][0] if kind in SECTIONS else f"section {kind}"
            if self.data[end : section.offset].any():
                yield f"bytes before {name} are not zero"
            end = section.offset + section.size
            if xxh3_64(self.data[section.offset : end]) != section.checksum:
                yield f"checksum of {name}"
        start = round_up(end, PAGE)
        if self.data[end:start].any():
            yield "bytes after the index are not zero"
        for index, extent in enumerate(self.extents):
            require(extent.offset == start and start + extent.size <= self.size, "extent misplaced")
            data = self.data[start : start + extent.size]
            if xxh3_64(data) != extent.checksum:
                yield f"checksum of extent {index}"
            if data[extent.used_size :].any():
                yield f"bytes at the end of extent {index} are not zero"
            if self.features & 1:
                digest = self.raw(self.sections[10].offset + 32 * index, 32)
                if hashlib.sha256(data).digest() != digest:
                    yield f"SHA-256 of extent {index}"
            start += extent.size
        if start != self.size:
            yield "the extents do not end with the file"
        for file in self.files:
            if file.offset + file.size > self.size:
                yield f"file {file.name!r} is outside of the file"


def scale_counts(tensor, rows, columns):
    scale_rows = -(-rows // tensor.block_rows) if tensor.block_rows else min(rows, 1)
    scale_columns = -(-columns // tensor.block_columns) if tensor.block_columns else min(columns, 1)
    return scale_rows, scale_columns


def super_blocks(tensor, columns):
    """For each stretch of 256 columns: the number of its columns and of its groups, and the sizes
    of its scales: of the 6-bit steps, of the choices of tables, of all."""
    for start in range(0, columns, SUPER_COLUMNS):
        count = min(SUPER_COLUMNS, columns - start)
        groups = -(-count // tensor.block_columns)
        steps = (6 * groups + 7) // 8
        choices = (groups + 7) // 8 if tensor.table_count == 2 else 0
        yield count, groups, steps, choices, round_up(2 + steps + choices, 2)


def chunk_size(code, count):
    """The size of the codes of up to 32 columns."""
    return (count + 1) // 2 if code == "LUT4" else (count + 3) // 4 + (count + 7) // 8


def plane_places(tensor, rows, columns):
    """((start, end) of codes, scales, zero points, global scale, tables), size, payload size."""
    bits = dict((CODES | TABLE_CODES).values())[tensor.code]
    scale_rows, scale_columns = scale_counts(tensor, rows, columns)
    sizes = [
        rows * ((columns * bits + 7) // 8),
        scale_rows * scale_columns * BITS.get(tensor.dtype, 8) // 8,
        scale_rows * ((scale_columns + 1) // 2) if tensor.zero_points else 0,
        4 if tensor.global_scale else 0,
        0,
    ]
    if tensor.encoding == "tables":
        chunk = chunk_size(tensor.code, 32)
        sizes[0] = rows * (columns // 32 * chunk + chunk_size(tensor.code, columns % 32))
        sizes[1] = rows * sum(sizes[-1] for sizes in super_blocks(tensor, columns))
        sizes[4] = tensor.table_count * (16 if tensor.code == "LUT4" else 8)
    places, end = [], 0
    for size in sizes:
        start = round_up(end, 64)
        end = start + size
        places.append((start, end))
    return places, round_up(end, 64), sum(sizes)


def from_tables(tensor, rows, columns, codes, scales, global_scale, tables):
    """value = level × (step × (scale × global scale)), each product rounded to float32."""
    codes = codes.reshape(rows, -1) if rows else codes.reshape(0, 0)
    scales = scales.reshape(rows, -1) if rows else scales.reshape(0, 0)
    values = np.empty((rows, columns), np.float32)
    column = code_start = scale_start = 0
    for count, groups, step_size, choice_size, size in super_blocks(tensor, columns):
        record = scales[:, scale_start : scale_start + size]
        super_scale = decode(record[:, :2], "F16") * np.float32(global_scale)
        places = np.arange(6 * groups)
        bits = record[:, 2 + places // 8] >> (places % 8).astype(np.uint8) & 1
        steps = bits.reshape(rows, groups, 6) @ np.array([1, 2, 4, 8, 16, -32])
        choices = np.zeros((rows, groups), int)
        if choice_size:
            group = np.arange(groups)
            choices = record[:, 2 + step_size + group // 8] >> (group % 8).astype(np.uint8) & 1
        group_scales = steps.astype(np.float32) * super_scale
        for start in range(0, count, 32):
            chunk = min(32, count - start)
            end = code_start + chunk_size(tensor.code, chunk)
            indices = unpack_chunk(tensor.code, codes[:, code_start:end], chunk)
            group = (start + np.arange(chunk)) // tensor.block_columns
            levels = tables[choices[:, group], indices].astype(np.float32)
            values[:, column + start : column + start + chunk] = levels * group_scales[:, group]
            code_start = end
        column += count
        scale_start += size
    return values


def unpack_chunk(code, data, count):
    """The indices of up to 32 columns."""
    column = np.arange(count)
    if code == "LUT4":
        half = (count + 1) // 2
        return data[:, column % half] >> (4 * (column // half)).astype(np.uint8) & 15
    quarter = (count + 3) // 4
    low = data[:, column % quarter] >> (2 * (column // quarter)).astype(np.uint8) & 3
    high = data[:, quarter + column // 8] >> (column % 8).astype(np.uint8) & 1
    return low | high << 2


def unpack_nibbles(data, columns):
    pairs = np.stack([data & 15, data >> 4], axis=-1)
    return pairs.reshape(data.shape[0], -1)[:, :columns]


def float_table(exponent_bits, mantissa_bits, bias):
    """The values of all codes of a small float without infinities."""
    codes = np.arange(1 << (1 + exponent_bits + mantissa_bits))
    sign = np.where(codes >> (exponent_bits + mantissa_bits), -1.0, 1.0)
    exponent = (codes >> mantissa_bits) & ((1 << exponent_bits) - 1)
    fraction = (codes & ((1 << mantissa_bits) - 1)) / (1 << mantissa_bits)
    normal = (1 + fraction) * np.exp2(exponent.astype(float) - bias)
    values = np.where(exponent == 0, fraction * 2.0 ** (1 - bias), normal)
    return (sign * values).astype(np.float32)


E2M1 = float_table(2, 1, 1)
E4M3 = float_table(4, 3, 7)
E4M3[[0x7F, 0xFF]] = np.nan
E8M0 = np.append(np.exp2(np.arange(255.0) - 127), np.nan).astype(np.float32)


def decode(data, dtype):
    """The elements of a plain tensor or of a plane of scales; small floats as float32."""
    data = np.ascontiguousarray(data)
    if dtype == "BF16":
        return (data.view("<u2").astype(np.uint32) << 16).view(np.float32)
    if dtype == "F8_E4M3":
        return E4M3[data]
    if dtype == "F8_E8M0":
        return E8M0[data]
    if dtype == "F16":
        return data.view("<f2").astype(np.float32)
    plain = {
        "F32": "<f4", "F64": "<f8", "C64": "<c8", "I8": "i1", "U8": "u1", "BOOL": "?", "I16": "<i2",
        "U16": "<u2", "I32": "<i4", "U32": "<u4", "I64": "<i8", "U64": "<u8",
    }  # fmt: skip
    require(dtype in plain, f"no decoder for {dtype}")
    return data.view(plain[dtype])


# XXH3-64, seed 0, default secret: doc/xxhash_spec.md of github.com/Cyan4973/xxHash.

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)
M64 = (1 << 64) - 1
P32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
P64 = (
    0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)  # fmt: skip
MX1, MX2 = 0x165667919E3779F9, 0x9FB21C651E98DF25


def u32(data, at):
    return int.from_bytes(data[at : at + 4], "little")


def u64(data, at):
    return int.from_bytes(data[at : at + 8], "little")


def avalanche(h):
    h = ((h ^ (h >> 37)) * MX1) & M64
    return h ^ (h >> 32)


def avalanche_xxh64(h):
    h = ((h ^ (h >> 33)) * P64[1]) & M64
    h = ((h ^ (h >> 29)) * P64[2]) & M64
    return h ^ (h >> 32)


def fold(a, b):
    product = a * b
    return (product & M64) ^ (product >> 64)


def mix(data, at, secret_at):
    return fold(
        u64(data, at) ^ u64(SECRET, secret_at), u64(data, at + 8) ^ u64(SECRET, secret_at + 8)
    )


def xxh3_64(data):
    """The checksum of a uint8 array."""
    n = len(data)
    if n > 240:
        return xxh3_long(np.ascontiguousarray(data))
    data = bytes(data)
    if n == 0:
        return avalanche_xxh64(u64(SECRET, 56) ^ u64(SECRET, 64))
    if n <= 3:
        word = (data[0] << 16) | (data[n >> 1] << 24) | data[n - 1] | (n << 8)
        return avalanche_xxh64(word ^ u32(SECRET, 0) ^ u32(SECRET, 4))
    if n <= 8:
        word = u32(data, n - 4) + (u32(data, 0) << 32)
        h = word ^ u64(SECRET, 8) ^ u64(SECRET, 16)
        h ^= ((h << 49 | h >> 15) ^ (h << 24 | h >> 40)) & M64
        h = (h * MX2) & M64
        h ^= (h >> 35) + n
        h = (h * MX2) & M64
        return h ^ (h >> 28)
    if n <= 16:
        low = u64(data, 0) ^ u64(SECRET, 24) ^ u64(SECRET, 32)
        high = u64(data, n - 8) ^ u64(SECRET, 40) ^ u64(SECRET, 48)
        swapped = int.from_bytes(low.to_bytes(8, "little"), "big")
        return avalanche((n + swapped + high + fold(low, high)) & M64)
    h = (n * P64[0]) & M64
    if n <= 128:
        for i in range((n - 1) // 32, -1, -1):
            h += mix(data, 16 * i, 32 * i) + mix(data, n - 16 * (i + 1), 32 * i + 16)
        return avalanche(h & M64)
    for i in range(8):
        h += mix(data, 16 * i, 16 * i)
    h = avalanche(h & M64)
    for i in range(8, n // 16):
        h += mix(data, 16 * i, 16 * (i - 8) + 3)
    h += mix(data, n - 16, 136 - 17)
    return avalanche(h & M64)


def xxh3_long(data):
    """Stripes of 64 bytes in 8 lanes; 16 stripes make a block, after which the lanes are mixed."""
    lanes = np.array(
        [P32[2], P64[0], P64[1], P64[2], P64[3], P32[1], P64[4], P32[0]], dtype=np.uint64
    )

    def contribution(stripes, secret_at):
        keys = np.stack(
            [np.frombuffer(SECRET, "<u8", 8, secret_at + 8 * i) for i in range(stripes.shape[1])]
        )
        mixed = stripes ^ keys
        products = (mixed & np.uint64(0xFFFFFFFF)) * (mixed >> np.uint64(32))
        swapped = stripes.reshape(*stripes.shape[:2], 4, 2)[..., ::-1].reshape(stripes.shape)
        return (products + swapped).sum(axis=1, dtype=np.uint64)

    n = len(data)
    block_count = (n - 1) // 1024
    last_key = np.frombuffer(SECRET, "<u8", 8, len(SECRET) - 64)
    # A part of the blocks at a time bounds the memory.
    for start in range(0, block_count, 4096):
        end = min(start + 4096, block_count)
        blocks = data[start * 1024 : end * 1024].view("<u8").reshape(end - start, 16, 8)
        for sums in contribution(blocks, 0):
            lanes = lanes + sums
            lanes = lanes ^ (lanes >> np.uint64(47)) ^ last_key
            lanes = lanes * np.uint64(P32[0])
    stripe_count = (n - 1 - block_count * 1024) // 64
    rest = data[block_count * 1024 : block_count * 1024 + stripe_count * 64]
    if stripe_count:
        lanes = lanes + contribution(rest.view("<u8").reshape(1, stripe_count, 8), 0)[0]
    last = np.ascontiguousarray(data[n - 64 :]).view("<u8").reshape(1, 1, 8)
    lanes = lanes + contribution(last, len(SECRET) - 64 - 7)[0]
    h = (n * P64[0]) & M64
    for i in range(4):
        a, b = int(lanes[2 * i]), int(lanes[2 * i + 1])
        h += fold(a ^ u64(SECRET, 11 + 16 * i), b ^ u64(SECRET, 19 + 16 * i))
    return avalanche(h & M64)


def main():
    parser = argparse.ArgumentParser(description="Reads a .kelter file.")
    parser.add_argument("file")
    parser.add_argument("--list", action="store_true", help="list the tensors (the default)")
    parser.add_argument("--tensor", metavar="NAME", help="print the dequantized values of a tensor")
    parser.add_argument("--expert", type=int, help="of a tensor that is stored per expert")
    parser.add_argument("--raw", action="store_true", help="with --tensor: float32 bytes to stdout")
    parser.add_argument("--check", action="store_true", help="verify checksums and zeros")
    arguments = parser.parse_args()
    try:
        container = Container(arguments.file)
        if arguments.check:
            wrong = list(container.check())
            print("\n".join(wrong) if wrong else "sound")
            return 1 if wrong else 0
        if arguments.tensor is not None:
            values = container.dequantize(container.tensor(arguments.tensor, arguments.expert))
            if arguments.raw:
                sys.stdout.buffer.write(values.astype("<f4").tobytes())
            else:
                print(values)
            return 0
        for tensor in container.tensors:
            expert = "" if tensor.expert == NONE else f" expert {tensor.expert}"
            print(
                f"{tensor.name}{expert} {list(tensor.shape)} {tensor.scheme} {tensor.role} "
                f"{tensor.size} bytes at {tensor.offset}"
            )
        return 0
    except (FormatError, KeyError, OSError, ValueError) as error:
        print(f"{arguments.file}: {error}", file=sys.stderr)
        return 65


if __name__ == "__main__":
    sys.exit(main())
