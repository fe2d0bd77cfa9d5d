//! What is done to whole lines: comments, indentation, moving up and down, and the new line that
//! begins where the one before suggests. Each function only says what is to be replaced.

use crate::ui::wrap::{Lines, Place};

use super::{EditorBuffer, Replacement};

/// One level of indentation.
pub const INDENT: &str = "    ";

/// The white space that a line begins with.
pub fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Makes the chosen lines comments with `mark`, or text again if all of them are comments.
pub fn toggle_comment(buffer: &mut EditorBuffer, mark: &str) {
    let (first, last) = buffer.chosen_lines();
    let all: Vec<usize> = (first..=last).filter(|&line| !buffer.line(line).trim().is_empty()).collect();
    // A comment may be begun on an empty line.
    let all = if all.is_empty() { vec![first] } else { all };
    let after_indent = |line: usize| &buffer.line(line)[indentation(buffer.line(line)).len()..];
    let are_comments = all.iter().all(|&line| after_indent(line).starts_with(mark));
    // The marks stand below each other.
    let column = all.iter().map(|&line| indentation(buffer.line(line)).len()).min().unwrap_or(0);
    let replacement = |&line: &usize| {
        if !are_comments {
            return insertion(line, column, &format!("{mark} "));
        }
        let start = indentation(buffer.line(line)).len();
        let has_space = after_indent(line)[mark.len()..].starts_with(' ');
        removal(line, start, start + mark.len() + usize::from(has_space))
    };
    let replacements: Vec<Replacement> = all.iter().map(replacement).collect();
    buffer.apply(&replacements);
}

/// Moves the chosen lines right by one level; empty ones stay empty.
pub fn indent(buffer: &mut EditorBuffer) {
    let (first, last) = buffer.chosen_lines();
    let lines = (first..=last).filter(|&line| first == last || !buffer.line(line).is_empty());
    let replacements: Vec<Replacement> = lines.map(|line| insertion(line, 0, INDENT)).collect();
    buffer.apply(&replacements);
}

/// Moves the chosen lines left by one level, as far as they can.
pub fn outdent(buffer: &mut EditorBuffer) {
    let (first, last) = buffer.chosen_lines();
    let level = |line: &usize| {
        let text = buffer.line(*line);
        let spaces = text.bytes().take(INDENT.len()).take_while(|b| *b == b' ').count();
        let bytes = if text.starts_with('\t') { 1 } else { spaces };
        (bytes > 0).then(|| removal(*line, 0, bytes))
    };
    let replacements: Vec<Replacement> = (first..=last).filter_map(|line| level(&line)).collect();
    buffer.apply(&replacements);
}

/// Moves the chosen lines above the line before them (below the one after, if `down`). Whether they
/// could move.
pub fn shift(buffer: &mut EditorBuffer, down: bool) -> bool {
    let (first, last) = buffer.chosen_lines();
    if (down && last + 1 >= buffer.count()) || (!down && first == 0) {
        return false;
    }
    let (top, bottom) = if down { (first, last + 1) } else { (first - 1, last) };
    let mut lines: Vec<&str> = (top..=bottom).map(|line| buffer.line(line)).collect();
    if down {
        lines.rotate_right(1)
    } else {
        lines.rotate_left(1)
    }
    let text = lines.join("\n");
    let moved = |place: Place| Place {
        line: if down { place.line + 1 } else { place.line.saturating_sub(1) },
        ..place
    };
    let (anchor, caret, selects) = (buffer.anchor(), buffer.caret(), buffer.selection().is_some());
    let end = Place { line: bottom, byte: buffer.line(bottom).len() };
    buffer.replace(Place { line: top, byte: 0 }, end, &text);
    if selects {
        buffer.select_between(moved(anchor), moved(caret));
    } else {
        buffer.go_to(moved(caret));
    }
    true
}

/// Begins a new line at the caret, indented like the one before, one level deeper after an opening
/// bracket or one of `openers`. A closing bracket behind the caret goes to a line of its own.
pub fn new_line(buffer: &mut EditorBuffer, openers: &[&str]) {
    let start = buffer.selection().map_or(buffer.caret(), |(start, _)| start);
    let end = buffer.selection().map_or(buffer.caret(), |(_, end)| end);
    let line = buffer.line(start.line);
    let before = &line[..start.byte];
    let indent = indentation(before).to_owned();
    let said = before.trim_end();
    let opens = said.ends_with(['(', '[', '{']);
    // A rule that goes on is deeper than its head; its later lines stay below each other.
    let goes_on = indent.is_empty() && openers.iter().any(|opener| said.ends_with(opener));
    let deeper = if opens || goes_on { INDENT } else { "" };
    let closes = opens && buffer.line(end.line)[end.byte..].starts_with([')', ']', '}']);
    let inner = format!("\n{indent}{deeper}");
    if !closes {
        return buffer.insert(&inner);
    }
    buffer.insert(&format!("{inner}\n{indent}"));
    let caret = Place { line: start.line + 1, byte: inner.len() - 1 };
    buffer.go_to(caret);
}

