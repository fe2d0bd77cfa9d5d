//! Places in the text, as the text area counts them: in characters, where we count bytes.

use tui_textarea::{CursorMove, TextArea};

use crate::ui::wrap::Place;

/// The most characters that the caret is walked. A step past column 65,535 takes about a millisecond.
const MAX_WALK: usize = 200;

/// Where the caret is.
pub fn place(area: &TextArea) -> Place {
    let cursor = area.cursor();
    place_of(area, cursor.0, cursor.1)
}

/// The place of a line's character.
pub fn place_of(area: &TextArea, line: usize, column: usize) -> Place {
    let text = area.lines().get(line).map_or("", String::as_str);
    Place { line, byte: text.char_indices().nth(column).map_or(text.len(), |(at, _)| at) }
}

/// How many characters lie between two places, line ends included.
pub fn distance(area: &TextArea, start: Place, end: Place) -> usize {
    let characters = |line: usize, from: usize, to: usize| area.lines()[line][from..to].chars().count();
    if start.line == end.line {
        return characters(start.line, start.byte, end.byte);
    }
    let between = area.lines()[start.line + 1..end.line].iter().map(|line| line.chars().count() + 1);
    let first = characters(start.line, start.byte, area.lines()[start.line].len()) + 1;
    first + between.sum::<usize>() + characters(end.line, 0, end.byte)
}

/// Moves the caret to `to`, which must be in the text. Whether it got there.
///
/// The text area jumps no farther than 16 bits count. The caret walks on from there, from the end of
/// the line, or from where it was, whichever is nearest, but no more than [`MAX_WALK`] characters.
pub fn put(area: &mut TextArea, to: Place) -> bool {
    let column = distance(area, Place { line: to.line, byte: 0 }, to);
    if let (Ok(line), Ok(column)) = (u16::try_from(to.line), u16::try_from(column)) {
        area.move_cursor(CursorMove::Jump(line, column));
    } else {
        let at = area.cursor();
        if at.0 != to.line || at.1.abs_diff(column) > MAX_WALK {
            go_to_line(area, to.line);
            go_near(area, to.line, column);
        }
        walk(area, column);
    }
    area.cursor() == (to.line, column)
}

fn go_to_line(area: &mut TextArea, line: usize) {
    area.move_cursor(CursorMove::Jump(u16::try_from(line).unwrap_or(u16::MAX), 0));
    for _ in area.cursor().0..line {
        area.move_cursor(CursorMove::Down);
    }
}

fn go_near(area: &mut TextArea, line: usize, column: usize) {
    if let Ok(line) = u16::try_from(line) {
        area.move_cursor(CursorMove::Jump(line, u16::MAX));
    }
    let jumped = area.cursor().1;
    let length = area.lines()[line].chars().count();
    if length.abs_diff(column) < jumped.abs_diff(column) {
        area.move_cursor(CursorMove::End);
    }
}

fn walk(area: &mut TextArea, column: usize) {
    let at = area.cursor().1;
    let step = if at < column { CursorMove::Forward } else { CursorMove::Back };
    for _ in 0..at.abs_diff(column).min(MAX_WALK) {
        area.move_cursor(step);
    }
}
