//! The keys of vi, for those whose fingers know them: normal, insert and visual mode.
//!
//! Characters come in, a text changes. What is not about a text alone comes out as an [`Ask`]. While
//! inserting, keys mean what they always mean in a text; this only sees where that begins and ends. It
//! must never know a key map or the rest of the state.

use unicode_segmentation::UnicodeSegmentation;

use super::{EditorBuffer, Grasp, Motion, Replacement, lines};
use crate::app::register::Register;
use crate::app::texts::TextId;
use crate::ui::wrap::{Lines, Place};

use motions::Span;
pub use parse::Ask;
use parse::{Command, Entry, Operator, Parsed, Step, Target, Verb};
use part::Part;

mod motions;
mod parse;
mod part;

#[cfg(test)]
mod tests;

/// A change must not make a text longer than this at once.
const MAX_PUT: usize = 16 << 20;

/// What keys do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They are commands.
    #[default]
    Normal,
    /// They type.
    Insert,
    /// They are commands, and movement selects.
    Visual,
    /// The same, by line.
    VisualLine,
}

impl Mode {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "NORMAL",
            Self::Insert => "INSERT",
            Self::Visual => "VISUAL",
            Self::VisualLine => "V-LINE",
        }
    }

    /// Whether movement selects.
    pub fn selects(self) -> bool {
        matches!(self, Self::Visual | Self::VisualLine)
    }
}

/// What vi remembers from key to key.
#[derive(Clone, Debug, Default)]
pub struct Vim {
    /// What keys do.
    pub mode: Mode,
    /// The text that had the focus last.
    pub text: Option<TextId>,
    /// What was typed of a command.
    pending: Vec<char>,
    /// The last change and what was typed in it.
    last: Option<(Command, String)>,
    /// The change that is being made: where inserting began.
    inserting: Option<(Command, Place)>,
}

impl Vim {
    /// What was typed of a command.
    pub fn pending(&self) -> String {
        self.pending.iter().collect()
    }

    /// Takes in a character of a command. What the program is to do, if that is more than a change of
    /// the text.
    pub fn feed(&mut self, c: char, buffer: &mut EditorBuffer, register: &mut Register) -> Option<Ask> {
        self.pending.push(c);
        let parsed = parse::parse(&self.pending, self.mode.selects());
        if parsed != Parsed::More {
            self.pending.clear();
        }
        let Parsed::Done(command) = parsed else { return None };
        if let Verb::Ask(ask) = command.verb {
            return Some(ask);
        }
        self.execute(command, buffer, register);
        None
    }

    /// Leaves what Esc leaves: a command that was begun, inserting, or selecting. Whether there was
    /// anything to leave.
    pub fn escape(&mut self, buffer: &mut EditorBuffer) -> bool {
        if !self.pending.is_empty() {
            self.pending.clear();
            return true;
        }
        match self.mode {
            Mode::Normal => return false,
            Mode::Insert => {
                if let Some((command, from)) = self.inserting.take() {
                    self.last = Some((command, buffer.slice(from, buffer.caret())));
                }
                buffer.end_group();
                let left = Place { byte: before(buffer, buffer.caret()), ..buffer.caret() };
                buffer.go_to(left);
            }
            Mode::Visual | Mode::VisualLine => buffer.go_to(buffer.caret()),
        }
        self.mode = Mode::Normal;
        true
    }

    /// Fits the caret to the mode, whatever has moved it: in normal mode it stands on a character, and
    /// what was selected by other means is what visual mode selects.
    pub fn settle(&mut self, buffer: &mut EditorBuffer) {
        match self.mode {
            Mode::Insert => {}
            Mode::Normal if buffer.selection().is_some() => self.mode = Mode::Visual,
            Mode::Visual | Mode::VisualLine if !buffer.is_selecting() => self.mode = Mode::Normal,
            _ => {}
        }
        let caret = buffer.caret();
        let is_behind = caret.byte > 0 && caret.byte == buffer.line(caret.line).len();
        if self.mode == Mode::Normal && is_behind {
            buffer.nudge(Place { byte: before(buffer, caret), ..caret });
        }
    }

