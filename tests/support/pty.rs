//! The real binary in a pseudo-terminal. Waits for what is to be seen, never for time.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::screen::Screen;

/// Long enough for a loaded machine; whoever waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// What every frame begins with: the start of a synchronized update.
const FRAME: &[u8] = b"\x1b[?2026h";

pub struct Tui {
    screen: Arc<(Mutex<Screen>, Condvar)>,
    /// Frames sent so far.
    frames: Arc<AtomicUsize>,
    /// Everything that the program has written, as far as it is kept.
    written: Arc<Mutex<Vec<u8>>>,
    /// Reads what the program writes, until it is told to let go of the terminal.
    reader: JoinHandle<()>,
    lets_go: Arc<AtomicBool>,
    writer: Box<dyn Write + Send>,
    pub child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    /// Where the program keeps what it remembers; gone with this.
    state: tempfile::TempDir,
}

/// So much of what the program writes is kept; the rest is only shown.
const KEPT: usize = 1 << 20;

/// What tests run in names colours of its own.
const COLOURS: [&str; 9] = [
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "COLORTERM",
    "TERM_PROGRAM",
    "CI",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
];

fn size(rows: u16, columns: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Tui {
    /// Starts the program, with nobody's settings and nothing to remember.
    pub fn start(
        program: &Path,
        (rows, columns): (u16, u16),
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let pair = native_pty_system().openpty(size(rows, columns)).unwrap();
        let state = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MAZE_") {
                command.env_remove(name);
            }
        }
        for name in COLOURS.into_iter().chain(["SSH_CONNECTION", "TMUX", "VISUAL", "EDITOR"]) {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env("MAZE_CONFIG", "/dev/null");
        command.env("XDG_STATE_HOME", state.path());
        command.env("HF_HOME", state.path());
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new((Mutex::new(Screen::new(rows, columns)), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (shared, frames) = (screen.clone(), Arc::new(AtomicUsize::new(0)));
        let (counter, lets_go, written) = (frames.clone(), Arc::<AtomicBool>::default(), Arc::default());
        let (goes, kept): (_, Arc<Mutex<Vec<u8>>>) = (lets_go.clone(), Arc::clone(&written));
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 65536];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                let starts = bytes[..n].windows(FRAME.len()).filter(|w| *w == FRAME).count();
                counter.fetch_add(starts, Ordering::Relaxed);
                {
                    let mut kept = kept.lock().unwrap();
                    let room = KEPT.saturating_sub(kept.len()).min(n);
                    kept.extend_from_slice(&bytes[..room]);
                }
                shared.0.lock().unwrap().process(&bytes[..n]);
                shared.1.notify_all();
                if goes.load(Ordering::SeqCst) {
                    return;
                }
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { screen, frames, written, reader, lets_go, writer, child, master: pair.master, state }
    }

    /// Everything that the program has written, from the start on.
    pub fn written(&self) -> Vec<u8> {
        self.written.lock().unwrap().clone()
    }

    /// Closes the terminal under the program, as when its window is closed; returns how it ends.
    pub fn hang_up(mut self) -> u32 {
        self.lets_go.store(true, Ordering::SeqCst);
        // The reader hears of it with the next frame, which every key brings.
        self.send("\x1b[C");
        self.reader.join().unwrap();
        drop((self.writer, self.master));
        ended(&mut self.child, "the program without a terminal")
    }

    /// The screen as it is.
    pub fn screen(&self) -> MutexGuard<'_, Screen> {
        self.screen.0.lock().unwrap()
    }

    /// The text of the screen as it is.
    pub fn text(&self) -> String {
        self.screen().seen().contents()
    }

    /// Waits until the screen is as wanted; returns how long that took.
    pub fn wait(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) -> Duration {
        self.wait_for(what, |screen| is_so(screen.seen()))
    }

    fn wait_for(&self, what: &str, is_so: impl Fn(&Screen) -> bool) -> Duration {
        let clock = Instant::now();
        let mut screen = self.screen();
        while !is_so(&screen) {
            let left = PATIENCE.saturating_sub(clock.elapsed());
            assert!(!left.is_zero(), "waited in vain for {what}:\n{}", screen.seen().contents());
            screen = self.screen.1.wait_timeout(screen, left).unwrap().0;
        }
        clock.elapsed()
    }

    /// Waits until the window has a title.
    pub fn title(&self, wanted: &str) {
        self.wait_for(wanted, |screen| screen.title() == wanted);
    }

    /// Waits until the screen shows a text.
    pub fn see(&self, text: &str) -> Duration {
        self.wait(text, |s| s.contents().contains(text))
    }

    /// Waits until the program has written these bytes.
    pub fn wrote(&self, bytes: &str) {
        self.wait(&format!("{bytes:?} to be written"), |_| self.has_written(bytes));
    }

    /// Whether the program has written these bytes.
    pub fn has_written(&self, bytes: &str) -> bool {
        self.written.lock().unwrap().windows(bytes.len()).any(|window| window == bytes.as_bytes())
    }

    /// Waits until the program writes something, at most for so long; returns whether it did.
    pub fn stirs(&self, most: Duration) -> bool {
        let screen = self.screen();
        !self.screen.1.wait_timeout(screen, most).unwrap().1.timed_out()
    }

    /// Frames sent so far.
    pub fn frames(&self) -> usize {
        self.frames.load(Ordering::Relaxed)
    }

    pub fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Presses a key by its name in the help.
    pub fn press(&mut self, name: &str) {
        self.send(&super::keys::bytes(name));
    }

    pub fn resize(&self, rows: u16, columns: u16) {
        self.screen().resize(rows, columns);
        self.master.resize(size(rows, columns)).unwrap();
    }

    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = self.child.process_id().unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id as i32), signal).unwrap();
    }

    /// Waits until the program has stopped; told to go on before, it would stop after that.
    pub fn stops(&self) {
        use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
        let id = nix::unistd::Pid::from_raw(self.child.process_id().unwrap() as i32);
        let status = waitpid(id, Some(WaitPidFlag::WUNTRACED)).unwrap();
        assert!(matches!(status, WaitStatus::Stopped(..)), "{status:?}");
    }

    /// Waits for the end; the terminal must be as it was before.
    pub fn end(mut self, code: u32) {
        assert_eq!(ended(&mut self.child, "the program"), code);
        self.wait("the terminal to be given back", |s| {
            !s.alternate_screen()
                && !s.bracketed_paste()
                && !s.hide_cursor()
                && s.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
    }
}

/// Waits for the end of the program, at most for so long as for anything else; returns its exit code.
fn ended(child: &mut Box<dyn Child + Send + Sync>, what: &str) -> u32 {
    let clock = Instant::now();
    while clock.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().unwrap() {
            return status.exit_code();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    panic!("waited in vain for the end of {what}");
}
