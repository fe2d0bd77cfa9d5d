//! The last two lines: how the run goes, and the keys that matter here.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::app::action::Action;
use crate::app::find::Wanted;
use crate::app::inspector::Part;
use crate::app::state::{Loading, ModelState, Overlay, Pane, RunStatus, State};
use crate::app::toast::Toast;
use crate::app::tour::Hint;
use crate::store::journal::CUT_OFF;

use super::corner;
use super::format;
use super::glyphs::width;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::wrap;

/// Rows that a toast may take in a small terminal, at most.
const MESSAGE_ROWS: u16 = 6;

/// Draws the line about the run: a message if there is one, else figures; the model at the right.
pub fn draw(buffer: &mut Buffer, area: Rect, state: &State, theme: &Theme) {
    if let Some(toast) = corner::in_status_line(state) {
        return tell(buffer, area, toast, theme);
    }
    let mut pen = Pen::new(buffer, area, 0);
    pen.skip(1);
    let (mark, word, role) = phase(state);
    let alarm = state.run.alarm().map(|alarm| format!("▲ {}", alarm.words()));
    let alarm_width = alarm.as_ref().map_or(0, |alarm| width(alarm, 0) + GAP);
    let needs = |form: Form| {
        let figures: usize = figures(state, form).iter().map(|f| width(f, 0) + GAP).sum();
        let right: usize = right(state, form).iter().map(|(text, _)| width(text, 0) + GAP).sum();
        width(mark, 0) + 1 + width(&word, 0) + alarm_width + figures + right
    };
    let form = if needs(Form::Long) <= pen.left() { Form::Long } else { Form::Short };
    let right = right(state, form);
    let right_width: usize = right.iter().map(|(text, _)| width(text, 0) + GAP).sum();
    let room = pen.left().saturating_sub(right_width + width(mark, 0) + 1);
    pen.put(mark, theme.text(role)).skip(1).put_within(&word, room, theme.text(role));
    if let Some(alarm) = alarm {
        let room = pen.left().saturating_sub(GAP + right_width);
        pen.skip(GAP).put_within(&alarm, room, theme.text(Role::Warning));
    }
    progress(&mut pen, state, right_width, theme);
    for figure in figures(state, form) {
        if pen.left() < width(&figure, 0) + GAP + right_width {
            break;
        }
        pen.skip(GAP).put(&figure, theme.text(Role::Title));
    }
    let blanks = pen.left().saturating_sub(right_width);
    pen.skip(blanks);
    for (text, role) in right {
        pen.skip(GAP - 1).put(&text, theme.text(role)).skip(1);
    }
}

/// A bar for how far the load is, where there is room for one.
fn progress(pen: &mut Pen, state: &State, right_width: usize, theme: &Theme) {
    let loading = state.loading.as_ref().filter(|_| !state.run.status.is_live());
    let Some(share) = loading.and_then(|l| l.share) else { return };
    if pen.left() >= GAP + PROGRESS + 2 + right_width {
        pen.skip(GAP).put("▕", theme.text(Role::Dim));
        pen.column(&format::bar(share, PROGRESS), PROGRESS, theme.text(Role::Bar));
        pen.put("▏", theme.text(Role::Dim));
    }
}

/// Draws a toast where there is no room for a box. One that is longer than the line covers what is
/// above it: what to do about a mistake stands at its end.
fn tell(buffer: &mut Buffer, area: Rect, toast: &Toast, theme: &Theme) {
    let (mark, role) = if toast.is_error { ("● ", Role::Error) } else { ("", Role::Title) };
    let text = crate::sanitize::line(&toast.text);
    let indent = 1 + width(mark, 0);
    let rows = wrap::rows(&text, usize::from(area.width).saturating_sub(indent + 1));
    let height = (rows.len() as u16).min(MESSAGE_ROWS).min(area.y + 1);
    let area = Rect { y: area.y + 1 - height, height, ..area };
    if height > 1 {
        Clear.render(area, buffer);
        buffer.set_style(area, theme.base());
    }
    Pen::new(buffer, area, 0).skip(1).put(mark, theme.text(role));
    for (y, row) in (0..height).zip(&rows) {
        // What does not fit into the last row either is cut there, visibly.
        let end = if y + 1 == height { text.len() } else { row.end };
        Pen::new(buffer, area, y).skip(indent).put(text[row.start..end].trim_end(), theme.text(role));
    }
}

/// How much room there is.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Long,
    Short,
}

/// Columns between two figures.
const GAP: usize = 2;

/// Columns of the bar for how far a load is.
const PROGRESS: usize = 16;

