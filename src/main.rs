//! Parse, dispatch, exit code.

use std::process::ExitCode;

use clap::Parser;
use maze::cli::Cli;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => maze::commands::run(&cli),
        Err(error) => maze::commands::say(error),
    }
}
