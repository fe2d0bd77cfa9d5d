//! Where the name at the caret of the grammar is used.

use crate::app::state::State;
use crate::engine::diagnostic::Position;

use super::{Pick, Row};

/// The definitions and then the uses, each with its line.
pub(super) fn uses(state: &State) -> Vec<Row> {
    let Some(symbol) = state.name_at_caret() else { return Vec::new() };
    let text = state.grammar.buffer.text();
    let caret = state.grammar.buffer.caret().line + 1;
    let row = |section: &'static str, start: usize| {
        let at = Position::of(&text, start);
        let line = text.lines().nth(at.line - 1).unwrap_or_default().trim();
        Row::new(section, line, Pick::Jump(start))
            .right(format!("line {}", at.line))
            .current(at.line == caret)
    };
    let definitions = symbol.definitions.iter().map(|span| row("Definition", span.start));
    definitions.chain(symbol.uses.iter().map(|span| row("Uses", span.start))).collect()
}
