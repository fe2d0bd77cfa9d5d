//! What keys do, by the pane that has the focus.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::app::action::Action;
use crate::app::editor::{EditorBuffer, Motion};
use crate::app::event::Effect;
use crate::app::examples::EXAMPLES;
use crate::app::inspector::{self, Part};
use crate::app::keymap;
use crate::app::state::{Overlay, Pane, State};
use crate::sanitize;
use crate::ui::{editor, output, overlay, rendered, wrap};

use super::{chat, models, run};

/// The longest text that goes to the clipboard, in bytes; many terminals drop what is longer.
const MAX_COPY: usize = 64 * 1024;

pub(super) fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    if let Some(action) = keymap::action(key, state.is_typing()) {
        return act(state, action);
    }
    let is_text = (key.modifiers - KeyModifiers::SHIFT).is_empty() || is_alt_gr(key.modifiers);
    if let (KeyCode::Char(c), true) = (key.code, is_text && state.is_typing()) {
        paste(state, c.encode_utf8(&mut [0; 4]));
    }
    Vec::new()
}

/// Windows terminals report AltGr, which types characters, as Ctrl with Alt.
fn is_alt_gr(modifiers: KeyModifiers) -> bool {
    modifiers.contains(KeyModifiers::CONTROL | KeyModifiers::ALT)
}

/// Puts text where keys type.
pub(super) fn paste(state: &mut State, text: &str) {
    if !state.is_typing() {
        return;
    }
    if state.overlay.is_some() {
        return models::type_text(state, text);
    }
    match state.focus {
        Pane::Grammar => state.grammar.buffer.insert(text),
        Pane::Prompt => state.prompt_text_mut().insert(text),
        Pane::Inspector => {
            state.inspector.query.push_str(text.lines().next().unwrap_or_default());
            state.inspector.row = 0;
        }
        Pane::Output => {}
    }
}

/// Scrolls the editors to their carets and the output to its selected token.
pub(super) fn reveal(state: &mut State) {
    for pane in [Pane::Grammar, Pane::Prompt] {
        let Some(parts) = editor::parts(state, pane) else { continue };
        if let Some(buffer) = buffer_of(state, pane) {
            buffer.reveal_caret(parts.wrap_width(), parts.height());
        }
    }
}

fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match (action, state.overlay) {
        (Action::Close, _) => return close(state),
        (Action::Quit, _) => return vec![Effect::Quit],
        (Action::Suspend, _) => return vec![Effect::Suspend],
        (Action::Theme, _) => state.theme = state.theme.other(),
        (Action::Help, Some(Overlay::Help { .. })) | (Action::Rendered, Some(Overlay::Rendered { .. })) => {
            state.overlay = None
        }
        (_, Some(open)) => return in_overlay(state, open, action),
        (_, None) => return in_panes(state, action),
    }
    Vec::new()
}

/// Actions while nothing floats above the panes.
fn in_panes(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Run => return run::toggle(state),
        Action::Step => return run::step(state),
        Action::Mouse => {
            state.mouse = !state.mouse;
            state.say(if state.mouse {
                "The mouse selects panes and tokens."
            } else {
                "The mouse is the terminal's: select text as usual."
            });
            return vec![Effect::CaptureMouse(state.mouse)];
        }
        Action::Zoom => state.zoomed = !state.zoomed,
        Action::Help => state.overlay = Some(Overlay::Help { top: 0 }),
        Action::Examples => state.overlay = Some(Overlay::Examples { selected: 0 }),
        Action::Models => return models::open(state),
        Action::NextPane => turn(state, 1),
        Action::PreviousPane => turn(state, Pane::ALL.len() - 1),
        Action::FocusGrammar => focus(state, Pane::Grammar),
        Action::FocusPrompt => focus(state, Pane::Prompt),
        Action::FocusOutput => focus(state, Pane::Output),
        Action::FocusInspector => focus(state, Pane::Inspector),
        Action::Search => {
            focus(state, Pane::Inspector);
            if state.inspector.part == Part::Candidates {
                state.inspector.part = Part::Allowed;
            }
            state.inspector.is_searching = true;
        }
        Action::PromptMode | Action::SystemPrompt | Action::Thinking | Action::Rendered => {
            return chat::act(state, action);
        }
        Action::Copy => return copy(state, false),
        Action::Cut => return copy(state, true),
        Action::NextList => {
            state.inspector.part = state.inspector.part.next();
            state.inspector.row = 0;
        }
        _ => match state.focus {
            Pane::Grammar | Pane::Prompt => in_editor(state, action),
            Pane::Output => in_output(state, action),
            Pane::Inspector => in_inspector(state, action),
        },
    }
    Vec::new()
}

