//! What a run was, in a few lines: its model, what was asked of it, and how it ended.

use crate::engine::trace::Trace;
use crate::sanitize;

/// A label and a line of harmless text for each fact. A label may be empty: the line goes on from the
/// one before.
pub fn of(trace: &Trace) -> Vec<(&'static str, String)> {
    let (model, request) = (&trace.model, &trace.request);
    let s = &request.sampler;
    let grammar = request.grammar.as_ref().map_or_else(
        || "none".into(),
        |g| format!("{} ({}, {} lines)", g.name, g.kind.name(), g.text.lines().count()),
    );
    let facts = vec![
        ("model", format!("{}, {}, {}, on {}", model.name, model.architecture, model.weights, model.device)),
        ("", format!("{} tokens, fingerprint {}", model.vocab, model.fingerprint)),
        ("prompt", format!("{} tokens: {}", trace.prompt.len(), sanitize::token(request.prompt.as_bytes()))),
        ("", seam(trace)),
        ("grammar", grammar),
        (
            "sampler",
            format!(
                "temperature {}, top-k {}, top-p {}, min-p {}, penalty {}, seed {}",
                s.temperature, s.top_k, s.top_p, s.min_p, s.repetition_penalty, s.seed
            ),
        ),
        ("limits", format!("{} tokens, {} stop texts", request.max_tokens, request.stop.len())),
        ("outcome", outcome(trace)),
        ("tokens", format!("{}, {} of them forced", trace.steps.len(), trace.forced())),
    ];
    // One line each, whatever others have written into the file.
    let facts = facts.into_iter().filter(|(_, text)| !text.is_empty());
    facts.map(|(label, text)| (label, sanitize::line(&text).into_owned())).collect()
}

/// What the first step has of the prompt, if it has something.
fn seam(trace: &Trace) -> String {
    match trace.steps.first().filter(|step| step.of_prompt > 0) {
        Some(step) => {
            let last = sanitize::token(step.prompt_bytes());
            format!("its last token, {last}, is the beginning of the first step's, and not in the output")
        }
        None => String::new(),
    }
}

/// How the run ended.
fn outcome(trace: &Trace) -> String {
    let Some(outcome) = &trace.outcome else { return "none: the run had not ended".into() };
    let detail = outcome.detail.as_ref().map_or_else(String::new, |d| format!(" ({d})"));
    format!("{}{detail}, {:.2} s", outcome.reason.name(), outcome.elapsed.as_secs_f64())
}
