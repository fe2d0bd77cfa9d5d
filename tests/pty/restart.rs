//! What was typed and run is there again after the program was killed, ended by a signal, or left.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::pty::Tui;
use super::random::Random;
use super::start;

/// How often the program is killed.
const KILLS: usize = 8;

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
    let clock = Instant::now();
    while !std::fs::read_to_string(&file).unwrap_or_default().contains("typed before the kill ") {
        assert!(clock.elapsed().as_secs() < 30, "it was not saved");
        t.stirs(Duration::from_millis(50));
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
    let clock = Instant::now();
    while !(part.exists()
        && std::fs::read_to_string(&list).unwrap_or_default().contains("\"is_cut_off\":true"))
    {
        assert!(clock.elapsed().as_secs() < 30, "it was not saved");
        t.stirs(Duration::from_millis(50));
    }
    t.signal(Signal::SIGKILL);
    t.child.wait().unwrap();
    let mut t = start(24, 80, ARGUMENTS, &state);
    t.see("Run 1 was cut off when the program ended");
    t.press("Alt-3");
    t.press("Esc");
    t.wait("the toast to go", |s| !s.contents().contains("Run 1 was cut off"));
    t.see("■ stopped: the program ended");
    t.press("Ctrl-Q");
    t.end(0);
}

/// Lets the program go on for so many milliseconds.
fn linger(t: &Tui, millis: usize) {
    let until = Instant::now() + Duration::from_millis(millis as u64);
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        t.stirs(left);
    }
}

/// Killed at any moment while somebody types, runs and moves the panes: what is there again is what was
/// typed up to some moment shortly before, and nothing else; what was there once stays.
#[test]
fn killed_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let state = [("MAZE_STATE", path(folder.path()))];
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let read = |name: &str| -> serde_json::Value {
        let text = std::fs::read(folder.path().join(name)).unwrap_or_default();
        if text.is_empty() { serde_json::Value::Null } else { serde_json::from_slice(&text).unwrap() }
    };
    let draft =
        || read("sessions/default/session.json")["prompt"]["text"].as_str().unwrap_or_default().to_owned();
    let mut t = start(40, 120, ARGUMENTS, &state);
    t.see("✓");
    t.press("Ctrl-Q");
    t.end(0);
    let mut prompts = 0;
    let mut grown = 0;
    for round in 0..KILLS {
        let mut t = start(40, 120, ARGUMENTS, &state);
        t.see("✓");
        let before = draft();
        t.press("Alt-2");
        t.press("Ctrl-Home");
        let mut typed = String::new();
        let words = 2 + random.below(6);
        for word in 0..words {
            let word = format!("r{round}w{word} ");
            t.send(&word);
            typed += &word;
            t.see(word.trim_end());
            linger(&t, random.below(150));
        }
        t.press("F5");
        t.press("Alt-=");
        // The last time surely long enough for something to be saved.
        linger(&t, if round + 1 < KILLS { random.below(1800) } else { 3000 });
        t.signal(Signal::SIGKILL);
        t.child.wait().unwrap();

        let after = draft();
        let kept =
            after.strip_suffix(&before).unwrap_or_else(|| panic!("{after:?} does not end in {before:?}"));
        assert!(typed.starts_with(kept), "{kept:?} was never typed, but {typed:?}");
        grown += usize::from(!kept.is_empty());
        let history = read("history.json");
        let now = history["prompts"].as_array().map_or(0, Vec::len);
        assert!(now >= prompts, "prompts of earlier runs are gone: {history}");
        prompts = now;
        read("looks.json");
    }
    assert!(grown > 0 && prompts > 0, "always killed before anything was saved");
    let mut t = start(40, 120, ARGUMENTS, &state);
    t.see(draft().lines().next().unwrap().get(..20).unwrap());
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
