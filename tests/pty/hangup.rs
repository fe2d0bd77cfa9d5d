//! A terminal that is closed under the program: it saves and ends, whether or not a signal tells it so.

use std::path::Path;

use super::pty::Tui;

const ARGUMENTS: &[&str] =
    &["--model=scripted:200", "--regex=(.|\\n)*", "--max-tokens=1000000", "--no-probe"];

/// What was typed last is in the session's file: the end was in order.
fn closes(start: impl Fn(&[(&str, &str)]) -> Tui, while_running: bool) {
    let folder = tempfile::tempdir().unwrap();
    let mut t = start(&[("MAZE_STATE", folder.path().to_str().unwrap())]);
    t.see("✓ grammar");
    if while_running {
        t.press("F5");
        t.see("● running");
    }
    t.press("Alt-2");
    t.send("last words ");
    t.see("last words");
    assert_eq!(t.hang_up(), 129);
    let saved = std::fs::read_to_string(folder.path().join("sessions/default/session.json")).unwrap();
    assert!(saved.contains("last words "), "{saved}");
}

#[test]
fn a_closed_terminal_ends_the_program() {
    let program = Path::new(env!("CARGO_BIN_EXE_maze"));
    for while_running in [false, true] {
        closes(|environment| Tui::start(program, (24, 80), ARGUMENTS, environment), while_running);
    }
}

/// In a session of its own no signal tells it.
#[test]
fn a_closed_terminal_is_noticed_without_a_signal() {
    let script = "trap '' HUP; exec setsid --wait \"$0\" \"$@\"";
    let arguments = [&["-c", script, env!("CARGO_BIN_EXE_maze")], ARGUMENTS].concat();
    for while_running in [false, true] {
        closes(
            |environment| Tui::start(Path::new("/bin/sh"), (24, 80), &arguments, environment),
            while_running,
        );
    }
}
