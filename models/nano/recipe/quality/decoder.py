"""A GGUF model of the architectures `llama` and `qwen3` in plain PyTorch: logits of windows, and batched generation.

Weights are float32, dequantised as they are in the file, so that what is measured is what is shipped.
"""

import os
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from . import gguf

END_OF_TEXT, END_OF_TURN = "<|endoftext|>", "<|im_end|>"


@dataclass
class Sample:
    """What a model wrote after a prompt, without the token that ended it."""

    text: str
    tokens: int
    ended: bool


def halves_first(weight, heads):
    """Rows of each head from rotary pairs, as `llama` files have them, to first half and second half."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


class Decoder:
    """A model, its tokenizer and the device that it is computed on."""

    def __init__(self, path, tokenizer=None, device="cpu"):
        from tokenizers import Tokenizer

        file = gguf.read(path)
        self.architecture = file.metadata["general.architecture"]
        if self.architecture not in ("llama", "qwen3"):
            raise ValueError(f"{path}: architecture {self.architecture} is neither llama nor qwen3")
        self.path, self.device, self.bytes = path, device, file.size
        self.tokenizer_path = tokenizer or os.path.join(os.path.dirname(path), "tokenizer.json")
        self.tokenizer = Tokenizer.from_file(self.tokenizer_path)
        self.start = self.tokenizer.token_to_id(END_OF_TEXT)
        ends = (self.start, self.tokenizer.token_to_id(END_OF_TURN))
        self.ends = [end for end in ends if end is not None]
        self.layers = file.setting("block_count")
        self.heads = file.setting("attention.head_count")
        self.kv_heads = file.setting("attention.head_count_kv", self.heads)
        self.width = file.setting("embedding_length")
        self.head = file.setting("attention.key_length", self.width // self.heads)
        self.context = file.setting("context_length")
        self.epsilon = file.setting("attention.layer_norm_rms_epsilon")
        self.rope_base = file.setting("rope.freq_base", 10000.0)
        scaling = file.setting("rope.scaling.type", "none")
        if scaling != "none":
            raise ValueError(f"{path}: RoPE scaling {scaling} is not known here")
        self.parameters = sum(tensor.size for tensor in file.tensors.values())
        self.weights = {}
        for name, tensor in file.tensors.items():
            if self.architecture == "llama" and name.endswith(("attn_q.weight", "attn_k.weight")):
                tensor = halves_first(tensor, self.heads if "attn_q" in name else self.kv_heads)
            self.weights[name] = torch.from_numpy(np.ascontiguousarray(tensor)).to(device)
        steps = torch.arange(0, self.head, 2).float() / self.head
        angle = torch.outer(torch.arange(self.context).float(), self.rope_base**-steps)
        angle = torch.cat((angle, angle), -1).to(device)
        self.cos, self.sin = angle.cos(), angle.sin()

    def encode(self, text):
        """A prompt's tokens; the names of special tokens in it are those tokens."""
        return [self.start] + self.tokenizer.encode(text, add_special_tokens=False).ids

    def norm(self, x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weights[name]

    def rotate(self, x, cos, sin):
        half = self.head // 2
        return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin

    def forward(self, ids, positions, attend):
        """Hidden states; `attend(layer, q, k, v)` gives each layer's mixture for `[batch, heads, length, head]`."""
        batch, length = ids.shape
        x = self.weights["token_embd.weight"][ids]
        cos, sin = self.cos[positions].unsqueeze(-3), self.sin[positions].unsqueeze(-3)
        for layer in range(self.layers):
            block = f"blk.{layer}."
            y = self.norm(x, block + "attn_norm.weight")
            q, k, v = (
                F.linear(y, self.weights[block + part]).view(batch, length, -1, self.head)
                for part in ("attn_q.weight", "attn_k.weight", "attn_v.weight")
            )
            if block + "attn_q_norm.weight" in self.weights:
                q = self.norm(q, block + "attn_q_norm.weight")
                k = self.norm(k, block + "attn_k_norm.weight")
            q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
            y = attend(layer, self.rotate(q, cos, sin), self.rotate(k, cos, sin), v)
            y = y.transpose(1, 2).reshape(batch, length, -1)
            x = x + F.linear(y, self.weights[block + "attn_output.weight"])
            y = self.norm(x, block + "ffn_norm.weight")
            gate = F.silu(F.linear(y, self.weights[block + "ffn_gate.weight"]))
            up = F.linear(y, self.weights[block + "ffn_up.weight"])
            x = x + F.linear(gate * up, self.weights[block + "ffn_down.weight"])
        return x

    def logits(self, hidden):
        hidden = self.norm(hidden, "output_norm.weight")
        return F.linear(hidden, self.weights.get("output.weight", self.weights["token_embd.weight"]))

    def whole(self, layer, q, k, v):
        """Causal attention within one window."""
        repeats = self.heads // self.kv_heads
        k, v = k.repeat_interleave(repeats, 1), v.repeat_interleave(repeats, 1)
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)

    @torch.no_grad()
    def nats(self, ids, targets):
        """The summed cross-entropy of `targets` after each of `ids`, both `[batch, length]`."""
        positions = torch.arange(ids.shape[1], device=self.device)
        logits = self.logits(self.forward(ids, positions, self.whole))
        return F.cross_entropy(logits.transpose(1, 2), targets, reduction="none").double().sum().item()

    def generate(self, prompts, most_tokens, temperature, seed, batch=None, stop=None):
        """A `Sample` for each prompt; those of similar length go together.

        Every prompt has its own random numbers, so that the result does not depend on what it is computed with.
        `stop(text)` may say of what is written so far that nothing more is wanted.
        """
        encoded = [self.encode(prompt) for prompt in prompts]
        batch = batch or (256 if self.device.startswith("cuda") else 48)
        order = sorted(range(len(prompts)), key=lambda at: len(encoded[at]))
        samples = [None] * len(prompts)
        for first in range(0, len(order), batch):
            rows = order[first : first + batch]
            uniform = [np.random.default_rng((seed, at)).random(most_tokens) for at in rows]
            found = self.generate_batch([encoded[at] for at in rows], most_tokens, temperature, uniform, stop)
            for at, sample in zip(rows, found):
                samples[at] = sample
        return samples

    @torch.no_grad()
    def generate_batch(self, prompts, most_tokens, temperature, uniform, stop):
        """As `generate`, for prompts that fit into memory together."""
        count, device = len(prompts), self.device
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
        longest = int(lengths.max())
        room = min(self.context, longest + most_tokens)
        ids = torch.full((count, longest), self.start, device=device)
        for row, prompt in enumerate(prompts):
            ids[row, : len(prompt)] = torch.tensor(prompt, device=device)
        keys = torch.zeros((self.layers, count, self.kv_heads, room, self.head), device=device)
        values = torch.zeros_like(keys)

        def prefill(layer, q, k, v):
            keys[layer][:, :, :longest], values[layer][:, :, :longest] = k, v
            return self.whole(layer, q, k, v)

        def step(layer, q, k, v):
            rows = torch.arange(len(places), device=device)
            keys[layer][rows, :, places], values[layer][rows, :, places] = k[:, :, 0], v[:, :, 0]
            used = int(places.max()) + 1
            unseen = torch.arange(used, device=device)[None] > places[:, None]
            grouped = q.view(len(places), self.kv_heads, -1, self.head) * self.head**-0.5
            scores = grouped @ keys[layer][:, :, :used].transpose(-1, -2)
            scores = scores.masked_fill(unseen[:, None, None], float("-inf")).softmax(-1)
            return (scores @ values[layer][:, :, :used]).view(q.shape)

        hidden = self.forward(ids, torch.arange(longest, device=device), prefill)
        logits = self.logits(hidden[torch.arange(count, device=device), lengths - 1])
        places, written, ended = lengths, [[] for _ in prompts], [False] * count
        alive = list(range(count))
        draws = torch.tensor(np.array(uniform), device=device, dtype=torch.float64)
        for number in range(most_tokens):
            chosen = self.choose(logits, temperature, draws[alive, number])
            keep = []
            for at, (row, token) in enumerate(zip(alive, chosen.tolist())):
                if token in self.ends:
                    ended[row] = True
                    continue
                written[row].append(token)
                if stop and number % 8 == 7 and stop(self.text(written[row])):
                    ended[row] = True
                elif len(prompts[row]) + len(written[row]) < room and number + 1 < most_tokens:
                    keep.append(at)
            if not keep:
                break
            kept = torch.tensor(keep, device=device)
            if len(keep) < len(alive):
                # Rows that ended leave the cache when a good part of it is theirs.
                alive = [alive[at] for at in keep]
                keys, values = keys[:, kept], values[:, kept]
                places, chosen = places[kept], chosen[kept]
            hidden = self.forward(chosen[:, None], places[:, None], step)
            logits = self.logits(hidden[:, 0])
            places = places + 1
        return [Sample(self.text(t), len(t), e) for t, e in zip(written, ended)]

    @staticmethod
    def choose(logits, temperature, draws):
        """The most probable token of each row, or the one that a number between 0 and 1 falls on."""
        if temperature == 0:
            return logits.argmax(-1)
        shares = (logits.double() / temperature).softmax(-1).cumsum(-1)
        wanted = draws[:, None] * shares[:, -1:]
        return torch.searchsorted(shares, wanted).squeeze(-1).clamp(max=logits.shape[-1] - 1)

    def text(self, tokens):
        return self.tokenizer.decode(tokens, skip_special_tokens=True)
