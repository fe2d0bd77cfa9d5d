//! The playground in the terminal: one loop between the person, the state and the threads.
//!
//! ```text
//! keys, mouse, resize ──┐
//!                       ├─► Event ─► update(&mut State, Event) ─► Vec<Effect> ─► Worker ─┐
//! engine, grammar check ┘                                                                │
//!         ▲                                                                              │
//!         └──────────────────────── events of a run, of the model, of checks ◄───────────┘
//! ```
//!
//! The loop draws at most once per frame time and only if something happened, after taking in all
//! that waits: a fast run costs frames, never keys. Nothing else may write to the terminal.

use std::future::poll_fn;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use crossterm::event::{Event as Input, EventStream};
use futures_util::StreamExt;
use futures_util::stream::{SelectAll, select_all};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::engine::ModelSpec;
use crate::engine::grammar::GrammarSource;
use crate::engine::trace::Request;
use crate::ui::theme::{OwnTheme, ThemeName};
use crate::ui::{self, View};

pub mod action;
pub mod chat;
pub mod compare;
pub mod editor;
pub mod event;
pub mod examples;
pub mod export;
pub mod field;
pub mod files;
pub mod find;
pub mod hangup;
pub mod help;
pub mod history;
pub mod inspector;
pub mod keep;
pub mod keymap;
pub mod language;
pub mod late;
pub mod layout;
pub mod look;
pub mod marking;
pub mod menu;
pub mod outside;
pub mod overlay;
pub mod picker;
pub mod pointer;
pub mod question;
pub mod register;
pub mod runner;
pub mod runs;
pub mod scripted;
pub mod series;
pub mod settings;
pub mod signals;
pub mod state;
pub mod stats;
pub mod store;
pub mod terminal;
pub mod texts;
pub mod toast;
pub mod tour;
pub mod transcript;
pub mod update;
pub mod whereabouts;
pub mod worker;

use event::{Edited, Effect, Event, Place, Wake, Wanted};
use examples::{EXAMPLES, Example};
use files::GrammarFile;
use hangup::Hangup;
use keep::Keep;
use keymap::Keymap;
use late::Late;
use signals::{Caught, Signals};
use state::{Loading, State};
use store::{Ask, snapshot};
use terminal::{Guard, Screen};
use worker::{Models, Worker};

/// Events that wait for the loop; a run that is ahead of it waits.
const EVENTS: usize = 4096;

/// As many of them are taken in before the next look at the keys.
const BATCH: usize = 1024;

/// What the playground starts with.
pub struct Options {
    /// Where models come from.
    pub models: Models,
    /// The model to load first.
    pub model: ModelSpec,
    /// The grammar to open, in place of the first example's.
    pub grammar: Option<GrammarSource>,
    /// The file that it was read from.
    pub file: Option<PathBuf>,
    /// The prompt to open, in place of the one that goes with the grammar.
    pub prompt: Option<String>,
    /// How the prompt goes to the model.
    pub chat: chat::Chat,
    /// Where models are loaded to at the start.
    pub place: Place,
    /// Has them loaded to somewhere else.
    pub set_place: Box<dyn Fn(Place)>,
    /// What every run asks for, save its prompt, its mode and its grammar.
    pub template: Request,
    /// The colours; found out from the terminal if not given.
    pub theme: Option<ThemeName>,
    /// Which keys ask for what.
    pub keymap: Arc<Keymap>,
    /// The person's own themes.
    pub themes: Vec<Arc<OwnTheme>>,
    /// Whether the terminal may be asked about itself.
    pub probe: bool,
    /// Whether the program takes the mouse.
    pub mouse: bool,
    /// Whether the terminal's title says what is under edit.
    pub title: bool,
    /// Whether keys are vi's in texts.
    pub vim: bool,
    /// What is kept from start to start.
    pub keep: Keep,
    /// What the person should know first.
    pub warning: Option<String>,
}

