"""Hand-written families of functions: one meaning in five languages, read from `families.txt` and `classics.txt`."""

import os
import re

from languages import LANGUAGES, Function, case, function_case, vary

# surrounds parameter names in descriptions, so that a renaming finds them
MARK = "\x01"
HERE = os.path.dirname(os.path.abspath(__file__))

# Families that no training document shows; the held-out requests are drawn from them.
HELD_OUT_FAMILIES = {
    "count_digits", "hamming_distance", "rotate_left", "initials", "power", "swap_values", "row_sums",
    "reverse_words", "take_first", "key_of_max", "median", "to_binary", "min_and_max", "starts_with_$c.n",
}  # fmt: skip


def load_families(path):
    """Read hand-written families: names, descriptions, variables, tables and bodies."""
    families, mode = [], None
    for line in open(path, encoding="utf-8").read().split("\n"):
        if line.startswith("### "):
            parts = [part.strip() for part in line[4:].split(" | ")]
            current = {"names": parts[0].split(","), "descriptions": parts[1:], "variables": {}}
            current.update(tables={}, bodies={lang: [] for lang in LANGUAGES})
            families.append(current)
            mode = None
        elif mode is None and line.startswith("%"):
            head, rows = line.split(" :: ")
            name, keys = head[1:].split(" ")
            current["tables"][name] = [
                dict(zip(keys.split("~"), split_row(row, keys))) for row in re.split(r" \| ", rows)
            ]
        elif mode is None and line.startswith("$"):
            for pair in line.split():
                key, value = pair.split("=")
                current["variables"][key[1:]] = value.split(",")
        elif line.startswith("@") and line[1:] in LANGUAGES:
            mode = line[1:]
            current["bodies"][mode].append([])
        elif mode:
            current["bodies"][mode][-1].append(line)
    return families


def split_row(row, keys):
    """Split the fields of a table row; the last one may itself hold the separator."""
    return row.split("~", keys.count("~"))


FAMILIES = load_families(HERE + "/families.txt")
CLASSICS = load_families(HERE + "/classics.txt")


def hand_written(rng, lang, held_out=False):
    """A function of a hand-written family."""
    while True:
        family = rng.choice(FAMILIES) if rng.random() < 0.68 else rng.choice(CLASSICS)
        if family["bodies"][lang] and (family["names"][0] in HELD_OUT_FAMILIES) == held_out:
            break
    return from_family(rng, lang, family, rng.choice(family["bodies"][lang]))


def from_family(rng, lang, family, body):
    """Fill one body of a hand-written family with names and table values."""
    code = "\n".join(body).rstrip("\n")
    name, description = rng.choice(family["names"]), rng.choice(family["descriptions"])
    for table, rows in family["tables"].items():
        row = rng.choice(rows)
        for key in sorted(row, key=len, reverse=True):
            mark = f"${table}" if list(row) == ["v"] else f"${table}.{key}"
            value = row[key]
            code = code.replace(mark, value)
            name, description = name.replace(mark, value), description.replace(mark, value)
    used = set()
    for key in sorted(family["variables"], key=len, reverse=True):
        options = family["variables"][key]
        value = next((v for v in rng.sample(options, len(options)) if v not in used), options[0])
        used.add(value)
        mark = re.compile(r"\$" + key + r"(?![A-Za-z0-9_])")
        code = mark.sub(lambda _: case(lang, value), code)
        description = mark.sub(lambda _: MARK + case(lang, value) + MARK, description)
    name = function_case(lang, name.replace(" ", "_"), rng)
    code = re.sub(r"\bNAME\b", name, code)
    return Function(lang, name, description, vary(rng, lang, code), family["names"][0])
