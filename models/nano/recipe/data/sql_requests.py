"""SQL questions and their answers over tables, columns and values from open vocabularies."""

import dataclasses

import vocabulary as words

RESERVED = set(
    """order group index table key check match case values set value column date time text user view limit join
    transaction row rows range rank left right full cross natural inner outer end exists offset action add all and as
    plan release replace cast collate default drop each escape except fail filter first following for from generated
    groups if ignore in into is last no not nothing null of on or over partition query raise recursive
    references restrict select temp then to trigger union unique update using window with within materialized abort
    after always analyze before begin between by cascade commit conflict constraint create current database day""".split()
)


@dataclasses.dataclass
class Table:
    """A table with its columns; kinds are i(nteger), f(loat), s(tring), b(oolean), d(ate)."""

    name: str
    columns: list

    def of(self, kinds):
        """The names of the columns of these kinds, keys left out."""
        return [c for c, k in self.columns if k in kinds and c != "id" and not c.endswith("_id")]

    def schema(self):
        """The table as a request states it."""
        return f"{self.name}({', '.join(c for c, _ in self.columns)})"


USUAL = {
    "name": "s", "title": "s", "email": "s", "city": "s", "country": "s", "status": "s", "category": "s", "age": "i",
    "price": "f", "year": "i", "rating": "f", "score": "i", "amount": "f", "total": "f", "salary": "f", "stock": "i",
    "created_at": "d", "due_date": "d", "active": "b", "paid": "b", "done": "b", "quantity": "i", "population": "i",
    "weight": "f", "height": "f", "color": "s", "department": "s", "author": "s", "level": "i", "balance": "f",
    "points": "i", "cost": "f", "duration": "i", "sold_at": "d", "archived": "b", "owner": "s", "brand": "s",
}
USUAL_TABLES = """users customers orders products employees books movies students cities posts comments invoices cars
tasks events flights accounts songs teams logs sales departments items payments messages players""".split()


def column(rng):
    """A column with its kind."""
    if rng.random() < 0.6:
        return rng.choice(list(USUAL.items()))
    while True:
        name = words.identifier(rng)
        if name not in RESERVED:
            return name, rng.choice("ssifb" if rng.random() < 0.8 else "d")


def make_table(rng, extra=None):
    """A random table with an id and two to five other columns."""
    name = rng.choice(USUAL_TABLES) if rng.random() < 0.4 else words.plural(words.noun(rng))
    columns = [("id", "i")]
    if rng.random() < 0.5:
        columns.append(rng.choice([("name", "s"), ("name", "s"), ("title", "s")]))
    if extra:
        columns.append((extra, "i"))
    count = len(columns) + rng.randint(2, 4)
    while len(columns) < count:
        new = column(rng)
        if new[0] not in [c for c, _ in columns] and new[0] != name:
            columns.append(new)
    if not any(k in "if" for c, k in columns if c != "id" and not c.endswith("_id")):
        columns.append(rng.choice([p for p in USUAL.items() if p[1] in "if" and p[0] not in dict(columns)]))
    if not any(k == "s" for _, k in columns):
        columns.append(rng.choice([p for p in USUAL.items() if p[1] == "s" and p[0] not in dict(columns)]))
    if name in RESERVED:
        return make_table(rng, extra)
    return Table(name, columns)


def text_value(rng, name):
    """A text for a column."""
    if name in ("name", "owner", "author"):
        return words.person(rng)
    if name in ("city", "country"):
        return rng.choice(words.CITIES if name == "city" else words.COUNTRIES)
    if name == "status":
        return rng.choice(words.STATES)
    if name == "email":
        return f"{rng.choice(words.FIRST).lower()}@example.com"
    draw = rng.random()
    if draw < 0.4:
        return words.noun(rng).capitalize() if rng.random() < 0.5 else words.noun(rng)
    return words.person(rng) if draw < 0.6 else words.phrase(rng) if draw < 0.8 else words.made_up(rng).capitalize()


def number_value(rng, name):
    """A number for a column."""
    if name == "year":
        return rng.randint(1900, 2030)
    return rng.choice([rng.randint(1, 20), rng.choice([18, 21, 25, 30, 40, 50, 60, 75, 100, 140, 250, 500, 1000, 5000]), rng.randint(1, 1000)])


def said(name):
    """A column as a sentence says it."""
    return name.replace("_", " ") if not name.endswith("_at") else name


