//! What can happen ([`Event`]) and what can be asked of the outside ([`Effect`]). Both are closed:
//! nothing else enters or leaves [`update`](super::update).

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};

use crate::catalog::Catalog;
use crate::engine::cases::{Beside, Report};
use crate::engine::chat::PromptMode;
use crate::engine::diagnostic::Diagnostic;
use crate::engine::grammar::{Compiled, GrammarSource, Symbols};
use crate::engine::model::ModelInfo;
use crate::engine::trace::{Outcome, Request, Step, TokenId};
use crate::engine::vocabulary::Vocabulary;
use crate::engine::{DeviceSpec, ModelSpec};

use super::export::{Job, Told};
use super::files::{FileEvent, FileJob};
use super::language::Language;
use super::outside::Draft;
use super::store::{Answer, Ask};
use super::texts::TextId;
use super::whereabouts::{self, Located};

/// One generation among all that a session makes. What an older one still sends is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(pub u64);

/// One load among all that were asked for. What an older one still tells is not of interest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoadId(pub u64);

/// A model as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// This one.
    Model(ModelSpec),
    /// The one that this text names. What it means depends on the files that are there.
    Named(String),
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Model(model) => model.fmt(f),
            Self::Named(text) => f.write_str(text),
        }
    }
}

/// Where models are loaded to, and how long a text they shall take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// What computes.
    pub device: DeviceSpec,
    /// Tokens of the model's cache; `None` is what suits the model.
    pub context: Option<usize>,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The mouse was used.
    Mouse(MouseEvent),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// About a load.
    Model(LoadId, ModelEvent),
    /// The models that can be picked.
    Models(Arc<Catalog>),
    /// The engine of the model in use has ended, which it must not, and why: nothing runs any more.
    Broken(String),
    /// The grammar of this revision was checked.
    Checked(u64, Checked),
    /// The cases of the grammar of this revision were run, for these tokens; or they failed by a bug. Those
    /// of other entry points come with another such event, after those of the grammar's own start.
    Tested(u64, Arc<Vocabulary>, Result<Arc<Report>, String>),
    /// The prompt as the model reads it, or why it cannot be made; answers the look of this number.
    Rendered(u64, Result<Vec<TokenId>, String>),
    /// Texts that a name in the grammar of this revision matches.
    Sampled(u64, String, Vec<String>),
    /// About a run.
    Run(RunId, RunEvent),
    /// Where a run stands in its grammar, or why that cannot be said.
    Located(RunId, Result<Arc<Located>, String>),
    /// What came of something that was done with files.
    Files(FileEvent),
    /// What came of a run that was to be written to a file.
    Exported(Told),
    /// What came of something that the store was asked for.
    Store(Answer),
    /// The time that was asked for has passed.
    Wake(Wake),
    /// The person's own editor has ended, and the terminal is ours again.
    Edited(TextId, Edited),
}

/// What came of editing a text outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// The text is now this.
    Changed(String),
    /// It is as it was.
    Unchanged,
    /// Nothing came of it, and why.
    Failed(String),
}

/// What the state asks to be woken up for: it has no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The toast of this number has been seen for long enough.
    Toast(u64),
    /// What has changed since the last time is to be saved.
    Autosave,
    /// A second click would be too late to be the second of a double click.
    Click,
}

/// How loading the model goes.
#[derive(Clone, Debug)]
pub enum ModelEvent {
    /// It loads: what is done at the moment, and the share that is done, if known.
    Loading(String, Option<f32>),
    /// It can be used, once it is [asked for](Effect::Use).
    Ready(ModelInfo, Arc<Vocabulary>),
    /// It cannot be used; the one before still is, if there was one.
    Failed(String),
}

/// What a check of a grammar found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The tokens that it was checked for.
    pub vocabulary: Arc<Vocabulary>,
    /// What may be run, if anything.
    pub compiled: Option<Arc<Compiled>>,
    /// What is wrong or surprising.
    pub diagnostics: Vec<Diagnostic>,
    /// The names in the text.
    pub symbols: Arc<Symbols>,
}

