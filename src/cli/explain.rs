//! Arguments of `maze explain`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Args};

use super::ModelArgs;

/// Arguments of `explain`.
#[derive(Args, Clone, Debug)]
#[command(
    group = ArgGroup::new("what").required(true).args(["text", "trace"]),
    after_help = "\
Without --at or --step it explains where the text leaves the grammar, or its end; of a trace, where \
the run ended.

Exit codes: 0 it may come (the text is accepted, the token is allowed), 1 it may not, 2 wrong input."
)]
pub struct ExplainArgs {
    /// The grammar: a .lark, .gbnf, .json (JSON Schema) or .regex file. A trace has its own.
    #[arg(value_name = "GRAMMAR", required_unless_present = "trace", conflicts_with = "trace")]
    pub grammar: Option<PathBuf>,
    /// The rule of the grammar to begin with, one of those that it names as entry points
    /// [default: the one that `start` names].
    #[arg(long, value_name = "NAME", conflicts_with = "trace")]
    pub entry: Option<String>,
    /// The text; `-` reads stdin.
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// A run that `maze generate --trace` or the playground has written.
    #[arg(long, value_name = "TRACE")]
    pub trace: Option<PathBuf>,
    /// The place in the text: a byte, counted from 0, or a line and a column, counted from 1.
    #[arg(long, value_name = "BYTE|LINE:COL", conflicts_with = "trace")]
    pub at: Option<TextPlace>,
    /// The place in the trace: before this step; steps count from 1.
    #[arg(long, value_name = "N", requires = "trace", conflicts_with = "text", allow_negative_numbers = true, value_parser = step)]
    pub step: Option<usize>,
    /// Explain this there: a piece of text (`\n`, `\t`, `\\` and `\x1b` are read), the name of a special
    /// token, or a token's number after `#`.
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    pub token: Option<String>,
    /// The model whose tokens are meant.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextPlace {
    /// A byte, from 0.
    Byte(usize),
    /// A line, and a column in characters, from 1.
    LineColumn(usize, usize),
}

impl FromStr for TextPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| part.parse::<usize>().ok().filter(|_| !part.starts_with('+'));
        let place = match text.split_once(':') {
            None => number(text).map(Self::Byte),
            Some((line, column)) => match (number(line), number(column)) {
                (Some(line @ 1..), Some(column @ 1..)) => Some(Self::LineColumn(line, column)),
                _ => None,
            },
        };
        place.ok_or_else(|| {
            "must be a byte counted from 0, or a line and a column from 1, such as 3:14".into()
        })
    }
}

fn step(text: &str) -> Result<usize, String> {
    crate::config::values::whole(text, 1, 1_000_001)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bytes_or_lines() {
        assert_eq!("0".parse(), Ok(TextPlace::Byte(0)));
        assert_eq!("3:14".parse(), Ok(TextPlace::LineColumn(3, 14)));
        for wrong in ["", "-1", "0:1", "1:0", "1:", ":1", "a", "1:2:3", "+1", "1.5"] {
            assert!(wrong.parse::<TextPlace>().is_err(), "{wrong}");
        }
    }
}
