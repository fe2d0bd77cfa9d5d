"""Packed documents, and the endless stream of training windows drawn from them.

`pack.py` writes each part as `NAME.tok.xz` (token ids as little-endian uint16, every document ended by the end-of-text
token) beside `NAME.json` (segments with their name and extent). Every epoch draws each document as often as its segment's weight
says, shuffles, joins, and cuts windows, so that no document is cut at the same place twice.
"""
import json
import lzma
import os

import numpy as np
import torch


def read_part(folder, name):
    """Token ids and the description of one part."""
    with open(os.path.join(folder, name + ".json")) as file:
        about = json.load(file)
    with lzma.open(os.path.join(folder, name + ".tok.xz")) as file:
        return np.frombuffer(file.read(), dtype="<u2"), about


def weight_of(segment, weights):
    """The weight of the longest prefix of the segment's name, 1 without any."""
    fitting = [prefix for prefix in weights if segment.startswith(prefix)]
    return weights[max(fitting, key=len)] if fitting else 1.0


class Stream:
    """Windows of `context` tokens and their targets, from all parts of a folder whose names start with `train`."""

    def __init__(self, folder, context, weights, seed, device):
        self.context, self.device = context, device
        self.random = torch.Generator(device=device)
        self.random.manual_seed(seed)
        starts, lengths, segments, tokens, offset = [], [], [], [], 0
        names = sorted(name[: -len(".tok.xz")] for name in os.listdir(folder) if name.endswith(".tok.xz"))
        for name in [name for name in names if name.startswith("train")]:
            ids, about = read_part(folder, name)
            ends = np.flatnonzero(ids == about["end_of_text"]) + 1
            begins = np.concatenate([[0], ends[:-1]])
            part = np.empty(len(begins), dtype=object)
            for segment in about["segments"]:
                part[(begins >= segment["start"]) & (begins < segment["end"])] = segment["name"]
            starts.append(begins + offset)
            lengths.append(ends - begins)
            segments.append(part)
            tokens.append(ids)
            offset += len(ids)
            self.vocabulary, self.end_of_text = about["vocabulary"], about["end_of_text"]
        tokens = np.concatenate(tokens)
        self.names, self.segment = np.unique(np.concatenate(segments).astype(str), return_inverse=True)
        self.tokens = torch.from_numpy(tokens.astype(np.int32)).to(device)
        self.start = torch.from_numpy(np.concatenate(starts).astype(np.int64)).to(device)
        self.length = torch.from_numpy(np.concatenate(lengths).astype(np.int64)).to(device)
        self.epoch, self.window, self.position = 0, None, 0
        self.mix(weights)

    def mix(self, weights):
        """Sets the weights of the segments; the next batch begins a new epoch with them."""
        each = np.array([weight_of(name, weights) for name in self.names], dtype=np.float32)
        self.weight = torch.from_numpy(each[self.segment]).to(self.device)
        self.window = None

    def shares(self):
        """The share of each segment in an epoch's tokens, and the tokens of an epoch."""
        tokens = (self.weight * self.length).double().cpu().numpy()
        sums = np.bincount(self.segment, weights=tokens, minlength=len(self.names))
        return {name: round(s / sums.sum(), 4) for name, s in zip(self.names, sums)}, int(sums.sum())

    def draw(self):
        """Joins an epoch's documents in a new order."""
        whole = self.weight.floor()
        chance = torch.rand(len(whole), device=self.device, generator=self.random)
        times = whole + (chance < self.weight - whole)
        documents = torch.repeat_interleave(torch.arange(len(times), device=self.device), times.long())
        order = torch.randperm(len(documents), device=self.device, generator=self.random)
        documents = documents[order]
        length = self.length[documents]
        before = torch.cumsum(length, 0) - length
        index = torch.repeat_interleave(self.start[documents] - before, length)
        index += torch.arange(len(index), device=self.device)
        self.window, self.position = self.tokens[index], 0
        self.epoch += 1

    def batch(self, sequences):
        """Token ids and targets, `[sequences, context]` each."""
        needed = sequences * self.context + 1
        if self.window is None or self.position + needed > len(self.window):
            self.draw()
        ids = self.window[self.position : self.position + needed].long()
        self.position += needed - 1
        return ids[:-1].view(sequences, -1), ids[1:].view(sequences, -1)
