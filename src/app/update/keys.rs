//! What keys do, by the pane that has the focus.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::app::action::Action;
use crate::app::editor::EditorBuffer;
use crate::app::event::Effect;
use crate::app::menu::{Menu, MenuKind};
use crate::app::state::{Overlay, Pane, State};
use crate::ui::editor;

use super::{chat, edit, inspector, models, output, overlay, run, travel};

pub(super) fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    if let Some(action) = state.keymap.action(key, state.is_typing()) {
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
        return overlay::type_text(state, text);
    }
    match state.focus {
        Pane::Grammar => state.grammar.buffer.insert(text),
        Pane::Prompt => state.prompt_text_mut().insert(text),
        Pane::Inspector => inspector::type_text(state, text),
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

pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Close => close(state),
        Action::Quit => vec![Effect::Quit],
        Action::Suspend => vec![Effect::Suspend],
        _ if state.overlay.is_some() => overlay::act(state, action),
        _ => in_panes(state, action),
    }
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
        Action::Commands => state.overlay = Some(Overlay::Menu(Menu::new(MenuKind::Commands))),
        Action::Open => state.overlay = Some(Overlay::Menu(Menu::new(MenuKind::Open))),
        Action::Themes => state.theme = state.theme.other(),
        Action::Models => return models::open(state),
        Action::NextPane => turn(state, 1),
        Action::PreviousPane => turn(state, Pane::ALL.len() - 1),
        Action::FocusGrammar => focus(state, Pane::Grammar),
        Action::FocusPrompt => focus(state, Pane::Prompt),
        Action::FocusOutput => focus(state, Pane::Output),
        Action::FocusInspector => focus(state, Pane::Inspector),
        Action::Search => inspector::search(state),
        Action::Rewind => return travel::rewind(state),
        Action::Force => return travel::force(state),
        Action::PromptMode | Action::SystemPrompt | Action::Thinking | Action::Rendered => {
            return chat::act(state, action);
        }
        Action::NextList => state.inspector.turn(state.inspector.part.next()),
        _ => match state.focus {
            Pane::Grammar | Pane::Prompt => return edit::act(state, action),
            Pane::Output => output::act(state, action),
            Pane::Inspector => return inspector::act(state, action),
        },
    }
    Vec::new()
}

fn close(state: &mut State) -> Vec<Effect> {
    if state.overlay.take().is_some() {
        return Vec::new();
    }
    if inspector::search_no_more(state) {
        return Vec::new();
    }
    if let Some(effects) = run::stop(state).or_else(|| models::cancel(state)) {
        return effects;
    }
    output::select(state, None);
    Vec::new()
}

pub(super) fn focus(state: &mut State, pane: Pane) {
    state.focus = pane;
    state.inspector.is_searching = false;
    state.overlay = None;
}

fn turn(state: &mut State, by: usize) {
    let at = Pane::ALL.iter().position(|&p| p == state.focus).unwrap_or(0);
    focus(state, Pane::ALL[(at + by) % Pane::ALL.len()]);
}

/// The text that a pane edits.
pub(super) fn buffer_of(state: &mut State, pane: Pane) -> Option<&mut EditorBuffer> {
    match pane {
        Pane::Grammar => Some(&mut state.grammar.buffer),
        Pane::Prompt => Some(state.prompt_text_mut()),
        Pane::Output | Pane::Inspector => None,
    }
}
