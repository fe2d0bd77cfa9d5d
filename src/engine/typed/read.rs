//! The signatures in a source file, and types as a language writes them.
//!
//! What every language's reader needs is here: which types there are, parameters, and a list of
//! what is left out. A reader reads what it knows and skips the rest with a reason; it never
//! guesses a type, and it looks into bodies for nothing but where they end.

use std::collections::BTreeSet;

use super::TypedError;
use super::context::{Context, Defined, Make, Skipped};
use super::language::Language;
use super::tokens::{Cursor, Token, tokens, unbalanced};
use super::types::Type;
use super::{hidden, read_go, read_python, read_rust, read_typescript};

/// The types that a file defines, and the language's words that it takes for something else.
#[derive(Debug, Default)]
pub(super) struct Known {
    types: BTreeSet<String>,
    hidden: BTreeSet<String>,
}

impl Known {
    pub(super) fn new(hidden: BTreeSet<String>) -> Self {
        Self { types: BTreeSet::new(), hidden }
    }

    pub(super) fn insert(&mut self, name: String) {
        self.types.insert(name);
    }

    pub(super) fn extend(&mut self, names: impl IntoIterator<Item = String>) {
        self.types.extend(names);
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.types.contains(name)
    }

    /// That a word of the language is none in this file.
    pub(super) fn is_own(&self, name: &str) -> Result<(), String> {
        if self.hidden.contains(name) || self.types.contains(name) {
            return Err(format!("the file has a `{name}` of its own"));
        }
        Ok(())
    }
}

#[cfg(test)]
impl From<[String; 1]> for Known {
    fn from(names: [String; 1]) -> Self {
        Self { types: names.into(), hidden: BTreeSet::new() }
    }
}

const DOUBLE: &str = "the file defines it more than once";
const ODD: &str = "its name is not read";

/// The largest source file that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Reads the signatures of a source file.
///
/// # Errors
/// If it is too large, or if its brackets do not match, so that nobody knows what is inside of what.
pub fn read(language: Language, text: &str) -> Result<Context, TypedError> {
    if text.len() > MAX_BYTES {
        return Err(TypedError::new(format!(
            "it has {} bytes, more than the limit of {MAX_BYTES}",
            text.len()
        )));
    }
    let tokens = tokens(language, text)?;
    if let Some(line) = unbalanced(&tokens) {
        let message = "this bracket has no partner, so that nothing after it can be told";
        return Err(TypedError::new(message).at(line));
    }
    let cursor = Cursor::new(&tokens);
    let hidden = hidden::words(language, &tokens);
    let known = Known::new(hidden.clone());
    let mut context = match language {
        Language::Python => read_python::read(cursor, known),
        Language::TypeScript => read_typescript::read(cursor, known),
        Language::Rust => read_rust::read(cursor, known),
        Language::Go => read_go::read(cursor, known),
    };
    context.hidden = hidden;
    keep_named(language, &mut context, &tokens);
    context.skipped.sort_by_key(|s| s.line);
    Ok(context)
}

/// The type that `text` is.
///
/// # Errors
/// What of it is not known.
pub(super) fn parse_type(language: Language, text: &str, known: &Known) -> Result<Type, String> {
    let tokens = tokens(language, text).map_err(|e| e.message)?;
    if unbalanced(&tokens).is_some() {
        return Err(format!("the brackets of the type {text:?} do not match"));
    }
    let mut cursor = Cursor::new(&tokens);
    let ty = ty(language, &mut cursor, known)?;
    if cursor.is_at_end() {
        return Ok(ty);
    }
    Err(format!("{} is left over after the type {}", cursor.shown(), language.spell(&ty)))
}

/// The type at the cursor.
pub(super) fn ty(language: Language, cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    match language {
        Language::Python => read_python::ty(cursor, known),
        Language::TypeScript => read_typescript::ty(cursor, known),
        Language::Rust => read_rust::ty(cursor, known),
        Language::Go => read_go::ty(cursor, known),
    }
}

/// The type of a word: the language's, or one that the context defines.
pub(super) fn word_type(language: Language, name: &str, known: &Known) -> Result<Type, String> {
    if known.contains(name) {
        return Ok(Type::Named(name.into()));
    }
    known.is_own(name)?;
    language.builtin(name).ok_or_else(|| format!("the type `{name}` is not known"))
}

