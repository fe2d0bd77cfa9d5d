//! Parse, dispatch, exit code.

use std::process::ExitCode;

use clap::Parser;
use maze::cli::Cli;

fn main() -> ExitCode {
    maze::commands::run(&Cli::parse())
}
