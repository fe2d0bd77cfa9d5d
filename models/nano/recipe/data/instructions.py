"""Write the instruction data: generated requests and pairs from real code.

    python instructions.py synth --out DATA/instr --benchmarks DATA/benchmarks
    python instructions.py pairs --out DATA/instr --benchmarks DATA/benchmarks --plain DATA/plain --val DATA/val

Each line is {"kind", "text"}; `<kind>-synth.jsonl` and `<kind>-pairs.jsonl` train, and
`val-<kind>.jsonl` holds 300 documents of each kind whose answers never occur in training.
Everything is seeded. Run `synth` before `pairs`.
"""

import argparse
import collections
import glob
import hashlib
import json
import os
import random
import re

import families
import functions
import instr
import json_requests
import pairs
import sql_requests
import texts
import vocabulary
from languages import LANGUAGES, function_case

KINDS = ["py", "ts", "rs", "go", "zig", "json", "sql"]
SYNTH_BYTES = {"py": 5.2e6, "ts": 5e6, "rs": 5e6, "go": 5e6, "zig": 5.2e6, "json": 14e6, "sql": 10e6}
PAIR_BYTES = {"py": 16e6, "ts": 11e6, "rs": 14e6, "go": 13e6, "zig": 6e6}
HELD_OUT = 300


def answer(text):
    """The answer part of a document, without white space, to compare documents by."""
    turn = re.search(r"<\|im_start\|>assistant\n(.*?)<\|im_end\|>", text, re.S)
    if turn:
        return re.sub(r"\s+", "", turn.group(1))
    lines = text.split("\n")
    if "" in lines[1:3] and not re.match(r"(#|//|--|/\*)", lines[0]):
        lines = lines[lines.index("") + 1 :]
    lines = [x for x in lines if not re.match(r"\s*(#|//|--|/\*|\*|\"\"\")", x)]
    return re.sub(r"\s+", "", "\n".join(lines))


def short_hash(text):
    """A short key for a set of many answers."""
    return hashlib.sha1(text.encode()).digest()[:10]


def requested(text):
    """The words of a request without case, marks and language label, to compare requests by."""
    turn = re.match(r"<\|im_start\|>user\n(.*?)<\|im_end\|>", text, re.S)
    head = turn.group(1) if turn else text.split("\n\n")[0] if not re.match(r"(#|//|--) ", text) else text
    lines = [line for line in head.split("\n") if not re.match(r"(-- )?Tables: ", line)]
    line = re.sub(r"^(#|//|--) (?:(Python|TypeScript|Rust|Go|Zig|JSON|SQL): )?", "", lines[0])
    return re.sub(r"[^a-z0-9]+", " ", line.lower()).strip()


def prompt_keys(path):
    """The requests of the evaluation prompts, which no training document may repeat."""
    if not os.path.exists(path):
        return set()
    return {requested(json.loads(line)["prompt"]) for line in open(path, encoding="utf-8")}


def function_document(rng, lang, held_out=False):
    """A document of a generated function."""
    function = families.hand_written(rng, lang, True) if held_out else functions.generate(rng, lang)
    if texts.contaminated(function.code, lang) == "name":
        # a benchmark's name: another name, which the request states
        function.name, function.code = fresh_name(rng, lang, function)
        function.stated = True
    stated_before = function.stated
    function, stated = instr.rename(rng, function)
    return instr.document(rng, lang, function.name, function.description, function.code, stated or stated_before)


def fresh_name(rng, lang, function):
    """A random name in place of the function's own."""
    new = function_case(lang, vocabulary.function_name(rng), rng)
    return new, re.sub(rf"\b{function.name}\b", new, function.code)


def json_document(rng, lang=None, held_out=False):
    """A document with a JSON answer."""
    description, value = json_requests.generate(rng)
    return instr.data_document(rng, f"// JSON: {description}", json_requests.questions(description), "", value)


def sql_document(rng, lang=None, held_out=False):
    """A document with a SQL answer, with or without the schema."""
    tables, question, statement = sql_requests.generate(rng)
    schema = "; ".join(table.schema() for table in tables)
    known = len(tables) > 1 or bool(tables) and rng.random() < 0.65
    question = question if rng.random() < 0.85 or question[:3] == "How" else question[0].lower() + question[1:]
    mark = "?" if question.split()[0] in ("How", "What", "Which") and rng.random() < 0.5 else ""
    comment = (f"-- Tables: {schema}\n" if known else "") + f"-- SQL: {question}{mark}"
    return instr.data_document(rng, comment, sql_requests.questions(question), f"Tables: {schema}\n" if known else "", statement)


