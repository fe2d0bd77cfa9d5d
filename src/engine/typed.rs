//! Grammars in which only well-typed completions exist.
//!
//! A [`Context`] says what a completion may use: variables, functions, and types with fields and
//! methods, given in TOML ([`Context::from_toml`]) or read from the signatures of a source file
//! ([`Context::from_source`]). [`grammar`] makes a grammar of it that holds nothing but expressions
//! or bodies of one type, to a depth. There is a rule for every type and every remaining depth, so
//! that the types hold by the shape of the grammar and nothing is checked while it generates.
//!
//! What a grammar holds is a part of what is well typed: a form is in it only if it passes the
//! language's checker whatever stands inside. Nothing here may guess a type.

use std::collections::BTreeSet;
use std::fmt::Write;

use self::context::Make;
use self::emit::NotEmitted;
use self::read::Known;
use self::rules::{Grade, Scene, Symbol};
use self::types::{Form, Type};
use super::grammar::MAX_BYTES;

mod body;
pub mod context;
mod emit;
mod go;
mod hidden;
mod language;
mod python;
mod read;
mod read_go;
mod read_python;
mod read_rust;
mod read_typescript;
mod rules;
mod rust;
mod rust_before;
mod table;
mod tokens;
pub mod types;
mod typescript;

pub use context::{Context, Skipped};
pub use language::Language;

/// The deepest that expressions may be inside of each other. The size of a grammar grows with it,
/// and with the number of types.
pub const MAX_DEPTH: u8 = 8;

/// The most local variables that a body may declare.
pub const MAX_LOCALS: usize = 3;

/// What a completion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An expression of the type.
    Expression,
    /// The statements of a function that returns the type.
    Body,
}

/// What grammar to make.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The language.
    pub language: Language,
    /// What a completion may use.
    pub context: &'a Context,
    /// The type of the expression, or what the body returns, as the language writes it.
    pub returns: &'a str,
    /// What a completion is.
    pub entry: Entry,
    /// How deep expressions may be inside of each other, from 0 to [`MAX_DEPTH`].
    pub depth: u8,
    /// The variables that a body may declare, in order: the name and the type of each.
    pub locals: &'a [(String, String)],
}

/// Why there is no grammar, or no context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedError {
    /// The line of the context's file that it is about, from 1.
    pub line: Option<usize>,
    /// What is wrong, and what to do about it.
    pub message: String,
}

impl TypedError {
    fn new(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into() }
    }

    fn at(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }
}

impl std::fmt::Display for TypedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for TypedError {}

impl Context {
    /// Reads a context from TOML.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn from_toml(language: Language, text: &str) -> Result<Self, TypedError> {
        table::parse(language, text)
    }

    /// Reads the signatures of a source file; what it cannot read is in `skipped`.
    ///
    /// # Errors
    /// If nothing can be read because brackets do not match.
    pub fn from_source(language: Language, text: &str) -> Result<Self, TypedError> {
        read::read(language, text)
    }
}

/// Makes the grammar, as Lark. `made_by` is said in its header.
///
/// # Errors
/// If a type is not known, if nothing can produce it, or if the grammar would be too large.
pub fn grammar(wanted: &Wanted, made_by: &str) -> Result<String, TypedError> {
    let Wanted { language, context, depth, .. } = *wanted;
    context.check(language)?;
    let mut known = Known::new(context.hidden.clone());
    known.extend(context.types.iter().map(|ty| ty.name.clone()));
    let returns = read::parse_type(language, wanted.returns, &known)
        .map_err(|why| TypedError::new(format!("{:?} cannot be returned: {why}", wanted.returns)))?;
    if language == Language::Rust && returns.has(&read_rust::borrows) {
        return Err(TypedError::new(format!(
            "{:?} cannot be returned: it borrows, and lifetimes are not followed; ask for an owned type",
            wanted.returns
        )));
    }
    if depth > MAX_DEPTH {
        return Err(TypedError::new(format!("the depth can be from 0 to {MAX_DEPTH}, not {depth}")));
    }
    let locals = locals(wanted, &known)?;
    let mut universe = context.all_types();
    returns.collect(&mut universe);
    locals.iter().for_each(|local| local.ty.collect(&mut universe));
    arise(language, context, &mut universe);
    let scene = Scene { language, context, locals: &locals, returns: &returns, depth, universe };
    let start = match wanted.entry {
        Entry::Expression => Symbol::Value { ty: returns.clone(), grade: Grade::Any, depth, scope: 0 },
        Entry::Body => Symbol::Block { scope: 0, indent: 1, left: body::CONDITIONS },
    };
    let rules = emit::emit(&scene, &start).map_err(|why| match why {
        NotEmitted::Nothing => TypedError::new(format!(
            "nothing produces a value of the type {:?} within the depth {depth}: no literal, variable, function, \
             field or method; add one to the context, or raise the depth",
            wanted.returns
        )),
        NotEmitted::TooMany => too_large("more rules than can be looked at", wanted),
    })?;
    let text = header(wanted, &locals, made_by) + &rules;
    if text.len() > MAX_BYTES {
        return Err(too_large(&format!("{} bytes, more than the limit of {MAX_BYTES}", text.len()), wanted));
    }
    Ok(text)
}

