//! The keys of vi, for those who have switched them on: what is about more than a text alone, and
//! where keys go to them at all.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::app::action::Action;
use crate::app::editor::Motion;
use crate::app::editor::vim::{Ask, Mode};
use crate::app::editor::words;
use crate::app::event::Effect;
use crate::app::field::Field;
use crate::app::question::{self, Question};
use crate::app::state::{Overlay, State};
use crate::app::texts::TextId;
use crate::ui::editor;
use crate::ui::wrap::{Lines, Place};

use super::{clipboard, find, keys};

/// What a key does; `None` if it means what it means without vi.
pub(super) fn press(state: &mut State, key: KeyEvent) -> Option<Vec<Effect>> {
    let id = listening(state)?;
    let mode = state.vim.as_ref()?.mode;
    let plain = (key.modifiers - KeyModifiers::SHIFT).is_empty();
    if key.code == KeyCode::Esc && plain {
        let (vim, buffer, _) = state.vim_parts(id)?;
        return vim.escape(buffer).then(Vec::new);
    }
    if mode == Mode::Insert {
        return None;
    }
    let control = key.modifiers == KeyModifiers::CONTROL;
    match key.code {
        KeyCode::Char(c) if plain => return Some(feed(state, id, c)),
        KeyCode::Char('r') if control => drop(state.text_mut(id).redo()),
        KeyCode::Char('d') if control => half_page(state, id, 1),
        KeyCode::Char('u') if control => half_page(state, id, -1),
        _ if !key.modifiers.is_empty() => return None,
        KeyCode::Left | KeyCode::Backspace => return Some(feed(state, id, 'h')),
        KeyCode::Right => return Some(feed(state, id, 'l')),
        KeyCode::Up => return Some(feed(state, id, 'k')),
        KeyCode::Down => return Some(feed(state, id, 'j')),
        KeyCode::Home => return Some(feed(state, id, '0')),
        KeyCode::End => return Some(feed(state, id, '$')),
        KeyCode::Delete => return Some(feed(state, id, 'x')),
        KeyCode::Enter => {
            feed(state, id, 'j');
            return Some(feed(state, id, '^'));
        }
        _ => return None,
    }
    Some(Vec::new())
}

/// The text whose keys are vi's at the moment.
fn listening(state: &State) -> Option<TextId> {
    let is_open = state.overlay.is_some() || state.find.is_open;
    state.text_in(state.focus).filter(|_| !is_open && state.vim.is_some())
}

fn feed(state: &mut State, id: TextId, c: char) -> Vec<Effect> {
    let before = state.register.clone();
    let Some((vim, buffer, register)) = state.vim_parts(id) else { return Vec::new() };
    let asked = vim.feed(c, buffer, register);
    if let Some(asked) = asked {
        ask(state, id, asked);
    }
    // What is copied or deleted goes to the terminal's clipboard too, without a word.
    if state.register != before { clipboard::hand_over(state) } else { Vec::new() }
}

fn ask(state: &mut State, id: TextId, asked: Ask) {
    match asked {
        Ask::Find => find::open(state, false),
        Ask::Next(forward) => find::step(state, forward),
        Ask::Word(forward) => {
            let buffer = state.text(id);
            let line = buffer.line(buffer.caret().line);
            let word = line[words::around(line, buffer.caret().byte, false)].trim().to_owned();
            if !word.is_empty() {
                (state.find.query, state.find.wanted.is_regex) = (Field::new(&word), false);
                find::step(state, forward);
            }
        }
        Ask::Command => {
            state.overlay = Some(Overlay::Question(Question::new(question::Ask::Command, "")));
        }
    }
}

fn half_page(state: &mut State, id: TextId, direction: isize) {
    let rows = editor::parts(state, state.focus).map_or(1, |parts| parts.height() / 2).max(1) as isize;
    let selects = state.vim.as_ref().is_some_and(|vim| vim.mode.selects());
    let buffer = state.text_mut(id);
    let motion = Motion::Lines(rows * direction);
    if selects { buffer.select(motion, 1) } else { buffer.go(motion, 1) }
}

/// What is done after `:`.
///
/// # Errors
/// If there is no such command: which there are.
pub(super) fn command(state: &mut State, text: &str) -> Result<Vec<Effect>, String> {
    let text = text.trim().trim_start_matches(':');
    let (name, forced) = text.strip_suffix('!').map_or((text, false), |name| (name, true));
    match name {
        "" => {}
        "w" => return Ok(keys::act(state, Action::Save)),
        "q" | "qa" => return Ok(keys::act(state, Action::Quit)),
        "wq" | "x" | "wqa" if !forced => {
            let mut effects = keys::act(state, Action::Save);
            // A name that is asked for first is not answered by quitting.
            if state.overlay.is_none() {
                effects.extend(keys::act(state, Action::Quit));
            }
            return Ok(effects);
        }
        "e" => return Ok(keys::act(state, Action::Open)),
        "noh" | "nohlsearch" => {}
        "$" => go_to_line(state, usize::MAX),
        _ => match name.parse() {
            Ok(line) => go_to_line(state, line),
            Err(_) => return Err("there are :w, :q, :wq, :x, :e, :NUMBER and :$".to_owned()),
        },
    }
    Ok(Vec::new())
}

fn go_to_line(state: &mut State, line: usize) {
    if let Some(buffer) = state.focused_text_mut() {
        let line = line.saturating_sub(1).min(buffer.count() - 1);
        buffer.go_to(Place { line, byte: 0 });
    }
}

/// Fits carets and modes to each other after anything that has happened. A text that is left is left
/// in normal mode.
pub(super) fn settle(state: &mut State) {
    let Some(focused) = state.vim.as_ref().map(|vim| vim.text) else { return };
    let now = state.text_in(state.focus);
    if focused != now {
        if let Some((vim, buffer, _)) = focused.and_then(|id| state.vim_parts(id)) {
            while vim.escape(buffer) {}
        }
        if let Some(vim) = &mut state.vim {
            vim.text = now;
        }
    }
    if let Some((vim, buffer, _)) = now.and_then(|id| state.vim_parts(id)) {
        vim.settle(buffer);
    }
}
