//! A context as a TOML file: `[variables]`, `[functions]` and `[types.NAME]`.
//!
//! Types are texts in the language's own syntax. What is not understood is an error with its line;
//! nothing is left out in silence.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike, Value};

use super::TypedError;
use super::context::{Context, Defined, Function, Make, Receiver, Variable};
use super::language::Language;
use super::read::{Known, parse_type};
use super::types::Type;
use crate::engine::diagnostic::Position;

/// Reads a context from TOML.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn parse(language: Language, text: &str) -> Result<Context, TypedError> {
    let line = |span: Option<Range<usize>>| Position::of(text, span.map_or(0, |s| s.start)).line;
    let document = Document::parse(text).map_err(|error| {
        let reason = error.message().lines().next().unwrap_or("its syntax is wrong");
        TypedError::new(format!("not TOML: {reason}")).at(line(error.span()))
    })?;
    let mut known = Known::default();
    if let Some(types) = document.as_table().get("types").and_then(Item::as_table_like) {
        known.extend(types.iter().map(|(name, _)| name.to_owned()));
    }
    let reader = Reader { language, text, known };
    let mut context = Context::default();
    for (key, item) in document.as_table() {
        let at = Part { item, name: key.into(), span: place(document.as_table(), key, item) };
        match key {
            "variables" => {
                for part in reader.parts(&at)? {
                    let ty = reader.ty(&part)?;
                    context.variables.push(Variable { name: part.name, ty, constant: false });
                }
            }
            "functions" => context.functions = reader.functions(&at)?,
            "types" => {
                for part in reader.parts(&at)? {
                    context.types.push(reader.defined(&part)?);
                }
            }
            _ => return Err(reader.unknown(&at, "variables, functions and types")),
        }
    }
    Ok(context)
}

/// A value of the file, and where it is.
struct Part<'a> {
    item: &'a Item,
    name: String,
    span: Option<Range<usize>>,
}

fn place(table: &dyn TableLike, key: &str, item: &Item) -> Option<Range<usize>> {
    table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span())
}

struct Reader<'a> {
    language: Language,
    text: &'a str,
    known: Known,
}

