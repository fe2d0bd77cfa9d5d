//! How a download goes, on stderr: one line that is rewritten on a terminal, a line a file elsewhere
//! and in plain output.

use std::io::Write;
use std::time::{Duration, Instant};

use super::output::Sink;
use crate::engine::load::{Progress, Stage};
use crate::hub::Status;

/// How often the line is rewritten.
const EVERY: Duration = Duration::from_millis(100);

/// The columns of a terminal that does not tell.
const COLUMNS: u16 = 80;

/// Tells about a download. Nothing is lost if stderr is gone.
pub(super) struct ProgressLine {
    stderr: Sink,
    /// What was told last, and when.
    told: Option<(Instant, String)>,
    /// Whether the line on the terminal has to be wiped.
    is_open: bool,
}

impl ProgressLine {
    pub(super) fn stderr() -> Self {
        Self { stderr: Sink::stderr(), told: None, is_open: false }
    }

    pub(super) fn tell(&mut self, progress: &Progress) {
        match &progress.stage {
            Stage::Download(status) if self.stderr.is_terminal() && !self.stderr.is_plain() => {
                self.rewrite(status);
            }
            Stage::Download(status) => self.line(status),
            _ => self.wipe(),
        }
    }

    fn rewrite(&mut self, status: &Status) {
        let now = Instant::now();
        if self.told.as_ref().is_some_and(|(at, _)| now.duration_since(*at) < EVERY) {
            return;
        }
        let columns = crossterm::terminal::size().map_or(COLUMNS, |(columns, _)| columns);
        // A line that wraps cannot be rewritten.
        let room = usize::from(columns.saturating_sub(1));
        let text: String = format!("downloading {status}").chars().take(room).collect();
        let text = self.stderr.shown_in_line(&text).into_owned();
        // To the start of the line, the text, and away with what is behind it.
        let _ = write!(self.stderr, "\r{text}\x1b[K");
        let _ = self.stderr.flush();
        self.is_open = true;
        self.told = Some((now, text));
    }

    /// A line for each file, for each reason to wait, and, where that is all there is, for each
    /// quarter of the whole.
    fn line(&mut self, status: &Status) {
        let text = match &status.note {
            Some(note) => format!("{}: {note}", status.file),
            None if self.stderr.is_plain() && status.total > 0 => {
                let quarters = u128::from(status.done) * 4 / u128::from(status.total);
                format!("downloading {}, {}% of all is there", status.file, quarters * 25)
            }
            None => format!("downloading {}", status.file),
        };
        let text = self.stderr.shown_in_line(&text).into_owned();
        if self.told.as_ref().is_none_or(|(_, told)| *told != text) {
            let _ = writeln!(self.stderr, "{text}");
            self.told = Some((Instant::now(), text));
        }
    }

    fn wipe(&mut self) {
        if std::mem::take(&mut self.is_open) {
            let _ = write!(self.stderr, "\r\x1b[K");
            let _ = self.stderr.flush();
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.wipe();
    }
}
