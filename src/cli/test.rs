//! What `maze test` takes.

use clap::Args;

use super::ModelArgs;
use crate::config::values;

/// Arguments of `test`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
The cases of GRAMMAR.lark stand in GRAMMAR.cases beside it: `accept \"text\"`, `reject @1:5 \"text\"` (or \
@end, or @BYTE), or `accept: name` with the text in the lines below, each after `| `; other lines begin \
with `//`. `accept body: name` is for another entry point of the grammar. They may also stand in its \
comments, such as `// accept \"text\"`, and be files in GRAMMAR.accept/ and GRAMMAR.reject/, whose names \
may say where their texts are to be refused: what@1-5.txt, what@end.txt. The examples of a JSON Schema are \
cases too.

Exit codes: 0 every case passes; 1 one fails; 2 a grammar has mistakes, a case cannot be read, or no \
grammar has any.")]
pub struct TestArgs {
    /// Grammars: .lark, .gbnf, .json (JSON Schema) or .regex files, or names of shipped ones.
    #[arg(required = true, value_name = "GRAMMAR")]
    pub grammars: Vec<String>,
    /// Show up to N texts close to the accepted ones that the grammar accepts too: 1 to 1000.
    #[arg(long, value_name = "N", value_parser = near_misses)]
    pub near_misses: Option<usize>,
    /// Equal seeds give equal near misses [default: 0].
    #[arg(long, value_name = "S", value_parser = values::seed, requires = "near_misses",
        allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Say which rules and alternatives the accepted cases use, and which they do not.
    #[arg(long)]
    pub coverage: bool,
    /// The model whose special tokens the grammars may name.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

fn near_misses(text: &str) -> Result<usize, String> {
    values::whole(text, 1, 1000)
}