def maker_of(kind):
    """The generator of documents of a kind."""
    return {"json": json_document, "sql": sql_document}.get(kind, function_document)


def usable(text, kind):
    """No benchmark text, no person's data."""
    return not texts.contaminated(text, kind)


def write(path, kind, documents):
    """Write documents as lines of JSON."""
    with open(path, "w", encoding="utf-8") as out:
        for text in documents:
            out.write(json.dumps({"kind": kind, "text": text}) + "\n")


def synth(options):
    """Generate the held-out and the training documents of every kind."""
    prompts = prompt_keys(options.prompts)
    for number, kind in enumerate(KINDS):
        if options.kinds and kind not in options.kinds:
            continue
        maker, rng = maker_of(kind), random.Random(7000 + number)
        held, seen = [], set()
        while len(held) < HELD_OUT:
            # half of the held-out functions come from families that training never shows
            text = maker(rng, kind, kind in LANGUAGES and len(held) % 2 == 0)
            key = short_hash(answer(text))
            if key not in seen and usable(text, kind):
                seen.add(key)
                held.append(text)
        write(f"{options.out}/val-{kind}.jsonl", kind, held)
        rng, kept, size, documents = random.Random(100 + number), [], 0, set()
        while size < SYNTH_BYTES[kind] * options.scale:
            text = maker(rng, kind)
            if short_hash(answer(text)) in seen or short_hash(text) in documents:
                continue
            if requested(text) in prompts or not usable(text, kind):
                continue
            documents.add(short_hash(text))
            kept.append(text)
            size += len(text)
        write(f"{options.out}/{kind}-synth.jsonl", kind, kept)
        print(kind, len(kept), "documents", round(size / 1e6, 2), "MB, held out", len(held), flush=True)


def real_pairs(options):
    """Documents from documented functions of the plain training texts."""
    edu = set()
    for path in glob.glob(f"{options.sources}/*.json"):
        edu |= {name for name, entry in json.load(open(path, encoding="utf-8")).items() if isinstance(entry, dict) and entry.get("edu")}
    held = {short_hash(answer(json.loads(line)["text"])) for path in glob.glob(f"{options.out}/val-*.jsonl") for line in open(path, encoding="utf-8")}
    for number, kind in enumerate(["zig", "py", "ts", "rs", "go"]):
        if options.kinds and kind not in options.kinds:
            continue
        found, counts = [], collections.Counter()
        seen = set(held)
        for path in sorted(glob.glob(f"{options.plain}/{kind}-*.jsonl")):
            for line in open(path, encoding="utf-8"):
                document = json.loads(line)
                for pair in pairs.extract(kind, document["text"]):
                    keys = {short_hash(re.sub(r"\s+", "", pair.code)), short_hash(pair.name + pair.summary.lower())}
                    if keys & seen or texts.contaminated(pair.code, kind):
                        continue
                    seen |= keys
                    found.append((document["source"], pair))
        rng = random.Random(500 + number)
        rng.shuffle(found)
        found.sort(key=lambda item: (item[0] not in edu, -item[1].quality))
        kept, size = [], 0
        limit = max(150_000, PAIR_BYTES[kind] / 40)
        for source, pair in found:
            if counts[source] > limit * (4 if source in edu else 1) or size > PAIR_BYTES[kind]:
                continue
            stated = rng.random() < 0.55
            text = instr.document(rng, kind, pair.name, pair.summary, pair.code, stated, pair.typed)
            if texts.contaminated(text, kind):
                continue
            kept.append(text)
            size += len(text)
            counts[source] += len(text)
        rng.shuffle(kept)
        write(f"{options.out}/{kind}-pairs.jsonl", kind, kept)
        print(kind, len(found), "pairs found,", len(kept), "kept", round(size / 1e6, 2), "MB from", len(counts), "sources", flush=True)


def main():
    """Parse the flags and run one of the two parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["synth", "pairs"])
    parser.add_argument("--out", required=True)
    parser.add_argument("--benchmarks", required=True)
    parser.add_argument("--plain", default="plain")
    parser.add_argument("--sources", default="sources")
    parser.add_argument("--prompts", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "prompts.jsonl"))
    parser.add_argument("--kinds", nargs="*")
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    texts.load_benchmarks(options.benchmarks)
    synth(options) if options.part == "synth" else real_pairs(options)


if __name__ == "__main__":
    main()
