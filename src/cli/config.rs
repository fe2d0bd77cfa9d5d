//! Arguments of `maze config`.

use clap::{Args, Subcommand};

use crate::config::keys;

/// Arguments of `config`.
#[derive(Args, Clone, Debug)]
#[command(after_help = keys::help())]
pub struct ConfigArgs {
    /// What to do; `list` if nothing is said.
    #[command(subcommand)]
    pub command: Option<ConfigCommand>,
}

/// What can be done with the settings.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting, its value, and where that comes from.
    List {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Print the value of a setting.
    Get {
        /// Its name.
        key: String,
    },
    /// Write a setting into the config file.
    Set {
        /// Its name.
        key: String,
        /// Its value, as the flag takes it.
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Take a setting out of the config file.
    Unset {
        /// Its name.
        key: String,
    },
    /// Print the keys of the playground as the table that the config file takes.
    Keys,
    /// Print where the config file is, or would be.
    Path,
}