    fn execute(&mut self, command: Command, buffer: &mut EditorBuffer, register: &mut Register) {
        let Command { count, verb } = command;
        let times = count.unwrap_or(1);
        let is_change = !matches!(
            verb,
            Verb::Go(_)
                | Verb::Operate(Operator::Yank, _)
                | Verb::Select { .. }
                | Verb::SelectObject(_)
                | Verb::OtherEnd
                | Verb::Undo
                | Verb::Repeat
                | Verb::Ask(_)
        );
        if is_change {
            buffer.begin_group();
        }
        match verb {
            Verb::Go(step) => self.go(step, count, buffer),
            Verb::Operate(operator, target) => self.operate(operator, target, count, buffer, register),
            Verb::Put { before } => self.put(before, times, buffer, register),
            Verb::Insert(entry) => {
                enter(entry, buffer);
                self.mode = Mode::Insert;
            }
            Verb::Replace(c) => self.replace(times, buffer, |old| c.to_string().repeat(old)),
            Verb::SwapCase => self.swap_case(times, buffer),
            Verb::Join => self.join(times, buffer),
            Verb::Undo => {
                let _ = (0..times).take_while(|_| buffer.undo()).count();
            }
            Verb::Repeat => return self.repeat(count, buffer, register),
            Verb::Select { lines } => self.select(lines, buffer),
            Verb::SelectObject(object) => {
                if let Some((start, end)) = motions::object(buffer, object) {
                    let last = Place { byte: before(buffer, end), ..end };
                    buffer.select_between(start, if start < end { last } else { start });
                    buffer.grasp(Grasp::Characters);
                    self.mode = Mode::Visual;
                }
            }
            Verb::OtherEnd => {
                let (grasp, anchor) = (self.grasp(), buffer.anchor());
                buffer.select_between(buffer.caret(), anchor);
                buffer.grasp(grasp);
            }
            Verb::Ask(_) => {}
        }
        if self.mode == Mode::Insert {
            self.inserting = Some((command, buffer.caret()));
        } else if is_change {
            buffer.end_group();
            self.last = Some((command, String::new()));
        }
    }

    fn grasp(&self) -> Grasp {
        if self.mode == Mode::VisualLine { Grasp::Lines } else { Grasp::Characters }
    }

    fn go(&self, step: Step, count: Option<usize>, buffer: &mut EditorBuffer) {
        let selects = self.mode.selects();
        let anchor = buffer.anchor();
        match step {
            Step::Up | Step::Down => {
                let by = count.unwrap_or(1) as isize;
                let motion = Motion::Lines(if step == Step::Up { -by } else { by });
                if selects { buffer.select(motion, 1) } else { buffer.go(motion, 1) }
            }
            _ => {
                let Some((to, _)) = motions::lead(buffer, step, count) else { return };
                if selects {
                    buffer.select_between(anchor, to)
                } else {
                    buffer.go_to(to)
                }
                if step == Step::LineEnd {
                    buffer.keep_to_line_ends();
                }
            }
        }
        if selects {
            buffer.grasp(self.grasp());
        }
    }

    fn select(&mut self, lines: bool, buffer: &mut EditorBuffer) {
        let wanted = if lines { Mode::VisualLine } else { Mode::Visual };
        if self.mode == wanted {
            self.mode = Mode::Normal;
            return buffer.go_to(buffer.caret());
        }
        let anchor = if self.mode.selects() { buffer.anchor() } else { buffer.caret() };
        self.mode = wanted;
        buffer.select_between(anchor, buffer.caret());
        buffer.grasp(self.grasp());
    }

    fn operate(
        &mut self,
        operator: Operator,
        target: Target,
        count: Option<usize>,
        buffer: &mut EditorBuffer,
        register: &mut Register,
    ) {
        let Some(part) = self.part(operator, target, count, buffer) else { return };
        self.mode = Mode::Normal;
        if matches!(operator, Operator::Indent | Operator::Outdent) {
            let (first, last) = part.lines();
            let levels = if target == Target::Selection { count.unwrap_or(1).min(20) } else { 1 };
            buffer.select_between(Place { line: first, byte: 0 }, end_of_line(buffer, last));
            for _ in 0..levels {
                if operator == Operator::Indent { lines::indent(buffer) } else { lines::outdent(buffer) }
            }
            let byte = motions::first_ink(buffer.line(first));
            return buffer.go_to(Place { line: first, byte });
        }
        *register = part.text(buffer);
        match (operator, part) {
            (Operator::Yank, Part::Lines(first, _)) => {
                let line = first.min(buffer.caret().line);
                buffer.go_to(Place { line, ..buffer.caret() });
            }
            (Operator::Yank, Part::Characters(start, _)) => buffer.go_to(start),
            (Operator::Change, Part::Lines(first, last)) => {
                let byte = motions::first_ink(buffer.line(first));
                buffer.replace(Place { line: first, byte }, end_of_line(buffer, last), "");
                buffer.go_to(Place { line: first, byte });
            }
            (_, Part::Lines(first, last)) => {
                let (from, to) = lines::whole_lines(buffer, first, last);
                buffer.replace(from, to, "");
                let line = first.min(buffer.count() - 1);
                buffer.go_to(Place { line, byte: motions::first_ink(buffer.line(line)) });
            }
            (_, Part::Characters(from, to)) => {
                buffer.replace(from, to, "");
                buffer.go_to(from);
            }
        }
        if operator == Operator::Change {
            self.mode = Mode::Insert;
        }
    }

