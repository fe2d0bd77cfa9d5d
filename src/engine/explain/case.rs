//! A text, and the reason why a grammar refuses it: what is shrunk, kept in a file, and looked at
//! again.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ExplainError, Explainer, Ignored, LimitKind, Reason};
use crate::engine::diagnostic::characters;

/// A text that a grammar refuses, with what makes the reason the same one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The text, up to the character that is refused.
    #[serde(serialize_with = "readable", deserialize_with = "bytes")]
    pub text: Vec<u8>,
    /// The first byte that may not come; the length of the text if its end may not.
    pub at: usize,
    /// What the reason is known by.
    pub mark: Mark,
}

/// What a reason is known by: two reasons with the same mark are the same one, in whatever grammar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Its [name](Reason::name).
    pub kind: String,
    /// The byte that is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte: Option<u8>,
    /// The bytes that may come instead, rising.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<u8>,
    /// Whether the text may end instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_end: bool,
    /// What `%ignore` has to do with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<Ignored>,
    /// The limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitKind>,
}

impl Mark {
    /// What `reason` is known by.
    pub fn of(reason: &Reason) -> Self {
        let expected = reason.expected();
        let (byte, ignored) = match reason {
            Reason::Byte { byte, ignored, .. } => (Some(*byte), *ignored),
            _ => (None, None),
        };
        let limit = match reason {
            Reason::Limit { limit, .. } => Some(*limit),
            _ => None,
        };
        let wanted = match reason {
            Reason::DeadEnd { wanted } => wanted.clone(),
            _ => expected.map_or_else(Vec::new, |e| e.bytes.clone()),
        };
        Self {
            kind: reason.name().into(),
            byte,
            expected: wanted,
            may_end: expected.is_some_and(|e| e.may_end == Some(true)),
            ignored,
            limit,
        }
    }
}

/// Where a text is refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The first byte that may not come; the length of the text if its end may not.
    pub at: usize,
    /// The reason.
    pub reason: Reason,
}

impl Explainer {
    /// Where `text` is refused and why; `None` if it is a complete text of the grammar.
    pub fn refusal(&mut self, text: &[u8]) -> Option<Refusal> {
        let at = match self.at_text(text) {
            Err(ExplainError::Left { taken }) => taken,
            _ => text.len(),
        };
        let mut here = match self.at_text(&text[..at]) {
            Ok(here) => here,
            // What no token spells, no run can write.
            Err(_) => return Some(Refusal { at, reason: Reason::DeadEnd { wanted: Vec::new() } }),
        };
        let reason = if at < text.len() { here.why_text(&text[at..]) } else { here.why_end() };
        (!reason.is_allowed()).then_some(Refusal { at, reason })
    }

    /// The case that `text` makes; `None` if the grammar accepts it.
    pub fn case(&mut self, text: &[u8]) -> Option<Case> {
        let Refusal { at, reason } = self.refusal(text)?;
        let character = characters(&text[at..]).next().map_or(0, |character| character.len());
        Some(Case { text: text[..at + character].to_vec(), at, mark: Mark::of(&reason) })
    }
}

/// As text, if it is text.
fn readable<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.serialize(serializer),
        Err(_) => bytes.serialize(serializer),
    }
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Bytes(Vec<u8>),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Text(text) => text.into_bytes(),
        Either::Bytes(bytes) => bytes,
    })
}
