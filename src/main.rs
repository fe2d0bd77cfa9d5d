//! Parse, dispatch, exit code.

use std::process::ExitCode;

use clap::Parser;
use maze::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    maze::commands::run(&cli).unwrap_or(ExitCode::SUCCESS)
}
