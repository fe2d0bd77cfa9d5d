//! What can be opened: examples, recent files, grammar files below the current folder, and what is
//! typed as a path. And what a new grammar can be written in.

use crate::app::examples::EXAMPLES;
use crate::app::state::State;
use crate::engine::grammar::GrammarKind;

use super::{Pick, Row};

/// The rows of the menu Open.
pub(super) fn rows(_typed: &str, state: &State) -> Vec<Row> {
    let example = |example: &'static crate::app::examples::Example| {
        Row::new("Examples", example.name, Pick::Example(example))
            .about(example.about)
            .right(example.language.name())
    };
    EXAMPLES.iter().map(example).chain(super::kept::grammars(state)).collect()
}

/// The rows of the menu New.
pub(super) fn kinds() -> Vec<Row> {
    let row = |kind: GrammarKind, about| Row::new("", kind.name(), Pick::New(kind)).about(about);
    vec![
        row(GrammarKind::Lark, "rules and regular expressions, the richest of them"),
        row(GrammarKind::Gbnf, "llama.cpp's own language"),
        row(GrammarKind::JsonSchema, "JSON of a certain shape"),
        row(GrammarKind::Regex, "one regular expression for the whole output"),
    ]
}
