//! Going from a name of the grammar to its definition and its uses, and back.

use crate::app::event::Effect;
use crate::app::menu::{Menu, MenuKind};
use crate::app::state::{Overlay, Pane, State};
use crate::engine::grammar::{Symbol, Symbols};

/// More jumps than this are not remembered.
const JUMPS: usize = 100;

/// Goes to where the name at the caret is defined; from there, to its uses.
pub(super) fn definition(state: &mut State) {
    let Some(symbol) = state.name_at_caret() else { return none(state) };
    let caret = state.grammar.buffer.offset(state.grammar.buffer.caret());
    match symbol.definitions.first() {
        None => state.say(format!("“{}” is not defined in this grammar.", symbol.name)),
        Some(span) if span.start <= caret && caret <= span.end => uses(state),
        Some(span) => jump(state, span.start),
    }
}

/// Lists the uses of the name at the caret; goes there if there is only one.
pub(super) fn uses(state: &mut State) {
    let Some(symbol) = state.name_at_caret() else { return none(state) };
    match &symbol.uses[..] {
        [] => state.say(format!("Nothing uses “{}”.", symbol.name)),
        [only] => jump(state, only.start),
        _ => state.overlay = Some(Overlay::Menu(Menu::at_current(MenuKind::Uses, state))),
    }
}

/// Goes back to before the last jump.
pub(super) fn back(state: &mut State) {
    match state.grammar.jumps.pop() {
        None => state.say("The caret has not jumped."),
        Some(place) => {
            super::keys::focus(state, Pane::Grammar);
            state.grammar.buffer.go_to(place);
        }
    }
}

/// Goes to a byte of the grammar, and remembers where the caret was.
pub(super) fn jump(state: &mut State, offset: usize) {
    super::keys::focus(state, Pane::Grammar);
    let grammar = &mut state.grammar;
    let to = grammar.buffer.place(offset);
    if to == grammar.buffer.caret() {
        return;
    }
    if grammar.jumps.len() == JUMPS {
        grammar.jumps.remove(0);
    }
    grammar.jumps.push(grammar.buffer.caret());
    grammar.buffer.go_to(to);
}

/// Asks for texts that the terminal at the caret matches.
pub(super) fn watch(state: &mut State) -> Option<Effect> {
    let revision = state.grammar.buffer.revision();
    let symbol = state.known_name_at_caret().filter(|s| s.is_terminal && !s.definitions.is_empty())?;
    let name = symbol.name.clone();
    if state.grammar.compiled.is_none()
        || state.grammar.samples.as_ref().is_some_and(|(of, asked, _)| *of == revision && *asked == name)
    {
        return None;
    }
    state.grammar.samples = Some((revision, name.clone(), Vec::new()));
    Some(Effect::Sample(revision, state.grammar.source(), name))
}

/// Takes in an answer; one about another name or text is dropped.
pub(super) fn sampled(state: &mut State, revision: u64, name: String, samples: Vec<String>) {
    if state.grammar.samples.as_ref().is_some_and(|(of, asked, _)| *of == revision && *asked == name) {
        state.grammar.samples = Some((revision, name, samples));
    }
}

fn none(state: &mut State) {
    state.say("The caret is at no name of the grammar.");
}

impl State {
    /// The rule, terminal or definition whose name is at the caret of the grammar under edit.
    pub fn name_at_caret(&self) -> Option<Symbol> {
        if self.focus != Pane::Grammar || self.grammar.is_checked() {
            return self.known_name_at_caret().cloned();
        }
        // The text has changed since it was read last.
        let at = self.grammar.buffer.offset(self.grammar.buffer.caret());
        Symbols::of(&self.grammar.source()).at(at).cloned()
    }

    /// The same, as far as the text has been read since it was changed.
    pub fn known_name_at_caret(&self) -> Option<&Symbol> {
        let grammar = &self.grammar;
        let is_known = self.focus == Pane::Grammar && grammar.is_checked();
        is_known.then(|| grammar.symbols.at(grammar.buffer.offset(grammar.buffer.caret()))).flatten()
    }
}
