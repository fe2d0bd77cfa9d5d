//! A hundred thousand random events: keys, pastes, clicks, drags, the wheel, sizes from nothing to
//! 500x200, and runs, files, sessions and checks that answer when they like. Nothing panics, and what
//! must hold between two events does: carets are in their texts, panes tile the screen, and lists have
//! the row that the person is at. At the end everything was seen: each overlay, each pane, each mode.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use maze::app::editor::EditorBuffer;
use maze::app::event::{Checked, Edited, Effect, Event, ModelEvent, RunEvent, RunId, Wake};
use maze::app::export::Told;
use maze::app::files::{FileEvent, WriteError};
use maze::app::state::{Overlay, Pane, State};
use maze::app::store::{Answer, Ask};
use maze::app::texts::TextId;
use maze::app::{keymap, update};
use maze::engine::cases::{Cases, Entries};
use maze::engine::export::Format;
use maze::engine::grammar::Compiled;
use maze::engine::trace::{FinishReason, Outcome};
use maze::engine::{Diagnostic, Vocabulary};
use maze::store::session::SessionNote;

use super::kinds;
use super::playground::{Playground, key};
use super::steps;

#[path = "../support/random.rs"]
#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod random;
use random::Random;

/// Events in each storm; there are four.
const EVENTS: usize = 25_000;

/// A frame is drawn after so many events.
const FRAME: usize = 40;

/// A text that grows beyond this is emptied, by the keys for it: the storm shall go on, not slow down.
const LONG: usize = 4_000;

/// Pasted in an errand: a name with more than one use.
const NAMES: &str = "x: x x\n";

/// The same with a case.
const CASE: &str = "start: \"é\"\n// accept \"日x\"\n";

/// Stands in an errand for the answer of the thread that runs the cases.
const TESTED: &str = "(tested)";

/// What a person does in one go. Among single keys these would be too rare.
const ERRANDS: [&[&str]; 17] = [
    &["F7", "Del"],
    &["F7", "r", "e", "n", "a", "m", "e", "Enter"],
    &["Ctrl-O", "↓", "Enter"],
    &["Alt-N", "Enter"],
    &["Alt-X", "Enter", "Enter"],
    &["Alt-W", "Enter"],
    &["Alt-D", "Enter", "→", "→"],
    &["Alt-1", "Esc", ":", "1", "Enter"],
    &["F2", "↓", "↓", "↓", "Enter", "9", "Enter"],
    &["Alt-2", "Ctrl-F", "t", "Enter", "Alt-R", "x", "Alt-Enter"],
    &["F10", "Esc", "F10", "Esc", "F9", "End", "Enter"],
    &["Alt-3", "Home", "→", "Alt-4", "t", "t", "/", "e", "Enter", "f"],
    &["Ctrl-P", "m", "e", "s", "s", "a", "g", "Enter"],
    &["Alt-1", "Esc", "V", "j", "d"],
    &["Alt-1", "Alt-A", NAMES, "↑", "Home", "Alt-U"],
    &["Alt-1", "Alt-A", CASE, TESTED, "Alt-;", "Enter", "↓"],
    &["Alt-0", "Esc", "Esc"],
];

/// How often the kinds of events come.
struct Weather {
    keys: usize,
    odd_keys: usize,
    typing: usize,
    pastes: usize,
    mouse: usize,
    sizes: usize,
    news: usize,
    errands: usize,
}

struct Storm {
    random: Random,
    /// Keys of an errand that are still to come.
    errand: Vec<&'static str>,
    /// What has been open, had the focus, or been on.
    seen: BTreeSet<String>,
    playground: Playground,
    /// What the engine would have been asked for.
    run: RunId,
    steps: usize,
    compiled: Option<Arc<Compiled>>,
    vocabulary: Arc<Vocabulary>,
    /// What happened last, for whoever has to find out why.
    latest: Vec<Event>,
}

impl Storm {
    fn new(seed: u64, vim: bool) -> Self {
        let mut playground = Playground::new(80, 24);
        playground.press("F5");
        playground.advance(20);
        playground.state.use_vim(vim);
        // As if something were kept: the storm itself answers for the store.
        playground.state.store.session = Some("default".into());
        let state = &playground.state;
        Self {
            random: Random(seed),
            errand: Vec::new(),
            seen: BTreeSet::new(),
            run: state.run.id,
            steps: state.run.steps().len(),
            compiled: state.grammar.compiled.clone(),
            vocabulary: playground.vocabulary(),
            playground,
            latest: Vec::new(),
        }
    }