/// A mark, a word and a role for where the run stands.
fn phase(state: &State) -> (&'static str, String, Role) {
    let outcome = state.run.trace.as_ref().and_then(|t| t.outcome.as_ref());
    if let (false, Some(Loading { what, share, .. })) = (state.run.status.is_live(), &state.loading) {
        let share = share.map_or_else(String::new, |s| format!(" {:.0}%", s * 100.0));
        return ("◌", format!("{what}{share}"), Role::Running);
    }
    match (state.run.status, &state.model, outcome) {
        (RunStatus::Starting, ..) => ("●", "reading the prompt".into(), Role::Running),
        (RunStatus::Running, ..) if state.run.steps().last().is_some_and(|s| s.thinking) => {
            ("●", "thinking".into(), Role::Running)
        }
        (RunStatus::Running, ..) => ("●", "running".to_owned() + &by_another(state), Role::Running),
        (RunStatus::Pausing, ..) => ("●", "pausing".into(), Role::Warning),
        (RunStatus::Stopping, ..) => ("●", "stopping".into(), Role::Warning),
        (RunStatus::Paused, ..) => ("‖", "paused".to_owned() + &by_another(state), Role::Warning),
        (_, ModelState::Failed(_) | ModelState::Absent, _) => ("■", "no model".into(), Role::Error),
        (RunStatus::Waiting { .. }, ..) => ("◌", "checking the grammar".into(), Role::Running),
        (RunStatus::Ended, _, Some(outcome)) => {
            let role = if outcome.reason.is_success() { Role::Good } else { Role::Error };
            // Nobody has cancelled what says why it ended.
            let is_cut_off = outcome.detail.as_deref() == Some(CUT_OFF);
            let reason = if is_cut_off { "stopped" } else { outcome.reason.words() };
            let reason = reason.to_owned() + &by_another(state);
            let detail = outcome.detail.as_ref().map_or_else(String::new, |d| format!(": {d}"));
            ("■", reason + &detail, role)
        }
        (RunStatus::Ended, _, None) => ("■", "failed".into(), Role::Error),
        (RunStatus::Idle, ..) => ("○", "ready".into(), Role::Title),
    }
}

/// Names the model of the run, if the one in use has taken its place.
fn by_another(state: &State) -> String {
    let is_same = match (&state.run.vocabulary, state.model.vocabulary()) {
        (Some(of_run), Some(in_use)) => Arc::ptr_eq(of_run, in_use),
        _ => true,
    };
    let trace = state.run.trace.as_ref().filter(|_| !is_same);
    trace.map_or_else(String::new, |trace| format!(" with {}", trace.model.name))
}

/// The weightiest first.
fn figures(state: &State, form: Form) -> Vec<String> {
    let stats = &state.run.stats;
    if stats.tokens == 0 {
        return Vec::new();
    }
    let mut out = vec![match form {
        Form::Long => {
            let tokens = if stats.tokens == 1 { "token" } else { "tokens" };
            format!("{} {tokens}, {} forced", stats.tokens, stats.forced)
        }
        Form::Short => format!("{} tok", stats.tokens),
    }];
    if let Some(rate) = stats.rate() {
        out.push(format!("{} tok/s", format::rate(rate)));
    }
    if let (Some(p50), Some(p99)) = (stats.mask_percentile(0.5), stats.mask_percentile(0.99)) {
        out.push(match form {
            Form::Long => format!("mask p50 {}, p99 {}", format::duration(p50), format::duration(p99)),
            Form::Short => format!("mask {}", format::duration(p50)),
        });
    }
    out
}

fn right(state: &State, form: Form) -> Vec<(String, Role)> {
    let mut out = Vec::new();
    let session = state.store.session.as_ref().filter(|name| *name != crate::store::name::DEFAULT);
    match (session, form) {
        (Some(name), Form::Long) => out.push((format!("session {name}"), Role::Title)),
        // On a narrow screen the run comes first.
        (Some(name), Form::Short) if state.size.0 >= 80 => {
            out.push((name.chars().take(12).collect(), Role::Title));
        }
        _ => {}
    }
    if let (true, Some(Loading { what, share, .. })) = (state.run.status.is_live(), &state.loading) {
        let share = share.map(|s| format!(" {:.0}%", s * 100.0));
        // A download has it in its words.
        let said = || what.split(' ').find(|word| word.ends_with('%')).map(|word| format!(" {word}"));
        let text = match form {
            Form::Long => what.clone() + &share.unwrap_or_default(),
            Form::Short => "loading".to_owned() + &share.or_else(said).unwrap_or_default(),
        };
        out.push((text, Role::Running));
    } else if let ModelState::Ready(info, _) = &state.model {
        let text = match form {
            Form::Long => format!("{} on {}", info.name, info.device),
            Form::Short => info.name.chars().take(12).collect(),
        };
        out.push((text, Role::Dim));
    }
    let (mark, role) = match (state.grammar.is_checked(), state.grammar.errors(), &state.grammar.compiled) {
        (true, 0, Some(_)) => ("✓", Role::Good),
        (true, ..) => ("✗", Role::Error),
        (false, ..) => ("…", Role::Dim),
    };
    // Without words where there is no room: the grammar's pane says more if something is wrong.
    let is_short = form == Form::Short && role != Role::Error;
    out.push((if is_short { mark.to_owned() } else { format!("{mark} grammar") }, role));
    out
}

