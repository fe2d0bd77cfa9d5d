//! The playground without a terminal and without threads: events in, frames out, the real engine
//! in between, driven by hand and with its times made equal.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use maze::app::event::{Checked, Effect, Event, LoadId, ModelEvent, RunEvent, RunId, Wake};
use maze::app::keep::{self, Keep};
use maze::app::language::Language;
use maze::app::runner::Runner;
use maze::app::state::State;
use maze::app::store::Ask;
use maze::app::tour::Tour;
use maze::app::worker::keeper;
use maze::app::worker::locator::Locator;
use maze::app::{scripted, update};
use maze::catalog::{Catalog, Entry};
use maze::engine::cases::{Cases, Entries};
use maze::engine::grammar::{Compiler, GrammarSource, Symbols};
use maze::engine::load::{Loaded, Survey};
use maze::engine::session::prepare;
use maze::engine::trace::{Step, Timings};
use maze::engine::{ModelInfo, ModelSpec, Vocabulary};
use maze::store::Store;
use maze::ui::depth::ColorDepth;
use maze::ui::{self, View};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

/// A grammar that the scripted model's text follows.
const GRAMMAR: &str = "// A Python function of one argument.\nstart: head line+\n\
                       head: \"def \" NAME \"(\" NAME \"):\\n\"\n\
                       line: \"    \" TEXT \"\\n\"\nNAME: /[a-z]+/\nTEXT: /[^\\n]+/\n";

pub struct Playground {
    pub state: State,
    /// Effects that are for the terminal or the program, in order.
    pub effects: Vec<Effect>,
    /// When the state wants to be woken up, by a clock that only `wait` moves, and what for.
    alarms: Vec<(Duration, Wake)>,
    clock: Duration,
    view: View,
    terminal: Terminal<TestBackend>,
    vocabulary: Arc<Vocabulary>,
    pub compiler: Compiler,
    /// The model in use.
    runner: Runner,
    /// The model before, while its run is open.
    before: Option<Runner>,
    store: Option<Store>,
    locator: Locator,
}

impl Playground {
    /// A playground of this size, its model loaded and its grammar checked.
    pub fn new(width: u16, height: u16) -> Self {
        Self::of(
            width,
            height,
            scripted::loader(0)(&ModelSpec::Embedded, &mut |_| ControlFlow::Continue(())).unwrap(),
        )
    }

    /// The same with another model.
    pub fn of(width: u16, height: u16, loaded: Loaded) -> Self {
        let (info, vocabulary) = (loaded.model.info().clone(), loaded.vocabulary.clone());
        let mut playground = Self {
            state: State::new(
                GrammarSource::lark("function.lark", GRAMMAR),
                "# Python: count the words of a text\n",
                Language::Python,
            ),
            effects: Vec::new(),
            alarms: Vec::new(),
            clock: Duration::ZERO,
            view: View::new(ColorDepth::True),
            terminal: Terminal::new(TestBackend::new(width, height)).unwrap(),
            compiler: Compiler::new(&vocabulary).unwrap(),
            vocabulary: vocabulary.clone(),
            runner: Runner::new(loaded),
            before: None,
            store: None,
            locator: Locator::default(),
        };
        playground.resize(width, height);
        playground.event(Event::Model(LoadId::default(), ModelEvent::Ready(info, vocabulary)));
        let effects = update::init(&playground.state);
        playground.perform(effects);
        playground.effects.clear();
        playground
    }

    /// Lets it keep what it knows in this folder, and recalls what is there.
    pub fn keep(&mut self, folder: &Path) {
        let keep = Keep { folder: Some(folder.to_owned()), ..Keep::default() };
        self.store = keep::open(&mut self.state, keep, &mut ModelSpec::Embedded);
        self.state.tour = Tour::Over;
        let effects = update::init(&self.state);
        self.perform(effects);
        self.effects.clear();
    }

    /// Asks the store for something.
    pub fn ask(&mut self, ask: Ask) {
        self.perform(vec![Effect::Store(ask)]);
    }

    /// The tokens of the model.
    pub fn vocabulary(&self) -> Arc<Vocabulary> {
        self.vocabulary.clone()
    }

    /// Lets something happen, and does at once what is asked for then.
    pub fn event(&mut self, event: Event) {
        let effects = update::update(&mut self.state, event);
        self.perform(effects);
    }

    /// Presses a key by the name that the help gives it: `F5`, `Ctrl-R`, `←`, `x`.
    pub fn press(&mut self, name: &str) {
        self.event(Event::Key(key(name)));
    }

