//! `maze test`: whether grammars accept and reject what their cases say, and what else they accept.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::output::Sink;
use super::{Failure, load, read_grammar};
use crate::cli::TestArgs;
use crate::config::{self, Config};
use crate::engine::cases::coverage::{self, Coverage};
use crate::engine::cases::near::{self, Found};
use crate::engine::cases::{Beside, Case, Cases, Entries, Origin, Problem, Ran, Report, Wants, list};
use crate::engine::check;
use crate::engine::diagnostic;
use crate::engine::grammar::{Compiled, Compiler, library};
use crate::engine::{Diagnostic, GrammarKind, GrammarSource, Severity};

/// A grammar and all that came of it.
struct Tested {
    source: GrammarSource,
    diagnostics: Vec<Diagnostic>,
    compiled: Option<Compiled>,
    /// The file for its cases; none for a shipped grammar.
    list: Option<PathBuf>,
    report: Report,
    near: Option<Found>,
    /// What the accepted cases use, or why that is not known.
    coverage: Option<Result<Coverage, String>>,
}

pub(super) fn run(args: &TestArgs) -> Result<(), Failure> {
    let config = Config::new(&args.model, config::environment).map_err(Failure::Input)?;
    let sources = args.grammars.iter().map(|name| grammar(name)).collect::<Result<Vec<_>, _>>()?;
    let loaded = load(&config)?;
    let compiler = Compiler::new(&loaded.vocabulary).map_err(Failure::Run)?;
    let mut stdout = Sink::stdout();
    let mut all = Vec::new();
    for (source, beside) in sources {
        let tested = test(&compiler, source, &beside, args);
        if !args.json {
            tell(&mut stdout, &tested)?;
        }
        all.push(tested);
    }
    if args.json {
        stdout.json(&json!({ "grammars": all.iter().map(grammar_json).collect::<Vec<_>>() }))?;
    } else if all.len() > 1 {
        sum(&mut stdout, &all)?;
    }
    let has_cases = all.iter().any(|t| !t.report.ran.is_empty());
    if all.iter().any(|t| t.compiled.is_none() || !t.report.problems.is_empty()) || !has_cases {
        return Err(Failure::Told(2));
    }
    if all.iter().any(|t| t.report.failures().next().is_some()) { Err(Failure::Told(1)) } else { Ok(()) }
}

/// The grammar in a file, or the shipped one of a name.
pub(super) fn grammar(name: &str) -> Result<(GrammarSource, Beside), Failure> {
    let path = Path::new(name);
    match library::find(name) {
        Some(shipped) if GrammarKind::of_path(path).is_none() && !path.exists() => {
            Ok((shipped.source(), Beside::Shipped))
        }
        _ => Ok((read_grammar(path)?, Beside::File(path.to_owned()))),
    }
}

fn test(compiler: &Compiler, source: GrammarSource, beside: &Beside, args: &TestArgs) -> Tested {
    let (compiled, diagnostics) = compiler.compile(&source);
    let list = match beside {
        Beside::File(path) => Some(list::beside(path)),
        _ => None,
    };
    let cases = Cases::of(&source, beside);
    let (mut report, mut near, mut used) = (Report::default(), None, None);
    match &compiled {
        Some(compiled) => {
            let mut grammars = Entries::new(compiled, compiler);
            report = cases.run(&mut grammars, &mut || true).unwrap_or_default();
            used = args.coverage.then(|| coverage::coverage(&mut grammars, &report));
        }
        None => report.problems = cases.problems,
    }
    if let (Some(compiled), Some(most)) = (&compiled, args.near_misses) {
        let start = source.entry();
        let known: Vec<&Case> =
            report.ran.iter().map(|ran| &ran.case).filter(|case| case.is_of(start)).collect();
        let seed = args.seed.unwrap_or(0);
        near = near::search(compiled, &report.accepted_at_start(&source), &known, most, seed, &mut || true);
    }
    Tested { source, diagnostics, compiled, list, report, near, coverage: used }
}

impl Tested {
    fn elapsed(&self) -> Duration {
        self.report.ran.iter().map(|ran| ran.elapsed).sum()
    }

