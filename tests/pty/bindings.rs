//! Every key of the table, as the bytes that a terminal sends for it, and what a person sees then.
//!
//! [`proof`] has an arm for every action: a new one does not compile without its proof. Each key gets a
//! program of its own, so that none depends on what others have left behind.

use std::collections::VecDeque;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;

use maze::app::action::Action;
use maze::app::keymap::{BINDINGS, Binding, Context};

use super::pty::Tui;
use super::start;

const ROWS: u16 = 45;
const COLUMNS: u16 = 160;

/// The grammar and its file.
const FILE: &str = "lines.lark";
const GRAMMAR: &str = "start: (line)+\nline: /[^\\n]*\\n/\n";
const PROMPT: &str = "alpha beta\ngamma (delta)";

/// Programs that run at the same time.
const AT_ONCE: usize = 4;

/// What shows that a key has done its work.
enum Seen {
    /// This text comes.
    Shows(&'static str),
    /// One of these texts comes.
    Either(&'static str, &'static str),
    /// This text goes.
    Gone(&'static str),
    /// This text is further to the right, or down.
    Right(&'static str),
    /// This text is further to the left, or up.
    Left(&'static str),
    /// The program sends these bytes.
    Sends(&'static str),
    /// The grammar's file begins like this.
    Saves(&'static str),
    /// The program has stopped, and the terminal is given back.
    Stops,
    /// The program has ended without an error, and the terminal is given back.
    Ends,
}

use Seen::{Either, Ends, Gone, Left, Right, Saves, Sends, Shows, Stops};

/// The prompt, as a terminal gets it for its clipboard.
const COPIED: &str = "\x1b]52;c;YWxwaGEgYmV0YQpnYW1tYSAoZGVsdGEp";

/// Keys to press before the one in question, keys to press after it, and what is to be seen then.
/// `see …` waits for a text and `type …` types; everything else is a key by its name.
struct Proof(Vec<&'static str>, Vec<&'static str>, Seen);

fn proof(action: Action, context: Context) -> Proof {
    let is_text = context != Context::Panes;
    // In the prompt, with `@` typed where the key has led to.
    let at = |before: &[&'static str], seen| {
        Proof([&["Alt-2", "see ▸Prompt"], before].concat(), vec!["type @"], seen)
    };
    let on = |before: &[&'static str], seen| Proof(before.to_vec(), Vec::new(), seen);
    let in_prompt =
        |before: &[&'static str], seen| Proof([&["Alt-2", "see ▸Prompt"], before].concat(), Vec::new(), seen);
    let opens = |text| on(if is_text { &[] } else { &["Alt-3", "see ▸Output"] }, Shows(text));
    let paused: &[&str] = &["F10", "see ‖ paused"];
    let two_runs = ["F10", "see ‖ paused", "Esc", "see ■", "F10", "see ‖ paused"];
    // A key that comes while a step is under way asks for no other.
    let steps = [
        ["F10", "see  1 tok", "see ‖ paused"],
        ["F10", "see  2 tok", "see ‖ paused"],
        ["F10", "see  3 tok", "see ‖ paused"],
    ];
    let after_three = [&steps.concat()[..], &["Alt-3", "Home", "see token 1 / 3"]].concat();
    match action {
        Action::Run => opens("● running"),
        Action::Step => opens("‖ paused"),
        Action::Close => on(&["F5", "see ● running"], Shows("■ cancelled")),
        Action::Commands => opens("part of a command"),
        Action::Open => opens("part of a name, or a path"),
        Action::Save => on(&["type // "], Saves("// start")),
        Action::SaveAs => opens("Save the grammar as"),
        Action::New => opens("New grammar"),
        Action::ExternalEditor => opens("is as your editor has saved it"),
        Action::Settings => opens("w write to the config file"),
        Action::Models => opens("org/name[:file] of the hub"),
        Action::Prompts => opens("Earlier prompts"),
        Action::Sessions => opens("part of a name, or a new name"),
        Action::Runs => opens("Runs of this session"),
        Action::Compare => on(&two_runs, Shows("Runs 1 and 2")),
        Action::Export => on(paused, Shows("Write the run to a file")),
        Action::Themes => opens("Themes"),
        Action::NextPane => opens("▸Prompt"),
        Action::PreviousPane => opens("▸Inspector"),
        Action::FocusGrammar => in_prompt(&[], Shows("▸Grammar")),
        Action::FocusPrompt => opens("▸Prompt"),
        Action::FocusOutput => opens("▸Output"),
        Action::FocusInspector => opens("▸Inspector"),
        Action::Zoom if is_text => on(&[], Shows("▸Grammar 2 Prompt")),
        Action::Zoom => on(&["Alt-3"], Shows("▸Output 4 Inspector")),
        Action::Grow => on(&[], Right(" Output ·")),
        Action::Shrink => on(&[], Left(" Output ·")),
        Action::Hide => opens("Grammar is hidden"),
        Action::ResetLayout => opens("first place and size"),
        Action::Tint => opens("where each token begins"),
        Action::Graphs => opens("Graphs: "),
        Action::NextFinding => {
            let before = ["Ctrl-End", "type oops: nowhere", "see is not defined", "Ctrl-Home"];
            Proof(before.to_vec(), vec!["type @"], Shows("oops: @nowhere"))
        }
        Action::Fix => on(&["Ctrl-End", "type oops: 'x'", "see M024"], Shows("Fixed M024")),
        Action::Entry => opens("has no entry points"),
        Action::Cases => opens("Cases of the grammar"),
        Action::KeepAccepted | Action::KeepRejected => opens("There is no output to keep yet"),
        Action::PromptMode => opens("no chat template"),
        Action::SystemPrompt | Action::Thinking => {
            Proof(Vec::new(), Vec::new(), Either("is for chats", "no mark for"))
        }
        Action::Rendered => opens("Prompt as the model reads it"),
        Action::Messages => on(&["Alt-0"], Shows("Messages")),
        Action::Mouse => on(&[], Sends("\x1b[?1000l")),
        Action::Help => opens("type a key or a word"),
        Action::Tour => on(&[], Gone("Hint 1 of 5")),
        Action::Suspend => on(&[], Stops),
        Action::Quit => on(&[], Ends),
        Action::Left => at(&["→", "→"], Shows("a@lpha")),
        Action::Right => at(&[], Shows("a@lpha")),
        Action::Up => at(&["↓"], Shows("@alpha")),
        Action::Down => at(&[], Shows("@gamma")),
        Action::PageUp => at(&["Ctrl-End"], Either("alpha beta@", "@alpha")),
        Action::PageDown => at(&[], Either("@gamma", "(delta)@")),
        Action::Home => at(&["→", "→"], Shows("@alpha")),
        Action::End => at(&[], Shows("beta@")),
        Action::Enter => at(&["→", "→"], Shows("@pha")),
        Action::WordLeft => at(&["End"], Shows("alpha @beta")),
        Action::WordRight => at(&[], Either("alpha@ beta", "alpha @beta")),
        Action::TextStart => at(&["Ctrl-End"], Shows("@alpha")),
        Action::TextEnd => at(&[], Shows("(delta)@")),
        Action::SelectLeft => at(&["→", "→"], Shows("a@pha")),
        Action::SelectRight => at(&[], Shows("@lpha")),
        Action::SelectUp => at(&["↓"], Shows("@gamma")),
        Action::SelectDown => at(&[], Shows("@gamma")),
        Action::SelectHome => at(&["→", "→"], Shows("@pha")),
        Action::SelectEnd => at(&[], Gone("beta")),
        Action::SelectWordLeft => at(&["End"], Shows("alpha @")),
        Action::SelectWordRight => at(&[], Either("@ beta", "@beta")),
        Action::SelectTextStart => at(&["Ctrl-End"], Gone("delta")),
        Action::SelectTextEnd | Action::SelectAll => at(&[], Gone("delta")),
        Action::Copy if !is_text => on(&["F10", "see ‖ paused", "Alt-3"], Shows("if the terminal lets")),
        Action::Copy => in_prompt(&["Alt-A"], Sends(COPIED)),
        Action::Cut => in_prompt(&["Alt-A"], Gone("delta")),
        Action::Paste => {
            in_prompt(&["Ctrl-End", "Shift-Home", "Ctrl-C", "End"], Shows("(delta)gamma (delta)"))
        }
        Action::DeleteLeft => in_prompt(&["→", "→"], Shows("apha")),
        Action::DeleteRight => in_prompt(&[], Gone("alpha")),
        Action::DeleteWord => in_prompt(&["End"], Gone("beta")),
        Action::DeleteWordRight | Action::DeleteToEnd => in_prompt(&[], Gone("alpha")),
        Action::Undo => in_prompt(&["type @"], Gone("@alpha")),
        Action::Redo => in_prompt(&["type @", "Ctrl-U"], Shows("@alpha")),
        Action::Find => in_prompt(&[], Shows("▸Find")),
        Action::Replace => in_prompt(&[], Shows("With  ")),
        Action::ReplaceAll => {
            in_prompt(&["Ctrl-F", "type ta", "Alt-R", "see ▸With", "type X"], Shows("Replaced 2 places"))
        }
        Action::FindNext => in_prompt(&["Ctrl-F", "type ta", "see 1/2"], Shows("2/2")),
        Action::FindPrevious => {
            in_prompt(&["Ctrl-F", "type ta", "see 1/2", "Enter", "see 2/2"], Shows("1/2"))
        }
        Action::GoToLine => in_prompt(&[], Shows("Go to line")),
        Action::Bracket => at(&["Ctrl-End", "←"], Either("gamma @(delta)", "gamma (@delta)")),
        Action::Definition => {
            let to_the_use = ["→"; 8];
            Proof(to_the_use.to_vec(), vec!["type @"], Shows("@line: /"))
        }
        Action::Uses => Proof(vec!["↓"], vec!["type @"], Shows("(@line)+")),
        Action::JumpBack => Proof(vec!["↓", "F12"], vec!["type @"], Shows("@line: /")),
        Action::Comment => on(&[], Shows("// start")),
        Action::Indent => on(&[], Right("start:")),
        Action::Outdent => on(&["Alt-.", "see     start:"], Left("start:")),
        Action::LineUp => in_prompt(&["↓"], Left("gamma")),
        Action::LineDown => in_prompt(&[], Right("alpha")),
        Action::PromptBefore => in_prompt(&["F10", "see ‖ paused", "Esc", "see ■", "type @"], Gone("@alpha")),
        Action::PromptAfter => {
            in_prompt(&["F10", "see ‖ paused", "Esc", "see ■", "type @", "Ctrl-↑"], Shows("@alpha"))
        }
        Action::NextList => on(&["F10", "see ‖ paused", "Alt-4", "see candidates ─"], Gone("candidates ─")),
        Action::Search => Proof(vec!["F10", "see ‖ paused", "Alt-4"], vec!["type zq"], Shows("/ zq")),
        Action::Rewind => on(&after_three, Gone("/ 3 ")),
        Action::NextSurprise => {
            on(&["F10", "see ‖ paused", "Alt-3", "Home"], Shows("no token after this one"))
        }
        Action::PreviousSurprise => {
            on(&["F10", "see ‖ paused", "Alt-3", "Home"], Shows("no token before this one"))
        }
        Action::Force => on(&after_three, Gone("/ 3 ")),
    }
}

#[test]
fn every_key_does_what_the_table_says() {
    let left = Mutex::new(BINDINGS.iter().collect::<VecDeque<&Binding>>());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(binding) = { left.lock().unwrap().pop_front() } {
                    let tried = catch_unwind(AssertUnwindSafe(|| prove(binding)));
                    if let Err(reason) = tried {
                        let reason = reason.downcast_ref::<String>().cloned().unwrap_or_default();
                        failed.lock().unwrap().push(format!("{} ({:?}): {reason}", binding.1, binding.2));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} keys fail:\n{}", failed.len(), failed.join("\n\n"));
}

fn prove((context, key, action): &Binding) {
    let Proof(before, after, seen) = proof(*action, *context);
    let folder = tempfile::tempdir().unwrap();
    let mut tui = program(folder.path());
    for step in &before {
        take(&mut tui, step);
    }
    if let Gone(text) | Right(text) | Left(text) = &seen {
        tui.see(text);
    }
    // Whatever the keys before have led to is on the screen when nothing comes any more.
    while tui.stirs(std::time::Duration::from_millis(40)) && !tui.text().contains("● running") {}
    let old = tui.text();
    match &seen {
        Shows(text) => assert!(!old.contains(text), "{text:?} is there before:\n{old}"),
        Sends(bytes) => assert!(!tui.has_written(bytes), "{bytes:?} was sent before"),
        _ => {}
    }
    tui.press(&key.to_string());
    for step in &after {
        take(&mut tui, step);
    }
    let what = |what: &str| format!("{what} after {key} ({})", action.name());
    let wait = |what: String, is_so: &dyn Fn(&str) -> bool| {
        tui.wait(&what, |s| is_so(&s.contents()));
    };
    match seen {
        Shows(text) => wait(what(text), &|now| now.contains(text)),
        Either(one, other) => wait(what(one), &|now| now.contains(one) || now.contains(other)),
        Gone(text) => wait(what(&format!("no {text:?}")), &|now| !now.contains(text)),
        Right(text) => wait(what(&format!("{text:?} moved")), &|now| place(now, text) > place(&old, text)),
        Left(text) => wait(what(&format!("{text:?} moved")), &|now| {
            place(now, text).is_some_and(|now| Some(now) < place(&old, text))
        }),
        Sends(bytes) => tui.wrote(bytes),
        Saves(text) => {
            tui.see("Saved to");
            assert!(fs::read_to_string(folder.path().join(FILE)).unwrap().starts_with(text));
        }
        Stops => {
            tui.stops();
            tui.wait(&what("the shell"), |s| !s.alternate_screen());
        }
        Ends => return tui.end(0),
    }
    let _ = tui.child.kill();
    let _ = tui.child.wait();
}

/// The row and the column where a text begins.
fn place(screen: &str, text: &str) -> Option<(usize, usize)> {
    screen
        .lines()
        .enumerate()
        .find_map(|(row, line)| line.find(text).map(|at| (row, line[..at].chars().count())))
}

/// The program with a grammar in a file and a prompt, and an editor that changes a text at once.
fn program(folder: &Path) -> Tui {
    let grammar = folder.join(FILE);
    fs::write(&grammar, GRAMMAR).unwrap();
    let editor = folder.join("editor");
    fs::write(&editor, "#!/bin/sh\necho edited >> \"$1\"\n").unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let (grammar, editor) = (grammar.display().to_string(), editor.display().to_string());
    let prompt = format!("--prompt={PROMPT}");
    let arguments = ["--model=scripted:200", "--grammar", &grammar, &prompt, "--max-tokens=100000"];
    let tui = start(ROWS, COLUMNS, &arguments, &[("EDITOR", &editor)]);
    tui.see("✓ grammar");
    tui
}

fn take(tui: &mut Tui, step: &str) {
    match step.split_once(' ') {
        Some(("see", text)) => drop(tui.see(text)),
        Some(("type", text)) => tui.send(text),
        _ => tui.press(step),
    }
}
