//! Starting, holding and ending a run, and taking in what it tells.

use crate::app::action::Action;
use crate::app::event::{Effect, RunEvent, RunId};
use crate::app::state::{ModelState, Run, RunStatus, State};
use crate::engine::trace::{Request, Trace};

/// The run key: start, hold or go on.
pub(super) fn toggle(state: &mut State) -> Vec<Effect> {
    match state.run.status {
        RunStatus::Idle | RunStatus::Ended => ask(state, false),
        RunStatus::Waiting { .. } => {
            state.run.rest();
            Vec::new()
        }
        RunStatus::Starting | RunStatus::Running => pause(state),
        RunStatus::Pausing | RunStatus::Paused => {
            state.run.status = going(&state.run);
            vec![Effect::Resume]
        }
        RunStatus::Stopping => Vec::new(),
    }
}

/// The step key: take one step, from wherever the run stands.
pub(super) fn step(state: &mut State) -> Vec<Effect> {
    match state.run.status {
        RunStatus::Idle | RunStatus::Ended => ask(state, true),
        RunStatus::Waiting { .. } | RunStatus::Stopping => Vec::new(),
        RunStatus::Starting | RunStatus::Running => pause(state),
        RunStatus::Pausing | RunStatus::Paused => vec![Effect::Step],
    }
}

/// Holds the run. It may be in the middle of a step, and says when it waits.
fn pause(state: &mut State) -> Vec<Effect> {
    state.run.status = RunStatus::Pausing;
    vec![Effect::Pause]
}

/// Where a run stands that goes on: what comes before its first token is the prompt.
fn going(run: &Run) -> RunStatus {
    if run.steps().is_empty() { RunStatus::Starting } else { RunStatus::Running }
}

/// Ends the run; `None` if there is none to end.
pub(super) fn stop(state: &mut State) -> Option<Vec<Effect>> {
    match state.run.status {
        RunStatus::Waiting { .. } => {
            state.run.rest();
            Some(Vec::new())
        }
        RunStatus::Stopping => Some(Vec::new()),
        status if status.is_live() => {
            state.run.status = RunStatus::Stopping;
            Some(vec![Effect::Stop])
        }
        _ => None,
    }
}

fn ask(state: &mut State, paused: bool) -> Vec<Effect> {
    // Without a model in use the run waits for the one that loads; how that goes is on the screen.
    if state.loading.is_none() && state.model.vocabulary().is_none() {
        let key = state.keymap.first_key(Action::Models);
        state.warn(match &state.model {
            ModelState::Failed(reason) => format!("No model; {key} picks one. {reason}"),
            _ => format!("No model is loaded; {key} picks one."),
        });
        return Vec::new();
    }
    state.run.status = RunStatus::Waiting { paused };
    Vec::new()
}

/// Starts the run that waits, once there are a model and a checked grammar. With a grammar that
/// cannot be used nothing starts: the output would not follow what is on the screen.
pub(super) fn start_if_ready(state: &mut State) -> Vec<Effect> {
    let RunStatus::Waiting { paused } = state.run.status else { return Vec::new() };
    let ModelState::Ready(info, vocabulary) = &state.model else { return Vec::new() };
    let (info, vocabulary) = (info.clone(), vocabulary.clone());
    if !state.grammar.is_checked() {
        return Vec::new();
    }
    let Some(grammar) = state.grammar.compiled.clone() else {
        state.run.rest();
        state.warn("The grammar has an error; nothing runs without it.");
        return Vec::new();
    };
    let request = Request {
        prompt: state.prompt.text(),
        mode: state.mode(),
        grammar: Some(state.grammar.source()),
        ..state.template.clone()
    };
    if let Some(loading) = &state.loading {
        state.say(format!("Runs with {}; {} is not loaded yet.", info.name, loading.wanted));
    }
    let (id, number) = state.runs.names();
    state.history.ran(&request);
    let trace = Trace::new(request.clone(), info);
    state.begin_run(Run {
        id,
        number,
        status: RunStatus::Starting,
        trace: Some(trace),
        vocabulary: Some(vocabulary.clone()),
        grammar: Some(grammar.clone()),
        language: state.language,
        ..Run::default()
    });
    state.inspector.to_top();
    vec![Effect::Start { id, request: Box::new(request), grammar, vocabulary, paused }]
}

/// Takes in what a run tells. Runs that have been replaced are not listened to.
pub(super) fn happened(state: &mut State, id: RunId, event: RunEvent) {
    let run = &mut state.run;
    if id != run.id {
        return;
    }
    let Some(trace) = &mut run.trace else { return };
    match event {
        RunEvent::Started { prompt, grammar } => (trace.prompt, run.grammar) = (prompt, grammar),
        RunEvent::Steps(steps) => {
            run.extend(&steps);
            if run.status == RunStatus::Starting {
                run.status = RunStatus::Running;
            }
        }
        // What is on its way to its end does not wait any more.
        RunEvent::Paused if run.status != RunStatus::Stopping => run.status = RunStatus::Paused,
        RunEvent::Resumed if run.status != RunStatus::Stopping => run.status = going(run),
        RunEvent::Paused | RunEvent::Resumed => {}
        RunEvent::Finished(outcome) => {
            trace.outcome = Some(outcome);
            run.status = RunStatus::Ended;
        }
        RunEvent::Failed(message) => {
            run.fail(message.clone());
            run.status = RunStatus::Ended;
            state.warn(message);
        }
        RunEvent::Refused(message) => {
            run.status = RunStatus::Paused;
            state.warn(message);
        }
    }
}
