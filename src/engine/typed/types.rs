//! The types that a grammar can be built over: few, and the same for all languages.
//!
//! How a language writes them is in `language.rs` and in its reader. Nothing here
//! may know which of them a value of another type can stand for; that is each language's to say.

use std::collections::BTreeSet;

/// A type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// Truth.
    Bool,
    /// Whole numbers, by the name that the language has for them.
    Int(String),
    /// Numbers with fractions, by their name.
    Float(String),
    /// Text, by its name.
    Text(String),
    /// A type that the context defines.
    Named(String),
    /// A type made of others.
    Made(Form, Vec<Type>),
}

/// How a type is made of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// One or none: Python's `None`, TypeScript's `undefined`, Rust's `Option`, Go's pointers.
    Optional,
    /// TypeScript's `T | null`.
    Nullable,
    /// Many in order: lists, arrays, vectors, Go's slices.
    List,
    /// Rust's `&[T]`.
    Slice,
    /// From keys to values.
    Map,
    /// TypeScript's objects with any text as a key.
    Record,
    /// Rust's `&T`.
    Ref,
    /// From arguments to a result, which is the last.
    Function,
}

impl Type {
    /// One of `self` or none.
    pub fn optional(self) -> Self {
        Self::Made(Form::Optional, vec![self])
    }

    /// Many of `self`.
    pub fn list(self) -> Self {
        Self::Made(Form::List, vec![self])
    }

    /// A reference to `self`.
    pub fn reference(self) -> Self {
        Self::Made(Form::Ref, vec![self])
    }

    /// From `key` to `value`.
    pub fn map(key: Self, value: Self) -> Self {
        Self::Made(Form::Map, vec![key, value])
    }

    /// What the type is made of, if it is of that form with one part.
    pub fn inside(&self, form: Form) -> Option<&Self> {
        match self {
            Self::Made(own, parts) if *own == form => parts.first(),
            _ => None,
        }
    }

    /// Keys and values, of a map.
    pub fn entries(&self) -> Option<(&Self, &Self)> {
        match self {
            Self::Made(Form::Map, parts) => Some((parts.first()?, parts.get(1)?)),
            _ => None,
        }
    }

    /// Arguments and the result, of a function.
    pub fn signature(&self) -> Option<(&[Self], &Self)> {
        match self {
            Self::Made(Form::Function, parts) => parts.split_last().map(|(result, takes)| (takes, result)),
            _ => None,
        }
    }

    /// Whether it is a number.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Float(_))
    }

    /// Whether it is a number that can be below zero.
    pub fn is_signed(&self) -> bool {
        match self {
            Self::Int(name) => !name.starts_with('u'),
            _ => matches!(self, Self::Float(_)),
        }
    }

    /// Whether `is` holds for it or for a part of it.
    pub fn has(&self, is: &dyn Fn(&Self) -> bool) -> bool {
        is(self) || matches!(self, Self::Made(_, parts) if parts.iter().any(|part| part.has(is)))
    }

    /// Adds it and its parts to `all`.
    pub(super) fn collect(&self, all: &mut BTreeSet<Self>) {
        if let Self::Made(_, parts) = self {
            parts.iter().for_each(|part| part.collect(all));
        }
        all.insert(self.clone());
    }

    /// A name for rules: small letters, digits and underscores.
    pub(super) fn rule(&self) -> String {
        match self {
            Self::Bool => "bool".into(),
            Self::Int(name) | Self::Float(name) | Self::Text(name) | Self::Named(name) => snake(name),
            Self::Made(form, parts) => {
                let names: Vec<String> = parts.iter().map(Self::rule).collect();
                match form {
                    Form::Optional => format!("optional_{}", names.concat()),
                    Form::Nullable => format!("nullable_{}", names.concat()),
                    Form::List => format!("list_of_{}", names.concat()),
                    Form::Slice => format!("slice_of_{}", names.concat()),
                    Form::Map => format!("map_{}", names.join("_to_")),
                    Form::Record => format!("record_of_{}", names.concat()),
                    Form::Ref => format!("ref_{}", names.concat()),
                    Form::Function => match names.split_last() {
                        Some((result, [])) => format!("fn_to_{result}"),
                        Some((result, takes)) => format!("fn_{}_to_{result}", takes.join("_")),
                        None => "fn".into(),
                    },
                }
            }
        }
    }
}

/// A name in small letters, with an underscore where a capital begins a word.
fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut before = '_';
    for c in name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
        before = c;
    }
    if out.starts_with(|c: char| c.is_ascii_lowercase()) { out } else { format!("t{out}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_readable_names() {
        let int = || Type::Int("int".into());
        let user = || Type::Named("HTTPUser".into());
        assert_eq!(int().list().optional().rule(), "optional_list_of_int");
        assert_eq!(Type::map(Type::Text("&str".into()), user()).rule(), "map_str_to_httpuser");
        assert_eq!(Type::Named("OrderLine".into()).rule(), "order_line");
        assert_eq!(Type::Named("_Été".into()).rule(), "t_t");
        let function = Type::Made(Form::Function, vec![int(), Type::Bool, user()]);
        assert_eq!(function.rule(), "fn_int_bool_to_httpuser");
    }
}
