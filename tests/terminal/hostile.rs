//! The screen under bad conditions: any size, resize storms, random keys, text that would like to
//! steer the terminal, and long runs. (Cases 21 and 24 of the list of hostile inputs.)

use std::sync::Arc;

use std::time::Instant;

use super::playground::Playground;
use super::steps;
use maze::app::event::{Checked, Event, ModelEvent, RunEvent, Wanted};
use maze::app::keymap;
use maze::app::state::Loading;
use maze::engine::Diagnostic;
use maze::ui::wrap::Lines;

struct Random(u64);

impl Random {
    fn next(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

#[test]
fn every_size_is_drawn() {
    let mut p = Playground::new(80, 24);
    p.press("F5");
    p.advance(20);
    for pane in ["Alt-1", "Alt-2", "Alt-3", "Alt-4"] {
        p.press(pane);
        for width in [0, 1, 2, 39, 40, 41, 69, 70, 71, 129, 130, 160, 500] {
            for height in [0, 1, 2, 9, 10, 11, 17, 18, 24, 26, 45, 200] {
                p.resize(width, height);
                if width == 0 {
                    p.draw();
                    continue;
                }
                let screen = p.screen();
                let is_small = width < 40 || height < 10;
                let says_so = screen.contains("Terminal too small");
                assert!(says_so == (is_small && width >= 18 && height > 0), "{width}x{height}:\n{screen}");
            }
        }
    }
}

/// The terminal may be of another size than the last event said: no panic, whatever is drawn.
#[test]
fn a_resize_that_nobody_told_of_is_survived() {
    let mut p = Playground::new(80, 24);
    p.state.size = (160, 45);
    p.screen();
    p.state.size = (500, 200);
    p.screen();
}

#[test]
fn random_keys_resizes_clicks_and_steps_never_panic() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut p = Playground::new(80, 24);
    for round in 0..4000 {
        match random.next(12) {
            0 => p.resize(random.next(200) as u16, random.next(60) as u16),
            1 | 2 => p.advance(1),
            3 => p.click(random.next(200) as u16, random.next(60) as u16),
            4 => {
                let kind = if random.next(2) == 0 {
                    crossterm::event::MouseEventKind::ScrollUp
                } else {
                    crossterm::event::MouseEventKind::ScrollDown
                };
                p.mouse(kind, random.next(160) as u16, random.next(45) as u16);
            }
            5 => p.type_text(["x", "\"", "é日", "\u{1b}", "\t", "|", "\u{202e}", "/"][random.next(8)]),
            6 => p.event(Event::Paste("a\r\nb\u{1b}[2J\u{200d}👨‍👩‍👧 c".into())),
            _ => {
                let (_, key, _) = keymap::BINDINGS[random.next(keymap::BINDINGS.len())];
                p.press(&key.to_string());
            }
        }
        if round % 5 == 0 {
            p.draw();
        }
    }
}

/// Whatever a token, a name or a message holds, no control character gets into a cell.
#[test]
fn text_by_others_cannot_steer_the_terminal() {
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\r\u{8}\u{202e}\u{200b}\u{feff}";
    for (width, height) in [(40, 10), (80, 24), (160, 45)] {
        for pane in ["Alt-1", "Alt-2", "Alt-3", "Alt-4"] {
            let mut p = Playground::new(width, height);
            p.state.grammar.name = evil.into();
            p.press("F5");
            let hostile = format!("{evil}\n{evil}");
            let tokens =
                [hostile.as_bytes(), b"\xff\xfe\x1b", b"\xe2\x80", b"\xae", "a\u{301}".repeat(99).as_bytes()]
                    .iter()
                    .enumerate()
                    .map(|(i, text)| steps::step(i, text, 256))
                    .collect();
            p.steps(tokens);
            let mut finding = Diagnostic::error("start: x", 7..8, "undefined-name", evil);
            finding.help = Some(evil.into());
            let revision = p.state.grammar.buffer.revision();
            p.event(Event::Checked(
                revision,
                Checked {
                    vocabulary: p.vocabulary(),
                    compiled: None,
                    diagnostics: vec![finding],
                    symbols: Arc::default(),
                },
            ));
            p.press(pane);
            p.event(Event::Paste(evil.into()));
            assert_clean(&mut p);
            let id = p.state.run.id;
            p.event(Event::Run(id, RunEvent::Failed(evil.into())));
            assert_clean(&mut p);
            let id = p.state.load;
            p.event(Event::Model(id, ModelEvent::Failed(evil.into())));
            p.state.run = Default::default();
            assert_clean(&mut p);
            p.event(Event::Broken(evil.into()));
            assert_clean(&mut p);
            p.state.loading = Some(Loading::new(Wanted::Named(evil.into())));
            let id = p.state.load;
            p.event(Event::Model(id, ModelEvent::Loading(evil.into(), Some(f32::NAN))));
            assert_clean(&mut p);
        }
    }
}

fn assert_clean(p: &mut Playground) {
    let bad = |c: char| {
        c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{feff}')
    };
    for cell in &p.draw().content {
        assert!(!cell.symbol().chars().any(bad), "{:?}", cell.symbol());
    }
}

/// Between a change of the text and its check, findings are of a text that is no more.
#[test]
fn findings_of_an_older_text_are_drawn_without_harm() {
    let mut p = Playground::new(80, 24);
    let text = "start: a\na: \"é\"\nb: \"日本\"\n";
    let finding = Diagnostic::error(text, 10..text.len(), "undefined-name", "gone");
    let revision = p.state.grammar.buffer.revision();
    p.event(Event::Checked(
        revision,
        Checked {
            vocabulary: p.vocabulary(),
            compiled: None,
            diagnostics: vec![finding],
            symbols: Arc::default(),
        },
    ));
    for shorter in ["", "é", "\n\n", "start: 日本語日本語\n"] {
        p.state.grammar.buffer.set_text(shorter);
        assert!(p.screen().contains("gone"));
    }
}

/// Events of a run that has been replaced change nothing.
#[test]
fn late_events_are_dropped() {
    let mut p = Playground::new(80, 24);
    p.press("F5");
    p.advance(3);
    let old = p.state.run.id;
    p.press("Esc");
    p.press("F5");
    p.advance(3);
    let before = format!("{:?}", p.state.run);
    p.event(Event::Run(old, RunEvent::Steps(steps::python(0, 5, 256))));
    p.event(Event::Run(old, RunEvent::Failed("late".into())));
    let stale =
        Checked { vocabulary: p.vocabulary(), compiled: None, diagnostics: vec![], symbols: Arc::default() };
    p.event(Event::Checked(999, stale));
    assert_eq!(format!("{:?}", p.state.run), before);
    assert!(p.state.grammar.compiled.is_some());
}

/// After twenty thousand tokens a frame costs what the screen costs: only the lines that are new
/// are parsed, and a frame is far below the 33 ms that 30 frames a second leave.
#[test]
fn a_frame_costs_the_same_after_any_number_of_tokens() {
    let mut p = Playground::new(160, 45);
    p.press("F5");
    p.steps(steps::python(0, 20_000, 8192));
    // So many at once are parsed over several frames.
    let mut parsed = None;
    while parsed != Some(p.parsed_output_lines()) {
        parsed = Some(p.parsed_output_lines());
        p.draw();
    }
    let mut times = Vec::new();
    for frame in 0..60 {
        let parsed = p.parsed_output_lines();
        let lines = p.state.run.transcript.count();
        let new_steps = steps::python(20_000 + frame * 34, 34, 8192);
        let clock = Instant::now();
        p.steps(new_steps);
        p.draw();
        times.push(clock.elapsed());
        let new = p.state.run.transcript.count() - lines;
        let work = p.parsed_output_lines() - parsed;
        assert!(work <= new + 2, "{work} lines were parsed for {new} new ones");
    }
    assert!(times.iter().min().is_some_and(|t| t.as_millis() < 16), "{times:?}");
}

/// One line without end costs no more than many: it is cut for layout and highlighting.
#[test]
fn a_line_without_end_is_cheap() {
    let mut p = Playground::new(80, 24);
    p.press("F5");
    let tokens = (0..20_000).map(|i| steps::step(i, b"{\"a\": [1, 2]}, ", 8192)).collect();
    p.steps(tokens);
    p.draw();
    let mut times = Vec::new();
    for _ in 0..20 {
        let new_steps = (0..34).map(|i| steps::step(i, b"{\"a\": [1, 2]}, ", 8192)).collect();
        let clock = Instant::now();
        p.steps(new_steps);
        p.draw();
        times.push(clock.elapsed());
    }
    assert!(times.iter().min().is_some_and(|t| t.as_millis() < 16), "{times:?}");
    let lines = p.state.run.transcript.count();
    assert!(p.parsed_output_lines() <= lines + 40, "every line is parsed once, the last one at every frame");
}

/// A terminal gets at most 64 KiB for its clipboard; what is longer is for the program's own paste.
#[test]
fn the_clipboard_is_not_flooded() {
    let mut p = Playground::new(80, 24);
    p.press("Alt-2");
    p.press("Ctrl-End");
    p.event(Event::Paste(format!("\n{}", "x".repeat(64 * 1024))));
    let text = p.state.prompt.text();
    p.press("Shift-Home");
    p.press("Shift-←");
    p.press("Ctrl-X");
    assert!(p.effects.is_empty());
    assert!(p.screen().contains("Copied for Ctrl-V only"));
    assert_eq!(p.state.prompt.text(), text.trim_end_matches('x').strip_suffix('\n').unwrap());
    p.press("Ctrl-V");
    assert_eq!(p.state.prompt.text(), text);
    p.press("Shift-Home");
    p.press("Ctrl-X");
    assert_eq!(p.effects.len(), 1);
}
