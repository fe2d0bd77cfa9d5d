//! Taking the terminal and giving it back, whatever happens.
//!
//! [`leave`] is shared by the guard, the panic hook and suspending. A second call does nothing: it
//! would move the cursor, and the text of a panic would be overwritten.

use std::io::{self, BufWriter, IsTerminal, Stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::SetCursorStyle;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};
use termprofile::{DetectorSettings, TermProfile};

use crate::app::editor::vim::Mode;
use crate::ui::depth::ColorDepth;
use crate::ui::theme::ThemeName;

/// How long the terminal may take to say whether it is light or dark, here and through a network.
const PROBE: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// Whether the terminal is ours at the moment.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether the cursor has another shape than the person's own.
static SHAPED: AtomicBool = AtomicBool::new(false);

/// Whether the window's title is ours.
static TITLED: AtomicBool = AtomicBool::new(false);

/// Has the terminal remember the title of its window, and show it again.
const KEEP_TITLE: &str = "\x1b[22;2t";
const OLD_TITLE: &str = "\x1b[23;2t";

/// The terminal as ratatui sees it.
pub type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// Owns the terminal; dropping it gives the terminal back.
pub struct Guard(());

impl Guard {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If it refuses.
    pub fn take() -> io::Result<Self> {
        let guard = Self(());
        enter()?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        leave();
    }
}

/// Takes the terminal: raw keys, the other screen, pastes in one piece.
///
/// # Errors
/// If it refuses.
pub fn enter() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    // After a stop that nobody announced, crossterm believes that raw mode is still on.
    let _ = disable_raw_mode();
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)
}

/// Whether the terminal is ours to draw on: not while the program is suspended, and not in the
/// moment between waking up and hearing of it.
pub fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Gives the terminal back as it was. Every part is tried, even if one before it failed.
pub fn leave() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(out, EndSynchronizedUpdate, DisableMouseCapture, DisableBracketedPaste);
    let _ = execute!(out, LeaveAlternateScreen, cursor::Show);
    if SHAPED.swap(false, Ordering::SeqCst) {
        let _ = execute!(out, SetCursorStyle::DefaultUserShape);
    }
    if TITLED.swap(false, Ordering::SeqCst) {
        let _ = execute!(out, Print(OLD_TITLE));
    }
    let _ = disable_raw_mode();
}

/// Gives the terminal back before the text of a panic is printed. Panics of threads that tell the
/// screen about them print nothing while the screen is ours.
///
/// Must be installed before the first call into llguidance, which puts its own hook in front.
pub fn install_panic_hook() {
    let before = std::panic::take_hook();
    let owner = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        let is_told = std::thread::current().id() != owner && TAKEN.load(Ordering::SeqCst);
        if !is_told {
            leave();
            before(info);
        }
    }));
}

/// Takes the mouse, or leaves it to the terminal.
///
/// # Errors
/// If the terminal cannot be written to.
pub fn capture_mouse(on: bool) -> io::Result<()> {
    if on { execute!(io::stdout(), EnableMouseCapture) } else { execute!(io::stdout(), DisableMouseCapture) }
}

/// Puts text on the clipboard by asking the terminal (OSC 52); many do, none says whether.
///
/// # Errors
/// If the terminal cannot be written to.
pub fn copy(text: &str) -> io::Result<()> {
    execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))
}

/// Gives the window a title, which must be harmless. [`leave`] brings back the one before, in terminals
/// that remember it: xterm's kind, kitty, iTerm2 and tmux do.
///
/// # Errors
/// If the terminal cannot be written to.
pub fn set_title(title: &str) -> io::Result<()> {
    if !TITLED.swap(true, Ordering::SeqCst) {
        queue!(io::stdout(), Print(KEEP_TITLE))?;
    }
    execute!(io::stdout(), Print(format_args!("\x1b]2;{title}\x07")))
}

/// Gives the cursor a shape: that of the mode of vi, or the person's own.
///
/// # Errors
/// If the terminal cannot be written to.
pub fn shape_cursor(mode: Option<Mode>) -> io::Result<()> {
    let was_shaped = SHAPED.swap(mode.is_some(), Ordering::SeqCst);
    let shape = match mode {
        // Nobody has touched it.
        None if !was_shaped => return Ok(()),
        None => SetCursorStyle::DefaultUserShape,
        Some(Mode::Insert) => SetCursorStyle::SteadyBar,
        Some(_) => SetCursorStyle::SteadyBlock,
    };
    queue!(io::stdout(), shape)
}

/// A screen to draw on.
///
/// # Errors
/// If the terminal's size cannot be found out.
pub fn screen() -> io::Result<Screen> {
    Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(1 << 16, io::stdout())))
}

/// Draws a frame that the terminal shows all at once, if it can.
///
/// # Errors
/// If the terminal cannot be written to.
pub fn draw(screen: &mut Screen, render: impl FnOnce(&mut ratatui::Frame)) -> io::Result<()> {
    queue!(screen.backend_mut(), BeginSynchronizedUpdate)?;
    screen.draw(render)?;
    execute!(screen.backend_mut(), EndSynchronizedUpdate)
}

