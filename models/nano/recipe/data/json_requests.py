"""JSON requests and their answers: keys and values from open vocabularies, to be copied."""

import json

import vocabulary as words

SUBJECTS = "user person product book order customer event movie task server device employee student invoice city car".split()


def value_of(rng, kind):
    """A random value of a kind."""
    if kind == "name":
        return words.person(rng)
    if kind == "integer":
        return words.integer(rng)
    if kind == "decimal":
        return words.decimal(rng)
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "null":
        return None
    if kind == "date":
        return words.date(rng)
    if kind == "tags":
        pool = rng.choice([words.TAGS, words.NOUNS, words.ADJECTIVES])
        return rng.sample(pool, rng.randint(1, 4))
    if kind == "numbers":
        return [rng.randint(0, 100) for _ in range(rng.randint(2, 4))]
    if kind == "email":
        return f"{rng.choice(words.FIRST).lower()}@{rng.choice(['example.com', 'example.org', 'mail.test'])}"
    if kind == "place":
        return rng.choice(words.CITIES + words.COUNTRIES)
    if kind == "state":
        return rng.choice(words.STATES)
    if kind == "phrase":
        return words.phrase(rng)
    return words.noun(rng) if rng.random() < 0.7 else words.made_up(rng)


# keys with a usual meaning and the kind of their values
KNOWN = {
    "id": "integer", "name": "name", "age": "integer", "email": "email", "active": "boolean", "admin": "boolean",
    "tags": "tags", "city": "place", "country": "place", "price": "decimal", "quantity": "integer", "title": "phrase",
    "author": "name", "year": "integer", "pages": "integer", "rating": "decimal", "done": "boolean", "status": "state",
    "priority": "integer", "created_at": "date", "due_date": "date", "total": "decimal", "paid": "boolean",
    "host": "word", "port": "integer", "enabled": "boolean", "debug": "boolean", "version": "decimal", "count": "integer",
    "description": "phrase", "category": "word", "color": "word", "weight": "decimal", "height": "decimal",
    "scores": "numbers", "roles": "tags", "skills": "tags", "error": "null", "parent": "null", "label": "word",
    "code": "integer", "message": "phrase", "type": "word", "level": "integer", "score": "integer", "team": "word",
    "population": "integer", "genre": "word", "language": "word", "width": "integer", "timeout": "integer",
    "retries": "integer", "verbose": "boolean", "public": "boolean", "balance": "decimal", "currency": "word",
    "latitude": "decimal", "longitude": "decimal", "street": "phrase", "zip": "integer", "owner": "name", "items": "tags",
    "user": "name", "first_name": "name", "last_name": "name", "salary": "integer", "brand": "word", "model": "word",
    "duration": "integer", "sku": "word", "amount": "integer", "order_id": "integer", "url": "word", "available": "boolean",
}
KINDS = "name integer integer decimal boolean null date tags numbers place state phrase word word".split()


def key_kinds(rng, count):
    """Distinct keys with the kinds of their values: known ones or any identifier."""
    chosen = {}
    known = rng.random() < 0.6
    while len(chosen) < count:
        if known and rng.random() < 0.85:
            key = rng.choice(list(KNOWN))
            chosen[key] = KNOWN[key]
        else:
            key = words.identifier(rng)
            chosen[words.camel(key) if rng.random() < 0.15 else key] = rng.choice(KINDS)
    return chosen


def spoken(rng, key, value, quoted):
    """A key with its value as the request says it."""
    if isinstance(value, list):
        items = [json.dumps(v) if quoted and isinstance(v, str) else str(v) for v in value]
        return f"{key} " + (", ".join(items) if rng.random() < 0.6 else words.and_list(items))
    if value is None or isinstance(value, bool):
        return f"{key} {json.dumps(value)}"
    if isinstance(value, str) and quoted:
        return f'{key} "{value}"'
    return f"{key} {value}"


def dump(rng, value):
    """Pretty with two spaces, one line, or compact."""
    draw = rng.random()
    if draw < 0.55:
        return json.dumps(value, indent=2)
    if draw < 0.85:
        return json.dumps(value)
    return json.dumps(value, separators=(",", ":"))


def subject(rng):
    """What the object stands for."""
    return rng.choice(SUBJECTS) if rng.random() < 0.5 else words.noun(rng)


