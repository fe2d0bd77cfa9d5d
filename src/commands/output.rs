//! stdout and stderr, what may be written to them, and whether it shall be words alone.
//!
//! A terminal obeys what it is sent, so text that others wrote (models, files, their names) is
//! neutralised on its way to one. A file or a pipe gets every byte as it is.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::str;

use std::sync::atomic::{AtomicBool, Ordering};

use super::snippet::Snippet;
use crate::engine::{Diagnostic, Severity};
use crate::sanitize;

/// Whether this process prints words alone; said once, before anything is printed.
static PLAIN: AtomicBool = AtomicBool::new(false);

/// From now on words alone, or not: for people who listen, and for logs. No colours, no marks, no
/// columns; the text that is generated into a file or a pipe stays as it is.
pub fn set_plain(plain: bool) {
    PLAIN.store(plain, Ordering::Relaxed);
}

/// A standard stream.
pub struct Sink {
    stream: Box<dyn Write + Send>,
    terminal: bool,
    plain: bool,
    /// Whether it may be written to in colour and with other emphasis.
    colours: bool,
    /// The start of a character whose end has not come yet.
    pending: Vec<u8>,
}

impl Sink {
    /// stdout.
    pub fn stdout() -> Self {
        let stream = io::stdout();
        Self::new(stream.is_terminal(), Box::new(stream))
    }

    /// stderr.
    pub fn stderr() -> Self {
        let stream = io::stderr();
        Self::new(stream.is_terminal(), Box::new(stream))
    }

    fn new(terminal: bool, stream: Box<dyn Write + Send>) -> Self {
        let plain = PLAIN.load(Ordering::Relaxed);
        let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let colours = !plain && wants_colours(terminal, variable);
        Self { stream, terminal, plain, colours, pending: Vec::new() }
    }

    /// Whether words alone are wanted.
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// Whether a person looks at it.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// A text as this stream may show it.
    pub fn shown<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match (self.plain, self.terminal) {
            (true, _) => worded(&sanitize::visible(text)).into(),
            (false, true) => sanitize::visible(text),
            (false, false) => Cow::Borrowed(text),
        }
    }

    /// A text as this stream may show it within a line.
    pub fn shown_in_line<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match (self.plain, self.terminal) {
            (true, _) => worded(&sanitize::line(text)).into(),
            (false, true) => sanitize::line(text),
            (false, false) => Cow::Borrowed(text),
        }
    }

    /// Writes the next bytes of a generated text. On a terminal a character waits until it is
    /// complete.
    pub fn generated(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.terminal {
            self.stream.write_all(bytes)?;
            return self.stream.flush();
        }
        self.pending.extend_from_slice(bytes);
        // Only what may still become a character waits; anything else invalid is shown at once.
        let incomplete = match self.pending.utf8_chunks().last() {
            Some(chunk) if str::from_utf8(chunk.invalid()).is_err_and(|e| e.error_len().is_none()) => {
                chunk.invalid().len()
            }
            _ => 0,
        };
        let complete = self.pending.len() - incomplete;
        let rest = self.pending.split_off(complete);
        let text = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending = rest;
        self.visible(&text)
    }

    /// Writes what still waits for the rest of its character, which will not come.
    pub fn finish_generated(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.pending);
        self.visible(&String::from_utf8_lossy(&rest))
    }

    /// Writes a text by others; what symbols it has are its own.
    fn visible(&mut self, text: &str) -> io::Result<()> {
        let text = sanitize::visible(text);
        let text = if self.plain { spelled(&text).into() } else { text };
        self.stream.write_all(text.as_bytes())?;
        self.stream.flush()
    }

    /// Makes what follows on a terminal faint, or no longer.
    pub fn dim(&mut self, is_dim: bool) -> io::Result<()> {
        if !self.terminal || !self.colours {
            return Ok(());
        }
        self.stream.write_all(if is_dim { b"\x1b[2m" } else { b"\x1b[22m" })
    }

    /// One JSON value on a line.
    pub fn json(&mut self, value: &serde_json::Value) -> io::Result<()> {
        let text = value.to_string();
        // Symbols stay: programs read this.
        let text = if self.terminal { sanitize::line(&text) } else { text.into() };
        writeln!(self, "{text}")
    }

    /// One finding as `name:line:column: severity[M050 code]: message`, then the line of `text` that it
    /// speaks of with a mark under the place, then its help.
    pub fn diagnostic(&mut self, name: &str, text: &str, diagnostic: &Diagnostic) -> io::Result<()> {
        let colour = match diagnostic.severity {
            Severity::Error => "\x1b[1;31m",
            Severity::Warning => "\x1b[1;33m",
        };
        let (severity, Diagnostic { number, code, .. }) = (diagnostic.severity.name(), diagnostic);
        self.pointed(name, text, diagnostic, &format!("{severity}[{number} {code}]"), colour)
    }

    /// The same of what is no finding but a place: `name:line:column: label: message`, and the line.
    pub fn place(&mut self, name: &str, text: &str, place: &Diagnostic, label: &str) -> io::Result<()> {
        let colour = if label.is_empty() { "\x1b[1;36m" } else { "\x1b[1;31m" };
        self.pointed(name, text, place, label, colour)
    }

    fn pointed(
        &mut self,
        name: &str,
        text: &str,
        diagnostic: &Diagnostic,
        label: &str,
        colour: &str,
    ) -> io::Result<()> {
        let (faint, plain) = if self.colours { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
        let colour = if self.colours { colour } else { "" };
        let place = format!("{name}:{}:{}", diagnostic.start.line, diagnostic.start.column);
        let place = self.shown_in_line(&place).into_owned();
        let message = self.shown_in_line(&diagnostic.message).into_owned();
        let label = if label.is_empty() { String::new() } else { format!("{colour}{label}{plain}: ") };
        writeln!(self, "{place}: {label}{message}")?;
        let snippet = Snippet::of(text, diagnostic);
        if let (true, Some(Snippet { number, line, .. })) = (self.plain, &snippet) {
            writeln!(self, "line {number}: {}", worded(line))?;
            let part = text.get(diagnostic.span.clone()).and_then(|part| part.lines().next());
            if let Some(part) = part.filter(|part| !part.is_empty()) {
                let part = self.shown_in_line(part).into_owned();
                writeln!(self, "at: {part}")?;
            }
        } else if let Some(Snippet { number, line, mark }) = snippet {
            let number = number.to_string();
            let gutter = " ".repeat(number.len());
            writeln!(self, " {faint}{number} |{plain} {line}")?;
            writeln!(self, " {faint}{gutter} |{plain} {colour}{mark}{plain}")?;
        }
        if let Some(help) = &diagnostic.help {
            let help = self.shown_in_line(help).into_owned();
            let indent = if self.plain { "" } else { "  " };
            writeln!(self, "{indent}help: {help}")?;
        }
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Whether a stream may be written to in colour, by what the variables of the environment say:
/// `NO_COLOR` wins, then `CLICOLOR_FORCE`, then whether it is a terminal that has colours.
fn wants_colours(terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_off = |name| variable(name).is_some_and(|v| v == "0");
    let is_forced = variable("CLICOLOR_FORCE").is_some() && !is_off("CLICOLOR_FORCE");
    let has_them = terminal && !is_off("CLICOLOR") && variable("TERM").is_none_or(|t| t != "dumb");
    variable("NO_COLOR").is_none() && (is_forced || has_them)
}

/// A text that was made safe, with the names of characters in place of their pictures.
fn spelled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2400}'..='\u{241f}' => out += &format!("<U+{:04X}>", c as u32 - 0x2400),
            '\u{2421}' => out += "<U+007F>",
            '⟨' => out.push('<'),
            '⟩' => out.push('>'),
            _ => out.push(c),
        }
    }
    out
}

