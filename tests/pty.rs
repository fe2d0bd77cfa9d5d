//! The real binary in a pseudo-terminal: what a person's terminal would show, how it is left, and
//! how long a key takes. Waits for text, never for time.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Long enough for a loaded machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

struct Tui {
    screen: Arc<(Mutex<vt100::Parser>, Condvar)>,
    /// Frames sent so far.
    frames: Arc<AtomicUsize>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
}

fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).expect("a terminal has cells")
}

impl Tui {
    fn start(rows: u16, columns: u16, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_maze"));
        command.args(arguments);
        command.arg("--no-probe");
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env("MAZE_CONFIG", "/dev/null");
        command.env_remove("NO_COLOR");
        command.env_remove("SSH_CONNECTION");
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen =
            Arc::new((Mutex::new(vt100::Parser::new(cells(rows), cells(columns), 0)), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (shared, frames) = (screen.clone(), Arc::new(AtomicUsize::new(0)));
        let counter = frames.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 65536];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                let starts = bytes[..n].windows(FRAME.len()).filter(|w| *w == FRAME).count();
                counter.fetch_add(starts, Ordering::Relaxed);
                shared.0.lock().unwrap().process(&bytes[..n]);
                shared.1.notify_all();
            }
        });
        Self { screen, frames, writer: pair.master.take_writer().unwrap(), child, master: pair.master }
    }

    /// Waits until the screen is as wanted; returns how long that took.
    fn wait(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) -> Duration {
        let clock = Instant::now();
        let mut parser = self.screen.0.lock().unwrap();
        while !is_so(parser.screen()) {
            let left = PATIENCE.saturating_sub(clock.elapsed());
            assert!(!left.is_zero(), "waited in vain for {what}:\n{}", parser.screen().contents());
            parser = self.screen.1.wait_timeout(parser, left).unwrap().0;
        }
        clock.elapsed()
    }

    fn see(&self, text: &str) -> Duration {
        self.wait(text, |s| s.contents().contains(text))
    }

    fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    fn resize(&self, rows: u16, columns: u16) {
        self.screen.0.lock().unwrap().screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = self.child.process_id().unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id as i32), signal).unwrap();
    }

    /// Waits for the end; the terminal must be as it was before.
    fn end(mut self, code: u32) {
        assert_eq!(self.child.wait().unwrap().exit_code(), code);
        self.wait("the terminal to be given back", |s| {
            !s.alternate_screen()
                && !s.bracketed_paste()
                && !s.hide_cursor()
                && s.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
    }
}

/// What every frame begins with: the start of a synchronized update.
const FRAME: &[u8] = b"\x1b[?2026h";

const F5: &str = "\x1b[15~";
const F10: &str = "\x1b[21~";
const CTRL_Q: &str = "\x11";

#[test]
fn run_pause_step_stop_and_quit() {
    let mut t = Tui::start(45, 160, &["--model=scripted:200"], &[]);
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
        let mut t = Tui::start(24, 80, &["--model=scripted:500"], &[]);
        t.see("✓ grammar");
        t.send(F5);
        t.see("● running");
        t.signal(signal);
        t.end(code);
    }
}

#[test]
fn suspended_and_back() {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    let mut t = Tui::start(24, 80, &["--model=scripted:100"], &[]);
    t.see("✓ grammar");
    t.send("\x1a");
    t.wait("the shell's screen", |s| !s.alternate_screen());
    let id = nix::unistd::Pid::from_raw(t.child.process_id().unwrap() as i32);
    let status = waitpid(id, Some(WaitPidFlag::WUNTRACED)).unwrap();
    assert!(matches!(status, WaitStatus::Stopped(..)), "{status:?}");
    t.signal(nix::sys::signal::Signal::SIGCONT);
    t.wait("the playground again", |s| s.alternate_screen() && s.contents().contains("▸Grammar"));
    t.send("\x1b2");
    t.see("▸Prompt");
    t.send(CTRL_Q);
    t.end(0);
}

/// Keys that are typed while two thousand tokens a second stream in show up at once, and frames keep
/// coming. The limits are 50 ms and 30 frames a second on an idle machine; here half of the keys
/// must make it and none may take much longer, and half of the frames must come.
#[test]
fn keys_are_quick_while_tokens_stream_in() {
    let mut t =
        Tui::start(45, 160, &["--model=scripted:2000", "--regex=(.|\\n)*", "--max-tokens=1000000"], &[]);
    t.see("✓ grammar");
    t.send("\x1b2");
    t.see("▸Prompt");
    t.send("\x1b[1;5F\n");
    t.send(F5);
    t.see("● running");
    let (clock, frames) = (Instant::now(), t.frames.load(Ordering::Relaxed));
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
    let frames = t.frames.load(Ordering::Relaxed) - frames;
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
    let mut t =
        Tui::start(24, 80, &["--model=scripted:1000", "--regex=(.|\\n)*", "--max-tokens=1000000"], &[]);
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
    let mut t = Tui::start(24, 80, &["--model=scripted:100"], &[("NO_COLOR", "1")]);
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
    let mut t = Tui::start(45, 160, &[], &[]);
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
    let mut t = Tui::start(24, 80, &["--model=scripted:200"], &[("MAZE_CONFIG", path.to_str().unwrap())]);
    t.see("config.toml:2:1: there is no key `temprature`; did you mean `temperature`?");
    t.send(F5);
    t.see("{\"name\": \"");
    t.send(CTRL_Q);
    t.end(0);
}
