"""The held-out texts, chosen by the very rules of the first version so that losses can be compared with its own.

    python held_out.py --git-folder GIT --benchmarks BENCH --out DATA [--clone]

It goes before the gathering, which then takes no copy of these texts. GIT and --clone are those of gather_repos.py.
Writes DATA/val/<kind>.jsonl (at most 330 kB a language, whole files, a seeded choice) and DATA/sources/held_out.json.
The cleaning here is the first version's and stays as it is; texts.py holds the rules of the training texts.
"""

import argparse
import collections
import hashlib
import json
import os
import random
import re
import shutil
import tempfile

import gather_repos
import numpy
import repos
import texts

LIMIT = 330_000
SIGNATURE = 48
BANDS, ROWS = 12, 4


def strip_header(text, lang):
    """Drop shebang and coding lines and leading comment blocks with a licence notice (first version's rule)."""
    text = text.replace("\r\n", "\n").lstrip("\ufeff")
    for _ in range(4):
        rest = text.lstrip("\n")
        if rest.startswith("#!") and lang == "py" or re.match(r"#.*coding[:=]", rest):
            text = rest.partition("\n")[2] if "\n" in text else ""
            continue
        match = None
        if lang in ("ts", "rs", "go", "zig", "sql"):
            match = re.match(r"/\*.*?\*/[ \t]*\n?", rest, re.S)
        if not match:
            mark = {"py": "#", "sql": "--"}.get(lang, "//")
            match = re.match(r"(?:[ \t]*" + re.escape(mark) + r"[^\n]*\n)+", rest)
        if not match and lang == "py":
            match = re.match(r'(?:"""|\'\'\').*?(?:"""|\'\'\')[ \t]*\n', rest, re.S)
        if not match or not texts.LICENCE_WORDS.search(match.group(0)):
            return rest
        text = rest[match.end() :]
    return text


def good(text, lang):
    """Whether a text reads like hand-written code (first version's rule)."""
    size, lines = len(text), text.split("\n")
    if not texts.MIN_BYTES <= size <= texts.MAX_BYTES or "<<<<<<<" in text or "\x00" in text:
        return False
    if sum(ord(char) > 127 for char in text) / size > 0.005:
        return False
    if max(map(len, lines)) > 400 or size / len(lines) > (120 if lang == "sql" else 70):
        return False
    if sum(char.isalpha() for char in text) / size < 0.35 or sum(char.isdigit() for char in text) / size > 0.12:
        return False
    return not texts.GENERATED.search(text[:1200]) and text.count("0x") <= size / 150


def clean(text, lang):
    """The text as it is measured on, or None."""
    text = strip_header(text, lang)
    if lang == "rs":
        tests = text.find("\n#[cfg(test)]\nmod ")
        text = text[: tests + 1] if tests > 0 else text
    text = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n") + "\n"
    return text if good(text, lang) else None


_word_hashes = {}


def word_hash(word):
    """A fixed 64-bit hash of a word."""
    if word not in _word_hashes:
        _word_hashes[word] = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
    return _word_hashes[word]


