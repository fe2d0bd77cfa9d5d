#!/usr/bin/env python3
"""Tokenises documents and packs them for `train.py`.

    python3 pack.py --tokenizer tokenizer.json --plain plain --sources sources --instructions instr --held-out val --out packed

Reads JSON lines: `plain/KIND-PART.jsonl` and `val/KIND.jsonl` ({"source", "path", "text"}), `instr/KIND-WHAT.jsonl`
({"kind", "text"}; files named `val-…` are held out). Drops texts that are the same but for blanks, or that share most of their lines with
earlier ones, and everything of the plain kind that shares a long text with the held-out documents.
"""
import argparse
import glob
import hashlib
import json
import lzma
import os
import random
import re

import numpy as np
from tokenizers import Tokenizer

END_OF_TEXT = 0
KINDS = ("py", "ts", "rs", "go", "zig", "json", "sql")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--tokenizer", required=True)
    add("--plain", default="", help="folder; none: no plain texts in this part")
    add("--instructions", default="", help="folder; none: no requests in this part")
    add("--held-out", required=True)
    add("--out", required=True)
    add("--name", default="train-1", help="of the part; it begins with `train`")
    add("--kinds", default=",".join(KINDS), help="kinds in this part: a part a kind can be packed beside another")
    add("--preset", type=int, default=9, help="of xz: how long it tries")
    add("--sources", default="", help="folder of JSON files with the sources; those marked edu make segments of their own")
    add("--limit", default="", help="kind=megabytes,… of plain text at most")
    add("--seed", type=int, default=7)
    return parser.parse_args()