fn close(state: &mut State) -> Vec<Effect> {
    if state.overlay.take().is_some() {
        return Vec::new();
    }
    if state.inspector.is_searching || (state.focus == Pane::Inspector && !state.inspector.query.is_empty()) {
        state.inspector.is_searching = false;
        state.inspector.query.clear();
        state.inspector.row = 0;
        return Vec::new();
    }
    if let Some(effects) = run::stop(state).or_else(|| models::cancel(state)) {
        return effects;
    }
    select(state, None);
    Vec::new()
}

fn focus(state: &mut State, pane: Pane) {
    state.focus = pane;
    state.inspector.is_searching = false;
    state.overlay = None;
}

fn turn(state: &mut State, by: usize) {
    let at = Pane::ALL.iter().position(|&p| p == state.focus).unwrap_or(0);
    focus(state, Pane::ALL[(at + by) % Pane::ALL.len()]);
}

fn in_editor(state: &mut State, action: Action) {
    let Some(parts) = editor::parts(state, state.focus) else { return };
    let (width, page) = (parts.wrap_width(), parts.height().max(1) as isize);
    let Some(buffer) = buffer_of(state, state.focus) else { return };
    match action {
        Action::Left => buffer.go(Motion::Left, width),
        Action::Right => buffer.go(Motion::Right, width),
        Action::Up => buffer.go(Motion::Rows(-1), width),
        Action::Down => buffer.go(Motion::Rows(1), width),
        Action::PageUp => buffer.go(Motion::Rows(-page), width),
        Action::PageDown => buffer.go(Motion::Rows(page), width),
        Action::Home => buffer.go(Motion::LineStart, width),
        Action::End => buffer.go(Motion::LineEnd, width),
        Action::WordLeft => buffer.go(Motion::WordLeft, width),
        Action::WordRight => buffer.go(Motion::WordRight, width),
        Action::TextStart => buffer.go(Motion::TextStart, width),
        Action::TextEnd => buffer.go(Motion::TextEnd, width),
        Action::SelectLeft => buffer.select(Motion::Left, width),
        Action::SelectRight => buffer.select(Motion::Right, width),
        Action::SelectUp => buffer.select(Motion::Rows(-1), width),
        Action::SelectDown => buffer.select(Motion::Rows(1), width),
        Action::SelectHome => buffer.select(Motion::LineStart, width),
        Action::SelectEnd => buffer.select(Motion::LineEnd, width),
        Action::Enter => buffer.insert("\n"),
        Action::DeleteLeft => buffer.delete(Motion::Left, width),
        Action::DeleteRight => buffer.delete(Motion::Right, width),
        Action::DeleteWord => buffer.delete(Motion::WordLeft, width),
        Action::DeleteToEnd => buffer.delete(Motion::LineEnd, width),
        Action::Undo => drop(buffer.undo()),
        Action::Redo => drop(buffer.redo()),
        _ => {}
    }
}

/// Copies what is selected in an editor, made harmless. What is too long is not copied in part, and
/// what is not copied is not cut.
fn copy(state: &mut State, cuts: bool) -> Vec<Effect> {
    let Some(buffer) = buffer_of(state, state.focus) else { return Vec::new() };
    let text = sanitize::visible(&buffer.selected_text()).into_owned();
    if text.is_empty() {
        state.say("Nothing is selected: Shift with the arrow keys selects.");
        return Vec::new();
    }
    if text.len() > MAX_COPY {
        state.warn("Terminals take up to 64 KiB at once: select less.");
        return Vec::new();
    }
    if cuts {
        buffer.delete_selection();
    }
    state.say("Copied, if the terminal lets programs use the clipboard.");
    vec![Effect::Copy(text)]
}

fn in_output(state: &mut State, action: Action) {
    let page = output::size(state).map_or(1, |(_, height)| height.max(1) as isize);
    match action {
        Action::Left => select_by(state, -1),
        Action::Right => select_by(state, 1),
        Action::Up => select_row(state, -1),
        Action::Down => select_row(state, 1),
        Action::PageUp => select_row(state, -page),
        Action::PageDown => select_row(state, page),
        Action::Home => select(state, Some(0)),
        Action::End => select(state, None),
        Action::Enter => focus(state, Pane::Inspector),
        _ => {}
    }
}