    /// A finding at a byte of a case, with the name and the text that it is about.
    fn finding(&self, case: &Case, offset: usize, code: &'static str, message: String) -> Shown {
        let text = String::from_utf8_lossy(&case.text).into_owned();
        let (name, text, at) = match &case.origin {
            Origin::Block(place) => (self.source.name.clone(), self.source.text.clone(), place.of(offset)),
            Origin::Listed(file, place) => {
                (file.path.display().to_string(), file.text.clone(), place.of(offset))
            }
            origin => {
                let (_, before) = diagnostic::shown(&case.text, offset);
                let name = match origin {
                    Origin::File(path) => path.display().to_string(),
                    Origin::Listed(file, _) => file.path.display().to_string(),
                    _ => format!("{} {}", self.source.name, case.name),
                };
                (name, text, before)
            }
        };
        let end = text.get(at..).and_then(|rest| rest.chars().next()).filter(|&c| c != '\n');
        let mut diagnostic = Diagnostic::error(&text, at..at + end.map_or(0, char::len_utf8), code, message);
        if !matches!(case.origin, Origin::Block(_) | Origin::Listed(..)) {
            // The same line and column that the name of the file may say.
            diagnostic.start = check::position(&case.text, offset);
        }
        Shown { name, text, diagnostic }
    }
}

/// A finding about a text.
struct Shown {
    name: String,
    text: String,
    diagnostic: Diagnostic,
}

fn tell(stdout: &mut Sink, tested: &Tested) -> io::Result<()> {
    for diagnostic in &tested.diagnostics {
        stdout.diagnostic(&tested.source.name, &tested.source.text, diagnostic)?;
    }
    let (count, failed) = (tested.report.ran.len(), tested.report.failures().count());
    let line = match (&tested.compiled, count, failed) {
        (None, ..) => "not tested, because it does not compile".to_owned(),
        (Some(_), 0, _) => nothing(tested),
        (Some(_), _, 0) if tested.report.problems.is_empty() => {
            format!("ok, {} in {}", sorts(tested), millis(tested.elapsed()))
        }
        (Some(_), _, 0) => format!("{} pass, but not every case can be read", sorts(tested)),
        _ => format!("FAILED, {failed} of {}", cases(count)),
    };
    say(stdout, &format!("{}: {line}", tested.source.name))?;
    for Problem { file, position, message } in &tested.report.problems {
        let place = match (file, position) {
            (Some(file), Some(p)) => format!("{}:{}:{}", file.display(), p.line, p.column),
            (Some(file), None) => file.display().to_string(),
            (None, Some(p)) => format!("{}:{}:{}", tested.source.name, p.line, p.column),
            (None, None) => tested.source.name.clone(),
        };
        say(stdout, &format!("{place}: error[case]: {message}"))?;
    }
    for ran in tested.report.failures() {
        let offset = ran.offset().unwrap_or(0);
        let code = ran.code().unwrap_or_default();
        let Shown { name, text, diagnostic } = tested.finding(&ran.case, offset, code, ran.sentence.clone());
        stdout.place(&name, &text, &diagnostic, &format!("error[{code}]"))?;
    }
    covered(stdout, tested)?;
    near_misses(stdout, tested)
}

/// How much of the grammar the accepted cases use, and what they do not.
fn covered(stdout: &mut Sink, tested: &Tested) -> io::Result<()> {
    let name = &tested.source.name;
    let coverage = match &tested.coverage {
        None => return Ok(()),
        Some(Ok(coverage)) => coverage,
        Some(Err(reason)) => return say(stdout, &format!("{name}: coverage is not known: {reason}")),
    };
    let ((rules, all_rules), (used, all)) = (coverage.rules(), coverage.alternatives());
    say(
        stdout,
        &format!(
            "{name}: coverage {} %: {rules} of {all_rules} rules, {used} of {all} alternatives",
            coverage.percent()
        ),
    )?;
    for rule in coverage.rules.iter().filter(|rule| rule.alternatives.iter().any(|a| a.count == 0)) {
        for (i, alternative) in rule.alternatives.iter().enumerate().filter(|(_, a)| a.count == 0) {
            let place =
                alternative.position.map_or_else(String::new, |p| format!(":{}:{}", p.line, p.column));
            let text = alternative.text.as_ref().map_or_else(String::new, |text| {
                let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
                format!(": {}", quoted(words.as_bytes()))
            });
            let which = match (rule.is_used(), rule.alternatives.len()) {
                (_, 1) => format!("rule {}", rule.name),
                (is_used, _) => {
                    let of = if is_used { "" } else { ", none of which is used" };
                    format!("alternative {} of rule {}{of}", i + 1, rule.name)
                }
            };
            say(stdout, &format!("{name}{place}: not used: {which}{text}"))?;
        }
    }
    Ok(())
}