def one(table):
    """The singular of a table name."""
    name = table.name
    for end, new in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("sses", "ss")):
        if name.endswith(end) and name != "movies":
            return name[: -len(end)] + new
    return name[:-1]


OLDER = {"age": [(">", "older than"), ("<", "younger than")], "price": [(">", "more expensive than"), ("<", "cheaper than")], "weight": [(">", "heavier than"), ("<", "lighter than")]}


def condition(rng, table, prefix="", wanted=None):
    """(SQL test, words for it, column)."""
    name, kind = rng.choice([(c, k) for c, k in table.columns if c != "id" and not c.endswith("_id") and (not wanted or k in wanted)])
    col, spoken = prefix + name, said(name)
    draw = rng.random()
    if kind == "s":
        value = text_value(rng, name)
        if draw < 0.62:
            options = [f"with {spoken} {value}", f"whose {spoken} is {value}", f"with the {spoken} '{value}'", f"where {name} is {value}"]
            if name in ("city", "country"):
                options += [f"in {value}", f"from {value}"]
            return f"{col} = '{value}'", rng.choice(options), name
        if draw < 0.72:
            start = value[: rng.choice([1, 2])].strip()
            return f"{col} LIKE '{start}%'", f"whose {spoken} starts with {start}", name
        if draw < 0.8:
            part = value.split()[0].lower()
            return f"{col} LIKE '%{part}%'", f"whose {spoken} contains {part}", name
        if draw < 0.86:
            return f"{col} IS NULL", rng.choice([f"without {words.article(spoken)}", f"where {name} is null"]), name
        if draw < 0.92:
            return f"{col} != '{value}'", f"whose {spoken} is not {value}", name
        other = text_value(rng, name)
        return f"{col} IN ('{value}', '{other}')", f"whose {spoken} is {value} or {other}", name
    if kind == "b":
        yes = rng.random() < 0.65
        test = rng.choice([f"{col} = {'TRUE' if yes else 'FALSE'}", f"{col} = {int(yes)}", col if yes else f"NOT {col}"])
        return test, f"that are {'' if yes else 'not '}{spoken}", name
    if kind == "d":
        day = words.date(rng)
        sign, text = rng.choice([(">", "after"), ("<", "before"), (">=", "since")])
        return f"{col} {sign} '{day}'", f"with {spoken} {text} {day}", name
    value = number_value(rng, name)
    if name in OLDER and draw < 0.4:
        sign, text = rng.choice(OLDER[name])
        return f"{col} {sign} {value}", f"{text} {value}", name
    if draw < 0.5:
        return f"{col} > {value}", rng.choice([f"with {words.article(spoken)} greater than {value}", f"with {words.article(spoken)} above {value}", f"whose {spoken} is over {value}", f"with {spoken} > {value}"]), name
    if draw < 0.7:
        return f"{col} < {value}", rng.choice([f"with {words.article(spoken)} less than {value}", f"with {words.article(spoken)} below {value}", f"whose {spoken} is under {value}", f"where {name} is before {value}" if name == "year" else f"where {name} is below {value}"]), name
    if draw < 0.8:
        return f"{col} >= {value}", f"with {words.article(spoken)} of at least {value}", name
    if draw < 0.9:
        return f"{col} = {value}", f"with {spoken} {value}", name
    high = value + rng.randint(1, 100)
    return f"{col} BETWEEN {value} AND {high}", f"with {words.article(spoken)} between {value} and {high}", name


def literal(rng, name, kind):
    """(SQL literal, the value as said)."""
    if kind == "s":
        value = text_value(rng, name)
        return f"'{value}'", value
    if kind == "b":
        value = rng.choice(["TRUE", "FALSE"])
        return value, value.lower()
    if kind == "d":
        day = words.date(rng)
        return f"'{day}'", day
    value = str(number_value(rng, name))
    return value, value


AGGREGATES = [("AVG", "average"), ("SUM", "total"), ("MAX", "highest"), ("MIN", "lowest"), ("AVG", "mean"), ("SUM", "sum of the"), ("MAX", "largest"), ("MIN", "smallest")]


