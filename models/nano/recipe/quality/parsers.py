"""Judges texts with parsers that other people wrote: tree-sitter's grammars, Python's `json`, and SQLite."""

import importlib
import json
import re
import sqlite3
from functools import lru_cache

MODULES = {
    "py": ("tree_sitter_python", "language"),
    "ts": ("tree_sitter_typescript", "language_typescript"),
    "rs": ("tree_sitter_rust", "language"),
    "go": ("tree_sitter_go", "language"),
    "zig": ("tree_sitter_zig", "language"),
}
FUNCTIONS = {
    "py": {"function_definition"},
    "ts": {
        "function_declaration", "function_expression", "generator_function_declaration", "arrow_function",
        "method_definition",
    },
    "rs": {"function_item"},
    "go": {"function_declaration", "method_declaration"},
    "zig": {"function_declaration"},
}  # fmt: skip
PARAMETERS = {"parameters", "formal_parameters", "parameter_list"}


class MissingTool(Exception):
    """A parser that is not installed."""


@lru_cache
def parser(kind):
    """tree-sitter's parser of a language."""
    module, function = MODULES[kind]
    try:
        tree_sitter = importlib.import_module("tree_sitter")
        language = getattr(importlib.import_module(module), function)()
    except ImportError as error:
        raise MissingTool(f"{error.name} is not installed") from error
    return tree_sitter.Parser(tree_sitter.Language(language))


def nodes(root):
    """All nodes of a tree, in the order of the text."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def tree(kind, text):
    """The tree of a text without mistakes, or None."""
    root = parser(kind).parse(text.encode()).root_node
    return None if root.has_error else root


def has_function(kind, text):
    """Whether the whole text parses and a function is in it."""
    root = tree(kind, text)
    return root is not None and any(node.type in FUNCTIONS[kind] for node in nodes(root))


def content(node):
    return node.text.decode("utf-8", "replace")


def identifiers(node):
    """The words that stand in a node."""
    return [content(inner) for inner in nodes(node) if not inner.children and re.fullmatch(r"\w+", content(inner))]


def definition(kind, root, name):
    """The node that defines a name: a function, a class, a struct, an interface or a constant that is one."""
    for node in nodes(root):
        named = node.child_by_field_name("name")
        if named is None and kind == "zig" and node.type == "variable_declaration":
            named = next((child for child in node.children if child.type == "identifier"), None)
        if named is not None and content(named) == name:
            return node
    return None


def names_of_parameter(node):
    """The names that one entry of a parameter list brings, without its type and its default."""
    named = node.children_by_field_name("name") or node.children_by_field_name("pattern")
    if not named:
        # Python: a bare name, or a name before its type, with stars perhaps.
        named = [node] if node.type != "typed_parameter" else node.named_children[:1]
    return [name for part in named for name in identifiers(part)]


def parameters_of(kind, root, name):
    """The names in the parameter list of the function `name`, or of the first function if no name is asked for."""
    start = definition(kind, root, name) if name else root
    if start is None:
        return []
    for node in nodes(start):
        if node.type in PARAMETERS and node.parent.child_by_field_name("receiver") != node:
            return [found for entry in node.named_children for found in names_of_parameter(entry)]
    return []


def in_order(wanted, given):
    """Whether all of `wanted` come in `given`, one after the other."""
    rest = iter(given)
    return all(any(name == other for other in rest) for name in wanted)


def read_json(text):
    """The value of a JSON text in a tuple of one, or None if it is no JSON."""

    def refuse(constant):
        raise ValueError(f"{constant} is no JSON")

    try:
        return (json.loads(text, parse_constant=refuse),)
    except (ValueError, RecursionError):
        return None


def statements(text):
    """The statements of a script, cut where SQLite sees their ends."""
    found, open_part = [], ""
    for part in re.split("(;)", text):
        open_part += part
        if part == ";" and sqlite3.complete_statement(open_part):
            found.append(open_part)
            open_part = ""
    found.append(open_part)
    without_comments = [re.sub(r"--[^\n]*|/\*.*?\*/", "", part, flags=re.S).strip(" \t\n;") for part in found]
    return [part for part, bare in zip(found, without_comments) if bare]


def reads_sql(text, schema=None, names_count=False):
    """Whether SQLite prepares every statement (`EXPLAIN`). Unknown tables and columns are mistakes only if they count."""
    database = sqlite3.connect(":memory:")
    try:
        if schema:
            database.executescript(schema)
        parts = statements(text)
        for part in parts:
            try:
                database.execute(f"EXPLAIN {part}", {}).fetchall()
            except sqlite3.ProgrammingError:
                continue  # A parameter without a value: it was prepared.
            except (sqlite3.Error, sqlite3.Warning) as error:
                syntax = re.search(r"syntax error|incomplete input|unrecognized token|malformed", str(error))
                if names_count or syntax:
                    return False
        return bool(parts)
    finally:
        database.close()


def accepts(request, text):
    """Whether a finished answer to a request of `requests.py` is what it asks for, as far as a parser can say."""
    if request.kind == "json":
        return read_json(text) is not None
    if request.kind == "sql":
        return reads_sql(text, request.schema)
    return has_function(request.kind, request.code + text)
