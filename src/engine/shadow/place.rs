//! What the shadow parser answers, as plain data: names as the person wrote them, places in the
//! person's text. Nothing here knows llguidance or how the answers are found.

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use super::set::ByteSet;
use crate::engine::diagnostic::Position;

/// A place in the text of a grammar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// In bytes.
    pub span: Range<usize>,
    /// Its first character.
    pub start: Position,
    /// One past its last character.
    pub end: Position,
}

/// What a terminal is in the grammar's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminalKind {
    /// A string: this text.
    Literal,
    /// A regular expression where it is used.
    Regex,
    /// A name that is defined elsewhere.
    Named,
    /// An expression of terminals, such as `~"x"` or `"a".."z"`; or a rule that is one terminal.
    Expression,
    /// A token of the model, not text.
    Special,
    /// What may be ignored.
    Ignored,
}

/// A terminal where it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Terminal {
    /// As the person wrote it: `NAME`, `":"`, `/[a-z]+/`.
    pub name: String,
    /// What it is.
    pub kind: TerminalKind,
    /// What it matches: the literal or expression itself, for a name its definition.
    pub pattern: Arc<str>,
    /// The rule in whose body it stands.
    pub rule: Option<String>,
    /// In a JSON Schema: the JSON pointer of the innermost property or definition that it belongs to,
    /// empty for the whole. `None` if more than one could be meant.
    pub pointer: Option<String>,
    /// Where it is used; in a JSON Schema, where what `pointer` names stands. `None` if that is not
    /// known.
    pub spot: Option<Spot>,
    /// For a name: where it is defined.
    pub definition: Option<Spot>,
}

/// Whether something has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Some of its bytes are there, or it is the one that goes on.
    InProgress,
    /// It may come next.
    Next,
}

/// A terminal that may come at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// The terminal.
    pub terminal: Arc<Terminal>,
    /// Whether it has begun.
    pub standing: Standing,
    /// Where it begins, in bytes of the text.
    pub from: usize,
}

/// A rule that is open at a place, or a step on the way to a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Crumb {
    /// The rule's name.
    pub rule: String,
    /// In a JSON Schema: its JSON pointer, if only one can be meant.
    pub pointer: Option<String>,
    /// The name's place in its definition.
    pub definition: Option<Spot>,
    /// Which of its alternatives it is in, counted from 0.
    pub alternative: Option<usize>,
    /// That alternative's place.
    pub active: Option<Spot>,
    /// Where the rule is used by the one before it.
    pub used_at: Option<Spot>,
    /// Where its text begins, in bytes.
    pub from: usize,
    /// The value of its parameter, if the grammar has parameters.
    pub parameter: Option<u64>,
}

/// Where a text stands in its grammar.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// The length of the text, in bytes.
    pub at: usize,
    /// From `start` to the innermost open rule.
    pub path: Vec<Crumb>,
    /// The next terminal on that path: the one in progress, or the first that may come.
    pub here: Option<Arc<Terminal>>,
    /// Every terminal that may go on or come next, each use once, those in progress first.
    pub expected: Vec<Expected>,
    /// The bytes that may come next.
    pub next_bytes: ByteSet,
    /// Whether the text may end here.
    pub may_end: bool,
    /// Why nothing more can be said, if a bound was hit.
    pub limit: Option<Limit>,
}

/// A bound of the shadow parser, which gives up rather than hang or guess.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Too many rules are open at once.
    #[error("more than {0} rules are open at one place of the text")]
    Items(usize),
    /// The terminals are too hard to follow.
    #[error("the terminals need too much work: {0}")]
    Lexer(String),
}

/// A grammar, or a part of one, that the shadow parser cannot follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum CannotFollow {
    /// The grammar does not compile.
    #[error("the grammar does not compile: {0}")]
    Broken(String),
    /// `max_tokens=` counts tokens, and a text does not tell where its tokens end.
    #[error("`max_tokens=` counts tokens, which a text does not show")]
    MaxTokens {
        /// The rule that has it.
        rule: Option<String>,
        /// Its definition.
        spot: Option<Spot>,
    },
    /// Too many rules are open at its start.
    #[error("more than {0} rules are open at its start")]
    Items(usize),
    /// The terminals are too large to be followed beside llguidance.
    #[error("the terminals of the grammar need too much work: {0}")]
    Lexer(String),
    /// It takes too long to prepare.
    #[error("preparing to follow the grammar takes longer than compiling may")]
    Late,
    /// Earlier grammars are still compiling.
    #[error("earlier grammars are still compiling")]
    Busy,
    /// There is no thread to work on.
    #[error("no thread to work on: {0}")]
    Thread(String),
}
