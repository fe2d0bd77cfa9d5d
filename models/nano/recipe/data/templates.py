"""Held-out templates: requests in wordings that no generator of the training texts can write.

    python data/templates.py > templates.jsonl

draws the same 100 requests each time, in the format of `prompts.md`. Names, keys, columns and values come from the open
vocabularies of the training, the sentences around them only from here, so that what is measured is the understanding of
a wording, not of a word. No generator may ever import this file; `check_templates.py` proves that their wordings differ.
"""

import json
import random
import re

import instr
import json_requests
import sql_requests
import vocabulary as words
from languages import COMMENTS, LANGUAGE_NAMES, TYPES, case, distinct, function_case, make, operators, returned

SEED = 2025

# Each template is near or far: near ones put a frame of their own around what a training request says as well, far
# ones say all of it in their own way.
#
# near or far | what is given: values, keys or an array of objects with keys | sentence | how a field is said | between them
JSON = """
near | values | a JSON object containing {items} | {k} {v} | and
near | values | I would like a JSON object with {items} | {k} {v} | and
near | values | could you create {what} with {items} as JSON | {k} {v} | and
near | values | JSON for {what} consisting of {items} | {k} {v} | and
near | values | {what} with {items}, formatted as JSON | {k} {v} | and
near | keys | a JSON object containing the fields {items} | {k} | and
near | keys | could you give me JSON for {what} with {items} | {k} | and
near | keys | JSON for {what} consisting of {items} | {k} | and
near | array | a JSON array containing {number} {many} with {items} | {k} | and
near | array | I would like a JSON array of {number} {many} with {items} | {k} | and
far | values | jot down, as JSON, {what} whose {items} | {k} is {v} | and
far | values | describe {what} in JSON: {items} | {k} being {v} | ,
far | values | encode {what} as JSON, possessing {items} | {v} as its {k} | and
far | values | turn these facts into JSON: {items} | the {k} is {v} | ;
far | values | my JSON object shall map {items} | {k} to {v} | and
far | keys | invent {what} as JSON that carries {items} | {k} | and
far | keys | some JSON about {what} would help; it must hold {items} | {k} | and
far | keys | imagine a JSON record having {items} but nothing else | {k} | and
far | array | {number} {many} gathered into one JSON array, each carrying {items} | {k} | and
far | array | a JSON sequence of {number} entries, all of them showing {items} | {k} | and
"""

# near or far | question | statement | what must stand in the answer. t: table, one: a row of it, c: its column of texts,
# cs: its plural, v: a value of that, n: its column of numbers, k and m: numbers, o: a second table, p: a column of that,
# r: a row of that
SQL = """
near | Could you show all {t} with {n} greater than {k} | SELECT * FROM {t} WHERE {n} > {k}; | FROM {t}~{n} > {k}
near | I would like the {c} and {n} of all {t}, ordered by {n} | SELECT {c}, {n} FROM {t} ORDER BY {n}; | {c}, {n}~FROM {t}~ORDER BY {n}
near | Could you count the {t} per {c} | SELECT {c}, COUNT(*) FROM {t} GROUP BY {c}; | COUNT(~FROM {t}~GROUP BY {c}
near | Tell me the {c} of the {t} with id {k} | SELECT {c} FROM {t} WHERE id = {k}; | SELECT {c}~FROM {t}~id = {k}
near | Could you delete all {t} with {c} {v} | DELETE FROM {t} WHERE {c} = '{v}'; | DELETE FROM {t}~'{v}'
near | I would like to set the {n} to {k} for the {t} with {c} {v} | UPDATE {t} SET {n} = {k} WHERE {c} = '{v}'; | UPDATE {t}~{n} = {k}~'{v}'
near | Could you insert {a_one} with {c} {v} and {n} {k} | INSERT INTO {t} ({c}, {n}) VALUES ('{v}', {k}); | INSERT INTO {t}~'{v}'~{k}
near | Tell me the highest {n} of the {t} | SELECT MAX({n}) FROM {t}; | MAX({n})~FROM {t}
near | Tell me the average {n} of the {t} per {c} | SELECT {c}, AVG({n}) FROM {t} GROUP BY {c}; | AVG({n})~FROM {t}~GROUP BY {c}
near | I would like the distinct {cs} of the {t} | SELECT DISTINCT {c} FROM {t}; | DISTINCT {c}~FROM {t}
far | Whatever {t} have their {n} exceeding {k}, I want to see | SELECT * FROM {t} WHERE {n} > {k}; | FROM {t}~{n} > {k}
far | Tell me how often a {c} appears among the {t} | SELECT {c}, COUNT(*) FROM {t} GROUP BY {c}; | COUNT(~FROM {t}~GROUP BY {c}
far | Throw away those {t} whose {c} reads {v} | DELETE FROM {t} WHERE {c} = '{v}'; | DELETE FROM {t}~'{v}'
far | Put another {one} into {t}; let its {c} be {v}, its {n} be {k} | INSERT INTO {t} ({c}, {n}) VALUES ('{v}', {k}); | INSERT INTO {t}~'{v}'~{k}
far | What is the biggest {n} found anywhere in {t}? | SELECT MAX({n}) FROM {t}; | MAX({n})~FROM {t}
far | Fetch {m} {t} at most, beginning at whichever has the greatest {n} | SELECT * FROM {t} ORDER BY {n} DESC LIMIT {m}; | FROM {t}~ORDER BY {n} DESC~LIMIT {m}
far | Are there {t} lacking their {c}? Print them | SELECT * FROM {t} WHERE {c} IS NULL; | FROM {t}~{c} IS NULL
far | Raise {n} by {m} wherever the {c} of the {t} happens to be {v} | UPDATE {t} SET {n} = {n} + {m} WHERE {c} = '{v}'; | UPDATE {t}~+ {m}~'{v}'
far | Every {c} shared by {m} {t} or more would interest me | SELECT {c} FROM {t} GROUP BY {c} HAVING COUNT(*) >= {m}; | GROUP BY {c}~HAVING~{m}
far | Put beside the {c} of the {t} whatever {p} belongs to their {r} | SELECT {t}.{c}, {o}.{p} FROM {t} JOIN {o} ON {t}.{r}_id = {o}.id; | {c}~{p}~JOIN~{r}_id
"""