/// How a run goes.
#[derive(Clone, Debug)]
pub enum RunEvent {
    /// The prompt was read.
    Started {
        /// The prompt's tokens.
        prompt: Vec<Arc<Step>>,
        /// The grammar that it follows, which may have been compiled again.
        grammar: Option<Arc<Compiled>>,
    },
    /// Tokens were generated.
    Steps(Vec<Arc<Step>>),
    /// It waits for the next command, after a pause or a single step.
    Paused,
    /// It goes on after a pause.
    Resumed,
    /// It ended.
    Finished(Outcome),
    /// It could not start or go on.
    Failed(String),
    /// It waits where it is, because what was asked for cannot be done.
    Refused(String),
}

/// A way back in a run, to go on from there.
#[derive(Clone, Debug)]
pub struct Back {
    /// The run's name from here on: what it still tells under the old one is of steps that are gone.
    pub id: RunId,
    /// Its name so far.
    pub was: RunId,
    /// What it was asked for.
    pub request: Box<Request>,
    /// The grammar that it follows, whatever has become of its text since. A run from the disk has only
    /// the text, in its request, which is compiled again.
    pub grammar: Option<Arc<Compiled>>,
    /// The tokens of the model that is to go on with it.
    pub vocabulary: Arc<Vocabulary>,
    /// The steps that stay.
    pub steps: Vec<Arc<Step>>,
    /// The token that the person has put after them, if any.
    pub put: Option<TokenId>,
}

/// Something to be done outside of [`update`](super::update).
#[derive(Clone, Debug)]
pub enum Effect {
    /// Check the grammar of this revision; the result is an [`Event::Checked`]. If it can be used, its
    /// cases are run then; their result is an [`Event::Tested`].
    Check(u64, GrammarSource, Beside),
    /// Find texts that this name in the grammar of this revision matches; the result is an
    /// [`Event::Sampled`].
    Sample(u64, GrammarSource, String),
    /// Start a run, in place of the one before.
    Start {
        /// Names it in its events.
        id: RunId,
        /// What to generate.
        request: Box<Request>,
        /// The grammar that `request` names, compiled.
        grammar: Arc<Compiled>,
        /// The tokens that it was compiled for.
        vocabulary: Arc<Vocabulary>,
        /// Stop after the first step, rather than run on.
        paused: bool,
    },
    /// Make the prompt as the model reads it; the result is an [`Event::Rendered`].
    Render {
        /// Names the look.
        number: u64,
        /// The model's tokens and its template.
        vocabulary: Arc<Vocabulary>,
        /// The prompt's text.
        prompt: String,
        /// What becomes of it.
        mode: Box<PromptMode>,
    },
    /// Hold the run.
    Pause,
    /// Let it go on.
    Resume,
    /// Take one step.
    Step,
    /// End the run.
    Stop,
    /// Go back in a run, which waits there; with a token put after what stays, if there is one.
    Back(Box<Back>),
    /// End the load before, and load a model beside the one in use.
    Load(LoadId, Wanted),
    /// End the load.
    CancelLoad,
    /// Take the model of this load, which is ready, for grammars and for the next run. The one before
    /// is let go as soon as no run is open that has it.
    Use(LoadId, Arc<Vocabulary>),
    /// Find out where a run stands in its grammar; the result is an [`Event::Located`].
    Locate(Box<whereabouts::Ask>),
    /// Look for models; the result is an [`Event::Models`].
    ListModels,
    /// Get ready to highlight a language.
    Warm(Language),
    /// Do something with files; the result is an [`Event::Files`].
    Files(FileJob),
    /// Write a run to a file; the result is an [`Event::Exported`].
    Export(Box<Job>),
    /// Load models there from now on.
    Place(Place),
    /// Take the mouse, or leave it to the terminal.
    CaptureMouse(bool),
    /// Put text, which is harmless and not long, on the clipboard.
    Copy(String),
    /// Do something with what is kept for the next start; the result is an [`Event::Store`].
    Store(Ask),
    /// Send [`Event::Wake`] after so long. Asked for again, the time starts anew.
    Wake(Duration, Wake),
    /// Give the terminal to the person's own editor; the result is an [`Event::Edited`].
    EditOutside(Box<Draft>),
    /// Give the terminal back to the shell until the person returns.
    Suspend,
    /// End the program.
    Quit,
}
