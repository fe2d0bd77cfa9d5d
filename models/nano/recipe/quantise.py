"""GGML's Q4_K blocks: simulated on tensors during training, and packed to bytes for the file.

Both follow one rule, so what the training ends with is exactly what the file holds. A block is 256 weights in 8 groups
of 32: `weight = d * scale * q - dmin * min`, with q of 4 bits, scale and min of 6 bits, d and dmin of 16-bit floats
(ggml's `block_q4_K`, 144 bytes).
"""
import numpy as np
import torch

BLOCK = 256
BYTES = 144


def simulate(x):
    """What Q4_K keeps of a matrix `[rows, columns]` (columns a multiple of 256), as floats of the same shape."""
    shape = x.shape
    x = x.reshape(-1, 8, 32)
    low = -x.amin(-1).clamp(max=0)
    step = (x.amax(-1).clamp(min=0) + low) / 15
    d = (step.amax(-1, keepdim=True) / 63).half().float()
    dmin = (low.amax(-1, keepdim=True) / 63).half().float()
    scale = d * (step / d.clamp(min=1e-12)).round().clamp(0, 63)
    least = dmin * (low / dmin.clamp(min=1e-12)).round().clamp(0, 63)
    scale, least = scale[..., None], least[..., None]
    q = ((x + least) / scale.clamp(min=1e-12)).round().clamp(0, 15)
    return (q * scale - least).reshape(shape)


def pack(x):
    """The bytes of Q4_K blocks of a float32 array, `[blocks, 144]`."""
    half = lambda y: y.astype(np.float16).astype(np.float32)
    x = x.reshape(-1, 8, 32)
    low = -np.minimum(x.min(-1), 0)
    step = (np.maximum(x.max(-1), 0) + low) / 15
    d = half(step.max(-1, keepdims=True) / 63)
    dmin = half(low.max(-1, keepdims=True) / 63)
    scale = np.clip(np.rint(step / np.maximum(d, 1e-12)), 0, 63)
    least = np.clip(np.rint(low / np.maximum(dmin, 1e-12)), 0, 63)
    q = (x + (dmin * least)[..., None]) / np.maximum((d * scale)[..., None], 1e-12)
    q = np.clip(np.rint(q), 0, 15).astype(np.uint8)
    scale, least = scale.astype(np.uint8), least.astype(np.uint8)
    # Six bits each: the first four groups whole, of the last four the low nibbles, their high bits above the first.
    packed = np.zeros((len(x), 12), np.uint8)
    packed[:, 0:4] = scale[:, :4] | (scale[:, 4:] >> 4) << 6
    packed[:, 4:8] = least[:, :4] | (least[:, 4:] >> 4) << 6
    packed[:, 8:12] = (scale[:, 4:] & 15) | (least[:, 4:] & 15) << 4
    nibbles = (q[:, 0::2] | q[:, 1::2] << 4).reshape(len(x), 128)
    head = [d.astype(np.float16).view(np.uint8), dmin.astype(np.float16).view(np.uint8), packed]
    return np.concatenate(head + [nibbles], 1)


if __name__ == "__main__":
    from quality.gguf import q4_k

    weights = np.random.default_rng(1).normal(size=(64, 512)).astype(np.float32)
    blocks = pack(weights)
    assert blocks.shape == (128, BYTES)
    again = q4_k(blocks).reshape(weights.shape)
    assert np.array_equal(again, simulate(torch.from_numpy(weights)).numpy())
    print("simulated, packed and read weights agree; error", float(np.abs(again - weights).mean()))
