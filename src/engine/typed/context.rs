//! What a completion may use: variables, functions, and types with their fields and methods.
//!
//! A [`Context`] comes from a TOML file (`table.rs`) or from the signatures in a source
//! file (`read.rs`). Here it is checked: names have to be the language's, each once,
//! and every type in use has to be known.

use std::collections::BTreeSet;

use super::TypedError;
use super::language::Language;
use super::types::Type;

/// What a completion may use.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Values with a name.
    pub variables: Vec<Variable>,
    /// What can be called by its name.
    pub functions: Vec<Function>,
    /// The types that the context defines.
    pub types: Vec<Defined>,
    /// The language's words that the source file takes for something else.
    pub hidden: BTreeSet<String>,
    /// What of a source file is left out.
    pub skipped: Vec<Skipped>,
}

/// A value with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name; with the type's before it for a value of an enumeration.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether the compiler knows its value.
    pub constant: bool,
}

/// A function, a method, or a way to make a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// What it takes. A parameter without a name cannot be a variable inside.
    pub takes: Vec<(String, Type)>,
    /// What it gives.
    pub gives: Type,
    /// How a method takes the value it is called on.
    pub receiver: Receiver,
}

/// How a method takes the value that it is called on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Receiver {
    /// As it is, or by a reference that needs nothing.
    #[default]
    Shared,
    /// Rust's `self`: it uses the value up. Go's pointers: the value has to have a place.
    Special,
}

/// A type that the context defines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defined {
    /// Its name.
    pub name: String,
    /// Its fields, in order.
    pub fields: Vec<(String, Type)>,
    /// Its methods.
    pub methods: Vec<Function>,
    /// How a value is made.
    pub make: Make,
    /// Rust: whether it is `Clone`.
    pub clone: bool,
    /// Rust: whether it is `Copy`.
    pub copy: bool,
}

/// How a value of a defined type is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Make {
    /// Not by a completion.
    #[default]
    No,
    /// With a literal that names all fields.
    Fields,
    /// By a call of the type's name, or of its constructor.
    Call(Vec<Type>),
}

/// A part of a source file that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its line, from 1, if it is one thing in the file.
    pub line: Option<usize>,
    /// What it is.
    pub what: String,
    /// Why it is left out.
    pub why: String,
}

impl Context {
    /// The type of a name.
    pub(super) fn defined(&self, name: &str) -> Option<&Defined> {
        self.types.iter().find(|ty| ty.name == name)
    }

    /// Whether the context has something of that name, so that the language's own is not meant.
    pub(super) fn shadows(&self, name: &str) -> bool {
        self.variables.iter().any(|v| v.name == name)
            || self.functions.iter().any(|f| f.name == name)
            || self.defined(name).is_some()
            || self.hidden.contains(name)
    }

    /// Whether values of the type hold a number anywhere.
    pub(super) fn holds_number(&self, ty: &Type) -> bool {
        let (mut waiting, mut seen) = (vec![ty], BTreeSet::new());
        while let Some(ty) = waiting.pop() {
            match ty {
                Type::Int(_) | Type::Float(_) => return true,
                Type::Made(_, parts) => waiting.extend(parts),
                Type::Named(name) if seen.insert(name) => {
                    let fields = self.defined(name).into_iter().flat_map(|d| &d.fields);
                    waiting.extend(fields.map(|(_, field)| field));
                }
                _ => {}
            }
        }
        false
    }

    /// All types that occur, and their parts.
    pub(super) fn all_types(&self) -> BTreeSet<Type> {
        let mut all = BTreeSet::new();
        let call = |f: &Function, all: &mut BTreeSet<Type>| {
            f.takes.iter().for_each(|(_, ty)| ty.collect(all));
            f.gives.collect(all);
        };
        self.variables.iter().for_each(|v| v.ty.collect(&mut all));
        self.functions.iter().for_each(|f| call(f, &mut all));
        for ty in &self.types {
            ty.fields.iter().for_each(|(_, field)| field.collect(&mut all));
            ty.methods.iter().for_each(|f| call(f, &mut all));
            if let Make::Call(takes) = &ty.make {
                takes.iter().for_each(|taken| taken.collect(&mut all));
            }
        }
        all
    }

    /// Makes the function `name` the one that is completed: its parameters become variables, and
    /// those without a name of use are left out with a note. Gives the type that it returns.
    ///
    /// # Errors
    /// If there is no such function.
    pub fn enter(&mut self, language: Language, name: &str) -> Result<Type, TypedError> {
        let known = || self.functions.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join(", ");
        let Some(function) = self.functions.iter().find(|f| f.name == name).cloned() else {
            let known = known();
            let known = if known.is_empty() { "none was read".into() } else { format!("there are {known}") };
            return Err(TypedError::new(format!("no function {name:?} to complete; {known}")));
        };
        for (name, ty) in function.takes {
            if !language.is_name(&name) || name.contains(['.', ':']) || language.uses(&name) {
                let shown =
                    if name.is_empty() { "a parameter".into() } else { format!("the parameter `{name}`") };
                let what = format!("{shown} of `{}`", function.name);
                let why = "it has no name that a completion can use".to_owned();
                self.skipped.push(Skipped { line: None, what, why });
                self.variables.retain(|v| v.name != name);
                self.functions.retain(|f| f.name != name);
                if language.uses(&name) {
                    self.hidden.insert(name);
                }
                continue;
            }
            // What has the same name outside cannot be seen from inside.
            self.variables.retain(|v| v.name != name);
            self.functions.retain(|f| f.name != name);
            self.variables.push(Variable { name, ty, constant: false });
        }
        Ok(function.gives)
    }

    /// Checks the names and the types in use.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn check(&self, language: Language) -> Result<(), TypedError> {
        let mut seen = BTreeSet::new();
        let own = self.variables.iter().map(|v| &v.name).chain(self.functions.iter().map(|f| &f.name));
        for name in own.chain(self.types.iter().map(|ty| &ty.name)) {
            named(language, name)?;
            if !seen.insert(name) {
                return Err(TypedError::new(format!("there are two of the name {name:?}")));
            }
        }
        for ty in &self.types {
            let mut seen = BTreeSet::new();
            let fields = ty.fields.iter().map(|(n, _)| (n, true));
            for (name, is_field) in fields.chain(ty.methods.iter().map(|f| (&f.name, false))) {
                if !language.is_member(name) {
                    return Err(TypedError::new(format!(
                        "{name:?} cannot be a member in {}",
                        language.name()
                    )));
                }
                // In Rust a field and a method can have one name.
                if !seen.insert((name, is_field && language == Language::Rust)) {
                    return Err(TypedError::new(format!("{} has two members {name:?}", ty.name)));
                }
            }
        }
        match self.all_types().into_iter().find_map(|ty| match ty {
            Type::Named(name) if self.defined(&name).is_none() => Some(name),
            _ => None,
        }) {
            Some(name) => Err(TypedError::new(format!("unknown type {name:?}"))),
            None => Ok(()),
        }
    }
}

fn named(language: Language, name: &str) -> Result<(), TypedError> {
    if language.is_name(name) {
        return Ok(());
    }
    Err(TypedError::new(format!("{name:?} cannot be a name in {}", language.name())))
}
