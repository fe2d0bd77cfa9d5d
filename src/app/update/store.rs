//! Saving what has changed, and taking in what the store answers.

use std::time::Duration;

use crate::app::event::{Effect, Event, LoadId, Wake, Wanted};
use crate::app::files::FileJob;
use crate::app::runs::Purpose;
use crate::app::state::{Journal, Loading, State};
use crate::app::store::{Answer, Ask, recall};
use crate::engine::ModelSpec;
use crate::store::Opened;

use super::{compare, runs};

/// How long a change waits to be saved, at most.
const DELAY: Duration = Duration::from_secs(1);

/// What is to be read at the start, beside the session itself.
pub(super) fn init(state: &State) -> Vec<Effect> {
    if !state.store.is_on() {
        return Vec::new();
    }
    let run = state.runs.reading.map(|(number, _)| Effect::Store(Ask::Run(number)));
    [Effect::Store(Ask::History)].into_iter().chain(run).chain(base(state)).collect()
}

/// What the file of a draft holds, to know whether the draft is saved.
fn base(state: &State) -> Option<Effect> {
    let file = state.grammar.file.as_ref()?;
    Some(Effect::Files(FileJob::Base(file.path.clone())))
}

/// Whether an event of this kind may change what is saved.
pub(super) fn is_of_interest(event: &Event) -> bool {
    !matches!(event, Event::Wake(_) | Event::Resize(..) | Event::Store(Answer::Saved(..)))
}

/// Asks to be woken up to save what may have changed.
pub(super) fn watch(state: &mut State) -> Option<Effect> {
    state.store.ask().then_some(Effect::Wake(DELAY, Wake::Autosave))
}

/// Takes in an answer of the store.
pub(super) fn answered(state: &mut State, answer: Answer) -> Vec<Effect> {
    match answer {
        Answer::Saved(runs, result) => {
            state.runs.written(&runs, result.is_ok());
            if let Some(message) = state.store.saved(result) {
                state.warn(message);
            }
        }
        Answer::Appended(number, result) if state.run.number == number => {
            let journal = &mut state.run.journal;
            journal.is_busy = false;
            let had_failed = journal.has_failed;
            if result.is_err() {
                // What could not be written is written anew, with everything.
                *journal = Journal { has_failed: true, ..Journal::default() };
            }
            if let Some(reason) = result.err().filter(|_| !had_failed) {
                state.warn(format!("The run under way is not saved: {reason}"));
            }
        }
        Answer::Appended(..) => {}
        Answer::History(history, note) => {
            state.history.recall(history);
            note.into_iter().for_each(|note| state.warn(note));
        }
        Answer::Run(number, run) => return read(state, number, run),
        Answer::Listed(sessions) => state.store.sessions = sessions,
        Answer::Opened(opened) => return self::opened(state, *opened),
        Answer::Named(name) => {
            state.say(format!("This is the session {name} now."));
            state.store.session = Some(name);
        }
        Answer::Failed(message) => state.warn(message),
    }
    Vec::new()
}

/// A run has come from the disk, or cannot be read.
fn read(state: &mut State, number: u32, run: Result<Box<crate::app::state::Run>, String>) -> Vec<Effect> {
    let Some((_, purpose)) = state.runs.reading.take_if(|(wanted, _)| *wanted == number) else {
        return Vec::new();
    };
    match run {
        Err(message) => state.warn(message),
        Ok(run) => {
            let (is_cut_off, tokens) = (run.journal.steps > 0, run.steps().len());
            state.hold_run(*run);
            if is_cut_off {
                state.say(format!(
                    "Run {number} was cut off when the program ended; {tokens} tokens of it are kept."
                ));
            }
            match purpose {
                // A run that was started meanwhile is what the person wants to see.
                Purpose::Recall if state.run.trace.is_none() => drop(state.show_run(number)),
                Purpose::Recall => {}
                Purpose::Show => return runs::show(state, number),
                Purpose::Compare => return compare::go_on(state),
            }
        }
    }
    Vec::new()
}

/// Another session is open: its drafts come into the editors.
fn opened(state: &mut State, opened: Opened) -> Vec<Effect> {
    let Opened { name, session, notes } = opened;
    state.overlay = None;
    let (model, revision) = (state.store.model.clone(), state.grammar.buffer.revision());
    // What the session does not say is as the program was started.
    for (name, value) in state.store.started.clone() {
        if !["theme", "mouse"].contains(&name.as_str()) {
            crate::app::store::settings::apply(state, &name, &value);
        }
    }
    match session {
        Some(session) => recall::session(state, &session, None),
        // It could not be used: what is there goes on in it.
        None => state.runs.recall(&[]),
    }
    state.say(format!("This is the session {name} now."));
    notes.into_iter().for_each(|note| state.warn(note));
    state.store.session = Some(name);
    let mut effects = vec![Effect::Warm(state.language)];
    effects.extend(state.runs.reading.map(|(number, _)| Effect::Store(Ask::Run(number))));
    effects.extend(base(state));
    // The same text may be of another kind, or have other cases beside it.
    if state.grammar.buffer.revision() == revision {
        effects.push(super::check(state));
    }
    let wanted = state.store.model.clone().filter(|_| state.store.model != model);
    effects.extend(wanted.and_then(|model| load(state, &model)));
    effects
}

/// Loads the model that a session names.
fn load(state: &mut State, model: &str) -> Option<Effect> {
    let model: ModelSpec = model.parse().ok()?;
    state.load = LoadId(state.load.0 + 1);
    state.loading = Some(Loading::new(Wanted::Model(model.clone())));
    Some(Effect::Load(state.load, Wanted::Model(model)))
}
