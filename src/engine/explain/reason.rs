//! Why a token may come or not: the reasons as data, for every view and for JSON.
//!
//! A reason holds what a person needs to see and nothing that has to be looked up again. The words
//! are in [`words`](super::words). What is said of a grammar is in the names and places of the text
//! that the person wrote.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::engine::trace::TokenId;

/// Why a token, or a piece of text, may come or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// It may come.
    Allowed {
        /// Whether it ends the text, which is complete.
        ends: bool,
    },
    /// Its first bytes may come, the next one may not.
    Byte {
        /// How many of its bytes may come.
        accepted: usize,
        /// The byte after those.
        byte: u8,
        /// What may come instead of that.
        expected: Expected,
        /// What `%ignore` has to do with it, if that would have allowed it elsewhere.
        ignored: Option<Ignored>,
    },
    /// Its bytes may come, but the grammar leaves no choice here, and its text is cut into other
    /// tokens.
    Tokenization {
        /// The token that has to come.
        forced: TokenId,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// It ends within the prompt's last token, which the first one of the answer takes in as a whole.
    Prompt {
        /// The bytes of that token.
        last: Vec<u8>,
    },
    /// A special token, which is not text, and which the grammar does not name here.
    Special {
        /// Whether the characters of its name could come as text.
        name_fits: bool,
        /// What may come instead.
        expected: Expected,
    },
    /// Text that reads like the special token that has to come.
    TextForSpecial {
        /// The special token.
        special: TokenId,
        /// Its name.
        name: String,
    },
    /// The end, but the text is not complete.
    Incomplete {
        /// What has to come first.
        expected: Expected,
        /// The shortest text that completes it, if that is known.
        finish: Option<Finish>,
    },
    /// No token can come at all, and the text is not complete.
    DeadEnd {
        /// The bytes that the grammar would take, which no token begins with.
        wanted: Vec<u8>,
    },
    /// The parser or the lexer has given up.
    Limit {
        /// Which of its limits was reached.
        limit: LimitKind,
        /// What it said.
        message: String,
    },
    /// The id has no token: the model has a number for it, and the tokenizer has no text.
    Padding,
    /// The answer has not begun: the model still thinks.
    Thinking {
        /// The token that has to come, where the thinking is being closed.
        forced: Option<TokenId>,
        /// Whether it is a control token, which has no place in the thinking.
        control: bool,
    },
    /// The mask leaves it out although its bytes may come, which should not be.
    Unexplained,
}

/// What may come at a place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The bytes, rising.
    pub bytes: Vec<u8>,
    /// The bytes that must come, if the grammar leaves no choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forced: Vec<u8>,
    /// The names of the special tokens that may come, at most [`MOST_SPECIALS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub specials: Vec<String>,
    /// Whether the text may end; `None` if that is not known.
    pub may_end: Option<bool>,
    /// The terminals, those that have begun first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terminals: Vec<Terminal>,
    /// Why the terminals are not known, if they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unnamed: Option<String>,
}

/// How many names of special tokens are listed.
pub const MOST_SPECIALS: usize = 8;

/// A terminal that may come or go on, as the person wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// How it is written: `NAME`, `":"`, `/[0-9]+/`.
    pub text: String,
    /// The rule it stands in.
    pub rule: Option<String>,
    /// In a JSON Schema: the JSON pointer of the property or definition that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Where it stands; in a JSON Schema, where what the pointer names does.
    pub place: Option<Where>,
    /// Whether it has begun already.
    pub begun: bool,
    /// How many of the tokens that may come begin with it, if they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<usize>,
}

/// A place in the text of a grammar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Where {
    /// In bytes.
    pub span: Range<usize>,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
}

/// A rule that is open at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crumb {
    /// Its name.
    pub rule: String,
    /// In a JSON Schema: its JSON pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The place of the alternative that it is in, if that is known.
    pub place: Option<Where>,
}

/// Why something that `%ignore` names may not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// Not before the first terminal, unless the grammar says `allow_initial_skip`.
    BeforeFirst,
    /// Not after the last one.
    AfterLast,
    /// Not in an embedded grammar (`%json`, `%lark`), which has its own.
    Embedded,
    /// Not between these two.
    Here,
}

/// A text that completes what has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finish {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether no shorter one is known to be possible.
    pub is_shortest: bool,
}

/// The limits of llguidance that a grammar can run into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Too many items in one row of the parser: many repetitions that lean to the right.
    Row,
    /// Too many items for one mask: many short terminals.
    Items,
    /// Too many states of the lexer.
    States,
    /// Too much work for the lexer in one mask: terminals with large counts.
    Fuel,
    /// The grammar's own `max_tokens`.
    MaxTokens,
    /// Another one.
    Other,
}

impl Reason {
    /// Whether it may come.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    /// The kind's name, as in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Allowed { .. } => "allowed",
            Self::Byte { .. } => "byte",
            Self::Tokenization { .. } => "tokenization",
            Self::Prompt { .. } => "prompt",
            Self::Special { .. } => "special",
            Self::TextForSpecial { .. } => "text_for_special",
            Self::Incomplete { .. } => "incomplete",
            Self::DeadEnd { .. } => "dead_end",
            Self::Limit { .. } => "limit",
            Self::Padding => "padding",
            Self::Thinking { .. } => "thinking",
            Self::Unexplained => "unexplained",
        }
    }

    /// What may come at the place itself, if the reason is about that and not about one further on.
    pub fn expected_here(&mut self) -> Option<&mut Expected> {
        match self {
            Self::Byte { accepted: 0, expected, .. }
            | Self::Special { expected, .. }
            | Self::Incomplete { expected, .. } => Some(expected),
            _ => None,
        }
    }

    /// What may come instead, if the reason knows it.
    pub fn expected(&self) -> Option<&Expected> {
        match self {
            Self::Byte { expected, .. }
            | Self::Special { expected, .. }
            | Self::Incomplete { expected, .. } => Some(expected),
            _ => None,
        }
    }
}