/// What to do where there is no case.
fn nothing(tested: &Tested) -> String {
    if !tested.report.problems.is_empty() {
        return "no cases that can be run".to_owned();
    }
    match &tested.list {
        Some(list) => format!("no cases; write them into {}, such as `accept \"a text\"`", list.display()),
        None => "no cases".to_owned(),
    }
}

fn sorts(tested: &Tested) -> String {
    let accept = tested.report.ran.iter().filter(|ran| ran.case.wants == Wants::Accept).count();
    format!(
        "{} ({accept} to accept, {} to reject)",
        cases(tested.report.ran.len()),
        tested.report.ran.len() - accept
    )
}

fn cases(count: usize) -> String {
    if count == 1 { "1 case".to_owned() } else { format!("{count} cases") }
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn say(stdout: &mut Sink, line: &str) -> io::Result<()> {
    let line = stdout.shown_in_line(line).into_owned();
    writeln!(stdout, "{line}")
}

fn near_misses(stdout: &mut Sink, tested: &Tested) -> io::Result<()> {
    let Some(found) = &tested.near else { return Ok(()) };
    let accepted = tested.report.accepted_at_start(&tested.source);
    let shown = match (accepted.is_empty(), found.near.len()) {
        (true, _) => "no case is accepted that could be changed".to_owned(),
        (_, 0) => format!("the grammar accepts none of {} texts close to its cases", found.tried),
        (_, n) => format!(
            "the grammar accepts {} of {} texts close to its cases; the most surprising {}",
            found.accepted,
            found.tried,
            if n == 1 { "one".to_owned() } else { n.to_string() },
        ),
    };
    say(stdout, &format!("{}: {shown}", tested.source.name))?;
    for near in &found.near {
        let case = accepted[near.case];
        let old = &case.text[near.change.span.clone()];
        let what = match (old.is_empty(), near.change.new.is_empty()) {
            (true, _) => format!("with {} added", quoted(&near.change.new)),
            (_, true) => format!("without {}", quoted(old)),
            _ => format!("with {} in place of {}", quoted(&near.change.new), quoted(old)),
        };
        let more = match near.more {
            0 => String::new(),
            more => format!(" (and {more} more like it)"),
        };
        let Shown { name, diagnostic, .. } =
            tested.finding(case, near.change.span.start, "near-miss", what.clone());
        let place = format!("{name}:{}:{}", diagnostic.start.line, diagnostic.start.column);
        say(stdout, &format!("{place}: accepted {what}{more}"))?;
        let line = changed_line(&case.text, &near.change);
        say(stdout, &if stdout.is_plain() { format!("text: {line}") } else { format!("  {line}") })?;
    }
    Ok(())
}

/// A text as it stands in quotes, not too long.
fn quoted(text: &[u8]) -> String {
    const MOST: usize = 40;
    let text = String::from_utf8_lossy(text);
    let cut: String = text.chars().take(MOST).collect();
    let is_cut = cut.len() < text.len();
    format!("`{}{}`", escaped(&cut), if is_cut { "…" } else { "" })
}

/// The line of a text that a change is in, with what was taken out as `[-…-]` and what was put in as
/// `{+…+}`.
fn changed_line(text: &[u8], change: &near::Change) -> String {
    const AROUND: usize = 40;
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let start = text[..change.span.start].iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    let end = text[change.span.end..].iter().position(|&b| b == b'\n');
    let end = end.map_or(text.len(), |at| change.span.end + at);
    let before = lossy(&text[start..change.span.start]);
    let after = lossy(&text[change.span.end..end]);
    let skipped = before.chars().count().saturating_sub(AROUND);
    let before: String = before.chars().skip(skipped).collect();
    let rest: String = after.chars().take(AROUND).collect();
    let mut out = format!("{}{}", if skipped > 0 { "…" } else { "" }, escaped(&before));
    for (open, part, close) in [("[-", &text[change.span.clone()], "-]"), ("{+", &change.new[..], "+}")] {
        if !part.is_empty() {
            out +=
                &format!("{open}{}{close}", escaped(&lossy(part).chars().take(AROUND).collect::<String>()));
        }
    }
    out + &escaped(&rest) + if rest.len() < after.len() { "…" } else { "" }
}

/// A text with its line breaks and tabs written as people write them.
fn escaped(text: &str) -> String {
    text.replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r")
}

/// One line about all grammars.
fn sum(stdout: &mut Sink, all: &[Tested]) -> io::Result<()> {
    let count: usize = all.iter().map(|t| t.report.ran.len()).sum();
    let failed: usize = all.iter().map(|t| t.report.failures().count()).sum();
    let empty = all.iter().filter(|t| t.compiled.is_some() && t.report.ran.is_empty()).count();
    let broken = all.iter().filter(|t| t.compiled.is_none()).count();
    let mut line =
        format!("{} grammars, {}: {} pass, {failed} fail", all.len(), cases(count), count - failed);
    for (number, what) in [(empty, "without cases"), (broken, "with mistakes")] {
        if number > 0 {
            line += &format!(", {number} {what}");
        }
    }
    say(stdout, &line)
}

fn grammar_json(tested: &Tested) -> Value {
    let warnings = tested.diagnostics.iter().filter(|d| d.severity == Severity::Warning).count();
    json!({
        "grammar": tested.source.name,
        "compiles": tested.compiled.is_some(),
        "warnings": warnings,
        "diagnostics": tested.diagnostics,
        "cases": tested.report.ran.iter().map(|ran| case_json(tested, ran)).collect::<Vec<_>>(),
        "passed": tested.report.ran.len() - tested.report.failures().count(),
        "failed": tested.report.failures().count(),
        "problems": tested.report.problems.iter().map(|p| json!({
            "file": p.file.as_ref().map(|file| file.display().to_string()),
            "line": p.position.map(|p| p.line),
            "message": p.message,
        })).collect::<Vec<_>>(),
        "coverage": tested.coverage.as_ref().map(coverage_json),
        "near_misses": tested.near.as_ref().map(|found| near_json(tested, found)),
    })
}

fn case_json(tested: &Tested, ran: &Ran) -> Value {
    let file = match &ran.case.origin {
        Origin::File(path) => path.display().to_string(),
        Origin::Listed(file, _) => file.path.display().to_string(),
        _ => tested.source.name.clone(),
    };
    let at = ran.offset().map(|offset| check::position(&ran.case.text, offset));
    json!({
        "name": ran.case.name,
        "file": file,
        "entry": ran.case.entry,
        "wants": if ran.case.wants == Wants::Accept { "accept" } else { "reject" },
        "passes": ran.passes(),
        "failure": ran.code(),
        "message": ran.sentence.clone(),
        "byte": ran.offset(),
        "line": at.map(|at| at.line),
        "column": at.map(|at| at.column),
        "expected": ran.expected(),
        "terminals": ran.terminals,
        "seconds": ran.elapsed.as_secs_f64(),
    })
}

fn coverage_json(coverage: &Result<Coverage, String>) -> Value {
    match coverage {
        Err(reason) => json!({ "unknown": reason }),
        Ok(coverage) => json!({
            "percent": coverage.percent(),
            "rules": coverage.rules.iter().map(|rule| json!({
                "name": rule.name,
                "alternatives": rule.alternatives.iter().map(|alternative| json!({
                    "line": alternative.position.map(|p| p.line),
                    "column": alternative.position.map(|p| p.column),
                    "text": alternative.text,
                    "count": alternative.count,
                })).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        }),
    }
}

fn near_json(tested: &Tested, found: &Found) -> Value {
    let accepted = tested.report.accepted_at_start(&tested.source);
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let near = found.near.iter().map(|near| {
        let case = accepted[near.case];
        json!({
            "case": case.name,
            "byte": near.change.span.start,
            "removed": lossy(&case.text[near.change.span.clone()]),
            "added": lossy(&near.change.new),
            "text": lossy(&near.change.apply(&case.text)),
            "more_like_it": near.more,
        })
    });
    json!({ "tried": found.tried, "accepted": found.accepted, "list": near.collect::<Vec<_>>() })
}
