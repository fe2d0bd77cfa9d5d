//! What differs between the languages in words: names of types, keywords, how a type is written.

use super::types::{Form, Type};

/// A language whose types are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python with annotations.
    Python,
    /// TypeScript, strict, with `noUncheckedIndexedAccess`.
    TypeScript,
    /// Rust.
    Rust,
    /// Go.
    Go,
}

const PYTHON: &str = "False None True and as assert async await break class continue def del elif else except \
    finally for from global if import in is lambda nonlocal not or pass raise return try while with yield self";
const TYPESCRIPT: &str = "await break case catch class const continue debugger default delete do else enum export \
    extends false finally for function if implements import in instanceof interface let new \
    null package private protected public return static super switch this throw true try \
    typeof undefined var void while with yield";
const RUST: &str = "Self as async await break const continue crate dyn else enum extern false fn for gen if impl in let \
    loop match mod move mut pub ref return self static struct super trait true try type use where while \
    unsafe";
const GO: &str = "break case chan const continue default defer else fallthrough for func go goto if import \
    interface map package range return select struct switch type var";
/// What Go has without being asked, and what completions use. A field can be called so.
const GO_OWN: &str = "any append bool byte complex128 complex64 error false float32 float64 int int16 int32 int64 \
    int8 iota len make new nil rune string true uint uint16 uint32 uint64 uint8 uintptr";

/// What Rust would take for a pattern.
const RUST_OWN: &str = "None Some Ok Err";
/// What completions use of the other languages, and what types are written with.
const RUST_USED: &str = "String Vec Option HashMap std vec format bool i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 \
    usize f32 f64";
const PYTHON_USED: &str = "len int min max float str bool list dict List Dict Optional Callable Final";
const TYPESCRIPT_USED: &str = "Math String Map Record Array undefined";

