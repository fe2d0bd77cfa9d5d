"""Functions that their request spells out in full: arithmetic, comparisons, texts, ranges.

Names, numbers and texts are drawn from the open vocabularies, so that the answer can only be found by copying.
"""

import re

import vocabulary as words
from languages import TYPES, Function, case, distinct, function_case, make, operators, returned


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
        options = [
            (f"{a} * {shown}", f"multiplies {a} by {number}"),
            (f"{a} + {shown}", f"adds {number} to {a}"),
            (f"{a} - {shown}", f"subtracts {number} from {a}"),
            (f"{shown} - {a}", f"returns {number} minus {a}"),
            (f"{a} * {a} + {shown}", f"returns the square of {a} plus {number}"),
            (f"{shown} * {a} + {one}", f"returns {number} times {a} plus 1"),
        ]
    elif count == 2:
        a, b = variables
        options = [
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
    else:
        a, b, c = variables
        options = [
            (f"{a} + {b} + {c}", f"adds {a}, {b} and {c}"),
            (f"{a} * {b} * {c}", f"multiplies {a}, {b} and {c}"),
            (f"{a} * {b} + {c}", f"returns {a} times {b} plus {c}"),
            (f"({a} - {b}) * {c}", f"returns the difference of {a} and {b} times {c}"),
            (f"{a} + {b} - {c}", f"adds {a} and {b} and subtracts {c}"),
        ]
    expression, text = rng.choice(options)
    if lang == "go":
        expression = re.sub(r"(\w+) \* (\w+) ([+-])", r"\1*\2 \3", expression)
    kind_name = TYPES[lang][kind]
    if lang in ("rs", "zig") and kind == "int":
        kind_name = rng.choice(["i32", "i64", "i64"])
    base = rng.choice([words.function_name(rng), f"{rng.choice(['total', 'final', 'combined'])}_{names[0]}"])
    name = function_case(lang, base, rng)
    code = make(lang, name, [(v, kind_name) for v in variables], kind_name, returned(lang, expression), rng)
    return Function(lang, name, text[0].upper() + text[1:], code, "arithmetic", False, True)


def comparison(rng, lang):
    """A predicate on named numbers."""
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
    start = rng.choice(["Check whether ", "Return true if ", "Return whether ", "Check if "])
    base = rng.choice(["is_", "has_", "can_", "should_"]) + rng.choice(words.ADJECTIVES + words.VERBS)
    name = function_case(lang, base, rng)
    kind = rng.choice(["i32", "i64", "u32"]) if lang in ("rs", "zig") else TYPES[lang]["int"]
    body = returned(lang, operators(lang, expression))
    code = make(lang, name, [(n, kind) for n in names], TYPES[lang]["bool"], body, rng)
    return Function(lang, name, start + text, code, "comparison", False, True)


MARKS = [
    ("-", "a dash"), (" ", "a space"), (", ", "a comma"), ("/", "a slash"), (":", "a colon"), ("_", "an underscore"),
    ("@", "an at sign"), (" and ", "the word and"),
]  # fmt: skip
# How a value stands in a text, and the text in a body.
TEXTS = {
    "py": ("{{{0}}}", '    return f"{text}"'),
    "ts": ("${{{0}}}", "    return `{text}`;"),
    "rs": ("{{{0}}}", '    format!("{text}")'),
    "go": ("%s", '    return fmt.Sprintf("{text}", {listed})'),
    "zig": ("{{s}}", '    return std.fmt.allocPrint(allocator, "{text}", .{{{listed}}});'),
}


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
        mark, word = rng.choice(MARKS)
        parts = ["", None, mark, None, ""]
        description = rng.choice(
            [f"Join {first} and {last} with {word}", f"Return {first} and {last} with {word} between them"]
        )
    values = iter(names)
    if lang == "go" and rng.random() >= 0.5:
        body = "    return " + " + ".join(f'"{p}"' if p is not None else next(values) for p in parts if p != "")
    else:
        value, pattern = TEXTS[lang]
        text = "".join(part if part is not None else value.format(next(values)) for part in parts)
        listed = ", ".join(names)
        listed = f" {listed} " if lang == "zig" and len(names) > 1 else listed
        body = pattern.format(text=text, listed=listed)
    name = function_case(lang, rng.choice(["format_", "describe_", "make_", "build_"]) + words.noun(rng), rng)
    parameters = [(n, TYPES[lang]["str"]) for n in names]
    result = {"rs": "String", "zig": "![]u8"}.get(lang, TYPES[lang]["str"])
    if lang == "zig":
        parameters = [("allocator", "std.mem.Allocator")] + parameters
    return Function(lang, name, description, make(lang, name, parameters, result, body, rng), "text_format", False, True)


# The type of the result, and the body; p is the parameter.
RANGES = {
    "py": ("int", '    if {test}:\n        raise ValueError("{message}")\n    return {p}'),
    "ts": ("number", '    if ({test}) {{\n        throw new Error("{message}");\n    }}\n    return {p};'),
    "rs": ("Result<i32, String>", '    if {test} {{\n        return Err("{message}".to_string());\n    }}\n    Ok({p})'),
    "go": ("error", '    if {test} {{\n        return errors.New("{message}")\n    }}\n    return nil'),
    "zig": ("!i32", "    if ({test}) return error.OutOfRange;\n    return {p};"),
}


def range_check(rng, lang):
    """Return an error when a number is out of the range that the request gives."""
    parameter = case(lang, distinct(rng, 1)[0])
    low = rng.choice([0, 1, 1, 5, 10, 18])
    high = low + rng.choice([5, 9, 50, 90, 100, 130, 255, 1000])
    message = rng.choice(
        [f"{parameter} out of range", f"invalid {parameter}", f"{parameter} must be between {low} and {high}"]
    )
    description = rng.choice(
        [
            f"Return an error if {parameter} is below {low} or above {high}",
            f"Check that {parameter} is between {low} and {high} and fail otherwise",
            f'Validate that {parameter} lies between {low} and {high}, with the error "{message}"',
        ]
    )
    test = operators(lang, f"{parameter} < {low} || {parameter} > {high}")
    result, pattern = RANGES[lang]
    body = pattern.format(test=test, message=message, p=parameter)
    name = function_case(lang, rng.choice(["check_", "validate_", "ensure_", "verify_"]) + words.noun(rng), rng)
    code = make(lang, name, [(parameter, TYPES[lang]["int"])], result, body, rng)
    return Function(lang, name, description, code, "range_check", False, True)
