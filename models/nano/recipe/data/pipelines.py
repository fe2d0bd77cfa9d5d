"""Functions over a list of numbers that keep some, change them, and bring them together."""

import re

from languages import Function, function_case, make_public

# What a number is: in words, in names, as an expression. k and j are numbers that are drawn.
BEFORE = [
    ("even", "even", {"*": "{x} % 2 == 0", "zig": "@mod({x}, 2) == 0"}),
    ("odd", "odd", {"*": "{x} % 2 != 0", "zig": "@mod({x}, 2) != 0"}),
    ("positive", "positive", {"*": "{x} > 0"}),
    ("negative", "negative", {"*": "{x} < 0"}),
    ("non-zero", "nonzero", {"*": "{x} != 0"}),
]
AFTER = [
    ("greater than {k}", "greater_than_{k}", {"*": "{x} > {k}"}),
    ("less than {k}", "less_than_{k}", {"*": "{x} < {k}"}),
    ("at least {k}", "at_least_{k}", {"*": "{x} >= {k}"}),
    ("divisible by {k}", "divisible_by_{k}", {"*": "{x} % {k} == 0", "zig": "@mod({x}, {k}) == 0"}),
    (
        "between {k} and {j}", "between_{k}_and_{j}",
        {"py": "{k} <= {x} <= {j}", "zig": "{x} >= {k} and {x} <= {j}", "*": "{x} >= {k} && {x} <= {j}"},
    ),
    ("not equal to {k}", "not_equal_to_{k}", {"*": "{x} != {k}"}),
]  # fmt: skip
CHANGES = [
    ("squares", "squared", "{x} * {x}"),
    ("cubes", "cubed", "{x} * {x} * {x}"),
    ("doubles", "doubled", "{x} * 2"),
    ("values multiplied by {k}", "times_{k}", "{x} * {k}"),
    ("values increased by {k}", "plus_{k}", "{x} + {k}"),
    ("values decreased by {k}", "minus_{k}", "{x} - {k}"),
]

# A loop over the numbers: what is before it, its head, a statement under a condition, a plain one, what is after it.
LOOPS = {
    "py": ("    {start}\n", "    for {x} in {xs}:\n", "        if {c}:\n            {do}\n", "        {do}\n", "    return {end}"),
    "ts": (
        "    {start};\n", "    for (const {x} of {xs}) {{\n",
        "        if ({c}) {{\n            {do};\n        }}\n", "        {do};\n", "    }}\n    return {end};",
    ),
    "rs": (
        "    let mut {start};\n", "    for &{x} in {xs} {{\n",
        "        if {c} {{\n            {do};\n        }}\n", "        {do};\n", "    }}\n    {end}",
    ),
    "go": (
        "    {start}\n", "    for _, {x} := range {xs} {{\n",
        "        if {c} {{\n            {do}\n        }}\n", "        {do}\n", "    }}\n    return {end}",
    ),
    "zig": (
        "    {start};\n", "    for ({xs}) |{x}| {{\n",
        "        if ({c}) {{\n            {do};\n        }}\n", "        {do};\n", "    }}\n    return {end};",
    ),
}  # fmt: skip
ONE_LINE_IN_ZIG = "        if ({c}) {do};\n"

