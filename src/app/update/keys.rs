//! What keys do, by the pane that has the focus.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::app::action::Action;
use crate::app::editor::EditorBuffer;
use crate::app::event::Effect;
use crate::app::help::Help;
use crate::app::menu::MenuKind;
use crate::app::state::{Overlay, Pane, State};
use crate::ui::editor;

use super::{
    cases, chat, clipboard, compare, edit, export, files, find, inspector, layout, menu, models, names,
    output, overlay, run, runs, sessions, settings, tour, travel, vim,
};

pub(super) fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    if let Some(effects) = vim::press(state, key) {
        return effects;
    }
    // Where one letter is the answer, it has no other meaning.
    if let (Some(Overlay::Confirm(_)), KeyCode::Char(_), KeyModifiers::NONE) =
        (&state.overlay, key.code, key.modifiers)
    {
        return overlay::letter(state, key.code);
    }
    if let Some(action) = state.keymap.action(key, state.is_typing()) {
        return act(state, action);
    }
    let is_text = (key.modifiers - KeyModifiers::SHIFT).is_empty() || is_alt_gr(key.modifiers);
    if let (KeyCode::Char(c), true) = (key.code, is_text && state.is_typing()) {
        return paste(state, c.encode_utf8(&mut [0; 4]));
    }
    if is_text && state.overlay.is_some() && !state.is_typing() {
        return overlay::letter(state, key.code);
    }
    Vec::new()
}

/// Windows terminals report AltGr, which types characters, as Ctrl with Alt.
fn is_alt_gr(modifiers: KeyModifiers) -> bool {
    modifiers.contains(KeyModifiers::CONTROL | KeyModifiers::ALT)
}

/// Puts text where keys type.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    if !state.is_typing() {
        return Vec::new();
    }
    if state.overlay.is_some() {
        return overlay::type_text(state, text);
    }
    if state.find.is_open {
        find::type_text(state, text);
        return Vec::new();
    }
    match state.focus {
        Pane::Grammar => state.grammar.buffer.insert(text),
        Pane::Prompt => state.prompt_text_mut().insert(text),
        Pane::Inspector => inspector::type_text(state, text),
        Pane::Output => {}
    }
    Vec::new()
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
    if let Some(effects) = clipboard::in_field(state, action) {
        return effects;
    }
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
    if state.find.is_open
        && let Some(effects) = find::act(state, action)
    {
        return effects;
    }
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
        Action::Zoom | Action::Grow | Action::Shrink | Action::Hide | Action::ResetLayout => {
            layout::act(state, action);
        }
        Action::Tour => tour::toggle(state),
        Action::Messages => state.overlay = Some(Overlay::Messages { top: 0 }),
        Action::Help => state.overlay = Some(Overlay::Help(Help::default())),
        Action::Commands => return menu::open(state, MenuKind::Commands),
        Action::Open => return files::menu(state),
        Action::New => return menu::open(state, MenuKind::New),
        Action::Save | Action::SaveAs => return files::act(state, action),
        Action::Themes => return files::themes(state),
        Action::Settings => return settings::open(state),
        Action::Prompts => return menu::open(state, MenuKind::Prompts),
        Action::Runs => return runs::open(state),
        Action::Compare => return compare::open(state),
        Action::Sessions => return sessions::open(state),
        Action::Export => return export::menu(state),
        Action::PromptBefore | Action::PromptAfter if is_at_prompt(state) => {
            state.history.walk(&mut state.prompt, action == Action::PromptBefore);
        }
        Action::Models => return models::open(state),
        Action::NextFinding => edit::next_finding(state),
        Action::JumpBack => names::back(state),
        Action::Fix => edit::fix(state),
        Action::Entry => edit::entry(state),
        Action::Cases => return cases::open(state),
        Action::KeepAccepted | Action::KeepRejected => {
            return cases::keep(state, action == Action::KeepAccepted);
        }
        Action::NextPane => focus(state, layout::next_shown(state, 1)),
        Action::PreviousPane => focus(state, layout::next_shown(state, Pane::ALL.len() - 1)),
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
        Action::Tint => output::tint(state),
        Action::Graphs => output::next_graphs(state),
        Action::NextSurprise => output::surprise(state, true),
        Action::PreviousSurprise => output::surprise(state, false),
        Action::NextList => state.inspector.turn(state.inspector.part.next()),
        Action::Copy if state.text_in(state.focus).is_none() => return clipboard::copy_output(state),
        Action::Paste if state.text_in(state.focus).is_some() => clipboard::paste(state),
        Action::Paste => return paste(state, &state.register.text.clone()),
        _ => match state.focus {
            Pane::Grammar | Pane::Prompt => return edit::act(state, action),
            Pane::Output => output::act(state, action),
            Pane::Inspector => return inspector::act(state, action),
        },
    }
    Vec::new()
}

fn close(state: &mut State) -> Vec<Effect> {
    if state.toasts.dismiss_all() || overlay::close(state) || find::close(state) {
        return Vec::new();
    }
    if inspector::search_no_more(state) {
        return Vec::new();
    }
    if let Some(effects) = run::stop(state).or_else(|| models::cancel(state)) {
        return effects;
    }
    if state.run.selected.is_none()
        && let Some(effects) = runs::back(state)
    {
        return effects;
    }
    if state.run.selected.is_none() && state.run.top.is_none() {
        tour::skip(state);
    }
    output::select(state, None);
    Vec::new()
}

/// Whether keys type into the prompt, rather than into the system prompt of a chat.
fn is_at_prompt(state: &State) -> bool {
    state.focus == Pane::Prompt && !state.shows_system()
}

/// Goes to a pane, and shows it if it was hidden.
pub(super) fn focus(state: &mut State, pane: Pane) {
    state.layout.hidden.retain(|&hidden| hidden != pane);
    state.focus = pane;
    state.inspector.is_searching = false;
    state.overlay = None;
}

/// The text that a pane edits.
pub(super) fn buffer_of(state: &mut State, pane: Pane) -> Option<&mut EditorBuffer> {
    let id = state.text_in(pane)?;
    Some(state.text_mut(id))
}
