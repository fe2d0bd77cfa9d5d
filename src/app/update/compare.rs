//! What keys do while two runs are compared: they move in both.

use crate::app::action::Action;
use crate::app::compare::{Compare, common};
use crate::app::event::Effect;
use crate::app::menu::MenuKind;
use crate::app::runs::Purpose;
use crate::app::state::{Overlay, State};
use crate::app::store::Ask;
use crate::ui::{compare, wrap};

use super::menu;

/// Compares the run on the screen with another: the other one if there are two, else the one that is
/// picked from the list.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let shown = state.run.number;
    let others: Vec<u32> = state.runs.notes().map(|note| note.number).filter(|&n| n != shown).collect();
    if state.run.steps().is_empty() || others.is_empty() {
        let key = state.keymap.first_key(Action::Run);
        state.say(format!("Comparing takes two runs of this session; {key} makes one."));
        return Vec::new();
    }
    match others[..] {
        [other] => with(state, other),
        _ => menu::open(state, MenuKind::CompareWith),
    }
}

/// Compares the run on the screen with this one. It is read first if it is on the disk.
pub(super) fn with(state: &mut State, other: u32) -> Vec<Effect> {
    let shown = state.run.number;
    let compare = Compare { runs: [shown.min(other), shown.max(other)], at: 0 };
    state.overlay = Some(Overlay::Compare(compare));
    if state.run_of(other).is_none() {
        state.runs.reading = Some((other, Purpose::Compare));
        return vec![Effect::Store(Ask::Run(other))];
    }
    go_on(state)
}

/// Both runs are there: begins where they part.
pub(super) fn go_on(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Compare(shown)) = state.overlay else { return Vec::new() };
    if let Some(runs) = compare::runs(state, &shown) {
        let (at, _) = places(&runs.map(|run| run.steps()));
        state.overlay = Some(Overlay::Compare(Compare { at, ..shown }));
    }
    Vec::new()
}

/// The token where two runs part, and the last one of the longer.
fn places<S: AsRef<crate::engine::trace::Step>>(steps: &[&[S]; 2]) -> (usize, usize) {
    let last = steps[0].len().max(steps[1].len()).saturating_sub(1);
    (common(steps[0], steps[1]).min(last), last)
}

/// Takes in an action.
pub(super) fn act(state: &mut State, shown: Compare, action: Action) -> Vec<Effect> {
    let Some(runs) = compare::runs(state, &shown) else { return Vec::new() };
    let (parted, last) = places(&runs.map(|run| run.steps()));
    let (_, height) = compare::text_size(state, &shown);
    let page = height.max(1) as isize;
    let at = match action {
        Action::Left => shown.at.saturating_sub(1),
        Action::Right => shown.at + 1,
        Action::Up => by_rows(state, &shown, -1),
        Action::Down => by_rows(state, &shown, 1),
        Action::PageUp => by_rows(state, &shown, -page),
        Action::PageDown => by_rows(state, &shown, page),
        Action::Home | Action::TextStart => 0,
        Action::End | Action::TextEnd => last,
        Action::Enter => parted,
        Action::Compare => {
            state.overlay = None;
            return Vec::new();
        }
        _ => shown.at,
    };
    state.overlay = Some(Overlay::Compare(Compare { at: at.min(last), ..shown }));
    Vec::new()
}

/// Moves as the wheel does.
pub(super) fn scroll(state: &mut State, shown: Compare, by: isize) {
    let at = by_rows(state, &shown, by);
    state.overlay = Some(Overlay::Compare(Compare { at, ..shown }));
}

/// The token so many rows further on, in the run that has the token shown.
fn by_rows(state: &State, shown: &Compare, by: isize) -> usize {
    let Some(runs) = compare::runs(state, shown) else { return shown.at };
    let run = if shown.at < runs[0].steps().len() { runs[0] } else { runs[1] };
    let text = &run.transcript;
    let (width, _) = compare::text_size(state, shown);
    let start = text.span(shown.at).0;
    let row = wrap::row_of(text, start, width);
    let to = wrap::advance(text, row, by, width);
    let column = wrap::column_of(text, start, width);
    text.token_at(wrap::place_at(text, to, column, width)).unwrap_or(shown.at)
}
