//! Arguments of `maze grammar`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::config::values;

use crate::engine::typed::{Entry, Language, MAX_DEPTH};
use crate::engine::{DeviceSpec, ModelSpec};

/// Arguments of `grammar`.
#[derive(Args, Clone, Debug)]
pub struct GrammarCommandArgs {
    /// What to make it from.
    #[command(subcommand)]
    pub command: GrammarCommand,
}

/// What grammars can be made from.
#[derive(Clone, Debug, Subcommand)]
pub enum GrammarCommand {
    /// Make a grammar in which only well-typed completions exist.
    Typed(TypedArgs),
}

/// Arguments of `grammar typed`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
A context is a .toml file, in which types are as the language writes them:

  [variables]
  user = \"User\"
  [functions]
  greet = { takes = [\"str\", \"int\"], gives = \"str\" }
  [types.User]
  fields = { name = \"str\", age = \"int\" }
  methods = { label = { takes = [], gives = \"str\" } }
  make = [\"str\", \"int\"]   # what its constructor takes; \"fields\" for a literal of all fields

Rust also has copy = true and clone = true for a type, and consumes = true for a method; Go has pointer = \
true for a method of the pointer. Any other file is source code, of which the signatures are read; what is \
skipped is listed on stderr and in the grammar.

Exit codes: 0 done, 2 wrong input, or too much for the limits.")]
pub struct TypedArgs {
    /// The language.
    #[arg(long, value_enum)]
    pub language: LanguageName,
    /// What a completion may use: a .toml file, or a source file of the language.
    #[arg(long, value_name = "FILE")]
    pub context: PathBuf,
    /// The type that the completion has or returns, as the language writes it.
    #[arg(long, value_name = "TYPE", required_unless_present = "inside")]
    pub returns: Option<String>,
    /// Complete this function of the context: its parameters are variables, and what it gives is returned.
    #[arg(long, value_name = "FUNCTION")]
    pub inside: Option<String>,
    /// What a completion is.
    #[arg(long, value_enum, default_value = "expression")]
    pub entry: EntryName,
    /// How deep expressions may be inside of each other: 0 to 8.
    #[arg(long, value_name = "N", default_value = "3", value_parser = depth)]
    pub depth: u8,
    /// A variable that a body may declare, up to three, in this order.
    #[arg(long, value_name = "NAME:TYPE", value_parser = local)]
    pub local: Vec<(String, String)>,
    /// The model for whose tokens the grammar is tried: a folder, a .gguf file, or one of the Hugging Face
    /// hub [default: the embedded model, maze-nano].
    #[arg(long, value_name = "MODEL")]
    pub model: Option<ModelSpec>,
    /// Where the model would compute: auto, cpu, cuda or cuda:N [default: auto].
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceSpec>,
}

/// A language by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum LanguageName {
    /// Python with annotations.
    #[value(alias = "py")]
    Python,
    /// TypeScript, strict.
    #[value(alias = "ts")]
    TypeScript,
    /// Rust.
    #[value(alias = "rs")]
    Rust,
    /// Go.
    #[value(alias = "golang")]
    Go,
}

impl LanguageName {
    /// The language.
    pub fn language(self) -> Language {
        match self {
            Self::Python => Language::Python,
            Self::TypeScript => Language::TypeScript,
            Self::Rust => Language::Rust,
            Self::Go => Language::Go,
        }
    }
}

/// What a completion is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EntryName {
    /// An expression.
    Expression,
    /// The statements of a function's body.
    Body,
}

impl EntryName {
    /// What it is.
    pub fn entry(self) -> Entry {
        match self {
            Self::Expression => Entry::Expression,
            Self::Body => Entry::Body,
        }
    }
}

fn depth(text: &str) -> Result<u8, String> {
    let depth = values::whole(text, 0, usize::from(MAX_DEPTH))?;
    u8::try_from(depth).map_err(|e| e.to_string())
}

fn local(text: &str) -> Result<(String, String), String> {
    let (name, ty) = text.split_once(':').ok_or("must be a name and a type: NAME:TYPE")?;
    Ok((name.trim().to_owned(), ty.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    /// Every option of every command has a name of its own.
    #[test]
    fn no_command_has_an_option_twice() {
        let mut cli = crate::cli::Cli::command();
        cli.build();
        let mut waiting = vec![&cli];
        while let Some(command) = waiting.pop() {
            let mut seen = std::collections::BTreeSet::new();
            for name in command.get_arguments().filter_map(|a| a.get_long()) {
                assert!(seen.insert(name), "{} has --{name} twice", command.get_name());
            }
            waiting.extend(command.get_subcommands());
        }
    }
}