/// A key with what it does, and where the footer says so.
struct Shown {
    action: Action,
    key: String,
    hint: &'static str,
    columns: std::ops::Range<u16>,
}

/// The hints that fit, from left to right. What is not as long as the ones before may still fit; how
/// to find all keys is said in any case.
fn shown(state: &State, area: Rect) -> Vec<Shown> {
    let all: Vec<_> =
        hints(state).into_iter().map(|(a, hint)| (a, state.keymap.first_key(a), hint)).collect();
    let columns = |key: &str, hint: &str| width(key, 0) + 1 + width(hint, 0);
    let is_help = |action: Action| action == Action::Help;
    let help: usize = all.iter().filter(|h| is_help(h.0)).map(|h| columns(&h.1, h.2) + GAP).sum();
    let right = usize::from(area.right());
    let mut x = usize::from(area.x) + 1;
    let mut out = Vec::new();
    for (action, key, hint) in all {
        let end = x + columns(&key, hint);
        let kept = if is_help(action) { 0 } else { help };
        if key.is_empty() || end + kept > right {
            continue;
        }
        out.push(Shown { action, key, hint, columns: x as u16..end as u16 });
        x = end + GAP;
    }
    out
}

/// Draws the keys that matter here, or a hint for the first minutes.
pub fn footer(buffer: &mut Buffer, area: Rect, state: &State, theme: &Theme) {
    if let Some(hint) = corner::in_footer(state) {
        return first_steps(buffer, area, hint, state, theme);
    }
    for Shown { key, hint, columns, .. } in shown(state, area) {
        Pen::new(buffer, area, 0)
            .skip(usize::from(columns.start - area.x))
            .put(&key, theme.text(Role::Key))
            .skip(1)
            .put(hint, theme.text(Role::Dim));
    }
}

/// A hint for the first minutes, and how to be rid of it where there is room for that.
fn first_steps(buffer: &mut Buffer, area: Rect, hint: Hint, state: &State, theme: &Theme) {
    let number = format!("Hint {} of {}", hint.number(), Hint::ALL.len());
    let away = if state.run.selected.is_some() { "click: no hints" } else { "Esc: no hints" };
    let mut pen = Pen::new(buffer, area, 0);
    pen.skip(1).put(&number, theme.text(Role::Key)).skip(GAP).put(&hint.brief(&state.keymap), theme.base());
    if pen.left() > away.len() {
        pen.at_right(away, theme.text(Role::Dim));
    }
}

/// What the footer's hint under a cell of the screen is for.
pub fn hint_at(state: &State, column: u16, row: u16) -> Option<Action> {
    let area = state.areas()?.footer;
    let hints =
        if area.y == row && corner::in_footer(state).is_none() { shown(state, area) } else { Vec::new() };
    hints.into_iter().find(|h| h.columns.contains(&column)).map(|h| h.action)
}

