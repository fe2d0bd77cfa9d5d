//! Where the motions of vi lead, and what its text objects hold.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::parse::{Object, Step};
use crate::app::editor::{EditorBuffer, brackets, lines, words};
use crate::ui::wrap::{Lines, Place};

/// How much of the text between two places a motion is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Up to the later place.
    Exclusive,
    /// The character at it, too.
    Inclusive,
    /// Whole lines.
    Lines,
}

/// Where a motion leads from the caret; `None` if it cannot.
pub fn lead(text: &EditorBuffer, step: Step, count: Option<usize>) -> Option<(Place, Span)> {
    let from = text.caret();
    let times = count.unwrap_or(1);
    let line = text.line(from.line);
    let (left, right) = line.split_at(from.byte);
    let on_line = |byte| Some((Place { line: from.line, byte }, Span::Exclusive));
    let at_line = |line: usize| {
        let line = line.min(text.count() - 1);
        Some((Place { line, byte: first_ink(text.line(line)) }, Span::Lines))
    };
    let walk = |next: &dyn Fn(Place) -> Place| (0..times).fold(from, |at, _| next(at));
    match step {
        Step::Left => on_line(left.grapheme_indices(true).nth_back(times - 1).map_or(0, |(at, _)| at)),
        Step::Right => on_line(from.byte + right.graphemes(true).take(times).map(str::len).sum::<usize>()),
        Step::Up => from.line.checked_sub(times).map(|line| (Place { line, ..from }, Span::Lines)),
        Step::Down => Some(from.line + times)
            .filter(|&line| line < text.count())
            .map(|line| (Place { line, ..from }, Span::Lines)),
        Step::Word(big) => Some((walk(&|at| words::next_start(text, at, big)), Span::Exclusive)),
        Step::End(big) => Some((walk(&|at| words::next_end(text, at, big)), Span::Inclusive)),
        Step::Back(big) => Some((walk(&|at| words::previous_start(text, at, big)), Span::Exclusive)),
        Step::LineStart => on_line(0),
        Step::FirstInk => on_line(first_ink(line)),
        Step::LineEnd => {
            let line = (from.line + times - 1).min(text.count() - 1);
            Some((Place { line, byte: text.line(line).len() }, Span::Exclusive))
        }
        Step::TextStart => at_line(times - 1),
        Step::TextEnd => at_line(count.map_or(usize::MAX, |n| n - 1)),
        Step::Partner => {
            let mut at = (from.byte..line.len()).map(|byte| Place { line: from.line, byte });
            let (_, to) = at.find_map(|at| brackets::pair(text, at).filter(|(own, _)| *own == at))?;
            Some((to, Span::Inclusive))
        }
        Step::Find { what, forward, till } => find(line, from, what, forward, till, times),
        Step::Paragraph(forward) => Some((walk(&|at| paragraph(text, at.line, forward)), Span::Exclusive)),
    }
}

/// The first character of a line that is no blank.
pub fn first_ink(line: &str) -> usize {
    lines::indentation(line).len()
}

/// The place behind the character at `at`; the end of the line at its end.
pub fn behind(text: &dyn Lines, at: Place) -> Place {
    let right = &text.line(at.line)[at.byte..];
    Place { byte: at.byte + right.graphemes(true).next().map_or(0, str::len), ..at }
}

fn find(
    line: &str,
    from: Place,
    what: char,
    forward: bool,
    till: bool,
    times: usize,
) -> Option<(Place, Span)> {
    let (left, right) = line.split_at(from.byte);
    if !forward {
        let (at, _) = left.char_indices().rev().filter(|(_, c)| *c == what).nth(times - 1)?;
        let byte = if till { at + what.len_utf8() } else { at };
        return Some((Place { byte, ..from }, Span::Exclusive));
    }
    let own = right.graphemes(true).next().map_or(0, str::len);
    let all = right[own..].char_indices().filter(|(_, c)| *c == what);
    let (at, _) = all.into_iter().nth(times - 1)?;
    let to = from.byte + own + at;
    let before = line[..to].graphemes(true).next_back().map_or(0, str::len);
    Some((Place { byte: if till { to - before } else { to }, ..from }, Span::Inclusive))
}

/// The next empty line, or the one before; else the end, or the start.
fn paragraph(text: &EditorBuffer, line: usize, forward: bool) -> Place {
    let is_empty = |line: &usize| text.line(*line).is_empty();
    if forward {
        let found = (line..text.count()).skip_while(is_empty).find(is_empty);
        return found.map_or(text.end(), |line| Place { line, byte: 0 });
    }
    let found = (0..=line).rev().skip_while(is_empty).find(is_empty);
    found.map_or(Place::default(), |line| Place { line, byte: 0 })
}

/// What an object holds; `None` if the caret is in none.
pub fn object(text: &EditorBuffer, object: Object) -> Option<(Place, Place)> {
    let caret = text.caret();
    let line = text.line(caret.line);
    let on_line = |range: Range<usize>| {
        (Place { line: caret.line, byte: range.start }, Place { line: caret.line, byte: range.end })
    };
    match object.kind {
        'w' | 'W' => {
            let word = words::around(line, caret.byte, object.kind == 'W');
            Some(on_line(if object.around { words::with_space(line, word) } else { word }))
        }
        quote @ ('"' | '\'' | '`') => {
            let marks: Vec<usize> = line.match_indices(quote).map(|(at, _)| at).collect();
            let pair = marks.chunks_exact(2).find(|pair| caret.byte <= pair[1])?;
            let inside = pair[0] + 1..pair[1];
            Some(on_line(if object.around { pair[0]..pair[1] + 1 } else { inside }))
        }
        kind => {
            let open = match kind {
                '(' | ')' | 'b' => '(',
                '{' | '}' | 'B' => '{',
                _ => '[',
            };
            let (start, end) = enclosing(text, caret, open)?;
            let next = |at: Place| Place { byte: at.byte + 1, ..at };
            Some(if object.around { (start, next(end)) } else { (next(start), end) })
        }
    }
}

/// The brackets around a place, looked for no farther than a few screens.
fn enclosing(text: &EditorBuffer, caret: Place, open: char) -> Option<(Place, Place)> {
    let lines = (caret.line.saturating_sub(200)..=caret.line).rev();
    lines.into_iter().find_map(|line| {
        let before = if line == caret.line { behind(text, caret).byte } else { text.line(line).len() };
        let starts = text.line(line)[..before].rmatch_indices(open);
        starts.map(|(byte, _)| Place { line, byte }).find_map(|start| {
            let (own, end) = brackets::pair(text, start)?;
            (own == start && end >= caret).then_some((start, end))
        })
    })
}
