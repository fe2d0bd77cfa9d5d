//! A file that holds a text and the reason why a grammar refuses it: shown, and found again.

use std::io::Write;

use serde_json::json;

use crate::cli::ReplayArgs;
use crate::commands::explain::{self, Place, Shown, Subject};
use crate::commands::output::Sink;
use crate::commands::{Failure, load};
use crate::config::Config;
use crate::engine::explain::{Case, Explainer};
use crate::engine::load::Loaded;
use crate::engine::{GrammarSource, Trace};

pub(super) fn run(
    args: &ReplayArgs,
    config: &Config,
    name: &str,
    trace: &Trace,
    case: &Case,
) -> Result<(), Failure> {
    let source = trace.request.grammar.clone().unwrap_or_else(|| GrammarSource::lark("", ""));
    let Loaded { vocabulary, model: _ } = load(config)?;
    let compiled = explain::compile(&vocabulary, &source)?;
    let found = Explainer::unnamed(compiled.clone(), vocabulary.clone()).case(&case.text);
    let is_same = found.as_ref() == Some(case);
    let at = found.as_ref().map_or(case.text.len(), |found| found.at);
    let mut explainer = Explainer::new(compiled, vocabulary.clone());
    let mut here =
        explainer.at_text(&case.text[..at]).map_err(|error| Failure::Run(format!("{name}: {error}")))?;
    let subject = if at == case.text.len() { Subject::End } else { Subject::Rest(&case.text[at..]) };
    let reason = subject.explained(&mut here);
    let place = Place::Text { name: "text", text: &case.text, at };
    let shown = Shown { grammar: &source, vocabulary: &vocabulary, place, subject };
    let mut stdout = Sink::stdout();
    if args.json {
        let explained = shown.json(&reason, &mut here);
        stdout.json(&json!({ "case": case, "explained": explained, "verified": is_same }))?;
    } else {
        let text = stdout.shown(source.text.trim_end()).into_owned();
        writeln!(stdout, "{text}\n")?;
        shown.print(&mut stdout, &reason, &mut here)?;
        if is_same {
            writeln!(stdout, "\nVerified: the text is refused at the same byte for the same reason.")?;
        }
    }
    match (is_same, found) {
        (true, _) => Ok(()),
        (false, _) if args.json => Err(Failure::Told(1)),
        (false, None) => Err(Failure::Run(format!("{name}: the grammar accepts the text now"))),
        (false, Some(found)) => Err(Failure::Run(format!(
            "{name}: the reason is another one: {} at byte {} in the file, {} at byte {} now",
            case.mark.kind, case.at, found.mark.kind, found.at
        ))),
    }
}
