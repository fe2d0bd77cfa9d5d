"""Functions that choose a result: by a value (words of the request, or a usual list) or by thresholds."""

import re

import vocabulary as words
from languages import TYPES, Function, case, distinct, function_case, literal, make, make_public

# name | parameter and its kind | kind of the result | what it returns | value: result; ... | result of any other value
LISTS = """
weekday_name | day: int | str | the name of a weekday from its number | 1: Monday; 2: Tuesday; 3: Wednesday; 4: Thursday; 5: Friday; 6: Saturday; 7: Sunday | Unknown
month_name | month: int | str | the name of a month from its number | 1: January; 2: February; 3: March; 4: April; 5: May; 6: June | Unknown
status_text | code: int | str | the text for an HTTP status code | 200: OK; 201: Created; 301: Moved Permanently; 400: Bad Request; 401: Unauthorized; 403: Forbidden; 404: Not Found; 500: Internal Server Error | Unknown
color_to_hex | color: str | str | the hex code for a color name | red: #ff0000; green: #00ff00; blue: #0000ff; white: #ffffff; black: #000000 | #000000
traffic_light_action | light: str | str | the action for a traffic light color | red: stop; yellow: slow down; green: go | unknown
day_to_number | day: str | int | the number of a weekday name | monday: 1; tuesday: 2; wednesday: 3; thursday: 4; friday: 5; saturday: 6; sunday: 7 | 0
animal_sound | animal: str | str | the sound an animal makes | dog: woof; cat: meow; cow: moo; duck: quack; sheep: baa | ...
shape_sides | shape: str | int | the number of sides of a shape | triangle: 3; square: 4; pentagon: 5; hexagon: 6 | 0
level_to_string | level: int | str | the name of a log level | 0: debug; 1: info; 2: warning; 3: error | unknown
log_level | name: str | int | the numeric log level for a name | debug: 0; info: 1; warn: 2; error: 3 | 1
direction_name | key: str | str | the compass direction for a letter | n: north; s: south; e: east; w: west | unknown
planet_position | planet: str | int | the position of a planet counted from the sun | mercury: 1; venus: 2; earth: 3; mars: 4; jupiter: 5 | 0
currency_symbol | code: str | str | the symbol of a currency code | USD: $; EUR: E; GBP: P; JPY: Y | ?
roman_digit | n: int | str | the Roman numeral for a small number | 1: I; 2: II; 3: III; 4: IV; 5: V |
file_kind | extension: str | str | the kind of file for an extension | py: python; rs: rust; go: go; ts: typescript; zig: zig; json: data | unknown
mime_type | extension: str | str | the MIME type for a file extension | html: text/html; css: text/css; json: application/json; png: image/png; txt: text/plain | application/octet-stream
priority_value | priority: str | int | the numeric value of a priority | low: 1; medium: 2; high: 3; urgent: 4 | 0
season_of_month | month: int | str | the season of a month | 1: winter; 4: spring; 7: summer; 10: autumn | unknown
size_label | size: str | str | the label for a size code | s: small; m: medium; l: large; xl: extra large | unknown
unit_factor | unit: str | int | how many bytes a unit stands for | b: 1; kb: 1024; mb: 1048576 | 0
role_level | role: str | int | the access level of a user role | guest: 0; user: 1; editor: 2; admin: 3 | 0
http_method_safe | method: str | bool | whether an HTTP method is safe | GET: True; HEAD: True; POST: False; DELETE: False | False
coin_value | coin: str | int | the value of a coin in cents | penny: 1; nickel: 5; dime: 10; quarter: 25 | 0
vehicle_wheels | vehicle: str | int | the number of wheels of a vehicle | bicycle: 2; tricycle: 3; car: 4; truck: 6 | 0
"""

