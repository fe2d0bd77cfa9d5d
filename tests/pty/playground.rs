//! What a person's terminal shows, how it is left, and how long a key takes.

use std::time::{Duration, Instant};

use super::start;

const F5: &str = "\x1b[15~";
const F10: &str = "\x1b[21~";
const CTRL_Q: &str = "\x11";

#[test]
fn run_pause_step_stop_and_quit() {
    let mut t = start(45, 160, &["--model=scripted:200"], &[]);
    t.see("✓ grammar");
    t.send(F5);
    t.see("● running");
    t.see("tok/s");
    t.send(F5);
    t.see("‖ paused");
    t.send(F10);
    t.send("\x1b3");
    t.see("▸Output");
    t.send("\x1b[H");
    t.see("token 1 /");
    t.send("\x1b");
    t.see("■ cancelled");
    t.send(CTRL_Q);
    t.end(0);
}

#[test]
fn signals_give_the_terminal_back() {
    use nix::sys::signal::Signal;
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130), (Signal::SIGHUP, 129)] {
        let mut t = start(24, 80, &["--model=scripted:500"], &[]);
        t.see("✓ grammar");
        t.send(F5);
        t.see("● running");
        t.signal(signal);
        t.end(code);
    }
}

#[test]
fn suspended_and_back() {
    let mut t = start(24, 80, &["--model=scripted:100"], &[]);
    t.see("✓ grammar");
    t.send("\x1a");
    t.wait("the shell's screen", |s| !s.alternate_screen());
    t.stops();
    t.signal(nix::sys::signal::Signal::SIGCONT);
    t.wait("the playground again", |s| s.alternate_screen() && s.contents().contains("▸Grammar"));
    t.send("\x1b2");
    t.see("▸Prompt");
    t.send(CTRL_Q);
    t.end(0);
}

/// The window's title says what is under edit and whether that is saved, and is as it was afterwards:
/// the shell's while it has the terminal, and none is set if nobody wants that.
#[test]
fn the_title_of_the_window_is_lent() {
    let mut t = start(24, 80, &["--model=scripted:500"], &[]);
    t.see("✓ grammar");
    t.title("maze - user.lark");
    t.send("x");
    t.title("maze - user.lark*");
    t.see("user.lark*, Lark");
    t.press("Ctrl-Z");
    t.title("");
    t.stops();
    t.signal(nix::sys::signal::Signal::SIGCONT);
    t.title("maze - user.lark*");
    t.press("Ctrl-U");
    t.title("maze - user.lark");
    t.send(CTRL_Q);
    t.title("");
    t.end(0);
    let mut t = start(24, 80, &["--model=scripted:500", "--title=false"], &[]);
    t.see("✓ grammar");
    t.title("");
    t.send(CTRL_Q);
    t.end(0);
}

/// Keys that are typed while two thousand tokens a second stream in show up at once, and frames keep
/// coming. The limits are 50 ms and 30 frames a second on an idle machine; here half of the keys
/// must make it and none may take much longer, and half of the frames must come.
#[test]
fn keys_are_quick_while_tokens_stream_in() {
    let mut t = start(45, 160, &["--model=scripted:2000", "--regex=(.|\\n)*", "--max-tokens=1000000"], &[]);
    t.see("✓ grammar");
    t.send("\x1b2");
    t.see("▸Prompt");
    t.send("\x1b[1;5F\n");
    t.send(F5);
    t.see("● running");
    let (clock, frames) = (Instant::now(), t.frames());
    let mut typed = String::new();
    let mut times = Vec::new();
    for c in ('a'..='z').chain('A'..='Z') {
        typed.push(c);
        t.send(&c.to_string());
        times.push(t.see(&typed));
        if typed.len() == 26 {
            t.send("\n");
            typed.clear();
        }
    }
    t.see("● running");
    let frames = t.frames() - frames;
    let rate = frames as f64 / clock.elapsed().as_secs_f64();
    times.sort();
    // Shown with --nocapture.
    let (p50, p95) = (times[times.len() / 2], times[times.len() * 95 / 100]);
    eprintln!(
        "{rate:.0} frames a second; key to screen p50 {p50:?}, p95 {p95:?}, max {:?}",
        times[times.len() - 1]
    );
    assert!(rate > 15.0, "{rate:.1} frames a second");
    assert!(times[times.len() / 2] < Duration::from_millis(50), "{times:?}");
    assert!(times[times.len() - 1] < Duration::from_millis(500), "{times:?}");
    t.send(CTRL_Q);
    t.end(0);
}

#[test]
fn resizes_while_tokens_stream_in() {
    let mut t = start(24, 80, &["--model=scripted:1000", "--regex=(.|\\n)*", "--max-tokens=1000000"], &[]);
    t.see("✓ grammar");
    t.send(F5);
    t.see("● running");
    for i in 0..100u16 {
        t.resize(5 + i % 60, 20 + i * 7 % 200);
    }
    t.resize(9, 30);
    t.see("Terminal too small");
    t.resize(45, 160);
    t.see("▸Grammar");
    t.send(CTRL_Q);
    t.end(0);
}

/// Frames are sent as one piece, and colours only where they are wanted.
#[test]
fn no_color_is_obeyed_and_nothing_is_lost() {
    let mut t = start(24, 80, &["--model=scripted:100"], &[("NO_COLOR", "1")]);
    t.see("✓ grammar");
    t.send(F10);
    t.see("‖ paused");
    t.wait("a screen without colours", |s| {
        let cells = (0..24).flat_map(|y| (0..80).filter_map(move |x| s.cell(y, x)));
        cells
            .into_iter()
            .all(|c| c.fgcolor() == vt100::Color::Default && c.bgcolor() == vt100::Color::Default)
    });
    t.send("\x1b3\x1b[H");
    t.see("token 1 /");
    t.wait("a selected token, reversed", |s| {
        (0..24).any(|y| (0..80).any(|x| s.cell(y, x).is_some_and(vt100::Cell::inverse)))
    });
    t.send(CTRL_Q);
    t.end(0);
}

#[test]
fn the_embedded_model_runs() {
    let mut t = start(45, 160, &[], &[]);
    t.see("✓ grammar");
    t.send(F5);
    t.wait("generated tokens", |s| s.contents().contains("tok/s"));
    t.send(CTRL_Q);
    t.end(0);
}

#[test]
fn a_broken_config_file_is_told_and_left_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "theme = \"dark\"\ntemprature = 1\n").unwrap();
    let mut t = start(24, 80, &["--model=scripted:200"], &[("MAZE_CONFIG", path.to_str().unwrap())]);
    t.see("no key `temprature`");
    t.send(F5);
    t.see("{\"name\": \"");
    t.send(CTRL_Q);
    t.end(0);
}