    fn rage(mut self, weather: &Weather) -> BTreeSet<String> {
        for round in 0..EVENTS {
            let event = self.event(weather);
            self.happen(event);
            self.hold(round);
            if self.look() || round % FRAME == 0 {
                self.playground.draw();
            }
            for pane in [Pane::Grammar, Pane::Prompt] {
                if buffer(&self.playground.state, pane).text().len() > LONG {
                    buffer_mut(&mut self.playground.state, pane).set_text("start: \"a\"\n");
                }
            }
        }
        self.seen
    }

    /// Takes note of what there is; whether it is new.
    fn look(&mut self) -> bool {
        let state = &self.playground.state;
        let mut now = vec![format!("{:?}", state.focus), format!("vim {:?}", state.vim_mode())];
        now.extend(state.overlay.as_ref().map(kinds::of));
        now.extend(state.find.is_open.then(|| "find".to_owned()));
        now.extend(state.layout.hidden.iter().map(|pane| format!("hidden {pane:?}")));
        now.push(match (state.areas(), state.size) {
            (_, (0, _) | (_, 0)) => "no screen".to_owned(),
            (None, _) => "small screen".to_owned(),
            (Some(_), (width, height)) if width > 400 && height > 150 => "large screen".to_owned(),
            (Some(_), _) => "screen".to_owned(),
        });
        let before = self.seen.len();
        self.seen.extend(now);
        self.seen.len() > before
    }