# name | parameter and how it is compared | what it returns | threshold: result; ... | result below all of them
THRESHOLDS = """
grade | score >= | the letter grade for a score | 90: A; 80: B; 70: C; 60: D | F
describe_temperature | temperature >= | a description of the temperature | 30: hot; 20: warm; 10: cool | cold
age_group | age >= | the age group of a person | 65: senior; 18: adult; 13: teenager | child
bmi_category | bmi >= | the category for a body mass index | 30: obese; 25: overweight; 18: normal | underweight
speed_level | speed > | a label for the speed | 120: fast; 60: medium | slow
battery_status | level >= | the status text for a battery level | 80: full; 30: ok; 10: low | critical
shipping_cost | weight > | the shipping cost for a weight | 20: 25; 10: 15; 5: 10 | 5
tax_rate | income > | the tax rate in percent for an income | 100000: 40; 50000: 30; 20000: 20 | 10
discount_rate | total >= | the discount in percent for a total price | 500: 20; 200: 10; 100: 5 | 0
size_of_number | n >= | whether a number is large, medium or small | 1000: large; 100: medium | small
sign | n >= | the sign of a number | 0: 1 | -1
risk_level | score >= | the risk level for a score | 75: high; 40: medium | low
ticket_price | age >= | the ticket price for an age | 65: 8; 18: 12; 6: 6 | 0
time_of_day | hour >= | the time of day for an hour | 18: evening; 12: afternoon; 6: morning | night
water_state | temperature > | the state of water at a temperature | 100: steam; 0: liquid | ice
"""


def constant(text, kind=None):
    """A value of a table: of the given kind, or a number where it looks like one."""
    if kind == "bool":
        return text == "True"
    return int(text) if kind == "int" or kind is None and re.fullmatch(r"-?\d+", text) else text


def rows(table):
    """The lines of a table, each cut into its fields."""
    return [[field.strip() for field in line.split(" |")] for line in table.strip("\n").split("\n")]


def pairs_of(text):
    """The (value, result) texts of a field."""
    return [tuple(pair.split(": ")) for pair in text.split("; ")]


LISTS, THRESHOLDS = rows(LISTS), rows(THRESHOLDS)

# One test that returns, by language: t is the test, v the value.
RETURNS = {
    "py": "    if {t}:\n        return {v}\n",
    "ts": "    if ({t}) {{\n        return {v};\n    }}\n",
    "go": "    if {t} {{\n        return {v}\n    }}\n",
    "zig": "    if ({t}) return {v};\n",
}
# A choice by cases: its head, one case, the case of all others. s is what is looked at, k a value of it, v a result.
CASES = {
    "py": ("    match {s}:\n", "        case {k}:\n            return {v}\n", "        case _:\n            return {v}"),
    "ts": (
        "    switch ({s}) {{\n", "        case {k}:\n            return {v};\n",
        "        default:\n            return {v};\n    }}",
    ),
    "rs": ("    match {s} {{\n", "        {k} => {v},\n", "        _ => {v},\n    }}"),
    "go": ("    switch {s}{{\n", "    case {k}:\n        return {v}\n", "    default:\n        return {v}\n    }}"),
    "zig": ("    return switch ({s}) {{\n", "        {k} => {v},\n", "        else => {v},\n    }};"),
}  # fmt: skip


def returns(lang, tests, other):
    """Tests one after the other, each of which returns; `tests` are (test, value)."""
    body = "".join(RETURNS[lang].format(t=test, v=value) for test, value in tests)
    return body + f"    return {other}" + (";" if lang in ("ts", "zig") else "")


def cases(lang, looked_at, pairs, other):
    """A match or switch; `pairs` are (value, result)."""
    head, case_, last = CASES[lang]
    if lang == "go":
        looked_at = looked_at + " " if looked_at else ""
    body = "".join(case_.format(k=value, v=result) for value, result in pairs)
    return head.format(s=looked_at) + body + last.format(v=other)


def else_ifs(tests, other):
    """Python's if, elif and else."""
    body = "".join(
        f"    {'elif' if number else 'if'} {test}:\n        return {value}\n" for number, (test, value) in enumerate(tests)
    )
    return body + f"    else:\n        return {other}"


def equal(lang, parameter, pairs):
    """Tests for the values of texts, or of anything in Python."""
    test = "std.mem.eql(u8, {}, {})" if lang == "zig" else "{} == {}"
    return [(test.format(parameter, value), result) for value, result in pairs]


