//! Answers of the terminal that come too late are told from keys.

use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use maze::app::late::Late;

/// The keys that are left of these: `]` and `\` are with Alt, `^` is Ctrl-G.
fn left(late: &mut Late, keys: &str, now: Instant) -> String {
    let mut out = String::new();
    for c in keys.chars() {
        let (code, modifiers) = match c {
            ']' | '\\' => (c, KeyModifiers::ALT),
            '^' => ('g', KeyModifiers::CONTROL),
            _ => (c, KeyModifiers::NONE),
        };
        let event = Event::Key(KeyEvent::new(KeyCode::Char(code), modifiers));
        let keys = late.sort(event, now);
        out.extend(keys.iter().filter_map(|event| event.as_key_event()?.code.as_char()));
    }
    out
}

#[test]
fn answers_are_nobody_s_keys() {
    let now = Instant::now();
    for (keys, wanted) in [
        ("]11;rgb:ffff/ffff/ffff^x", "x"),
        ("a]10;rgb:00/00/00\\]11;rgb:1e1e/1e1e/1e1e\\b", "ab"),
        ("]11;rgba:0000/0000/0000/ffff^", ""),
        ("]x", "]x"),
        ("]]1", "]]1"),
        ("]1x1;rgb:", "]1x1;rgb:"),
        ("]11;rgb:ffff/ffff/ffff/ffff/ff^", "]11;rgb:ffff/ffff/ffff/ffff/ffg"),
        ("]11;^", "]11;g"),
    ] {
        assert_eq!(left(&mut Late::expected(now), keys, now), wanted, "{keys}");
    }
}

#[test]
fn keys_are_not_held_back_without_a_reason() {
    let now = Instant::now();
    assert_eq!(left(&mut Late::default(), "]11;", now), "]11;");
    assert_eq!(left(&mut Late::expected(now), "]", now + Duration::from_secs(5)), "]");
}