# (start, statement, end) of the loop of each aggregate; e is the changed number, t the type.
STATEMENTS = {
    "sum": {
        "py": ("total = 0", "total += {e}", "total"), "ts": ("let total = 0", "total += {e}", "total"),
        "rs": ("total = 0", "total += {e}", "total"), "go": ("total := 0", "total += {e}", "total"),
        "zig": ("var total: {t} = 0", "total += {e}", "total"),
    },
    "product": {
        "py": ("result = 1", "result *= {x}", "result"), "rs": ("result = 1", "result *= {x}", "result"),
        "go": ("result := 1", "result *= {x}", "result"), "zig": ("var result: {t} = 1", "result *= {x}", "result"),
    },
    "count": {
        "py": ("count = 0", "count += 1", "count"), "ts": ("let count = 0", "count++", "count"),
        "rs": ("count = 0", "count += 1", "count"), "go": ("count := 0", "count++", "count"),
        "zig": ("var count: usize = 0", "count += 1", "count"),
    },
    "list": {
        "py": ("result: list[int] = []", "result.append({e})", "result"),
        "ts": ("const result: number[] = []", "result.push({e})", "result"),
        "rs": ("result = Vec::new()", "result.push({e})", "result"),
        "go": ("{slice}", "result = append(result, {e})", "result"),
        "zig": (
            "var list = std.ArrayList({t}).init(allocator);\n    errdefer list.deinit()", "try list.append({e})",
            "list.toOwnedSlice()",
        ),
    },
    "any": {"go": ("", "return true", "false"), "zig": ("", "return true", "false")},
    "all": {"go": ("", "return false", "true"), "zig": ("", "return false", "true")},
    "first": {"py": ("", "return {x}", "None"), "go": ("", "return {x}, true", "0, false"), "zig": ("", "return {x}", "null")},
}  # fmt: skip

# The same without a loop. it is Python's generator, simple it or the bare list, chain the steps of the other languages.
EXPRESSIONS = {
    "py": {
        "sum": "sum({simple})", "count": "sum(1 for {x} in {xs} if {c})", "list": "[{it}]", "any": "any({c} for {x} in {xs})",
        "all": "all({c} for {x} in {xs})", "max": "max({bracketed}, default=None)", "min": "min({bracketed}, default=None)",
    },
    "ts": {
        "sum": "{chain}.reduce((total, {x}) => total + {x}, 0)", "product": "{chain}.reduce((result, {x}) => result * {x}, 1)",
        "count": "{chain}.length", "list": "{chain}", "any": "{xs}.some(({x}) => {c})", "all": "{xs}.every(({x}) => {c})",
        "first": "{xs}.find(({x}) => {c})", "max": "Math.max(...{chain})", "min": "Math.min(...{chain})",
    },
    "rs": {
        "sum": "{chain}.sum()", "product": "{chain}.product()", "count": "{chain}.count()", "list": "{chain}.collect()",
        "any": "{xs}.iter().any(|&{x}| {c})", "all": "{xs}.iter().all(|&{x}| {c})",
        "first": "{xs}.iter().copied().find(|&{x}| {c})", "max": "{chain}.max()", "min": "{chain}.min()",
    },
    "go": {}, "zig": {},
}  # fmt: skip
# Types of the results, by language; what is not named is a number.
RESULTS = {
    "py": {"list": "list[int]", "any": "bool", "all": "bool", "first": "int | None", "max": "int | None", "min": "int | None"},
    "ts": {"list": "number[]", "any": "boolean", "all": "boolean", "first": "number | undefined"},
    "rs": {
        "count": "usize", "list": "Vec<{t}>", "any": "bool", "all": "bool", "first": "Option<{t}>", "max": "Option<{t}>",
        "min": "Option<{t}>",
    },
    "go": {"list": "[]int", "any": "bool", "all": "bool", "first": "(int, bool)", "max": "(int, bool)", "min": "(int, bool)"},
    "zig": {
        "count": "usize", "list": "![]{t}", "any": "bool", "all": "bool", "first": "?{t}", "max": "?{t}", "min": "?{t}",
    },
}  # fmt: skip
LISTS = {"py": "list[int]", "ts": "number[]", "rs": "&[{t}]", "go": "[]int", "zig": "[]const {t}"}


def condition(rng):
    """(words, name, expressions, whether the words stand before `numbers`) of a condition."""
    k = rng.choice([2, 3, 5, 7, 10, 20, 50, 100])
    j = k + rng.choice([5, 10, 50, 90])
    before = rng.random() < 0.5
    said, name, expressions = rng.choice(BEFORE if before else AFTER)
    expressions = {lang: text.replace("{k}", str(k)).replace("{j}", str(j)) for lang, text in expressions.items()}
    return said.format(k=k, j=j), name.format(k=k, j=j), expressions, before


def change(rng):
    """(words, name, expression) of what is done with each number."""
    k = rng.choice([2, 3, 4, 5, 10, 100])
    return tuple(part.replace("{k}", str(k)) for part in rng.choice(CHANGES))


