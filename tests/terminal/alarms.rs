//! Alarms on the screen: a run that can never be complete says so, from the step on from which it
//! cannot.

use super::playground::Playground;

/// A playground with this grammar, whose run has paused after some steps.
fn run(lark: &str, steps: usize) -> Playground {
    let mut p = Playground::new(120, 40);
    p.state.grammar.buffer.set_text(lark);
    p.press("Alt-1");
    p.press("Ctrl-End");
    p.type_text("\n");
    p.press("F5");
    p.advance(steps);
    p.press("F5");
    p
}

const ALARM: &str = "▲ can never be complete";

#[test]
fn a_run_without_an_end_is_told_of() {
    let endless = "start: head line\nhead: /def [^\\n]*/ \"\\n\"\nline: /    [^\\n]+/ \"\\n\" line\n";
    let mut p = run(endless, 12);
    assert!(p.screen().contains(ALARM), "{}", p.screen());
    p.press("Alt-3");
    p.press("Home");
    assert!(p.screen().contains(ALARM) && p.screen().contains(", no end"), "{}", p.screen());
    // The same grammar with a way out.
    let mut p = run(&endless.replace("\" line\n", "\" line?\n"), 12);
    assert!(!p.screen().contains(ALARM), "{}", p.screen());
}

#[test]
fn only_the_steps_without_an_end_are_told_of() {
    let branch =
        "start: head (\"end\" | line)\nhead: /def [^\\n]*/ \"\\n\"\nline: /    [^\\n]+/ \"\\n\" line\n";
    let mut p = run(branch, 12);
    assert!(p.screen().contains(ALARM), "{}", p.screen());
    let first = p.state.run.steps().iter().position(|step| step.bytes.ends_with(b"\n")).expect("a line") + 1;
    // The last step of the first line could still end; the one after it not any more.
    for (step, is_told) in [(0, false), (first - 1, false), (first, true), (11, true)] {
        p.state.run.selected = Some(step);
        assert_eq!(p.screen().contains(ALARM), is_told, "step {step}\n{}", p.screen());
    }
    // Gone back behind it, the run is open again.
    p.state.run.selected = Some(0);
    p.press("Alt-3");
    p.press("r");
    assert!(!p.screen().contains(ALARM), "{}", p.screen());
}