def fields_text(rng, keys):
    """The key list in words."""
    shown = [f'"{key}"' if rng.random() < 0.05 else key for key in keys]
    return words.and_list(shown)


def generate(rng):
    """(description, answer text)."""
    kinds = key_kinds(rng, rng.choices([1, 2, 3, 4, 5, 6], [1, 4, 8, 6, 3, 1])[0])
    what = words.article(subject(rng))
    draw = rng.random()
    quoted = rng.random() < 0.4
    value = {key: value_of(rng, kind) for key, kind in kinds.items()}
    if draw < 0.42:
        said = words.and_list(spoken(rng, k, v, quoted) for k, v in value.items())
        start = rng.choice([f"{what} with ", f"{what} with ", f"{what} object with ", "an object with ", "object with "])
        if rng.random() < 0.12:
            said = ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items())
        return start + said, dump(rng, value)
    if draw < 0.62:
        listed = fields_text(rng, value)
        text = rng.choice(
            [f"an object with fields {listed}", f"an object with the fields {listed}", f"{what} with {listed}", f"{what} with the keys {listed}", f"{what} object with {listed}", f"the fields {listed}", f"object with keys {', '.join(value)}"]
        )
        return text, dump(rng, value)
    if draw < 0.68:
        keys = list(value)
        return f"object with keys {', '.join(keys)} and the values {', '.join(json.dumps(value[k]) for k in keys)}", dump(rng, value)
    if draw < 0.80:
        count = rng.randint(2, 4)
        number = rng.choice([str(count), ["two", "three", "four"][count - 2]])
        rows = [{key: value_of(rng, kind) for key, kind in kinds.items()} for _ in range(count)]
        many = words.plural(subject(rng))
        start = rng.choice([f"a list of {number} {many}", f"an array of {number} {many}", f"a JSON array of {number} {many}", f"an array of {number} objects"])
        return f"{start} with {fields_text(rng, kinds)}", dump(rng, rows)
    if draw < 0.88:
        inner = key_kinds(rng, rng.randint(2, 3))
        name = rng.choice(["address", "location", "owner", "settings", "details"] + [words.noun(rng)] * 3)
        if name in value:
            return generate(rng)
        nested = {key: value_of(rng, kind) for key, kind in inner.items()}
        value[name] = nested
        if rng.random() < 0.5:
            outer = words.and_list(k for k in value if k != name)
            return f"{what} with {outer} and {words.article(name)} object with {words.and_list(nested)}", dump(rng, value)
        outer = ", ".join(spoken(rng, k, v, quoted) for k, v in value.items() if k != name)
        return f"{what} with {outer} and {name} with {words.and_list(spoken(rng, k, v, quoted) for k, v in nested.items())}", dump(rng, value)
    if draw < 0.94:
        inner = key_kinds(rng, rng.randint(2, 3))
        name = words.plural(rng.choice(["item", "user", "task", "product", words.noun(rng), words.noun(rng)]))
        if name in value:
            return generate(rng)
        count = rng.randint(2, 3)
        value[name] = [{key: value_of(rng, kind) for key, kind in inner.items()} for _ in range(count)]
        outer = ", ".join(spoken(rng, k, v, quoted) for k, v in value.items() if k != name)
        number = ["two", "three"][count - 2]
        return f"{what} with {outer} and {name}, a list of {number} objects with {words.and_list(inner)}", dump(rng, value)
    items = rng.sample(rng.choice([words.NOUNS, words.CITIES, words.TAGS, words.ADJECTIVES]), rng.randint(2, 5))
    if rng.random() < 0.3:
        items = [words.integer(rng) for _ in items]
        return f"an array of the numbers {words.and_list(map(str, items))}", dump(rng, items)
    return f"an array of the strings {words.and_list(items)}", dump(rng, items)


def questions(description):
    """The request sentences for a description."""
    return [
        f"Create {description} as JSON", f"Create a JSON object: {description}", f"Generate JSON for {description}",
        f"Write JSON for {description}", f"JSON: {description}", f"Return {description} in JSON", f"json with {description}",
        f"Give me a JSON document for {description}", f"Create a JSON value for {description}", f"Write {description} as JSON",
    ] + (
        [description.replace(" object with", " with").replace("an object with", "Create a JSON object with")] * 3
        if description.startswith("an object with")
        else [f"Create a JSON object for {description}"] * 3 if not description.startswith(("an array", "a list", "a JSON")) else [f"Return {description}"]
    )