def lines(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def digest(text):
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


class Seen:
    """What was taken already: whole texts, and lines of some length, to find near duplicates."""

    def __init__(self):
        self.texts, self.long_lines, self.held_out = set(), set(), set()

    @staticmethod
    def telling(text):
        """Digests of the lines that say something."""
        stripped = (line.strip() for line in text.split("\n"))
        return [digest(line) for line in stripped if len(line) >= 24]

    def hold_out(self, text):
        self.texts.add(digest(re.sub(r"\s+", "", text)))
        self.held_out.update(self.telling(text))

    def take(self, text):
        """Whether a text is new; it counts as seen afterwards."""
        key = digest(re.sub(r"\s+", "", text))
        if key in self.texts:
            return False
        self.texts.add(key)
        telling = self.telling(text)
        if len(telling) >= 4:
            if sum(line in self.held_out for line in telling) > 0.4 * len(telling):
                return False
            if sum(line in self.long_lines for line in telling) > 0.6 * len(telling):
                return False
        self.long_lines.update(telling)
        return True


def chosen(documents, megabytes, generator):
    """At most so many megabytes of documents: teaching sources first, then all others in a random order."""
    generator.shuffle(documents)
    documents.sort(key=lambda d: not d["edu"])
    taken, size = [], 0
    for document in documents:
        if size + len(document["text"]) <= megabytes * 1e6:
            taken.append(document)
            size += len(document["text"])
    return taken


def plain(args, seen, edu, generator):
    """Segments `plain_KIND` and `edu_KIND`."""
    limit = {k: float(v) for k, v in (item.split("=") for item in args.limit.split(",") if item)}
    for kind in args.kinds.split(",") if args.plain else []:
        documents = []
        for path in sorted(glob.glob(os.path.join(args.plain, kind + "-*.jsonl"))):
            for document in lines(path):
                if seen.take(document["text"]):
                    document["edu"] = document["source"] in edu
                    documents.append(document)
        documents = chosen(documents, limit.get(kind, 1e9), generator)
        used = {}
        for document in documents:
            used[document["source"]] = used.get(document["source"], 0) + len(document["text"])
        for name, part in (("edu_", True), ("plain_", False)):
            texts = [d for d in documents if d["edu"] == part]
            texts.sort(key=lambda d: (d["source"], d["path"]))
            yield name + kind, [d["text"] for d in texts], {s: used[s] for s in {d["source"] for d in texts}}


def instructions(args):
    """Segments `pairs_KIND`, `synth_KIND` and what else the files are called."""
    if not args.instructions:
        return
    for path in sorted(glob.glob(os.path.join(args.instructions, "*.jsonl"))):
        kind, what = os.path.basename(path)[: -len(".jsonl")].split("-", 1)
        if kind not in args.kinds.split(","):
            continue
        texts, known = [], set()
        for document in lines(path):
            if document["text"] not in known:
                known.add(document["text"])
                texts.append(document["text"])
        yield f"{what}_{kind}", texts, {}


def write(folder, name, segments, tokenizer, preset):
    """Tokenises segments and writes one part."""
    ids, about, position = [], [], 0
    for segment, texts in segments:
        begin, size = position, 0
        for first in range(0, len(texts), 512):
            for encoding in tokenizer.encode_batch_fast(texts[first : first + 512], add_special_tokens=False):
                ids.append(np.array(encoding.ids + [END_OF_TEXT], dtype="<u2"))
                position += len(encoding.ids) + 1
        size = sum(len(text.encode()) for text in texts)
        about.append({"name": segment, "start": begin, "end": position, "bytes": size, "documents": len(texts)})
    data = np.concatenate(ids).tobytes()
    # Tokens are two bytes: so the positions and literals of LZMA are told apart by the parity of the place.
    xz = [{"id": lzma.FILTER_LZMA2, "preset": preset, "dict_size": 64 << 20, "lc": 2, "lp": 1, "pb": 1}]
    with open(os.path.join(folder, name + ".tok.xz"), "wb") as file:
        file.write(lzma.compress(data, format=lzma.FORMAT_XZ, filters=xz))
    entry = {"vocabulary": tokenizer.get_vocab_size(), "end_of_text": END_OF_TEXT, "segments": about}
    with open(os.path.join(folder, name + ".json"), "w") as file:
        json.dump(entry, file, indent=1)
    packed = os.path.getsize(os.path.join(folder, name + ".tok.xz"))
    print(f"{name}: {position} tokens, {packed / 2**20:.1f} MiB packed", flush=True)


def main():
    args = arguments()
    os.makedirs(args.out, exist_ok=True)
    tokenizer = Tokenizer.from_file(args.tokenizer)
    generator = random.Random(args.seed)
    seen, held_out = Seen(), []
    for kind in KINDS:
        path = os.path.join(args.held_out, kind + ".jsonl")
        texts = [d["text"] for d in lines(path)] if os.path.exists(path) else []
        for text in texts:
            seen.hold_out(text)
        held_out.append((kind, texts))
    requests = os.path.join(args.instructions, "val-*.jsonl") if args.instructions else ""
    for path in sorted(glob.glob(requests)):
        kind = os.path.basename(path)[len("val-") : -len(".jsonl")]
        held_out.append(("request " + kind, [d["text"] for d in lines(path)]))
    write(args.out, "held-out", [segment for segment in held_out if segment[1]], tokenizer, args.preset)

    edu = set()
    for path in sorted(glob.glob(os.path.join(args.sources, "*.json"))) if args.sources else []:
        with open(path, encoding="utf-8") as file:
            edu.update(source for source, about in json.load(file).items() if about.get("edu"))
    segments, used = [], {}
    for name, texts, sources in list(plain(args, seen, edu, generator)) + list(instructions(args)):
        if not texts:
            continue
        print(f"{name}: {len(texts)} documents, {sum(map(len, texts)) / 1e6:.1f} MB", flush=True)
        segments.append((name, texts))
        for source, size in sources.items():
            used.setdefault(source, {})[name.split("_")[1]] = size
    with open(os.path.join(args.out, args.name + ".used.json"), "w") as file:
        json.dump(used, file, indent=1, sort_keys=True)
    write(args.out, args.name, segments, tokenizer, args.preset)


if __name__ == "__main__":
    main()
