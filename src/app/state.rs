//! Everything the program knows while it runs: the only input of [`draw`](crate::ui::draw), changed
//! only by [`update`](super::update). It holds no clock, no channel and no terminal.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::ModelSpec;
use crate::engine::alarm::{Alarm, Watch};
use crate::engine::grammar::{Compiled, GrammarSource};
use crate::engine::model::ModelInfo;
use crate::engine::trace::{FinishReason, Outcome, Request, Step, Trace};
use crate::engine::vocabulary::Vocabulary;
use crate::ui::layout::{self, Areas};
use crate::ui::theme::{OwnTheme, ThemeName};
use crate::ui::wrap::{Lines, RowRef};

use super::action::Action;
use super::chat::Chat;
use super::editor::EditorBuffer;
use super::editor::vim::Vim;
use super::event::{LoadId, Place, RunId, Wanted};
use super::examples::Example;
use super::files::Files;
use super::find::Find;
use super::history::Past;
use super::inspector::Inspector;
use super::keymap::Keymap;
use super::language::Language;
use super::layout::Wishes;
use super::look::{Graphs, Look};
use super::marking::Marking;
use super::picker::Picker;
use super::pointer::Pointer;
use super::register::Register;
use super::runs::Runs;
use super::series::Series;
use super::stats::Stats;
use super::store::Keeping;
use super::toast::Toasts;
use super::tour::Tour;
use super::transcript::Transcript;
use super::whereabouts::Whereabouts;

mod grammar;

pub use super::overlay::Overlay;
pub use grammar::GrammarPane;

/// A part of the screen that can have the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pane {
    /// The grammar, to be edited.
    Grammar,
    /// The prompt, to be edited.
    Prompt,
    /// What the model has written.
    Output,
    /// What the mask did at one step.
    Inspector,
}

impl Pane {
    /// In the order of the Tab key.
    pub const ALL: [Self; 4] = [Self::Grammar, Self::Prompt, Self::Output, Self::Inspector];

    /// Its name, as its title says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Grammar => "Grammar",
            Self::Prompt => "Prompt",
            Self::Output => "Output",
            Self::Inspector => "Inspector",
        }
    }

    /// What goes to it.
    pub fn action(self) -> Action {
        match self {
            Self::Grammar => Action::FocusGrammar,
            Self::Prompt => Action::FocusPrompt,
            Self::Output => Action::FocusOutput,
            Self::Inspector => Action::FocusInspector,
        }
    }
}

/// Everything the program knows.
#[derive(Clone, Debug)]
pub struct State {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The pane that has the focus.
    pub focus: Pane,
    /// How the person wants the panes.
    pub layout: Wishes,
    /// What floats above the panes.
    pub overlay: Option<Overlay>,
    /// Which keys ask for what.
    pub keymap: Arc<Keymap>,
    /// The colours.
    pub theme: ThemeName,
    /// The person's own themes, as far as they have been read.
    pub themes: Vec<Arc<OwnTheme>>,
    /// Where models are computed.
    pub place: Place,
    /// Whether the program takes the mouse.
    pub mouse: bool,
    /// The grammar and what is known about it.
    pub grammar: GrammarPane,
    /// The prompt.
    pub prompt: EditorBuffer,
    /// How it goes to the model.
    pub chat: Chat,
    /// What the next run's output will be written in.
    pub language: Language,
    /// The model in use.
    pub model: ModelState,
    /// The model that is to take its place.
    pub loading: Option<Loading>,
    /// The latest load.
    pub load: LoadId,
    /// The models to pick from.
    pub picker: Picker,
    /// What every run asks for, save its prompt and grammar.
    pub template: Request,
    /// The run on the screen: the latest, or an earlier one of the session.
    pub run: Run,
    /// Where it stands in its grammar.
    pub whereabouts: Whereabouts,
    /// The runs of the session.
    pub runs: Runs,
    /// What was written before.
    pub history: Past,
    /// What is kept for the next start.
    pub store: Keeping,
    /// When the latest event came, in seconds since 1970; 0 if nobody tells.
    pub now: i64,
    /// What the output shows of its tokens.
    pub look: Look,
    /// What the graphs under it show.
    pub graphs: Graphs,
    /// The inspector.
    pub inspector: Inspector,
    /// What is looked for in the texts.
    pub find: Find,
    /// The keys of vi, if they are on.
    pub vim: Option<Vim>,
    /// What was copied or cut last.
    pub register: Register,
    /// What the mouse selects.
    pub marking: Marking,
    /// Files besides the grammar's.
    pub files: Files,
    /// The commands that were picked in the palette, the last first.
    pub used: Vec<Action>,
    /// What the program has to say.
    pub toasts: Toasts,
    /// The hints for the first minutes.
    pub tour: Tour,
    /// What the mouse is in the middle of.
    pub pointer: Pointer,
}

