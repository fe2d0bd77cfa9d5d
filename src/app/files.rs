//! The grammar's file: what is asked of the thread that reads and writes files, and what it tells.
//!
//! Only data; the work is done in `worker/disk.rs`. Paths are as a person types them (`~`, relative);
//! the thread knows the folders that they are meant from.

use std::path::PathBuf;
use std::sync::Arc;

use super::editor::EditorBuffer;
use super::examples::Example;
use super::menu::Pick;
use super::state::State;
use crate::config::keys::Key;
use crate::engine::grammar::{GrammarKind, GrammarSource};
use crate::ui::theme::OwnTheme;
use crate::ui::wrap::Lines;

/// How many files that were opened are remembered.
const RECENTS: usize = 20;

/// A file that holds the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrammarFile {
    /// Where it is, from the root.
    pub path: PathBuf,
    /// Its text when it was read or written last, byte for byte.
    pub text: Arc<str>,
}

/// What is known about files besides the grammar's.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Grammar files below the current folder; `None` until they have been looked for.
    pub found: Option<Vec<String>>,
    /// What the path that is typed can go on to, once Tab has asked.
    pub names: Vec<String>,
    /// Files that were opened or saved, the last first.
    pub recents: Vec<PathBuf>,
    /// Whether the grammar is being written.
    pub is_saving: bool,
    /// What is to be opened once the grammar is saved.
    pub then: Option<Pick>,
}

impl Files {
    /// Remembers a file that was opened or saved.
    pub fn remember(&mut self, path: &PathBuf) {
        self.recents.retain(|recent| recent != path);
        self.recents.insert(0, path.clone());
        self.recents.truncate(RECENTS);
    }
}

/// Something to be done with files.
#[derive(Clone, Debug, PartialEq)]
pub enum FileJob {
    /// Look for grammar files below the current folder.
    List,
    /// Find out what a path that is typed can go on to.
    Complete(String),
    /// Read a grammar.
    Read(PathBuf),
    /// Read the text of the file that a draft was of.
    Base(PathBuf),
    /// Write the grammar.
    Write {
        /// Where to.
        path: PathBuf,
        /// Its text, byte for byte.
        text: Arc<str>,
        /// What it may take the place of.
        replaces: Replaces,
    },
    /// Write a setting into the config file; without a value, take it out.
    SetConfig(ConfigKey, Option<String>),
    /// Read the person's own themes.
    Themes,
    /// Put a case at the end of a file of cases.
    AppendCase {
        /// The file.
        file: PathBuf,
        /// The case in lines.
        lines: String,
    },
    /// Write a text as a case of a grammar.
    KeepCase {
        /// The folder of cases; it is made if it is not there.
        folder: PathBuf,
        /// What the file's name ends with.
        extension: &'static str,
        /// The text.
        text: Arc<[u8]>,
    },
}

/// A key of the config file.
#[derive(Clone, Copy, Debug)]
pub struct ConfigKey(pub &'static Key);

impl PartialEq for ConfigKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

/// What a file that is written may take the place of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaces {
    /// Of no other file.
    Nothing,
    /// Of a file that still has this text, or is gone.
    Text(Arc<str>),
    /// Of whatever is there.
    Anything,
}

/// What came of a [`FileJob`].
#[derive(Clone, Debug)]
pub enum FileEvent {
    /// The grammar files below the current folder.
    Listed(Vec<String>),
    /// What a path can go on to.
    Completed {
        /// The path as it was typed.
        typed: String,
        /// It with all that every one of `names` goes on with.
        text: String,
        /// The files and folders.
        names: Vec<String>,
    },
    /// A grammar was read, or why not; with the path as it was typed.
    Read(PathBuf, Result<Opened, String>),
    /// The text of the file that a draft is of; nothing if it is gone.
    Base(PathBuf, Option<String>),
    /// The grammar was written, or not.
    Written(PathBuf, Result<Opened, WriteError>),
    /// A case was written to a file, or could not be, and why.
    CaseKept(Result<String, String>),
    /// Something worth a sentence was done, or could not be done.
    Said(Result<String, String>),
    /// The person's own themes, and what is wrong with those that cannot be used.
    Themes(Vec<Arc<OwnTheme>>, Vec<String>),
}

/// A file that was read or written.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The file.
    pub file: GrammarFile,
    /// Its path as short as can be.
    pub name: String,
    /// What its name says that it holds.
    pub kind: Option<GrammarKind>,
}

/// Why a file was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// It is there already.
    Exists,
    /// It has another text than the one that was read.
    Changed,
    /// It cannot be written.
    Failed(String),
}

/// What every kind of grammar begins with: something small that runs.
pub fn beginning(kind: GrammarKind) -> GrammarSource {
    let (name, text) = match kind {
        GrammarKind::Lark => {
            ("untitled.lark", "// A greeting.\nstart: \"Hello, \" NAME \"!\\n\"\nNAME: /[A-Z][a-z]{1,9}/\n")
        }
        GrammarKind::Gbnf => (
            "untitled.gbnf",
            "# A greeting.\nroot ::= \"Hello, \" name \"!\\n\"\nname ::= [A-Z] [a-z]{1,9}\n",
        ),
        GrammarKind::JsonSchema => (
            "untitled.json",
            "{\n  \"type\": \"object\",\n  \"properties\": {\n    \"name\": { \"type\": \"string\" }\n  },\n  \
             \"required\": [\"name\"],\n  \"additionalProperties\": false\n}\n",
        ),
        GrammarKind::Regex => ("untitled.regex", "Hello, [A-Z][a-z]{1,9}!\n"),
    };
    GrammarSource::new(kind, name, text)
}

impl State {
    /// Puts a grammar into its editor; the prompt stays.
    pub fn open_grammar(&mut self, source: GrammarSource, file: Option<GrammarFile>) {
        self.remember_grammar();
        self.grammar.buffer.set_text(&source.text);
        self.grammar.base = self.grammar.buffer.text().into();
        self.language = super::examples::language_of(&source);
        (self.grammar.kind, self.grammar.name, self.grammar.file) = (source.kind, source.name, file);
        self.grammar.forget();
    }

    /// Takes the draft in the editor as one of this file, or of the example that it is named after.
    /// What the file holds is to be read by [`FileJob::Base`].
    pub fn draft_of(&mut self, path: Option<PathBuf>) {
        let grammar = &mut self.grammar;
        let name = &grammar.name;
        let begun = || Some(beginning(grammar.kind)).filter(|begun| begun.name == *name);
        let source = Example::of_file(name).map(Example::source).or_else(begun);
        let base = match &path {
            Some(_) => grammar.buffer.text(),
            None => source.map_or_else(String::new, |source| source.text),
        };
        grammar.base = EditorBuffer::new(&base).text().into();
        grammar.file = path.map(|path| GrammarFile { path, text: base.into() });
    }

    /// Whether the grammar is as its file or its example has it.
    pub fn is_saved(&self) -> bool {
        let buffer = &self.grammar.buffer;
        (0..buffer.count()).map(|i| buffer.line(i)).eq(self.grammar.base.split('\n'))
    }
}
