//! A hundred thousand random events: keys, pastes, clicks, drags, the wheel, sizes from nothing to
//! 500x200, and runs, files, sessions and checks that answer when they like. Nothing panics, and what
//! must hold between two events does: carets are in their texts, panes tile the screen, and lists have
//! the row that the person is at.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use maze::app::editor::EditorBuffer;
use maze::app::event::{Checked, Effect, Event, ModelEvent, RunEvent, RunId, Wake};
use maze::app::files::FileEvent;
use maze::app::state::{Overlay, Pane, State};
use maze::app::store::Answer;
use maze::app::{keymap, update};
use maze::engine::grammar::Compiled;
use maze::engine::trace::{FinishReason, Outcome};
use maze::engine::{Diagnostic, Vocabulary};

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

/// How often the kinds of events come.
struct Weather {
    keys: usize,
    odd_keys: usize,
    typing: usize,
    pastes: usize,
    mouse: usize,
    sizes: usize,
    news: usize,
}

struct Storm {
    random: Random,
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
    fn new(seed: u64) -> Self {
        let mut playground = Playground::new(80, 24);
        playground.press("F5");
        playground.advance(20);
        let state = &playground.state;
        Self {
            random: Random(seed),
            run: state.run.id,
            steps: state.run.steps().len(),
            compiled: state.grammar.compiled.clone(),
            vocabulary: playground.vocabulary(),
            playground,
            latest: Vec::new(),
        }
    }

    fn rage(mut self, weather: &Weather) {
        for round in 0..EVENTS {
            let event = self.event(weather);
            self.happen(event);
            self.hold(round);
            if round % FRAME == 0 {
                self.playground.draw();
            }
            for pane in [Pane::Grammar, Pane::Prompt] {
                if buffer(&self.playground.state, pane).text().len() > LONG {
                    self.happen(Event::Key(key("Esc")));
                    self.happen(Event::Key(key(if pane == Pane::Grammar { "Alt-1" } else { "Alt-2" })));
                    self.happen(Event::Key(key("Alt-A")));
                    self.happen(Event::Key(key("Backspace")));
                }
            }
        }
    }

    fn event(&mut self, weather: &Weather) -> Event {
        let Weather { keys, odd_keys, typing, pastes, mouse, sizes, news } = *weather;
        let mut at = self.random.below(keys + odd_keys + typing + pastes + mouse + sizes + news);
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
        match self.random.below(12) {
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
            _ => {
                let id = self.playground.state.load;
                Event::Model(id, ModelEvent::Failed("no such model".into()))
            }
        }
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
                let started = Event::Run(id, RunEvent::Started { prompt });
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
            Effect::Store(_) => Event::Store(Answer::Failed("no room".into())),
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

const CALM: Weather = Weather { keys: 10, odd_keys: 3, typing: 6, pastes: 1, mouse: 4, sizes: 1, news: 4 };

#[test]
fn of_keys() {
    Storm::new(0x9e37_79b9_7f4a_7c15).rage(&Weather { keys: 40, odd_keys: 12, ..CALM });
}

#[test]
fn of_text() {
    Storm::new(0xd1b5_4a32_d192_ed03).rage(&Weather { typing: 40, pastes: 6, ..CALM });
}

#[test]
fn of_the_mouse_and_sizes() {
    Storm::new(0x94d0_49bb_1331_11eb).rage(&Weather { mouse: 40, sizes: 8, ..CALM });
}

#[test]
fn of_runs() {
    Storm::new(0xbf58_476d_1ce4_e5b9).rage(&Weather { news: 40, ..CALM });
}
