"""Bits per byte on held-out documents: how well the model foresees text that it was not trained on."""

import json
import math
import os

import torch

KINDS = ("py", "ts", "rs", "go", "zig", "json", "sql")


def documents(folder, kind, most_bytes):
    """The texts of `<kind>.jsonl`, evenly thinned to about `most_bytes` (0: all of them)."""
    path = os.path.join(folder, f"{kind}.jsonl")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file if line.strip()]
    size = sum(len(text.encode()) for text in texts)
    if most_bytes and size > most_bytes:
        stride = size / most_bytes
        texts = [texts[int(at * stride)] for at in range(max(1, int(len(texts) / stride)))]
    return texts


def bits_per_byte(model, texts):
    """The texts, each ended by the end-of-text token, in windows of the model's context that do not overlap."""
    tokens = [model.start]
    for encoding in model.tokenizer.encode_batch(texts, add_special_tokens=False):
        tokens += encoding.ids + [model.start]
    size = sum(len(text.encode()) for text in texts)
    stream = torch.tensor(tokens, device=model.device)
    window, nats = model.context, 0.0
    whole = (len(tokens) - 1) // window
    batch = 32 if model.device.startswith("cuda") else 4
    for first in range(0, whole, batch):
        last = min(first + batch, whole)
        ids = stream[first * window : last * window].view(-1, window)
        targets = stream[first * window + 1 : last * window + 1].view(-1, window)
        nats += model.nats(ids, targets)
    if whole * window < len(tokens) - 1:
        rest = stream[whole * window :]
        nats += model.nats(rest[None, :-1], rest[None, 1:])
    return {"bits_per_byte": nats / math.log(2) / size, "bytes": size, "tokens": len(tokens) - 1}


def measure(model, folder, most_bytes, say):
    """A result for each kind that has held-out documents."""
    results = {}
    for kind in KINDS:
        texts = documents(folder, kind, most_bytes)
        if not texts:
            say(f"bits: {kind} left out, {kind}.jsonl is not among the held-out documents")
            continue
        results[kind] = bits_per_byte(model, texts)
        say(f"bits: {kind} {results[kind]['bits_per_byte']:.4f} on {results[kind]['bytes']} bytes")
    return results
