//! Plays the files of `tests/terminal/scenarios/`: one action or expectation a line, `#` starts a comment.
//!
//! | line | what it does |
//! |---|---|
//! | `size 80 24` | resizes the terminal |
//! | `press F5` | presses a key, by its name in the help |
//! | `type text` | types; `\n` is Enter, `\\` is a backslash |
//! | `paste text` | pastes; `\n`, `\r`, `\e` are what they say |
//! | `click 3 4` | clicks on column 3, row 4 |
//! | `drag 3 4 8 4` | presses the mouse's button on column 3, row 4, and lets it go on column 8, row 4 |
//! | `wheel down 3 4` | turns the wheel there |
//! | `wait 4` | lets four seconds pass |
//! | `vim` | switches the keys of vi on |
//! | `engine 5` | lets the engine take five decisions |
//! | `models` | the models that can be picked have been found |
//! | `loading text` | the load under way tells what it does |
//! | `failed text` | it fails |
//! | `loaded name` | it is done |
//! | `read NAME text` | the file was read |
//! | `unread NAME why` | it could not be |
//! | `written NAME` | the grammar was written to it |
//! | `exists NAME`, `changed NAME` | it was not, because of the file there |
//! | `found a b` | these grammars are below the current folder |
//! | `completed TYPED TEXT a b` | a path goes on to these |
//! | `done text` | the thread for files tells that it has done something |
//! | `begins text` | the next effect for the program begins like this |
//! | `see text` | the screen must show the text |
//! | `not text` | it must not |
//! | `effect Quit` | the next effect for the program is this |
//! | `forget` | the effects so far do not matter |

use std::time::Duration;

use super::playground::Playground;
use crossterm::event::{MouseButton, MouseEventKind};
use maze::app::event::{Event, ModelEvent};
use maze::app::files::{FileEvent, GrammarFile, Opened, WriteError};
use maze::engine::GrammarKind;
use std::path::PathBuf;

#[test]
fn every_scenario_goes_as_written() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal/scenarios");
    let mut played = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "txt") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            play(&name, &std::fs::read_to_string(&path).unwrap());
            played += 1;
        }
    }
    assert!(played >= 8, "only {played} scenarios were found");
}

fn play(name: &str, script: &str) {
    let mut p = Playground::new(80, 24);
    for (number, line) in script.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (first, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let text = &unescaped(text);
        let numbers: Vec<u16> = rest.split(' ').filter_map(|n| n.parse().ok()).collect();
        let fail = |p: &mut Playground, what: &str| {
            panic!("{name}.txt:{}: {what}: {line}\n{}", number + 1, p.screen())
        };
        match verb {
            "size" => p.resize(numbers[0], numbers[1]),
            "press" => p.press(rest),
            "type" => p.type_text(&unescaped(rest)),
            "paste" => p.event(Event::Paste(unescaped(rest))),
            "click" => p.click(numbers[0], numbers[1]),
            "wheel" => {
                let down = rest.starts_with("down");
                let kind = if down { MouseEventKind::ScrollDown } else { MouseEventKind::ScrollUp };
                p.mouse(kind, numbers[0], numbers[1]);
            }
            "drag" => {
                p.click(numbers[0], numbers[1]);
                p.mouse(MouseEventKind::Drag(MouseButton::Left), numbers[2], numbers[3]);
                p.mouse(MouseEventKind::Up(MouseButton::Left), numbers[2], numbers[3]);
            }
            "wait" => p.wait(Duration::from_secs(u64::from(numbers[0]))),
            "vim" => p.state.use_vim(true),
            "engine" => p.advance(usize::from(numbers[0])),
            "models" => p.list_models(),
            "loading" => p.load(ModelEvent::Loading(rest.to_owned(), None)),
            "failed" => p.load(ModelEvent::Failed(rest.to_owned())),
            "loaded" => p.switch(rest),
            "read" => p.event(Event::Files(FileEvent::Read(PathBuf::from(first), Ok(opened(first, text))))),
            "unread" => p.event(Event::Files(FileEvent::Read(first.into(), Err(text.to_owned())))),
            "written" => {
                let text = p.state.grammar.buffer.text();
                p.event(Event::Files(FileEvent::Written(first.into(), Ok(opened(first, &text)))));
            }
            "exists" => p.event(Event::Files(FileEvent::Written(first.into(), Err(WriteError::Exists)))),
            "changed" => p.event(Event::Files(FileEvent::Written(first.into(), Err(WriteError::Changed)))),
            "found" => {
                let found = rest.split(' ').map(str::to_owned).collect();
                p.event(Event::Files(FileEvent::Listed(found)));
            }
            "completed" => {
                let names: Vec<String> = text.split(' ').skip(1).map(str::to_owned).collect();
                let text = text.split(' ').next().unwrap_or_default().to_owned();
                p.event(Event::Files(FileEvent::Completed { typed: first.to_owned(), text, names }));
            }
            "done" => p.event(Event::Files(FileEvent::Said(Ok(rest.to_owned())))),
            // Only the beginning: the rest is long.
            "begins" => {
                let effect = p.effects.drain(..1.min(p.effects.len())).next();
                let effect = effect.map_or_else(|| "none".into(), |effect| format!("{effect:?}"));
                if !effect.starts_with(rest) {
                    fail(&mut p, &format!("the effect is {effect}"));
                }
            }
            "see" if !p.screen().contains(rest) => fail(&mut p, "not on the screen"),
            "not" if p.screen().contains(rest) => fail(&mut p, "is on the screen"),
            "see" | "not" => {}
            "forget" => p.effects.clear(),
            "effect" => {
                let effect =
                    if p.effects.is_empty() { "none".into() } else { format!("{:?}", p.effects.remove(0)) };
                if effect != rest {
                    fail(&mut p, &format!("the effect is {effect}"));
                }
            }
            _ => fail(&mut p, "unknown verb"),
        }
    }
}

/// A file with this text.
fn opened(path: &str, text: &str) -> Opened {
    let file = GrammarFile { path: PathBuf::from("/here").join(path), text: text.into() };
    Opened { file, name: path.to_owned(), kind: GrammarKind::of_path(path.as_ref()) }
}

fn unescaped(text: &str) -> String {
    // Two backslashes are one.
    let parts = text
        .split("\\\\")
        .map(|part| part.replace("\\n", "\n").replace("\\r", "\r").replace("\\e", "\u{1b}"));
    parts.collect::<Vec<_>>().join("\\")
}
