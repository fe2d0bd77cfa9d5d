//! Arguments of `maze shrink`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::ModelArgs;

/// Arguments of `shrink`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
What is left refuses for the same reason: of the same kind, for the same byte, with the same bytes \
expected. `maze replay FILE` shows it and finds the reason again.

Exit codes: 0 done, 1 the text is accepted, 2 wrong input, or the file cannot be written.")]
pub struct ShrinkArgs {
    /// The grammar: a .lark, .gbnf, .json (JSON Schema) or .regex file.
    pub grammar: PathBuf,
    /// A text that it does not accept; `-` reads stdin.
    #[arg(long, value_name = "FILE", required = true)]
    pub text: PathBuf,
    /// Write the case to this file instead of stdout; one that is there is replaced at once or not at all.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Stop after so many seconds with what is left by then: 0.1 to 3600.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub seconds: Duration,
    /// The model whose special tokens the grammar may name.
    #[command(flatten)]
    pub model: ModelArgs,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|s| (0.1..=3600.0).contains(s));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "must be a number from 0.1 to 3600".into())
}