def in_language(lang, expressions, x):
    """The condition's expression in a language."""
    expression = expressions.get(lang, expressions["*"]).replace("{x}", x)
    if lang == "ts":
        expression = expression.replace("==", "===").replace("!=", "!==")
    if lang == "go":
        expression = re.sub(r"(\w) % (\w+) (==|!=)", r"\1%\2 \3", expression)
    return expression


def described(rng, lang, aggregate, kept, changed):
    """What the function does, in words."""
    options = ["an array", "the array", "an array of numbers"] if lang == "ts" else ["a list", "the list", "a list of integers", "the given numbers"]
    where = rng.choice(options)
    if lang in ("rs", "go", "zig") and rng.random() < 0.6:
        where = "a slice"
    nums = "numbers" if rng.random() < 0.7 else "integers"
    which = ""
    if kept:
        which = f"{kept[0]} {nums}" if kept[3] else f"{nums} {rng.choice(['', 'that are '])}{kept[0]}"
    inside = " among the given numbers" if where == "the given numbers" else f" in {where}"
    if changed and changed[0] in ("squares", "cubes", "doubles"):
        what = f"the {changed[0]} of the {which or 'numbers'}"
    elif changed:
        what = f"the {which} as {changed[0]}" if which else f"the {changed[0]}"
    else:
        what = f"the {which or nums}"
    test = kept[0] if kept else ""
    sentences = {
        "sum": [f"Return the sum of {what}{inside}", f"Sum {what}{inside}", f"Add up {what}{inside}"],
        "count": [f"Count {what}{inside}", f"Return how many {which} there are{inside}", f"Return the number of {which}{inside}"],
        "list": [f"Return a list of {what}{inside}", f"Return {what}{inside}", f"Collect {what}{inside}"]
        + ([f"Filter {where} to keep only {which}"] if which and not changed else []),
        "any": [f"Return whether any number{inside} is {test}", f"Check if {where} contains a number that is {test}"],
        "all": [f"Return whether all numbers{inside} are {test}", f"Check if every number{inside} is {test}"],
        "max": [f"Return the largest of {what}{inside}", f"Find the maximum of {what}{inside}"],
        "min": [f"Return the smallest of {what}{inside}", f"Find the minimum of {what}{inside}"],
        "product": [f"Return the product of {what}{inside}", f"Multiply {what}{inside}"],
        "first": [f"Return the first of {what}{inside}", f"Find the first number that is {test}{inside}"],
    }
    return rng.choice(sentences[aggregate])


def named(rng, aggregate, kept, changed):
    """A snake case name; all that may be drawn is drawn, whichever is used."""
    of_list = rng.choice(["filter", "keep", "collect"]) if kept and not changed else rng.choice(["map", "collect", "list"])
    names = {"list": of_list, "any": "has_any" if rng.random() < 0.5 else "contains", "product": "product_of"}
    parts = [names.get(aggregate, aggregate)] + [part[1] for part in (kept, changed) if part]
    if rng.random() < 0.3:
        parts.append(rng.choice(["values", "numbers", "items"]))
    return "_".join(parts)


def loop(lang, slots, start, statement, end, in_one_line=False):
    """A loop over the numbers."""
    before, head, under, plain, after = LOOPS[lang]
    under = ONE_LINE_IN_ZIG if in_one_line else under
    slots = slots | {key: text.format(**slots) for key, text in (("start", start), ("do", statement), ("end", end))}
    lines = (before if start else "") + head + (under if slots["c"] else plain) + after
    return lines.format(**slots)


def extreme(lang, slots, aggregate, changed):
    """The largest or smallest number where a language has no function for it."""
    sign = ">" if aggregate == "max" else "<"
    if lang == "go":
        deep = "            " if slots["c"] else "        "
        lines = [f"if !found || {{x}} {sign} best {{{{", "    best = {x}", "    found = true", "}}"]
        lines = (["{x} = {e}"] if changed else []) + lines
        return loop(lang, slots, "best, found := 0, false", f"\n{deep}".join(lines), "best, found")
    e = f"({slots['e']})" if changed else slots["e"]
    skip = f"        if (!({slots['c']})) continue;\n" if slots["c"] else ""
    return (
        f"    var best: ?{slots['t']} = null;\n    for ({slots['xs']}) |{slots['x']}| {{\n{skip}"
        f"        if (best == null or {e} {sign} best.?) best = {slots['e']};\n    }}\n    return best;"
    )