impl Reader<'_> {
    fn wrong(&self, part: &Part, message: impl std::fmt::Display) -> TypedError {
        let start = part.span.clone().map_or(0, |span| span.start);
        TypedError::new(format!("{}: {message}", part.name)).at(Position::of(self.text, start).line)
    }

    fn unknown(&self, part: &Part, known: &str) -> TypedError {
        self.wrong(part, format!("it is not understood; there are {known}"))
    }

    /// The entries of a table, whose names have to be free in the language.
    fn parts<'a>(&self, part: &Part<'a>) -> Result<Vec<Part<'a>>, TypedError> {
        self.named(part, |name| self.language.is_name(name))
    }

    /// The entries of a table, whose names have to be such as fields and methods have.
    fn members<'a>(&self, part: &Part<'a>) -> Result<Vec<Part<'a>>, TypedError> {
        self.named(part, |name| self.language.is_member(name))
    }

    fn named<'a>(&self, part: &Part<'a>, is: impl Fn(&str) -> bool) -> Result<Vec<Part<'a>>, TypedError> {
        let parts = self.keys(part)?;
        match parts.iter().find(|part| !is(&part.name)) {
            Some(part) => Err(self.wrong(part, format!("this cannot be a name in {}", self.language.name()))),
            None => Ok(parts),
        }
    }

    fn keys<'a>(&self, part: &Part<'a>) -> Result<Vec<Part<'a>>, TypedError> {
        let table = part.item.as_table_like().ok_or_else(|| self.wrong(part, "it has to be a table"))?;
        let parts = table.iter().map(|(name, item)| {
            let span = place(table, name, item).or_else(|| part.span.clone());
            Part { item, name: name.to_owned(), span }
        });
        Ok(parts.collect())
    }

    fn ty(&self, part: &Part) -> Result<Type, TypedError> {
        let text = part.item.as_str();
        self.text_type(part, text)
    }

    fn text_type(&self, part: &Part, text: Option<&str>) -> Result<Type, TypedError> {
        let text = text.ok_or_else(|| self.wrong(part, "a type is expected, as text in quotes"))?;
        parse_type(self.language, text, &self.known).map_err(|why| self.wrong(part, why))
    }

    fn list(&self, part: &Part) -> Result<Vec<Type>, TypedError> {
        let array = part.item.as_array();
        let array = array.ok_or_else(|| self.wrong(part, "a list of types is expected"))?;
        array.iter().map(|value| self.text_type(part, value.as_str())).collect()
    }

    fn switch(&self, part: &Part) -> Result<bool, TypedError> {
        part.item.as_bool().ok_or_else(|| self.wrong(part, "true or false is expected"))
    }

    fn functions(&self, part: &Part) -> Result<Vec<Function>, TypedError> {
        self.parts(part)?.iter().map(|part| self.function(part)).collect()
    }

    fn function(&self, part: &Part) -> Result<Function, TypedError> {
        let (mut takes, mut gives, mut receiver) = (Vec::new(), None, Receiver::Shared);
        for entry in self.keys(part)? {
            match entry.name.as_str() {
                "takes" => takes = self.list(&entry)?.into_iter().map(|ty| (String::new(), ty)).collect(),
                "gives" => gives = Some(self.ty(&entry)?),
                "consumes" if self.language == Language::Rust && self.switch(&entry)? => {
                    receiver = Receiver::Special
                }
                "pointer" if self.language == Language::Go && self.switch(&entry)? => {
                    receiver = Receiver::Special
                }
                "consumes" if self.language == Language::Rust => {}
                "pointer" if self.language == Language::Go => {}
                _ => return Err(self.unknown(&entry, "takes and gives")),
            }
        }
        let gives = gives.ok_or_else(|| self.wrong(part, "what it gives is missing: gives = \"TYPE\""))?;
        Ok(Function { name: part.name.clone(), takes, gives, receiver })
    }

    fn defined(&self, part: &Part) -> Result<Defined, TypedError> {
        let mut defined = Defined { name: part.name.clone(), ..Defined::default() };
        for entry in self.keys(part)? {
            match entry.name.as_str() {
                "fields" => {
                    for field in self.members(&entry)? {
                        let ty = self.ty(&field)?;
                        defined.fields.push((field.name, ty));
                    }
                }
                "methods" => {
                    let methods = self.members(&entry)?;
                    defined.methods =
                        methods.iter().map(|part| self.function(part)).collect::<Result<_, _>>()?;
                }
                "make" => defined.make = self.make(&entry)?,
                "copy" if self.language == Language::Rust => defined.copy = self.switch(&entry)?,
                "clone" if self.language == Language::Rust => defined.clone = self.switch(&entry)?,
                _ => return Err(self.unknown(&entry, "fields, methods and make; copy and clone in Rust")),
            }
        }
        Ok(defined)
    }

    /// `"fields"` is a literal of all fields, a list of types is a call.
    fn make(&self, part: &Part) -> Result<Make, TypedError> {
        let calls = matches!(self.language, Language::Python | Language::TypeScript);
        match part.item.as_value() {
            Some(Value::Array(_)) if calls => Ok(Make::Call(self.list(part)?)),
            Some(Value::String(text)) if text.value() == "fields" && self.language != Language::Python => {
                Ok(Make::Fields)
            }
            _ => {
                let can = match self.language {
                    Language::Python => "a list of the types that its constructor takes",
                    Language::TypeScript => "\"fields\", or a list of the types that its constructor takes",
                    _ => "\"fields\"",
                };
                Err(self.wrong(part, format!("it has to be {can}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_have_their_line() {
        for (text, line, message) in [
            ("[variables]\nx = 3\n", 2, "x: a type is expected, as text in quotes"),
            ("[variables]\n\nx = \"imt\"\n", 3, "x: the type `imt` is not known"),
            ("[variables\n", 1, "not TOML"),
            ("[variables]\nclass = \"int\"\n", 2, "class: this cannot be a name in python"),
            ("[functions]\nf = { takes = [\"int\"] }\n", 2, "f: what it gives is missing"),
            ("[functions]\nf = { takes = [1], gives = \"int\" }\n", 2, "takes: a type is expected"),
            ("[functions]\nf = { give = \"int\" }\n", 2, "give: it is not understood"),
            ("x = 1\n[type.User]\n", 1, "x: it is not understood"),
            ("[types.User]\n\nmake = \"fields\"\n", 3, "make: it has to be a list"),
            ("[types.User]\ncopy = true\n", 2, "copy: it is not understood"),
            ("variables = 1\n", 1, "variables: it has to be a table"),
        ] {
            let error = parse(Language::Python, text).expect_err(text);
            assert_eq!(error.line, Some(line), "{text}: {error}");
            assert!(error.message.starts_with(message), "{text}: {error}");
        }
    }
}
