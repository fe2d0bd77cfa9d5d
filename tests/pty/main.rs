//! The real binary in a pseudo-terminal. Waits for text, never for time.

use std::path::Path;

mod bindings;
mod colours;
mod editor;
mod hangup;
#[path = "../support/keys.rs"]
mod keys;
mod playground;
#[path = "../support/pty.rs"]
#[allow(dead_code, reason = "shared with the program that makes pictures")]
mod pty;
#[path = "../support/random.rs"]
#[allow(dead_code, reason = "shared with tests that change texts")]
mod random;
mod restart;
#[path = "../support/screen.rs"]
#[allow(dead_code, reason = "shared with the program that makes pictures")]
mod screen;

/// The program in a terminal of so many rows and columns, which is not asked about itself.
fn start(rows: u16, columns: u16, arguments: &[&str], environment: &[(&str, &str)]) -> pty::Tui {
    let arguments = [arguments, &["--no-probe"]].concat();
    pty::Tui::start(Path::new(env!("CARGO_BIN_EXE_maze")), (rows, columns), &arguments, environment)
}
