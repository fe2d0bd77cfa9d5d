"""The decoder that is trained: a Llama block in plain PyTorch, with Hugging Face's parameter names.

RMSNorm, rotary positions (half-split), grouped-query attention, SwiGLU, tied embeddings. Nothing here knows of data,
optimisers or quantisation.
"""
import json
import math
import os
import struct
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass(frozen=True)
class Shape:
    """Sizes of a model; every width is a multiple of 256, so that k-quants fit without padding."""

    vocabulary: int
    width: int = 512
    layers: int = 8
    feed_forward: int = 512
    heads: int = 8
    kv_heads: int = 2
    context: int = 2048
    rope_base: float = 10000.0
    epsilon: float = 1e-5

    @property
    def head(self):
        return self.width // self.heads

    def config(self, end_of_text):
        """Hugging Face's `config.json` for this shape."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": self.width,
            "intermediate_size": self.feed_forward,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head,
            "hidden_act": "silu",
            "vocab_size": self.vocabulary,
            "rms_norm_eps": self.epsilon,
            "rope_theta": self.rope_base,
            "max_position_embeddings": self.context,
            "tie_word_embeddings": True,
            "attention_bias": False,
            "attention_dropout": 0.0,
            "mlp_bias": False,
            "initializer_range": 0.02,
            "bos_token_id": end_of_text,
            "eos_token_id": end_of_text,
            "torch_dtype": "float16",
            "use_cache": True,
        }


class RMSNorm(nn.Module):
    def __init__(self, width, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x):
        y = x.float()
        y = y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + self.epsilon)
        return (y * self.weight.float()).to(x.dtype)


def rotate(x, cos, sin):
    """Rotary position embedding, the two halves of a head as real and imaginary parts."""
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), -1)
    return (x.float() * cos + turned.float() * sin).to(x.dtype)


class Attention(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        kv = shape.kv_heads * shape.head
        self.q_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.k_proj = nn.Linear(shape.width, kv, bias=False)
        self.v_proj = nn.Linear(shape.width, kv, bias=False)
        self.o_proj = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x, cos, sin):
        batch, length, width = x.shape
        heads = lambda y, n: y.view(batch, length, n, self.shape.head).transpose(1, 2)
        q = rotate(heads(self.q_proj(x), self.shape.heads), cos, sin)
        k = rotate(heads(self.k_proj(x), self.shape.kv_heads), cos, sin)
        v = heads(self.v_proj(x), self.shape.kv_heads)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return self.o_proj(y.transpose(1, 2).reshape(batch, length, width))


class FeedForward(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.down_proj = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.input_layernorm = RMSNorm(shape.width, shape.epsilon)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = RMSNorm(shape.width, shape.epsilon)
        self.mlp = FeedForward(shape)

    def forward(self, x, cos, sin):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = RMSNorm(shape.width, shape.epsilon)


class Model(nn.Module):
    """Token ids `[batch, length]` to the mean cross-entropy (nats) against the targets, or to logits without targets."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.model = Body(shape)
        frequency = 1.0 / shape.rope_base ** (torch.arange(0, shape.head, 2).float() / shape.head)
        angle = torch.outer(torch.arange(shape.context).float(), frequency)
        angle = torch.cat((angle, angle), -1)
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                into_residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(parameter, std=0.02 / (math.sqrt(2 * shape.layers) if into_residual else 1))

    def forward(self, ids, targets=None):
        length = ids.shape[1]
        x = self.model.embed_tokens(ids)
        if x.is_cuda:
            x = x.to(torch.bfloat16)
        for layer in self.model.layers:
            x = layer(x, self.cos[:length], self.sin[:length])
        logits = F.linear(self.model.norm(x), self.model.embed_tokens.weight)
        if targets is None:
            return logits
        return F.cross_entropy(logits.float().view(-1, self.shape.vocabulary), targets.reshape(-1))


def save(folder, weights, shape, end_of_text, shard_bytes=15 << 20):
    """Writes the weights as float16 safetensors in shards of at most `shard_bytes`, and `config.json`."""
    os.makedirs(folder, exist_ok=True)
    shards, size = [[]], 0
    for name, weight in weights.items():
        array = weight.detach().float().cpu().numpy().astype(np.float16)
        if shards[-1] and size + array.nbytes > shard_bytes:
            shards.append([])
            size = 0
        shards[-1].append((name, array))
        size += array.nbytes
    for number, shard in enumerate(shards, 1):
        header, offset = {}, 0
        for name, array in shard:
            header[name] = {
                "dtype": "F16",
                "shape": list(array.shape),
                "data_offsets": [offset, offset + array.nbytes],
            }
            offset += array.nbytes
        text = json.dumps(header).encode()
        path = os.path.join(folder, f"model-{number:05d}-of-{len(shards):05d}.safetensors")
        with open(path + ".part", "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for _, array in shard:
                file.write(np.ascontiguousarray(array).tobytes())
        os.replace(path + ".part", path)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(shape.config(end_of_text), file, indent=1)


def read_weights(folder):
    """The tensors of every safetensors file of a folder, as float32 arrays by name."""
    weights = {}
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".safetensors"):
            continue
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        (length,) = struct.unpack("<Q", data[:8])
        for key, entry in json.loads(data[8 : 8 + length]).items():
            if key == "__metadata__":
                continue
            start, end = entry["data_offsets"]
            kind = {"F16": np.float16, "F32": np.float32}[entry["dtype"]]
            array = np.frombuffer(data[8 + length + start : 8 + length + end], dtype=kind)
            weights[key] = array.reshape(entry["shape"]).astype(np.float32)
    return weights
