//! The headings of the inspector's lower part, which lists tokens or shows places in the grammar.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;

use crate::app::inspector::Part;
use crate::app::state::{Pane, State};
use crate::engine::trace::Insight;

use super::glyphs;
use super::pen::Pen;
use super::theme::{Role, Theme};

/// Columns between two headings.
const GAP: usize = 2;

/// Whether the keys move in what is below the headings.
pub fn is_active(state: &State) -> bool {
    state.focus == Pane::Inspector && state.inspector.part != Part::Candidates
}

/// Draws the headings into the first row of `area`.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, area: Rect, insight: &Insight) {
    for (part, name, columns) in all(state, area, insight) {
        let is_shown = part == state.inspector.below();
        let style = match (is_shown, is_active(state)) {
            (true, true) => theme.text(Role::TitleFocused).add_modifier(Modifier::UNDERLINED),
            (true, false) => theme.text(Role::Title).add_modifier(Modifier::BOLD),
            (false, _) => theme.text(Role::Dim),
        };
        let x = columns.start;
        Pen::new(buffer, Rect { x, width: area.right().saturating_sub(x), ..area }, 0).put(&name, style);
    }
}

/// The heading that is under a cell of the first row of `area`; the one that is shown if none is.
pub fn target(state: &State, area: Rect, insight: &Insight, at: Position) -> Part {
    let tab = all(state, area, insight).into_iter().find(|(_, _, columns)| columns.contains(&at.x));
    tab.map_or(state.inspector.part, |(part, ..)| part)
}

/// The headings with the columns they take: with how many tokens each has where there is room, and
/// with the candidates where those are not on the screen.
fn all(state: &State, area: Rect, insight: &Insight) -> Vec<(Part, String, Range<u16>)> {
    let allowed = insight.allowed.count();
    let rejected = state.inspector.tokens().saturating_sub(allowed);
    let is_alone = super::inspector::parts(state).is_some_and(|parts| parts.candidates.is_empty());
    let candidates = is_alone.then_some((Part::Candidates, None));
    let lists = [(Part::Allowed, Some(allowed)), (Part::Rejected, Some(rejected))];
    let rest = [(Part::Where, None), (Part::Tree, None)];
    let parts: Vec<(Part, Option<usize>)> = candidates.into_iter().chain(lists).chain(rest).collect();
    let names = |name: fn(Part, Option<usize>) -> String| {
        parts.iter().map(|&(part, count)| (part, name(part, count))).collect::<Vec<_>>()
    };
    let counted = |part: Part, count: Option<usize>| match count {
        Some(count) => format!("{} {count}", part.name()),
        None => part.name().to_owned(),
    };
    let takes =
        |names: &[(Part, String)]| names.iter().map(|(_, n)| glyphs::width(n, 0) + GAP).sum::<usize>();
    let fits = |names: &Vec<(Part, String)>| takes(names) <= usize::from(area.width) + GAP;
    let widest = [names(counted), names(|part, _| part.name().to_owned())].into_iter().find(fits);
    let shown = widest.unwrap_or_else(|| names(|part, _| part.short_name().to_owned()));
    let mut x = area.x;
    let place = |(part, name): (Part, String)| {
        let columns = x..x + glyphs::width(&name, 0) as u16;
        x = columns.end + GAP as u16;
        (part, name, columns)
    };
    shown.into_iter().map(place).collect()
}
