//! `maze completions`: what a shell needs to complete the command line.

use std::io::Write;

use clap::CommandFactory;

use super::Failure;
use super::output::Sink;
use crate::cli::{Cli, CompletionsArgs};

pub(super) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    // Generated first, written then: the generator panics if it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "maze", &mut script);
    Sink::stdout().write_all(&script)?;
    Ok(())
}