/// Adds the types that operations on others have: what may be missing from a list, a map or behind
/// `?.`, and what things are counted in.
fn arise(language: Language, context: &Context, universe: &mut BTreeSet<Type>) {
    let absent = |ty: &Type| match ty {
        Type::Made(Form::Optional | Form::Nullable, _) => ty.clone(),
        _ => ty.clone().optional(),
    };
    let mut new = Vec::new();
    for ty in universe.iter() {
        match (language, ty) {
            (Language::Go | Language::Rust, Type::Made(Form::List | Form::Slice, _) | Type::Text(_)) => {
                let name = if language == Language::Go { "int" } else { "usize" };
                new.push(Type::Int(name.into()));
            }
            (Language::TypeScript, Type::Made(Form::List | Form::Map | Form::Record, _) | Type::Text(_)) => {
                new.push(Type::Float("number".into()));
            }
            (Language::Python, Type::Made(Form::List | Form::Map, _) | Type::Text(_)) => {
                new.push(Type::Int("int".into()));
            }
            _ => {}
        }
        match (language, ty) {
            (Language::TypeScript, Type::Made(Form::List | Form::Map | Form::Record, parts))
            | (Language::Python, Type::Made(Form::Map, parts)) => new.extend(parts.last().map(absent)),
            (Language::Rust, Type::Made(Form::List | Form::Map, parts)) => {
                new.extend(parts.last().map(|ty| ty.clone().optional()));
            }
            _ => {}
        }
    }
    universe.extend(new);
    if language != Language::TypeScript {
        return;
    }
    // Each may bring others, as far as types lead to types.
    loop {
        let mut new = BTreeSet::new();
        for ty in &context.types {
            let own = Type::Named(ty.name.clone());
            let forms = [Form::Optional, Form::Nullable];
            if forms.iter().any(|form| universe.contains(&Type::Made(*form, vec![own.clone()]))) {
                let gives = ty.fields.iter().map(|(_, f)| f).chain(ty.methods.iter().map(|m| &m.gives));
                new.extend(gives.map(absent).filter(|ty| !universe.contains(ty)));
            }
        }
        if new.is_empty() {
            return;
        }
        universe.extend(new);
    }
}

/// That the grammar is more than can be worked with, and what to do about it.
pub fn too_large(size: &str, wanted: &Wanted) -> TypedError {
    let less = if wanted.locals.is_empty() { "" } else { "; name fewer local variables" };
    TypedError::new(format!(
        "the grammar would have {size}; lower the depth, which is {}{less}; or leave types and functions out of \
         the context",
        wanted.depth
    ))
}

/// The local variables, checked.
fn locals(wanted: &Wanted, known: &Known) -> Result<Vec<context::Variable>, TypedError> {
    let language = wanted.language;
    if wanted.entry == Entry::Expression && !wanted.locals.is_empty() {
        return Err(TypedError::new("an expression declares no local variables; ask for a body"));
    }
    if wanted.locals.len() > MAX_LOCALS {
        return Err(TypedError::new(format!("there can be {MAX_LOCALS} local variables, no more")));
    }
    let mut found: Vec<context::Variable> = Vec::new();
    for (name, ty) in wanted.locals {
        let wrong = |why: String| TypedError::new(format!("the local variable {name:?}: {why}"));
        if !language.is_name(name) || name.contains(['.', ':']) {
            return Err(wrong(format!("this cannot be a name in {}", language.name())));
        }
        if wanted.context.shadows(name) || found.iter().any(|v| v.name == *name) {
            return Err(wrong("something else has this name".into()));
        }
        let ty = read::parse_type(language, ty, known).map_err(wrong)?;
        if language == Language::Rust && ty.has(&read_rust::borrows) {
            return Err(wrong("it borrows, and lifetimes are not followed".into()));
        }
        let spelled = language.spell(&ty);
        let mut words = spelled.split(|c: char| !c.is_alphanumeric() && c != '_');
        if words.any(|word| word == name || found.iter().any(|v| v.name == word)) {
            return Err(wrong("a type is written with the name of a local variable; take another".into()));
        }
        found.push(context::Variable { name: name.clone(), ty, constant: false });
    }
    Ok(found)
}

/// How the grammar was made, what it may use, and what was left out.
fn header(wanted: &Wanted, locals: &[context::Variable], made_by: &str) -> String {
    let Wanted { language, context, returns, depth, .. } = *wanted;
    let mut lines = Vec::new();
    let what = match wanted.entry {
        Entry::Expression => "Expressions of the type",
        Entry::Body => "Bodies of functions that return",
    };
    lines
        .push(format!("{what} {returns} in {}, to depth {depth}: only what is well typed.", language.name()));
    lines.push(format!("Made by: {made_by}"));
    let spell = |ty: &Type| language.spell(ty);
    let call = |f: &context::Function| {
        let takes: Vec<String> = f.types().map(spell).collect();
        format!("{}({}) gives {}", f.name, takes.join(", "), spell(&f.gives))
    };
    lines.extend(
        context.variables.iter().map(|v| format!("May use the variable {}: {}", v.name, spell(&v.ty))),
    );
    lines.extend(locals.iter().map(|v| format!("May declare {}: {}", v.name, spell(&v.ty))));
    lines.extend(context.functions.iter().map(|f| format!("May use the function {}", call(f))));
    for ty in &context.types {
        let mut members: Vec<String> = ty.fields.iter().map(|(n, f)| format!("{n}: {}", spell(f))).collect();
        members.extend(ty.methods.iter().map(call));
        let made = if ty.make == Make::No { ", made by nothing here" } else { "" };
        let mut line = format!("May use the type {}{made}", ty.name);
        if !members.is_empty() {
            let _ = write!(line, ": {}", members.join("; "));
        }
        lines.push(line);
    }
    lines.extend(context.skipped.iter().map(|s| {
        let place = s.line.map_or(String::new(), |line| format!(" in line {line}"));
        format!("Skipped{place}: {}: {}", s.what, s.why)
    }));
    let clean = |line: &String| line.chars().filter(|c| !c.is_control()).take(400).collect::<String>();
    let lines: Vec<String> = lines.iter().map(|line| format!("// {}\n", clean(line))).collect();
    lines.concat() + "\n"
}