    fn event(&mut self, weather: &Weather) -> Event {
        let Weather { keys, odd_keys, typing, pastes, mouse, sizes, news, errands } = *weather;
        if let Some(next) = self.errand.pop() {
            return match next {
                NAMES | CASE => Event::Paste(next.into()),
                TESTED => self.tested(),
                _ => Event::Key(key(next)),
            };
        }
        let mut at = self.random.below(keys + odd_keys + typing + pastes + mouse + sizes + news + errands);
        let mut is = |weight: usize| {
            let is_it = at < weight;
            at = at.wrapping_sub(weight);
            is_it
        };
        match () {
            () if is(keys) => {
                let (_, bound, _) = keymap::BINDINGS[self.random.below(keymap::BINDINGS.len())];
                Event::Key(key(&bound.to_string()))
            }
            () if is(odd_keys) => self.odd_key(),
            () if is(typing) => {
                let letters =
                    ['a', 'y', 'n', '"', '/', '(', ')', '|', ':', ' ', '日', 'é', '\u{301}', '🦀', '1'];
                let c = letters[self.random.below(letters.len())];
                Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))
            }
            () if is(pastes) => {
                let pieces =
                    ["start: \"a\"\n", "// x\r\n", "\u{1b}[2J", "👨‍👩‍👧", "\t(b | c)*", "\u{202e}", "\n\n", ""];
                let count = self.random.below(6);
                Event::Paste((0..count).map(|_| pieces[self.random.below(pieces.len())]).collect())
            }
            () if is(mouse) => self.mouse(),
            () if is(errands) => {
                self.errand = ERRANDS[self.random.below(ERRANDS.len())].iter().rev().copied().collect();
                Event::Key(key("Esc"))
            }
            () if is(sizes) => {
                let most = if self.random.below(20) == 0 { (501, 201) } else { (180, 50) };
                Event::Resize(self.random.below(most.0) as u16, self.random.below(most.1) as u16)
            }
            () => self.news(),
        }
    }

    /// A key that may have no meaning, in any combination.
    fn odd_key(&mut self) -> Event {
        let codes = [
            KeyCode::Char(char::from(b' ' + self.random.below(95) as u8)),
            KeyCode::F(self.random.below(13) as u8),
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Delete,
            KeyCode::Backspace,
            KeyCode::Enter,
            KeyCode::Tab,
            KeyCode::Insert,
            KeyCode::Null,
        ];
        let code = codes[self.random.below(codes.len())];
        let modifiers = KeyModifiers::from_bits_truncate(self.random.below(8) as u8);
        Event::Key(KeyEvent::new(code, modifiers))
    }

    fn mouse(&mut self) -> Event {
        let buttons = [MouseButton::Left, MouseButton::Left, MouseButton::Right, MouseButton::Middle];
        let button = buttons[self.random.below(4)];
        let kind = match self.random.below(7) {
            0 | 1 => MouseEventKind::Down(button),
            2 => MouseEventKind::Up(button),
            3 => MouseEventKind::Drag(button),
            4 => MouseEventKind::ScrollDown,
            5 => MouseEventKind::ScrollUp,
            _ => MouseEventKind::Moved,
        };
        let (width, height) = self.playground.state.size;
        // Now and then outside of the screen.
        let column = self.random.below(usize::from(width) + 3) as u16;
        let row = self.random.below(usize::from(height) + 3) as u16;
        Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
    }

    /// Something from the threads, asked for or late.
    fn news(&mut self) -> Event {
        let run = if self.random.below(8) == 0 { RunId(0) } else { self.run };
        match self.random.below(18) {
            0..=4 => {
                let count = 1 + self.random.below(5);
                self.steps += count;
                Event::Run(run, RunEvent::Steps(steps::python(self.steps - count, count, 256)))
            }
            5 => Event::Run(run, RunEvent::Paused),
            6 => Event::Run(run, RunEvent::Resumed),
            7 => Event::Run(run, RunEvent::Failed("it broke \u{1b}[31m".into())),
            8 => {
                let outcome = Outcome {
                    reason: FinishReason::Cancelled,
                    detail: None,
                    elapsed: Duration::from_millis(9),
                    prefill: Duration::from_millis(1),
                };
                Event::Run(run, RunEvent::Finished(outcome))
            }
            9 => self.checked(),
            10 => Event::Wake(if self.random.below(2) == 0 { Wake::Click } else { Wake::Autosave }),
            11 => {
                let id = self.playground.state.load;
                Event::Model(id, ModelEvent::Failed("no such model".into()))
            }
            12 => Event::Files(FileEvent::Written("a.lark".into(), Err(WriteError::Exists))),
            13 => Event::Files(FileEvent::Written("a.lark".into(), Err(WriteError::Changed))),
            14 => Event::Exported(Told::Exists(Format::Html, "run.html".into())),
            15 => Event::Edited(TextId::Prompt, Edited::Changed("from outside \u{1b}[1m\n".into())),
            16 => Event::Run(run, RunEvent::Refused("not now".into())),
            _ => Event::Rendered(self.random.below(3) as u64, Ok(vec![1, 2, 3])),
        }
    }

    /// The sessions there are said to be.
    fn sessions(&mut self) -> Vec<SessionNote> {
        let note = |name: &str| SessionNote {
            name: name.into(),
            grammar: "a.lark".into(),
            prompt: "a prompt \u{1b}[31m".into(),
            runs: 3,
            saved: 0,
            is_elsewhere: name == "elsewhere",
        };
        let all = ["default", "work", "elsewhere", "日本"];
        all[..self.random.below(all.len() + 1)].iter().map(|name| note(name)).collect()
    }

    /// A check of the text as it is, or of one that is no more.
    fn checked(&mut self) -> Event {
        let grammar = &self.playground.state.grammar;
        let text = grammar.buffer.text();
        let revision =
            grammar.buffer.revision() - (self.random.below(2) as u64).min(grammar.buffer.revision());
        let mut place = || (0..=text.len()).filter(|i| text.is_char_boundary(*i)).nth(self.random.below(99));
        let (a, b) = (place().unwrap_or(0), place().unwrap_or(text.len()));
        let diagnostics = vec![Diagnostic::error(&text, a.min(b)..a.max(b), "code", "something")];
        let compiled = self.compiled.clone().filter(|_| self.random.below(2) == 0);
        let symbols = Arc::default();
        Event::Checked(
            revision,
            Checked { vocabulary: self.vocabulary.clone(), compiled, diagnostics, symbols },
        )
    }

    /// What comes of the cases of the text as it is.
    fn tested(&self) -> Event {
        let grammar = &self.playground.state.grammar;
        let cases = Cases::of(&grammar.source(), &grammar.beside());
        let compiled = self.compiled.as_ref().expect("the first grammar has no mistake");
        let mut grammars = Entries::new(compiled, &self.playground.compiler);
        let report = cases.run(&mut grammars, &mut || true).expect("nobody stops it");
        Event::Tested(grammar.buffer.revision(), self.vocabulary.clone(), Ok(Arc::new(report)))
    }

    fn happen(&mut self, event: Event) {
        if self.latest.len() == 8 {
            self.latest.remove(0);
        }
        self.latest.push(event.clone());
        if let Event::Resize(width, height) = event {
            self.playground.fit(width, height);
        }
        let effects = update::update(&mut self.playground.state, event);
        for effect in effects {
            self.answer(effect);
        }
    }

    /// What the threads would do, often enough.
    fn answer(&mut self, effect: Effect) {
        let event = match effect {
            Effect::Start { id, paused, .. } => {
                (self.run, self.steps) = (id, 0);
                let prompt = steps::python(0, 3, 256);
                let started = Event::Run(id, RunEvent::Started { prompt, grammar: self.compiled.clone() });
                if paused {
                    self.happen(started);
                    Event::Run(id, RunEvent::Paused)
                } else {
                    started
                }
            }
            Effect::Pause => Event::Run(self.run, RunEvent::Paused),
            Effect::Resume => Event::Run(self.run, RunEvent::Resumed),
            Effect::Check(..) if self.random.below(8) == 0 => self.checked(),
            Effect::Files(_) => Event::Files(FileEvent::Said(Err("no such file".into()))),
            Effect::Store(Ask::List) => Event::Store(Answer::Listed(self.sessions())),
            Effect::Store(Ask::Rename(name) | Ask::SaveAs(name, _)) => Event::Store(Answer::Named(name)),
            Effect::Store(Ask::Run(number)) => Event::Store(Answer::Run(number, Err("it is gone".into()))),
            Effect::Store(_) => Event::Store(Answer::Failed("no room".into())),
            Effect::Export(job) => Event::Exported(Told::Failed(job.format, job.path, "no room".into())),
            Effect::ListModels => Event::Models(Arc::new(super::playground::models())),
            Effect::Load(id, _) => Event::Model(id, ModelEvent::Loading("reading".into(), Some(0.5))),
            _ => return,
        };
        self.happen(event);
    }

    /// What must be so after every event.
    fn hold(&self, round: usize) {
        let state = &self.playground.state;
        let after = || format!("event {round}, after {:?}", self.latest);
        for pane in [Pane::Grammar, Pane::Prompt] {
            let buffer = buffer(state, pane);
            let text = buffer.text();
            let lines: Vec<&str> = text.split('\n').collect();
            for place in [buffer.caret(), buffer.anchor(), buffer.end()] {
                let line =
                    lines.get(place.line).unwrap_or_else(|| panic!("{place:?} in {text:?}, {}", after()));
                assert!(line.is_char_boundary(place.byte), "{place:?} in {text:?}, {}", after());
            }
        }
        if let Some(areas) = state.areas() {
            let body = areas.body();
            let panes: Vec<_> = Pane::ALL.iter().map(|p| areas.pane(*p)).filter(|a| !a.is_empty()).collect();
            let covered: u32 = panes.iter().map(|a| a.area()).sum();
            assert_eq!(covered, body.area(), "{panes:?} in {body:?}, {}", after());
            for (i, area) in panes.iter().enumerate() {
                let is_apart = panes[..i].iter().all(|other| !other.intersects(*area));
                assert!(is_apart && body.union(*area) == body, "{panes:?} in {body:?}, {}", after());
            }
            assert!(!areas.pane(state.focus).is_empty(), "nothing of the focused pane, {}", after());
        }
        if let Some(Overlay::Menu(menu)) = &state.overlay {
            let found = menu.found(state).len();
            assert!(menu.selected < found.max(1), "row {} of {found}, {}", menu.selected, after());
        }
        let steps = state.run.steps().len();
        assert!(
            state.run.selected.is_none_or(|s| s < steps),
            "{:?} of {steps}, {}",
            state.run.selected,
            after()
        );
    }
}

