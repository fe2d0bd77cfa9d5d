//! A run as one web page: the tokens with their tints and the graphs in plain HTML, and a script that
//! shows what was known at each step.
//!
//! The page loads nothing: its policy names the hashes of its own style and script and forbids all
//! else, so that not even text that slipped through the escaping could run. Everything that a run says
//! goes through [`escape`](page::escape) or [`data`].

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

use crate::engine::chat::PromptMode;
use crate::engine::heat;
use crate::engine::trace::{Step, StepKind, Trace};

use super::{Colours, Names, Palette, facts};

mod data;
mod graphs;
mod page;

use page::{escape, visible_text};

/// How many candidates of each side of the mask a page keeps for a step.
pub const KEPT: usize = 12;

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

pub(super) fn write(
    out: &mut dyn Write,
    trace: &Trace,
    names: &Names<'_>,
    palette: &Palette,
) -> io::Result<()> {
    let style = style(palette);
    let grammar = trace.request.grammar.as_ref();
    let title = grammar.map_or_else(|| "a run without a grammar".to_owned(), |g| escape(&g.name));
    let count = trace.steps.len();
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"generator\" content=\"maze {}\">\n\
         <title>{title} · {count} tokens · maze</title>\n<style>{style}</style>\n</head>\n<body>\n",
        hash(&style),
        hash(SCRIPT),
        env!("CARGO_PKG_VERSION"),
    )?;
    let model = escape(&trace.model.name);
    let outcome = trace.outcome.as_ref().map_or("not ended", |o| o.reason.words());
    writeln!(
        out,
        "<header><h1>{title}</h1><p>{model} · {count} tokens, {} forced · {outcome}</p></header>\n\
         <main>\n<section class=\"run\" aria-label=\"Output\">",
        trace.forced()
    )?;
    looks(out)?;
    // No white space between the tokens: in this element every character is shown.
    write!(out, "<div class=\"tokens\" id=\"tokens\">")?;
    for (step, text) in trace.steps.iter().zip(texts(trace)) {
        token(out, step, &text)?;
    }
    writeln!(out, "</div>")?;
    graphs::write(out, trace)?;
    writeln!(
        out,
        "</section>\n<aside class=\"step\" aria-label=\"The selected token\">\n\
         <p class=\"hint\" id=\"hint\">Press a token, or walk with the arrow keys, to see what the model wanted \
         there and what the mask left of it.</p>\n<noscript><p>The text, its tints and the graphs are all \
         here; what was known at each token is shown by a script, and scripts are off.</p></noscript>\n\
         <div id=\"step\"></div>\n<p class=\"keys\"><kbd>←</kbd> <kbd>→</kbd> token <kbd>n</kbd> <kbd>N</kbd> \
         where the mask took the first choice</p>\n</aside>\n</main>"
    )?;
    about(out, trace)?;
    write!(out, "<script type=\"application/json\" id=\"data\">")?;
    data::write(out, trace, names)?;
    writeln!(out, "</script>\n<script>{SCRIPT}</script>\n</body>\n</html>")
}

/// What to choose the look of the tokens with, and what each look means. It works without a script.
fn looks(out: &mut dyn Write) -> io::Result<()> {
    for (id, label, checked) in
        [("mass", "removed mass", " checked"), ("bounds", "tokens", ""), ("plain", "text", "")]
    {
        writeln!(
            out,
            "<input type=\"radio\" name=\"look\" id=\"look-{id}\"{checked}><label for=\"look-{id}\">{label}</label>"
        )?;
    }
    write!(out, "<p class=\"legend of-mass\">Probability that the mask removed, from: ")?;
    for (level, from) in heat::FROM.iter().enumerate() {
        write!(out, "<span class=\"h{level}\">{:.0}%</span>", from * 100.0)?;
    }
    writeln!(
        out,
        " <span class=\"f\">forced</span></p>\n<p class=\"legend of-bounds\">Every second token is shaded, \
         ⏎ is the end of a line, <span class=\"f\">forced</span> tokens were the only ones allowed.</p>"
    )
}