def generate(rng):
    """(tables, question, statement)."""
    table = make_table(rng)
    line = "\n" if rng.random() < 0.4 else " "
    draw = rng.random()
    show = rng.choice(["Show", "List", "Get", "Find", "Select", "Return", "Show"])
    name = table.name
    numbers, texts = table.of("if"), table.of("s")
    if draw < 0.27:
        return select_rows(rng, table, line, show)
    if draw < 0.36:
        test, text, _ = condition(rng, table) if rng.random() < 0.75 else ("", "", "")
        question = rng.choice([f"How many {name} are there {text}".strip(), f"Count the {name} {text}".strip(), f"Return the number of {name} {text}".strip(), f"how many {name} {text.replace('with ', 'have ', 1)}" if text.startswith("with ") else f"Count all {name} {text}".strip()])
        return [table], question, f"SELECT COUNT(*){line}FROM {name}" + (f"{line}WHERE {test}" if test else "") + ";"
    if draw < 0.45:
        col = rng.choice(numbers)
        function, word = rng.choice(AGGREGATES)
        test, text, _ = condition(rng, table) if rng.random() < 0.45 else ("", "", "")
        question = rng.choice([f"What is the {word} {said(col)} of the {name} {text}".strip(), f"{show} the {word} {said(col)} of all {name} {text}".strip(), f"Compute the {word} {said(col)} of {name} {text}".strip()])
        alias = rng.choice(["", "", f" AS {word.split()[0]}_{col}"])
        return [table], question, f"SELECT {function}({col}){alias}{line}FROM {name}" + (f"{line}WHERE {test}" if test else "") + ";"
    if draw < 0.63:
        return grouped(rng, table, line, show)
    if draw < 0.75:
        return joined(rng, line, show)
    if draw < 0.79:
        col = rng.choice(texts)
        question = rng.choice([f"{show} the distinct {words.plural(said(col))} of {name}", f"{show} the different {words.plural(said(col))} of the {name}", f"Which {words.plural(said(col))} occur in {name}"])
        return [table], question, f"SELECT DISTINCT {col}{line}FROM {name};"
    if draw < 0.86:
        chosen = [pair for pair in table.columns if pair[0] != "id"]
        chosen = sorted(rng.sample(chosen, rng.randint(1, min(4, len(chosen)))), key=table.columns.index)
        values = [literal(rng, c, k) for c, k in chosen]
        listed = words.and_list(f"{said(c)} {v[1]}" for (c, _), v in zip(chosen, values))
        question = rng.choice([f"Insert {words.article(one(table))} with {listed}", f"Add {words.article(one(table))} with {listed}", f"Insert into {name} {listed}"])
        return [table], question, f"INSERT INTO {name} ({', '.join(c for c, _ in chosen)}){line}VALUES ({', '.join(v[0] for v in values)});"
    if draw < 0.91:
        col, kind = rng.choice([p for p in table.columns if p[0] != "id"])
        value, spoken = literal(rng, col, kind)
        test, text, used = condition(rng, table)
        if rng.random() < 0.2:
            test = f"id = {rng.randint(1, 500)}"
            text = f"with id {test.split()[-1]}"
        question = rng.choice([f"Set the {said(col)} to {spoken} for {name} {text}", f"Update the {said(col)} to {spoken} for the {name} {text}", f"Change {said(col)} to {spoken} for all {name} {text}"])
        if kind in "if" and rng.random() < 0.25:
            step = rng.randint(1, 50)
            value, question = f"{col} + {step}", f"Increase the {said(col)} by {step} for {name} {text}"
        return [table], question, f"UPDATE {name}{line}SET {col} = {value}{line}WHERE {test};"
    if draw < 0.95:
        test, text, _ = condition(rng, table)
        return [table], rng.choice(["Delete", "Remove"]) + rng.choice([" the ", " all "]) + f"{name} {text}", f"DELETE FROM {name}{line}WHERE {test};"
    kinds = {"i": "INTEGER", "s": "TEXT", "f": rng.choice(["REAL", "NUMERIC"]), "b": "BOOLEAN", "d": "DATE"}
    lines = ",\n".join(f"    {c} {kinds[k]}" + (" PRIMARY KEY" if c == "id" else "") for c, k in table.columns)
    listed = words.and_list(c for c, _ in table.columns)
    typed = words.and_list(f"{c} {kinds[k].lower()}" for c, k in table.columns)
    question = rng.choice([f"Create a table {name} with {listed}", f"Create a table named {name} with the columns {listed}", f"Create a table {name} with the columns {typed}", f"Define a table for {name} with {listed}"])
    return [], question, f"CREATE TABLE {name} (\n{lines}\n);"


