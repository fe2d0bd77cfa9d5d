//! Menus: lists that are searched by typing. The palette of commands, the grammars to open, the
//! themes, the sessions, all are one.
//!
//! What a menu lists is computed from the state when it is drawn or used; a menu keeps only what was
//! typed and which row the person is at. To add one: a [`MenuKind`] with its [`Words`], a file below
//! `menu/` that makes its [`Row`]s, and the [`Pick`]s that they need, which
//! [`update::menu`](super::update) does. A menu must never do anything itself.

use std::path::PathBuf;
use std::sync::Arc;

use super::action::Action;
use super::examples::Example;
use super::field::Field;
use super::state::State;
use crate::engine::export::Format;
use crate::engine::grammar::{GrammarKind, GrammarSource};
use crate::ui::theme::ThemeName;

mod cases;
mod commands;
mod export;
mod kept;
mod names;
mod open;
mod search;
mod themes;

pub(super) use commands::{section, sections};
pub use search::Found;

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
    /// What a new grammar can be written in.
    New,
    /// The themes; the one that the person is at is on the screen.
    Themes,
    /// Where the name at the caret is used.
    Uses,
    /// Earlier prompts.
    Prompts,
    /// The runs of the session.
    Runs,
    /// The runs that the one on the screen can be compared with.
    CompareWith,
    /// The sessions.
    Sessions,
    /// Whether a session is to be deleted.
    DeleteSession,
    /// What the run can be written as.
    Export,
    /// The cases of the grammar.
    Cases,
}

/// What is written on a menu.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The title of the overlay.
    pub title: &'static str,
    /// What stands in the query as long as it is empty.
    pub hint: &'static str,
    /// What choosing does, for the footer.
    pub enter: &'static str,
    /// What stands in place of the rows when there are none, whatever is typed.
    pub empty: &'static str,
    /// Whether what a row says about itself stands beside its title, or is told of the selected row
    /// only, at the bottom.
    pub tells: bool,
}

impl MenuKind {
    /// The action that opens it, and closes it again; `None` if it only stands behind another.
    pub fn opened_by(self) -> Option<Action> {
        Some(match self {
            Self::Commands => Action::Commands,
            Self::Open => Action::Open,
            Self::New => Action::New,
            Self::Themes => Action::Themes,
            Self::Uses => Action::Uses,
            Self::Prompts => Action::Prompts,
            Self::Runs => Action::Runs,
            Self::CompareWith => Action::Compare,
            Self::Sessions => Action::Sessions,
            Self::Export => Action::Export,
            Self::Cases => Action::Cases,
            Self::DeleteSession => return None,
        })
    }

    /// What is written on it.
    pub fn words(self) -> Words {
        match self {
            Self::Commands => Words {
                title: "Commands",
                hint: "part of a command",
                enter: "do it",
                empty: "no commands",
                tells: false,
            },
            Self::Open => Words {
                title: "Open",
                hint: "part of a name, or a path",
                enter: "open",
                empty: "no grammars",
                tells: true,
            },
            Self::Export => Words {
                title: "Write the run to a file",
                hint: "part of a kind",
                enter: "name it",
                empty: "",
                tells: true,
            },
            Self::Cases => Words {
                title: "Cases of the grammar",
                hint: "part of a name",
                enter: "look at it",
                empty: "no cases",
                tells: true,
            },
            Self::Themes => Words {
                title: "Themes",
                hint: "part of a name",
                enter: "keep",
                empty: "no themes",
                tells: true,
            },
            Self::New => {
                Words { title: "New grammar", hint: "part of a name", enter: "start", empty: "", tells: true }
            }
            Self::Uses => Words {
                title: "Uses of the name",
                hint: "part of a line",
                enter: "go there",
                empty: "no uses",
                tells: false,
            },
            Self::Prompts => Words {
                title: "Earlier prompts",
                hint: "part of a prompt",
                enter: "take it",
                empty: "no prompts yet: they come here when they are run",
                tells: false,
            },
            Self::Runs => Words {
                title: "Runs of this session",
                hint: "part of a prompt",
                enter: "show it",
                empty: "no runs yet",
                tells: false,
            },
            Self::CompareWith => Words {
                title: "Compare with which run?",
                hint: "part of a prompt",
                enter: "compare",
                empty: "no other runs",
                tells: false,
            },
            Self::Sessions => Words {
                title: "Sessions",
                hint: "part of a name, or a new name",
                enter: "open",
                empty: "no sessions",
                tells: true,
            },
            Self::DeleteSession => {
                Words { title: "Delete the session?", hint: "", enter: "do it", empty: "", tells: false }
            }
        }
    }
}