    /// What an operator is about.
    fn part(
        &self,
        operator: Operator,
        target: Target,
        count: Option<usize>,
        buffer: &EditorBuffer,
    ) -> Option<Part> {
        let caret = buffer.caret();
        match target {
            Target::Selection => {
                let (start, end) = buffer.selection()?;
                let (first, last) =
                    (caret.line.min(buffer.anchor().line), caret.line.max(buffer.anchor().line));
                let is_lines = self.mode == Mode::VisualLine;
                Some(if is_lines { Part::Lines(first, last) } else { Part::Characters(start, end) })
            }
            Target::Lines => {
                let last = caret.line + count.unwrap_or(1) - 1;
                Some(Part::Lines(caret.line, last.min(buffer.count() - 1)))
            }
            Target::Object(object) => {
                let (start, end) = motions::object(buffer, object)?;
                Some(Part::Characters(start, end))
            }
            Target::Step(step) => {
                // `cw` on a word changes the word, not the space behind it.
                let on_word = buffer.line(caret.line)[caret.byte..].starts_with(|c: char| !c.is_whitespace());
                let step = match step {
                    Step::Word(big) if operator == Operator::Change && on_word => {
                        return Some(self.rest_of_word(big, count, buffer));
                    }
                    step => step,
                };
                let (mut to, span) = motions::lead(buffer, step, count)?;
                // The last word of a line ends with the line.
                if matches!(step, Step::Word(_)) && to.line > caret.line {
                    let before = end_of_line(buffer, to.line - 1);
                    let is_first = to.byte <= motions::first_ink(buffer.line(to.line));
                    to = if is_first && before >= caret { before } else { to };
                }
                let (start, end) = (caret.min(to), caret.max(to));
                Some(match span {
                    Span::Exclusive => Part::Characters(start, end),
                    Span::Inclusive => Part::Characters(start, motions::behind(buffer, end)),
                    Span::Lines => Part::Lines(start.line, end.line),
                })
            }
        }
    }

    fn rest_of_word(&self, big: bool, count: Option<usize>, buffer: &EditorBuffer) -> Part {
        let caret = buffer.caret();
        let end = super::words::around(buffer.line(caret.line), caret.byte, big).end;
        let here = Place { byte: end, ..caret };
        match count {
            Some(n @ 2..) => {
                let step = Step::End(big);
                let to =
                    motions::lead(buffer, step, Some(n)).map_or(here, |(to, _)| motions::behind(buffer, to));
                Part::Characters(caret, to.max(here))
            }
            _ => Part::Characters(caret, here),
        }
    }

    fn put(&mut self, before: bool, times: usize, buffer: &mut EditorBuffer, register: &mut Register) {
        let Register { text, is_lines } = register.clone();
        if text.is_empty() || text.len().saturating_mul(times) > MAX_PUT {
            return;
        }
        let selected = buffer.selection().map(|(start, end)| buffer.slice(start, end));
        if let Some(selected) = selected {
            // What was selected is what is put next.
            let of_lines = self.mode == Mode::VisualLine;
            *register = Register { text: selected, is_lines: of_lines };
            self.mode = Mode::Normal;
            let (before, behind) = match (is_lines, of_lines) {
                (true, false) => ("\n", ""),
                (false, true) => ("", "\n"),
                _ => ("", ""),
            };
            buffer.insert(&format!("{before}{}{behind}", text.repeat(times)));
            let end = buffer.caret();
            return buffer.go_to(Place { byte: self::before(buffer, end), ..end });
        }
        let caret = buffer.caret();
        if !is_lines {
            let at = if before { caret } else { motions::behind(buffer, caret) };
            buffer.replace(at, at, &text.repeat(times));
            let end = buffer.caret();
            return buffer.go_to(Place { byte: self::before(buffer, end), ..end });
        }
        let whole = text.repeat(times);
        let lines = whole.strip_suffix('\n').unwrap_or(&whole);
        let line = if before {
            let at = Place { byte: 0, ..caret };
            buffer.replace(at, at, &format!("{lines}\n"));
            caret.line
        } else {
            let at = end_of_line(buffer, caret.line);
            buffer.replace(at, at, &format!("\n{lines}"));
            caret.line + 1
        };
        buffer.go_to(Place { line, byte: motions::first_ink(buffer.line(line)) });
    }

