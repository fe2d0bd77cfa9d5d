//! A grammar as the person writes it, compiled into a constraint.
//!
//! Broken input is a value: [`Compiler::compile`] gives diagnostics with places in the person's
//! text, and a [`Compiled`] grammar only if generation may start with it. This file must never
//! name llguidance's parser types (that is [`constraint`](super::constraint)).

use serde::Serialize;

use super::constraint::Constraint;

/// The languages a constraint can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrammarKind {
    /// llguidance's dialect of Lark.
    Lark,
    /// A JSON Schema.
    JsonSchema,
    /// A regular expression, in Rust's syntax, that the whole output must match.
    Regex,
}

/// The text of a grammar and what it is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct GrammarSource {
    /// What the text is written in.
    pub kind: GrammarKind,
    /// A file's or example's name, for messages.
    pub name: String,
    /// The text.
    pub text: String,
}

/// A grammar that compiled: a constraint at its start, ready to be forked for a run.
pub struct Compiled {
    source: GrammarSource,
    template: Constraint,
}

impl Compiled {
    /// A constraint at the start of the grammar.
    pub fn constraint(&self) -> Constraint {
        self.template.fork()
    }
}

/// tmp
pub struct Compiler(super::constraint::ConstraintFactory);
impl Compiler {
    /// tmp
    pub fn new(v: &super::vocabulary::Vocabulary) -> Result<Self, String> {
        Ok(Self(super::constraint::ConstraintFactory::new(v)?))
    }
    /// tmp
    pub fn compile(&self, s: &GrammarSource) -> (Option<Compiled>, Vec<super::diagnostic::Diagnostic>) {
        match self.0.create(llguidance::api::TopLevelGrammar::from_lark(s.text.clone())) {
            Ok((template, _)) => (Some(Compiled { source: s.clone(), template }), vec![]),
            Err(e) => (None, vec![super::diagnostic::Diagnostic::error(&s.text, 0..0, "x", e)]),
        }
    }
}
impl GrammarSource {
    /// tmp
    pub fn new(kind: GrammarKind, name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { kind, name: name.into(), text: text.into() }
    }
}
