//! The real binary: the commands about itself, its settings and saved traces.

use std::path::Path;
use std::process::{Command, Output, Stdio};

mod bench;
mod cases;
mod codes;
mod config;
mod doctor;
mod explain;
mod export;
mod grammar;
mod manual;
mod minimal;
mod plain;
mod replay;
mod sample;
mod shrink;
mod streams;

/// The binary, without any settings of the person who runs the tests.
fn maze() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maze"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MAZE_") {
            command.env_remove(name);
        }
    }
    command.env("MAZE_CONFIG", "/dev/null");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command
}

/// Exit code, stdout, stderr.
fn finished(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the binary starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("no signal"), text(stdout), text(stderr))
}

fn ran(args: &[&str]) -> (i32, String, String) {
    finished(maze().args(args))
}

fn str(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}