/// The same with the program's own symbols in words.
fn worded(text: &str) -> String {
    spelled(text)
        .replace('…', "...")
        .replace('→', "to")
        .replace('µ', "u")
        .replace('⏎', "<line break>")
        .replace('⇥', "<tab>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("one thread").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(terminal: bool, pieces: &[&[u8]]) -> Vec<u8> {
        let buffer = Buffer::default();
        let mut sink = Sink::new(terminal, Box::new(buffer.clone()));
        for piece in pieces {
            sink.generated(piece).expect("a buffer takes everything");
        }
        sink.finish_generated().expect("a buffer takes everything");
        let bytes = buffer.0.lock().expect("one thread");
        bytes.clone()
    }

    #[test]
    fn the_environment_decides_over_colours() {
        let wants = |terminal, set: &[(&str, &str)]| {
            wants_colours(terminal, |name| {
                set.iter().find(|(n, v)| *n == name && !v.is_empty()).map(|(_, v)| (*v).to_owned())
            })
        };
        assert!(wants(true, &[]) && !wants(false, &[]));
        assert!(wants(true, &[("NO_COLOR", "")]) && !wants(true, &[("NO_COLOR", "1")]));
        assert!(!wants(true, &[("CLICOLOR", "0")]) && !wants(true, &[("TERM", "dumb")]));
        assert!(wants(false, &[("CLICOLOR_FORCE", "1")]) && !wants(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!wants(true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    }

    #[test]
    fn symbols_are_spelled() {
        let text = sanitize::line("a\u{1b}\u{202e}\u{7f} … 3 → 4").into_owned();
        assert_eq!(worded(&text), "a<U+001B><U+202E><U+007F> ... 3 to 4");
    }

    #[test]
    fn a_pipe_gets_the_bytes_and_a_terminal_gets_text() {
        let pieces: [&[u8]; 3] = [b"a\x1b[31m\xe2\x82", b"\xac", b"\xff!"];
        assert_eq!(written(false, &pieces), b"a\x1b[31m\xe2\x82\xac\xff!");
        assert_eq!(String::from_utf8_lossy(&written(true, &pieces)), "a␛[31m€\u{fffd}!");
        let broken: [&[u8]; 3] = [b"\xff\xe2\x82", b"\xac", b"\xc3"];
        assert_eq!(String::from_utf8_lossy(&written(true, &broken)), "\u{fffd}€\u{fffd}");
    }
}