/// The text that each token adds. A character belongs to the token that completes it.
fn texts(trace: &Trace) -> impl Iterator<Item = String> {
    let mut incomplete: Vec<u8> = Vec::new();
    let last = trace.steps.len().saturating_sub(1);
    trace.steps.iter().enumerate().map(move |(index, step)| {
        incomplete.extend_from_slice(step.text_bytes());
        let mut bytes = std::mem::take(&mut incomplete);
        let rest = bytes.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
        let may_go_on = std::str::from_utf8(rest).is_err_and(|e| e.error_len().is_none());
        if may_go_on && index < last {
            incomplete = bytes.split_off(bytes.len() - rest.len());
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn token(out: &mut dyn Write, step: &Step, text: &str) -> io::Result<()> {
    let mut classes = String::new();
    if let Some(insight) = &step.insight {
        classes = format!("h{}", heat::level(insight.mass_removed));
    }
    for (is, class) in [
        (step.kind == StepKind::Forced, " f"),
        (step.kind == StepKind::Overridden, " o"),
        (step.thinking, " k"),
        (text.is_empty(), " e"),
    ] {
        if is {
            classes += class;
        }
    }
    let classes = classes.trim_start();
    if text.is_empty() {
        let name = escape(&crate::sanitize::token(&step.bytes));
        return write!(out, "<span class=\"{classes}\" data-n=\"{name}\"></span>");
    }
    write!(out, "<span class=\"{classes}\">{}</span>", visible_text(text))
}

/// What was asked, of what, and how it ended.
fn about(out: &mut dyn Write, trace: &Trace) -> io::Result<()> {
    let request = &trace.request;
    let mut texts = vec![("Prompt", String::new(), request.prompt.as_str())];
    if let PromptMode::Chat(settings) = &request.mode {
        texts[0].1 = "in the model's chat template".into();
        texts.extend(settings.system.as_deref().map(|system| ("System prompt", String::new(), system)));
    }
    if let Some(grammar) = &request.grammar {
        texts.push(("Grammar", format!("{}, {}", escape(&grammar.name), grammar.kind.name()), &grammar.text));
    }
    writeln!(out, "<section class=\"about\" aria-label=\"The run\">")?;
    for (title, detail, text) in texts {
        let text = escape(text);
        writeln!(
            out,
            "<details><summary>{title} <small>{detail}</small></summary><pre>{text}</pre></details>"
        )?;
    }
    write!(out, "<details open><summary>The run</summary><dl>")?;
    for (label, text) in facts::of(trace) {
        let text = escape(&text);
        if label.is_empty() {
            write!(out, "<dd>{text}</dd>")?;
        } else {
            write!(out, "<dt>{label}</dt><dd>{text}</dd>")?;
        }
    }
    let stop: Vec<String> = request.stop.iter().map(|s| crate::sanitize::token(s.as_bytes())).collect();
    if !stop.is_empty() {
        write!(out, "<dt>stop</dt><dd>{}</dd>", escape(&stop.join("  ")))?;
    }
    let recorded = trace.steps.iter().filter_map(|s| s.insight.as_deref()).map(|i| i.before.len()).max();
    let kept = recorded.map_or_else(
        || "none were recorded".to_owned(),
        |most| format!("{} of {most} recorded ones on each side of the mask", most.min(KEPT)),
    );
    writeln!(out, "<dt>candidates</dt><dd>{kept}</dd></dl></details>\n</section>")
}

/// The style with the colours of both kinds of surroundings.
fn style(palette: &Palette) -> String {
    let (light, dark) = (variables(&palette.light), variables(&palette.dark));
    format!(":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n{STYLE}")
}

fn variables(colours: &Colours) -> String {
    let c = colours;
    let mut pairs = vec![
        ("bg".to_owned(), c.base.0),
        ("fg".to_owned(), c.base.1),
        ("selected-bg".to_owned(), c.selected.0),
        ("selected-fg".to_owned(), c.selected.1),
        ("boundary".to_owned(), c.boundary),
        ("dim".to_owned(), c.dim),
        ("border".to_owned(), c.border),
        ("accent".to_owned(), c.accent),
        ("forced".to_owned(), c.forced),
        ("thinking".to_owned(), c.thinking),
        ("bar".to_owned(), c.bar),
        ("bar-rejected".to_owned(), c.bar_rejected),
        ("rejected".to_owned(), c.rejected),
        ("chosen".to_owned(), c.chosen),
        ("graph".to_owned(), c.graph),
    ];
    for (level, (background, text)) in c.heat.iter().enumerate() {
        pairs.push((format!("h{level}"), *background));
        pairs.push((format!("g{level}"), *text));
    }
    pairs.iter().map(|(name, [r, g, b])| format!("--{name}:#{r:02x}{g:02x}{b:02x};")).collect()
}

/// The hash of a style or a script, as a page's policy names it.
fn hash(text: &str) -> String {
    page::base64(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests;
