//! Arguments of `maze man`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `man`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "To read it: maze man | man -l -")]
pub struct ManArgs {
    /// The page of this command instead of the main page.
    pub command: Option<String>,
    /// Write all pages into this folder instead.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub out: Option<PathBuf>,
}
