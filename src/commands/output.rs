//! stdout and stderr, and what may be written to them.
//!
//! A terminal obeys what it is sent, so text that others wrote (models, files, their names) is
//! neutralised on its way to one. A file or a pipe gets every byte as it is.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::str;

use super::snippet::Snippet;
use crate::engine::{Diagnostic, Severity};
use crate::sanitize;

/// A standard stream.
pub struct Sink {
    stream: Box<dyn Write + Send>,
    terminal: bool,
    /// Whether it may be written to in colour: a terminal, and nobody has set `NO_COLOR`.
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
        let colours = terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self { stream, terminal, colours, pending: Vec::new() }
    }

    /// Whether a person looks at it.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// A text as this stream may show it.
    pub fn shown<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.terminal { sanitize::visible(text) } else { Cow::Borrowed(text) }
    }

    /// A text as this stream may show it within a line.
    pub fn shown_in_line<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.terminal { sanitize::line(text) } else { Cow::Borrowed(text) }
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
        self.stream.write_all(sanitize::visible(&text).as_bytes())?;
        self.stream.flush()
    }

    /// Writes what still waits for the rest of its character, which will not come.
    pub fn finish_generated(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.pending);
        self.stream.write_all(sanitize::visible(&String::from_utf8_lossy(&rest)).as_bytes())?;
        self.stream.flush()
    }

    /// Makes what follows on a terminal faint, or no longer.
    pub fn dim(&mut self, is_dim: bool) -> io::Result<()> {
        if !self.terminal {
            return Ok(());
        }
        self.stream.write_all(if is_dim { b"\x1b[2m" } else { b"\x1b[22m" })
    }

    /// One JSON value on a line.
    pub fn json(&mut self, value: &serde_json::Value) -> io::Result<()> {
        let text = value.to_string();
        let text = self.shown_in_line(&text).into_owned();
        writeln!(self, "{text}")
    }

    /// One finding as `name:line:column: severity[code]: message`, then the line of `text` that it
    /// speaks of with a mark under the place, then its help.
    pub fn diagnostic(&mut self, name: &str, text: &str, diagnostic: &Diagnostic) -> io::Result<()> {
        let (severity, colour) = match diagnostic.severity {
            Severity::Error => ("error", "\x1b[1;31m"),
            Severity::Warning => ("warning", "\x1b[1;33m"),
        };
        let (faint, plain) = if self.colours { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
        let colour = if self.colours { colour } else { "" };
        let place = format!("{name}:{}:{}", diagnostic.start.line, diagnostic.start.column);
        let place = self.shown_in_line(&place).into_owned();
        let message = self.shown_in_line(&diagnostic.message).into_owned();
        writeln!(self, "{place}: {colour}{severity}[{}]{plain}: {message}", diagnostic.code)?;
        if let Some(Snippet { number, line, mark }) = Snippet::of(text, diagnostic) {
            let number = number.to_string();
            let gutter = " ".repeat(number.len());
            writeln!(self, " {faint}{number} |{plain} {line}")?;
            writeln!(self, " {faint}{gutter} |{plain} {colour}{mark}{plain}")?;
        }
        if let Some(help) = &diagnostic.help {
            let help = self.shown_in_line(help).into_owned();
            writeln!(self, "  help: {help}")?;
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
    fn a_pipe_gets_the_bytes_and_a_terminal_gets_text() {
        let pieces: [&[u8]; 3] = [b"a\x1b[31m\xe2\x82", b"\xac", b"\xff!"];
        assert_eq!(written(false, &pieces), b"a\x1b[31m\xe2\x82\xac\xff!");
        assert_eq!(String::from_utf8_lossy(&written(true, &pieces)), "a␛[31m€\u{fffd}!");
        let broken: [&[u8]; 3] = [b"\xff\xe2\x82", b"\xac", b"\xc3"];
        assert_eq!(String::from_utf8_lossy(&written(true, &broken)), "\u{fffd}€\u{fffd}");
    }
}
