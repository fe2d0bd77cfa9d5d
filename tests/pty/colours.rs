//! Which colours are sent, by what the environment and the terminal say, in the bytes that are sent.

use std::collections::BTreeSet;
use std::path::Path;

use super::pty::Tui;

/// What the sequences for colours and the like say, one number or colour each: `1`, `31`, `38;5`.
fn styles(bytes: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = BTreeSet::new();
    for piece in text.split("\x1b[").skip(1) {
        let end = piece.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':').unwrap_or(piece.len());
        if !piece[end..].starts_with('m') {
            continue;
        }
        let mut numbers = piece[..end].split(';');
        while let Some(number) = numbers.next() {
            if !matches!(number, "38" | "48" | "58") {
                found.insert(number.to_owned());
                continue;
            }
            let kind = numbers.next().unwrap_or_default();
            let last = numbers.nth(if kind == "2" { 2 } else { 0 }).unwrap_or_default();
            // The first of the 256 are the sixteen.
            let is_one_of_few = kind == "5" && last.parse().is_ok_and(|n: u8| n < 16);
            found.insert(format!("{number};{}", if is_one_of_few { "16" } else { kind }));
        }
    }
    found
}

/// Whether a style is a colour, save the terminal's own.
fn is_colour(style: &str) -> bool {
    style.contains(';')
        || style.parse().is_ok_and(|n: u8| matches!(n, 30..=37 | 40..=47 | 90..=97 | 100..=107))
}

/// What is sent for a run, a selected token, a mistake and a menu.
fn sent(environment: &[(&str, &str)]) -> BTreeSet<String> {
    let mut t = super::start(45, 160, &["--model=scripted:500"], environment);
    t.see("✓ grammar");
    t.press("F10");
    t.see("‖ paused");
    t.press("Alt-3");
    t.press("Home");
    t.see("token 1 /");
    t.press("v");
    t.press("Alt-1");
    t.press("Ctrl-End");
    t.send("oops: nowhere");
    t.see("is not defined");
    t.press("Ctrl-P");
    t.see("part of a command");
    let found = styles(&t.written());
    quit(t, "part of a command");
    found
}

#[test]
fn as_many_colours_as_the_environment_wants() {
    for (environment, wanted) in [
        (&[("NO_COLOR", "1")][..], &[][..]),
        (&[("NO_COLOR", "anything"), ("COLORTERM", "truecolor")], &[]),
        (&[("CLICOLOR", "0")], &[]),
        (&[("TERM", "xterm"), ("COLORTERM", "")], &["16"]),
        (&[("TERM", "xterm-256color"), ("COLORTERM", "")], &["5"]),
        (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], &["2"]),
    ] {
        let sent = sent(environment);
        let kinds: BTreeSet<&str> = sent
            .iter()
            .filter(|style| is_colour(style))
            .map(|style| style.split_once(';').map_or("16", |(_, kind)| kind))
            .collect();
        assert_eq!(kinds, wanted.iter().copied().collect(), "{environment:?}: {sent:?}");
        for modifier in ["1", "4"] {
            assert!(sent.contains(modifier), "{environment:?} without {modifier}: {sent:?}");
        }
    }
}

/// A terminal that is asked for its colours, its answer, and the background that is drawn then. The
/// answers of a mute one never come, those of a slow one when nobody waits any more.
#[test]
fn light_and_dark_are_found_out_by_asking() {
    let answer = |colour: &str| format!("\x1b]10;rgb:8080/8080/8080\x07\x1b]11;{colour}\x07\x1b[?62;22c");
    let background = |t: &Tui| t.screen().seen().cell(1, 3).map(vt100::Cell::fgcolor);
    let program = Path::new(env!("CARGO_BIN_EXE_maze"));
    let start =
        |environment: &[(&str, &str)]| Tui::start(program, (24, 80), &["--model=scripted:200"], environment);
    // Through a network it may take longer, and so may a loaded machine.
    let remote = [("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")];
    let mut shown = Vec::new();
    for colour in ["rgb:ffff/ffff/ffff", "rgb:0000/0000/0000"] {
        let mut t = start(&remote);
        t.wrote("\x1b]11;?");
        t.send(&answer(colour));
        t.see("✓ grammar");
        shown.push(background(&t));
        t.press("Ctrl-T");
        t.see(if colour.contains("ffff") { "▸•light" } else { "▸•dark" });
        quit(t, "▸•");
    }
    assert_ne!(shown[0], shown[1]);

    let mut t = start(&[]);
    t.see("✓ grammar");
    // The panes are as they stay once the cases have run.
    t.see("✓ 19 cases");
    let before = t.text();
    t.send(&answer("rgb:ffff/ffff/ffff"));
    t.press("Ctrl-T");
    t.see("▸•dark");
    t.press("Esc");
    t.wait("the panes as they were", |s| s.contents() == before);
    t.press("Ctrl-Q");
    t.end(0);
}

/// Closes what shows this, and the program. A key right after Esc would be one with Alt.
fn quit(mut t: Tui, closes: &str) {
    t.press("Esc");
    t.wait("what is open to close", |s| !s.contents().contains(closes));
    t.press("Ctrl-Q");
    t.end(0);
}
