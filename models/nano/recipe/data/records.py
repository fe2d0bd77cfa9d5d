"""Functions on lists of records: find, filter, count, group, sort or total them by one of their fields.

`KINDS` says for each kind what it is called, asked and written like, with these names between braces: `item`, `many`
and `record` (one, the list, the type), `field` and `plain` (as the language writes it, and in snake case), `access` and
`of` (the field's name in the record, and that of an item), `test`, `clause` and `part` (a condition, in code, in words,
and in names), `nt` (the type of a number), `sign`, `a` and `b` (of an order).
"""

import dataclasses

import vocabulary as words
from languages import KEYWORDS, TYPES, Function, case, distinct, function_case, make

# Types of results, by language.
NUMBER = {"py": "int", "ts": "number", "rs": "usize", "go": "int", "zig": "usize"}
TRUTH = {lang: types["bool"] for lang, types in TYPES.items()}
FLOAT = {lang: types["float"] for lang, types in TYPES.items()}
SAME = dict.fromkeys(TYPES, "{nt}")
RECORDS = {"py": "list[{record}]", "ts": "{record}[]", "rs": "Vec<{record}>", "go": "[]{record}", "zig": "![]{record}"}
LISTS = RECORDS | {"rs": "&[{record}]", "zig": "[]const {record}"}


@dataclasses.dataclass
class Kind:
    """What one kind of function is called, asked and written like.

    `shared` is the chance of the first of two names, where they do not come equally often.
    """

    names: list
    descriptions: list
    results: dict
    bodies: dict
    shared: float | None = None
    allocates: bool = False


def filtered(test):
    """Bodies that keep the records for which a test holds; the test of each language is given."""
    return {
        "py": f"    return [{{item}} for {{item}} in {{many}} if {test['py']}]",
        "ts": f"    return {{many}}.filter(({{item}}) => {test['ts']});",
        "rs": test["rs"],
        "go": f"    var result []{{record}}\n    for _, {{item}} := range {{many}} {{{{\n        if {test['go']} {{{{\n            result = append(result, {{item}})\n        }}}}\n    }}}}\n    return result",
        "zig": f"    var result = std.ArrayList({{record}}).init(allocator);\n    errdefer result.deinit();\n    for ({{many}}) |{{item}}| {{{{\n        if ({test['zig']}) try result.append({{item}});\n    }}}}\n    return result.toOwnedSlice();",
    }


