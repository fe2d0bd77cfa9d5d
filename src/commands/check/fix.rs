//! `maze check --fix`: puts right what can be put right without asking.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::Path;

use super::{Failure, Sink};
use crate::atomic::AtomicFile;
use crate::engine::grammar::Compiler;
use crate::engine::{Diagnostic, GrammarSource};

/// The most fixes of one file. Each is made in the text that the ones before it have left.
const MOST: usize = 500;

/// A fix that was made: where, of what, and how.
pub(super) struct Made {
    finding: Diagnostic,
    label: String,
}

/// Makes the safe fixes of `source`, one after the other, and says which.
pub(super) fn mend(compiler: &Compiler, source: &mut GrammarSource) -> Vec<Made> {
    let mut made = Vec::new();
    // What is still there after its fix is left alone.
    let mut tried: HashSet<(&str, String)> = HashSet::new();
    while made.len() < MOST {
        let (_, found) = compiler.compile(source);
        let next = found.into_iter().find_map(|mut finding| {
            let fix = finding.fix.take().filter(|fix| fix.safe)?;
            let is_new = tried.insert((finding.code, finding.message.clone()));
            let text = fix.apply(&source.text);
            (is_new && text != source.text).then_some((finding, fix.label, text))
        });
        let Some((finding, label, text)) = next else { break };
        // The same words may be true of another place.
        let count = |text: &str| {
            let (_, left) = compiler.compile(&GrammarSource { text: text.to_owned(), ..source.clone() });
            left.iter().filter(|d| d.code == finding.code && d.message == finding.message).count()
        };
        if count(&text) < count(&source.text) {
            tried.remove(&(finding.code, finding.message.clone()));
        }
        source.text = text;
        made.push(Made { finding, label });
    }
    made
}

/// Says what was mended, one line each, as `name:line:column: fixed[M024 single-quotes]: …`.
pub(super) fn tell(stdout: &mut Sink, name: &str, made: &[Made], dry: bool) -> std::io::Result<()> {
    let word = if dry { "would fix" } else { "fixed" };
    for Made { finding, label } in made {
        let place = format!("{name}:{}:{}", finding.start.line, finding.start.column);
        let line = format!("{place}: {word}[{} {}]: {label}", finding.number, finding.code);
        let line = stdout.shown_in_line(&line).into_owned();
        writeln!(stdout, "{line}")?;
    }
    Ok(())
}

/// Puts a mended text in the place of the file, whole or not at all, as readable as it was.
pub(super) fn save(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || {
        let permissions = fs::metadata(path)?.permissions();
        let mut file = AtomicFile::create(path)?;
        file.permissions(permissions)?;
        file.write_all(text.as_bytes())?;
        file.commit()
    };
    write().map_err(|e: std::io::Error| Failure::Run(format!("cannot write {}: {e}", path.display())))
}
