//! Two runs side by side: where they part, and what differs between them.
//!
//! Functions of two traces; what is drawn of them is in [`ui::compare`](crate::ui::compare).

use crate::engine::trace::{Request, Step, Trace};
use crate::store::journal::CUT_OFF;

use super::stats::Stats;

/// What the person looks at in two runs. The keys move in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compare {
    /// The numbers of the runs.
    pub runs: [u32; 2],
    /// The token under inspection in both, counted from the start of each.
    pub at: usize,
}

/// How many tokens two runs have in common from the start. Runs of two models may cut one text
/// differently, so a token is the same if its text is.
pub fn common<S: AsRef<Step>>(left: &[S], right: &[S]) -> usize {
    let is_same = |(a, b): &(&S, &S)| a.as_ref().bytes == b.as_ref().bytes;
    left.iter().zip(right).take_while(is_same).count()
}

/// A figure or a setting in both runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub name: &'static str,
    /// Its values.
    pub values: [String; 2],
}

impl Line {
    fn new(name: &'static str, values: [String; 2]) -> Self {
        Self { name, values }
    }

    /// Whether both runs have the same.
    pub fn is_same(&self) -> bool {
        self.values[0] == self.values[1]
    }
}

/// The probability that the mask removed at a step, on average over those where it was recorded.
pub fn mean_removed(trace: &Trace) -> Option<f32> {
    let of_steps: Vec<f32> =
        trace.steps.iter().filter_map(|s| Some(s.insight.as_ref()?.mass_removed)).collect();
    (!of_steps.is_empty()).then(|| of_steps.iter().sum::<f32>() / of_steps.len() as f32)
}

/// The figures of both runs, whether they differ or not.
pub fn figures(traces: [&Trace; 2], stats: [&Stats; 2], format: &Formats) -> Vec<Line> {
    let of = |value: &dyn Fn(usize) -> String| [value(0), value(1)];
    vec![
        Line::new("ended", of(&|i| outcome(traces[i]))),
        Line::new("tokens", of(&|i| format!("{}, {} forced", stats[i].tokens, stats[i].forced))),
        Line::new("tokens/s", of(&|i| stats[i].rate().map_or_else(dash, format.rate))),
        Line::new("removed", of(&|i| mean_removed(traces[i]).map_or_else(dash, format.percent))),
    ]
}

/// How numbers are written.
pub struct Formats {
    /// Tokens a second.
    pub rate: fn(f64) -> String,
    /// A share of one.
    pub percent: fn(f32) -> String,
}

fn dash() -> String {
    "–".to_owned()
}

fn outcome(trace: &Trace) -> String {
    let is_cut_off = trace.outcome.as_ref().is_some_and(|o| o.detail.as_deref() == Some(CUT_OFF));
    if is_cut_off {
        return "cut off".into();
    }
    trace.outcome.as_ref().map_or_else(|| "failed".into(), |o| o.reason.words().into())
}

/// What the two runs were asked for that differs.
pub fn differences(traces: [&Trace; 2]) -> Vec<Line> {
    let requests = traces.map(|trace| &trace.request);
    let both = |name, of: &dyn Fn(&Request) -> String| Line::new(name, requests.map(of));
    let lines = vec![
        Line::new("model", traces.map(|t| format!("{} on {}", t.model.name, t.model.device))),
        both("prompt", &|r| quoted(&r.prompt)),
        both("mode", &|r| r.mode.name().to_owned()),
        both("system", &|r| match &r.mode {
            crate::engine::chat::PromptMode::Chat(chat) => quoted(chat.system.as_deref().unwrap_or_default()),
            crate::engine::chat::PromptMode::Raw => String::new(),
        }),
        both("thinking", &|r| match &r.mode {
            crate::engine::chat::PromptMode::Chat(chat) => chat.thinking.map_or_else(dash, |n| n.to_string()),
            crate::engine::chat::PromptMode::Raw => String::new(),
        }),
        both("temperature", &|r| r.sampler.temperature.to_string()),
        both("top-k", &|r| r.sampler.top_k.to_string()),
        both("top-p", &|r| r.sampler.top_p.to_string()),
        both("min-p", &|r| r.sampler.min_p.to_string()),
        both("penalty", &|r| r.sampler.repetition_penalty.to_string()),
        both("seed", &|r| r.sampler.seed.to_string()),
        both("max tokens", &|r| r.max_tokens.to_string()),
    ];
    let grammar = |r: &Request| r.grammar.as_ref().map(|g| (g.kind, g.text.clone()));
    let mut out: Vec<Line> = lines.into_iter().filter(|line| !line.is_same()).collect();
    if grammar(requests[0]) != grammar(requests[1]) {
        out.insert(0, Line::new("grammar", grammars(requests)));
    }
    out
}

/// The names of two grammars, and where two of one name differ first.
fn grammars(requests: [&Request; 2]) -> [String; 2] {
    let lines = requests.map(|r| r.grammar.as_ref().map_or_else(Vec::new, |g| g.text.lines().collect()));
    let first = lines[0].iter().zip(&lines[1]).take_while(|(a, b)| a == b).count();
    let mut index = 0;
    requests.map(|request| {
        let line = lines[index].get(first).copied().unwrap_or("(its end)").trim();
        index += 1;
        let name = request.grammar.as_ref().map_or("none", |g| g.name.as_str());
        format!("{name}, line {}: {line}", first + 1)
    })
}

/// A text in one line.
fn quoted(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::GrammarSource;
    use crate::engine::model::ModelInfo;

    fn trace(change: impl FnOnce(&mut Request)) -> Trace {
        let mut request = Request {
            grammar: Some(GrammarSource::lark("a.lark", "start: a\na: \"x\"\n")),
            ..Request::default()
        };
        change(&mut request);
        Trace::new(request, ModelInfo::default())
    }

    #[test]
    fn only_what_differs_is_listed() {
        let one = trace(|_| {});
        assert_eq!(differences([&one, &one]), []);
        let other = trace(|r| {
            r.sampler.temperature = 0.7;
            r.grammar = Some(GrammarSource::lark("a.lark", "start: a\na: \"y\"\n"));
        });
        let found = differences([&one, &other]);
        let shown: Vec<String> =
            found.iter().map(|l| format!("{}: {} | {}", l.name, l.values[0], l.values[1])).collect();
        assert_eq!(
            shown,
            ["grammar: a.lark, line 2: a: \"x\" | a.lark, line 2: a: \"y\"", "temperature: 0 | 0.7"]
        );
    }
}
