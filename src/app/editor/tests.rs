//! What editing does, checked against expectations and a simple model.

use super::*;

const WIDTH: usize = 80;

fn typed(buffer: &mut EditorBuffer, text: &str) {
    text.chars().for_each(|c| buffer.insert(&c.to_string()));
}

#[test]
fn graphemes_are_one_character() {
    let family = "👨‍👩‍👧";
    let mut b = EditorBuffer::new(&format!("a{family}e\u{301}z"));
    b.go(Motion::LineEnd, WIDTH);
    b.delete(Motion::Left, WIDTH);
    b.delete(Motion::Left, WIDTH);
    assert_eq!(b.text(), format!("a{family}"));
    b.delete(Motion::Left, WIDTH);
    assert_eq!(b.text(), "a");
}

#[test]
fn typing_is_undone_by_word_and_pastes_at_once() {
    let mut b = EditorBuffer::new("");
    typed(&mut b, "start: rule");
    b.insert("x\ny");
    assert!(b.undo());
    assert_eq!(b.text(), "start: rule");
    assert!(b.undo());
    assert_eq!(b.text(), "start: ");
    assert!(b.undo());
    assert!(!b.undo());
    while b.redo() {}
    assert_eq!(b.text(), "start: rulex\ny");
}

#[test]
fn line_ends_are_normalised() {
    let mut b = EditorBuffer::new("a\r\nb\rc");
    assert_eq!(b.text(), "a\nb\nc");
    b.insert("1\r\n2\r3");
    assert_eq!(b.text(), "1\n2\n3a\nb\nc");
    assert_eq!(b.caret(), Place { line: 2, byte: 1 });
}

#[test]
fn words_and_lines() {
    let mut b = EditorBuffer::new("one two\nthree");
    b.go(Motion::WordRight, WIDTH);
    b.go(Motion::WordRight, WIDTH);
    assert_eq!(b.caret().byte, 7);
    b.go(Motion::WordRight, WIDTH);
    assert_eq!(b.caret(), Place { line: 1, byte: 0 });
    b.delete(Motion::Left, WIDTH);
    assert_eq!(b.text(), "one twothree");
    b.delete(Motion::WordLeft, WIDTH);
    assert_eq!(b.text(), "one three");
    b.delete(Motion::LineEnd, WIDTH);
    assert_eq!(b.text(), "one ");
}

#[test]
fn vertical_movement_keeps_its_column_over_short_rows() {
    let mut b = EditorBuffer::new("abcdef\nx\nabcdef");
    b.go(Motion::LineEnd, WIDTH);
    b.go(Motion::Rows(1), WIDTH);
    assert_eq!(b.caret(), Place { line: 1, byte: 1 });
    b.go(Motion::Rows(1), WIDTH);
    assert_eq!(b.caret(), Place { line: 2, byte: 6 });
    b.go(Motion::Rows(9), WIDTH);
    assert_eq!(b.caret(), Place { line: 2, byte: 6 });
    b.go(Motion::Rows(-9), WIDTH);
    assert_eq!(b.caret(), Place { line: 0, byte: 6 });
    b.go(Motion::Rows(-1), WIDTH);
    assert_eq!(b.caret(), Place::default(), "above the first row there is only the start");
}

/// Longer than 16 bits count, in both directions.
#[test]
fn long_lines_and_long_texts_are_edited_where_the_caret_is() {
    let long = "ab ".repeat(30_000);
    let mut b = EditorBuffer::new(&long);
    b.go(Motion::LineEnd, WIDTH);
    b.go(Motion::Left, WIDTH);
    b.go(Motion::Rows(-1), WIDTH);
    b.insert("é");
    b.delete(Motion::Right, WIDTH);
    assert_eq!(b.text(), format!("{}é{}", &long[..89_921], &long[89_922..]));
    b.delete(Motion::TextStart, WIDTH);
    assert_eq!(b.text(), long[89_922..]);
    while b.undo() {}
    assert_eq!(b.text(), long);

    let many = "a\n".repeat(70_000);
    let mut b = EditorBuffer::new(&many);
    b.go(Motion::TextEnd, WIDTH);
    b.go(Motion::Left, WIDTH);
    b.insert("b");
    assert_eq!(b.text(), format!("{}b\n", &many[..139_999]));
}

