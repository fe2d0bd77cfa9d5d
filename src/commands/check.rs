//! `maze check`: mistakes in grammars, and whether a text follows one.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::output::Sink;
use super::{Failure, load, read_grammar, with_entry};
use crate::cli::CheckArgs;
use crate::config::{self, Config};
use crate::engine::check::{Verdict, check_text, describe};
use crate::engine::explain::{Explainer, Reason};
use crate::engine::grammar::{Compiled, Compiler};
use crate::engine::load::Loaded;
use crate::engine::{Diagnostic, GrammarSource, Severity};

mod fix;

pub(super) fn run(args: &CheckArgs) -> Result<(), Failure> {
    if args.text.is_some() && args.files.len() > 1 {
        return Err(Failure::Input("--text takes one grammar".into()));
    }
    let config = Config::new(&args.model, config::environment).map_err(Failure::Input)?;
    let mut sources = args
        .files
        .iter()
        .map(|file| with_entry(read_grammar(file)?, args.entry.as_deref()))
        .collect::<Result<Vec<_>, _>>()?;
    let text = args.text.as_deref().map(read_bytes).transpose()?;
    let loaded = load(&config)?;
    let compiler = Compiler::new(&loaded.vocabulary).map_err(Failure::Run)?;

    let mut stdout = Sink::stdout();
    let mut fixes = Vec::new();
    if args.fix {
        for (source, file) in sources.iter_mut().zip(&args.files) {
            let tried = fix::mend(&compiler, source);
            if fix::has_changed(&tried) && !args.dry_run {
                fix::save(file, &source.text)?;
            }
            if args.json {
                let text = args.dry_run.then_some(source.text.as_str());
                fixes.push(fix::to_json(&tried, text));
            } else {
                fix::tell(&mut stdout, &source.name, &tried, args.dry_run)?;
            }
        }
    }
    let mut findings: Vec<(&GrammarSource, Vec<Diagnostic>)> = Vec::new();
    let mut grammar = None;
    for source in &sources {
        let (compiled, diagnostics) = compiler.compile(source);
        findings.push((source, diagnostics));
        grammar = compiled;
    }
    let broken = findings.iter().flat_map(|(_, d)| d).any(|d| d.severity == Severity::Error);
    match (grammar, text) {
        (Some(grammar), Some((name, bytes))) => {
            let grammar = Arc::new(grammar);
            let verdict = check_text(&grammar, &bytes)
                .map_err(|e| Failure::Run(format!("{name}: cannot tell: {}", e.message)))?;
            if args.json {
                let mut value = verdict_json(&grammar, &name, &verdict);
                let reason = reason(&grammar, &loaded, &bytes, &verdict);
                value["reason"] = json!(reason);
                value["diagnostics"] =
                    json!(findings.iter().flat_map(|(_, found)| found).collect::<Vec<_>>());
                if let Some(fixed) = fixes.pop() {
                    value["fixed"] = fixed;
                }
                stdout.json(&value)?;
            } else {
                list(&mut stdout, &findings)?;
                let terminals = terminals(reason(&grammar, &loaded, &bytes, &verdict).as_ref());
                tell(&mut stdout, &grammar, &name, bytes.len(), &verdict, &terminals)?;
            }
            if verdict != Verdict::Accepted {
                return Err(Failure::Told(1));
            }
        }
        _ if args.json => stdout.json(&findings_json(&findings, fixes))?,
        _ => list(&mut stdout, &findings)?,
    }
    if broken { Err(Failure::Told(2)) } else { Ok(()) }
}

/// A text's name and bytes; stdin for `-`.
pub(super) fn read_bytes(path: &Path) -> Result<(String, Vec<u8>), Failure> {
    let mut bytes = Vec::new();
    let name = if path == Path::new("-") { "stdin".into() } else { path.display().to_string() };
    let result = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    result.map_err(|e| Failure::Input(format!("cannot read {name}: {e}")))?;
    Ok((name, bytes))
}

fn list(stdout: &mut Sink, findings: &[(&GrammarSource, Vec<Diagnostic>)]) -> std::io::Result<()> {
    for (source, diagnostics) in findings {
        for diagnostic in diagnostics {
            stdout.diagnostic(&source.name, &source.text, diagnostic)?;
        }
    }
    Ok(())
}

fn tell(
    stdout: &mut Sink,
    grammar: &Compiled,
    name: &str,
    len: usize,
    verdict: &Verdict,
    terminals: &str,
) -> std::io::Result<()> {
    let grammar = &grammar.source().name;
    let line = match verdict {
        Verdict::Accepted => format!("{name}: accepted by {grammar}"),
        Verdict::Incomplete { expected } => format!(
            "{name}: error[incomplete]: {grammar} wants more after byte {len}: {}{terminals}",
            describe(expected)
        ),
        Verdict::Rejected(r) => format!(
            "{name}:{}:{}: error[rejected]: {grammar} does not allow byte {}; it wants {}{}{terminals}",
            r.position.line,
            r.position.column,
            r.offset,
            describe(&r.expected),
            if r.could_end && !r.expected.is_empty() { ", or the end" } else { "" },
        ),
    };
    let line = stdout.shown_in_line(&line).into_owned();
    writeln!(stdout, "{line}")
}

/// Why the text is not accepted; `None` if it is.
fn reason(grammar: &Arc<Compiled>, loaded: &Loaded, text: &[u8], verdict: &Verdict) -> Option<Reason> {
    if *verdict == Verdict::Accepted {
        return None;
    }
    let mut explainer = Explainer::new(grammar.clone(), loaded.vocabulary.clone());
    explainer.refusal(text).map(|refusal| refusal.reason)
}

/// The terminals that may come, with their places in the grammar: ` (NAME at 3:7, ":" at 3:12)`.
fn terminals(reason: Option<&Reason>) -> String {
    const MOST: usize = 4;
    let expected = reason.and_then(Reason::expected);
    let named: Vec<String> = expected
        .iter()
        .flat_map(|expected| &expected.terminals)
        .filter_map(|terminal| {
            let place = terminal.place.as_ref()?;
            Some(format!("{} at {}:{}", terminal.text, place.line, place.column))
        })
        .collect();
    let more = named.len().saturating_sub(MOST);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    match named.get(..MOST.min(named.len())) {
        None | Some([]) => String::new(),
        Some(first) => format!(" ({}{rest})", first.join(", ")),
    }
}

fn verdict_json(grammar: &Compiled, name: &str, verdict: &Verdict) -> serde_json::Value {
    let grammar = &grammar.source().name;
    match verdict {
        Verdict::Accepted => json!({ "grammar": grammar, "text": name, "verdict": "accepted" }),
        Verdict::Incomplete { expected } => json!({
            "grammar": grammar, "text": name, "verdict": "incomplete", "expected": describe(expected),
        }),
        Verdict::Rejected(r) => json!({
            "grammar": grammar, "text": name, "verdict": "rejected",
            "byte": r.offset, "line": r.position.line, "column": r.position.column,
            "expected": describe(&r.expected), "could_end": r.could_end,
        }),
    }
}

/// The findings of each file, and what `--fix` did to it.
fn findings_json(
    findings: &[(&GrammarSource, Vec<Diagnostic>)],
    fixes: Vec<serde_json::Value>,
) -> serde_json::Value {
    let mut files: Vec<_> =
        findings.iter().map(|(source, found)| json!({ "file": source.name, "diagnostics": found })).collect();
    for (file, fixed) in files.iter_mut().zip(fixes) {
        file["fixed"] = fixed;
    }
    json!({ "files": files })
}
