"""Prints the results of models side by side."""

from . import requests
from .bits import KINDS

TITLES = {
    "py": "Python", "ts": "TypeScript", "rs": "Rust", "go": "Go", "zig": "Zig", "json": "JSON", "sql": "SQL",
}  # fmt: skip


def rows_of_bits(results):
    found = results.get("bits", {})
    rows = {TITLES[kind]: found[kind]["bits_per_byte"] for kind in KINDS if kind in found}
    if len(rows) == len(KINDS):
        rows["average of the seven"] = sum(rows.values()) / len(rows)
    return rows


def rows_of_shares(results, part):
    found = results.get(part, {})
    kinds = [kind for kind in requests.KINDS if kind in found]
    rows = {f"{TITLES[kind]}, of {found[kind]['samples']}": found[kind]["share"] for kind in kinds}
    if len(kinds) == len(requests.KINDS):
        rows["average of the seven"] = sum(rows.values()) / len(rows)
    rows |= {f"{TITLES[kind]}, of those that ended": found[kind]["share_of_finished"] for kind in kinds}
    rows |= {f"{TITLES[kind]}, did not end": found[kind]["unfinished"] for kind in kinds}
    return rows


def rows_of_following(results, part):
    found = results.get(part)
    if not found:
        return {}
    rows = {TITLES[kind]: share for kind, share in found["kinds"].items()}
    rows |= {f"asked: {name}": share for name, share in found["asked"].items()}
    rows |= {f"wording: {name}": share for name, share in found.get("wordings", {}).items()}
    rows[f"all {found['prompts']} prompts"] = found["share"]
    return rows


def rows_of_humaneval(results):
    found = results.get("humaneval")
    return {"pass@1": found["pass_at_1"], "tasks solved": len(found["solved"])} if found else {}


def rows_of_speed(results):
    found = results.get("speed")
    if not found:
        return {}
    rows = {f"{name}, {found['threads']} threads": rate for name, rate in found["medians"].items()}
    if found["ratio"]:
        rows["grammar and trace / llama.cpp"] = found["ratio"]
    return rows


PARTS = (
    ("bits per byte, held out (lower is better)", rows_of_bits),
    ("accepted by a parser, without a grammar", lambda results: rows_of_shares(results, "free")),
    ("accepted by a parser, with the shipped grammar", lambda results: rows_of_shares(results, "grammar")),
    ("does what is asked, without a grammar", lambda results: rows_of_following(results, "following")),
    ("does what is asked, with the shipped grammar", lambda results: rows_of_following(results, "following-grammar")),
    ("held-out wordings, without a grammar", lambda results: rows_of_following(results, "templates")),
    ("held-out wordings, with the shipped grammar", lambda results: rows_of_following(results, "templates-grammar")),
    ("HumanEval", rows_of_humaneval),
    ("tokens per second", rows_of_speed),
)


def shown(title, label, value):
    if value is None:
        return "-"
    if title.startswith("bits"):
        return f"{value:.4f}"
    if isinstance(value, int):
        return str(value)
    if title.startswith("tokens per second"):
        return f"{value:.2f}" if "/" in label else f"{value:.0f}"
    return f"{100 * value:.1f} %"


def difference(title, first, value):
    """Of the last column to the first: in per cent of bits and speed, in points of shares."""
    if first is None or value is None:
        return ""
    if title.startswith(("bits", "tokens per second")):
        return f"{100 * (value / first - 1):+.1f} %"
    return f"{value - first:+d}" if isinstance(value, int) else f"{100 * (value - first):+.1f}"


def show(names, results):
    """The whole table as Markdown, a row for everything that was measured of any model."""
    lines = []
    for title, rows_of in PARTS:
        columns = [rows_of(results.get(name, {})) for name in names]
        labels = list(dict.fromkeys(label for column in columns for label in column))
        if not labels:
            continue
        compared = len(names) > 1
        lines += ["", f"| {title} | {' | '.join(names)} |" + (" difference |" if compared else "")]
        lines.append("|---|" + "---:|" * (len(names) + compared))
        for label in labels:
            values = [column.get(label) for column in columns]
            line = f"| {label} | {' | '.join(shown(title, label, value) for value in values)} |"
            lines.append(line + (f" {difference(title, values[0], values[-1])} |" if compared else ""))
    return "\n".join(lines[1:])
