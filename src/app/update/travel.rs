//! Going back in a run, and putting another token in place of one: what comes after is gone, from the
//! screen at once and from the engine as soon as it hears of it. The run waits there.
//!
//! A run that has ended stays among the runs of the session as it was; the way back is a new one.

use std::sync::Arc;

use crate::app::action::Action;
use crate::app::event::{Back, Effect};
use crate::app::inspector::Part;
use crate::app::state::{Journal, ModelState, Run, RunStatus, State};
use crate::engine::model::ModelInfo;
use crate::engine::trace::{Insight, StepKind, TokenId};
use crate::engine::vocabulary::Vocabulary;
use crate::sanitize;

/// Goes back to before the step under inspection.
pub(super) fn rewind(state: &mut State) -> Vec<Effect> {
    let Some((at, _)) = state.run.inspected() else {
        state.warn("There is no token to go back to.");
        return Vec::new();
    };
    let number = state.run.number;
    let effects = back(state, at, None);
    if !effects.is_empty() {
        let (go_on, step) = (state.keymap.first_key(Action::Run), state.keymap.first_key(Action::Step));
        let run = new_run(state, number);
        let said = format!("Back before token {}{run}: {go_on} goes on, {step} goes one token.", at + 1);
        state.say(said + old_grammar(state));
    }
    effects
}

/// Puts the token at the inspector's cursor in place of the step under inspection.
pub(super) fn force(state: &mut State) -> Vec<Effect> {
    let Some((at, step)) = state.run.inspected() else {
        state.warn("There is no token to put another one in place of.");
        return Vec::new();
    };
    let (Some(insight), Some(token)) = (&step.insight, state.inspector.token(&state.run)) else {
        state.warn("No token is chosen: pick one in the inspector.");
        return Vec::new();
    };
    if !insight.allowed.contains(token) {
        let refusal = refusal(state, at, step.kind, insight, token);
        state.warn(refusal);
        return Vec::new();
    }
    let number = state.run.number;
    let effects = back(state, at, Some(token));
    if !effects.is_empty() {
        let go_on = state.keymap.first_key(Action::Run);
        let run = new_run(state, number);
        let said = format!("{} is token {} now{run}: {go_on} goes on.", name(state, token), at + 1);
        state.say(said + old_grammar(state));
    }
    effects
}

/// Cuts the run after its first `keep` steps and asks the engine to do so. If the engine could not, the
/// run stays as it is.
fn back(state: &mut State, keep: usize, put: Option<TokenId>) -> Vec<Effect> {
    let run = &state.run;
    let Some(trace) = &run.trace else { return Vec::new() };
    let is_of_model = |of: &&Arc<Vocabulary>| {
        run.status.is_live() || state.model.vocabulary().is_some_and(|in_use| Arc::ptr_eq(in_use, of))
    };
    let Some(vocabulary) = run.vocabulary.as_ref().filter(is_of_model) else {
        let reason = other_model(state, &trace.model);
        state.warn(reason);
        return Vec::new();
    };
    let was = run.id;
    let mut back = Back {
        id: was,
        was,
        request: Box::new(trace.request.clone()),
        grammar: run.grammar.clone(),
        vocabulary: vocabulary.clone(),
        steps: trace.steps[..keep].to_vec(),
        put,
    };
    if state.run.status.is_live() {
        back.id = state.runs.next_id();
    } else {
        let (id, number) = state.runs.names();
        back.id = id;
        state.begin_run(Run { number, journal: Journal::default(), ..state.run.clone() });
    }
    state.run.id = back.id;
    state.run.cut(keep);
    state.run.status = RunStatus::Pausing;
    state.inspector.to_top();
    vec![Effect::Back(Box::new(back))]
}

/// Why the model in use cannot go on with a run of this one.
fn other_model(state: &State, of_run: &ModelInfo) -> String {
    let (name, key) = (&of_run.name, state.keymap.first_key(Action::Models));
    let why = match &state.model {
        ModelState::Ready(in_use, _) if in_use.name != *name => {
            return format!("{name} wrote this run, {} is in use; {key} picks another model.", in_use.name);
        }
        ModelState::Ready(in_use, _) if in_use.vocab != of_run.vocab => "has other tokens now",
        ModelState::Ready(..) => "has other weights or tokens now",
        _ if state.loading.is_some() => "is not loaded yet",
        _ => "is not loaded",
    };
    format!("This run cannot be gone back in: {name} {why}.")
}

/// Why a token cannot be put there.
fn refusal(state: &State, at: usize, kind: StepKind, insight: &Insight, token: TokenId) -> String {
    let name = name(state, token);
    let why = if kind == StepKind::Forced || insight.allowed.count() == 1 {
        "the grammar leaves one way there"
    } else {
        "the grammar does not allow it there"
    };
    let key = state.keymap.first_key(Action::NextList);
    let hint = if state.inspector.part == Part::Rejected {
        format!("; {key} turns to others")
    } else {
        String::new()
    };
    format!("{name} cannot be token {}: {why}{hint}.", at + 1)
}

/// A token as a message names it.
fn name(state: &State, token: TokenId) -> String {
    let bytes = state.run.vocabulary.as_ref().map_or(&[][..], |vocabulary| vocabulary.bytes(token));
    format!("“{}” (#{token})", sanitize::token(bytes))
}

/// Says that the way back is a run of its own.
fn new_run(state: &State, before: u32) -> String {
    let number = state.run.number;
    if number == before { String::new() } else { format!(", as run {number}") }
}

/// Says that what is on the screen is not what the run goes on under.
fn old_grammar(state: &State) -> &'static str {
    if state.has_other_grammar() {
        " It keeps the grammar it began with; a new run takes the changed one."
    } else {
        ""
    }
}
