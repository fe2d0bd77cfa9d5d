//! Arguments of `maze export`.

use std::path::PathBuf;

use clap::Args;

use super::ModelArgs;
use crate::engine::export::Format;

/// Arguments of `export`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
A trace knows the texts of its own tokens. The candidates that were not chosen are named by the model: \
the trace's own if --model says so, or the embedded one if the trace is of it; else by their numbers.

Exit codes: 0 done, 1 the file cannot be written, 2 the file is no trace, or the trace is of a model \
with other tokens.")]
pub struct ExportArgs {
    /// A file that `maze generate --trace` or the playground has written.
    pub trace: PathBuf,
    /// What to write: html, a page for any browser that needs nothing else; text; or json, the trace
    /// itself, checked.
    #[arg(long, value_name = "FORMAT", default_value = "html")]
    pub format: Format,
    /// Write to this file instead of stdout; one that is there is replaced at once or not at all.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The model of the trace.
    #[command(flatten)]
    pub model: ModelArgs,
}
