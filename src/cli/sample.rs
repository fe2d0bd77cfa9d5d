//! Arguments of `maze sample`.

use std::path::PathBuf;

use clap::Args;

use super::ModelArgs;
use crate::config::values;

/// Arguments of `sample`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
A text goes on at random for up to --max-tokens tokens of the model, each allowed one as likely as any \
other, and then takes the shortest way to an end. It is printed only if the grammar accepts it whole.

Exit codes: 0 done; 1 a text could not be ended within the limits; 2 wrong input.")]
pub struct SampleArgs {
    /// The grammar: a .lark, .gbnf, .json (JSON Schema) or .regex file, or the name of a shipped one.
    #[arg(value_name = "GRAMMAR")]
    pub grammar: String,
    /// The entry point of the grammar to begin with [default: the one that `start` names].
    #[arg(long, value_name = "NAME")]
    pub entry: Option<String>,
    /// How many texts: 1 to 100000.
    #[arg(long, short = 'n', value_name = "N", default_value = "5", value_parser = count)]
    pub count: usize,
    /// Most tokens before a text takes the shortest way to an end: 1 to 1000000.
    #[arg(long, value_name = "N", default_value = "60", value_parser = values::max_tokens,
        allow_negative_numbers = true)]
    pub max_tokens: usize,
    /// Equal seeds give equal texts.
    #[arg(long, value_name = "S", default_value = "0", value_parser = values::seed,
        allow_negative_numbers = true)]
    pub seed: u64,
    /// Let the model choose under the grammar, at this temperature, instead of chance: 0 to 100.
    #[arg(long, value_name = "T", value_parser = values::temperature, allow_negative_numbers = true)]
    pub temperature: Option<f32>,
    /// What the model reads before each text.
    #[arg(long, value_name = "TEXT", requires = "temperature")]
    pub prompt: Option<String>,
    /// Write each text to a file of its own in this folder, which is made: 1.txt, 2.txt and so on
    #[arg(long, value_name = "FOLDER")]
    pub to: Option<PathBuf>,
    /// The model whose tokens are taken.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Print one JSON object.
    #[arg(long, conflicts_with = "to")]
    pub json: bool,
}

fn count(text: &str) -> Result<usize, String> {
    values::whole(text, 1, 100_000)
}