/// Opens the playground; returns the exit code once the person leaves it.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] if there is no terminal, anything else if it cannot be used.
pub fn run(options: Options) -> io::Result<u8> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "the playground needs a terminal; `maze generate` and `maze check` work without one",
        ));
    }
    if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this terminal cannot be drawn on (TERM=dumb); the commands work without a screen, and with \
             `--plain` they print words alone: see `maze generate --help`",
        ));
    }
    terminal::install_panic_hook();
    let depth = terminal::color_depth();
    let (theme, late) = match options.theme {
        Some(theme) => (theme, Late::default()),
        None => match terminal::suitable_theme(options.probe) {
            Some(theme) => (theme, Late::default()),
            None => (ThemeName::default(), Late::expected(Instant::now())),
        },
    };
    let (grammar, prompt, language) = match options.grammar {
        Some(source) => {
            let prompt = Example::of_file(&source.name).map_or("", |e| e.prompt);
            let language = examples::language_of(&source);
            (source, prompt, language)
        }
        None => (EXAMPLES[0].source(), EXAMPLES[0].prompt, EXAMPLES[0].language),
    };
    let file_text = grammar.text.clone();
    let mut state = State::new(grammar, prompt, language);
    if let Some(prompt) = options.prompt {
        state.prompt = editor::EditorBuffer::new(&prompt);
    }
    (state.theme, state.mouse, state.template) = (theme, options.mouse, options.template);
    state.use_vim(options.vim);
    (state.chat, state.place, state.themes) = (options.chat, options.place, options.themes);
    let path = options.file.and_then(|path| std::path::absolute(path).ok());
    state.grammar.file = path.map(|path| GrammarFile { path, text: file_text.into() });
    state.keymap = options.keymap;
    if let Some(warning) = options.warning {
        state.warn(warning);
    }
    let mut model = options.model;
    let store = keep::open(&mut state, options.keep, &mut model);
    state.loading = Some(Loading::new(Wanted::Model(model)));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (sender, events) = channel(EVENTS);
    // Listened to before the terminal is taken, or a signal in between would not give it back.
    let signals = {
        let _context = runtime.enter();
        Signals::new()?
    };
    let _guard = Guard::take()?;
    let mut screen = terminal::screen()?;
    let mut view = View::new(depth).in_ascii(terminal::wants_ascii(|name| std::env::var(name).ok()));
    let size = screen.size()?;
    state.size = (size.width, size.height);
    update::reveal(&mut state);
    // The first frame does not wait for the threads, nor they for a second core.
    terminal::draw(&mut screen, |frame| ui::draw(frame, &state, &mut view))?;
    let worker = Worker::start(options.models, sender.clone())?.keeping(store);
    let (set_place, alarms, input) = (options.set_place, Vec::new(), Some(listen()));
    let title = Title { is_on: options.title, shown: None };
    let hangup = Hangup::watch()?;
    let app = App {
        state,
        view,
        worker,
        screen,
        sender,
        input,
        is_back: None,
        late,
        hangup,
        alarms,
        set_place,
        title,
    };
    runtime.block_on(app.main(signals, events))
}

struct App {
    state: State,
    view: View,
    worker: Worker,
    screen: Screen,
    /// For threads that have something to tell.
    sender: Sender<Event>,
    /// Keys and the mouse; nothing while the person's own editor has them.
    input: Option<SelectAll<EventStream>>,
    /// When the terminal came back from the person's own editor.
    is_back: Option<Instant>,
    /// Sorts out what is no key.
    late: Late,
    /// Tells when the terminal is closed.
    hangup: Hangup,
    /// When to wake the state up, and what for.
    alarms: Vec<(Instant, Wake)>,
    /// Has models loaded to somewhere else.
    set_place: Box<dyn Fn(Place)>,
    title: Title,
}

/// The title of the terminal's window.
struct Title {
    is_on: bool,
    /// The one that the terminal shows, if it is ours.
    shown: Option<String>,
}

/// What the loop does next.
enum Flow {
    Continue,
    Exit(u8),
}

