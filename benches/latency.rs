//! How long a key takes from the terminal to the screen while a run streams in, and how many frames a
//! second there are: the real program in a pseudo-terminal, 2,000 tokens a second. And how long the key that
//! runs takes to the embedded model's first token.
//!
//! ```sh
//! cargo bench --bench latency                 # all rows
//! cargo bench --bench latency -- prompt       # those whose name has the word
//! cargo bench --bench latency -- first        # those of the first token
//! ```
//!
//! Prints tables and judges nothing: the bars are 30 frames a second, 50 ms, and 150 ms to the first token, on a
//! quiet machine.

use std::path::Path;
use std::time::{Duration, Instant};

#[path = "../tests/support/keys.rs"]
mod keys;
#[path = "../tests/support/pty.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod pty;
#[path = "../tests/support/screen.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod screen;

use pty::Tui;

/// Keys in each case.
const KEYS: usize = 300;

/// Lines of the large grammar.
const LINES: usize = 5000;

/// What the program does while keys are typed.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    /// Keys that are pressed first.
    before: &'static [&'static str],
    large_grammar: bool,
}

const CASES: [Case; 4] = [
    Case { name: "into the prompt", before: &["Alt-2", "Ctrl-End", "Enter"], large_grammar: false },
    Case {
        name: "the same, with tint and graphs",
        before: &["Alt-V", "Alt-V", "Alt-2", "Ctrl-End", "Enter"],
        large_grammar: false,
    },
    Case {
        name: "into 5,000 lines of grammar",
        before: &["Alt-1", "Ctrl-End", "Enter"],
        large_grammar: true,
    },
    Case {
        name: "the same, with tint and graphs",
        before: &["Alt-V", "Alt-V", "Alt-1", "Ctrl-End", "Enter"],
        large_grammar: true,
    },
];

/// Starts of the program in each case of the first token.
const STARTS: usize = 30;

/// Cases of the first token: what the prompt is, and its text.
const FIRST: [(&str, &str); 2] = [
    ("the example of Python", "# Python: Return the average of a list of numbers\n"),
    (
        "a request of five sentences",
        "Write a Python function named `summarise` with parameters `lines: list[str]` and `width: int = 80`. It joins \
         the lines with single blanks and leaves out those that are empty. Words that are longer than the width are \
         cut, and three dots stand in place of what is lost. If there is no line at all, it returns an empty string. \
         Give it a docstring that says so in one sentence.",
    ),
];

fn main() {
    let word = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let firsts: Vec<_> =
        FIRST.into_iter().filter(|(name, _)| "first token".contains(&word) || name.contains(&word)).collect();
    if !firsts.is_empty() {
        first_token(&firsts);
    }
    if CASES.iter().any(|case| case.name.contains(&word)) {
        keys_of_a_run(&word);
    }
}

/// From the key that runs to the screen with the run's first token, in a program that was just started.
fn first_token(cases: &[(&str, &str)]) {
    println!("| to the first token, 160x45 | p50 | p95 | max |");
    println!("|---|---|---|---|");
    for (name, prompt) in cases {
        let prompt = format!("--prompt={prompt}");
        let arguments = ["--language=python", "--entry=function", &prompt, "--max-tokens=1", "--no-probe"];
        let mut times: Vec<Duration> = (0..STARTS)
            .map(|_| {
                let mut tui = Tui::start(Path::new(env!("CARGO_BIN_EXE_maze")), (45, 160), &arguments, &[]);
                tui.see("✓ grammar");
                while tui.stirs(Duration::from_millis(300)) {}
                tui.press("F5");
                // The only token is the last one, and shown with this.
                let time = tui.see("token limit");
                let _ = tui.child.kill();
                let _ = tui.child.wait();
                time
            })
            .collect();
        times.sort();
        let at = |share: usize| ms(times[(times.len() * share / 100).min(times.len() - 1)]);
        println!("| {name} | {} | {} | {} |", at(50), at(95), at(100));
    }
    println!();
}

/// From a key to the screen while a run streams in.
fn keys_of_a_run(word: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let (small, large) = (folder.path().join("small.lark"), folder.path().join("large.lark"));
    std::fs::write(&small, "start: TEXT\nTEXT: /(.|\\n)*/\n").expect("writable");
    std::fs::write(&large, large_grammar()).expect("writable");
    println!("| screen | keys | frames a second | p50 | p95 | p99 | max |");
    println!("|---|---|---|---|---|---|---|");
    for (columns, rows) in [(80, 24), (160, 45)] {
        for case in CASES.iter().copied().filter(|case| case.name.contains(word)) {
            let grammar = if case.large_grammar { &large } else { &small };
            let (rate, mut times) = measure((rows, columns), grammar, case);
            times.sort();
            let at = |share: usize| ms(times[(times.len() * share / 100).min(times.len() - 1)]);
            println!(
                "| {columns}x{rows} | {} | {rate:.0} | {} | {} | {} | {} |",
                case.name,
                at(50),
                at(95),
                at(99),
                at(100)
            );
        }
    }
}

/// Frames a second, and how long each key took.
fn measure(size: (u16, u16), grammar: &Path, case: Case) -> (f64, Vec<Duration>) {
    let grammar = format!("--grammar={}", grammar.display());
    let arguments = ["--model=scripted:2000", &grammar, "--max-tokens=1000000", "--no-probe"];
    let mut tui = Tui::start(Path::new(env!("CARGO_BIN_EXE_maze")), size, &arguments, &[]);
    tui.see("✓ grammar");
    for key in case.before {
        tui.press(key);
        while tui.stirs(Duration::from_millis(100)) {}
    }
    if case.large_grammar {
        // A comment, so that no key leaves the grammar broken.
        tui.send("// ");
    }
    tui.press("F5");
    tui.see("● running");
    let (clock, frames) = (Instant::now(), tui.frames());
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut typed = String::new();
    let mut times = Vec::with_capacity(KEYS);
    while times.len() < KEYS {
        // People do not type in step with frames.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let c = char::from(b'a' + (random >> 40) as u8 % 26);
        std::thread::sleep(Duration::from_micros(20_000 + random % 40_000));
        typed.push(c);
        // What is on the screen already proves nothing.
        let is_new = !tui.text().contains(&typed);
        tui.send(&c.to_string());
        let time = tui.see(&typed);
        times.extend(is_new.then_some(time));
        if typed.len() == 26 {
            typed.clear();
            tui.press("Enter");
            if case.large_grammar {
                tui.send("// ");
            }
        }
    }
    let rate = (tui.frames() - frames) as f64 / clock.elapsed().as_secs_f64();
    let _ = tui.child.kill();
    let _ = tui.child.wait();
    (rate, times)
}

/// A grammar that allows every text, and whose many rules the text never gets to.
fn large_grammar() -> String {
    let mut out = String::from("start: TEXT | \"\\x01\" more\nTEXT: /(.|\\n)*/\nmore: r0\n");
    for i in 0..LINES {
        let next = if i + 1 < LINES { format!("r{}", i + 1) } else { "\"end\"".to_owned() };
        // A grammar may have 256 KiB.
        out += &format!("r{i}: \"k{i}\" ({next} | /[a-z]+/)* // {i}\n");
    }
    out
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