def order_and_limit(rng, table, line):
    """An ORDER BY (and LIMIT) clause with its words, or nothing."""
    if rng.random() > 0.45:
        return "", ""
    col, kind = rng.choice(table.columns)
    down = rng.random() < 0.5
    clause = f"{line}ORDER BY {col}" + (" DESC" if down else "")
    text = f", {rng.choice(['sorted by', 'ordered by'])} {said(col)}" + (" in descending order" if down else "")
    if kind in "if" and down and rng.random() < 0.5:
        text = f", highest {said(col)} first"
    if rng.random() < 0.5:
        count = rng.choice([1, 2, 3, 5, 10, 20, 50, 100])
        clause += f"{line}LIMIT {count}"
        text += f", limited to {count} rows" if count > 1 else ", only the first row"
    return clause, text


def select_rows(rng, table, line, show):
    """SELECT columns with conditions, order and limit."""
    name = table.name
    if rng.random() < 0.15 and table.of("if"):
        col, count = rng.choice(table.of("if")), rng.choice([1, 3, 5, 10])
        down = rng.random() < 0.6
        what = f"the {count} {name}" if count > 1 else f"the {one(table)}"
        question = f"{show} {what} with the {'highest' if down else 'lowest'} {said(col)}"
        return [table], question, f"SELECT *{line}FROM {name}{line}ORDER BY {col}{' DESC' if down else ''}{line}LIMIT {count};"
    if rng.random() < 0.3:
        chosen, text = "*", f"all {name}"
    else:
        listed = rng.sample([c for c, _ in table.columns], rng.randint(1, 3))
        chosen = ", ".join(listed)
        text = rng.choice([f"the {words.and_list(map(said, listed))} of all {name}", f"the {words.and_list(map(said, listed))} of {name}", f"{words.and_list(map(said, listed))} from {name}"])
    tests, clauses, used = [], [], set()
    for _ in range(rng.choices([0, 1, 2], [0.18, 0.6, 0.22])[0]):
        test, clause, col = condition(rng, table)
        if col not in used:
            used.add(col)
            tests.append(test)
            clauses.append(clause)
    either = len(tests) > 1 and rng.random() < 0.25
    statement = f"SELECT {chosen}{line}FROM {name}"
    if tests:
        statement += f"{line}WHERE " + (" OR " if either else " AND ").join(tests)
        text += " " + (" or " if either else " and ").join(clauses)
    clause, order = order_and_limit(rng, table, line)
    return [table], f"{show} {text}{order}", statement + clause + ";"


def grouped(rng, table, line, show):
    """GROUP BY with an aggregate, HAVING, ORDER BY, LIMIT."""
    name = table.name
    group = rng.choice(table.of("s") + (["year"] if "year" in dict(table.columns) else []))
    condition_text, where = "", ""
    if rng.random() < 0.45:
        test, condition_text, used = condition(rng, table)
        if used == group:
            condition_text = ""
        else:
            where, condition_text = f"{line}WHERE {test}", " " + condition_text
    numbers = [c for c in table.of("if") if c != group]
    if numbers and rng.random() < 0.5:
        col = rng.choice(numbers)
        function, word = rng.choice(AGGREGATES)
        value, alias = f"{function}({col})", f"{word.split()[0]}_{col}"
        each = rng.choice(["per", "for each", "by"])
        question = rng.choice([f"{show} the {word} {said(col)} of {name}{condition_text} {each} {said(group)}", f"{word.capitalize()} {said(col)} of the {name}{condition_text} per {said(group)}"])
        if function == "SUM" and rng.random() < 0.4:
            question = f"Sum the {said(col)} of the {name}{condition_text} {each} {said(group)}"
    else:
        value, alias = "COUNT(*)", rng.choice(["count", f"{one(table)}_count"])
        question = rng.choice(
            [f"Count the {name}{condition_text} per {said(group)}", f"{show} the number of {name}{condition_text} per {said(group)}", f"How many {name}{condition_text} are there for each {said(group)}", f"Count the {name}{condition_text} by {said(group)}"]
        )
    alias = alias if rng.random() < 0.5 else ""
    statement = f"SELECT {group}, {value}" + (f" AS {alias}" if alias else "") + f"{line}FROM {name}{where}{line}GROUP BY {group}"
    draw = rng.random()
    if draw < 0.22:
        bound = rng.choice([1, 2, 3, 4, 5, 10, 20, 100])
        statement += f"{line}HAVING {value} > {bound}"
        if value == "COUNT(*)" and not condition_text and rng.random() < 0.5:
            question = f"{show} every {said(group)} with more than {bound} {name}"
        else:
            question += f", only where it is above {bound}"
    elif draw < 0.45:
        statement += f"{line}ORDER BY {alias or value} DESC"
        if rng.random() < 0.5:
            count = rng.choice([1, 3, 5, 10])
            statement += f"{line}LIMIT {count}"
            question += f", only the top {count}"
        else:
            question += ", highest first"
    return [table], question, statement + ";"


