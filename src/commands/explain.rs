//! `maze explain`: why a token or a piece of text may come at a place of a text, or not.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

pub(super) use self::show::{Place, Shown, Subject};
use super::output::Sink;
use super::{Failure, check, load, read_grammar, replay, with_entry};
use crate::cli::{ExplainArgs, TextPlace};
use crate::config::{self, Config};
use crate::engine::check::{Verdict, check_text, position};
use crate::engine::explain::{At, ExplainError, Explainer, Reason, sentences, while_thinking};
use crate::engine::grammar::{Compiled, Compiler};
use crate::engine::load::Loaded;
use crate::engine::replay::same_tokens;
use crate::engine::{GrammarSource, Position, Severity, Step, TokenId, Trace, Vocabulary};

mod show;
mod subject;

pub(super) fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let config = Config::new(&args.model, config::environment).map_err(Failure::Input)?;
    match (&args.grammar, &args.text, &args.trace) {
        (_, _, Some(trace)) => of_trace(args, &config, trace),
        (Some(grammar), Some(text), None) => of_text(args, &config, grammar, text),
        _ => Err(Failure::Input("give a grammar and --text, or --trace".into())),
    }
}

fn of_text(args: &ExplainArgs, config: &Config, grammar: &Path, text: &Path) -> Result<(), Failure> {
    let source = with_entry(read_grammar(grammar)?, args.entry.as_deref())?;
    let (name, text) = check::read_bytes(text)?;
    let asked = args.at.map(|at| offset(at, &name, &text)).transpose()?;
    let Loaded { vocabulary, model: _ } = load(config)?;
    let subject = args.token.as_deref().map(|token| subject::read(token, &vocabulary)).transpose()?;
    let compiled = compile(&vocabulary, &source)?;
    let at = match asked {
        Some(asked) => asked,
        None => match check_text(&compiled, &text) {
            Ok(Verdict::Rejected(rejection)) => rejection.offset,
            // A text that takes the grammar past its limits does so at the end that is looked at.
            Ok(_) | Err(_) => text.len(),
        },
    };
    let mut explainer = Explainer::new(compiled, vocabulary.clone());
    let mut here = explainer.at_text(&text[..at]).map_err(|error| unreachable_place(&error, &name, &text))?;
    let subject = subject.unwrap_or(if at == text.len() { Subject::End } else { Subject::Rest(&text[at..]) });
    let place = Place::Text { name: &name, text: &text, at };
    tell(args, Shown { grammar: &source, vocabulary: &vocabulary, place, subject }, &mut here)
}

fn of_trace(args: &ExplainArgs, config: &Config, path: &Path) -> Result<(), Failure> {
    let trace = replay::read(path)?;
    let name = path.display().to_string();
    let wrong = |reason: String| Failure::Input(format!("{name}: {reason}"));
    let Some(source) = trace.request.grammar.clone() else {
        return Err(wrong("the run had no grammar, so nothing was refused".into()));
    };
    let steps = trace.steps.len();
    let step = args.step.unwrap_or(steps + 1);
    if step > steps + 1 {
        return Err(wrong(format!(
            "there is no step {step}, the trace has {steps}; {} is its end",
            steps + 1
        )));
    }
    let Loaded { vocabulary, model } = load(config)?;
    same_tokens(&trace, &vocabulary)
        .map_err(|difference| replay::other_tokens(&name, &trace, &model.info().name, &difference))?;
    let subject = args.token.as_deref().map(|token| subject::read(token, &vocabulary)).transpose()?;
    if let Some(thinking) = trace.steps.get(step - 1).filter(|step| step.thinking) {
        return of_thinking(args, &name, (step, thinking), subject, &source, &vocabulary);
    }
    let compiled = compile(&vocabulary, &source)?;
    let before = answer_before(&trace, step, &name)?;
    let mut explainer = Explainer::new(compiled, vocabulary.clone());
    explainer.begin_with(trace.steps.first().map_or(&[], |first| first.prompt_bytes()));
    let mut here = explainer.at(&before).map_err(|error| wrong(error.to_string()))?;
    let subject = subject.unwrap_or_else(|| match trace.steps.get(step - 1) {
        Some(step) => Subject::Token(first_refused(step).unwrap_or(step.token)),
        None => Subject::End,
    });
    let text = trace.bytes();
    let place = Place::Trace { name: &name, step, steps, text: &text };
    tell(args, Shown { grammar: &source, vocabulary: &vocabulary, place, subject }, &mut here)
}

/// Where the model still thinks, the grammar has not begun.
fn of_thinking(
    args: &ExplainArgs,
    name: &str,
    (number, step): (usize, &Step),
    subject: Option<Subject<'_>>,
    source: &GrammarSource,
    vocabulary: &Vocabulary,
) -> Result<(), Failure> {
    let Some(insight) = &step.insight else {
        return Err(Failure::Input(format!("{name}: step {number} was saved without detail")));
    };
    let token = match subject {
        Some(Subject::Token(token)) => token,
        Some(_) => return Err(Failure::Input("where the model thinks, --token must be one token".into())),
        None => first_refused(step).unwrap_or(step.token),
    };
    let reason = while_thinking(&insight.allowed, token, vocabulary);
    let said = sentences(&reason, vocabulary.bytes(token), source.kind);
    let mut stdout = Sink::stdout();
    if args.json {
        stdout.json(&json!({
            "place": { "trace": name, "step": number }, "about": { "token": token },
            "allowed": reason.is_allowed(), "reason": reason, "sentences": said,
        }))?;
    } else {
        let line = format!("{name}: step {number}, token #{token}: {}", said.join(" "));
        let line = stdout.shown_in_line(&line).into_owned();
        writeln!(stdout, "{line}")?;
    }
    if reason.is_allowed() { Ok(()) } else { Err(Failure::Told(1)) }
}

