//! The command line: what can be written, and what each argument may be.
//!
//! Numbers are checked here, so that a message names the flag and its range. Nothing here reads a
//! file or the environment; [`config`](crate::config) joins the arguments with both.

use std::path::PathBuf;

use candle_core::quantized::GgmlDType;
use clap::{ArgGroup, Args, Parser, Subcommand};

use crate::config::values::{self, OrAuto};
use crate::engine::model::random::Shape;
use crate::engine::{DeviceSpec, ModelSpec};
use crate::store::name;

mod chat;
mod completions;
mod config;
mod doctor;
mod explain;
mod export;
mod grammar;
mod man;
mod models;
mod replay;
mod sample;
mod shrink;
mod test;

pub use chat::{ChatArgs, DEFAULT_THINKING};
pub use completions::CompletionsArgs;
pub use config::{ConfigArgs, ConfigCommand};
pub use doctor::DoctorArgs;
pub use explain::{ExplainArgs, TextPlace};
pub use export::ExportArgs;
pub use grammar::{EntryName, GrammarCommand, GrammarCommandArgs, LanguageName, TypedArgs};
pub use man::ManArgs;
pub use models::ModelsArgs;
pub use replay::ReplayArgs;
pub use sample::SampleArgs;
pub use shrink::ShrinkArgs;
pub use test::TestArgs;

/// A terminal playground for grammar-constrained generation.
///
/// Without a command it opens the playground.
#[derive(Clone, Debug, Parser)]
#[command(name = "maze", version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do; the playground if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to open the playground.
    #[command(flatten)]
    pub play: PlayArgs,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed while running, 2 wrong input or usage, 130 and 143 stopped by a signal.
Settings: flags win over the environment (MAZE_MODEL for --model, and so on), the environment over
the config file; `maze config --help` lists them.";

/// The commands that need no screen.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Generate text under a grammar, print it as it comes, and a summary on stderr.
    Generate(Box<GenerateArgs>),
    /// Look for mistakes in grammars, or say whether a text follows one.
    Check(CheckArgs),
    /// Say why a token or a text may come at a place, or why not.
    Explain(ExplainArgs),
    /// Say what a code such as M050 in a message of `maze check` is about.
    ExplainCode(ExplainCodeArgs),
    /// Print random texts of a grammar: what does it accept?
    Sample(SampleArgs),
    /// Run the accept and reject cases of grammars, and show what else they accept.
    Test(TestArgs),
    /// List the grammars that come with the program, or print one.
    Grammars(GrammarsArgs),
    /// Make a grammar from something else: from types.
    Grammar(GrammarCommandArgs),
    /// Measure tokens per second with and without a grammar, in one run.
    Bench(BenchArgs),
    /// List the models at hand, what they need, and whether they would run.
    Models(ModelsArgs),
    /// Print a saved trace, and verify that its masks come out the same again.
    Replay(ReplayArgs),
    /// Make a grammar and a text that it refuses as small as the reason allows.
    Shrink(ShrinkArgs),
    /// Write a saved trace as a web page, as text, or as JSON.
    Export(ExportArgs),
    /// Say what this machine and this build have, and test both for a second.
    Doctor(DoctorArgs),
    /// Look at the settings, or change the config file.
    Config(ConfigArgs),
    /// Print the completions for a shell.
    Completions(CompletionsArgs),
    /// Print the manual.
    Man(ManArgs),
}

/// Which model, where.
#[derive(Args, Clone, Debug, Default)]
pub struct ModelArgs {
    /// A Hugging Face folder, a .gguf file, or a model of the Hugging Face hub: org/name, or
    /// org/name:Q4_K_M for one of its files [default: the embedded model, maze-nano].
    #[arg(long, value_name = "MODEL")]
    pub model: Option<ModelSpec>,
    /// Where to compute: auto, cpu, cuda or cuda:N [default: auto].
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceSpec>,
    /// How many tokens the model's cache holds [default: auto, what it was trained for, up to 4096].
    #[arg(long, value_name = "TOKENS", value_parser = values::context, allow_negative_numbers = true)]
    pub context: Option<OrAuto<usize>>,
}

