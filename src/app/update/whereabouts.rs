//! Keeps what is known about the place in the grammar in step with the run on the screen, and moves
//! in what it shows.

use std::ops::Range;
use std::sync::Arc;

use crate::app::event::{Effect, RunId};
use crate::app::inspector::Part;
use crate::app::state::{Pane, RunStatus, State};
use crate::app::whereabouts::{Ask, Located, Reading};

use crate::ui::inspector::parts;

use super::{names, output};

/// So many tokens of a run on its way are let by before its place is asked for again.
const CLOSE: usize = 32;

/// Asks where the token under inspection is, unless that is known or asked for already.
pub(super) fn watch(state: &mut State) -> Option<Effect> {
    adopt(state);
    let run = &state.run;
    let (Some((at, step)), Some(grammar)) = (run.inspected(), &run.grammar) else { return None };
    let vocabulary = run.vocabulary.clone()?;
    let steps = run.steps();
    let is_running = run.status == RunStatus::Running;
    // The newest token of a run on its way is one that nobody looks at for long enough.
    let is_still = run.selected.is_some() || !is_running;
    let shows_why = state.inspector.lists_rejected() && parts(state).is_some_and(|p| !p.list.is_empty());
    let token = state.inspector.listed(run).filter(|_| shows_why && is_still && !step.thinking);
    let whereabouts = &mut state.whereabouts;
    let wanted = (run.id, steps.len(), at, token);
    if whereabouts.is_waiting || whereabouts.asked == Some(wanted) {
        return None;
    }
    let known = whereabouts.asked.filter(|(of, len, ..)| *of == run.id && *len <= steps.len());
    // What could not be followed once is begun anew only with another run.
    if known.is_some() && whereabouts.reason(run.id).is_some() {
        return None;
    }
    // A run on its way is followed in steps that grow with it: its tree is made anew each time.
    let is_close = known.is_some_and(|(_, len, ..)| steps.len() < len + CLOSE + len / 16);
    let is_same = known.is_some_and(|(.., before, of)| (before, of) == (at, token));
    if is_close && is_running && (is_same || !is_still) {
        return None;
    }
    let from = known.map_or(0, |(_, len, ..)| len);
    (whereabouts.asked, whereabouts.is_waiting) = (Some(wanted), true);
    Some(Effect::Locate(Box::new(Ask {
        run: run.id,
        grammar: grammar.clone(),
        from,
        steps: steps[from..].to_vec(),
        at,
        vocabulary,
        token,
    })))
}

/// A run of an earlier start has no more than the text of its grammar; where that is on the screen, it
/// is compiled already.
fn adopt(state: &mut State) {
    let (of_run, in_use) = (&state.run.vocabulary, state.model.vocabulary());
    let is_of_model = of_run.as_ref().zip(in_use).is_some_and(|(a, b)| Arc::ptr_eq(a, b));
    if state.run.grammar.is_none() && is_of_model && state.grammar.is_checked() && !state.has_other_grammar()
    {
        state.run.grammar = state.grammar.compiled.clone();
    }
}

/// Takes in an answer.
pub(super) fn answered(state: &mut State, run: RunId, answer: Result<Arc<Located>, String>) {
    state.whereabouts.is_waiting = false;
    // A run that is gone back in is another one from then on.
    if let Ok(located) = &answer
        && run == state.run.id
    {
        state.run.watch.learn(located.endless);
    }
    state.whereabouts.answer = Some(answer.map_err(|reason| (run, reason)));
}

/// What Enter does at a row: goes to its place in the grammar.
pub(super) fn enter(state: &mut State) {
    let Some(located) = state.located().cloned() else { return };
    let spot = match state.inspector.part {
        Part::Where => {
            let row = state.inspector.places.within(located.place.expected.len(), usize::MAX).row;
            located.place.expected.get(row).and_then(|e| e.terminal.spot.clone())
        }
        _ => state.inspector.tree_row(&located).and_then(|row| {
            let node = located.reading.tree.nodes.get(row)?;
            node.used_at.clone().or_else(|| node.definition.clone())
        }),
    };
    match spot {
        Some(_) if state.has_other_grammar() => {
            state.say("The grammar on the screen is not the one that this run followed.");
        }
        Some(spot) => names::jump(state, spot.span.start),
        None => state.say("It has no place in the grammar's text."),
    }
}

/// Moves in the tree, and selects the token that the part begins with.
pub(super) fn step_in_tree(state: &mut State, by: isize, height: usize) {
    let Some(located) = state.located().cloned() else { return };
    let Some(row) = state.inspector.tree_row(&located) else { return };
    let last = located.reading.tree.nodes.len().saturating_sub(1);
    go_to_node(state, &located, row.saturating_add_signed(by).min(last), height);
}

/// Puts the cursor of the tree at a part, and selects the token that the part begins with.
pub(super) fn go_to_node(state: &mut State, located: &Located, row: usize, height: usize) {
    let Reading { tree, .. } = &*located.reading;
    let Some(node) = tree.nodes.get(row) else { return };
    let token = located.reading.steps(&node.bytes).next();
    if token.is_some() && token != state.run.selected {
        output::select(state, token);
    }
    let at = state.run.inspected().map_or(0, |(at, _)| at);
    let inspector = &mut state.inspector;
    inspector.tree_at = Some((at, row));
    inspector.tree.row = row;
    inspector.tree = inspector.tree.within(tree.nodes.len(), height);
}

/// Scrolls the tree; its cursor stays among what is shown, and the token stays selected.
pub(super) fn scroll_tree(state: &mut State, by: isize, height: usize) {
    let Some(located) = state.located().cloned() else { return };
    let inspector = &mut state.inspector;
    let Some(row) = inspector.tree_row(&located) else { return };
    inspector.tree.row = row;
    inspector.tree.scroll(by, located.reading.tree.nodes.len(), height);
    inspector.tree_at = Some((located.at, inspector.tree.row));
}

impl State {
    /// What is known about the place of the run on the screen.
    pub fn located(&self) -> Option<&Arc<Located>> {
        self.whereabouts.of(self.run.id)
    }

    /// The tokens of the output that belong to what the person is at: a part of the tree in the
    /// inspector, or the name at the caret of the grammar. In order, no range within another.
    pub fn linked(&self) -> Vec<Range<usize>> {
        let Some(located) = self.located() else { return Vec::new() };
        let reading = &located.reading;
        match self.focus {
            Pane::Inspector if self.inspector.part == Part::Tree => {
                let row = self.inspector.tree_row(located);
                let node = row.and_then(|row| reading.tree.nodes.get(row));
                node.map(|node| reading.steps(&node.bytes)).into_iter().collect()
            }
            Pane::Grammar if !self.has_other_grammar() => {
                let Some(symbol) = self.name_at_caret() else { return Vec::new() };
                merged(reading.named(&symbol.name).map(|node| reading.steps(&node.bytes)).collect())
            }
            _ => Vec::new(),
        }
    }
}

/// Ranges in order, those that meet as one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, before| {
        let meets = next.start <= before.end;
        before.end = if meets { before.end.max(next.end) } else { before.end };
        meets
    });
    ranges
}