def mapping(rng, lang):
    """Map words to numbers or words, all given in the request."""
    keys = rng.sample(words.NOUNS + words.ADJECTIVES, rng.randint(2, 4))
    to_text = rng.random() < 0.5
    values = rng.sample(words.ADJECTIVES, len(keys) + 1) if to_text else rng.sample(range(0, 100), len(keys) + 1)
    other = values.pop()
    parameter = case(lang, distinct(rng, 1)[0])
    pairs = [(literal(lang, key), literal(lang, value)) for key, value in zip(keys, values)]
    text = words.and_list(f"{v} for {k}" for k, v in zip(keys, values))
    kind = "&'static str" if lang == "rs" and to_text else TYPES[lang]["str" if to_text else "int"]
    if lang == "zig" or lang == "py" and rng.random() < 0.5:
        body = returns(lang, equal(lang, parameter, pairs), literal(lang, other))
    else:
        body = cases(lang, parameter, pairs, literal(lang, other))
    name = function_case(lang, words.function_name(rng), rng)
    code = make(lang, name, [(parameter, TYPES[lang]["str"])], kind, body, rng)
    return Function(lang, name, f"Return {text} and {other} otherwise", code, "mapping", False, True)


def usual_list(rng, lang):
    """A list that many programs have: names of days, codes, colors."""
    name, parameter, to, what, listed, other = rng.choice(LISTS)
    parameter, kind = parameter.split(": ")
    listed = pairs_of(listed)
    listed = listed[: rng.randint(min(3, len(listed)), len(listed))]
    name = function_case(lang, name, rng, 0.65)
    parameter, types = case(lang, parameter), TYPES[lang]
    description = rng.choice(["Return ", "Get ", "Look up "]) + what
    keys = [constant(key, kind) for key, _ in listed]
    pairs = [(literal(lang, key), literal(lang, constant(v, to))) for key, (_, v) in zip(keys, listed)]
    other = literal(lang, constant(other, to))
    draw = rng.random() if lang in ("py", "ts") else 0.0
    if lang == "py" and draw >= 0.7:
        body = else_ifs(equal(lang, parameter, pairs), other)
    elif lang == "py" and draw >= 0.35:
        entries = "".join(f"        {key}: {value},\n" for key, value in pairs)
        body = f"    table = {{\n{entries}    }}\n    return table.get({parameter}, {other})"
    elif lang == "ts" and draw >= 0.6:
        bare = [key if isinstance(key, int) or key.isidentifier() else literal(lang, key) for key in keys]
        entries = "".join(f"        {key}: {value},\n" for key, (_, value) in zip(bare, pairs))
        body = f"    const table: Record<{types[kind]}, {types[to]}> = {{\n{entries}    }};\n"
        body += f"    return table[{parameter}] ?? {other};"
    elif lang == "zig" and kind == "str":
        body = returns(lang, equal(lang, parameter, pairs), other)
    else:
        body = cases(lang, parameter, pairs, other)
    result = "&'static str" if lang == "rs" and to == "str" else types[to]
    code = make_public(lang, name, [(parameter, types[kind])], result, body, rng)
    return Function(lang, name, description, code, "usual_list", False)


def threshold(rng, lang):
    """A result for each range of a number."""
    name, compared, what, listed, other = rng.choice(THRESHOLDS)
    parameter, sign = compared.split(" ")
    steps = [(int(bound), constant(result)) for bound, result in pairs_of(listed)]
    other = constant(other)
    moved = rng.choice([0, 0, 5, -2]) if steps[0][0] > 10 else 0
    to = "str" if isinstance(other, str) else "int"
    before = rng.choice(["get_", "", "classify_"] if to == "str" else ["", "get_"])
    name = function_case(lang, ("" if name.startswith("describe") else before) + name, rng, 0.65)
    parameter = case(lang, parameter)
    description = rng.choice(["Return ", "Determine ", "Get "]) + what
    tests = [(f"{parameter} {sign} {bound + moved}", literal(lang, result)) for bound, result in steps]
    other = literal(lang, other)
    draw = rng.random() if lang in ("py", "rs", "go") else 0.0
    if lang == "py" and draw >= 0.6:
        body = else_ifs(tests, other)
    elif lang == "rs" and draw < 0.5:
        chain = " else ".join(f"if {test} {{\n        {value}\n    }}" for test, value in tests)
        body = f"    {chain} else {{\n        {other}\n    }}"
    elif lang == "rs":
        guards = [("n if n" + test[len(parameter) :], value) for test, value in tests]
        body = cases(lang, parameter, guards, other)
    elif lang == "go" and draw < 0.5:
        body = cases(lang, "", tests, other)
    else:
        body = returns(lang, tests, other)
    result = "&'static str" if lang == "rs" and to == "str" else TYPES[lang][to]
    code = make_public(lang, name, [(parameter, TYPES[lang]["int"])], result, body, rng)
    return Function(lang, name, description, code, "threshold")