def steps(lang, xs, x, test, changed, e):
    """The chain of methods up to what brings the numbers together."""
    if lang == "ts":
        return xs + (f".filter(({x}) => {test})" if test else "") + (f".map(({x}) => {e})" if changed else "")
    chain = f"{xs}.iter().copied()" + (f".filter(|&{x}| {test})" if test else "") + (f".map(|{x}| {e})" if changed else "")
    return re.sub(r"\.(?=iter\(|copied\(|filter\(|map\()", "\n        .", chain) if len(chain) > 60 else chain


def body_of(rng, lang, aggregate, slots, changed, functional):
    """The body: an expression, a loop, or the language's own way to an extreme."""
    has_both = aggregate in STATEMENTS and lang in STATEMENTS[aggregate] and aggregate in EXPRESSIONS[lang]
    if aggregate in EXPRESSIONS[lang] and (functional or not has_both):
        expression = EXPRESSIONS[lang][aggregate].format(**slots)
        if lang == "rs":
            method = re.search(r"\.\w+\(\)$", expression)
            if "\n" in slots["chain"] and method and expression.startswith(slots["chain"]):
                expression = f"{slots['chain']}\n        {method.group(0)}"
            return f"    {expression}"
        return f"    return {expression}" + (";" if lang == "ts" else "")
    if aggregate in ("max", "min"):
        return extreme(lang, slots, aggregate, changed)
    if lang == "go" and aggregate == "list":
        slots["slice"] = rng.choice(["var result []int", f"result := make([]int, 0, len({slots['xs']}))"])
    if aggregate == "all":
        slots["c"] = f"!({slots['c']})"
    in_one_line = lang == "zig" and (aggregate in ("any", "all", "first") or not functional)
    return loop(lang, slots, *STATEMENTS[aggregate][lang], in_one_line)


def pipeline(rng, lang):
    """A function over a list of numbers."""
    aggregate = rng.choice(["sum", "sum", "count", "list", "list", "any", "all", "max", "min", "product", "first"])
    kept = condition(rng) if aggregate in ("count", "any", "all", "first") or rng.random() < 0.65 else None
    changes = aggregate in ("sum", "list", "max", "min") and (kept is None or rng.random() < 0.4)
    changed = change(rng) if changes else None
    xs = rng.choice(["numbers", "nums", "values", "items", "data", "xs"])
    x = rng.choice(["n", "x", "value", "num", "item", "v"])
    x = "n" if xs.startswith(x) else x
    description = described(rng, lang, aggregate, kept, changed)
    name = function_case(lang, named(rng, aggregate, kept, changed), rng, 0.65)
    functional = rng.random() < 0.55
    whole = {"rs": rng.choice(["i32", "i64"]), "zig": rng.choice(["i32", "i64"]), "py": "int", "ts": "number", "go": "int"}[lang]
    e, c = changed[2].replace("{x}", x) if changed else x, in_language(lang, kept[2], x) if kept else ""
    it = f"{e} for {x} in {xs}" + (f" if {c}" if c else "")
    simple = xs if not c and not changed else it
    slots = {"x": x, "xs": xs, "e": e, "c": c, "t": whole, "it": it, "simple": simple}
    slots["bracketed"] = xs if simple == xs else f"({it})"
    slots["chain"] = steps(lang, xs, x, c, changed, e)
    body = body_of(rng, lang, aggregate, slots, changed, functional)
    result = RESULTS[lang].get(aggregate, whole).format(t=whole)
    parameters = [(xs, LISTS[lang].format(t=whole))]
    if lang == "zig" and aggregate == "list":
        parameters = [("allocator", "std.mem.Allocator")] + parameters
    return Function(lang, name, description, make_public(lang, name, parameters, result, body, rng), "pipeline")
