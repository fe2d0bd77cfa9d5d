//! What is kept: earlier prompts and grammars, the runs of the session, the sessions.

use crate::app::state::State;
use crate::store::name;
use crate::store::session::{RunNote, first_line};
use crate::ui::format;

use super::{Pick, Row};

/// Earlier prompts, the last first.
pub(super) fn prompts(state: &State) -> Vec<Row> {
    let row = |prompt: &std::sync::Arc<str>| {
        let lines = prompt.lines().count();
        let right = if lines > 1 { format!("{lines} lines") } else { String::new() };
        Row::new("", first_line(prompt), Pick::Prompt(prompt.clone())).about(in_one_line(prompt)).right(right)
    };
    state.history.list.prompts.iter().map(row).collect()
}

/// Earlier grammars, the last first.
pub(super) fn grammars(state: &State) -> impl Iterator<Item = Row> {
    state.history.list.grammars.iter().map(|grammar| {
        Row::new("Earlier grammars", grammar.name.clone(), Pick::Grammar(grammar.clone()))
            .about(in_one_line(&grammar.text))
            .right(grammar.kind.name())
    })
}

/// The runs of the session, the newest first.
pub(super) fn runs(state: &State) -> Vec<Row> {
    let row =
        |note: &RunNote| run(note, state, Pick::Run(note.number)).current(note.number == state.run.number);
    state.runs.notes().rev().map(row).collect()
}

/// The runs that the one on the screen can be compared with, the newest first.
pub(super) fn others(state: &State) -> Vec<Row> {
    let others = state.runs.notes().rev().filter(|note| note.number != state.run.number);
    others.map(|note| run(note, state, Pick::CompareWith(note.number))).collect()
}

fn run(note: &RunNote, state: &State, pick: Pick) -> Row {
    let ended = match note.outcome {
        _ if note.is_cut_off => "cut off".to_owned(),
        Some(reason) => reason.words().to_owned(),
        None => "failed".to_owned(),
    };
    let about = format!("{} tokens, {ended}, {} with {}", note.tokens, note.grammar, note.model);
    Row::new("", format!("{}  {}", note.number, note.prompt), pick)
        .about(about)
        .right(format::ago(state.now, note.when))
}

/// The sessions; what is typed, as a new one; and what can be done.
pub(super) fn sessions(typed: &str, state: &State) -> Vec<Row> {
    let open = state.store.session.as_deref().unwrap_or_default();
    let mut rows: Vec<Row> = state
        .store
        .sessions
        .iter()
        .map(|session| {
            let runs = match session.runs {
                0 => "no runs".to_owned(),
                1 => "1 run".to_owned(),
                n => format!("{n} runs"),
            };
            let is_open = session.name == open;
            let row = Row::new("Sessions", session.name.clone(), Pick::Session(session.name.clone()))
                .about(format!("{}, {runs}: {}", session.grammar, session.prompt))
                .right(format::ago(state.now, session.saved))
                .current(is_open)
                .blocked(session.is_elsewhere.then_some("it is open in another maze"));
            let can_go = !is_open && !session.is_elsewhere;
            if can_go { row.delete(Pick::AskDelete(session.name.clone())) } else { row }
        })
        .collect();
    rows.push(
        Row::new("This session", format!("Rename {open}"), Pick::RenameSession)
            .about("give the open session another name"),
    );
    let is_there = |name: &str| state.store.sessions.iter().any(|session| session.name == name);
    if let Some(name) = name::check(typed).ok().filter(|name| !is_there(name)) {
        let row = Row::new("This session", format!("Save as {name}"), Pick::SaveSession(name))
            .about("go on with this grammar, prompt and runs in a new session");
        rows.push(row);
    }
    rows
}

/// The question whether a session is to be deleted.
pub(super) fn delete(state: &State) -> Vec<Row> {
    let Some(name) = state.store.deleting.clone() else { return Vec::new() };
    let runs = state.store.sessions.iter().find(|s| s.name == name).map_or(0, |s| s.runs);
    vec![
        Row::new("", format!("Keep {name}"), Pick::Act(crate::app::action::Action::Sessions)),
        Row::new("", format!("Delete {name} for good"), Pick::DeleteSession(name))
            .about(format!("its grammar, its prompt and {runs} runs cannot be had again")),
    ]
}

/// The beginning of a text in one line.
fn in_one_line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(300).collect()
}
