//! Plays a scene against the real program, and takes its pictures.
//!
//! It waits for what is to be seen and then until the screen is still; a scene is as fast as the
//! program. The time in a recording is that of the script, not of the machine.

use std::path::Path;
use std::time::{Duration, Instant};

use super::animation::{self, Moment};
use super::cells::Frame;
use super::pty::Tui;
use super::scene::Line;
use super::svg;

/// A screen on which nothing happens for so long is still.
const STILL: Duration = Duration::from_millis(150);

/// How long a key may take to show anything; some keys never do.
const ANSWER: Duration = Duration::from_millis(600);

/// How long a screen that never is still is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long typed characters and, unless the scene says otherwise, keys are shown, in seconds.
const TYPED: f64 = 0.07;
const BEAT: f64 = 0.35;

/// Plays a scene with the program at `program`; writes its pictures with `write`.
pub fn play(program: &Path, lines: &[(usize, Line)], mut write: impl FnMut(&str, &str)) {
    let (mut size, mut environment, mut light) = ((24, 80), Vec::new(), false);
    let mut stage = None;
    for (_, line) in lines {
        match (line, &mut stage) {
            (Line::Size(columns, rows), _) => size = (*rows, *columns),
            (Line::Env(name, value), _) => environment.push((name.as_str(), value.as_str())),
            (Line::Light, _) => light = true,
            (Line::Maze(arguments), _) => {
                let mut all: Vec<&str> = arguments.iter().map(String::as_str).collect();
                all.push("--no-probe");
                let tui = Tui::start(program, size, &all, &environment);
                stage = Some(Stage { tui, light, recording: None });
            }
            (line, Some(stage)) => stage.play(line, &mut write),
            (_, None) => {}
        }
    }
    if let Some(Stage { recording: Some(recording), .. }) = &stage {
        let drawn = animation::animation(&recording.moments, recording.poster);
        write(&recording.name, &drawn);
    }
    if let Some(mut stage) = stage {
        // What would be asked on the way out is of no interest any more.
        let _ = stage.tui.child.kill();
    }
}

/// The program while it is played with.
struct Stage {
    tui: Tui,
    light: bool,
    recording: Option<Recording>,
}

struct Recording {
    name: String,
    moments: Vec<Moment>,
    poster: usize,
    beat: f64,
    /// The key that was pressed last.
    key: Option<String>,
}

impl Stage {
    fn play(&mut self, line: &Line, write: &mut impl FnMut(&str, &str)) {
        match line {
            Line::See(text) => {
                self.tui.see(text);
            }
            Line::Gone(text) => {
                self.tui.wait(&format!("the end of {text}"), |s| !s.contents().contains(text.as_str()));
            }
            Line::Press(key, times) => {
                for _ in 0..*times {
                    let beat = self.recording.as_ref().map(|r| r.beat);
                    self.act(Some(key), beat, |tui| tui.press(key));
                }
            }
            Line::Type(text) => {
                for c in text.chars() {
                    self.act(None, Some(TYPED), |tui| tui.send(c.encode_utf8(&mut [0; 4])));
                }
            }
            Line::Shot(name) => {
                self.still();
                write(name, &svg::still(&self.frame()));
            }
            Line::Record(name) => {
                self.still();
                let name = name.clone();
                self.recording = Some(Recording { name, moments: vec![], poster: 0, beat: BEAT, key: None });
                self.take(0.01);
            }
            Line::Pause(seconds) => {
                self.still();
                self.take(*seconds);
            }
            Line::Beat(seconds) => self.recording.iter_mut().for_each(|r| r.beat = *seconds),
            Line::Poster => self.recording.iter_mut().for_each(|r| r.poster = r.moments.len() - 1),
            Line::Size(..) | Line::Env(..) | Line::Light | Line::Maze(_) => {}
        }
    }

    /// Does something with the keyboard, and records what it leads to.
    fn act(&mut self, key: Option<&str>, seconds: Option<f64>, act: impl FnOnce(&mut Tui)) {
        let (frames, clock) = (self.tui.frames(), Instant::now());
        act(&mut self.tui);
        while self.tui.frames() == frames && clock.elapsed() < ANSWER {
            self.tui.stirs(ANSWER);
        }
        if let Some(recording) = &mut self.recording {
            recording.key = key.map(str::to_owned);
            self.still();
            self.take(seconds.unwrap_or(BEAT));
        }
    }

    /// Waits until nothing happens any more.
    fn still(&self) {
        let clock = Instant::now();
        while self.tui.stirs(STILL) && clock.elapsed() < PATIENCE {}
    }

    fn frame(&self) -> Frame {
        Frame::of(&self.tui.screen(), self.light)
    }

    /// Records the screen as it is for so many seconds.
    fn take(&mut self, seconds: f64) {
        let frame = self.frame();
        let Some(recording) = &mut self.recording else { return };
        let key = recording.key.clone();
        match recording.moments.last_mut() {
            Some(last) if last.frame == frame && last.key == key => last.seconds += seconds,
            _ => recording.moments.push(Moment { seconds, frame, key }),
        }
    }
}