/// The whole line of the caret, with its end, as it is copied and cut when nothing is selected: from
/// its start to that of the next, or, for the last, from the end of the one before.
pub fn whole_line(buffer: &EditorBuffer) -> (Place, Place) {
    whole_lines(buffer, buffer.caret().line, buffer.caret().line)
}

/// Whole lines, with one line end: what is to be removed so that nothing of them stays.
pub fn whole_lines(buffer: &EditorBuffer, first: usize, last: usize) -> (Place, Place) {
    if last + 1 < buffer.count() {
        return (Place { line: first, byte: 0 }, Place { line: last + 1, byte: 0 });
    }
    let end = buffer.end();
    match first.checked_sub(1) {
        Some(line) => (Place { line, byte: buffer.line(line).len() }, end),
        None => (Place::default(), end),
    }
}

/// The text of whole lines, each with its end.
pub fn text_of_lines(buffer: &EditorBuffer, first: usize, last: usize) -> String {
    (first..=last).flat_map(|line| [buffer.line(line), "\n"]).collect()
}

fn insertion(line: usize, byte: usize, text: &str) -> Replacement {
    let at = Place { line, byte };
    Replacement { start: at, end: at, text: text.to_owned() }
}

fn removal(line: usize, from: usize, to: usize) -> Replacement {
    Replacement { start: Place { line, byte: from }, end: Place { line, byte: to }, text: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(text: &str, line: usize, byte: usize) -> EditorBuffer {
        let mut buffer = EditorBuffer::new(text);
        buffer.go_to(Place { line, byte });
        buffer
    }

    #[test]
    fn comments_come_and_go() {
        let mut b = buffer("a: b\n\n    c\n", 0, 2);
        b.select_to(Place { line: 3, byte: 0 });
        toggle_comment(&mut b, "//");
        assert_eq!(b.text(), "// a: b\n\n//     c\n");
        toggle_comment(&mut b, "//");
        assert_eq!(b.text(), "a: b\n\n    c\n");
        assert_eq!(b.selected_text(), " b\n\n    c\n", "what was selected still is");
        let mut b = buffer("x\n    #y", 1, 0);
        toggle_comment(&mut b, "#");
        assert_eq!(b.text(), "x\n    y");
        toggle_comment(&mut b, "#");
        assert_eq!(b.text(), "x\n    # y");
        let mut b = buffer("// a\nb", 0, 0);
        b.select_to(Place { line: 1, byte: 1 });
        toggle_comment(&mut b, "//");
        assert_eq!(b.text(), "// // a\n// b", "not all are comments, so all become some");
        assert!(b.undo() && !b.undo());
    }

    #[test]
    fn levels_of_indentation() {
        let mut b = buffer("a\n\n\tb\n  c", 0, 1);
        b.select_to(Place { line: 3, byte: 1 });
        indent(&mut b);
        assert_eq!(b.text(), "    a\n\n    \tb\n      c");
        outdent(&mut b);
        outdent(&mut b);
        assert_eq!(b.text(), "a\n\nb\nc");
        outdent(&mut b);
        assert!(b.undo());
        assert_eq!(b.text(), "a\n\n\tb\n  c", "what changes nothing is no change");
    }

    #[test]
    fn lines_move_with_caret_and_selection() {
        let mut b = buffer("a\nbb\nc", 1, 1);
        assert!(shift(&mut b, true));
        assert_eq!((b.text().as_str(), b.caret()), ("a\nc\nbb", Place { line: 2, byte: 1 }));
        assert!(!shift(&mut b, true));
        b.select_between(Place { line: 1, byte: 0 }, Place { line: 2, byte: 2 });
        assert!(shift(&mut b, false) && !shift(&mut b, false));
        assert_eq!((b.text().as_str(), b.selected_text().as_str()), ("c\nbb\na", "c\nbb"));
    }

    #[test]
    fn a_new_line_begins_where_the_one_before_suggests() {
        let at_end = |text: &str, openers: &[&str]| {
            let mut b = EditorBuffer::new(text);
            b.go_to(b.end());
            new_line(&mut b, openers);
            b.text()
        };
        assert_eq!(at_end("a", &[]), "a\n");
        assert_eq!(at_end("  a", &[]), "  a\n  ");
        assert_eq!(at_end("a: (", &[":"]), "a: (\n    ");
        assert_eq!(at_end("a:", &[":", "|"]), "a:\n    ");
        assert_eq!(at_end("  | b |", &[":", "|"]), "  | b |\n  ");
        assert_eq!(at_end("a:", &[]), "a:\n");
        let mut b = buffer("  {}", 0, 3);
        new_line(&mut b, &[]);
        assert_eq!((b.text().as_str(), b.caret()), ("  {\n      \n  }", Place { line: 1, byte: 6 }));
        assert!(b.undo() && !b.undo());
    }
}
