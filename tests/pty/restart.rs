//! What was typed and run is there again after the program was killed, ended by a signal, or left.

use nix::sys::signal::Signal;

use super::start;

const ARGUMENTS: &[&str] = &["--model=scripted:500"];

fn path(folder: &std::path::Path) -> &str {
    folder.to_str().unwrap()
}

#[test]
fn what_was_typed_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let state = [("MAZE_STATE", path(folder.path()))];
    let mut t = start(24, 80, ARGUMENTS, &state);
    t.see("✓");
    t.press("Alt-2");
    t.send("typed before the kill ");
    t.see("typed before the kill");
    let file = folder.path().join("sessions/default/session.json");
    let clock = std::time::Instant::now();
    while !std::fs::read_to_string(&file).unwrap_or_default().contains("typed before the kill ") {
        assert!(clock.elapsed().as_secs() < 30, "it was not saved");
        t.stirs(std::time::Duration::from_millis(50));
    }
    t.signal(Signal::SIGKILL);
    t.child.wait().unwrap();
    let mut t = start(24, 80, ARGUMENTS, &state);
    t.see("typed before the kill");
    t.see("▸Prompt");
    t.press("Ctrl-Q");
    t.end(0);
}

/// What had come of a run is there after a kill, a second of it aside.
#[test]
fn a_run_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let state = [("MAZE_STATE", path(folder.path()))];
    let mut t = start(24, 80, &["--model=scripted:200", "--regex=(.|\\n)*", "--max-tokens=100000"], &state);
    t.see("✓");
    t.press("F5");
    let part = folder.path().join("sessions/default/runs/1.part.gz");
    let list = folder.path().join("sessions/default/session.json");
    let clock = std::time::Instant::now();
    while !(part.exists()
        && std::fs::read_to_string(&list).unwrap_or_default().contains("\"is_cut_off\":true"))
    {
        assert!(clock.elapsed().as_secs() < 30, "it was not saved");
        t.stirs(std::time::Duration::from_millis(50));
    }
    t.signal(Signal::SIGKILL);
    t.child.wait().unwrap();
    let mut t = start(24, 80, ARGUMENTS, &state);
    t.see("Run 1 was cut off when the program ended");
    t.press("Alt-3");
    t.press("Esc");
    t.see("■ stopped: the program ended");
    t.press("Ctrl-Q");
    t.end(0);
}

/// Ends by the quit key and by signals save at once, a run under way included.
#[test]
fn nothing_waits_for_the_autosave_at_the_end() {
    for (signal, code) in [(None, 0), (Some(Signal::SIGTERM), 143), (Some(Signal::SIGHUP), 129)] {
        let folder = tempfile::tempdir().unwrap();
        let state = [("MAZE_STATE", path(folder.path()))];
        let mut t =
            start(24, 80, &["--model=scripted:200", "--regex=(.|\\n)*", "--max-tokens=100000"], &state);
        t.see("✓");
        t.press("F5");
        t.see("tok/s");
        t.press("Alt-2");
        t.send("last words ");
        t.see("last words");
        match signal {
            Some(signal) => t.signal(signal),
            None => t.press("Ctrl-Q"),
        }
        t.end(code);
        let mut t = start(24, 80, ARGUMENTS, &state);
        t.see("last words");
        t.see("■ stopped: the program ended");
        t.press("Ctrl-Q");
        t.end(0);
    }
}

#[test]
fn flags_win_for_what_they_name_and_fresh_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let state = [("MAZE_STATE", path(folder.path()))];
    let mut t = start(24, 80, &["--model=scripted:500", "--regex=first", "--prompt=one"], &state);
    t.see("first");
    t.press("Ctrl-Q");
    t.end(0);
    let mut t = start(24, 80, &["--model=scripted:500", "--prompt=two"], &state);
    t.see("first");
    t.see("two");
    t.press("Ctrl-Q");
    t.end(0);
    let mut t = start(24, 80, &["--model=scripted:500", "--fresh"], &state);
    t.see("user.lark");
    t.press("Ctrl-Q");
    t.end(0);
    let mut t = start(24, 80, &["--model=scripted:500", "--session=another one"], &state);
    t.see("user.lark");
    t.press("F7");
    t.see("another one");
    t.see("default");
    t.press("Ctrl-Q");
    t.end(0);
    let mut t = start(24, 80, &["--model=scripted:500", "--session=default"], &state);
    t.see("first");
    t.see("two");
    t.press("Ctrl-Q");
    t.end(0);
}