/// Which grammar: at most one of these.
#[derive(Args, Clone, Debug, Default)]
#[command(group = ArgGroup::new("constraint").multiple(false))]
pub struct GrammarArgs {
    /// A grammar in a file: .lark, .gbnf, .json (JSON Schema) or .regex.
    #[arg(long, value_name = "FILE", group = "constraint")]
    pub grammar: Option<PathBuf>,
    /// A JSON Schema in a file with any name.
    #[arg(long, value_name = "FILE", group = "constraint")]
    pub schema: Option<PathBuf>,
    /// A regular expression that the whole output must match.
    #[arg(long, value_name = "REGEX", group = "constraint")]
    pub regex: Option<String>,
    /// A shipped grammar, by language or name; `maze grammars` lists them. `maze generate` takes the
    /// one that the prompt asks for if none is named; `none` stands for none.
    #[arg(long, value_name = "LANGUAGE", group = "constraint")]
    pub language: Option<String>,
    /// The rule of the grammar to begin with, one of those that it names as entry points
    /// [default: the one that `start` names].
    #[arg(long, value_name = "NAME")]
    pub entry: Option<String>,
}

impl GrammarArgs {
    /// Whether a grammar is named, were it `none`.
    pub fn is_named(&self) -> bool {
        let Self { grammar, schema, regex, language, entry: _ } = self;
        grammar.is_some() || schema.is_some() || regex.is_some() || language.is_some()
    }
}

/// Arguments of the playground.
#[derive(Args, Clone, Debug, Default)]
pub struct PlayArgs {
    /// The grammar to open.
    #[command(flatten)]
    pub grammar: GrammarArgs,
    /// The prompt to open.
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// How the prompt goes to the model.
    #[command(flatten)]
    pub chat: ChatArgs,
    /// The model.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The colours: auto, dark, light, contrast-dark, contrast-light or a theme of your own, a
    /// .tmTheme file in maze/themes of the config folder [default: auto, as the terminal is].
    #[arg(long, value_name = "THEME", value_parser = values::theme)]
    pub theme: Option<OrAuto<String>>,
    /// Whether to take the mouse at the start: true or false [default: true].
    #[arg(long, value_name = "BOOL", value_parser = values::switch)]
    pub mouse: Option<bool>,
    /// Whether to set the terminal's title: true or false [default: true].
    #[arg(long, value_name = "BOOL", value_parser = values::switch)]
    pub title: Option<bool>,
    /// Whether keys are vi's in the grammar and the prompt: true or false [default: false].
    #[arg(long, value_name = "BOOL", value_parser = values::switch, num_args = 0..=1,
        require_equals = true, default_missing_value = "true")]
    pub vim: Option<bool>,
    /// Do not ask the terminal for its colours.
    #[arg(long)]
    pub no_probe: bool,
    /// End every run after this many tokens, forced ones counted: 1 to 1000000 [default: 512].
    #[arg(long, value_name = "N", value_parser = values::max_tokens, allow_negative_numbers = true)]
    pub max_tokens: Option<usize>,
    /// How tokens are picked.
    #[command(flatten)]
    pub sampler: SamplerArgs,
    /// The session to open, or to begin if there is none of that name [default: the last one].
    #[arg(long, value_name = "NAME", value_parser = name::check, conflicts_with = "fresh")]
    pub session: Option<String>,
    /// Begin anew: nothing of earlier starts is read, and nothing of this one is kept.
    #[arg(long)]
    pub fresh: bool,
    /// Print every setting and where it comes from, instead of opening the playground.
    #[arg(long)]
    pub print_config: bool,
    /// Print words alone, for screen readers and logs: no colours, tables, marks or lines that are
    /// rewritten. For the commands; the playground draws a screen [default: false].
    #[arg(long, global = true, value_name = "BOOL", value_parser = values::switch, num_args = 0..=1,
        require_equals = true, default_missing_value = "true")]
    pub plain: Option<bool>,
}