    pub fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
            self.event(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        }
    }

    pub fn click(&mut self, column: u16, row: u16) {
        self.mouse(MouseEventKind::Down(MouseButton::Left), column, row);
    }

    pub fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) {
        self.event(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    }

    /// Lets time pass.
    pub fn wait(&mut self, time: Duration) {
        self.clock += time;
        while let Some(next) = self.alarms.iter().position(|(at, _)| *at <= self.clock) {
            let (_, wake) = self.alarms.remove(next);
            self.event(Event::Wake(wake));
        }
    }

    pub fn resize(&mut self, width: u16, height: u16) {
        self.fit(width, height);
        self.event(Event::Resize(width, height));
    }

    /// Makes the terminal this large, without telling anybody.
    pub fn fit(&mut self, width: u16, height: u16) {
        self.terminal.backend_mut().resize(width, height);
    }

    /// Lets the engine take `count` decisions.
    pub fn advance(&mut self, count: usize) {
        for _ in 0..count {
            let events = self.running().advance();
            self.tell(events);
        }
    }

    /// Tells how the load under way goes.
    pub fn load(&mut self, event: ModelEvent) {
        let id = self.state.load;
        self.event(Event::Model(id, event));
    }

    /// A model of other tokens takes the place of the one before, whose run goes on.
    pub fn switch(&mut self, name: &str) {
        let loaded = scripted::loader(0)(&ModelSpec::Embedded, &mut |_| ControlFlow::Continue(())).unwrap();
        let info = ModelInfo { name: name.to_owned(), ..loaded.model.info().clone() };
        self.vocabulary = loaded.vocabulary.clone();
        self.compiler = Compiler::new(&self.vocabulary).unwrap();
        let before = std::mem::replace(&mut self.runner, Runner::new(loaded));
        if before.is_open() {
            self.before = Some(before);
        }
        self.load(ModelEvent::Ready(info, self.vocabulary.clone()));
    }

    /// The models that can be picked have been found.
    pub fn list_models(&mut self) {
        self.event(Event::Models(Arc::new(models())));
    }

    /// Feeds steps that no engine made.
    pub fn steps(&mut self, steps: Vec<Arc<Step>>) {
        let id = self.state.run.id;
        self.event(Event::Run(id, RunEvent::Steps(steps)));
    }

    /// Draws and returns the cells.
    pub fn draw(&mut self) -> &Buffer {
        let Self { state, view, terminal, .. } = self;
        terminal.draw(|frame| ui::draw(frame, state, view)).unwrap();
        self.terminal.backend().buffer()
    }

    /// Draws and returns the text of the screen.
    pub fn screen(&mut self) -> String {
        self.draw();
        self.terminal.backend().to_string()
    }

    /// Where the terminal's own cursor is after drawing.
    pub fn cursor(&mut self) -> (u16, u16) {
        self.draw();
        let position = self.terminal.get_cursor_position().unwrap();
        (position.x, position.y)
    }

    /// From now on draws as for a terminal that has no other signs than those of ASCII.
    pub fn in_ascii(&mut self) {
        self.view = View::new(ColorDepth::Mono).in_ascii(true);
    }

    /// From now on draws as for a terminal without colours.
    pub fn without_colours(&mut self) {
        self.view = View::new(ColorDepth::Mono);
    }

    pub fn parsed_output_lines(&self) -> usize {
        self.view.parsed_output_lines()
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Check(revision, source, beside) => {
                    let (compiled, diagnostics) = self.compiler.compile(&source);
                    let vocabulary = self.vocabulary.clone();
                    let compiled = compiled.map(Arc::new);
                    let symbols = Arc::new(Symbols::of(&source));
                    let checked = Checked {
                        vocabulary: vocabulary.clone(),
                        compiled: compiled.clone(),
                        diagnostics,
                        symbols,
                    };
                    self.event(Event::Checked(revision, checked));
                    if let Some(compiled) = compiled {
                        let report = Cases::of(&source, &beside)
                            .run(&mut Entries::new(&compiled, &self.compiler), &mut || true);
                        let report = Arc::new(report.expect("nobody stops it"));
                        self.event(Event::Tested(revision, vocabulary, Ok(report)));
                    }
                }
                Effect::Sample(revision, source, name) => {
                    let samples = self.compiler.samples(&source, &name, 4);
                    self.event(Event::Sampled(revision, name, samples));
                }
                Effect::Locate(ask) => {
                    let run = ask.run;
                    let answer = self.locator.answer(*ask).map(Arc::new);
                    self.event(Event::Located(run, answer));
                }
                Effect::Start { id, request, grammar, paused, .. } => {
                    self.before = None;
                    let events = self.runner.start(id, *request, grammar, paused);
                    self.tell_of(id, events);
                    if paused {
                        self.advance(1);
                    }
                }
                Effect::Back(back) => {
                    let id = back.id;
                    let events = self.running().back(*back);
                    self.tell_of(id, events);
                }
                Effect::Render { number, vocabulary, prompt, mode } => {
                    let made = prepare::prompt(&vocabulary, &prompt, &mode);
                    let tokens = made.map(|p| p.tokens).map_err(|e| e.to_string());
                    self.event(Event::Rendered(number, tokens));
                }
                Effect::Store(ask) => {
                    let answers = self.store.as_mut().map(|store| keeper::answers(store, ask));
                    for answer in answers.unwrap_or_default() {
                        self.event(Event::Store(answer));
                    }
                }
                Effect::Step => {
                    self.running().step();
                    self.advance(1);
                }
                Effect::Stop => {
                    let events = self.running().stop();
                    self.tell(events);
                }
                Effect::Pause => {
                    let events = self.running().pause();
                    self.tell(events);
                }
                Effect::Resume => {
                    let events = self.running().resume();
                    self.tell(events);
                }
                Effect::Warm(_) | Effect::Use(..) => {}
                Effect::Wake(after, wake) => {
                    self.alarms.retain(|(_, other)| *other != wake);
                    self.alarms.push((self.clock + after, wake));
                }
                other => self.effects.push(other),
            }
        }
    }

    /// The model that has the latest run.
    fn running(&mut self) -> &mut Runner {
        self.before.as_mut().unwrap_or(&mut self.runner)
    }

    /// Tells the state what the run has to say, with times that do not depend on the machine.
    fn tell(&mut self, events: Vec<RunEvent>) {
        if let Some(id) = self.running().id() {
            self.tell_of(id, events);
        }
    }

    fn tell_of(&mut self, id: RunId, events: Vec<RunEvent>) {
        for event in events {
            self.event(Event::Run(
                id,
                match event {
                    RunEvent::Steps(steps) => RunEvent::Steps(steps.iter().map(timed).collect()),
                    other => other,
                },
            ));
        }
    }
}