#[test]
fn what_is_selected_is_replaced_in_one_change() {
    let mut b = EditorBuffer::new("one 👨‍👩‍👧\nthree");
    b.go(Motion::WordRight, WIDTH);
    b.select(Motion::Right, WIDTH);
    b.select(Motion::Right, WIDTH);
    b.select(Motion::Rows(1), WIDTH);
    b.select(Motion::LineStart, WIDTH);
    b.select(Motion::Right, WIDTH);
    assert_eq!(b.selected_text(), " 👨‍👩‍👧\nt");
    b.insert("x");
    b.insert("y");
    assert_eq!(b.text(), "onexyhree");
    b.select(Motion::LineStart, WIDTH);
    b.delete(Motion::Right, WIDTH);
    assert_eq!(b.text(), "hree");
    assert!(b.undo() && b.undo());
    assert_eq!(b.text(), "one 👨‍👩‍👧\nthree");
    assert!(!b.undo());

    b.select(Motion::LineEnd, WIDTH);
    b.go(Motion::Left, WIDTH);
    b.select(Motion::Left, WIDTH);
    b.select(Motion::Right, WIDTH);
    assert_eq!((b.selection(), b.selected_text()), (None, String::new()));
}

/// Only so many changes are remembered: what is forgotten stays, what is not is undone.
#[test]
fn the_oldest_changes_are_forgotten() {
    let mut b = EditorBuffer::new("");
    b.history.most = 2;
    typed(&mut b, "start mazes");
    typed(&mut b, " and");
    assert!(b.undo() && b.undo());
    assert_eq!(b.text(), "start ");
    assert!(!b.undo());
    while b.redo() {}
    assert_eq!(b.text(), "start mazes and");
}

#[test]
fn a_group_is_one_change() {
    let mut b = EditorBuffer::new("one two");
    b.begin_group();
    b.delete(Motion::WordRight, WIDTH);
    typed(&mut b, "a b\nc");
    b.end_group();
    typed(&mut b, "d");
    assert!(b.undo());
    assert_eq!((b.text().as_str(), b.caret()), ("a b\nc two", Place { line: 1, byte: 1 }));
    assert!(b.undo() && !b.undo());
    assert_eq!((b.text().as_str(), b.caret()), ("one two", Place::default()));
    assert!(b.redo());
    assert_eq!(b.text(), "a b\nc two");
}

#[test]
fn what_differs_is_replaced_and_nothing_else() {
    let mut b = EditorBuffer::new("é1\nb\nè2");
    b.replace_text("é1\nb\nb\né2");
    assert_eq!(b.text(), "é1\nb\nb\né2");
    assert_eq!(b.caret(), Place { line: 3, byte: 2 }, "behind what is new");
    b.replace_text("é1\nb\nb\né2");
    assert!(b.undo() && !b.undo());
    assert_eq!(b.text(), "é1\nb\nè2");
}

#[test]
fn replacements_carry_the_caret_and_the_selection() {
    let mut b = EditorBuffer::new("aa bb aa\naa cc");
    b.select_between(Place { line: 0, byte: 4 }, Place { line: 1, byte: 4 });
    assert_eq!(b.selected_text(), "b aa\naa c");
    let at = |line, byte| Place { line, byte };
    let part = |line, byte, text: &str| Replacement {
        start: at(line, byte),
        end: at(line, byte + 2),
        text: text.to_owned(),
    };
    b.apply(&[part(0, 0, "x\ny"), part(0, 6, ""), part(1, 0, "zzz")]);
    assert_eq!(b.text(), "x\ny bb \nzzz cc");
    assert_eq!(b.selected_text(), "b \nzzz c");
    assert!(b.undo() && !b.undo());
    assert_eq!(b.text(), "aa bb aa\naa cc");
}