# near or far | sentence | expression | kind of its result
FUNCTIONS = """
near | I would like a {label} function named {f} with parameters {a} and {b} that returns {a} minus {b} | {a} - {b} | int
near | Could you write a {label} function {f} with parameters {a} and {b} that returns the sum of {a} and {b} | {a} + {b} | int
near | Could you create a {label} function named {f} with parameter {a} that multiplies {a} by {k} | {a} * {k} | int
near | I would like {f} in {label} with parameter {a}: return true if {a} is greater than {k} | {a} > {k} | bool
near | Could you implement {f} in {label} with parameters {a} and {b}: return {a} times {b} plus {k} | {a} * {b} + {k} | int
far | There should be a {label} function {f} taking {a} and {b}; it hands back {a} less {k} times {b} | {a} - {k} * {b} | int
far | Let {f} be a {label} function whose outcome is {a} times {b}, plus {k} | {a} * {b} + {k} | int
far | In {label} I want {f}, which receives {a} and answers whether it exceeds {k} | {a} > {k} | bool
far | Somebody calls {f} with {a} and {b}, in {label}; tell them whether these equal each other | {a} == {b} | bool
far | My {label} program lacks {f}, which takes {a} and hands back its square after taking away {k} | {a} * {a} - {k} | int
"""
COUNTS = {"json": 30, "sql": 30, "py": 8, "ts": 8, "rs": 8, "go": 8, "zig": 8}
WORDINGS = ("near", "far")


def rows(table):
    """The lines of a table, each cut into its fields and named by its place."""
    found = [[field.strip() for field in re.split(r" \| ", line)] for line in table.strip().split("\n")]
    return {f"{fields[0]}-{number + 1}": fields for number, fields in enumerate(found)}


TABLES = {"json": rows(JSON), "sql": rows(SQL), "function": rows(FUNCTIONS)}