/// What is known about the model in use.
#[derive(Clone, Debug)]
pub enum ModelState {
    /// There is none.
    Absent,
    /// It can be used.
    Ready(ModelInfo, Arc<Vocabulary>),
    /// There is none, because this went wrong.
    Failed(String),
}

/// A load under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Loading {
    /// The model.
    pub wanted: Wanted,
    /// What is being done.
    pub what: String,
    /// The share of it that is done, if known.
    pub share: Option<f32>,
}

impl Loading {
    /// A load that has not told anything yet.
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, what: "loading model".into(), share: None }
    }
}

impl ModelState {
    /// The vocabulary, once there is a model.
    pub fn vocabulary(&self) -> Option<&Arc<Vocabulary>> {
        match self {
            Self::Ready(_, vocabulary) => Some(vocabulary),
            _ => None,
        }
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunStatus {
    /// There was none yet.
    #[default]
    Idle,
    /// It is asked for, and waits for the model or for the check of the grammar.
    Waiting {
        /// Only its first step is wanted.
        paused: bool,
    },
    /// The prompt is being read.
    Starting,
    /// Tokens come.
    Running,
    /// It is to wait, and is still in the middle of a step.
    Pausing,
    /// It waits for a command.
    Paused,
    /// It is to end, and is still in the middle of a step.
    Stopping,
    /// It has ended; the trace says why, unless it failed.
    Ended,
}

impl RunStatus {
    /// Whether the engine holds this run.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Pausing | Self::Paused | Self::Stopping)
    }
}

/// A run and what is looked at in it: all that is needed to show it, also when it is not the latest any
/// more.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Which run this is.
    pub id: RunId,
    /// Its number in the session, from 1; 0 if there is no run.
    pub number: u32,
    /// Where it stands.
    pub status: RunStatus,
    /// What happened in it.
    pub trace: Option<Trace>,
    /// The tokens of its model, which may not be in use any more.
    pub vocabulary: Option<Arc<Vocabulary>>,
    /// The grammar that it follows.
    pub grammar: Option<Arc<Compiled>>,
    /// Its text, as lines.
    pub transcript: Transcript,
    /// Its figures.
    pub stats: Stats,
    /// Its figures step by step.
    pub series: Series,
    /// Whether it repeats itself, or can never be complete.
    pub watch: Watch,
    /// The step under inspection; `None` follows the newest.
    pub selected: Option<usize>,
    /// The first row on the screen; `None` follows the end.
    pub top: Option<RowRef>,
    /// The step in the first column of the graphs; `None` follows the newest.
    pub graphs_from: Option<usize>,
    /// What its text is written in.
    pub language: Language,
    /// How much of it is in the file of a run under way.
    pub journal: Journal,
}

/// How much of a run is in the file of a run under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// The steps there.
    pub steps: usize,
    /// As many of them are still steps of the run: it may have been gone back in since.
    pub same: usize,
    /// Whether more is being written.
    pub is_busy: bool,
    /// Whether writing has failed, which is said once.
    pub has_failed: bool,
}

impl Run {
    /// The generated tokens.
    pub fn steps(&self) -> &[Arc<Step>] {
        self.trace.as_ref().map_or(&[], |t| &t.steps)
    }

    /// Takes generated tokens into everything that is made from them.
    pub fn follow(&mut self, steps: &[Arc<Step>]) {
        self.transcript.extend(steps);
        self.stats.extend(steps);
        self.series.extend(steps);
        self.watch.extend(steps);
    }

    /// Nothing is asked for any more: what there is on the screen is the end of the run before.
    pub fn rest(&mut self) {
        self.status = if self.trace.is_some() { RunStatus::Ended } else { RunStatus::Idle };
    }

    /// Takes in steps that were generated.
    pub fn extend(&mut self, steps: &[Arc<Step>]) {
        self.follow(steps);
        self.trace.iter_mut().for_each(|trace| trace.steps.extend_from_slice(steps));
    }

    /// Goes back: only the first `steps` were generated, and the run has not ended.
    pub fn cut(&mut self, steps: usize) {
        let Some(trace) = &mut self.trace else { return };
        trace.steps.truncate(steps);
        trace.outcome = None;
        self.transcript = Transcript::of(&trace.steps);
        self.stats = Stats::of(&trace.steps);
        self.series.truncate(steps);
        self.journal.same = self.journal.same.min(steps);
        self.watch = Watch::of(&trace.steps);
        (self.selected, self.top, self.graphs_from) = (None, None, None);
    }

