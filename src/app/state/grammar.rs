//! The grammar under edit: its text, its file, and what the latest check and its cases came to.

use std::sync::Arc;

use crate::app::editor::EditorBuffer;
use crate::app::files::GrammarFile;
use crate::engine::cases::{Beside, Report};
use crate::engine::diagnostic::{Diagnostic, Severity};
use crate::engine::grammar::{Compiled, GrammarKind, GrammarSource, Symbols, library};
use crate::ui::wrap::Place as TextPlace;

/// The grammar under edit and the latest check of it.
#[derive(Clone, Debug)]
pub struct GrammarPane {
    /// The text.
    pub buffer: EditorBuffer,
    /// What it is written in.
    pub kind: GrammarKind,
    /// Its file's or example's name.
    pub name: String,
    /// Its file; none if it is an example or has never been saved.
    pub file: Option<GrammarFile>,
    /// The text that its file or its example has.
    pub base: Arc<str>,
    /// The revision of the text that was checked last.
    pub checked: Option<u64>,
    /// What that check found.
    pub diagnostics: Vec<Diagnostic>,
    /// The grammar of that check, if it can be used.
    pub compiled: Option<Arc<Compiled>>,
    /// The names in the text of that check.
    pub symbols: Arc<Symbols>,
    /// The name that texts were asked for, in the text of which revision, and the texts that it matches.
    pub samples: Option<(u64, String, Vec<String>)>,
    /// Where the caret was before it jumped, the last one last.
    pub jumps: Vec<TextPlace>,
    /// What came of its cases when they ran last, which may have been for an older text.
    pub cases: Option<Arc<Report>>,
    /// The revision of the text that they ran for.
    pub tested: Option<u64>,
}

impl GrammarPane {
    /// The grammar as the engine takes it.
    pub fn source(&self) -> GrammarSource {
        GrammarSource { kind: self.kind, name: self.name.clone(), text: self.buffer.text() }
    }

    /// Where its cases are, besides those in its own text.
    pub fn beside(&self) -> Beside {
        match &self.file {
            Some(file) => Beside::File(file.path.clone()),
            None if library::ALL.iter().any(|shipped| shipped.file == self.name) => Beside::Shipped,
            None => Beside::Nothing,
        }
    }

    /// Whether the latest check is of the text as it is.
    pub fn is_checked(&self) -> bool {
        self.checked == Some(self.buffer.revision())
    }

    /// Whether the cases have run for the text as it is.
    pub fn is_tested(&self) -> bool {
        self.tested == Some(self.buffer.revision())
    }

    /// Forgets what was found out: it was about the same text as another kind, or for other tokens.
    pub fn forget_check(&mut self) {
        (self.checked, self.compiled, self.tested) = (None, None, None);
    }

    /// Forgets all that was about the grammar that was here before.
    pub fn forget(&mut self) {
        self.forget_check();
        self.cases = None;
        self.jumps.clear();
    }

    /// The finding to tell about: the one on the caret's line, else the first, errors before
    /// warnings.
    pub fn finding(&self) -> Option<&Diagnostic> {
        let line = self.buffer.caret().line + 1;
        let on_line = self.diagnostics.iter().find(|d| (d.start.line..=d.end.line).contains(&line));
        on_line.or_else(|| self.diagnostics.iter().min_by_key(|d| (d.severity, d.span.start)))
    }

    /// The finding that the fix at hand is for: the one that is told about, else another one on the
    /// caret's line. None while the text has changed since the check.
    pub fn fixable(&self) -> Option<&Diagnostic> {
        let line = self.buffer.caret().line + 1;
        let has_fix = |d: &&Diagnostic| d.fix.is_some();
        let on_line = || self.diagnostics.iter().filter(|d| (d.start.line..=d.end.line).contains(&line));
        let found = self.finding().filter(has_fix).or_else(|| on_line().find(has_fix));
        found.filter(|_| self.is_checked())
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count()
    }
}