fn buffer(state: &State, pane: Pane) -> &EditorBuffer {
    if pane == Pane::Grammar { &state.grammar.buffer } else { &state.prompt }
}

fn buffer_mut(state: &mut State, pane: Pane) -> &mut EditorBuffer {
    if pane == Pane::Grammar { &mut state.grammar.buffer } else { &mut state.prompt }
}

const CALM: Weather =
    Weather { keys: 10, odd_keys: 3, typing: 6, pastes: 1, mouse: 4, sizes: 1, news: 4, errands: 1 };

/// Four storms of 25,000 events at the same time: of keys, of text, of the mouse and sizes, of what the
/// threads tell.
#[test]
fn a_hundred_thousand_events() {
    let storms = [
        (0x9e37_79b9_7f4a_7c15, false, Weather { keys: 40, odd_keys: 12, ..CALM }),
        (0xd1b5_4a32_d192_ed03, true, Weather { typing: 40, pastes: 6, ..CALM }),
        (0x94d0_49bb_1331_11eb, false, Weather { mouse: 40, sizes: 8, ..CALM }),
        (0xbf58_476d_1ce4_e5b9, true, Weather { news: 40, ..CALM }),
    ];
    let seen: BTreeSet<String> = std::thread::scope(|scope| {
        let begun: Vec<_> = storms
            .iter()
            .map(|(seed, vim, weather)| scope.spawn(|| Storm::new(*seed, *vim).rage(weather)))
            .collect();
        begun.into_iter().flat_map(|storm| storm.join().unwrap()).collect()
    });
    let mut wanted = kinds::all();
    wanted.extend(Pane::ALL.iter().flat_map(|pane| [format!("{pane:?}"), format!("hidden {pane:?}")]));
    let rest = ["find", "no screen", "small screen", "screen", "large screen", "vim None"];
    wanted.extend(rest.map(str::to_owned));
    wanted.extend(["Normal", "Insert", "Visual", "VisualLine"].map(|mode| format!("vim Some({mode})")));
    let missing: Vec<_> = wanted.difference(&seen).collect();
    assert!(missing.is_empty(), "the storms have not come to {missing:?}");
}
