//! The table of settings: what can be written in the config file, said in the environment and
//! given as a flag. Validation, `maze config` and the documentation are all made from it.

use std::fmt::Write;

use super::values;

/// A setting.
#[derive(Debug)]
pub struct Key {
    /// Its name in the file.
    pub name: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// What it may be, in words that its parser uses too.
    pub range: &'static str,
    /// What it is if nobody says otherwise.
    pub default: &'static str,
    /// How the file writes it.
    pub kind: Kind,
    /// The parser of its flag, which says what is wrong with a value.
    pub check: fn(&str) -> Result<(), String>,
}

/// How the file writes a value. Text in quotes is taken for all of them: 64-bit seeds need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In quotes.
    Text,
    /// A number, or a word in quotes.
    Number,
    /// `true` or `false`.
    Switch,
}

impl Key {
    /// The variable of the environment that stands for it: `MAZE_TOP_K`.
    pub fn variable(&self) -> String {
        format!("MAZE_{}", self.name.to_ascii_uppercase())
    }

    /// The flag that stands for it: `--top-k`.
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }
}

/// A key whose values the given function of [`values`] parses.
macro_rules! key {
    ($name:literal, $kind:ident, $parser:ident, $range:literal, $default:literal, $about:literal) => {
        Key {
            name: $name,
            about: $about,
            range: $range,
            default: $default,
            kind: Kind::$kind,
            check: |text| values::$parser(text).map(drop),
        }
    };
}

/// Every setting.
pub const KEYS: &[Key] = &[
    key!("model", Text, model, "a folder, a .gguf file or org/name of the hub", "maze-nano", "the model"),
    key!("device", Text, device, "auto, cpu, cuda or cuda:N", "auto", "where to compute"),
    key!(
        "context",
        Number,
        context,
        "auto or a whole number from 1 to 16777216",
        "auto",
        "tokens the model's cache holds; auto is what it was trained for, to 4096"
    ),
    key!(
        "theme",
        Text,
        theme,
        "auto, dark, light, contrast-dark, contrast-light or the name of a theme of your own",
        "auto",
        "the playground's colours; auto is as the terminal is"
    ),
    key!(
        "mouse",
        Switch,
        switch,
        "true or false",
        "true",
        "whether the playground takes the mouse at the start"
    ),
    key!(
        "title",
        Switch,
        switch,
        "true or false",
        "true",
        "whether the playground sets the terminal's title"
    ),
    key!(
        "vim",
        Switch,
        switch,
        "true or false",
        "false",
        "whether keys are vi's in the grammar and the prompt"
    ),
    key!(
        "plain",
        Switch,
        switch,
        "true or false",
        "false",
        "whether the commands print words alone, for screen readers and logs"
    ),
    key!(
        "max_tokens",
        Number,
        max_tokens,
        "a whole number from 1 to 1000000",
        "512",
        "end a run after so many tokens, forced ones counted"
    ),
    key!(
        "temperature",
        Number,
        temperature,
        "a number from 0 to 100",
        "0",
        "0 picks the most probable token, 1 samples"
    ),
    key!(
        "top_k",
        Number,
        top_k,
        "a whole number from 0 to 4294967295",
        "0",
        "sample among this many tokens; 0 takes all"
    ),
    key!(
        "top_p",
        Number,
        fraction,
        "a number from 0 to 1",
        "1",
        "sample among the fewest tokens with this probability together"
    ),
    key!(
        "min_p",
        Number,
        fraction,
        "a number from 0 to 1",
        "0",
        "sample among tokens at least this fraction as probable as the best one"
    ),
    key!(
        "repetition_penalty",
        Number,
        penalty,
        "a number above 0, up to 10",
        "1",
        "make tokens that came before less likely; 1 changes nothing"
    ),
    key!(
        "seed",
        Number,
        seed,
        "a whole number from 0 to 18446744073709551615",
        "0",
        "equal seeds give equal texts"
    ),
];

/// The key of this name.
///
/// # Errors
/// If there is none: a sentence that suggests the nearest.
pub fn find(name: &str) -> Result<&'static Key, String> {
    KEYS.iter().find(|key| key.name == name).ok_or_else(|| {
        // Flags and variables are names that people try.
        let bare = name.trim_start_matches("--").replace('-', "_").to_ascii_lowercase();
        let bare = bare.strip_prefix("maze_").unwrap_or(&bare);
        let names = KEYS.iter().map(|key| key.name);
        match names
            .clone()
            .find(|n| *n == bare)
            .or_else(|| crate::engine::grammar::closest(bare, names.clone()))
        {
            Some(meant) => format!("there is no key `{name}`; did you mean `{meant}`?"),
            None => format!("there is no key `{name}`; there are {}", names.collect::<Vec<_>>().join(", ")),
        }
    })
}

/// The table as text, for help and the manual.
pub fn help() -> String {
    let mut out = String::from("Keys, each with what it may be and its default:\n");
    for key in KEYS {
        // Writing to a String cannot fail.
        let _ = write!(out, "\n  {}: {} [{}]\n      {}\n", key.name, key.range, key.default, key.about);
    }
    out + "\n\
        A flag wins over the environment, the environment over the file, and the file\n\
        over the default. The flag of a key is its name with hyphens (--top-k), its\n\
        variable is in capitals after MAZE_ (MAZE_TOP_K). The file is $MAZE_CONFIG, or\n\
        maze/config.toml in $XDG_CONFIG_HOME, or ~/.config/maze/config.toml; a key of it\n\
        is a line such as `temperature = 0.8`. Below a line [keys] stand other keys for the\n\
        playground, such as `run = [\"F5\", \"ctrl-r\"]`; `maze config keys` prints them all."
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_key_is_a_flag_whose_help_tells_the_default() {
        let cli = crate::cli::Cli::command();
        for key in KEYS {
            (key.check)(key.default).expect("a default is valid");
            let argument = cli
                .get_arguments()
                .find(|a| a.get_long().is_some_and(|l| format!("--{l}") == key.flag()))
                .unwrap_or_else(|| panic!("{} is no flag of the playground", key.flag()));
            let help = argument.get_help().expect("a help").to_string();
            let wanted = match key.name {
                "model" => "[default: the embedded model, maze-nano]".into(),
                "context" => "[default: auto".into(),
                "theme" => "[default: auto".into(),
                _ => format!("[default: {}]", key.default),
            };
            assert!(help.contains(&wanted), "{}: {help}", key.name);
        }
    }

    #[test]
    fn a_refusal_tells_the_range_of_the_table() {
        for key in KEYS.iter().filter(|k| k.name != "model") {
            let error = (key.check)("no such\nvalue").expect_err(key.name);
            assert!(error.contains(key.range), "{}: {error}", key.name);
        }
    }

    #[test]
    fn names_that_people_try_are_understood() {
        for name in ["--top-k", "MAZE_TOP_K", "topk", "top-k", "TOP_K"] {
            let error = find(name).expect_err(name);
            assert!(error.contains("`top_k`?"), "{name}: {error}");
        }
        assert!(find("colour").expect_err("no key").contains("there are model, device"));
    }
}