/// The tokens of the answer before a step.
fn answer_before(trace: &Trace, step: usize, name: &str) -> Result<Vec<TokenId>, Failure> {
    let from = trace.answer_from();
    if step <= from {
        return Err(Failure::Input(format!(
            "{name}: at step {step} the model still thinks, and the grammar has not begun; \
             the answer begins with step {}",
            from + 1
        )));
    }
    Ok(trace.steps[from..step - 1].iter().map(|step| step.token).collect())
}

/// What the model wanted most at a step, if the mask took it away.
fn first_refused(step: &Step) -> Option<TokenId> {
    let insight = step.insight.as_ref()?;
    let first = insight.before.first()?.token;
    (!insight.allowed.contains(first)).then_some(first)
}

/// Prints the explanation; an error if what it is about may not come.
fn tell(args: &ExplainArgs, shown: Shown<'_>, at: &mut At<'_>) -> Result<(), Failure> {
    let reason = shown.subject.explained(at);
    let mut stdout = Sink::stdout();
    if args.json {
        stdout.json(&shown.json(&reason, at))?;
    } else {
        shown.print(&mut stdout, &reason, at)?;
    }
    match reason {
        Reason::Allowed { .. } => Ok(()),
        _ => Err(Failure::Told(1)),
    }
}

/// Compiles a grammar; what is wrong with it goes to stderr.
pub(super) fn compile(vocabulary: &Vocabulary, source: &GrammarSource) -> Result<Arc<Compiled>, Failure> {
    let compiler = Compiler::new(vocabulary).map_err(Failure::Run)?;
    let (compiled, diagnostics) = compiler.compile(source);
    match compiled {
        Some(compiled) => Ok(Arc::new(compiled)),
        None => {
            let mut stderr = Sink::stderr();
            for diagnostic in diagnostics.iter().filter(|d| d.severity == Severity::Error) {
                // Without a reader the exit code still tells.
                let _ = stderr.diagnostic(&source.name, &source.text, diagnostic);
            }
            Err(Failure::Told(2))
        }
    }
}

/// The byte that a place of the command line means.
pub(super) fn offset(at: TextPlace, name: &str, text: &[u8]) -> Result<usize, Failure> {
    match at {
        TextPlace::Byte(byte) if byte <= text.len() => Ok(byte),
        TextPlace::Byte(byte) => Err(Failure::Input(format!(
            "{name}: there is no byte {byte}, the text has {} (its end is byte {})",
            text.len(),
            text.len()
        ))),
        TextPlace::LineColumn(line, column) => {
            let mut lines = text.split_inclusive(|&b| b == b'\n');
            let start: usize = lines.by_ref().take(line - 1).map(<[u8]>::len).sum();
            let count = text.split_inclusive(|&b| b == b'\n').count();
            // After a last line break there is one more line, which is empty.
            let open = count == 0 || text.ends_with(b"\n");
            if line > count + usize::from(open) {
                let lines = count + usize::from(open);
                return Err(Failure::Input(format!("{name}: there is no line {line}, the text has {lines}")));
            }
            let here = text[start..].split(|&b| b == b'\n').next().unwrap_or_default();
            let ends = character_ends(here);
            match column.checked_sub(2).map_or(Some(0), |i| ends.get(i).copied()) {
                Some(within) => Ok(start + within),
                None => Err(Failure::Input(format!(
                    "{name}: there is no column {column} in line {line}, whose end is column {}",
                    ends.len() + 1
                ))),
            }
        }
    }
}

/// Where each character of a line ends; bytes that are not UTF-8 count as one each.
fn character_ends(line: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    for chunk in line.utf8_chunks() {
        for width in chunk.valid().chars().map(char::len_utf8).chain(chunk.invalid().iter().map(|_| 1)) {
            at += width;
            ends.push(at);
        }
    }
    ends
}

fn unreachable_place(error: &ExplainError, name: &str, text: &[u8]) -> Failure {
    Failure::Input(match error {
        ExplainError::Left { taken } => {
            let Position { line, column } = position(text, *taken);
            format!(
                "{name}: the text leaves the grammar before that place, at byte {taken} ({line}:{column}); \
                 without --at that is explained"
            )
        }
        error => format!("{name}: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_bytes_of_the_text() {
        let text = "é\nab\n".as_bytes();
        let at = |line, column| offset(TextPlace::LineColumn(line, column), "t", text).ok();
        let found = [at(1, 1), at(1, 2), at(1, 3), at(2, 1), at(2, 3), at(2, 4), at(3, 1), at(4, 1)];
        assert_eq!(found, [Some(0), Some(2), None, Some(3), Some(5), None, Some(6), None]);
        assert_eq!(offset(TextPlace::LineColumn(1, 1), "t", b"").ok(), Some(0));
        assert_eq!(offset(TextPlace::Byte(6), "t", text).ok(), Some(6));
        assert!(offset(TextPlace::Byte(7), "t", text).is_err());
        assert_eq!(offset(TextPlace::LineColumn(1, 3), "t", b"\xff\xfex").ok(), Some(2));
    }
}
