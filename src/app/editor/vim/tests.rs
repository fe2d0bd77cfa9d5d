//! What keys do to a text, as vim does it. `|` marks the caret.

use super::*;

/// Types `keys` into a text in normal mode; `\u{1b}` is Esc. What is typed while inserting is inserted.
fn typed(text: &str, keys: &str) -> (Vim, EditorBuffer, Register) {
    let at = text.find('|').unwrap_or(0);
    let before = &text[..at];
    let line = before.matches('\n').count();
    let byte = at - before.rfind('\n').map_or(0, |n| n + 1);
    let mut buffer = EditorBuffer::new(&text.replacen('|', "", 1));
    buffer.go_to(Place { line, byte });
    let (mut vim, mut register) = (Vim::default(), Register::default());
    for c in keys.chars() {
        match (c, vim.mode) {
            ('\u{1b}', _) => drop(vim.escape(&mut buffer)),
            (_, Mode::Insert) => buffer.insert(&c.to_string()),
            _ => drop(vim.feed(c, &mut buffer, &mut register)),
        }
        vim.settle(&mut buffer);
    }
    (vim, buffer, register)
}

/// The text with its caret.
fn after(text: &str, keys: &str) -> String {
    let (_, buffer, _) = typed(text, keys);
    let mut lines: Vec<String> = buffer.text().split('\n').map(str::to_owned).collect();
    let Place { line, byte } = buffer.caret();
    lines[line].insert(byte, '|');
    lines.join("\n")
}

#[track_caller]
fn check(cases: &[(&str, &str, &str)]) {
    for (text, keys, expected) in cases {
        assert_eq!(after(text, keys), *expected, "{keys:?} in {text:?}");
    }
}

#[test]
fn movement() {
    check(&[
        ("|abc", "ll", "ab|c"),
        ("|abc", "9l", "ab|c"),
        ("|abc\ndef", "l$j", "abc\nde|f"),
        ("|abcdef\nx\nabcdef", "lllljj", "abcdef\nx\nabcd|ef"),
        ("|abcdef\nx\nabcdef", "$jj", "abcdef\nx\nabcde|f"),
        ("a|b", "0", "|ab"),
        ("  a|b", "^", "  |ab"),
        ("|a b.c d", "ww", "a b|.c d"),
        ("|a b.c d", "2W", "a b.c |d"),
        ("|foo bar", "e", "fo|o bar"),
        ("foo ba|r", "b", "foo |bar"),
        ("a\nb\n|c", "gg", "|a\nb\nc"),
        ("|a\nb\nc", "G", "a\nb\n|c"),
        ("|a\nb\nc", "2G", "a\n|b\nc"),
        ("|f(a(b))", "%", "f(a(b)|)"),
        ("|a,b,c", "2f,", "a,b|,c"),
        ("|a,b,c", "t,", "|a,b,c"),
        ("a,b,|c", "T,", "a,b,|c"),
        ("|a\n\nb\n\nc", "}}", "a\n\nb\n|\nc"),
        ("|é👨‍👩‍👧e\u{301}z", "lll", "é👨‍👩‍👧e\u{301}|z"),
    ]);
}

#[test]
fn operators() {
    check(&[
        ("|one two three", "dw", "|two three"),
        ("|one two three", "2dw", "|three"),
        ("one |two\nthree", "dw", "one| \nthree"),
        ("|one two", "cwx\u{1b}", "|x two"),
        ("|one two", "de", "| two"),
        ("one t|wo", "diw", "one| "),
        ("|one two", "daw", "|two"),
        ("f(a, |b)", "ci(x\u{1b}", "f(|x)"),
        ("f(a, |b) c", "da(", "f| c"),
        ("x \"a |b\" y", "ci\"\u{1b}", "x |\"\" y"),
        ("a\n|b\nc", "dd", "a\n|c"),
        ("a\nb\n|c", "dd", "a\n|b"),
        ("|a\nb\nc", "2dd", "|c"),
        ("|a\nb\nc", "dj", "|c"),
        ("|a\nb\nc", "dG", "|"),
        ("a|bc", "x", "a|c"),
        ("ab|c", "X", "a|c"),
        ("a|bc\nd", "D", "|a\nd"),
        ("a|bc", "Cx\u{1b}", "a|x"),
        ("  a|b", "ccx\u{1b}", "  |x"),
        ("|ab", "sx\u{1b}", "|xb"),
        ("f|oo(bar)", "dt(", "f|(bar)"),
        ("|a\nb", ">>", "    |a\nb"),
        ("    |a\nb", "<<", "|a\nb"),
        ("|a\nb", "J", "a| b"),
        ("|a\n  b\nc", "3J", "a| b c"),
        ("|abc", "rx", "|xbc"),
        ("|abc", "2rx", "x|xc"),
        ("|aBc", "3~", "Ab|C"),
        ("|(a) b", "d%", "| b"),
    ]);
}