KINDS = {
    "find": Kind(
        ["find_by_{plain}", "find_{item}_by_{plain}"],
        ["Find {an_item} by {field}", "Return the {item} with the given {field}", "Find the first {item} whose {field} matches"],
        {"py": "{record} | None", "ts": "{record} | undefined", "rs": "Option<&'a {record}>", "go": "*{record}", "zig": "?{record}"},
        {
            "py": "    for {item} in {many}:\n        if {of} == {field}:\n            return {item}\n    return None",
            "ts": "    return {many}.find(({item}) => {of} === {field});",
            "rs": "    {many}.iter().find(|{item}| {of} == {field})",
            "go": "    for i := range {many} {{\n        if {many}[i].{access} == {field} {{\n            return &{many}[i]\n        }}\n    }}\n    return nil",
            "zig": "    for ({many}) |{item}| {{\n        if (std.mem.eql(u8, {of}, {field})) return {item};\n    }}\n    return null;",
        },
        shared=0.4,
    ),
    "equal": Kind(
        ["{many}_by_{plain}", "filter_by_{plain}"],
        ["Return all {many} with a given {field}", "Filter the {many} by {field}", "Keep the {many} whose {field} equals the given value"],
        RECORDS,
        filtered(
            dict.fromkeys(TYPES, "{of} == {field}")
            | {
                "ts": "{of} === {field}",
                "rs": "    {many}\n        .iter()\n        .filter(|{item}| {of} == {field})\n        .cloned()\n        .collect()",
                "zig": "std.mem.eql(u8, {of}, {field})",
            }
        ),
        shared=0.5,
        allocates=True,
    ),
    "above": Kind(
        ["{many}_{part}", "filter_{many}", "{many}_{part}_{plain}"],
        ["Return the {many} {clause}", "Filter the {many} {clause}", "Keep only {many} {clause}"],
        RECORDS,
        filtered(
            dict.fromkeys(TYPES, "{test}") | {"rs": "    {many}.iter().filter(|{item}| {test}).cloned().collect()"}
        ),
        allocates=True,
    ),
    "count": Kind(
        ["count_{many}", "count_{many}_{part}"],
        ["Count the {many} {clause}", "Return the number of {many} {clause}", "Return how many {many} there are {clause}"],
        NUMBER,
        {
            "py": "    return sum(1 for {item} in {many} if {test})",
            "ts": "    return {many}.filter(({item}) => {test}).length;",
            "rs": "    {many}.iter().filter(|{item}| {test}).count()",
            "go": "    count := 0\n    for _, {item} := range {many} {{\n        if {test} {{\n            count++\n        }}\n    }}\n    return count",
            "zig": "    var count: usize = 0;\n    for ({many}) |{item}| {{\n        if ({test}) count += 1;\n    }}\n    return count;",
        },
    ),
    "any": Kind(
        ["any_{item}_{part}", "has_{item}_{part}"],
        ["Check whether any {item} exists {clause}", "Return true if there is {an_item} {clause}"],
        TRUTH,
        {
            "py": "    return any({test} for {item} in {many})",
            "ts": "    return {many}.some(({item}) => {test});",
            "rs": "    {many}.iter().any(|{item}| {test})",
            "go": "    for _, {item} := range {many} {{\n        if {test} {{\n            return true\n        }}\n    }}\n    return false",
            "zig": "    for ({many}) |{item}| {{\n        if ({test}) return true;\n    }}\n    return false;",
        },
    ),
    "group": Kind(
        ["group_by_{plain}", "group_{many}_by_{plain}"],
        ["Group {many} by {field}", "Group the {many} by their {field}", "Return a map from {field} to the {many} with that {field}"],
        {
            "py": "dict[str, list[{record}]]", "ts": "Record<string, {record}[]>", "rs": "HashMap<String, Vec<{record}>>",
            "go": "map[string][]{record}", "zig": "!std.StringHashMap(usize)",
        },
        {
            "py": "    groups: dict[str, list[{record}]] = {{}}\n    for {item} in {many}:\n        groups.setdefault({of}, []).append({item})\n    return groups",
            "ts": "    const groups: Record<string, {record}[]> = {{}};\n    for (const {item} of {many}) {{\n        (groups[{of}] ??= []).push({item});\n    }}\n    return groups;",
            "rs": "    let mut groups: HashMap<String, Vec<{record}>> = HashMap::new();\n    for {item} in {many} {{\n        groups\n            .entry({of}.clone())\n            .or_default()\n            .push({item}.clone());\n    }}\n    groups",
            "go": "    groups := make(map[string][]{record})\n    for _, {item} := range {many} {{\n        groups[{of}] = append(groups[{of}], {item})\n    }}\n    return groups",
            "zig": "    var counts = std.StringHashMap(usize).init(allocator);\n    errdefer counts.deinit();\n    for ({many}) |{item}| {{\n        const entry = try counts.getOrPutValue({of}, 0);\n        entry.value_ptr.* += 1;\n    }}\n    return counts;",
        },
        allocates=True,
    ),
    "list": Kind(
        ["list_{plains}", "{item}_{plains}"],
        ["Return the {field} of every {item}", "Collect the {field} of all {many}", "List the {field} of each {item}"],
        {"py": "list[str]", "ts": "string[]", "rs": "Vec<String>", "go": "[]string", "zig": "![][]const u8"},
        {
            "py": "    return [{of} for {item} in {many}]",
            "ts": "    return {many}.map(({item}) => {of});",
            "rs": "    {many}.iter().map(|{item}| {of}.clone()).collect()",
            "go": "    result := make([]string, 0, len({many}))\n    for _, {item} := range {many} {{\n        result = append(result, {of})\n    }}\n    return result",
            "zig": "    const result = try allocator.alloc([]const u8, {many}.len);\n    for ({many}, result) |{item}, *slot| {{\n        slot.* = {of};\n    }}\n    return result;",
        },
        allocates=True,
    ),
    "sum": Kind(
        ["total_{plain}"],
        ["Return the total {field} of all {many}", "Sum the {field} of the {many}", "Add up the {field} of every {item}"],
        SAME,
        {
            "py": "    return sum({of} for {item} in {many})",
            "ts": "    return {many}.reduce((total, {item}) => total + {of}, 0);",
            "rs": "    {many}.iter().map(|{item}| {of}).sum()",
            "go": "    var total {nt}\n    for _, {item} := range {many} {{\n        total += {of}\n    }}\n    return total",
            "zig": "    var total: {nt} = 0;\n    for ({many}) |{item}| {{\n        total += {of};\n    }}\n    return total;",
        },
    ),
    "average": Kind(
        ["average_{plain}"],
        ["Return the average {field} of the {many}", "Compute the mean {field} of all {many}"],
        FLOAT,
        {
            "py": "    if not {many}:\n        return 0.0\n    return sum({of} for {item} in {many}) / len({many})",
            "ts": "    if ({many}.length === 0) {{\n        return 0;\n    }}\n    const total = {many}.reduce((sum, {item}) => sum + {of}, 0);\n    return total / {many}.length;",
            "rs": "    if {many}.is_empty() {{\n        return 0.0;\n    }}\n    let total: f64 = {many}.iter().map(|{item}| {of}).sum();\n    total / {many}.len() as f64",
            "go": "    if len({many}) == 0 {{\n        return 0\n    }}\n    total := 0.0\n    for _, {item} := range {many} {{\n        total += {of}\n    }}\n    return total / float64(len({many}))",
            "zig": "    if ({many}.len == 0) return 0;\n    var total: f64 = 0;\n    for ({many}) |{item}| {{\n        total += {of};\n    }}\n    return total / @as(f64, @floatFromInt({many}.len));",
        },
    ),
    "top": Kind(
        ["{item}_with_highest_{plain}", "top_{item}", "best_{item}_by_{plain}"],
        ["Return the {item} with the highest {field}", "Find the {item} with the largest {field}"],
        {"py": "{record}", "ts": "{record}", "rs": "Option<&{record}>", "go": "{record}", "zig": "?{record}"},
        {
            "py": "    return max({many}, key=lambda {item}: {of})",
            "ts": "    return {many}.reduce((best, {item}) => ({of} > best.{access} ? {item} : best));",
            "rs": "    {many}.iter().max_by_key(|{item}| {of})",
            "go": "    best := {many}[0]\n    for _, {item} := range {many}[1:] {{\n        if {of} > best.{access} {{\n            best = {item}\n        }}\n    }}\n    return best",
            "zig": "    if ({many}.len == 0) return null;\n    var best = {many}[0];\n    for ({many}[1..]) |{item}| {{\n        if ({of} > best.{access}) best = {item};\n    }}\n    return best;",
        },
    ),
    "sort": Kind(
        ["sort_by_{plain}", "sort_{many}_by_{plain}"],
        ["Sort the {many} by {field}{downwards}"],
        {"py": "list[{record}]", "ts": "{record}[]", "rs": "", "go": "", "zig": "void"},
        {
            "py": "    return sorted({many}, key=lambda {item}: {of}{reverse})",
            "ts": "    return [...{many}].sort((a, b) => {a}.{access} - {b}.{access});",
            "rs": "    {many}.sort_by(|a, b| {a}.{access}.cmp(&{b}.{access}));",
            "go": "    sort.Slice({many}, func(i, j int) bool {{\n        return {many}[i].{access} {sign} {many}[j].{access}\n    }})",
            "zig": "    std.mem.sort({record}, {many}, {{}}, struct {{\n        fn lessThan(_: void, a: {record}, b: {record}) bool {{\n            return a.{access} {sign} b.{access};\n        }}\n    }}.lessThan);",
        },
    ),
    "index": Kind(
        ["index_by_{plain}", "{many}_by_{plain}_map"],
        ["Return a map from {field} to {item}", "Index the {many} by their {field}"],
        {
            "py": "dict[str, {record}]", "ts": "Map<string, {record}>", "rs": "HashMap<String, {record}>",
            "go": "map[string]{record}", "zig": "!std.StringHashMap({record})",
        },
        {
            "py": "    return {{{of}: {item} for {item} in {many}}}",
            "ts": "    return new Map({many}.map(({item}) => [{of}, {item}]));",
            "rs": "    {many}\n        .iter()\n        .map(|{item}| ({of}.clone(), {item}.clone()))\n        .collect()",
            "go": "    result := make(map[string]{record}, len({many}))\n    for _, {item} := range {many} {{\n        result[{of}] = {item}\n    }}\n    return result",
            "zig": "    var result = std.StringHashMap({record}).init(allocator);\n    errdefer result.deinit();\n    for ({many}) |{item}| {{\n        try result.put({of}, {item});\n    }}\n    return result;",
        },
        allocates=True,
    ),
}  # fmt: skip
TESTED = ("above", "count", "any")
CONDITIONS = [(">", "greater than", "above"), ("<", "less than", "below"), (">=", "of at least", "from")]
# Names that the bodies have themselves.
LOCALS = ("total", "best", "result", "count", "groups", "counts", "entry", "slot", "i", "sum")