/// Arguments of `generate`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
The text is written to stdout exactly as generated if stdout is a file or a pipe; on a terminal, \
control characters are shown as pictures. What the model thinks before its answer goes to stderr.")]
pub struct GenerateArgs {
    /// The text before the first generated token; `-` reads it from stdin.
    #[arg(allow_hyphen_values = true)]
    pub prompt: String,
    /// How it goes to the model.
    #[command(flatten)]
    pub chat: ChatArgs,
    /// The grammar.
    #[command(flatten)]
    pub grammar: GrammarArgs,
    /// The model.
    #[command(flatten)]
    pub model: ModelArgs,
    /// End after this many tokens, forced ones counted: 1 to 1000000 [default: 512].
    #[arg(long, value_name = "N", value_parser = values::max_tokens, allow_negative_numbers = true)]
    pub max_tokens: Option<usize>,
    /// How tokens are picked.
    #[command(flatten)]
    pub sampler: SamplerArgs,
    /// End where the output contains this text; may be given more than once.
    #[arg(long, value_name = "TEXT", value_parser = stop)]
    pub stop: Vec<String>,
    /// Write everything that is known about every step to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Print one JSON object at the end instead of the text as it comes.
    #[arg(long)]
    pub json: bool,
}

/// How tokens are picked. What is not said here is as the [`config`](crate::config) has it.
#[derive(Args, Clone, Debug, Default)]
pub struct SamplerArgs {
    /// 0 picks the most probable token, 1 samples the model's own distribution: 0 to 100 [default: 0].
    #[arg(long, value_name = "T", value_parser = values::temperature, allow_negative_numbers = true)]
    pub temperature: Option<f32>,
    /// Sample among the fewest tokens that have this probability together: 0 to 1 [default: 1].
    #[arg(long, value_name = "P", value_parser = values::fraction, allow_negative_numbers = true)]
    pub top_p: Option<f32>,
    /// Sample among this many tokens; 0 takes all [default: 0].
    #[arg(long, value_name = "K", value_parser = values::top_k, allow_negative_numbers = true)]
    pub top_k: Option<usize>,
    /// Sample among tokens at least this fraction as probable as the best one: 0 to 1 [default: 0].
    #[arg(long, value_name = "P", value_parser = values::fraction, allow_negative_numbers = true)]
    pub min_p: Option<f32>,
    /// Make tokens that were generated before less likely: above 0, up to 10; 1 changes nothing
    /// [default: 1].
    #[arg(long, value_name = "R", value_parser = values::penalty, allow_negative_numbers = true)]
    pub repetition_penalty: Option<f32>,
    /// Equal seeds give equal texts [default: 0].
    #[arg(long, value_name = "S", value_parser = values::seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
}

/// Arguments of `check`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
A finding is `file:line:column: severity[code]: message`; `maze explain-code M050` says what a code is \
about. Warnings are about what compiles and bites later; they do not change the exit code.

