"""Requests to sample with: functions by hand (`requests.txt`), JSON and SQL put together from words of their own.

Each is asked once as a comment line and once as a turn of a chat. None of them comes from the training's generators.
"""

import os
import random
from dataclasses import dataclass

LANGUAGES = {"py": "Python", "ts": "TypeScript", "rs": "Rust", "go": "Go", "zig": "Zig"}
KINDS = (*LANGUAGES, "json", "sql")
# The kinds' names in the program.
GRAMMARS = {
    "py": "python", "ts": "typescript", "rs": "rust", "go": "go", "zig": "zig", "json": "json", "sql": "sql",
}  # fmt: skip
THINGS = (
    "lighthouse", "kayak", "glacier", "beehive", "violin", "telescope", "caravan", "orchard", "windmill", "submarine",
    "meteorite", "tapestry", "greenhouse", "zeppelin", "quarry", "aquarium", "tramway", "vineyard", "observatory", "canyon",
)  # fmt: skip
TEXTS = {
    "owner": ("Ingeborg", "Tadashi", "Ximena", "Kwabena", "Solveig"),
    "region": ("Patagonia", "Lapland", "Anatolia", "Bukovina", "Kerala"),
    "condition": ("weathered", "pristine", "flooded", "restored", "abandoned"),
    "material": ("oak", "granite", "brass", "linen", "basalt"),
}
NUMBERS = {"height": (3, 90), "year": (1702, 2019), "visitors": (12, 9000), "weight": (2, 750), "rank": (1, 40)}
CHAT = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"


@dataclass
class Request:
    """A prompt of a kind. `turn` is what the user says in a chat, `code` what of the prompt belongs to the code."""

    kind: str
    prompt: str
    turn: str | None = None
    code: str = ""
    schema: str | None = None


def third_person(sentence):
    """`Return the sum` to `returns the sum`."""
    verb, rest = sentence.split(" ", 1)
    ending = "es" if verb.endswith(("s", "sh", "ch", "x")) else "s"
    return f"{verb.lower()}{ending} {rest}"


def functions(kind, count):
    """Half comment lines, half chats, over all descriptions of the file."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "requests.txt")
    with open(path, encoding="utf-8") as file:
        wanted = [line.strip() for line in file if line.strip()]
    language = LANGUAGES[kind]
    line = "#" if kind == "py" else "//"
    requests = []
    for number in range(count):
        sentence = wanted[number // 2 % len(wanted)]
        if number % 2:
            turn = f"Write a {language} function that {third_person(sentence)}."
            requests.append(Request(kind, CHAT.format(turn), turn))
        else:
            comment = f"{line} {language}: {sentence}\n"
            requests.append(Request(kind, comment, code=comment))
    return requests


def objects(count):
    """JSON: a thing with two to four fields, half of the requests with values."""
    dice, requests = random.Random(11), []
    for number in range(count):
        fields = dice.sample([*TEXTS, *NUMBERS], dice.randint(2, 4))
        if dice.random() < 0.5:
            fields = [
                f"{field} {dice.choice(TEXTS[field]) if field in TEXTS else dice.randint(*NUMBERS[field])}"
                for field in fields
            ]
        thing = dice.choice(THINGS)
        what = f"{'an' if thing[0] in 'aeiou' else 'a'} {thing} with {', '.join(fields[:-1])} and {fields[-1]}"
        if number % 2:
            turn = f"Create a JSON object for {what}."
            requests.append(Request("json", CHAT.format(turn), turn))
        else:
            requests.append(Request("json", f"// JSON: {what}\n"))
    return requests


def questions(count):
    """SQL: a question about one table or two, which are named before it."""
    dice, requests = random.Random(12), []
    for number in range(count):
        table = dice.choice(THINGS) + "s"
        text, other = dice.sample(list(TEXTS), 2)
        amount, second = dice.sample(list(NUMBERS), 2)
        value, bound = dice.choice(TEXTS[text]), dice.randint(*NUMBERS[amount])
        tables = f"{table}(id, {text}, {other}, {amount}, {second})"
        question = dice.choice(
            (
                f"Show the {other} of all {table} with a {amount} above {bound}",
                f"Count the {table} per {text}",
                f"What is the average {amount} of the {table} with {text} {value}?",
                f"List the 5 {table} with the largest {second}",
                f"Set the {amount} to {bound} for the {table} with {text} {value}",
                f"Delete the {table} with a {amount} below {bound}",
                f"Insert a row into {table} with {text} {value} and {amount} {bound}",
                f"Show every {text} with more than {dice.randint(2, 9)} {table}",
                f"Show the {text} and the sum of the {second} of the {table}, largest first",
                f"List the distinct {other} of the {table} between {amount} {bound} and {bound + 20}",
            )
        )
        schema = f"CREATE TABLE {tables}"
        if number % 2:
            turn = f"Tables: {tables}\nWrite a SQL query: {question[0].lower()}{question[1:]}"
            requests.append(Request("sql", CHAT.format(turn), turn, schema=schema))
        else:
            prompt = f"-- Tables: {tables}\n-- SQL: {question}\n"
            requests.append(Request("sql", prompt, code=prompt, schema=schema))
    return requests


def of_kind(kind, count):
    """The first `count` requests of a kind; always the same."""
    if kind == "json":
        return objects(count)
    return questions(count) if kind == "sql" else functions(kind, count)