/// Gives the terminal back and stops the whole job, as a shell expects of Ctrl-Z. Returns when the
/// job goes on; [`resume`] takes the terminal again.
pub fn suspend() {
    leave();
    let own_group = nix::unistd::Pid::from_raw(0);
    // A job that cannot be stopped goes on; it is told to continue all the same.
    let _ = nix::sys::signal::kill(own_group, nix::sys::signal::Signal::SIGSTOP);
}

/// Takes the terminal again and forgets what was on the screen.
///
/// # Errors
/// If the terminal refuses.
pub fn resume(screen: &mut Screen, mouse: bool) -> io::Result<()> {
    enter()?;
    capture_mouse(mouse)?;
    // Not `clear`: it asks where the cursor is, and the answer would be taken for keys.
    let size = screen.size()?;
    screen.resize(ratatui::layout::Rect::new(0, 0, size.width, size.height))
}

/// How many colours the terminal shows, by its environment. `NO_COLOR` is obeyed by drawing none;
/// crossterm would also drop bold and underlines.
pub fn color_depth() -> ColorDepth {
    crossterm::style::force_color_output(true);
    if !wants_colors(|name| std::env::var(name).ok()) {
        return ColorDepth::Mono;
    }
    match TermProfile::detect(&io::stdout(), DetectorSettings::new()) {
        TermProfile::TrueColor => ColorDepth::True,
        TermProfile::Ansi256 => ColorDepth::Ansi256,
        TermProfile::Ansi16 => ColorDepth::Ansi16,
        TermProfile::NoColor | TermProfile::NoTty => ColorDepth::Mono,
    }
}

/// Whether the environment wants colours at all: any `NO_COLOR` wins, then `CLICOLOR_FORCE`, then
/// `CLICOLOR`.
fn wants_colors(environment: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty());
    let is_off = |name| set(name).is_some_and(|value| value == "0");
    let is_forced = set("CLICOLOR_FORCE").is_some() && !is_off("CLICOLOR_FORCE");
    set("NO_COLOR").is_none() && (is_forced || !is_off("CLICOLOR"))
}

/// Whether the terminal shows no signs beyond ASCII, by its environment: the Linux console, or a locale
/// of another encoding than UTF-8. One that names no encoding says nothing about the terminal.
pub fn wants_ascii(environment: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    let encoding = locale.split_once('.').map(|(_, rest)| rest.to_lowercase().replace('-', ""));
    set("TERM").is_some_and(|term| term == "linux") || encoding.is_some_and(|e| !e.starts_with("utf8"))
}

/// The theme that suits the terminal's background. Asks it, unless `probe` is off; a terminal that
/// cannot say is taken to be dark. `None` if no answer has come yet.
pub fn suitable_theme(probe: bool) -> Option<ThemeName> {
    if !probe || !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Some(ThemeName::Dark);
    }
    let mut options = QueryOptions::default();
    options.timeout = PROBE[usize::from(is_remote())];
    match theme_mode(options) {
        Ok(ThemeMode::Light) => Some(ThemeName::Light),
        Err(terminal_colorsaurus::Error::Timeout(_)) => None,
        _ => Some(ThemeName::Dark),
    }
}

/// Whether the terminal is reached through a network.
pub fn is_remote() -> bool {
    std::env::var_os("SSH_CONNECTION").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_not_for_everybody() {
        for (variables, wanted) in [
            (&[][..], true),
            (&[("NO_COLOR", "please")], false),
            (&[("NO_COLOR", "0")], false),
            (&[("NO_COLOR", "")], true),
            (&[("CLICOLOR", "0")], false),
            (&[("CLICOLOR", "1")], true),
            (&[("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")], true),
            (&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
        ] {
            let value = |name: &str| variables.iter().find(|v| v.0 == name).map(|v| v.1.to_owned());
            assert_eq!(wants_colors(value), wanted, "{variables:?}");
        }
    }

    #[test]
    fn ascii_is_for_consoles_and_other_encodings() {
        for (variables, wanted) in [
            (&[("TERM", "xterm-256color"), ("LANG", "de_DE.UTF-8")][..], false),
            (&[("TERM", "xterm-256color")], false),
            (&[("TERM", "xterm"), ("LANG", "C")], false),
            (&[("TERM", "xterm"), ("LANG", "en_US.utf8")], false),
            (&[("TERM", "linux"), ("LANG", "de_DE.UTF-8")], true),
            (&[("TERM", "xterm"), ("LANG", "de_DE.ISO-8859-1")], true),
            (&[("TERM", "xterm"), ("LC_ALL", "C.UTF-8"), ("LANG", "de_DE.ISO-8859-1")], false),
            (&[("TERM", "xterm"), ("LC_ALL", ""), ("LC_CTYPE", "ru_RU.KOI8-R")], true),
        ] {
            let value = |name: &str| variables.iter().find(|v| v.0 == name).map(|v| v.1.to_owned());
            assert_eq!(wants_ascii(value), wanted, "{variables:?}");
        }
    }
}
