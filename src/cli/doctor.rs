//! Arguments of `maze doctor`.

use clap::Args;

/// Arguments of `doctor`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Exit codes: 0 nothing failed, warnings or not; 1 something failed.")]
pub struct DoctorArgs {
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}