def joined(rng, line, show):
    """A join of two tables over a key."""
    owner = make_table(rng)
    label = one(owner)
    items = make_table(rng, f"{label}_id")
    if items.name == owner.name or items.name[0] == owner.name[0]:
        return joined(rng, line, show)
    key = f"{label}_id"
    if rng.random() < 0.6:
        a, b, sources = items.name[0], owner.name[0], (f"{items.name} {items.name[0]}", f"{owner.name} {owner.name[0]}")
    else:
        a, b, sources = items.name, owner.name, (items.name, owner.name)
    if a in RESERVED or b in RESERVED:
        return joined(rng, line, show)
    word = rng.choice(["JOIN", "JOIN", "INNER JOIN", "LEFT JOIN"])
    group = "name" if "name" in dict(owner.columns) else "title" if "title" in dict(owner.columns) else owner.of("s")[0]
    draw = rng.random()
    source = f"FROM {sources[0]}{line}{word} {sources[1]} ON {a}.{key} = {b}.id"
    if draw < 0.25:
        question = rng.choice([f"Count the {items.name} of each {label}", f"How many {items.name} does each {label} have", f"Count the {items.name} per {label} {said(group)}"])
        return [items, owner], question, f"SELECT {b}.{group}, COUNT(*) AS {one(items)}_count{line}{source}{line}GROUP BY {b}.{group};"
    if draw < 0.5 and items.of("if"):
        col = rng.choice(items.of("if"))
        function, text = rng.choice(AGGREGATES[:4])
        question = rng.choice([f"{show} the {text} {said(col)} of the {items.name} per {label} {said(group)}", f"{show} the {text} {said(col)} of {items.name} for each {label} {said(group)}"])
        if function == "SUM" and rng.random() < 0.5:
            question = f"Sum the {said(col)} of the {items.name} per {label} {said(group)}"
        return [items, owner], question, f"SELECT {b}.{group}, {function}({a}.{col}) AS {text}_{col}{line}{source}{line}GROUP BY {b}.{group};"
    col, other = rng.choice([c for c, _ in items.columns if c != key]), rng.choice([c for c, _ in owner.columns if c != "id"])
    question = rng.choice(
        [f"{show} the {said(col)} of the {items.name} with the {said(other)} of the {label}", f"Join {items.name} and {owner.name} and return the {said(col)} of the {items.name} and the {said(other)} of the {label}"]
    )
    statement = f"SELECT {a}.{col}, {b}.{other}{line}{source}"
    if rng.random() < 0.4:
        test, text, _ = condition(rng, items, a + ".")
        statement += f"{line}WHERE {test}"
        question += f" for {items.name} {text}"
    return [items, owner], question, statement + ";"


def questions(question):
    """The request sentences for a question."""
    first = question.split()[0]
    low = question[0].lower() + question[1:]
    if first in ("How", "What", "Which", "how"):
        return [f"{question}? Answer with SQL", f"SQL: {low}", f"Write a SQL query: {low}", f"sql query: {low}", f"Write a SQL query for this question: {question}?"]
    kind = "statement" if first in ("Insert", "Add", "Set", "Update", "Change", "Delete", "Remove", "Create", "Increase", "Define") else "query"
    return [
        f"Write a SQL {kind}: {low}", f"Write a SQL {kind} to {low}", f"SQL {kind} to {low}", f"SQL: {low}", f"{question} in SQL",
        f"sql {kind}: {low}", f"Write a SQL {kind} that does this: {low}", f"Give me a SQL {kind} to {low}",
    ]