impl Language {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Python, Self::TypeScript, Self::Rust, Self::Go];

    /// The name for people and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::TypeScript => "typescript",
            Self::Rust => "rust",
            Self::Go => "go",
        }
    }

    /// The ending of its files, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Python => "py",
            Self::TypeScript => "ts",
            Self::Rust => "rs",
            Self::Go => "go",
        }
    }

    /// The type of one word that the language itself has.
    pub(super) fn builtin(self, name: &str) -> Option<Type> {
        let int = || Some(Type::Int(name.into()));
        let float = || Some(Type::Float(name.into()));
        match (self, name) {
            (Self::Python, "bool") | (Self::TypeScript, "boolean") | (Self::Rust | Self::Go, "bool") => {
                Some(Type::Bool)
            }
            (Self::Python, "int") | (Self::Go, "int" | "uint") => int(),
            (Self::Python, "float") | (Self::TypeScript, "number") => float(),
            (Self::Python, "str") | (Self::TypeScript | Self::Go, "string") | (Self::Rust, "String") => {
                Some(Type::Text(name.into()))
            }
            (Self::Rust, "i8" | "i16" | "i32" | "i64" | "i128" | "isize") => int(),
            (Self::Rust, "u8" | "u16" | "u32" | "u64" | "u128" | "usize") => int(),
            (Self::Rust, "f32" | "f64") | (Self::Go, "float32" | "float64") => float(),
            (Self::Go, "int8" | "int16" | "int32" | "int64" | "uint8" | "uint16" | "uint32" | "uint64") => {
                int()
            }
            (Self::Go, "byte") => Some(Type::Int("uint8".into())),
            (Self::Go, "rune") => Some(Type::Int("int32".into())),
            _ => None,
        }
    }

    /// The type of truth.
    fn truth(self) -> &'static str {
        if self == Self::TypeScript { "boolean" } else { "bool" }
    }

    /// Whether a name means something to the language, so that nothing can be called so.
    fn is_keyword(self, name: &str) -> bool {
        let words = match self {
            Self::Python => PYTHON,
            Self::TypeScript => TYPESCRIPT,
            Self::Rust => RUST,
            Self::Go => GO,
        };
        words.split_ascii_whitespace().any(|word| word == name)
    }

    /// Whether completions use the word and rely on what the language means by it.
    pub(super) fn uses(self, name: &str) -> bool {
        let words = match self {
            Self::Python => [PYTHON_USED, ""],
            Self::TypeScript => [TYPESCRIPT_USED, ""],
            Self::Rust => [RUST_USED, RUST_OWN],
            Self::Go => [GO_OWN, ""],
        };
        words.iter().flat_map(|words| words.split_ascii_whitespace()).any(|word| word == name)
    }

    /// Whether it is a word in the language's alphabet.
    fn is_word(self, word: &str) -> bool {
        let may = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '$' && self == Self::TypeScript;
        let mut chars = word.chars();
        chars.next().is_some_and(may)
            && chars.all(|c| may(c) || c.is_ascii_digit())
            && word.len() <= 64
            && word != "_"
    }

    /// Whether a field or a method can be called so.
    pub(super) fn is_member(self, name: &str) -> bool {
        self.is_word(name) && (self == Self::TypeScript || !self.is_keyword(name))
    }

    /// Whether something can be called so: a word, or in a type's space (`Color.Red`, `User::new`).
    pub(super) fn is_name(self, name: &str) -> bool {
        let own = match self {
            Self::Go => GO_OWN,
            Self::Rust => RUST_OWN,
            Self::Python | Self::TypeScript => "",
        };
        let is_own = |name: &str| own.split_ascii_whitespace().any(|word| word == name);
        let is_free = |word: &str| self.is_word(word) && !self.is_keyword(word) && !is_own(word);
        let between = if self == Self::Rust { "::" } else { "." };
        match name.split_once(between) {
            Some((before, member)) => is_free(before) && self.is_member(member),
            None => is_free(name),
        }
    }

    /// A type as the language writes it.
    pub fn spell(self, ty: &Type) -> String {
        match ty {
            Type::Bool => self.truth().into(),
            Type::Int(name) | Type::Float(name) | Type::Text(name) | Type::Named(name) => name.clone(),
            Type::Made(form, parts) => {
                let spelled: Vec<String> = parts.iter().map(|part| self.spell(part)).collect();
                self.spell_made(*form, &spelled)
            }
        }
    }

    fn spell_made(self, form: Form, parts: &[String]) -> String {
        let first = parts.first().map_or("", String::as_str);
        let second = parts.get(1).map_or("", String::as_str);
        if let (Form::Function, Some((result, takes))) = (form, parts.split_last()) {
            let takes_all = takes.join(", ");
            return match self {
                Self::Python => format!("Callable[[{takes_all}], {result}]"),
                Self::TypeScript => {
                    let named = takes.iter().enumerate().map(|(n, ty)| format!("a{n}: {ty}"));
                    format!("(({}) => {result})", named.collect::<Vec<_>>().join(", "))
                }
                Self::Rust => format!("fn({takes_all}) -> {result}"),
                Self::Go => format!("func({takes_all}) {result}"),
            };
        }
        match (self, form) {
            (Self::Python, Form::Optional) => format!("{first} | None"),
            (Self::TypeScript, Form::Optional) => format!("{first} | undefined"),
            (Self::Rust, Form::Optional) => format!("Option<{first}>"),
            (Self::Go, Form::Optional) => format!("*{first}"),
            (_, Form::Nullable) => format!("{first} | null"),
            (Self::Python, Form::List) => format!("list[{first}]"),
            (Self::TypeScript, Form::List) if first.contains(" | ") => format!("({first})[]"),
            (Self::TypeScript, Form::List) => format!("{first}[]"),
            (Self::Rust, Form::List) => format!("Vec<{first}>"),
            (Self::Go, Form::List) => format!("[]{first}"),
            (_, Form::Slice) => format!("&[{first}]"),
            (_, Form::Ref) => format!("&{first}"),
            (_, Form::Record) => format!("Record<string, {first}>"),
            (Self::Python, _) => format!("dict[{first}, {second}]"),
            (Self::TypeScript, _) => format!("Map<{first}, {second}>"),
            (Self::Rust, _) => format!("std::collections::HashMap<{first}, {second}>"),
            (Self::Go, _) => format!("map[{first}]{second}"),
        }
    }
}
