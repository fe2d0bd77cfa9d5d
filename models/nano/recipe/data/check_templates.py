"""Check the held-out templates: their wordings, their answers, and that the training texts hold neither.

    python data/check_templates.py [--instructions instr]

A generator can only write words that stand in its strings, its vocabularies and its families, their plurals and verb
forms, and words made up of syllables. Each template must have a word that is none of these, so that no chance of any
generator gives its wording. Each request's own answer must pass the checks that the model's answer gets (tree-sitter,
SQLite, json). With the folder that `instructions.py` wrote, no answer and no list of keys may occur in it.
"""

import argparse
import ast
import glob
import json
import os
import re
import sys
import types

import instructions
import templates
import vocabulary

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from quality import following  # noqa: E402

NO_GENERATORS = {"templates", "check_templates", "check_synth", "gather_packages", "gather_repos", "held_out", "repos", "texts"}
MADE_UP = re.compile(
    f"(?:(?:{'|'.join(vocabulary.CONSONANTS)})(?:{'|'.join(vocabulary.VOWELS)})){{2,3}}(?:{'|'.join(vocabulary.ENDINGS)})"
)


def words_of(text):
    return set(re.findall(r"[a-z]+", text.lower()))


def words_of_generators():
    """All words that stand in strings of the generators and in their files of families, with the forms made of them."""
    found = set()
    for path in sorted(glob.glob(HERE + "/*.py")):
        if os.path.basename(path)[:-3] in NO_GENERATORS:
            continue
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read())
        comments = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in comments:
                found |= words_of(node.value)
    for path in sorted(glob.glob(HERE + "/*.txt")):
        with open(path, encoding="utf-8") as file:
            found |= words_of(file.read())
    forms = [{word + "s", word + "es", word[:-1], word[:-2], word[:-1] + "ies", word[:-3] + "y"} for word in found]
    return found.union(*forms)


def own_words(sentence, known):
    """The words of a template, slots left out, that no generator can write."""
    plain = words_of(re.sub(r"\{\w+\}", " ", sentence))
    return {word for word in plain - known if len(word) > 2 and not MADE_UP.fullmatch(word)}


def keys_of(text):
    """The keys of a JSON answer's object, or of the first object of its array."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    value = value[0] if isinstance(value, list) and value else value
    return tuple(value) if isinstance(value, dict) else None


def check_training(folder, requests):
    """How many training documents hold a held-out answer, or the keys of a held-out JSON request."""
    answers = {instructions.short_hash(re.sub(r"\s+", "", row["answer"])) for row in requests}
    keys = {tuple(row["keys"]) for row in requests if row["keys"]}
    prompts = {instructions.requested(row["prompt"]) for row in requests}
    documents = bad = 0
    for path in sorted(glob.glob(f"{folder}/*.jsonl")):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                documents += 1
                answer = instructions.answer(row["text"])
                held = instructions.short_hash(answer) in answers or instructions.requested(row["text"]) in prompts
                if held or row["kind"] == "json" and keys_of(answer) in keys:
                    bad += 1
                    print("IN TRAINING", path, row["text"])
    print(f"{documents} training documents, {bad} of them with a held-out request, answer or list of keys")
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--templates", default=os.path.join(HERE, "..", "templates.jsonl"))
    parser.add_argument("--instructions", help="folder that instructions.py wrote")
    options = parser.parse_args()
    known, bad = words_of_generators(), 0
    named = list(templates.sentences())
    for name, sentence in named:
        own = own_words(sentence, known)
        print(f"{name}: {', '.join(sorted(own)) or 'NO WORD OF ITS OWN: ' + sentence}")
        bad += not own
    requests = following.read(options.templates)
    if requests != templates.draw():
        bad += 1
        print(f"{options.templates} is not what templates.py draws")
    for row in requests:
        checks = following.checks_of(row, types.SimpleNamespace(text=row["answer"], ended=True))
        if not all(checks.values()):
            bad += 1
            print("WRONG", row["template"], checks, row["answer"])
    used = {row["template"] for row in requests}
    print(f"{len(named)} templates, {len(used)} of them in {len(requests)} requests; {bad} faults")
    if options.instructions:
        bad += check_training(options.instructions, requests)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
