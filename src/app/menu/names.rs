//! Where the name at the caret of the grammar is used.

use crate::app::state::State;
use crate::ui::wrap::Lines;

use super::{Pick, Row};

/// The definitions and then the uses, each with its line.
pub(super) fn uses(state: &State) -> Vec<Row> {
    let Some(symbol) = state.name_at_caret() else { return Vec::new() };
    let buffer = &state.grammar.buffer;
    let starts: Vec<usize> = std::iter::once(0)
        .chain((0..buffer.count()).scan(0, |end, line| {
            *end += buffer.line(line).len() + 1;
            Some(*end)
        }))
        .collect();
    let row = |section: &'static str, start: usize| {
        let line = starts.partition_point(|&begin| begin <= start) - 1;
        Row::new(section, buffer.line(line).trim(), Pick::Jump(start))
            .right(format!("line {}", line + 1))
            .current(line == buffer.caret().line)
    };
    let definitions = symbol.definitions.iter().map(|span| row("Definition", span.start));
    definitions.chain(symbol.uses.iter().map(|span| row("Uses", span.start))).collect()
}