impl App {
    /// Runs until the end, and saves what there is then: nobody listens to answers any more.
    async fn main(mut self, signals: Signals, mut events: Receiver<Event>) -> io::Result<u8> {
        let end = self.go(signals, &mut events).await;
        self.hangup.notice();
        drop(events);
        if self.state.store.is_on() {
            let save = Box::new(snapshot::last(&mut self.state));
            self.worker.perform(Effect::Store(Ask::Save(save)));
        }
        // What cannot be written to a closed terminal is no error.
        match end {
            Err(_) if hangup::is_closed() => Ok(hangup::CODE),
            end => end,
        }
    }

    async fn go(&mut self, mut signals: Signals, events: &mut Receiver<Event>) -> io::Result<u8> {
        let mut batch = Vec::with_capacity(BATCH);
        let frame_time = frame_time();
        let mut next_frame = Instant::now();
        let mut is_dirty = true;
        if let Flow::Exit(code) = self.perform(update::init(&self.state))? {
            return Ok(code);
        }
        loop {
            let flow = tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    // Ctrl-C in the person's own editor is meant for that.
                    Caught::End(130) if self.is_editors() => Flow::Continue,
                    Caught::End(code) => Flow::Exit(code),
                    Caught::Suspend => { terminal::suspend(); Flow::Continue }
                    Caught::Resume if self.input.is_none() => Flow::Continue,
                    Caught::Resume => {
                        self.resume()?;
                        is_dirty = true;
                        Flow::Continue
                    }
                },
                () = self.hangup.happened() => Flow::Exit(hangup::CODE),
                () = tokio::time::sleep_until(next_frame.into()), if is_dirty && terminal::is_taken() => {
                    next_frame = Instant::now() + frame_time;
                    self.draw()?;
                    is_dirty = self.view.is_behind();
                    Flow::Continue
                }
                () = tokio::time::sleep_until(self.next_alarm().into()), if !self.alarms.is_empty() => {
                    is_dirty = true;
                    self.wake()?
                }
                event = next(&mut self.input), if self.input.is_some() => match event {
                    Some(Ok(event)) => {
                        is_dirty = true;
                        let events = self.late.sort(event, Instant::now());
                        self.take_all(events.into_iter().filter_map(translate))?
                    }
                    Some(Err(error)) => return Err(error),
                    // Nobody is there any more.
                    None => Flow::Exit(hangup::CODE),
                },
                _ = events.recv_many(&mut batch, BATCH) => {
                    is_dirty = true;
                    let mut flow = Flow::Continue;
                    for event in batch.drain(..) {
                        if let Flow::Exit(code) = self.take(event)? {
                            flow = Flow::Exit(code);
                        }
                    }
                    flow
                }
            };
            if let Flow::Exit(code) = flow {
                return Ok(code);
            }
        }
    }

    /// Whether an interrupt that is heard of now was typed in the person's own editor. It may be heard of
    /// after the editor's end; what is typed here is a key.
    fn is_editors(&self) -> bool {
        self.input.is_none() || self.is_back.is_some_and(|at| at.elapsed() < Duration::from_secs(1))
    }

    /// Takes in events, up to one that ends the program.
    fn take_all(&mut self, events: impl Iterator<Item = Event>) -> io::Result<Flow> {
        for event in events {
            if let end @ Flow::Exit(_) = self.take(event)? {
                return Ok(end);
            }
        }
        Ok(Flow::Continue)
    }

    fn take(&mut self, event: Event) -> io::Result<Flow> {
        if let Event::Edited(..) = event {
            // The stream before has left a wake-up behind, with which the first key would be overlooked.
            if !hangup::is_closed() {
                crossterm::event::poll(Duration::ZERO)?;
            }
            self.resume()?;
            self.input = Some(listen());
            self.is_back = Some(Instant::now());
        }
        self.state.now = now();
        let effects = update::update(&mut self.state, event);
        self.perform(effects)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> io::Result<Flow> {
        for effect in effects {
            match self.worker.perform(effect) {
                Some(Effect::Quit) => return Ok(Flow::Exit(0)),
                Some(Effect::CaptureMouse(on)) => terminal::capture_mouse(on)?,
                Some(Effect::Copy(text)) => terminal::copy(&text)?,
                Some(Effect::Place(place)) => (self.set_place)(place),
                Some(Effect::Suspend) => terminal::suspend(),
                Some(Effect::EditOutside(draft)) => {
                    if let Flow::Exit(code) = self.edit_outside(*draft)? {
                        return Ok(Flow::Exit(code));
                    }
                }
                Some(Effect::Wake(after, wake)) => {
                    self.alarms.retain(|(_, other)| *other != wake);
                    self.alarms.push((Instant::now() + after, wake));
                }
                _ => {}
            }
        }
        Ok(Flow::Continue)
    }

    /// Gives the terminal to the person's own editor. Nothing reads keys until it has ended.
    fn edit_outside(&mut self, draft: outside::Draft) -> io::Result<Flow> {
        let id = draft.id;
        let ready = outside::command(|name| std::env::var_os(name))
            .and_then(|command| outside::write(&draft).map(|file| (command, file)));
        match ready {
            Ok((command, file)) => {
                self.input = None;
                terminal::leave();
                outside::start(command, draft, file, self.sender.clone())?;
            }
            Err(reason) => {
                let effects = update::update(&mut self.state, Event::Edited(id, Edited::Failed(reason)));
                return self.perform(effects);
            }
        }
        Ok(Flow::Continue)
    }

    /// Takes the terminal again.
    fn resume(&mut self) -> io::Result<()> {
        self.title.shown = None;
        terminal::resume(&mut self.screen, self.state.mouse)
    }

    /// When the next alarm goes off.
    fn next_alarm(&self) -> Instant {
        self.alarms.iter().map(|(at, _)| *at).min().unwrap_or_else(Instant::now)
    }

    /// Wakes the state up for every alarm whose time has come.
    fn wake(&mut self) -> io::Result<Flow> {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.alarms).into_iter().partition(|(at, _)| *at <= now);
        self.alarms = later;
        for (_, wake) in due {
            if let Flow::Exit(code) = self.take(Event::Wake(wake))? {
                return Ok(Flow::Exit(code));
            }
        }
        Ok(Flow::Continue)
    }

    /// Tells the state how large the terminal is, should it not know.
    fn fit(&mut self) -> io::Result<()> {
        let size = self.screen.size()?;
        if (size.width, size.height) != self.state.size {
            self.take(Event::Resize(size.width, size.height))?;
        }
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        self.fit()?;
        if self.title.is_on {
            let title = ui::title(&self.state);
            if self.title.shown.as_ref() != Some(&title) {
                terminal::set_title(&title)?;
                self.title.shown = Some(title);
            }
        }
        let Self { state, view, screen, .. } = self;
        let types_elsewhere = state.overlay.is_some() || state.find.is_open;
        terminal::shape_cursor(state.vim_mode().filter(|_| !types_elsewhere))?;
        terminal::draw(screen, |frame| ui::draw(frame, state, view))
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_secs().try_into().unwrap_or(i64::MAX)
}

