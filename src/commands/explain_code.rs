//! `maze explain-code`: what a kind of finding is about.

use std::io::Write;

use serde_json::json;

use super::Failure;
use super::output::Sink;
use crate::cli::ExplainCodeArgs;
use crate::engine::codes::{self, Code, Example};
use crate::engine::grammar::GrammarKind;

pub(super) fn run(args: &ExplainCodeArgs) -> Result<(), Failure> {
    let mut stdout = Sink::stdout();
    let Some(name) = args.code.as_deref().filter(|_| !args.list) else {
        if args.json {
            let all: Vec<_> = codes::all().iter().map(as_json).collect();
            return Ok(stdout.json(&json!({ "codes": all }))?);
        }
        return Ok(list(&mut stdout)?);
    };
    // As it stands in a message: `M050`, `undefined-name`, or both.
    let wanted = name.trim_matches(['[', ']', ' ']).split(' ').next().unwrap_or_default();
    let code = codes::find(wanted).ok_or_else(|| {
        let meant = codes::near(wanted);
        let meant = meant.map_or_else(
            || "`maze explain-code --list` lists all".to_owned(),
            |c| format!("did you mean {} ({})?", c.number, c.slug),
        );
        Failure::Input(format!("there is no code {name:?}; {meant}"))
    })?;
    if args.json {
        stdout.json(&as_json(code))?
    } else {
        tell(&mut stdout, code)?
    }
    Ok(())
}

/// One line for each code.
fn list(stdout: &mut Sink) -> std::io::Result<()> {
    for code in codes::all() {
        let Code { number, slug, .. } = code;
        let title = stdout.shown_in_line(code.title).into_owned();
        if stdout.is_plain() {
            writeln!(stdout, "{number} {slug}: {title}; {}", code.severity())?;
        } else {
            writeln!(stdout, "{number}  {:<16}  {slug:<22}  {title}", code.severity())?;
        }
    }
    Ok(())
}

fn tell(stdout: &mut Sink, code: &Code) -> std::io::Result<()> {
    let (title, text) = (stdout.shown(code.title).into_owned(), stdout.shown(code.text).into_owned());
    writeln!(stdout, "{} {} ({})\n{title}\n\n{text}", code.number, code.slug, code.severity())?;
    for (heading, example) in [("has it", &code.bad), ("does not", &code.good)] {
        let Some(Example { kind, text }) = example else { continue };
        let indent = if stdout.is_plain() { "" } else { "    " };
        writeln!(stdout, "\n{} that {heading}:\n", kind.name())?;
        for line in stdout.shown(text).into_owned().lines() {
            writeln!(stdout, "{indent}{line}")?;
        }
    }
    Ok(())
}

fn as_json(code: &Code) -> serde_json::Value {
    let example = |example: &Option<Example>| match example {
        Some(Example { kind, text }) => json!({ "kind": of_kind(*kind), "text": text }),
        None => serde_json::Value::Null,
    };
    let severities: Vec<&str> = code.severities.iter().map(|s| s.name()).collect();
    json!({
        "number": code.number, "code": code.slug, "severity": severities, "title": code.title,
        "text": code.text.replace('\n', " "), "bad": example(&code.bad), "good": example(&code.good),
    })
}

/// The name of a language in JSON.
fn of_kind(kind: GrammarKind) -> serde_json::Value {
    serde_json::to_value(kind).unwrap_or_default()
}
