//! What a page says, checked as text: no browser is needed. `tests/browser` looks at one in a browser.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::engine::AllowedSet;
use crate::engine::export::{self, Format};
use crate::engine::grammar::GrammarSource;
use crate::engine::model::ModelInfo;
use crate::engine::trace::{Candidate, Insight, Request, Timings};

/// What must not get through: markup, an end of every element, and what steers a terminal or hides.
const HOSTILE: &str =
    "</script></style></div><img src=x onerror=alert(1)>\"'&amp;<!--\u{202e}\u{1b}[31m\u{2028}";

fn palette() -> Palette {
    let [black, white] = [[0; 3], [255; 3]];
    let colours = Colours {
        base: (white, black),
        selected: (black, white),
        heat: [(white, black); heat::LEVELS],
        boundary: white,
        dim: black,
        border: black,
        accent: black,
        forced: black,
        thinking: black,
        bar: black,
        bar_rejected: black,
        rejected: black,
        chosen: black,
        graph: black,
    };
    Palette { light: colours.clone(), dark: colours }
}

fn step(token: u32, text: &[u8], removed: Option<f32>) -> Arc<Step> {
    let candidate =
        |rank: u32| Candidate { token: (token + rank) % 64, before: 0.5, after: 0.25, chance: 0.125 };
    let insight = removed.map(|mass_removed| {
        Box::new(Insight {
            before: (0..40).map(candidate).collect(),
            after: (0..40).map(candidate).collect(),
            allowed: AllowedSet::from_bits(&[0xffff_0000, 0xff], 64),
            mass_removed,
            entropy_before: 3.5,
            entropy_after: f32::NAN,
            chosen: candidate(0),
        })
    });
    Arc::new(Step {
        token,
        bytes: text.into(),
        special: false,
        of_prompt: 0,
        thinking: false,
        kind: if token.is_multiple_of(2) { StepKind::Forced } else { StepKind::Sampled },
        insight,
        timings: Timings { forward: Duration::from_micros(1234), ..Timings::default() },
    })
}

fn trace(steps: Vec<Arc<Step>>) -> Trace {
    let request = Request {
        prompt: format!("prompt {HOSTILE}"),
        grammar: Some(GrammarSource::lark(format!("grammar {HOSTILE}"), format!("start: \"{HOSTILE}\""))),
        stop: vec![HOSTILE.into()],
        ..Request::default()
    };
    let info = ModelInfo { name: format!("model {HOSTILE}"), vocab: 64, ..ModelInfo::default() };
    Trace { steps, ..Trace::new(request, info) }
}

fn page(trace: &Trace) -> String {
    let mut out = Vec::new();
    export::write(&mut out, Format::Html, trace, None, &palette()).unwrap();
    String::from_utf8(out).unwrap()
}

/// The text between two marks.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let from = page.find(start).unwrap_or_else(|| panic!("no {start}")) + start.len();
    &page[from..from + page[from..].find(end).unwrap()]
}

/// The text of an element's inside, as a browser shows it.
fn shown(html: &str) -> String {
    let mut out = String::new();
    let mut is_tag = false;
    for c in html.chars() {
        match c {
            '<' => is_tag = true,
            '>' if is_tag => is_tag = false,
            _ if !is_tag => out.push(c),
            _ => {}
        }
    }
    for (entity, c) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
        out = out.replace(entity, c);
    }
    out
}

#[test]
fn hostile_text_stays_text_everywhere() {
    let steps = vec![step(1, HOSTILE.as_bytes(), Some(0.3)), step(2, b"\xff<b>", None)];
    let page = page(&trace(steps));
    for forbidden in ["<img", "<!--", "\u{202e}", "\u{1b}", "\u{2028}", "<b>"] {
        assert!(!page.contains(forbidden), "{forbidden:?}");
    }
    for (element, count) in [("script", 2), ("style", 1), ("main", 1), ("body", 1), ("html", 1)] {
        assert_eq!(page.matches(&format!("</{element}>")).count(), count, "{element}");
    }
    let opened = page.matches("<div").count();
    assert_eq!(page.matches("</div>").count(), opened);
    assert_eq!(page.matches("alert(1)").count(), page.matches("&gt;&quot;&#39;&amp;amp;&lt;!--").count() + 1);
}

