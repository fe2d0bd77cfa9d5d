"""Reads a GGUF file into float32 arrays, exactly as its blocks say: F32, F16, Q8_0, Q4_K, Q5_K and Q6_K."""

import struct
from dataclasses import dataclass

import numpy as np

SCALARS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
STRING, ARRAY = 8, 9
GROUP = 256


@dataclass
class Gguf:
    """The metadata and the tensors of a file, by name."""

    metadata: dict
    tensors: dict
    kinds: dict
    size: int

    def setting(self, name, default=None):
        """A number of the architecture, such as `block_count`."""
        return self.metadata.get(f"{self.metadata['general.architecture']}.{name}", default)


class Reader:
    """Takes values from the front of some bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def scalar(self, form):
        (value,) = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def text(self):
        length = self.scalar("<Q")
        self.at += length
        return self.data[self.at - length : self.at].decode("utf-8", "replace")

    def value(self, kind):
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            inner, length = self.scalar("<I"), self.scalar("<Q")
            return [self.value(inner) for _ in range(length)]
        return self.scalar(SCALARS[kind])


def halves(columns):
    """Two bytes a row as 16-bit floats, made float32."""
    return np.ascontiguousarray(columns).view(np.float16).astype(np.float32)


def six_bits(packed):
    """The scales and minima of the 8 groups of a Q4_K or Q5_K block, from their 12 bytes."""
    scale = np.concatenate([packed[:, 0:4] & 63, (packed[:, 8:12] & 15) | (packed[:, 0:4] >> 6 << 4)], 1)
    least = np.concatenate([packed[:, 4:8] & 63, (packed[:, 8:12] >> 4) | (packed[:, 4:8] >> 6 << 4)], 1)
    return scale.astype(np.float32), least.astype(np.float32)


def nibbles(data):
    """Four bits a weight, stored as 4 runs of 32 low halves and 32 high halves, as `[blocks, 8, 32]`."""
    data = data.reshape(-1, 4, 32)
    return np.stack([data & 15, data >> 4], 2).reshape(-1, 8, 32)


def q4_k(data):
    blocks = data.reshape(-1, 144)
    scale, least = six_bits(blocks[:, 4:16])
    quants = nibbles(blocks[:, 16:144]).astype(np.float32)
    return (halves(blocks[:, 0:2]) * scale)[..., None] * quants - (halves(blocks[:, 2:4]) * least)[..., None]


def q5_k(data):
    blocks = data.reshape(-1, 176)
    scale, least = six_bits(blocks[:, 4:16])
    high = (blocks[:, None, 16:48] >> np.arange(8, dtype=np.uint8)[None, :, None]) & 1
    quants = (nibbles(blocks[:, 48:176]) | high << 4).astype(np.float32)
    return (halves(blocks[:, 0:2]) * scale)[..., None] * quants - (halves(blocks[:, 2:4]) * least)[..., None]


def q6_k(data):
    blocks = data.reshape(-1, 210)
    low = blocks[:, 0:128].reshape(-1, 2, 2, 32)
    high = blocks[:, 128:192].reshape(-1, 2, 1, 32)
    low = np.concatenate([low & 15, low >> 4], 2)
    high = (high >> np.array([0, 2, 4, 6], np.uint8)[None, None, :, None]) & 3
    quants = (low | high << 4).astype(np.float32) - 32
    scale = blocks[:, 192:208].copy().view(np.int8).astype(np.float32)
    return (halves(blocks[:, 208:210]) * scale)[..., None] * quants.reshape(-1, 16, 16)


def q8_0(data):
    blocks = data.reshape(-1, 34)
    quants = blocks[:, 2:34].copy().view(np.int8).astype(np.float32)
    return halves(blocks[:, 0:2]) * quants


# GGML's number of a type: its name, weights a block, bytes a block, what unpacks it.
TYPES = {
    0: ("F32", 1, 4, lambda data: data.view("<f4").astype(np.float32)),
    1: ("F16", 1, 2, lambda data: data.view("<f2").astype(np.float32)),
    8: ("Q8_0", 32, 34, q8_0),
    12: ("Q4_K", GROUP, 144, q4_k),
    13: ("Q5_K", GROUP, 176, q5_k),
    14: ("Q6_K", GROUP, 210, q6_k),
}


def read(path):
    """The whole file; a type of block that is not known is an error that names it."""
    with open(path, "rb") as file:
        data = file.read()
    reader = Reader(data)
    magic, version, tensor_count, pair_count = (reader.scalar(form) for form in ("<I", "<I", "<Q", "<Q"))
    if magic != 0x46554747 or version not in (2, 3):
        raise ValueError(f"{path} is no GGUF file of version 2 or 3")
    metadata = {}
    for _ in range(pair_count):
        name = reader.text()
        metadata[name] = reader.value(reader.scalar("<I"))
    places = []
    for _ in range(tensor_count):
        name = reader.text()
        shape = [reader.scalar("<Q") for _ in range(reader.scalar("<I"))][::-1]
        places.append((name, shape, reader.scalar("<I"), reader.scalar("<Q")))
    alignment = metadata.get("general.alignment", 32)
    start = -(-reader.at // alignment) * alignment
    tensors, kinds = {}, {}
    for name, shape, kind, offset in places:
        if kind not in TYPES:
            raise ValueError(f"{path}: {name} has blocks of type {kind}, which this reader does not know")
        label, weights, size, unpack = TYPES[kind]
        length = int(np.prod(shape)) // weights * size
        raw = np.frombuffer(data, np.uint8, length, start + offset)
        tensors[name] = np.ascontiguousarray(unpack(raw)).reshape(shape)
        kinds[name] = label
    return Gguf(metadata, tensors, kinds, len(data))
