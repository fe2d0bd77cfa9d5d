//! `maze check --fix`: puts right what can be put right without asking.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::{Failure, Sink};
use crate::atomic::AtomicFile;
use crate::engine::grammar::Compiler;
use crate::engine::{Diagnostic, Fix, GrammarSource, Severity};

/// The most fixes of one file. Each is tried in the text that the ones before it have left.
const MOST: usize = 500;

/// A fix that was tried: of what finding, how, and why it was not made after all.
pub(super) struct Tried {
    finding: Diagnostic,
    label: String,
    refused: Option<Diagnostic>,
}

/// Makes the safe fixes of `source`, one after the other, and says which. One that would bring in an
/// error is not made.
pub(super) fn mend(compiler: &Compiler, source: &mut GrammarSource) -> Vec<Tried> {
    let mut all = Vec::new();
    // What is still there after its fix is left alone.
    let mut known: HashSet<(&str, String)> = HashSet::new();
    let (_, mut found) = compiler.compile(source);
    while all.len() < MOST {
        let next = found.iter().find_map(|finding| {
            let fix = finding.fix.clone().filter(|fix| fix.safe)?;
            let is_new = known.insert((finding.code, finding.message.clone()));
            let text = fix.apply(&source.text);
            (is_new && text != source.text).then(|| (finding.clone(), fix, text))
        });
        let Some((finding, fix, text)) = next else { break };
        let mended = GrammarSource { text, ..source.clone() };
        let (_, left) = compiler.compile(&mended);
        let refused = brought_in(&fix, &found, &left).cloned();
        if refused.is_none() {
            // The same words may be true of another place.
            let is_same = |d: &&Diagnostic| d.code == finding.code && d.message == finding.message;
            if left.iter().filter(is_same).count() < found.iter().filter(is_same).count() {
                known.remove(&(finding.code, finding.message.clone()));
            }
            (*source, found) = (mended, left);
        }
        all.push(Tried { finding, label: fix.label, refused });
    }
    all
}

/// An error that is the doing of a fix: any in a text that compiled before; else, as one mistake can
/// hide another, one where the fix has written.
fn brought_in<'d>(fix: &Fix, before: &[Diagnostic], after: &'d [Diagnostic]) -> Option<&'d Diagnostic> {
    let is_error = |d: &&Diagnostic| d.severity == Severity::Error;
    let is_known = |d: &Diagnostic| before.iter().any(|b| b.code == d.code && b.message == d.message);
    let places = fix.places();
    let is_written = |d: &Diagnostic| places.iter().any(|p| p.start < d.span.end && d.span.start < p.end);
    let compiled = !before.iter().any(|d| is_error(&d));
    after.iter().filter(is_error).find(|d| compiled || is_written(d) && !is_known(d))
}

/// Whether any fix was made.
pub(super) fn has_changed(tried: &[Tried]) -> bool {
    tried.iter().any(|fix| fix.refused.is_none())
}

/// Says what was mended, one line each, as `name:line:column: fixed[M024 single-quotes]: …`.
pub(super) fn tell(stdout: &mut Sink, name: &str, tried: &[Tried], dry: bool) -> std::io::Result<()> {
    for Tried { finding, label, refused } in tried {
        let place = format!("{name}:{}:{}", finding.start.line, finding.start.column);
        let (word, why) = match refused {
            None if dry => ("would fix", String::new()),
            None => ("fixed", String::new()),
            Some(error) => ("not fixed", format!(", after which there would be an error: {}", error.message)),
        };
        let line = format!("{place}: {word}[{} {}]: {label}{why}", finding.number, finding.code);
        let line = stdout.shown_in_line(&line).into_owned();
        writeln!(stdout, "{line}")?;
    }
    Ok(())
}

/// What was done to a file: the fixes, and in a dry run the text that they would leave, in which the findings
/// are.
pub(super) fn to_json(tried: &[Tried], text: Option<&str>) -> Value {
    let fixes: Vec<Value> = tried
        .iter()
        .map(|Tried { finding, label, refused }| {
            json!({
                "code": finding.code, "number": finding.number,
                "line": finding.start.line, "column": finding.start.column,
                "label": label, "made": refused.is_none(), "error": refused.as_ref().map(|e| &e.message),
            })
        })
        .collect();
    match text {
        Some(text) => json!({ "fixes": fixes, "text": text }),
        None => json!({ "fixes": fixes }),
    }
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
    write().map_err(|e: std::io::Error| Failure::Input(format!("cannot write {}: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_the_doing_of_a_fix_only_if_it_could_not_be_seen_before() {
        let text = "start: a 'b' c";
        let error = |span, message| Diagnostic::error(text, span, "syntax", message);
        let warning = |message| Diagnostic { severity: Severity::Warning, ..error(0..5, message) };
        let fix = Fix::replace("x", 9..12, "\"b\"");
        let blamed = |before: &[Diagnostic], after: &[Diagnostic]| {
            brought_in(&fix, before, after).map(|d| d.message.clone())
        };
        let (here, there) = (error(9..12, "here"), error(13..14, "there"));
        // The text compiled.
        assert_eq!(blamed(&[warning("w")], &[warning("v"), there.clone()]).as_deref(), Some("there"));
        assert_eq!(blamed(&[warning("w")], &[warning("v")]), None);
        // One mistake may have hidden another, but not at the place of the fix.
        let quotes = error(9..12, "quotes");
        assert_eq!(blamed(std::slice::from_ref(&quotes), std::slice::from_ref(&there)), None);
        assert_eq!(blamed(&[quotes], &[there, here.clone()]).as_deref(), Some("here"));
        assert_eq!(blamed(std::slice::from_ref(&here), std::slice::from_ref(&here)), None);
    }
}
