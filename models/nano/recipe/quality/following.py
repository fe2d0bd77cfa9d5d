"""Instruction following: whether greedy answers to `prompts.jsonl` have what each of them asks for."""

import json
import re

from . import parsers

MOST_TOKENS = 300
BODY_FORMS = (4, 5)


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def turn_of(prompt):
    """What the user says in a prompt that is a chat."""
    said = re.fullmatch(r"<\|im_start\|>user\n(.*)<\|im_end\|>\n<\|im_start\|>assistant\n", prompt, re.S)
    return said and said.group(1)


def free(model, prompts, batch):
    return model.generate([prompt["prompt"] for prompt in prompts], MOST_TOKENS, 0.0, 0, batch)


def constrained(maze, prompts):
    """Through the program: the grammar of the kind, the body's entry point after a signature."""
    calls = []
    for prompt in prompts:
        text, entry = prompt["prompt"], None
        if prompt["form"] in BODY_FORMS:
            entry = "body"
            # A body of Python begins with the line break after the colon.
            text = text.removesuffix("\n") if prompt["kind"] == "py" else text
        calls.append((prompt["kind"], text, turn_of(text), entry, MOST_TOKENS, 0.0, 0))
    return maze.generate_all(calls)


def plain(text, fold=False):
    """A text with one blank for every run of white space."""
    text = re.sub(r"\s+", " ", text)
    return text.lower() if fold else text


def same(value, other):
    """Equality that tells true from 1."""
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(same, value, other))
    return value == other


def json_checks(prompt, value):
    """Right length and keys, and the values that were given."""
    objects = value if prompt["length"] is not None else [value]
    is_right_kind = isinstance(objects, list) and prompt["length"] in (None, len(objects))
    checks = {}
    if prompt["keys"] or prompt["length"] is not None:
        given = [list(item) if isinstance(item, dict) else [] for item in objects] if is_right_kind else []
        ordered = ([key for key in keys if key in prompt["keys"]] == prompt["keys"] for keys in given)
        checks["keys"] = is_right_kind and (not prompt["keys"] or all(ordered))
    if prompt["fields"]:
        wanted = prompt["fields"].items()
        checks["values"] = isinstance(value, dict) and all(k in value and same(value[k], v) for k, v in wanted)
    return checks


def code_checks(prompt, text):
    """The language, the name, the parameters."""
    root = parsers.tree(prompt["kind"], text)
    checks = {"language": root is not None}
    if prompt["name"]:
        checks["name"] = root is not None and parsers.definition(prompt["kind"], root, prompt["name"]) is not None
    if prompt["parameters"]:
        given = parsers.parameters_of(prompt["kind"], root, prompt["name"]) if root is not None else []
        checks["parameters"] = parsers.in_order(prompt["parameters"], given)
    return checks


def checks_of(prompt, sample):
    """What was asked for and whether it is there, by name; a text that did not end has nothing of it."""
    kind, text = prompt["kind"], sample.text
    if kind == "json":
        read_value = parsers.read_json(text)
        checks = {"language": read_value is not None}
        checks |= json_checks(prompt, read_value[0] if read_value else None)
    elif kind == "sql":
        schema = prompt["schema"]
        checks = {"language": parsers.reads_sql(text)}
        if schema:
            checks["tables"] = parsers.reads_sql(text, schema, names_count=True)
    else:
        is_body = prompt["form"] in BODY_FORMS
        before = prompt["prompt"] if is_body else ""
        checks = code_checks(prompt, before + text)
        if not is_body and not prompt["name"]:
            checks["language"] = checks["language"] and parsers.has_function(kind, text)
    if prompt["contains"]:
        fold = kind == "sql"
        checks["literals"] = all(plain(part, fold) in plain(text, fold) for part in prompt["contains"])
    return {name: sample.ended and bool(good) for name, good in checks.items()}


def judge(prompts, samples):
    """Shares by kind, by what was asked for, by wording where a template tells it, and over all prompts."""
    kinds, asked, wordings, answers = {}, {}, {}, []
    for prompt, sample in zip(prompts, samples):
        checks = checks_of(prompt, sample)
        kinds.setdefault(prompt["kind"], []).append(all(checks.values()))
        if "template" in prompt:
            wordings.setdefault(prompt["template"].split("-")[1], []).append(all(checks.values()))
        for name, good in checks.items():
            asked.setdefault(name, []).append(good)
        answers.append({"prompt": prompt["prompt"], "text": sample.text, "ended": sample.ended, "checks": checks})
    over_all = [good for rights in kinds.values() for good in rights]
    share = lambda rights: sum(rights) / len(rights)
    return {
        "kinds": {kind: share(rights) for kind, rights in kinds.items()},
        "asked": {name: share(rights) for name, rights in asked.items()},
        "wordings": {name: share(rights) for name, rights in wordings.items()},
        "right": sum(over_all),
        "prompts": len(over_all),
        "share": share(over_all),
        "answers": answers,
    }