/// A megabyte is pasted, undone, and edited in the middle, in far less than a frame.
#[test]
fn a_megabyte_is_edited_like_a_short_text() {
    let text = "rule: \"a\" | other\n".repeat(60_000);
    let mut b = EditorBuffer::new("start: rule\n");
    b.insert(&text);
    b.go_to(Place { line: 30_000, byte: 3 });
    let clock = std::time::Instant::now();
    for _ in 0..1000 {
        b.insert("x");
        b.delete(Motion::Left, WIDTH);
        b.reveal_caret(WIDTH, 40);
    }
    let each = clock.elapsed() / 1000;
    assert!(each.as_millis() < 16, "{each:?}");
    while b.undo() {}
    assert_eq!(b.text(), "start: rule\n");
}

/// Every edit is as on a list of characters, which is simple and slow.
#[test]
fn random_edits_are_as_on_a_list_of_characters() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |n: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % n as u64) as usize
    };
    let place = |chars: &[char], at: usize| {
        let before: String = chars[..at].iter().collect();
        let line = before.matches('\n').count();
        Place { line, byte: before.len() - before.rfind('\n').map_or(0, |n| n + 1) }
    };
    let mut b = EditorBuffer::new("");
    let mut model: Vec<char> = Vec::new();
    let mut seen = vec![String::new()];
    for round in 0..2000 {
        let (x, y) = (next(model.len() + 1), next(model.len() + 1));
        let (start, end) = (x.min(y), x.max(y).min(x.min(y) + 6));
        let text = ["", "a", "é", "\n", "x\ny", "日本\n\n", " "][next(7)];
        let (from, to) = (place(&model, start), place(&model, end));
        assert_eq!(b.slice(from, to), model[start..end].iter().collect::<String>());
        match next(3) {
            0 => b.replace(from, to, text),
            1 => {
                b.select_between(to, from);
                b.insert(text);
                if text.is_empty() {
                    b.delete_selection();
                }
            }
            _ => b.apply(&[Replacement { start: from, end: to, text: text.to_owned() }]),
        }
        model.splice(start..end, text.chars());
        let expected: String = model.iter().collect();
        assert_eq!(b.text(), expected, "round {round}");
        if seen.last() != Some(&expected) {
            seen.push(expected);
        }
    }
    // What was typed within a word is undone together, so some of what was seen is passed over.
    let mut at = seen.len() - 1;
    while b.undo() {
        let found = seen[..=at].iter().rposition(|text| *text == b.text());
        at = found.unwrap_or_else(|| panic!("{:?} was never there", b.text()));
    }
    assert_eq!(b.text(), "");
}

/// Any edits, undone to the start, give the first text; redone, the last.
#[test]
fn random_edits_undo_and_redo() {
    let first = "start: a | b\n\na: \"x\"\nb: /é+/";
    let mut b = EditorBuffer::new(first);
    let mut random = 88172645463325252u64;
    let mut next = |n: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % n
    };
    for _ in 0..600 {
        match next(6) {
            0 => b.insert("é\n\tx"),
            1 => b.insert("q"),
            2 => b.delete(Motion::Left, 7),
            3 => b.delete(Motion::WordRight, 7),
            4 => b.go(Motion::Rows(next(7) as isize - 3), 7),
            _ => b.go_to(Place { line: next(9) as usize, byte: next(12) as usize }),
        }
        b.reveal_caret(7, 3);
        let rows = wrap::row_of(&b, b.caret(), 7);
        assert!(b.top() <= rows && rows <= wrap::advance(&b, b.top(), 2, 7));
    }
    let last = b.text();
    while b.undo() {}
    assert_eq!(b.text(), first);
    while b.redo() {}
    assert_eq!(b.text(), last);
}
