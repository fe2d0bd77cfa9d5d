//! From the state to what is saved.

use std::sync::Arc;

use serde_json::{Value, to_value};

use crate::app::action::Action;
use crate::app::event::Effect;
use crate::app::layout::Wishes;
use crate::app::look::{Graphs, Look};
use crate::app::runs;
use crate::app::state::{Journal, Pane, Run, State};
use crate::app::tour::Tour;
use crate::engine::chat::ModeChoice;
use crate::engine::trace::{FinishReason, Outcome, Trace};
use crate::store::journal::{CUT_OFF, Piece};
use crate::store::looks::Looks;
use crate::store::session::{Grammar, RunNote, Session, Text};
use crate::store::{RunToWrite, Save};
use crate::ui::theme::ThemeName;
use crate::ui::wrap::Place;

use super::settings::{self, Settings};
use super::{Ask, Cached};

/// Everything whose change is worth saving, save texts, which count by their revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Stamp {
    revisions: [u64; 3],
    carets: [Place; 3],
    grammar: (String, Option<std::path::PathBuf>),
    pane: (Pane, Wishes, bool),
    chat: (bool, bool, usize, &'static str),
    screen: (ThemeName, Tour, Look, Graphs, Vec<Action>),
    settings: Settings,
    runs: Vec<RunNote>,
    /// The run that is on the disk as far as it has come.
    under_way: Option<u32>,
}

fn stamp(state: &State) -> Stamp {
    let buffers = [&state.grammar.buffer, &state.prompt, &state.chat.system];
    Stamp {
        revisions: buffers.map(|buffer| buffer.revision()),
        carets: buffers.map(|buffer| buffer.caret()),
        grammar: (state.grammar.name.clone(), file(state)),
        pane: (state.focus, state.layout.clone(), state.chat.shows_system),
        chat: (state.chat.thinks, state.mouse, state.chat.budget, mode(state.chat.choice)),
        screen: (state.theme.clone(), state.tour.clone(), state.look, state.graphs, state.used.clone()),
        settings: settings::of(state),
        runs: state.runs.notes().cloned().collect(),
        under_way: under_way(state).map(|(run, _)| run.number).filter(|_| state.run.journal.steps > 0),
    }
}

/// What is to be saved now; nothing if nothing has changed since the last time.
pub fn changes(state: &mut State) -> Vec<Effect> {
    state.store.is_asked = false;
    if !state.store.is_on() {
        state.history.new.clear();
        return Vec::new();
    }
    // The run before the list that names it.
    let piece = piece(state).map(|piece| Effect::Store(Ask::Append(Box::new(piece))));
    let stamp = stamp(state);
    if state.store.saved.as_ref() == Some(&stamp) && state.history.new.is_empty() {
        return piece.into_iter().collect();
    }
    state.store.saved = Some(stamp);
    piece.into_iter().chain([Effect::Store(Ask::Save(Box::new(all(state))))]).collect()
}

/// The run under way, if it has come to its first token.
fn under_way(state: &State) -> Option<(&Run, &Trace)> {
    let trace = state.run.trace.as_ref().filter(|trace| !trace.steps.is_empty())?;
    state.run.status.is_live().then_some((&state.run, trace))
}

/// What is new in the run under way; nothing while what was new before is still being written.
fn piece(state: &mut State) -> Option<Piece> {
    let (run, trace) = under_way(state)?;
    let Journal { steps, same, is_busy, .. } = run.journal;
    let count = trace.steps.len();
    if is_busy || (steps, same) == (count, count) {
        return None;
    }
    let Trace { request, model, prompt, .. } = trace;
    let piece = Piece {
        number: run.number,
        head: Arc::new(Trace { prompt: prompt.clone(), ..Trace::new(request.clone(), model.clone()) }),
        from: same,
        steps: trace.steps[same..].to_vec(),
        vocabulary: run.vocabulary.clone(),
    };
    state.run.journal = Journal { steps: count, same: count, is_busy: true, ..run.journal };
    Some(piece)
}