fn in_inspector(state: &mut State, action: Action) {
    match action {
        Action::Enter => state.inspector.is_searching = false,
        Action::DeleteLeft => {
            state.inspector.query.pop();
            state.inspector.row = 0;
        }
        Action::Left if !state.inspector.is_searching => select_by(state, -1),
        Action::Right if !state.inspector.is_searching => select_by(state, 1),
        Action::Up => move_in_list(state, -1),
        Action::Down => move_in_list(state, 1),
        Action::PageUp => move_in_list(state, -20),
        Action::PageDown => move_in_list(state, 20),
        Action::Home => move_in_list(state, isize::MIN),
        Action::End => move_in_list(state, isize::MAX),
        _ => {}
    }
}

/// Moves in the candidates or in the list, whichever the keys are for.
pub(super) fn move_in_list(state: &mut State, by: isize) {
    let Some((_, step)) = state.run.inspected() else { return };
    let Some(insight) = &step.insight else { return };
    if state.inspector.part == Part::Candidates {
        let last = insight.before.len().max(insight.after.len()).saturating_sub(1);
        state.inspector.candidates_top = state.inspector.candidates_top.saturating_add_signed(by).min(last);
        return;
    }
    let Some(vocabulary) = &state.run.vocabulary else { return };
    let of_inspector = &state.inspector;
    let listed = inspector::listed(insight, of_inspector.lists_rejected(), &of_inspector.query, vocabulary);
    let last = listed.len().saturating_sub(1);
    state.inspector.row = state.inspector.row.min(last).saturating_add_signed(by).min(last);
}

/// Selects the step `by` after the one under inspection. Past the newest, the newest is followed.
fn select_by(state: &mut State, by: isize) {
    let Some((at, _)) = state.run.inspected() else { return };
    let to = at.saturating_add_signed(by);
    let follows = state.run.selected.is_none() && by > 0;
    select(state, (!follows && to < state.run.steps().len()).then_some(to));
}

/// Selects the step that is shown `by` rows below the one under inspection.
fn select_row(state: &mut State, by: isize) {
    let (Some((at, _)), Some((width, _))) = (state.run.inspected(), output::size(state)) else { return };
    let text = &state.run.transcript;
    let start = text.span(at).0;
    let row = wrap::row_of(text, start, width);
    let to = wrap::advance(text, row, by, width);
    if to == row && by > 0 {
        return select(state, None);
    }
    let column = wrap::column_of(text, start, width);
    let token = text.token_at(wrap::place_at(text, to, column, width));
    select(state, token);
}

/// Puts a step under inspection, or follows the newest, and scrolls there.
pub(super) fn select(state: &mut State, step: Option<usize>) {
    let step = step.filter(|&index| index < state.run.steps().len());
    state.run.selected = step;
    state.inspector.candidates_top = 0;
    let Some((width, height)) = output::size(state) else { return };
    let text = &state.run.transcript;
    state.run.top = step.map(|index| {
        let top = state.run.top.unwrap_or_else(|| wrap::bottom(text, width, height));
        wrap::reveal(text, top, text.span(index).0, width, height)
    });
}

fn in_overlay(state: &mut State, open: Overlay, action: Action) -> Vec<Effect> {
    if let Overlay::Models { selected } = open {
        return models::act(state, selected, action);
    }
    let by: isize = match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -10,
        Action::PageDown => 10,
        Action::Home => isize::MIN,
        Action::End => isize::MAX,
        Action::Enter => 0,
        _ => return Vec::new(),
    };
    match open {
        Overlay::Help { top } => {
            let last = overlay::last_help_top(state.size);
            state.overlay = Some(Overlay::Help { top: top.saturating_add_signed(by).min(last) });
        }
        Overlay::Rendered { top } => {
            let top = top.saturating_add_signed(by).min(rendered::last_top(state));
            state.overlay = Some(Overlay::Rendered { top });
        }
        Overlay::Examples { selected } if action == Action::Enter => {
            state.overlay = None;
            if let Some(example) = EXAMPLES.get(selected) {
                state.open(example);
                return vec![Effect::Warm(example.language)];
            }
        }
        Overlay::Examples { selected } => {
            let selected = selected.saturating_add_signed(by).min(EXAMPLES.len() - 1);
            state.overlay = Some(Overlay::Examples { selected });
        }
        Overlay::Models { .. } => {}
    }
    Vec::new()
}

/// The text that a pane edits.
pub(super) fn buffer_of(state: &mut State, pane: Pane) -> Option<&mut EditorBuffer> {
    match pane {
        Pane::Grammar => Some(&mut state.grammar.buffer),
        Pane::Prompt => Some(state.prompt_text_mut()),
        Pane::Output | Pane::Inspector => None,
    }
}