def chosen(table, number):
    """(name, fields) of the template that a request with this number takes: near and far ones by turns."""
    wording = WORDINGS[number % 2]
    names = [name for name, fields in TABLES[table].items() if fields[0] == wording]
    name = names[number // 2 % len(names)]
    return f"{table}-{name}", TABLES[table][name][1:]


def sentences():
    """(name, sentence) of every template."""
    for table, named in TABLES.items():
        for name, fields in named.items():
            yield f"{table}-{name}", " ".join(fields[2:4]) if table == "json" else fields[1]


def entry(kind, form, prompt, template, answer, **asked):
    """One line of the file: what was asked for, and an answer that is right."""
    checks = {"name": None, "parameters": [], "keys": [], "fields": {}, "length": None, "contains": [], "schema": None}
    return {"kind": kind, "prompt": prompt, "form": form} | checks | asked | {"template": template, "answer": answer}


def prompt_of(form, comment, sentence, before=""):
    """A request as a comment line, a turn of a chat, or plain with an empty line."""
    sentence = sentence if form == 1 else sentence[0].upper() + sentence[1:]
    if form == 1:
        return f"{comment}{sentence}\n"
    return instr.chat_prompt(before + sentence) if form == 2 else f"{before}{sentence}\n\n"


def data_keys(rng, count):
    """Distinct keys with the kinds of their values; two of them at least are from the open vocabulary."""
    chosen = {}
    while len(chosen) < count:
        if len(chosen) >= 2 and rng.random() < 0.5:
            key = rng.choice(list(json_requests.KNOWN))
            kind = json_requests.KNOWN[key]
        else:
            key, kind = words.identifier(rng), rng.choice(json_requests.KINDS)
        if kind not in ("tags", "numbers"):  # how a list is said belongs to the training's wordings
            chosen[key] = kind
    return chosen


def json_entry(rng, form, number):
    """A request for an object with values, for one with keys, or for an array."""
    template, (given, sentence, pattern, mark) = chosen("json", number)
    kinds = data_keys(rng, rng.choice([2, 3, 3, 4]))
    draw = lambda: {key: json_requests.value_of(rng, kind) for key, kind in kinds.items()}
    count, quoted, value = rng.randint(2, 4), rng.random() < 0.5, draw()
    said = {k: v if isinstance(v, str) and not quoted else json.dumps(v) for k, v in value.items()}
    items = [pattern.format(k=k, v=v) for k, v in said.items()]
    slots = {"items": words.and_list(items) if mark == "and" else f"{mark} ".join(items)}
    slots["what"] = words.article(json_requests.subject(rng))
    slots["many"] = words.plural(json_requests.subject(rng))
    slots["number"] = rng.choice([str(count), ["two", "three", "four"][count - 2]])
    asked = {"keys": list(kinds)}
    if given == "values":
        asked["fields"] = value
    if given == "array":
        value = [draw() for _ in range(count)]
        asked["length"] = count
    prompt = prompt_of(form, "// JSON: ", sentence.format(**slots))
    return entry("json", form, prompt, template, json.dumps(value), **asked)


def sql_entry(rng, form, number):
    """A question about one table or two, which are named before it."""
    template, (question, statement, contains) = chosen("sql", number)
    owner = sql_requests.make_table(rng)
    r = sql_requests.one(owner)
    has_two = "{o}" in statement
    table = sql_requests.make_table(rng, f"{r}_id" if has_two else None)
    c, n = rng.choice(table.of("s")), rng.choice(table.of("if"))
    p = rng.choice(owner.of("s"))
    if table.name == owner.name or p == c:
        return sql_entry(rng, form, number)
    slots = {"t": table.name, "one": sql_requests.one(table), "c": c, "n": n, "o": owner.name, "p": p, "r": r}
    slots |= {"v": sql_requests.text_value(rng, c), "k": rng.randint(2, 400), "m": rng.randint(2, 12)}
    said = slots | {name: sql_requests.said(slots[name]) for name in "cnp"}
    said |= {"cs": words.plural(said["c"]), "a_one": words.article(slots["one"])}
    tables = [table, owner] if has_two else [table]
    shown = "; ".join(each.schema() for each in tables)
    before = f"Tables: {shown}\n"
    prompt = prompt_of(form, f"-- {before}-- SQL: ", question.format(**said), before)
    schema = ";".join(f"CREATE TABLE {each.schema()}" for each in tables)
    needed = [part.format(**slots) for part in contains.split("~")]
    return entry("sql", form, prompt, template, statement.format(**slots), contains=needed, schema=schema)


def function_entry(rng, lang, form, number):
    """A function of numbers with a name and parameters."""
    template, (sentence, expression, result) = chosen("function", number)
    names = [case(lang, name) for name in distinct(rng, 3)]
    slots = dict(zip("abc", names)) | {"k": rng.randint(3, 90), "label": LANGUAGE_NAMES[lang]}
    slots["f"] = function_case(lang, words.function_name(rng), rng)
    parameters = [slots[letter] for letter in "abc" if f"{{{letter}}}" in expression]
    body = returned(lang, operators(lang, expression.format(**slots)))
    numbers = [(parameter, TYPES[lang]["int"]) for parameter in parameters]
    answer = make(lang, slots["f"], numbers, TYPES[lang][result], body, rng)
    needed = [str(slots["k"])] if "{k}" in expression else []
    comment = f"{COMMENTS[lang]} {slots['label']}: "
    prompt = prompt_of(form, comment, sentence.format(**slots))
    asked = {"name": slots["f"], "parameters": parameters, "contains": needed}
    return entry(lang, form, prompt, template, answer, **asked)


def draw():
    """The 100 requests; near and far templates of a kind come by turns, and so do comments, chats and plain requests."""
    rng, found = random.Random(SEED), []
    for place, (kind, count) in enumerate(COUNTS.items()):
        for number in range(count):
            form = (1, 2, 1, 2, 3)[number % 5]
            if kind == "json":
                found.append(json_entry(rng, form, number))
            elif kind == "sql":
                found.append(sql_entry(rng, form, number))
            else:
                found.append(function_entry(rng, kind, form, number + 2 * place))
    return found


if __name__ == "__main__":
    for row in draw():
        print(json.dumps(row))