/// A row of a menu.
#[derive(Clone, Debug)]
pub struct Row {
    /// The heading that it stands under; rows of one section follow each other. None if empty.
    pub section: &'static str,
    /// What it is; what is typed is looked for here first.
    pub title: String,
    /// More about it, in a sentence; none if empty. What is typed is looked for here too.
    pub about: String,
    /// A word or a key at the right end.
    pub right: String,
    /// Why it cannot be chosen now.
    pub blocked: Option<String>,
    /// Whether it is what there is already: the theme in use, the open session.
    pub is_current: bool,
    /// What choosing it does.
    pub pick: Pick,
    /// What the Delete key does with it.
    pub delete: Option<Pick>,
}

impl Row {
    /// A row with a title.
    pub fn new(section: &'static str, title: impl Into<String>, pick: Pick) -> Self {
        Self {
            section,
            title: title.into(),
            about: String::new(),
            right: String::new(),
            blocked: None,
            is_current: false,
            pick,
            delete: None,
        }
    }

    /// Says more about it.
    #[must_use]
    pub fn about(self, about: impl Into<String>) -> Self {
        Self { about: about.into(), ..self }
    }

    /// Puts a word at its right end.
    #[must_use]
    pub fn right(self, right: impl Into<String>) -> Self {
        Self { right: right.into(), ..self }
    }

    /// Says why it cannot be chosen now, if it cannot.
    #[must_use]
    pub fn blocked(self, reason: Option<impl Into<String>>) -> Self {
        Self { blocked: reason.map(Into::into), ..self }
    }

    /// Says whether it is what there is already.
    #[must_use]
    pub fn current(self, is_current: bool) -> Self {
        Self { is_current, ..self }
    }

    /// Gives the Delete key a meaning.
    #[must_use]
    pub fn delete(self, pick: Pick) -> Self {
        Self { delete: Some(pick), ..self }
    }
}

/// What choosing a row does, or deleting it.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// As if its key had been pressed.
    Act(Action),
    /// Opens an example.
    Example(&'static Example),
    /// Opens a file; the path is as it was typed or found.
    File(PathBuf),
    /// Starts a grammar of this kind.
    New(GrammarKind),
    /// Takes these colours.
    Theme(ThemeName),
    /// Puts this in place of what was typed.
    Type(String),
    /// Goes to this byte of the grammar.
    Jump(usize),
    /// Takes an earlier prompt.
    Prompt(Arc<str>),
    /// Takes an earlier grammar.
    Grammar(Arc<GrammarSource>),
    /// Shows an earlier run.
    Run(u32),
    /// Compares the run on the screen with this one.
    CompareWith(u32),
    /// Opens a session.
    Session(String),
    /// Goes on in a new session of this name.
    SaveSession(String),
    /// Asks for a new name of the open session.
    RenameSession,
    /// Asks whether this session is to be deleted.
    AskDelete(String),
    /// Deletes it.
    DeleteSession(String),
    /// Asks for the name of a file to write the run to.
    Export(Format),
    /// Looks at the case of this place in the report.
    Case(usize),
}

impl Menu {
    /// A menu with nothing typed.
    pub fn new(kind: MenuKind) -> Self {
        Self { kind, query: Field::default(), selected: 0 }
    }

    /// A menu with nothing typed, at the row that is what there is already.
    pub fn at_current(kind: MenuKind, state: &State) -> Self {
        let menu = Self::new(kind);
        let selected = menu.found(state).iter().position(|f| f.row.is_current).unwrap_or(0);
        Self { selected, ..menu }
    }

    /// Everything that it can list now.
    pub fn rows(&self, state: &State) -> Vec<Row> {
        match self.kind {
            MenuKind::Commands => commands::rows(state),
            MenuKind::Open => open::rows(self.query.text(), state),
            MenuKind::New => open::kinds(),
            MenuKind::Themes => themes::rows(state),
            MenuKind::Uses => names::uses(state),
            MenuKind::Prompts => kept::prompts(state),
            MenuKind::Runs => kept::runs(state),
            MenuKind::Export => export::rows(),
            MenuKind::Cases => cases::rows(state),
            MenuKind::CompareWith => kept::others(state),
            MenuKind::Sessions => kept::sessions(self.query.text(), state),
            MenuKind::DeleteSession => kept::delete(state),
        }
    }

    /// The rows that match what is typed. Sections stay together; the best of them comes first, and so
    /// does the best of its rows.
    pub fn found(&self, state: &State) -> Vec<Found> {
        search::search(self.rows(state), self.query.text())
    }

    /// The row that the person is at.
    pub fn chosen(&self, state: &State) -> Option<Row> {
        let mut found = self.found(state);
        let at = self.selected.min(found.len().checked_sub(1)?);
        Some(found.swap_remove(at).row)
    }
}