    /// Ends it as failed, for this reason.
    pub fn fail(&mut self, reason: String) {
        let Some(trace) = &mut self.trace else { return };
        trace.outcome = Some(Outcome {
            reason: FinishReason::Failed,
            detail: Some(reason),
            elapsed: self.stats.busy,
            prefill: Duration::ZERO,
        });
    }

    /// How many of the generated tokens belong to what the model thought before its answer.
    pub fn thought(&self) -> usize {
        self.trace.as_ref().map_or(0, Trace::answer_from)
    }

    /// What is wrong with the text at the selected step, else at its end.
    pub fn alarm(&self) -> Option<Alarm> {
        self.selected.map_or_else(|| self.watch.now(), |step| self.watch.at(step))
    }

    /// The step that the inspector shows: the selected one, else the newest.
    pub fn inspected(&self) -> Option<(usize, &Arc<Step>)> {
        let index = self.selected.or_else(|| self.steps().len().checked_sub(1))?;
        Some((index, self.steps().get(index)?))
    }
}

impl State {
    /// The state at the start, with a grammar and a prompt open.
    pub fn new(grammar: GrammarSource, prompt: &str, language: Language) -> Self {
        Self {
            size: (80, 24),
            focus: Pane::Grammar,
            layout: Wishes::default(),
            overlay: None,
            keymap: Arc::default(),
            theme: ThemeName::default(),
            themes: Vec::new(),
            place: Place::default(),
            mouse: true,
            grammar: GrammarPane {
                buffer: EditorBuffer::new(&grammar.text),
                kind: grammar.kind,
                name: grammar.name,
                file: None,
                base: EditorBuffer::new(&grammar.text).text().into(),
                checked: None,
                diagnostics: Vec::new(),
                compiled: None,
                symbols: Arc::default(),
                samples: None,
                jumps: Vec::new(),
                cases: None,
                tested: None,
            },
            prompt: EditorBuffer::new(prompt),
            chat: Chat::default(),
            language,
            model: ModelState::Absent,
            loading: Some(Loading::new(Wanted::Model(ModelSpec::default()))),
            load: LoadId::default(),
            picker: Picker::default(),
            template: Request::default(),
            run: Run::default(),
            whereabouts: Whereabouts::default(),
            runs: Runs::default(),
            history: Past::default(),
            store: Keeping::default(),
            now: 0,
            look: Look::default(),
            graphs: Graphs::default(),
            inspector: Inspector::default(),
            find: Find::default(),
            vim: None,
            register: Register::default(),
            marking: Marking::default(),
            files: Files::default(),
            used: Vec::new(),
            toasts: Toasts::default(),
            tour: Tour::default(),
            pointer: Pointer::default(),
        }
    }

    /// Whether the grammar on the screen is another than the one that the run on the screen follows.
    pub fn has_other_grammar(&self) -> bool {
        let grammar = self.run.trace.as_ref().and_then(|trace| trace.request.grammar.as_ref());
        grammar.is_some_and(|of_run| {
            let buffer = &self.grammar.buffer;
            let mut lines = of_run.text.split('\n');
            let is_same = (0..buffer.count()).all(|i| lines.next() == Some(buffer.line(i)));
            of_run.kind != self.grammar.kind || !is_same || lines.next().is_some()
        })
    }

    /// Puts an example into the editors.
    pub fn open(&mut self, example: &Example) {
        self.open_grammar(example.source(), None);
        self.prompt.set_text(example.prompt);
        self.chat.shows_system = false;
        self.language = example.language;
    }

    /// Remembers the grammar under edit, which something else is about to take the place of.
    pub fn remember_grammar(&mut self) {
        self.history.keep(&self.grammar.source());
    }

    /// Whether keys type text.
    pub fn is_typing(&self) -> bool {
        match (&self.overlay, self.focus) {
            (Some(overlay), _) => overlay.takes_text(),
            (None, Pane::Grammar | Pane::Prompt) => true,
            (None, Pane::Output) => false,
            (None, Pane::Inspector) => self.inspector.is_searching,
        }
    }

    /// The screen, cut up; `None` if it is too small.
    pub fn areas(&self) -> Option<Areas> {
        layout::areas(self.size, self.focus, &self.layout)
    }

    /// Says something to the person.
    pub fn say(&mut self, text: impl Into<String>) {
        self.toasts.push(text.into(), false);
    }

    /// Tells the person that something is wrong.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.toasts.push(text.into(), true);
    }
}