def one_of(rng, options, shared=None):
    """One of the options: by the chance of the first, or equally often; a single one without a draw."""
    if shared is not None:
        return options[0] if rng.random() < shared else options[1]
    return rng.choice(options) if len(options) > 1 else options[0]


def record_query(rng, lang):
    """A function of a random kind."""
    item = words.noun(rng)
    while item in KEYWORDS:
        item = words.noun(rng)
    many, record = words.plural(item), words.pascal(item)
    plain = rng.choice(distinct(rng, 1))
    field = case(lang, plain)
    access = words.pascal(plain) if lang == "go" else field
    number = rng.choice(["int", "float"])
    name = rng.choice(["find", "equal", "above", "count", "group", "list", "sum", "average", "top", "sort", "index", "any"])
    kind, types = KINDS[name], TYPES[lang]
    limit = case(lang, rng.choice(["limit", "minimum", "threshold", "bound"]))
    slots = {"item": item, "an_item": words.article(item), "many": many, "record": record, "field": field, "plain": plain}
    slots |= {"plains": words.plural(plain), "access": access, "of": f"{item}.{access}", "nt": types[number]}
    parameters = [(many, LISTS[lang].format(**slots))]
    if name in ("find", "equal"):
        parameters.append((field, types["str"]))
    if name in TESTED:
        sign, text, slots["part"] = rng.choice(CONDITIONS)
        given = rng.random() < 0.5
        value = limit if given else str(rng.choice([3, 5, 10, 18, 30, 50, 100, 250, 1000]))
        if lang == "rs" and number == "float" and not given:
            value += ".0"
        if given:
            parameters.append((limit, types[number]))
        slots["test"] = f"{item}.{access} {sign} {value}"
        slots["clause"] = f"with {words.article(field)} {text} {'the ' if given else ''}{value.replace('.0', '')}"
    if name == "sort":
        down = rng.random() < 0.4
        slots |= {"a": "b" if down else "a", "b": "a" if down else "b", "sign": ">" if down else "<"}
        slots |= {"reverse": ", reverse=True" if down else "", "downwards": " in descending order" if down else ""}
        changed = {"rs": f"&mut [{record}]", "zig": f"[]{record}"}
        parameters = [(many, changed.get(lang, parameters[0][1]))]
    base = one_of(rng, kind.names, kind.shared).format(**slots)
    description = one_of(rng, kind.descriptions).format(**slots)
    if name == "group" and lang == "zig":
        description, base = f"Count the {many} per {field}", f"count_by_{plain}"
    if kind.allocates and lang == "zig":
        parameters = [("allocator", "std.mem.Allocator")] + parameters
    called = function_case(lang, base, rng)
    code = make(lang, called, parameters, kind.results[lang].format(**slots), kind.bodies[lang].format(**slots), rng)
    if lang == "rs" and name == "find":
        code = code.replace(f"fn {called}(", f"fn {called}<'a>(").replace(f"&[{record}]", f"&'a [{record}]")
    if any(local in (item, many, field) for local in LOCALS) or item == field or many == field or limit in (item, many):
        return record_query(rng, lang)
    return Function(lang, called, description, code, f"record_{name}", False)