#[test]
fn nothing_is_loaded_and_only_its_own_script_runs() {
    let plain = Trace {
        steps: vec![step(1, b"x", Some(0.3))],
        ..Trace::new(Request::default(), ModelInfo::default())
    };
    let page = page(&plain);
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{policy}");
    let script = between(&page, "</script>\n<script>", "</script>");
    assert!(policy.contains(&format!("script-src 'sha256-{}'", hash(script))), "{policy}");
    let style = between(&page, "<style>", "</style>");
    assert!(policy.contains(&format!("style-src 'sha256-{}'", hash(style))), "{policy}");
    let lower = page.to_lowercase();
    for outside in ["src=", "href=", "url(", "@import", "http:", "https:", " style=", " onclick", "innerhtml"]
    {
        assert!(!lower.replace("http-equiv", "").contains(outside), "{outside}");
    }
}

#[test]
fn the_tokens_are_the_output() {
    let texts: [&[u8]; 7] =
        [b"def f", b"():\n\t", "é日".as_bytes(), b"\xf0\x9f", b"\xa6\x80", b"a & b", b"\xff"];
    let steps: Vec<Arc<Step>> = (0..).zip(texts).map(|(i, text)| step(i, text, Some(0.9))).collect();
    let trace = trace(steps);
    let page = page(&trace);
    let tokens = between(&page, "id=\"tokens\">", "</div>");
    assert_eq!(shown(tokens), trace.text());
    assert_eq!(tokens.matches("<span").count(), texts.len());
    assert!(tokens.contains("<span class=\"h5 e\" data-n=\"⟨F0⟩⟨9F⟩\"></span>"), "{tokens}");
    assert!(tokens.contains("<span class=\"h5 f\">🦀</span>"), "{tokens}");
}

#[test]
fn tints_follow_the_scale() {
    let masses = [None, Some(0.0), Some(0.02), Some(0.1), Some(0.3), Some(0.6), Some(0.9), Some(1.0)];
    let steps = masses.iter().map(|&mass| step(1, b"x", mass)).collect();
    let page = page(&trace(steps));
    let tokens = between(&page, "id=\"tokens\">", "</div>");
    let wanted =
        ["", "h0", "h1", "h2", "h3", "h4", "h5", "h6"].map(|c| format!("<span class=\"{c}\">x</span>"));
    assert_eq!(tokens, wanted.concat());
}

#[test]
fn the_data_is_json_and_says_what_the_trace_says() {
    let trace = trace(vec![step(17, HOSTILE.as_bytes(), Some(0.123_456)), step(2, b"y", None)]);
    let page = page(&trace);
    let data: Value = serde_json::from_str(between(&page, "id=\"data\">", "</script>")).unwrap();
    let (first, second) = (&data["steps"][0], &data["steps"][1]);
    assert_eq!((&first[0], &first[1], &first[2][0]), (&17.into(), &"sampled".into(), &1234.into()));
    assert_eq!((&first[3], &first[4], &first[5][0]), (&24.into(), &64.into(), &0.1235.into()));
    assert_eq!(first[5][2], Value::Null, "what is no number is said to be none");
    assert_eq!(first[7][0].as_array().map(Vec::len), Some(KEPT));
    let allowed = &trace.steps[0].insight.as_ref().unwrap().allowed;
    for (i, id) in first[7][0].as_array().unwrap().iter().enumerate() {
        let is_lost = first[7][2].as_str().unwrap().as_bytes()[i] == b'x';
        assert_eq!(is_lost, !allowed.contains(id.as_u64().unwrap() as u32));
        assert!(data["names"].get(id.to_string()).is_some());
    }
    assert_eq!(data["names"]["17"], crate::sanitize::token(HOSTILE.as_bytes()));
    assert_eq!(data["names"]["20"], "#20", "its text is not known");
    assert_eq!(second.as_array().map(Vec::len), Some(3));
    assert!(page.contains(&format!("{KEPT} of 40 recorded ones")));
}

/// Long runs are not refused, and their graphs do not grow with them.
#[test]
fn pages_stay_small() {
    let size =
        |count: u32| page(&trace((0..count).map(|i| step(i % 64, b"word ", Some(0.5))).collect())).len();
    let (short, long) = (size(1000), size(4000));
    let per_token = (long - short) / 3000;
    assert!(per_token < 700, "{per_token} bytes a token");
    assert!(short < 1_500_000 / 2, "{short}");
    assert!(page(&trace(Vec::new())).contains("0 tokens, 0 forced"));
}
