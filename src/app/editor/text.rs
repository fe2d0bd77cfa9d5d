//! Lines of text, and the one way to change them: something in place of what lies between two places.
//!
//! A change costs what it replaces and the line it is in, never the whole text. Line ends are `\n`;
//! everything else is kept byte for byte. Nothing here knows of carets, history or screens.

use crate::ui::wrap::{Lines, Place};

/// At least one line, without line ends.
#[derive(Clone, Debug)]
pub struct Text {
    lines: Vec<String>,
}

impl Lines for Text {
    fn count(&self) -> usize {
        self.lines.len()
    }

    fn line(&self, index: usize) -> &str {
        self.lines.get(index).map_or("", String::as_str)
    }
}

impl Text {
    /// The lines of `text`, whose line ends are `\n`.
    pub fn new(text: &str) -> Self {
        Self { lines: text.split('\n').map(str::to_owned).collect() }
    }

    /// The whole text.
    pub fn whole(&self) -> String {
        self.lines.join("\n")
    }

    /// One past the last character.
    pub fn end(&self) -> Place {
        let line = self.lines.len() - 1;
        Place { line, byte: self.lines[line].len() }
    }

    /// The byte of the whole text that is at `place`.
    pub fn offset(&self, place: Place) -> usize {
        self.lines[..place.line].iter().map(|line| line.len() + 1).sum::<usize>() + place.byte
    }

    /// The place of a byte of the whole text; its end if the text is shorter.
    pub fn place(&self, offset: usize) -> Place {
        let mut byte = offset;
        for (line, text) in self.lines.iter().enumerate() {
            if byte <= text.len() {
                return Place { line, byte };
            }
            byte -= text.len() + 1;
        }
        self.end()
    }

    /// The character boundary at or before `place`, in the text.
    pub fn clamped(&self, place: Place) -> Place {
        if place.line >= self.lines.len() {
            return self.end();
        }
        let text = &self.lines[place.line];
        let byte = (0..=place.byte.min(text.len())).rfind(|&at| text.is_char_boundary(at)).unwrap_or(0);
        Place { line: place.line, byte }
    }

    /// What lies between two places of the text.
    pub fn slice(&self, start: Place, end: Place) -> String {
        if start.line == end.line {
            return self.lines[start.line][start.byte..end.byte].to_owned();
        }
        let between: usize = self.lines[start.line..=end.line].iter().map(|line| line.len() + 1).sum();
        let mut out = String::with_capacity(between);
        out.push_str(&self.lines[start.line][start.byte..]);
        for line in &self.lines[start.line + 1..end.line] {
            out.push('\n');
            out.push_str(line);
        }
        out.push('\n');
        out.push_str(&self.lines[end.line][..end.byte]);
        out
    }

    /// Puts `text` in place of what lies between two places; returns what was there.
    pub fn replace(&mut self, start: Place, end: Place, text: &str) -> String {
        let removed = self.slice(start, end);
        if start.line == end.line && !text.contains('\n') {
            self.lines[start.line].replace_range(start.byte..end.byte, text);
            return removed;
        }
        let tail = self.lines[end.line][end.byte..].to_owned();
        let mut parts = text.split('\n');
        let first = &mut self.lines[start.line];
        first.truncate(start.byte);
        first.push_str(parts.next().unwrap_or_default());
        let mut fresh: Vec<String> = parts.map(str::to_owned).collect();
        fresh.last_mut().unwrap_or(first).push_str(&tail);
        self.lines.splice(start.line + 1..=end.line, fresh);
        removed
    }
}

/// Where `text` ends if it begins at `start`.
pub fn end_of(start: Place, text: &str) -> Place {
    match text.rfind('\n') {
        None => Place { line: start.line, byte: start.byte + text.len() },
        Some(at) => {
            let line = start.line + text.bytes().filter(|b| *b == b'\n').count();
            Place { line, byte: text.len() - at - 1 }
        }
    }
}

/// Line ends of every system become `\n`.
pub fn normalised(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}
