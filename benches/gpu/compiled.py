"""Decoding in PyTorch with compiled CUDA graphs, for comparison: Qwen2 of a real shape with random weights in bf16,
batch 1, greedy. Needs PyTorch.

python3 benches/gpu/compiled.py SHAPE [CONTEXT TOKENS ROUNDS], where SHAPE is 0.5b, 1.5b or 7b. Keys and values lie at
fixed places, the whole step is one graph that `torch.compile` has fused, and nothing but positions goes up.
"""
import sys
import time

import torch
from torch import nn
from torch.nn import functional

# Hidden and inner width, layers, query heads, key heads, vocabulary, whether the embedding is the head.
SHAPES = {
    "tiny": (128, 256, 2, 4, 2, 500, True),
    "0.5b": (896, 4864, 24, 14, 2, 151_936, True),
    "1.5b": (1536, 8960, 28, 12, 2, 151_936, True),
    "7b": (3584, 18_944, 28, 28, 4, 152_064, False),
}
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def rotate(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class Layer(nn.Module):
    def __init__(self, hidden, inner, heads, kv_heads, context):
        super().__init__()
        head = hidden // heads
        self.sizes = [hidden, kv_heads * head, kv_heads * head]
        self.head = head
        self.norms = nn.ModuleList(nn.RMSNorm(hidden, eps=1e-6) for _ in range(2))
        self.qkv = nn.Linear(hidden, sum(self.sizes))
        self.output = nn.Linear(hidden, hidden, bias=False)
        self.gate_up = nn.Linear(hidden, 2 * inner, bias=False)
        self.down = nn.Linear(inner, hidden, bias=False)
        for name in ("keys", "values"):
            self.register_buffer(name, torch.zeros(1, kv_heads, context, head))

    def forward(self, x, positions, visible, cos, sin):
        rows = x.shape[0]
        parts = self.qkv(self.norms[0](x)).split(self.sizes, dim=-1)
        q, k, v = (part.view(1, rows, -1, self.head).transpose(1, 2) for part in parts)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        self.keys.index_copy_(2, positions, k)
        self.values.index_copy_(2, positions, v)
        attended = functional.scaled_dot_product_attention(
            q, self.keys, self.values, attn_mask=visible, enable_gqa=True
        )
        x = x + self.output(attended.transpose(1, 2).reshape(rows, -1))
        gate, up = self.gate_up(self.norms[1](x)).chunk(2, dim=-1)
        return x + self.down(functional.silu(gate) * up)


class Model(nn.Module):
    def __init__(self, shape, context):
        super().__init__()
        hidden, inner, layers, heads, kv_heads, vocab, tied = SHAPES[shape]
        self.embedding = nn.Embedding(vocab, hidden)
        self.layers = nn.ModuleList(Layer(hidden, inner, heads, kv_heads, context) for _ in range(layers))
        self.norm = nn.RMSNorm(hidden, eps=1e-6)
        self.head = nn.Linear(hidden, vocab, bias=False)
        if tied:
            self.head.weight = self.embedding.weight
        half = hidden // heads // 2
        exact = dict(dtype=torch.float32)
        angles = torch.outer(torch.arange(context, **exact), 1e6 ** -(torch.arange(half, **exact) / half))
        self.register_buffer("cos", angles.cos().bfloat16())
        self.register_buffer("sin", angles.sin().bfloat16())
        self.register_buffer("order", torch.arange(context, dtype=torch.int32))

    def forward(self, tokens, positions):
        """The most probable token after the last one."""
        x = self.embedding(tokens)
        visible = self.order[None, :] <= positions[:, None]
        cos, sin = self.cos[positions], self.sin[positions]
        for layer in self.layers:
            x = layer(x, positions, visible, cos, sin)
        return self.head(self.norm(x[-1:])).float().argmax(dim=-1)


def main(shape, context=512, tokens=256, rounds=3):
    torch.manual_seed(1)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device(DEVICE):
        model = Model(shape, context + tokens).eval().requires_grad_(False)
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.02)
    weights = sum(p.numel() for p in model.parameters())
    prompt = torch.arange(context, device=DEVICE) % SHAPES[shape][5]
    start = time.time()
    step = torch.compile(model, mode="reduce-overhead", fullgraph=True) if DEVICE == "cuda" else model
    speeds = []
    # The first rounds compile and record.
    for round in range(rounds + 2):
        token = model(prompt, torch.arange(context, device=DEVICE))
        position = torch.tensor([context], device=DEVICE)
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        clock = time.time()
        # The last token is only read.
        for _ in range(tokens if round > 1 else 4):
            # What a graph returns, its next run overwrites.
            token = step(token, position).clone()
            position += 1
        last = token.item()
        if round > 1:
            speeds.append(tokens / (time.time() - clock))
        elif round == 1:
            print(f"{shape}: {weights / 1e9:.2f} billion parameters, compiled in {time.time() - start:.0f} s", flush=True)
    assert 0 <= last < SHAPES[shape][5]
    print(
        f"{shape}: {sorted(speeds)[rounds // 2]:.1f} tokens/s, median of {rounds} rounds of {tokens} tokens after "
        f"{context}, PyTorch {torch.__version__} on {torch.cuda.get_device_name() if DEVICE == 'cuda' else 'cpu'}"
    )


with torch.no_grad():
    main(sys.argv[1], *map(int, sys.argv[2:5]))
