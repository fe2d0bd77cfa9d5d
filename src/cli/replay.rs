//! Arguments of `maze replay`.

use std::path::PathBuf;

use clap::Args;

use super::ModelArgs;

/// Arguments of `replay`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Every mask of the trace is computed anew from its grammar and its tokens, and compared token by
token. If the model is the one of the trace, so are the probabilities.

Exit codes: 0 everything is reproduced, 1 something differs, 2 the file is no trace, or the trace is
of a model with other tokens.")]
pub struct ReplayArgs {
    /// A file that `maze generate --trace` has written.
    pub trace: PathBuf,
    /// The model of the trace.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Show this step alone, with its candidates; steps count from 1.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = step)]
    pub step: Option<usize>,
    /// Verify the masks and leave the probabilities, which takes no forward pass.
    #[arg(long)]
    pub masks_only: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

fn step(text: &str) -> Result<usize, String> {
    crate::config::values::whole(text, 1, 1_000_000)
}