    /// Replaces as many characters as there are, or what is selected, by as many others.
    fn replace(&mut self, times: usize, buffer: &mut EditorBuffer, new: impl Fn(usize) -> String) {
        let Some((start, end)) = self.characters(times, buffer) else { return };
        let old = buffer.slice(start, end);
        let parts: Vec<String> = old.split('\n').map(|line| new(line.graphemes(true).count())).collect();
        buffer.replace(start, end, &parts.join("\n"));
        let last = Place { byte: before(buffer, buffer.caret()), ..buffer.caret() };
        buffer.go_to(if self.mode.selects() { start } else { last });
        self.mode = Mode::Normal;
    }

    fn swap_case(&mut self, times: usize, buffer: &mut EditorBuffer) {
        let Some((start, end)) = self.characters(times, buffer) else { return };
        let swap = |c: char| -> String {
            if c.is_uppercase() { c.to_lowercase().collect() } else { c.to_uppercase().collect() }
        };
        let text: String = buffer.slice(start, end).chars().map(swap).collect();
        buffer.replace(start, end, &text);
        if self.mode.selects() {
            buffer.go_to(start);
        }
        self.mode = Mode::Normal;
    }

    /// What is selected, else so many characters of the line, if there are so many.
    fn characters(&self, times: usize, buffer: &EditorBuffer) -> Option<(Place, Place)> {
        if self.mode.selects() {
            return buffer.selection();
        }
        let caret = buffer.caret();
        let right = &buffer.line(caret.line)[caret.byte..];
        let bytes = right.graphemes(true).take(times).map(str::len).sum::<usize>();
        (bytes > 0).then_some((caret, Place { byte: caret.byte + bytes, ..caret }))
    }

    /// Puts lines behind each other, with one blank between them.
    fn join(&mut self, times: usize, buffer: &mut EditorBuffer) {
        let (first, last) = if self.mode.selects() {
            let (start, end) = (buffer.caret().line, buffer.anchor().line);
            (start.min(end), start.max(end))
        } else {
            (buffer.caret().line, buffer.caret().line + times.max(2) - 1)
        };
        let (first, last) = (first, last.max(first + 1).min(buffer.count() - 1));
        let joint = |line: usize| {
            let (left, right) = (buffer.line(line), buffer.line(line + 1));
            let ink = motions::first_ink(right);
            let needs_blank = !left.ends_with([' ', '\t']) && !left.is_empty() && !right[ink..].is_empty();
            Replacement {
                start: end_of_line(buffer, line),
                end: Place { line: line + 1, byte: ink },
                text: if needs_blank && !right[ink..].starts_with(')') { " ".into() } else { String::new() },
            }
        };
        let joints: Vec<Replacement> = (first..last).map(joint).collect();
        let at = joints.last().map_or(buffer.caret(), |_| end_of_line(buffer, first));
        buffer.apply(&joints);
        buffer.go_to(at);
        self.mode = Mode::Normal;
    }

    fn repeat(&mut self, count: Option<usize>, buffer: &mut EditorBuffer, register: &mut Register) {
        let Some((command, typed)) = self.last.clone() else { return };
        let command = Command { count: count.or(command.count), ..command };
        self.execute(command, buffer, register);
        if self.mode == Mode::Insert {
            buffer.insert(&typed);
            self.escape(buffer);
        }
    }
}

/// Goes to where inserting begins.
fn enter(entry: Entry, buffer: &mut EditorBuffer) {
    let caret = buffer.caret();
    let line = buffer.line(caret.line);
    let indent = lines::indentation(line).to_owned();
    match entry {
        Entry::Here => buffer.go_to(caret),
        Entry::FirstInk => buffer.go_to(Place { byte: indent.len(), ..caret }),
        Entry::After => buffer.go_to(motions::behind(buffer, caret)),
        Entry::LineEnd => buffer.go_to(end_of_line(buffer, caret.line)),
        Entry::Below => {
            buffer.go_to(end_of_line(buffer, caret.line));
            buffer.insert(&format!("\n{indent}"));
        }
        Entry::Above => {
            let at = Place { byte: 0, ..caret };
            buffer.replace(at, at, &format!("{indent}\n"));
            buffer.go_to(Place { line: caret.line, byte: indent.len() });
        }
    }
}

fn end_of_line(buffer: &EditorBuffer, line: usize) -> Place {
    Place { line, byte: buffer.line(line).len() }
}

/// Where the character before a place begins, on its line.
fn before(buffer: &EditorBuffer, at: Place) -> usize {
    let left = &buffer.line(at.line)[..at.byte];
    at.byte - left.graphemes(true).next_back().map_or(0, str::len)
}
