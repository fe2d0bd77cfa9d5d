"""Function and type families of the instruction data, with one meaning in five languages.

`families.txt` and `classics.txt` hold hand-written bodies; the functions below make families
whose names, fields, types, numbers and texts are drawn from the open vocabularies, so that
the answer can only be found by copying from the request.
"""

import dataclasses
import os
import random
import re

import synth
import vocabulary as words

# surrounds parameter names in descriptions, so that a renaming finds them
MARK = "\x01"
HERE = os.path.dirname(os.path.abspath(__file__))
LANGUAGES = ["py", "ts", "rs", "go", "zig"]

# Families that no training document shows; the held-out requests are drawn from them.
HELD_OUT_FAMILIES = {
    "count_digits", "hamming_distance", "rotate_left", "initials", "power", "swap_values", "row_sums",
    "reverse_words", "take_first", "key_of_max", "median", "to_binary", "min_and_max", "starts_with_$c.n",
}

TYPES = {
    "py": {"int": "int", "float": "float", "str": "str", "bool": "bool"},
    "ts": {"int": "number", "float": "number", "str": "string", "bool": "boolean"},
    "rs": {"int": "i32", "float": "f64", "str": "&str", "bool": "bool"},
    "go": {"int": "int", "float": "float64", "str": "string", "bool": "bool"},
    "zig": {"int": "i32", "float": "f64", "str": "[]const u8", "bool": "bool"},
}
FIELD_TYPES = {
    "py": "int float str bool list[str] list[int] dict[str,_int] str_|_None int_|_None bytes".split(),
    "ts": "number string boolean string[] number[] Date string_|_null Record<string,_number>".split(),
    "rs": "i32 u32 u64 i64 usize u8 f64 f32 String bool char Vec<String> Vec<u8> Option<String> Option<u32>".split(),
    "go": "int int64 string bool float64 []string []int []byte map[string]int *string uint32 time.Time error".split(),
    "zig": "i32 u32 u64 i64 usize u8 f64 f32 bool []const_u8 ?[]const_u8 ?u32 []u8 [4]u8".split(),
}
TRUE_FALSE = {"py": ("True", "False")}


@dataclasses.dataclass
class Function:
    """One answer: code in a language with its name and the words that ask for it."""

    lang: str
    name: str
    description: str
    code: str
    family: str
    renamable: bool = True
    stated: bool = False


def case(lang, name):
    """A snake case name as the language writes variables."""
    return name if lang in ("py", "rs", "zig") else words.camel(name)


def function_case(lang, name, rng):
    """A snake case name as the language writes functions."""
    if lang in ("py", "rs"):
        return name
    if lang == "go" and rng.random() < 0.6:
        return words.pascal(name)
    return words.camel(name)


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
    return Function(lang, name, description, synth.vary(rng, lang, code), family["names"][0])