#[test]
fn inserting_and_repeating() {
    check(&[
        ("a|b", "ix\u{1b}", "a|xb"),
        ("a|b", "ax\u{1b}", "ab|x"),
        ("  a|b", "Ix\u{1b}", "  |xab"),
        ("|ab", "Ax\u{1b}", "ab|x"),
        ("  |a\nb", "ox\u{1b}", "  a\n  |x\nb"),
        ("  |a\nb", "Ox\u{1b}", "  |x\n  a\nb"),
        ("|a b c d", "cwx\u{1b}w.", "x |x c d"),
        ("|a\nb\nc", "dd.", "|c"),
        ("|abcdef", "x3.", "|ef"),
        ("|a\nb", "A;\u{1b}j.", "a;\nb|;"),
        ("|one two", "cwa b\u{1b}u", "|one two"),
        ("|abc", "xxuu", "|abc"),
    ]);
}

#[test]
fn what_was_deleted_or_copied_is_put() {
    check(&[
        ("|ab", "xp", "b|a"),
        ("|a\nb\nc", "ddp", "b\n|a\nc"),
        ("a\n|b", "ddP", "|b\na"),
        ("|a b", "yw$p", "a ba| "),
        ("|a", "yy3p", "a\n|a\na\na"),
        ("|a\nb", "yyjP", "a\n|a\nb"),
        ("|ab cd", "ylvp", "|ab cd"),
    ]);
    assert_eq!(typed("a|b\nc", "yy").2, Register { text: "ab\n".into(), is_lines: true });
}

#[test]
fn selecting() {
    check(&[
        ("|abcd", "vld", "|cd"),
        ("ab|cd", "vhd", "a|d"),
        ("|a\nb\nc", "Vjd", "|c"),
        ("|one two", "viwcx\u{1b}", "|x two"),
        ("|abc", "v$rx", "|xxx"),
        ("|aBc\nD", "Vj~", "|AbC\nd"),
        ("|a\nb\nc", "VjJ", "a| b\nc"),
        ("|a\nb", "Vj>", "    |a\n    b"),
        ("|abcd", "vlohd", "|cd"),
        ("|abcd", "vl\u{1b}x", "a|cd"),
        ("|a\nb", "vVd", "|b"),
    ]);
    let (vim, buffer, _) = typed("|a👨‍👩‍👧b", "vl");
    assert_eq!((vim.mode, buffer.selected_text().as_str()), (Mode::Visual, "a👨‍👩‍👧"));
    let (vim, buffer, register) = typed("|ab cd", "vey");
    assert_eq!((vim.mode, buffer.caret(), register.text.as_str()), (Mode::Normal, Place::default(), "ab"));
}

#[test]
fn what_is_no_command_does_nothing() {
    check(&[("a|b", "Q", "a|b"), ("a|b", "dQx", "|a"), ("a|b", "2\u{1b}x", "|a"), ("|", "xdwJ~rxp", "|")]);
    let (vim, ..) = typed("|a", "2d");
    assert_eq!(vim.pending(), "2d");
}

/// Any keys leave a text in order, and all changes can be taken back.
#[test]
fn random_keys() {
    let keys: Vec<char> =
        "hjklwbeWBE0^$GgdcyxXDCYpPiaIAoOvVJr~u.%fт(\"23{}>< \u{1b}\u{1b}\u{1b}".chars().collect();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..300 {
        let (mut vim, mut register) = (Vim::default(), Register::default());
        let first = "foo (bar) é日\n\n  \"x y\" {z}\n👨‍👩‍👧 end";
        let mut buffer = EditorBuffer::new(first);
        for _ in 0..120 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let c = keys[(seed % keys.len() as u64) as usize];
            match (c, vim.mode) {
                ('\u{1b}', _) => drop(vim.escape(&mut buffer)),
                (_, Mode::Insert) => buffer.insert(&c.to_string()),
                _ => drop(vim.feed(c, &mut buffer, &mut register)),
            }
            vim.settle(&mut buffer);
            let caret = buffer.caret();
            assert!(buffer.line(caret.line).is_char_boundary(caret.byte), "round {round}");
            if buffer.text().len() > 100_000 {
                break;
            }
        }
        while vim.escape(&mut buffer) {}
        while buffer.undo() {}
        assert_eq!(buffer.text(), first, "round {round}");
    }
}
