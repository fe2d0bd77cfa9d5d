//! `maze config`: the settings in force, and changes to the config file.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::Failure;
use super::output::Sink;
use crate::app::action::Action;
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
        ConfigCommand::Keys => {
            let config = effective()?;
            if let Some(problem) = config.keys_problem {
                return Err(Failure::Input(problem));
            }
            Ok(write!(Sink::stdout(), "{}", config.keymap.toml())?)
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
        let keys: Vec<_> = config
            .keys
            .iter()
            .map(|(action, origin)| {
                json!({ "action": action.key_name(), "keys": names(config, *action), "from": origin.to_string() })
            })
            .collect();
        stdout.json(&json!({ "settings": settings, "keys": keys }))?;
        return keys_problem(config);
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
    for (action, origin) in &config.keys {
        let keys = self::names(config, *action).join(" ");
        let keys = if keys.is_empty() { "none" } else { &keys };
        let origin = origin.to_string();
        let origin = stdout.shown_in_line(&origin).into_owned();
        let name = format!("keys.{}", action.key_name());
        if stdout.is_plain() {
            writeln!(stdout, "{name}: {keys}, from {origin}")?;
        } else {
            writeln!(stdout, "{name:<names$}  {keys:<values$}  {origin}")?;
        }
    }
    keys_problem(config)
}

/// The keys of an action, as the help writes them.
fn names(config: &Config, action: Action) -> Vec<String> {
    config.keymap.keys(action).1.iter().map(ToString::to_string).collect()
}

/// What is wrong with the table of keys, after everything else is told.
fn keys_problem(config: &Config) -> Result<(), Failure> {
    config.keys_problem.clone().map_or(Ok(()), |problem| Err(Failure::Input(problem)))
}
