//! Grammars leave no memory behind. Alone in its process, for what it looks at is of all of that.

use maze::engine::Diagnostic;
use maze::engine::grammar::{Compiled, GrammarSource};

#[path = "support/nano.rs"]
mod nano;

fn compile(text: String) -> (Option<Compiled>, Vec<Diagnostic>) {
    nano::COMPILER.compile(&GrammarSource::lark("one of many", text))
}

/// llguidance keeps nothing between grammars, and neither do we.
#[cfg(target_os = "linux")]
#[test]
fn thousands_of_grammars_leave_no_memory_behind() {
    fn resident_kib() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").expect("this process");
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("a resident size");
        line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
    }
    let batch = |from: usize| {
        for i in from..from + 1_000 {
            let (compiled, found) =
                compile(format!("start: \"{i}\" (NAME \"{i}\")*\nNAME: /[a-z]{{1,{}}}/", i % 30 + 1));
            assert!(compiled.is_some(), "{found:?}");
        }
    };
    batch(0);
    let before = resident_kib();
    batch(1_000);
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 24 * 1024, "1,000 grammars left {grown} KiB behind");
}