/// The actions that the footer names here, the weightiest first.
fn hints(state: &State) -> Vec<(Action, &'static str)> {
    let named = |actions: &[Action]| actions.iter().map(|&a| (a, a.hint())).collect::<Vec<_>>();
    match &state.overlay {
        Some(
            Overlay::Help(_) | Overlay::Rendered { .. } | Overlay::Messages { .. } | Overlay::Case { .. },
        ) => {
            return vec![(Action::Close, "close"), (Action::Down, "more"), (Action::PageDown, "page")];
        }
        Some(Overlay::Menu(menu)) => {
            return vec![
                (Action::Enter, menu.kind.words().enter),
                (Action::Down, "next"),
                (Action::Close, "close"),
            ];
        }
        Some(Overlay::Models { .. }) => {
            return vec![(Action::Enter, "load"), (Action::Down, "next"), (Action::Close, "close")];
        }
        Some(Overlay::Settings(_)) => {
            return vec![
                (Action::Left, "less"),
                (Action::Right, "more"),
                (Action::Enter, "type"),
                (Action::Close, "close"),
            ];
        }
        Some(Overlay::Confirm(_)) => return vec![(Action::Close, "leave it")],
        Some(Overlay::Compare(_)) => {
            return vec![
                (Action::Right, "token"),
                (Action::Down, "line"),
                (Action::Enter, "where they part"),
                (Action::Close, "close"),
            ];
        }
        Some(Overlay::Question(_)) => {
            return vec![(Action::Enter, "done"), (Action::Close, "close")];
        }
        None => {}
    }
    if state.find.is_open {
        return of_find(state);
    }
    if state.inspector.is_searching {
        return vec![(Action::Enter, "done"), (Action::Close, "clear"), (Action::Down, "next")];
    }
    let run = match state.run.status {
        RunStatus::Starting | RunStatus::Running => "pause",
        RunStatus::Pausing | RunStatus::Paused | RunStatus::Stopping => "go on",
        RunStatus::Waiting { .. } => "wait no more",
        RunStatus::Idle | RunStatus::Ended => "run",
    };
    let mut out = vec![(Action::Run, run), (Action::Step, "step")];
    if state.shows_earlier_run() {
        out.push((Action::Close, "newest run"));
    } else if state.run.status.is_live() {
        out.push((Action::Close, "stop"));
    } else if state.loading.is_some() {
        out.push((Action::Close, "cancel loading"));
    }
    if state.layout.zoomed {
        out.push((Action::Zoom, "all panes"));
    }
    out.extend(match state.focus {
        Pane::Grammar => of_grammar(state),
        Pane::Prompt => of_prompt(state),
        Pane::Output => of_output(state),
        Pane::Inspector if matches!(state.inspector.part, Part::Where | Part::Tree) => {
            vec![(Action::Enter, "to the grammar"), (Action::NextList, Action::NextList.hint())]
        }
        Pane::Inspector => named(&[Action::Force, Action::NextList, Action::Search]),
    });
    out.extend([(Action::NextPane, "pane"), (Action::Commands, "commands")]);
    out.extend(named(&[Action::Open, Action::Models, Action::Settings]));
    out.extend(state.layout.hidden.iter().map(|pane| (pane.action(), pane.action().hint())));
    out.extend([(Action::Help, "keys"), (Action::Quit, "quit")]);
    out
}

/// What can be done with the grammar besides typing.
fn of_grammar(state: &State) -> Vec<(Action, &'static str)> {
    let has_findings = !state.grammar.diagnostics.is_empty();
    let finding = (Action::NextFinding, if state.grammar.errors() > 0 { "mistake" } else { "warning" });
    let fix = state.grammar.fixable().map(|_| (Action::Fix, Action::Fix.hint()));
    has_findings.then_some(finding).into_iter().chain(fix).collect()
}

/// What can be done with what was written.
fn of_output(state: &State) -> Vec<(Action, &'static str)> {
    if state.run.steps().is_empty() {
        return Vec::new();
    }
    let mut out = vec![(Action::Left, "back"), (Action::Right, "on")];
    if state.run.selected.is_some() {
        out.extend([(Action::End, "follow"), (Action::Rewind, "rewind")]);
    }
    out
}

/// What can be done while something is looked for.
fn of_find(state: &State) -> Vec<(Action, &'static str)> {
    let find = &state.find;
    let mut out = match (find.replaces, find.in_replacement) {
        (true, true) => {
            vec![(Action::Enter, "replace"), (Action::ReplaceAll, "all"), (Action::NextPane, "query")]
        }
        (true, false) => vec![(Action::Enter, "next"), (Action::NextPane, "replacement")],
        (false, _) => {
            vec![(Action::Enter, "next"), (Action::Up, "back"), (Action::Replace, "replace")]
        }
    };
    let Wanted { is_regex, exact, words } = find.wanted;
    out.push((Action::Find, if is_regex { "text" } else { "regex" }));
    out.push((Action::PromptMode, if exact { "any case" } else { "case" }));
    out.push((Action::SaveAs, if words { "parts" } else { "word" }));
    out.push((Action::Close, "close"));
    out
}

/// What can be done with the prompt besides typing.
fn of_prompt(state: &State) -> Vec<(Action, &'static str)> {
    let mut out = Vec::new();
    if state.is_chat() {
        out.push((Action::PromptMode, "raw"));
        out.push((Action::SystemPrompt, if state.shows_system() { "prompt" } else { "system" }));
    } else if state.has_template() {
        out.push((Action::PromptMode, "chat"));
    }
    out.push((Action::Rendered, "view"));
    out
}