def make(lang, name, parameters, result, body, rng):
    """Assemble a function; `body` is indented by four spaces a level."""
    if lang == "py":
        head = f"def {name}({', '.join(f'{n}: {t}' for n, t in parameters)}) -> {result}:"
        return f"{head}\n{body}"
    if lang == "ts":
        head = f"function {name}({', '.join(f'{n}: {t}' for n, t in parameters)}): {result} {{"
        head = rng.choice(["export ", ""]) + head
        body = re.sub(r"^( +)", lambda m: " " * (len(m.group(1)) // 2), body, flags=re.M)
    elif lang == "rs":
        head = rng.choice(["pub ", ""]) + f"fn {name}({', '.join(f'{n}: {t}' for n, t in parameters)})"
        head += f" -> {result} {{" if result else " {"
    elif lang == "go":
        listed = []
        for index, (parameter, kind) in enumerate(parameters):
            same = index + 1 < len(parameters) and parameters[index + 1][1] == kind
            listed.append(parameter if same else f"{parameter} {kind}")
        head = f"func {name}({', '.join(listed)}) {result} {{"
        body = re.sub(r"^( +)", lambda m: "\t" * (len(m.group(1)) // 4), body, flags=re.M)
    else:
        head = rng.choice(["pub ", ""]) + f"fn {name}({', '.join(f'{n}: {t}' for n, t in parameters)}) {result} {{"
    return f"{head}\n{body}\n}}"


def distinct(rng, count, taken=()):
    """Distinct identifiers that are no words of the five languages."""
    chosen = []
    while len(chosen) < count:
        name = words.identifier(rng)
        if name not in chosen and name not in taken and name not in KEYWORDS:
            chosen.append(name)
    return chosen


KEYWORDS = set(
    """match type range string number error test align box use sort list map filter fn func move str in is as if
    default case switch const var let new self return any packed order volatile export export_ struct ref class object
    date len sum min max abs int float real bool bytes input id hash index_ import from global del format print string
    zone_ number_ boolean symbol static package interface select chan go defer append copy close cap delete make
    complex true false null nil union enum inline extern async await loop while for trait impl where mod crate super
    pub final override abstract do become macro try yield virtual typeof priv unsized private public protected
    property set next slice iter zip all with pass lambda not or and assert raise except""".split()
)


# ---- arithmetic that the request spells out
def arithmetic(rng, lang):
    """Names of numbers and what to do with them."""
    kind = rng.choice(["int", "float"])
    count = rng.choice([1, 2, 2, 2, 3])
    names = distinct(rng, count)
    variables = [case(lang, name) for name in names]
    number = rng.choice([2, 3, 4, 5, 7, 8, 10, 12, 15, 20, 24, 25, 30, 50, 60, 75, 90, 99, 100, 150, 365, 1000])
    shown = f"{number}.0" if lang == "rs" and kind == "float" else str(number)
    one = "1.0" if "." in shown else "1"
    if count == 1:
        a = variables[0]
        expression, text = rng.choice(
            [
                (f"{a} * {shown}", f"multiplies {a} by {number}"),
                (f"{a} + {shown}", f"adds {number} to {a}"),
                (f"{a} - {shown}", f"subtracts {number} from {a}"),
                (f"{shown} - {a}", f"returns {number} minus {a}"),
                (f"{a} * {a} + {shown}", f"returns the square of {a} plus {number}"),
                (f"{shown} * {a} + {one}", f"returns {number} times {a} plus 1"),
            ]
        )
    elif count == 2:
        a, b = variables
        expression, text = rng.choice(
            [
                (f"{a} * {b}", f"multiplies {a} by {b}"),
                (f"{a} * {b}", f"returns the product of {a} and {b}"),
                (f"{a} + {b}", f"adds {a} and {b}"),
                (f"{a} + {b}", f"returns the sum of {a} and {b}"),
                (f"{a} - {b}", f"subtracts {b} from {a}"),
                (f"{a} - {b}", f"returns {a} minus {b}"),
                (f"{a} * {b} + {shown}", f"returns {a} times {b} plus {number}"),
                (f"({a} + {b}) * {shown}", f"adds {a} and {b} and multiplies the sum by {number}"),
                (f"{a} + {shown} * {b}", f"returns {a} plus {number} times {b}"),
            ]
        )
    else:
        a, b, c = variables
        expression, text = rng.choice(
            [
                (f"{a} + {b} + {c}", f"adds {a}, {b} and {c}"),
                (f"{a} * {b} * {c}", f"multiplies {a}, {b} and {c}"),
                (f"{a} * {b} + {c}", f"returns {a} times {b} plus {c}"),
                (f"({a} - {b}) * {c}", f"returns the difference of {a} and {b} times {c}"),
                (f"{a} + {b} - {c}", f"adds {a} and {b} and subtracts {c}"),
            ]
        )
    if lang == "go":
        expression = re.sub(r"(\w+) \* (\w+) ([+-])", r"\1*\2 \3", expression)
    kind_name = TYPES[lang][kind]
    if lang in ("rs", "zig") and kind == "int":
        kind_name = rng.choice(["i32", "i64", "i64"])
    base = rng.choice([words.function_name(rng), f"{rng.choice(['total', 'final', 'combined'])}_{names[0]}"])
    name = function_case(lang, base, rng)
    body = f"    {expression}" if lang == "rs" else f"    return {expression}" + (";" if lang in ("ts", "zig") else "")
    code = make(lang, name, [(v, kind_name) for v in variables], kind_name, body, rng)
    return Function(lang, name, text[0].upper() + text[1:], code, "arithmetic", False, True)


def comparison(rng, lang):
    """A predicate on named numbers that the request spells out."""
    two = rng.random() < 0.6
    names = [case(lang, name) for name in distinct(rng, 2 if two else 1)]
    a, b, number = names[0], names[-1], rng.choice([0, 1, 5, 10, 18, 21, 42, 60, 64, 100, 130, 255, 500])
    options = [
        (f"{a} > {number}", f"{a} is greater than {number}"),
        (f"{a} < {number}", f"{a} is less than {number}"),
        (f"{a} >= {number}", f"{a} is at least {number}"),
        (f"{a} <= {number}", f"{a} is at most {number}"),
        (f"{a} == {number}", f"{a} equals {number}"),
        (f"{a} >= {number} && {a} <= {number + 20}", f"{a} is between {number} and {number + 20}"),
    ]
    if two:
        options = [
            (f"{a} > {b}", f"{a} is greater than {b}"),
            (f"{a} < {b}", f"{a} is less than {b}"),
            (f"{a} == {b}", f"{a} equals {b}"),
            (f"{a} > {number} || {b} > {number}", f"{a} or {b} is greater than {number}"),
            (f"{a} + {b} > {number}", f"the sum of {a} and {b} is greater than {number}"),
            (f"{a} != {b}", f"{a} and {b} are different"),
            (f"{a} > {number} && {b} > {number}", f"both {a} and {b} are greater than {number}"),
        ]
    expression, text = rng.choice(options)
    if lang in ("py", "zig"):
        expression = expression.replace("&&", "and").replace("||", "or")
    if lang == "ts":
        expression = expression.replace("==", "===").replace("!=", "!==")
    start = rng.choice(["Check whether ", "Return true if ", "Return whether ", "Check if "])
    base = rng.choice(["is_", "has_", "can_", "should_"]) + rng.choice(words.ADJECTIVES + words.VERBS)
    name = function_case(lang, base, rng)
    kind = rng.choice(["i32", "i64", "u32"]) if lang in ("rs", "zig") else TYPES[lang]["int"]
    body = f"    {expression}" if lang == "rs" else f"    return {expression}" + (";" if lang in ("ts", "zig") else "")
    code = make(lang, name, [(n, kind) for n in names], TYPES[lang]["bool"], body, rng)
    return Function(lang, name, start + text, code, "comparison", False, True)


def text_format(rng, lang):
    """Build a text around the parameters."""
    names = [case(lang, name) for name in distinct(rng, rng.choice([1, 1, 2]))]
    first, last = names[0], names[-1]
    if len(names) == 1:
        greeting = rng.choice(["Hello", "Welcome", "Dear", "Bye", "Ready", "Result", "Found", "Missing", "Loading"])
        greeting = greeting if rng.random() < 0.4 else words.noun(rng).capitalize()
        end = rng.choice(["!", ".", "", "?"])
        mark = rng.choice([", ", ": ", " "])
        parts = [greeting + mark, None, end]
        description = f"Return the text {greeting}{mark}followed by the {first}" + (f" and {end}" if end else "")
    else:
        mark, word = rng.choice(
            [("-", "a dash"), (" ", "a space"), (", ", "a comma"), ("/", "a slash"), (":", "a colon"), ("_", "an underscore"), ("@", "an at sign"), (" and ", "the word and")]
        )
        parts = ["", None, mark, None, ""]
        description = rng.choice(
            [f"Join {first} and {last} with {word}", f"Return {first} and {last} with {word} between them"]
        )
    values = iter(names)
    if lang == "py":
        body = '    return f"' + "".join(p if p is not None else "{" + next(values) + "}" for p in parts) + '"'
    elif lang == "ts":
        body = "    return `" + "".join(p if p is not None else "${" + next(values) + "}" for p in parts) + "`;"
    elif lang == "rs":
        text = "".join(p if p is not None else "{" + next(values) + "}" for p in parts)
        body = f'    format!("{text}")'
    elif lang == "go":
        if rng.random() < 0.5:
            text = "".join(p if p is not None else "%s" for p in parts)
            body = f'    return fmt.Sprintf("{text}", {", ".join(names)})'
        else:
            body = "    return " + " + ".join(f'"{p}"' if p is not None else next(values) for p in parts if p != "")
    else:
        text = "".join(p if p is not None else "{s}" for p in parts)
        listed = names[0] if len(names) == 1 else f" {', '.join(names)} "
        body = f'    return std.fmt.allocPrint(allocator, "{text}", .{{{listed}}});'
    name = function_case(lang, rng.choice(["format_", "describe_", "make_", "build_"]) + words.noun(rng), rng)
    parameters = [(n, TYPES[lang]["str"]) for n in names]
    result = {"rs": "String", "zig": "![]u8"}.get(lang, TYPES[lang]["str"])
    if lang == "zig":
        parameters = [("allocator", "std.mem.Allocator")] + parameters
    return Function(lang, name, description, make(lang, name, parameters, result, body, rng), "text_format", False, True)


def mapping(rng, lang):
    """Map words to numbers or words, all given in the request."""
    keys = rng.sample(words.NOUNS + words.ADJECTIVES, rng.randint(2, 4))
    to_text = rng.random() < 0.5
    values = rng.sample(words.ADJECTIVES, len(keys) + 1) if to_text else rng.sample(range(0, 100), len(keys) + 1)
    default = values.pop()
    shown = [f'"{v}"' if to_text else str(v) for v in values + [default]]
    fallback = shown.pop()
    parameter = case(lang, distinct(rng, 1)[0])
    pairs = list(zip([f'"{key}"' for key in keys], shown))
    text = words.and_list(f"{v} for {k}" for k, v in zip(keys, values))
    description = f"Return {text} and {default} otherwise"
    kind = TYPES[lang]["str" if to_text else "int"]
    if lang == "py":
        if rng.random() < 0.5:
            body = "".join(f"    if {parameter} == {k}:\n        return {v}\n" for k, v in pairs)
            body += f"    return {fallback}"
        else:
            body = f"    match {parameter}:\n"
            body += "".join(f"        case {k}:\n            return {v}\n" for k, v in pairs)
            body += f"        case _:\n            return {fallback}"
    elif lang == "ts":
        body = f"    switch ({parameter}) {{\n"
        body += "".join(f"        case {k}:\n            return {v};\n" for k, v in pairs)
        body += f"        default:\n            return {fallback};\n    }}"
    elif lang == "rs":
        kind = "&'static str" if to_text else "i32"
        body = f"    match {parameter} {{\n" + "".join(f"        {k} => {v},\n" for k, v in pairs)
        body += f"        _ => {fallback},\n    }}"
    elif lang == "go":
        body = f"    switch {parameter} {{\n"
        body += "".join(f"    case {k}:\n        return {v}\n" for k, v in pairs)
        body += f"    default:\n        return {fallback}\n    }}"
    else:
        body = "".join(f"    if (std.mem.eql(u8, {parameter}, {k})) return {v};\n" for k, v in pairs)
        body += f"    return {fallback};"
    name = function_case(lang, words.function_name(rng), rng)
    code = make(lang, name, [(parameter, TYPES[lang]["str"])], kind, body, rng)
    return Function(lang, name, description, code, "mapping", False, True)


def range_check(rng, lang):
    """Return an error when a number is out of the range that the request gives."""
    parameter = case(lang, distinct(rng, 1)[0])
    low = rng.choice([0, 1, 1, 5, 10, 18])
    high = low + rng.choice([5, 9, 50, 90, 100, 130, 255, 1000])
    message = rng.choice([f"{parameter} out of range", f"invalid {parameter}", f"{parameter} must be between {low} and {high}"])
    description = rng.choice(
        [
            f"Return an error if {parameter} is below {low} or above {high}",
            f"Check that {parameter} is between {low} and {high} and fail otherwise",
            f'Validate that {parameter} lies between {low} and {high}, with the error "{message}"',
        ]
    )
    test = f"{parameter} < {low} || {parameter} > {high}"
    if lang == "py":
        body = f'    if {parameter} < {low} or {parameter} > {high}:\n        raise ValueError("{message}")\n    return {parameter}'
        result = "int"
    elif lang == "ts":
        body = f'    if ({test}) {{\n        throw new Error("{message}");\n    }}\n    return {parameter};'
        result = "number"
    elif lang == "rs":
        body = f'    if {test} {{\n        return Err("{message}".to_string());\n    }}\n    Ok({parameter})'
        result = "Result<i32, String>"
    elif lang == "go":
        body = f'    if {test} {{\n        return errors.New("{message}")\n    }}\n    return nil'
        result = "error"
    else:
        body = f"    if ({parameter} < {low} or {parameter} > {high}) return error.OutOfRange;\n    return {parameter};"
        result = "!i32"
    name = function_case(lang, rng.choice(["check_", "validate_", "ensure_", "verify_"]) + words.noun(rng), rng)
    code = make(lang, name, [(parameter, TYPES[lang]["int"])], result, body, rng)
    return Function(lang, name, description, code, "range_check", False, True)


# ---- types
def type_name(rng):
    """A PascalCase name for a type."""
    parts = [words.noun(rng)] if rng.random() < 0.7 else [rng.choice(words.ADJECTIVES), words.noun(rng)]
    return words.pascal("_".join(parts))


def struct_definition(rng, lang):
    """A struct, interface or dataclass with the fields and types of the request."""
    name = type_name(rng)
    fields = [case(lang, field) for field in distinct(rng, rng.randint(2, 5))]
    kinds = [rng.choice(FIELD_TYPES[lang]).replace("_", " ") for _ in fields]
    kinds = [kind if rng.random() < 0.6 else rng.choice(list(TYPES[lang].values())) for kind in kinds]
    kinds = ["String" if kind == "&str" else kind for kind in kinds]
    word = {"py": "dataclass", "ts": "interface", "rs": "struct", "go": "struct", "zig": "struct"}[lang]
    if lang == "py":
        code = f"@dataclass\nclass {name}:\n" + "\n".join(f"    {f}: {k}" for f, k in zip(fields, kinds))
    elif lang == "ts":
        form = rng.choice(["interface", "interface", "type"])
        word = "interface" if form == "interface" else "type"
        lines = "\n".join(f"  {f}: {k};" for f, k in zip(fields, kinds))
        head = f"interface {name} {{" if form == "interface" else f"type {name} = {{"
        code = rng.choice(["export ", ""]) + f"{head}\n{lines}\n}}" + ("" if form == "interface" else ";")
    elif lang == "rs":
        derive = rng.choice(["#[derive(Debug, Clone)]\n", "#[derive(Debug)]\n", ""])
        public = rng.choice(["pub ", ""])
        lines = "\n".join(f"    {public}{f}: {k}," for f, k in zip(fields, kinds))
        code = f"{derive}{public}struct {name} {{\n{lines}\n}}"
    elif lang == "go":
        fields = [words.pascal(re.sub(r"([A-Z])", r"_\1", field).lower()) for field in fields]
        width = max(map(len, fields))
        lines = "\n".join(f"\t{f.ljust(width)} {k}" for f, k in zip(fields, kinds))
        code = f"type {name} struct {{\n{lines}\n}}"
    else:
        lines = "\n".join(f"    {f}: {k}," for f, k in zip(fields, kinds))
        code = rng.choice(["const ", "pub const "]) + f"{name} = struct {{\n{lines}\n}};"
    separator = " " if lang == "go" else ": "
    typed = words.and_list(f"{f}{separator}{k}" for f, k in zip(fields, kinds))
    description = rng.choice(
        [
            f"Define {words.article(word)} named {name} with the fields {typed}",
            f"Define {words.article(word)} {name} with {typed}",
            f"{word.capitalize()} {name} with {typed}",
            f"Create {words.article(word)} {name} with the fields {typed}",
        ]
    )
    return Function(lang, name, description, code, "struct_definition", False)


def enum_definition(rng, lang):
    """An enum with the members of the request."""
    name = type_name(rng)
    members = rng.sample(words.NOUNS + words.ADJECTIVES, rng.randint(2, 5))
    if lang == "py":
        code = f"class {name}(Enum):\n" + "\n".join(f'    {m.upper()} = "{m}"' for m in members)
    elif lang == "ts":
        if rng.random() < 0.5:
            code = f"export type {name} = " + " | ".join(f'"{m}"' for m in members) + ";"
        else:
            lines = "\n".join(f'  {m.capitalize()} = "{m}",' for m in members)
            code = f"export enum {name} {{\n{lines}\n}}"
    elif lang == "rs":
        lines = "\n".join(f"    {m.capitalize()}," for m in members)
        code = f"#[derive(Debug, Clone, Copy, PartialEq)]\npub enum {name} {{\n{lines}\n}}"
    elif lang == "go":
        lines = "\n".join(f"\t{name}{m.capitalize()}" + (f" {name} = iota" if i == 0 else "") for i, m in enumerate(members))
        code = f"type {name} int\n\nconst (\n{lines}\n)"
    else:
        lines = "\n".join(f'    @"{m}",' if m in KEYWORDS else f"    {m}," for m in members)
        code = f"const {name} = enum {{\n{lines}\n}};"
    description = rng.choice(
        [f"Define an enum {name} with the values {words.and_list(members)}", f"Define an enum named {name} with {words.and_list(members)}", f"Enum {name}: {', '.join(members)}"]
    )
    return Function(lang, name, description, code, "enum_definition", False)


STACK = {
    "py": """class NAME:
    def __init__(self) -> None:
        self.items: list[int] = []

    def push(self, item: int) -> None:
        self.items.append(item)

    def pop(self) -> int | None:
        return self.items.POP if self.items else None

    def is_empty(self) -> bool:
        return not self.items""",
    "ts": """export class NAME<T> {
  private items: T[] = [];

  push(item: T): void {
    this.items.push(item);
  }

  pop(): T | undefined {
    return this.items.POP;
  }

  isEmpty(): boolean {
    return this.items.length === 0;
  }
}""",
    "rs": """pub struct NAME<T> {
    items: POPTYPE<T>,
}

impl<T> NAME<T> {
    pub fn new() -> Self {
        Self { items: POPTYPE::new() }
    }

    pub fn push(&mut self, item: T) {
        self.items.PUSH(item);
    }

    pub fn pop(&mut self) -> Option<T> {
        self.items.POP
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}""",
    "go": """type NAME struct {
	items []int
}

func (s *NAME) Push(item int) {
	s.items = append(s.items, item)
}

func (s *NAME) Pop() (int, bool) {
	if len(s.items) == 0 {
		return 0, false
	}
POPLINES
	return item, true
}""",
    "zig": """pub const NAME = struct {
    items: std.ArrayList(i32),

    pub fn init(allocator: std.mem.Allocator) NAME {
        return .{ .items = std.ArrayList(i32).init(allocator) };
    }

    pub fn deinit(self: *NAME) void {
        self.items.deinit();
    }

    pub fn push(self: *NAME, item: i32) !void {
        try self.items.append(item);
    }

    pub fn pop(self: *NAME) ?i32 {
        if (self.items.items.len == 0) return null;
        return self.items.POP;
    }
};""",
}
STACK_PARTS = {
    True: {"py": "pop()", "ts": "pop()", "rs": "pop()", "zig": "pop()"},
    False: {"py": "pop(0)", "ts": "shift()", "rs": "pop_front()", "zig": "orderedRemove(0)"},
}


def stack_or_queue(rng, lang):
    """A stack or a queue type."""
    stack = rng.random() < 0.5
    word = "stack" if stack else "queue"
    name = words.pascal(word) if rng.random() < 0.3 else words.pascal(words.noun(rng) + "_" + word)
    code = STACK[lang].replace("POPTYPE", "Vec" if stack else "VecDeque").replace("PUSH", "push" if stack else "push_back")
    last = "\titem := s.items[len(s.items)-1]\n\ts.items = s.items[:len(s.items)-1]"
    first = "\titem := s.items[0]\n\ts.items = s.items[1:]"
    code = code.replace("POPLINES", last if stack else first).replace("NAME", name)
    code = code.replace("POP", STACK_PARTS[stack].get(lang, ""))
    kind = "class" if lang in ("py", "ts") else "struct"
    description = rng.choice([f"Define a {word} {kind} named {name} with push and pop", f"Implement a {word} as a {kind} {name}"])
    return Function(lang, name, description, code, "stack_or_queue", False)


# ---- functions on lists of records
def record_query(rng, lang):
    """Find, filter, count, group, sort or total records by one of their fields."""
    item = words.noun(rng)
    while item in KEYWORDS:
        item = words.noun(rng)
    many, record = words.plural(item), words.pascal(item)
    plain = rng.choice(distinct(rng, 1))
    field = case(lang, plain)
    access = words.pascal(plain) if lang == "go" else field
    number = rng.choice(["int", "float"])
    kind = rng.choice(["find", "equal", "above", "count", "group", "list", "sum", "average", "top", "sort", "index", "any"])
    nt = TYPES[lang][number]
    st = TYPES[lang]["str"]
    lists = {"py": f"list[{record}]", "ts": f"{record}[]", "rs": f"&[{record}]", "go": f"[]{record}", "zig": f"[]const {record}"}[lang]
    zero = "0.0" if number == "float" else "0"
    limit = case(lang, rng.choice(["limit", "minimum", "threshold", "bound"]))
    parameters, result, base = [(many, lists)], None, None
    of = f"{item}.{access}"
    allocator = [("allocator", "std.mem.Allocator")]
    if kind == "find":
        base = f"find_by_{plain}" if rng.random() < 0.4 else f"find_{item}_by_{plain}"
        description = rng.choice([f"Find {words.article(item)} by {field}", f"Return the {item} with the given {field}", f"Find the first {item} whose {field} matches"])
        parameters.append((field, st))
        result = {"py": f"{record} | None", "ts": f"{record} | undefined", "rs": f"Option<&'a {record}>", "go": f"*{record}", "zig": f"?{record}"}[lang]
        body = {
            "py": f"    for {item} in {many}:\n        if {of} == {field}:\n            return {item}\n    return None",
            "ts": f"    return {many}.find(({item}) => {of} === {field});",
            "rs": f"    {many}.iter().find(|{item}| {of} == {field})",
            "go": f"    for i := range {many} {{\n        if {many}[i].{access} == {field} {{\n            return &{many}[i]\n        }}\n    }}\n    return nil",
            "zig": f"    for ({many}) |{item}| {{\n        if (std.mem.eql(u8, {of}, {field})) return {item};\n    }}\n    return null;",
        }[lang]
    elif kind == "equal":
        base = f"{many}_by_{plain}" if rng.random() < 0.5 else f"filter_by_{plain}"
        description = rng.choice([f"Return all {many} with a given {field}", f"Filter the {many} by {field}", f"Keep the {many} whose {field} equals the given value"])
        parameters.append((field, st))
        result = {"py": f"list[{record}]", "ts": f"{record}[]", "rs": f"Vec<{record}>", "go": f"[]{record}", "zig": f"![]{record}"}[lang]
        body = {
            "py": f"    return [{item} for {item} in {many} if {of} == {field}]",
            "ts": f"    return {many}.filter(({item}) => {of} === {field});",
            "rs": f"    {many}\n        .iter()\n        .filter(|{item}| {of} == {field})\n        .cloned()\n        .collect()",
            "go": f"    var result []{record}\n    for _, {item} := range {many} {{\n        if {of} == {field} {{\n            result = append(result, {item})\n        }}\n    }}\n    return result",
            "zig": f"    var result = std.ArrayList({record}).init(allocator);\n    errdefer result.deinit();\n    for ({many}) |{item}| {{\n        if (std.mem.eql(u8, {of}, {field})) try result.append({item});\n    }}\n    return result.toOwnedSlice();",
        }[lang]
        parameters = (allocator if lang == "zig" else []) + parameters
    elif kind in ("above", "count", "any"):
        sign, text, part = rng.choice([(">", "greater than", "above"), ("<", "less than", "below"), (">=", "of at least", "from")])
        given = rng.random() < 0.5
        value = limit if given else str(rng.choice([3, 5, 10, 18, 30, 50, 100, 250, 1000]))
        if lang == "rs" and number == "float" and not given:
            value += ".0"
        if given:
            parameters.append((limit, nt))
        test = f"{of} {sign} {value}"
        clause = f"with {words.article(field)} {text} {'the ' if given else ''}{value.replace('.0', '')}"
        if kind == "above":
            base = rng.choice([f"{many}_{part}", f"filter_{many}", f"{many}_{part}_{plain}"])
            description = rng.choice([f"Return the {many} {clause}", f"Filter the {many} {clause}", f"Keep only {many} {clause}"])
            result = {"py": f"list[{record}]", "ts": f"{record}[]", "rs": f"Vec<{record}>", "go": f"[]{record}", "zig": f"![]{record}"}[lang]
            body = {
                "py": f"    return [{item} for {item} in {many} if {test}]",
                "ts": f"    return {many}.filter(({item}) => {test});",
                "rs": f"    {many}.iter().filter(|{item}| {test}).cloned().collect()",
                "go": f"    var result []{record}\n    for _, {item} := range {many} {{\n        if {test} {{\n            result = append(result, {item})\n        }}\n    }}\n    return result",
                "zig": f"    var result = std.ArrayList({record}).init(allocator);\n    errdefer result.deinit();\n    for ({many}) |{item}| {{\n        if ({test}) try result.append({item});\n    }}\n    return result.toOwnedSlice();",
            }[lang]
            parameters = (allocator if lang == "zig" else []) + parameters
        elif kind == "count":
            base = rng.choice([f"count_{many}", f"count_{many}_{part}"])
            description = rng.choice([f"Count the {many} {clause}", f"Return the number of {many} {clause}", f"Return how many {many} there are {clause}"])
            result = {"py": "int", "ts": "number", "rs": "usize", "go": "int", "zig": "usize"}[lang]
            body = {
                "py": f"    return sum(1 for {item} in {many} if {test})",
                "ts": f"    return {many}.filter(({item}) => {test}).length;",
                "rs": f"    {many}.iter().filter(|{item}| {test}).count()",
                "go": f"    count := 0\n    for _, {item} := range {many} {{\n        if {test} {{\n            count++\n        }}\n    }}\n    return count",
                "zig": f"    var count: usize = 0;\n    for ({many}) |{item}| {{\n        if ({test}) count += 1;\n    }}\n    return count;",
            }[lang]
        else:
            base = rng.choice([f"any_{item}_{part}", f"has_{item}_{part}"])
            description = rng.choice([f"Check whether any {item} exists {clause}", f"Return true if there is {words.article(item)} {clause}"])
            result = TYPES[lang]["bool"]
            body = {
                "py": f"    return any({test} for {item} in {many})",
                "ts": f"    return {many}.some(({item}) => {test});",
                "rs": f"    {many}.iter().any(|{item}| {test})",
                "go": f"    for _, {item} := range {many} {{\n        if {test} {{\n            return true\n        }}\n    }}\n    return false",
                "zig": f"    for ({many}) |{item}| {{\n        if ({test}) return true;\n    }}\n    return false;",
            }[lang]
    elif kind == "group":
        base = rng.choice([f"group_by_{plain}", f"group_{many}_by_{plain}"])
        description = rng.choice([f"Group {many} by {field}", f"Group the {many} by their {field}", f"Return a map from {field} to the {many} with that {field}"])
        result = {"py": f"dict[str, list[{record}]]", "ts": f"Record<string, {record}[]>", "rs": f"HashMap<String, Vec<{record}>>", "go": f"map[string][]{record}", "zig": f"!std.StringHashMap(usize)"}[lang]
        body = {
            "py": f"    groups: dict[str, list[{record}]] = {{}}\n    for {item} in {many}:\n        groups.setdefault({of}, []).append({item})\n    return groups",
            "ts": f"    const groups: Record<string, {record}[]> = {{}};\n    for (const {item} of {many}) {{\n        (groups[{of}] ??= []).push({item});\n    }}\n    return groups;",
            "rs": f"    let mut groups: HashMap<String, Vec<{record}>> = HashMap::new();\n    for {item} in {many} {{\n        groups\n            .entry({of}.clone())\n            .or_default()\n            .push({item}.clone());\n    }}\n    groups",
            "go": f"    groups := make(map[string][]{record})\n    for _, {item} := range {many} {{\n        groups[{of}] = append(groups[{of}], {item})\n    }}\n    return groups",
            "zig": f"    var counts = std.StringHashMap(usize).init(allocator);\n    errdefer counts.deinit();\n    for ({many}) |{item}| {{\n        const entry = try counts.getOrPutValue({of}, 0);\n        entry.value_ptr.* += 1;\n    }}\n    return counts;",
        }[lang]
        if lang == "zig":
            description, base = f"Count the {many} per {field}", f"count_by_{plain}"
            parameters = allocator + parameters
    elif kind == "list":
        base = rng.choice([f"list_{words.plural(plain)}", f"{item}_{words.plural(plain)}"])
        description = rng.choice([f"Return the {field} of every {item}", f"Collect the {field} of all {many}", f"List the {field} of each {item}"])
        result = {"py": "list[str]", "ts": "string[]", "rs": "Vec<String>", "go": "[]string", "zig": "![][]const u8"}[lang]
        body = {
            "py": f"    return [{of} for {item} in {many}]",
            "ts": f"    return {many}.map(({item}) => {of});",
            "rs": f"    {many}.iter().map(|{item}| {of}.clone()).collect()",
            "go": f"    result := make([]string, 0, len({many}))\n    for _, {item} := range {many} {{\n        result = append(result, {of})\n    }}\n    return result",
            "zig": f"    const result = try allocator.alloc([]const u8, {many}.len);\n    for ({many}, result) |{item}, *slot| {{\n        slot.* = {of};\n    }}\n    return result;",
        }[lang]
        parameters = (allocator if lang == "zig" else []) + parameters
    elif kind in ("sum", "average"):
        result = nt if kind == "sum" else TYPES[lang]["float"]
        base = f"{'total' if kind == 'sum' else 'average'}_{plain}"
        description = (
            rng.choice([f"Return the total {field} of all {many}", f"Sum the {field} of the {many}", f"Add up the {field} of every {item}"])
            if kind == "sum"
            else rng.choice([f"Return the average {field} of the {many}", f"Compute the mean {field} of all {many}"])
        )
        if kind == "sum":
            body = {
                "py": f"    return sum({of} for {item} in {many})",
                "ts": f"    return {many}.reduce((total, {item}) => total + {of}, 0);",
                "rs": f"    {many}.iter().map(|{item}| {of}).sum()",
                "go": f"    var total {nt}\n    for _, {item} := range {many} {{\n        total += {of}\n    }}\n    return total",
                "zig": f"    var total: {nt} = 0;\n    for ({many}) |{item}| {{\n        total += {of};\n    }}\n    return total;",
            }[lang]
        else:
            number = "float"
            body = {
                "py": f"    if not {many}:\n        return 0.0\n    return sum({of} for {item} in {many}) / len({many})",
                "ts": f"    if ({many}.length === 0) {{\n        return 0;\n    }}\n    const total = {many}.reduce((sum, {item}) => sum + {of}, 0);\n    return total / {many}.length;",
                "rs": f"    if {many}.is_empty() {{\n        return 0.0;\n    }}\n    let total: f64 = {many}.iter().map(|{item}| {of}).sum();\n    total / {many}.len() as f64",
                "go": f"    if len({many}) == 0 {{\n        return 0\n    }}\n    total := 0.0\n    for _, {item} := range {many} {{\n        total += {of}\n    }}\n    return total / float64(len({many}))",
                "zig": f"    if ({many}.len == 0) return 0;\n    var total: f64 = 0;\n    for ({many}) |{item}| {{\n        total += {of};\n    }}\n    return total / @as(f64, @floatFromInt({many}.len));",
            }[lang]
    elif kind == "top":
        number = "int"
        base = rng.choice([f"{item}_with_highest_{plain}", f"top_{item}", f"best_{item}_by_{plain}"])
        description = rng.choice([f"Return the {item} with the highest {field}", f"Find the {item} with the largest {field}"])
        result = {"py": record, "ts": record, "rs": f"Option<&{record}>", "go": record, "zig": f"?{record}"}[lang]
        body = {
            "py": f"    return max({many}, key=lambda {item}: {of})",
            "ts": f"    return {many}.reduce((best, {item}) => ({of} > best.{access} ? {item} : best));",
            "rs": f"    {many}.iter().max_by_key(|{item}| {of})",
            "go": f"    best := {many}[0]\n    for _, {item} := range {many}[1:] {{\n        if {of} > best.{access} {{\n            best = {item}\n        }}\n    }}\n    return best",
            "zig": f"    if ({many}.len == 0) return null;\n    var best = {many}[0];\n    for ({many}[1..]) |{item}| {{\n        if ({of} > best.{access}) best = {item};\n    }}\n    return best;",
        }[lang]
    elif kind == "sort":
        number = "int"
        down = rng.random() < 0.4
        a, b = ("b", "a") if down else ("a", "b")
        base = rng.choice([f"sort_by_{plain}", f"sort_{many}_by_{plain}"])
        description = f"Sort the {many} by {field}" + (" in descending order" if down else "")
        result = {"py": f"list[{record}]", "ts": f"{record}[]", "rs": "", "go": "", "zig": "void"}[lang]
        sign = ">" if down else "<"
        if lang == "rs":
            parameters = [(many, f"&mut [{record}]")]
        if lang == "zig":
            parameters = [(many, f"[]{record}")]
        body = {
            "py": f"    return sorted({many}, key=lambda {item}: {of}{', reverse=True' if down else ''})",
            "ts": f"    return [...{many}].sort((a, b) => {a}.{access} - {b}.{access});",
            "rs": f"    {many}.sort_by(|a, b| {a}.{access}.cmp(&{b}.{access}));",
            "go": f"    sort.Slice({many}, func(i, j int) bool {{\n        return {many}[i].{access} {sign} {many}[j].{access}\n    }})",
            "zig": f"    std.mem.sort({record}, {many}, {{}}, struct {{\n        fn lessThan(_: void, a: {record}, b: {record}) bool {{\n            return a.{access} {sign} b.{access};\n        }}\n    }}.lessThan);",
        }[lang]
    else:
        base = rng.choice([f"index_by_{plain}", f"{many}_by_{plain}_map"])
        description = rng.choice([f"Return a map from {field} to {item}", f"Index the {many} by their {field}"])
        result = {"py": f"dict[str, {record}]", "ts": f"Map<string, {record}>", "rs": f"HashMap<String, {record}>", "go": f"map[string]{record}", "zig": f"!std.StringHashMap({record})"}[lang]
        body = {
            "py": f"    return {{{of}: {item} for {item} in {many}}}",
            "ts": f"    return new Map({many}.map(({item}) => [{of}, {item}]));",
            "rs": f"    {many}\n        .iter()\n        .map(|{item}| ({of}.clone(), {item}.clone()))\n        .collect()",
            "go": f"    result := make(map[string]{record}, len({many}))\n    for _, {item} := range {many} {{\n        result[{of}] = {item}\n    }}\n    return result",
            "zig": f"    var result = std.StringHashMap({record}).init(allocator);\n    errdefer result.deinit();\n    for ({many}) |{item}| {{\n        try result.put({of}, {item});\n    }}\n    return result;",
        }[lang]
        parameters = (allocator if lang == "zig" else []) + parameters
    name = function_case(lang, base, rng)
    code = make(lang, name, parameters, result, body, rng)
    if lang == "go":
        code = code.replace(")  {", ") {")
    if lang == "rs" and kind == "find":
        code = code.replace(f"fn {name}(", f"fn {name}<'a>(").replace(f"&[{record}]", f"&'a [{record}]")
    if any(local in (item, many, field) for local in ("total", "best", "result", "count", "groups", "counts", "entry", "slot", "i", "sum")):
        return record_query(rng, lang)
    if item == field or many == field or limit in (item, many):
        return record_query(rng, lang)
    return Function(lang, name, description, code, f"record_{kind}", False)


def older(maker):
    """Wrap a generator of the first version, whose functions fit the renaming below."""

    def wrapped(rng, lang):
        name, description, code = maker(rng, lang)
        return Function(lang, name, description, code, maker.__name__, maker is not synth.g_map)

    return wrapped


MAKERS = [
    (hand_written, 0.40), (older(synth.g_pipe), 0.10), (older(synth.g_form), 0.07), (older(synth.g_pred), 0.03),
    (older(synth.g_map), 0.02), (older(synth.g_thr), 0.03), (arithmetic, 0.05), (comparison, 0.05), (text_format, 0.03),
    (mapping, 0.03), (range_check, 0.025), (struct_definition, 0.06), (enum_definition, 0.02), (stack_or_queue, 0.01),
    (record_query, 0.12),
]


def generate(rng, lang):
    """A function of a random training family."""
    maker = rng.choices([m for m, _ in MAKERS], [weight for _, weight in MAKERS])[0]
    return maker(rng, lang)


if __name__ == "__main__":
    demo = random.Random(3)
    for maker_, _ in MAKERS:
        for lang_ in LANGUAGES:
            function = maker_(demo, lang_)
            print(f"--- {lang_} {function.family} {function.name} | {function.description}\n{function.code}")
