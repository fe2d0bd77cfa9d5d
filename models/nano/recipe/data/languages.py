"""The five languages of the functions: how each one writes names, types, heads of functions and what it returns.

Nothing here draws a request; whatever makes functions takes their surface from here.
"""

import dataclasses
import re

import vocabulary as words

LANGUAGES = ["py", "ts", "rs", "go", "zig"]
LANGUAGE_NAMES = {"py": "Python", "ts": "TypeScript", "rs": "Rust", "go": "Go", "zig": "Zig"}
COMMENTS = {"py": "#", "ts": "//", "rs": "//", "go": "//", "zig": "//"}
TYPES = {
    "py": {"int": "int", "float": "float", "str": "str", "bool": "bool"},
    "ts": {"int": "number", "float": "number", "str": "string", "bool": "boolean"},
    "rs": {"int": "i32", "float": "f64", "str": "&str", "bool": "bool"},
    "go": {"int": "int", "float": "float64", "str": "string", "bool": "bool"},
    "zig": {"int": "i32", "float": "f64", "str": "[]const u8", "bool": "bool"},
}
# Words that are no names of parameters, fields or functions in one of the languages.
KEYWORDS = set(
    """match type range string number error test align box use sort list map filter fn func move str in is as if
    default case switch const var let new self return any packed order volatile export export_ struct ref class object
    date len sum min max abs int float real bool bytes input id hash index_ import from global del format print string
    zone_ number_ boolean symbol static package interface select chan go defer append copy close cap delete make
    complex true false null nil union enum inline extern async await loop while for trait impl where mod crate super
    pub final override abstract do become macro try yield virtual typeof priv unsized private public protected
    property set next slice iter zip all with pass lambda not or and assert raise except""".split()
)
# What makes a function public, and how often `vary` takes it away.
PUBLIC = {"ts": "export ", "rs": "pub ", "zig": "pub "}
PRIVATE = {"ts": 0.45, "rs": 0.5, "zig": 0.35}

# A function's head up to its name, wherever it stands in a line.
HEADS = {
    "py": r"(?:async )?def (\w+)",
    "ts": r"(?:export )?(?:default )?(?:async )?(?:function\*? (\w+)|const (\w+) = (?:async )?(?=[(<]))",
    "rs": r"(?:pub(?:\([a-z]+\))? )?(?:const |async |unsafe )*fn (\w+)",
    "go": r"func (?:\([^)]*\) )?(\w+)",
    "zig": r"(?:pub )?(?:inline )?fn (\w+)",
}
HEAD = {lang: re.compile("^" + head) for lang, head in HEADS.items()}


@dataclasses.dataclass
class Function:
    """One answer: code in a language with its name and the words that ask for it.

    A function that is not `renamable` keeps its names; `stated` says that the request gives them already.
    """

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


def function_case(lang, name, rng, exported=0.6):
    """A snake case name as the language writes functions; `exported` is the share of capitals in Go."""
    if lang in ("py", "rs"):
        return name
    if lang == "go" and rng.random() < exported:
        return words.pascal(name)
    return words.camel(name)


def distinct(rng, count, taken=()):
    """Distinct identifiers that are no words of the five languages."""
    chosen = []
    while len(chosen) < count:
        name = words.identifier(rng)
        if name not in chosen and name not in taken and name not in KEYWORDS:
            chosen.append(name)
    return chosen


def literal(lang, value):
    """A text, a number or a truth value in the language."""
    if isinstance(value, bool):
        return str(value) if lang == "py" else str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def operators(lang, expression):
    """An expression of C's operators in the language."""
    if lang in ("py", "zig"):
        expression = expression.replace("&&", "and").replace("||", "or")
    if lang == "ts":
        expression = expression.replace("==", "===").replace("!=", "!==")
    return expression


def returned(lang, expression):
    """A body that is one expression."""
    return f"    {expression}" if lang == "rs" else f"    return {expression}" + (";" if lang in ("ts", "zig") else "")


def assemble(lang, name, parameters, result, body, before=""):
    """A function; `body` is indented by four spaces a level, `before` stands before the head."""
    listed = ", ".join(f"{n}: {t}" for n, t in parameters)
    if lang == "py":
        return f"{before}def {name}({listed}) -> {result}:\n{body}"
    if lang == "ts":
        head = f"function {name}({listed}): {result} {{"
        body = re.sub(r"^( +)", lambda m: " " * (len(m.group(1)) // 2), body, flags=re.M)
    elif lang == "rs":
        head = f"fn {name}({listed})" + (f" -> {result} {{" if result else " {")
    elif lang == "go":
        grouped = []
        for index, (parameter, kind) in enumerate(parameters):
            same = index + 1 < len(parameters) and parameters[index + 1][1] == kind
            grouped.append(parameter if same else f"{parameter} {kind}")
        head = f"func {name}({', '.join(grouped)})" + (f" {result} {{" if result else " {")
        body = re.sub(r"^( +)", lambda m: "\t" * (len(m.group(1)) // 4), body, flags=re.M)
    else:
        head = f"fn {name}({listed}) {result} {{"
    return f"{before}{head}\n{body}\n}}"


def make(lang, name, parameters, result, body, rng):
    """A function that is public or not."""
    before = rng.choice([PUBLIC[lang], ""]) if lang in PUBLIC else ""
    return assemble(lang, name, parameters, result, body, before)


def vary(rng, lang, code):
    """Takes the word that makes a function public away, for a share of the functions."""
    if lang in PUBLIC and rng.random() < PRIVATE[lang]:
        word = "function" if lang == "ts" else "fn"
        code = re.sub(f"^{PUBLIC[lang]}{word}", word, code)
    return code


def make_public(lang, name, parameters, result, body, rng):
    """A function that is public more often than not."""
    return vary(rng, lang, assemble(lang, name, parameters, result, body, PUBLIC.get(lang, "")))


def split_top(text):
    """Split at the commas that stand outside of brackets."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        if char in "([{<" and text[index - 1 : index + 1] != "=<":
            depth += 1
        elif char in ")]}>" and text[index - 1 : index + 1] not in ("=>", "->"):
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [part.strip() for part in parts + [text[start:]] if part.strip()]


def signature(lang, code):
    """(name, [(parameter, type)], end of the signature) of the first function, or None."""
    head = HEAD[lang].match(code)
    if not head:
        return None
    start = code.find("(", head.end())
    depth, index = 0, start
    while index < len(code):
        depth += (code[index] in "([{") - (code[index] in ")]}")
        if depth == 0:
            break
        index += 1
    inside = code[start + 1 : index]
    end = code.find(":\n" if lang == "py" else "{\n", index)
    if end < 0 or "\n" in inside or "\n" in code[index:end]:
        return None
    parameters, waiting = [], []
    for part in split_top(inside):
        if lang == "go":
            name, _, kind = part.partition(" ")
            waiting.append(name)
            if kind:
                parameters += [(name, kind) for name in waiting]
                waiting = []
            continue
        part = part.split(" = ")[0]
        name, _, kind = part.partition(":")
        name = name.strip().removeprefix("mut ").rstrip("?")
        if name in ("self", "cls", "&self", "&mut self", "*", "/", "...") or name.startswith("comptime"):
            continue
        parameters.append((name.lstrip("*").removeprefix("..."), kind.strip()))
    return next(filter(None, head.groups())), parameters, end + 2
