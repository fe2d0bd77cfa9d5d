//! Menus: lists that are searched by typing. The palette of commands, the grammars to open, the
//! themes, the sessions, all are one.
//!
//! What a menu lists is computed from the state when it is drawn or used; a menu keeps only what was
//! typed and which row the person is at.

use super::action::Action;
use super::examples::{EXAMPLES, Example};
use super::field::Field;
use super::state::State;

/// An open menu.
#[derive(Clone, Debug)]
pub struct Menu {
    /// What it lists.
    pub kind: MenuKind,
    /// What is searched for.
    pub query: Field,
    /// The row that the person is at, among those found.
    pub selected: usize,
}

/// What a menu lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MenuKind {
    /// Every command with its key.
    Commands,
    /// Grammars.
    Open,
}

impl MenuKind {
    /// The title of the overlay.
    pub fn title(self) -> &'static str {
        match self {
            Self::Commands => "Commands",
            Self::Open => "Open",
        }
    }

    /// What stands in the query as long as it is empty.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Commands => "part of a command",
            Self::Open => "part of a name",
        }
    }
}

/// A row of a menu.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is; what is typed is looked for here first.
    pub title: String,
    /// More about it, on a second line; none if empty.
    pub about: String,
    /// A word at the right end.
    pub right: String,
    /// What choosing it does.
    pub pick: Pick,
}

/// What choosing a row does.
#[derive(Clone, Copy, Debug)]
pub enum Pick {
    /// As if its key had been pressed.
    Act(Action),
    /// Opens an example.
    Example(&'static Example),
}

impl Menu {
    /// A menu with nothing typed.
    pub fn new(kind: MenuKind) -> Self {
        Self { kind, query: Field::default(), selected: 0 }
    }

    /// The rows that match what is typed, the best first.
    pub fn rows(&self, state: &State) -> Vec<Row> {
        let wanted = self.query.text().trim().to_lowercase();
        let mut rows = all(self.kind, state);
        rows.retain(|row| row.title.to_lowercase().contains(&wanted));
        rows
    }
}

/// Everything that a menu of this kind can list.
fn all(kind: MenuKind, state: &State) -> Vec<Row> {
    match kind {
        MenuKind::Commands => Action::ALL.iter().map(|&action| command(action, state)).collect(),
        MenuKind::Open => EXAMPLES.iter().map(example).collect(),
    }
}

fn command(action: Action, state: &State) -> Row {
    Row {
        title: action.doc().trim_end_matches('.').to_owned(),
        about: String::new(),
        right: state.keymap.first_key(action),
        pick: Pick::Act(action),
    }
}

fn example(example: &'static Example) -> Row {
    Row {
        title: example.name.to_owned(),
        about: example.about.to_owned(),
        right: example.language.name().to_owned(),
        pick: Pick::Example(example),
    }
}
