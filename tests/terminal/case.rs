//! The overlay of one case: the byte that is not allowed is on the screen, wherever it is.

use maze::app::event::Event;
use ratatui::style::Modifier;

use super::playground::Playground;

/// A grammar of words of a to z, with a text that is to be accepted.
fn opened(text: &str) -> Playground {
    let mut p = Playground::new(80, 24);
    p.press("Alt-A");
    p.event(Event::Paste(format!("start: /[a-zè]+/\n// accept \"{text}\"\n")));
    p.press("Alt-;");
    p.press("Enter");
    p
}

/// What is marked on the screen.
fn marked(p: &mut Playground) -> String {
    let cells = p.draw().content().iter();
    let is_marked = |m: Modifier| m.contains(Modifier::REVERSED) && m.contains(Modifier::UNDERLINED);
    cells.filter(|cell| is_marked(cell.modifier)).map(|cell| cell.symbol()).collect()
}

#[test]
fn far_into_a_long_line() {
    let (before, after) = ("a".repeat(60_000), "b".repeat(50_000));
    let mut p = opened(&format!("{before}!{after}"));
    assert_eq!(marked(&mut p), "!", "{}", p.screen());
    // Nothing is left out in silence.
    let left_out = |p: &mut Playground| {
        let screen = p.screen();
        let row = screen.lines().find(|row| row.contains("are not shown"));
        row.unwrap_or_else(|| panic!("{screen}")).to_owned()
    };
    for _ in 0..100 {
        p.press("PgUp");
    }
    let first = left_out(&mut p);
    for _ in 0..100 {
        p.press("PgDn");
    }
    let last = left_out(&mut p);
    let count = |row: &str| -> usize {
        row.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or_else(|| panic!("{row}"))
    };
    let (first, last) = (count(&first), count(&last));
    assert_eq!(first + last + (32 << 10), 110_001, "all but the part that is laid out");
    assert!(first < before.len() && last < after.len());
}

#[test]
fn inside_of_a_character() {
    // `è` and `é` have their first byte in common.
    assert_eq!(marked(&mut opened("aé€")), "é");
    assert_eq!(marked(&mut opened("aé")), "é");
    assert_eq!(marked(&mut opened("a€")), "€");
}