/// Types in brackets, as many as `count`.
pub(super) fn arguments(
    language: Language,
    cursor: &mut Cursor,
    known: &Known,
    (open, close): (&str, &str),
    count: usize,
) -> Result<Vec<Type>, String> {
    cursor.need(open)?;
    let mut found = Vec::new();
    while !cursor.is(close) {
        found.push(ty(language, cursor, known)?);
        if !cursor.eat(",") {
            break;
        }
    }
    cursor.need(close)?;
    if found.len() == count { Ok(found) } else { Err(format!("{count} types are expected in {open}{close}")) }
}

/// Notes that something is left out.
pub(super) fn skip(context: &mut Context, line: usize, what: impl Into<String>, why: impl Into<String>) {
    context.skipped.push(Skipped { line: Some(line), what: what.into(), why: why.into() });
}

/// Leaves out what has the name of something else (overloads, or what a file defines twice), and
/// what has a name that cannot be written.
fn keep_named(language: Language, context: &mut Context, tokens: &[Token]) {
    let mut notes: Vec<(String, String, &str)> = Vec::new();
    // A form of an overloaded function that was not read may be the one that counts.
    let not_read: BTreeSet<String> = context.skipped.iter().map(|s| s.what.clone()).collect();
    let is_read =
        |name: &str| ["function ", ""].iter().all(|kind| !not_read.contains(&format!("{kind}`{name}`")));
    context.functions.retain(|f| is_read(&f.name));
    for ty in &mut context.types {
        let of = &ty.name;
        ty.methods.retain(|m| [".", "::"].iter().all(|dot| is_read(&format!("{of}{dot}{}", m.name))));
    }
    let mut types: Vec<Defined> = Vec::new();
    for ty in std::mem::take(&mut context.types) {
        match types.iter_mut().find(|other| other.name == ty.name) {
            Some(other) => {
                notes.push((ty.name.clone(), format!("what is in `{}`", ty.name), DOUBLE));
                *other = Defined { name: ty.name, ..Defined::default() };
            }
            None => types.push(ty),
        }
    }
    for ty in &mut types {
        let mut seen = BTreeSet::new();
        let methods = ty.methods.iter().map(|m| (m.name.clone(), false));
        // In Rust a field and a method can have one name.
        let fields = ty.fields.iter().map(|(n, _)| (n.clone(), language == Language::Rust));
        let doubles: BTreeSet<String> =
            methods.chain(fields).filter(|name| !seen.insert(name.clone())).map(|(name, _)| name).collect();
        let odd = seen.into_iter().map(|(name, _)| name).filter(|name| !language.is_member(name)).collect();
        let count = ty.fields.len();
        for (names, why) in [(doubles, DOUBLE), (odd, ODD)] {
            ty.methods.retain(|m| !names.contains(&m.name));
            ty.fields.retain(|(n, _)| !names.contains(n));
            notes.extend(names.into_iter().map(|name| (name.clone(), format!("`{}.{name}`", ty.name), why)));
        }
        // A literal has to have all fields, save in Go.
        if ty.fields.len() < count && ty.make == Make::Fields && language != Language::Go {
            ty.make = Make::No;
        }
    }
    context.types = types;
    let mut seen = BTreeSet::new();
    let names = context.variables.iter().map(|v| &v.name).chain(context.functions.iter().map(|f| &f.name));
    let names = names.chain(context.types.iter().map(|t| &t.name));
    let doubles: BTreeSet<String> = names.filter(|name| !seen.insert((*name).clone())).cloned().collect();
    let odd = seen.into_iter().filter(|name| !language.is_name(name)).collect();
    for (names, why) in [(doubles, DOUBLE), (odd, ODD)] {
        context.variables.retain(|v| !names.contains(&v.name));
        context.functions.retain(|f| !names.contains(&f.name));
        notes.extend(names.into_iter().map(|name| (name.clone(), format!("`{name}`"), why)));
    }
    for (name, what, why) in notes {
        let word = name.rsplit(['.', ':']).next().unwrap_or_default();
        let line = tokens.iter().find(|t| t.text == word).map_or(1, |t| t.line);
        skip(context, line, what, why);
    }
}