/// Everything, as it is to be when the program ends or another session is opened. A run that is under
/// way is kept as far as it has come.
pub fn last(state: &mut State) -> Save {
    let mut save = Save { is_last: true, ..all(state) };
    if let Some((note, run)) = unfinished(state) {
        save.session.runs.retain(|other| other.number != note.number);
        save.session.runs.push(note);
        save.runs.push(run);
    }
    save
}

fn unfinished(state: &State) -> Option<(RunNote, RunToWrite)> {
    let (run, trace) = under_way(state)?;
    let mut trace = trace.clone();
    trace.outcome = Some(Outcome {
        reason: FinishReason::Cancelled,
        detail: Some(CUT_OFF.into()),
        elapsed: run.stats.busy,
        prefill: std::time::Duration::ZERO,
    });
    let note = cut_off(run, &trace, state.now);
    let vocabulary = run.vocabulary.clone();
    Some((note, RunToWrite { number: run.number, trace: Arc::new(trace), vocabulary }))
}

/// What the list says about a run under way, should the program not come to its end.
fn cut_off(run: &Run, trace: &Trace, now: i64) -> RunNote {
    RunNote { outcome: Some(FinishReason::Cancelled), is_cut_off: true, ..runs::note(run, trace, now) }
}

fn all(state: &mut State) -> Save {
    let runs = state.unwritten_runs();
    Save {
        runs,
        dropped: state.runs.take_dropped(),
        history: std::mem::take(&mut state.history.new),
        looks: looks(state),
        session: session(state),
        is_last: false,
    }
}

fn session(state: &mut State) -> Session {
    let texts = |cached: &mut Cached, buffer: &crate::app::editor::EditorBuffer| Text {
        text: cached.text(buffer),
        line: buffer.caret().line,
        byte: buffer.caret().byte,
    };
    Session {
        name: state.store.session.clone().unwrap_or_default(),
        grammar: Grammar {
            text: texts(&mut state.store.grammar, &state.grammar.buffer),
            kind: state.grammar.kind,
            name: state.grammar.name.clone(),
            // JSON has no other names.
            file: file(state).filter(|path| path.to_str().is_some()),
        },
        prompt: texts(&mut state.store.prompt, &state.prompt),
        system: texts(&mut state.store.system, &state.chat.system),
        shows_system: state.chat.shows_system,
        focus: written(state.focus).as_str().unwrap_or_default().to_owned(),
        mode: mode(state.chat.choice).to_owned(),
        thinks: state.chat.thinks,
        budget: state.chat.budget,
        language: state.language.name().to_owned(),
        settings: settings::changed(state),
        runs: listed(state),
    }
}

/// The runs that have files, the one under way among them.
fn listed(state: &State) -> Vec<RunNote> {
    let under_way = under_way(state).filter(|(run, _)| run.journal.steps > 0);
    let note = under_way.map(|(run, trace)| cut_off(run, trace, state.now));
    state.runs.notes().cloned().chain(note).collect()
}

fn looks(state: &State) -> Looks {
    Looks {
        theme: settings::chosen(state, "theme", state.theme.name().to_owned()),
        mouse: settings::chosen(state, "mouse", state.mouse.to_string()).and_then(|on| on.parse().ok()),
        layout: written(&state.layout),
        look: written(state.look),
        graphs: written(state.graphs),
        // JSON has no other names.
        recents: state.files.recents.iter().filter_map(|path| path.to_str().map(str::to_owned)).collect(),
        used: state.used.iter().map(|action| action.key_name()).collect(),
        tour: written(&state.tour),
    }
}

/// A value in its own words; nothing if it has none.
fn written(value: impl serde::Serialize) -> Value {
    to_value(value).unwrap_or_default()
}

/// A mode as it is saved.
pub(super) fn mode(choice: ModeChoice) -> &'static str {
    match choice {
        ModeChoice::Auto => "auto",
        ModeChoice::Raw => "raw",
        ModeChoice::Chat => "chat",
    }
}

fn file(state: &State) -> Option<std::path::PathBuf> {
    state.grammar.file.as_ref().map(|file| file.path.clone())
}