/// Models of every kind: one in use, one that fits, one that does not, one that cannot be used, and
/// one whose download is not complete.
pub fn models() -> Catalog {
    let survey = |format: &str, architecture: &str, weights: &str, millions: u64, bytes: u64| Survey {
        format: format.into(),
        architecture: architecture.into(),
        weights: weights.into(),
        parameters: millions * 1_000_000,
        file_bytes: bytes,
        weight_bytes: bytes,
        kv_bytes_per_token: 1024,
        context: 32_768,
        vocab: 1000,
        problem: None,
    };
    let entry = |name: &str, survey| Entry { model: name.parse().unwrap(), survey };
    let odd = Survey {
        problem: Some("its architecture mamba is not known".into()),
        ..survey("safetensors", "mamba", "f32", 130, 517_000_000)
    };
    Catalog {
        entries: vec![
            entry("maze-nano", Ok(survey("gguf", "llama", "Q4_K", 17, 8_583_040))),
            entry("Qwen/Qwen3-0.6B", Ok(survey("safetensors", "qwen3", "bf16", 596, 1_503_300_328))),
            entry(
                "bartowski/Llama-3.3-70B-Instruct-GGUF:Q4_K_M",
                Ok(survey("gguf", "llama", "Q4_K", 70_554, 42_520_000_000)),
            ),
            entry("state-spaces/mamba-130m-hf", Ok(odd)),
            entry("tiny/llama", Err("not complete: model.safetensors is missing".into())),
        ],
        free: 8_000_000_000,
    }
}

/// The same step with times that do not depend on the machine.
fn timed(step: &Arc<Step>) -> Arc<Step> {
    let micros = Duration::from_micros;
    let mask = if step.timings.mask.is_zero() { micros(0) } else { micros(41) };
    let timings =
        Timings { forward: micros(1200), mask, mask_wait: micros(0), sample: micros(20), commit: micros(30) };
    Arc::new(Step { timings, ..Step::clone(step) })
}

/// The key of a name in the help.
pub fn key(name: &str) -> KeyEvent {
    let mut modifiers = KeyModifiers::NONE;
    let mut rest = name;
    let prefixes =
        [("Ctrl-", KeyModifiers::CONTROL), ("Alt-", KeyModifiers::ALT), ("Shift-", KeyModifiers::SHIFT)];
    for (prefix, modifier) in prefixes {
        if let (Some(tail), true) = (rest.strip_prefix(prefix), rest != "Shift-Tab") {
            modifiers |= modifier;
            rest = tail;
        }
    }
    let code = match rest {
        "←" => KeyCode::Left,
        "→" => KeyCode::Right,
        "↑" => KeyCode::Up,
        "↓" => KeyCode::Down,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "Tab" => KeyCode::Tab,
        "Shift-Tab" => KeyCode::BackTab,
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Backspace" => KeyCode::Backspace,
        "Del" => KeyCode::Delete,
        "Space" => KeyCode::Char(' '),
        _ => match (rest.strip_prefix('F').and_then(|n| n.parse().ok()), rest.chars().next()) {
            (Some(n), _) => KeyCode::F(n),
            (None, Some(c)) if rest.chars().count() == 1 => {
                KeyCode::Char(if modifiers.is_empty() { c } else { c.to_ascii_lowercase() })
            }
            _ => panic!("no key is called {name:?}"),
        },
    };
    KeyEvent::new(code, modifiers)
}
