//! `maze config`: the settings in force, and changes to the config file.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::Failure;
use super::output::Sink;
use crate::cli::{ConfigArgs, ConfigCommand};
use crate::config::keys::{self, KEYS};
use crate::config::{self, Config, file, themes};

pub(super) fn run(args: &ConfigArgs, plain: Option<bool>) -> Result<(), Failure> {
    let effective = || Config::of_every_command(plain, config::environment).map_err(Failure::Input);
    match args.command.as_ref().unwrap_or(&ConfigCommand::List { json: false }) {
        ConfigCommand::List { json } => list(&effective()?, *json),
        ConfigCommand::Get { key } => {
            let key = keys::find(key).map_err(Failure::Input)?;
            let config = effective()?;
            let value = config.settings.iter().find(|s| s.key.name == key.name).map(|s| s.value.as_str());
            let mut stdout = Sink::stdout();
            let value = stdout.shown_in_line(value.unwrap_or_default()).into_owned();
            Ok(writeln!(stdout, "{value}")?)
        }
        ConfigCommand::Set { key, value } => {
            let key = keys::find(key).map_err(Failure::Input)?;
            if key.name == "theme" && value != "auto" {
                themes::find(&config::environment, value).map_err(Failure::Input)?;
            }
            file::set(&path()?, key, value).map_err(Failure::Input)
        }
        ConfigCommand::Unset { key } => {
            // Also a name that is no key may have to go.
            if !file::unset(&path()?, key).map_err(Failure::Input)? {
                keys::find(key).map_err(Failure::Input)?;
            }
            Ok(())
        }
        ConfigCommand::Path => {
            let mut stdout = Sink::stdout();
            let path = path()?.display().to_string();
            let path = stdout.shown_in_line(&path).into_owned();
            Ok(writeln!(stdout, "{path}")?)
        }
    }
}

fn path() -> Result<PathBuf, Failure> {
    file::path(&config::environment).ok_or_else(|| {
        Failure::Input("there is no place for a config file: set HOME, or MAZE_CONFIG to a path".into())
    })
}

/// Every setting, its value, and where that comes from.
pub(super) fn list(config: &Config, json: bool) -> Result<(), Failure> {
    let mut stdout = Sink::stdout();
    if json {
        let settings: Vec<_> = config
            .settings
            .iter()
            .map(|s| json!({ "key": s.key.name, "value": s.value, "from": s.origin.to_string() }))
            .collect();
        return Ok(stdout.json(&json!({ "settings": settings }))?);
    }
    let names = KEYS.iter().map(|k| k.name.len()).max().unwrap_or_default();
    let shown: Vec<String> =
        config.settings.iter().map(|s| stdout.shown_in_line(&s.value).into_owned()).collect();
    let values = shown.iter().map(|value| value.chars().count()).max().unwrap_or_default();
    for (setting, value) in config.settings.iter().zip(&shown) {
        let origin = setting.origin.to_string();
        let origin = stdout.shown_in_line(&origin).into_owned();
        let name = setting.key.name;
        if stdout.is_plain() {
            writeln!(stdout, "{name}: {value}, from {origin}")?;
        } else {
            writeln!(stdout, "{name:<names$}  {value:<values$}  {origin}")?;
        }
    }
    Ok(())
}
