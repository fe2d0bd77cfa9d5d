//! Arguments of `maze models`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `models`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Memory is that of the weights and of a cache for the usual context, up to 4096 tokens, on the CPU. \
Models that are not here yet are downloaded when they are used: --model org/name[@revision][:file], \
where the file may be a quantisation such as Q4_K_M. HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT and \
HF_HUB_OFFLINE mean what they mean to other programs for the hub.")]
pub struct ModelsArgs {
    /// More models to look at: folders or .gguf files.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}