def minhash(text, factors, offsets):
    """The MinHash signature of a text's runs of 6 words, or None where it is too short."""
    words = re.findall(r"\w+|[^\w\s]", text)
    if len(words) < 8:
        return None
    hashes = numpy.fromiter(map(word_hash, words), dtype=numpy.uint64, count=len(words))
    runs = numpy.zeros(len(hashes) - 5, dtype=numpy.uint64)
    for shift in range(6):
        runs = runs * numpy.uint64(1000003) + hashes[shift : len(hashes) - 5 + shift]
    runs = numpy.unique(runs)
    if len(runs) > 4000:
        runs = runs[:: len(runs) // 4000 + 1]
    runs = (runs ^ (runs >> numpy.uint64(31))) * numpy.uint64(0x9E3779B97F4A7C15)
    return ((runs[None, :] * factors[:, None] + offsets[:, None]) >> numpy.uint64(16)).min(1)


def drop_near_duplicates(documents):
    """The documents without those that resemble an earlier one (more than 0.65 of the signature)."""
    rng = numpy.random.default_rng(7)
    factors = rng.integers(1, 2**63, SIGNATURE, dtype=numpy.uint64) | numpy.uint64(1)
    offsets = rng.integers(0, 2**63, SIGNATURE, dtype=numpy.uint64)
    buckets, kept = collections.defaultdict(list), []
    for document in documents:
        signature = minhash(document[3], factors, offsets)
        if signature is None:
            kept.append(document)
            continue
        bands = [(band, signature[band * ROWS : (band + 1) * ROWS].tobytes()) for band in range(BANDS)]
        if any((other == signature).mean() > 0.65 for band in bands for other in buckets[band]):
            continue
        for band in bands:
            buckets[band].append(signature)
        kept.append(document)
    return kept


def read_repository(git_dir, name, lang, seen):
    """The cleaned texts of one held-out repository."""
    prefixes = ("src/test/", "src/negative_test/") if name == "SchemaStore/schemastore" else ("",)
    blobs = gather_repos.Blobs(git_dir)
    for path, size, blob in gather_repos.list_files(git_dir):
        if not path.startswith(prefixes) or not texts.MIN_BYTES <= size <= 66_000:
            continue
        text = blobs.read(blob) if texts.accept_path(path, lang) else None
        text = clean(text, lang) if text is not None else None
        if text is None or texts.key(text) in seen or texts.contaminated(text, lang):
            continue
        seen.add(texts.key(text))
        yield name, path, lang, text
    blobs.close()


def main():
    """Read the flags and write every language's held-out texts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    gather_repos.add_clone_options(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as human_eval_only:  # the first version knew only this benchmark
        shutil.copy(os.path.join(options.benchmarks, "HumanEval.jsonl"), human_eval_only)
        texts.load_benchmarks(human_eval_only)
    os.makedirs(os.path.join(options.out, "val"), exist_ok=True)
    os.makedirs(os.path.join(options.out, "sources"), exist_ok=True)
    seen, documents, sources = set(), [], {}
    for lang, names in repos.HELD_OUT.items():
        for name in names:
            if options.only and name not in options.only:
                continue
            git_dir = gather_repos.git_dir_of(name, options)
            if git_dir is None:
                raise SystemExit(f"{name} is not in {options.git_folder} and could not be fetched; --only leaves it out")
            licence, files = gather_repos.read_licence(
                list(gather_repos.list_files(git_dir)), reader := gather_repos.Blobs(git_dir)
            )
            reader.close()
            version = gather_repos.git(git_dir, "rev-parse", "HEAD").decode().strip()
            sources[name] = {"version": version, "licence": licence, "licence_files": files, "held_out": True}
            sources[name]["bytes"] = collections.Counter()
            documents += read_repository(git_dir, name, lang, seen)
    # whole held-out repositories come first, then those that are held out in part
    split = ("SchemaStore/schemastore", "walkccc/LeetCode")
    documents.sort(key=lambda document: (document[0] in split, document[0].replace("/", "+"), document[1]))
    documents = drop_near_duplicates(documents)
    for lang in texts.LANGUAGES:
        chosen = [document for document in documents if document[2] == lang]
        if lang == "json":
            chosen = [document for document in chosen if gather_repos.held_out_json(document[1])]
        chosen.sort(key=lambda document: (document[0].replace("/", "+"), document[1]))
        random.Random(5).shuffle(chosen)
        total = count = 0
        with open(os.path.join(options.out, "val", lang + ".jsonl"), "w", encoding="utf-8") as out:
            for name, path, _, text in chosen:
                if total + len(text) > LIMIT:
                    continue
                total += len(text)
                count += 1
                sources[name]["bytes"]["val_" + lang] += len(text)
                out.write(json.dumps({"source": name, "path": path, "text": text}) + "\n")
        print(lang, count, "files", total, "bytes")
    with open(os.path.join(options.out, "sources", "held_out.json"), "w", encoding="utf-8") as out:
        json.dump(sources, out, indent=1)


if __name__ == "__main__":
    main()
