//! Writing a run to a file: what the thread for files is asked for, and what it tells.

use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::Vocabulary;
use crate::engine::export::Format;
use crate::engine::trace::Trace;

/// A run to be written.
#[derive(Clone, Debug)]
pub struct Job {
    /// As what.
    pub format: Format,
    /// To which file, as a person typed it.
    pub path: PathBuf,
    /// Whether a file that is there may be replaced.
    pub replaces: bool,
    /// The run; its steps are shared.
    pub trace: Trace,
    /// The tokens of its model, if they are known.
    pub vocabulary: Option<Arc<Vocabulary>>,
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The file is written: its path and its size in bytes.
    Written(String, u64),
    /// There is a file of that name, and it may not be replaced.
    Exists(Format, PathBuf),
    /// It could not be written; the sentence says why.
    Failed(Format, PathBuf, String),
}

/// The name of a file that a run could be written to.
pub fn proposal(trace: &Trace, run: u64, format: Format) -> String {
    let name = trace.request.grammar.as_ref().map_or("text", |grammar| grammar.name.as_str());
    let name = name.rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default();
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let stem: String = name.chars().filter(is_plain).take(40).collect();
    let stem = if stem.is_empty() { "grammar" } else { &stem };
    format!("maze-run-{stem}-{run}.{}", format.extension())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::grammar::GrammarSource;
    use crate::engine::trace::Request;

    #[test]
    fn proposals_are_plain_names() {
        for (grammar, wanted) in [
            ("user.lark", "maze-run-user-3.html"),
            ("/home/a b/My Grammar.v2.gbnf", "maze-run-MyGrammar-3.html"),
            ("../..", "maze-run-grammar-3.html"),
            ("\u{1b}[31m;rm -rf", "maze-run-31mrm-rf-3.html"),
        ] {
            let grammar = Some(GrammarSource::lark(grammar, ""));
            let trace = Trace::new(Request { grammar, ..Request::default() }, Default::default());
            assert_eq!(proposal(&trace, 3, Format::Html), wanted);
        }
    }
}
