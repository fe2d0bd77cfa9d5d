"""Types that their request describes: structs, enums, stacks and queues."""

import re

import vocabulary as words
from languages import KEYWORDS, TYPES, Function, case, distinct

FIELD_TYPES = {
    "py": "int float str bool list[str] list[int] dict[str,_int] str_|_None int_|_None bytes".split(),
    "ts": "number string boolean string[] number[] Date string_|_null Record<string,_number>".split(),
    "rs": "i32 u32 u64 i64 usize u8 f64 f32 String bool char Vec<String> Vec<u8> Option<String> Option<u32>".split(),
    "go": "int int64 string bool float64 []string []int []byte map[string]int *string uint32 time.Time error".split(),
    "zig": "i32 u32 u64 i64 usize u8 f64 f32 bool []const_u8 ?[]const_u8 ?u32 []u8 [4]u8".split(),
}


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