/// The time between two frames: 60 a second, or 30 through a network.
fn frame_time() -> Duration {
    Duration::from_micros(1_000_000 / if terminal::is_remote() { 30 } else { 60 })
}

/// The person's keys and mouse. The stream alone would take its lock, which its own thread has while it
/// waits, whenever the loop turns: as often as tokens come, and on a busy machine for some ticks of the
/// clock. In a set it is asked only once it has called.
fn listen() -> SelectAll<EventStream> {
    select_all([EventStream::new()])
}

/// The next key or the like; nothing once the terminal is closed, which the stream itself never says.
async fn next(input: &mut Option<SelectAll<EventStream>>) -> Option<io::Result<Input>> {
    let Some(input) = input else { return std::future::pending().await };
    poll_fn(|context| if hangup::is_closed() { Poll::Ready(None) } else { input.poll_next_unpin(context) })
        .await
}

fn translate(input: Input) -> Option<Event> {
    match input {
        Input::Key(key) => Some(Event::Key(key)),
        Input::Paste(text) => Some(Event::Paste(text)),
        Input::Mouse(mouse) => Some(Event::Mouse(mouse)),
        Input::Resize(width, height) => Some(Event::Resize(width, height)),
        Input::FocusGained | Input::FocusLost => None,
    }
}
