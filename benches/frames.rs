//! What a frame costs: while a run streams in, while a list of 152,000 tokens scrolls, and after a
//! key in a large grammar. A frame must stay far below 16 ms.

#[path = "../tests/terminal/playground.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod playground;
#[path = "../tests/terminal/steps.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod steps;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use maze::app::editor::EditorBuffer;
use maze::app::inspector::found::Found;
use maze::app::inspector::list::Listing;
use maze::app::look::{Graphs, Look};
use maze::app::stats::Stats;
use maze::app::transcript::Transcript;
use maze::engine::ModelInfo;
use maze::engine::export::{self, Format};
use maze::engine::trace::{Request, Trace};
use maze::engine::vocabulary::{SpecialTokens, Vocabulary};
use maze::ui::palette::palette;
use playground::Playground;

/// 34 tokens a frame are 2,000 tokens a second at 60 frames.
fn streaming(c: &mut Criterion) {
    let mut p = Playground::new(160, 45);
    p.press("F5");
    p.steps(steps::python(0, 10_000, 8192));
    let mut at = 10_000;
    c.bench_function("frame with 34 new tokens after 10,000", |b| {
        b.iter(|| {
            p.steps(steps::python(at, 34, 8192));
            at += 34;
            black_box(p.draw().area)
        });
    });
}

/// What tints and graphs cost, of a short and of a long run.
fn looks(c: &mut Criterion) {
    for count in [2_000, 20_000] {
        for (name, look, graphs) in [
            ("text", Look::Text, Graphs::Hidden),
            ("tokens, graphs", Look::Tokens, Graphs::Steps),
            ("removed mass, graphs of all", Look::Mass, Graphs::Whole),
        ] {
            let mut p = Playground::new(160, 45);
            p.press("F5");
            p.steps(steps::python(0, count, 8192));
            (p.state.look, p.state.graphs) = (look, graphs);
            c.bench_function(&format!("frame of {count} tokens: {name}"), |b| {
                b.iter(|| black_box(p.draw().area));
            });
        }
    }
}

/// How long a page of 2,000 tokens takes to make.
fn page(c: &mut Criterion) {
    let trace = Trace {
        steps: steps::python(0, 2_000, 8192),
        ..Trace::new(Request::default(), ModelInfo::default())
    };
    let palette = palette();
    c.bench_function("a page of 2,000 tokens", |b| {
        b.iter(|| export::write(&mut std::io::sink(), Format::Html, black_box(&trace), None, &palette));
    });
}

/// The same in a line that never ends.
fn one_line(c: &mut Criterion) {
    let mut p = Playground::new(160, 45);
    let text = |i: usize| steps::step(i, b"{'a': [1, 2]}, ", 8192);
    p.press("F5");
    p.steps((0..10_000).map(text).collect());
    c.bench_function("frame with 34 new tokens in one line of 10,000", |b| {
        b.iter(|| {
            p.steps((0..34).map(text).collect());
            black_box(p.draw().area)
        });
    });
}

fn typing(c: &mut Criterion) {
    let lines = |count: usize| -> String {
        (0..count).map(|i| format!("rule_{i}: \"kw{i}\" (TERM | /[a-z]+/ \",\")* // {i}\n")).collect()
    };
    let texts = [
        ("50 lines", lines(50)),
        ("500 lines", lines(500)),
        ("5000 lines", lines(5000)),
        ("20,500 lines, a megabyte", lines(20_500)),
        ("one line of a megabyte", "ab cde ".repeat(150_000)),
    ];
    for (name, text) in texts {
        let mut p = Playground::new(160, 45);
        p.state.grammar.buffer = EditorBuffer::new(&text);
        p.draw();
        c.bench_function(&format!("frame after a key in {name}"), |b| {
            b.iter(|| {
                p.state.grammar.buffer.insert("x");
                p.state.grammar.buffer.reveal_caret(80, 30);
                black_box(p.draw().area)
            });
        });
    }
}

/// A megabyte is pasted and taken back.
fn pasting(c: &mut Criterion) {
    let text = "rule: \"a\" | other // and a remark\n".repeat(30_000);
    let mut buffer = EditorBuffer::new("start: rule\n");
    c.bench_function("paste of a megabyte, and its undoing", |b| {
        b.iter(|| {
            buffer.insert(black_box(&text));
            buffer.undo()
        });
    });
}

/// The inspector over 152,000 tokens: what typing a query, moving in the list, and showing another step
/// cost, and a frame with the list in it.
fn listing(c: &mut Criterion) {
    let width = 152_000;
    let stem = |i: usize| ["the", " return", "Übung", "_id", "(self", "\n    "][i % 6];
    let mut words: Vec<Vec<u8>> = (0..width).map(|i| format!("{}{i}", stem(i)).into_bytes()).collect();
    words[0] = b"<end>".to_vec();
    let special = SpecialTokens { bos: None, eos: vec![0] };
    let vocabulary = Arc::new(Vocabulary::from_words(words, &special).expect("a vocabulary"));
    let step = steps::step(0, b"x", width);
    let insight = step.insight.as_ref().expect("steps with details");
    let before = Found::new(&vocabulary, "", None);
    for query in ["e", "ret", "RETURN", "\\x0a", "#15"] {
        c.bench_function(&format!("search 152,000 tokens for {query}"), |b| {
            b.iter(|| Found::new(&vocabulary, black_box(query), Some(&before)));
        });
    }
    let typed = Found::new(&vocabulary, "ret", None);
    c.bench_function("search on among 25,000 tokens found", |b| {
        b.iter(|| Found::new(&vocabulary, black_box("return 1"), Some(&typed)));
    });
    c.bench_function("list 152,000 tokens of a step", |b| {
        b.iter(|| Listing::new(black_box(insight), true, &before).len());
    });

    let mut p = Playground::new(160, 45);
    p.press("F10");
    let tokens: Vec<_> = (0..100).map(|i| steps::step(i, b"word ", width)).collect();
    p.steps(tokens);
    p.state.run.vocabulary = Some(vocabulary);
    for key in ["Alt-4", "t", "t"] {
        p.press(key);
    }
    c.bench_function("key and frame in a list of 76,000", |b| {
        b.iter(|| {
            p.press("PgDn");
            black_box(p.draw().area)
        });
    });
    c.bench_function("key alone in a list of 76,000", |b| b.iter(|| p.press("↑")));
}

/// Going back in a run of 4,000 tokens: the text and the figures of what is left are made anew.
fn rewinding(c: &mut Criterion) {
    let steps = steps::python(0, 4000, 8192);
    c.bench_function("text and figures of 4,000 tokens", |b| {
        b.iter(|| (Transcript::of(black_box(&steps)), Stats::of(&steps)));
    });
}

criterion_group!(benches, streaming, looks, page, one_line, typing, pasting, listing, rewinding);
criterion_main!(benches);