Exit codes: 0 no mistakes, or the text is accepted; 1 the text is not accepted; 2 there are mistakes, \
or a file cannot be read.")]
pub struct CheckArgs {
    /// Grammars: .lark, .gbnf, .json (JSON Schema) or .regex files.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Say whether this text follows the grammar, and if not, where it leaves it; `-` reads stdin.
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// The rule to begin with, one of those that the grammars name as entry points
    /// [default: the one that `start` names].
    #[arg(long, value_name = "NAME", conflicts_with = "fix")]
    pub entry: Option<String>,
    /// Put right in the files what can be put right without asking, and list what is left.
    #[arg(long)]
    pub fix: bool,
    /// With --fix, say what would be done and write nothing.
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
    /// The model whose special tokens the grammars may name.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `explain-code`.
#[derive(Args, Clone, Debug)]
pub struct ExplainCodeArgs {
    /// The code's number or its name: M050 or undefined-name; without one, all are listed.
    pub code: Option<String>,
    /// List all codes.
    #[arg(long)]
    pub list: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `grammars`.
#[derive(Args, Clone, Debug)]
pub struct GrammarsArgs {
    /// Print the text of this grammar.
    pub name: Option<String>,
}

/// Arguments of `bench`.
#[derive(Args, Clone, Debug)]
pub struct BenchArgs {
    /// The model.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Instead of a model, random weights of a real shape: tiny, qwen2.5-0.5b, qwen2.5-1.5b,
    /// qwen2.5-7b or qwen2.5-32b.
    #[arg(long, value_name = "SHAPE", conflicts_with = "model")]
    pub shape: Option<Shape>,
    /// How random weights are stored: f32, f16, bf16, q8_0, q4_k or q6_k.
    #[arg(long, value_name = "TYPE", default_value = "bf16", value_parser = weights)]
    pub weights: GgmlDType,
    /// How tokens are picked. What is not said here is as its default, whatever the config has.
    #[command(flatten)]
    pub sampler: SamplerArgs,
    /// The grammar [default: the shipped Python grammar].
    #[command(flatten)]
    pub grammar: GrammarArgs,
    /// Tokens in the prompt: 1 to 100000.
    #[arg(long, value_name = "N", default_value = "512", value_parser = prompt_tokens)]
    pub prompt_tokens: usize,
    /// Tokens to generate in each round: 1 to 1000000.
    #[arg(long, value_name = "N", default_value = "256", value_parser = values::max_tokens)]
    pub tokens: usize,
    /// Rounds; each measures everything once, and the median of a figure is shown.
    #[arg(long, value_name = "N", default_value = "3", value_parser = rounds)]
    pub rounds: usize,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

fn weights(text: &str) -> Result<GgmlDType, String> {
    Ok(match text {
        "f32" => GgmlDType::F32,
        "f16" => GgmlDType::F16,
        "bf16" => GgmlDType::BF16,
        "q8_0" => GgmlDType::Q8_0,
        "q4_k" => GgmlDType::Q4K,
        "q6_k" => GgmlDType::Q6K,
        _ => return Err("must be f32, f16, bf16, q8_0, q4_k or q6_k".into()),
    })
}

fn prompt_tokens(text: &str) -> Result<usize, String> {
    values::whole(text, 1, 100_000)
}

fn rounds(text: &str) -> Result<usize, String> {
    values::whole(text, 1, 100)
}

fn stop(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("an empty text would stop at once".into()) } else { Ok(text.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["maze"].iter().chain(args))
    }

    #[test]
    fn numbers_out_of_range_name_the_flag_and_the_range() {
        let cases = [
            ("--temperature", ["-1", "nan", "inf", "1e9"], "from 0 to 100"),
            ("--top-p", ["-1", "2", "nan", "inf"], "from 0 to 1"),
            ("--min-p", ["-0.1", "1.1", "nan", "x"], "from 0 to 1"),
            ("--top-k", ["-1", "1.5", "nan", "99999999999999999999"], "from 0 to 4294967295"),
            ("--repetition-penalty", ["0", "-1", "nan", "inf"], "above 0, up to 10"),
            ("--max-tokens", ["0", "-1", "18446744073709551615", "nan"], "from 1 to 1000000"),
            ("--context", ["0", "-1", "18446744073709551615", "inf"], "from 1 to 16777216"),
            ("--seed", ["-1", "1.5", "nan", "18446744073709551616"], "from 0 to 18446744073709551615"),
        ];
        for (flag, values, range) in cases {
            for value in values {
                let error = parse(&["generate", "x", flag, value]).expect_err(value);
                let text = error.to_string();
                assert!(text.contains(flag) && text.contains(range), "{flag} {value}: {text}");
                assert_eq!(error.exit_code(), 2);
            }
        }
    }

    #[test]
    fn the_ends_of_the_ranges_are_inside() {
        let args =
            ["generate", "x", "--temperature", "100", "--top-p", "0", "--seed", "18446744073709551615"];
        let Some(Command::Generate(args)) = parse(&args).expect("valid").command else {
            panic!("not a generate command");
        };
        let given = args.sampler;
        assert_eq!((given.temperature, given.top_p, given.seed), (Some(100.0), Some(0.0), Some(u64::MAX)));
    }

    #[test]
    fn a_run_has_one_grammar() {
        assert!(parse(&["generate", "x", "--regex", "a", "--language", "json"]).is_err());
        assert!(parse(&["--regex", "a", "--prompt", "x"]).is_ok());
    }
}
