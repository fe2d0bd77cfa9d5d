//! Defaults, the environment and the arguments, joined into one [`Config`].
//!
//! What is said on the command line wins over the environment, the environment over the defaults.

use crate::cli::{ModelArgs, PlayArgs};
use crate::engine::{DeviceSpec, ModelSpec};
use crate::ui::theme::ThemeName;

/// What every command needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Which model.
    pub model: ModelSpec,
    /// Where to compute.
    pub device: DeviceSpec,
    /// How many tokens the model's cache shall hold.
    pub context: Option<usize>,
    /// The colours; found out from the terminal if not given.
    pub theme: Option<ThemeName>,
    /// Whether the terminal may be asked for its colours.
    pub probe: bool,
}

impl Config {
    /// From the arguments of a command and a view of the environment.
    ///
    /// # Errors
    /// If a variable of the environment has no valid value; the message names it.
    pub fn new(args: &ModelArgs, environment: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let variable = |name| environment(name).filter(|value| !value.is_empty());
        let model = match (&args.model, variable("MAZE_MODEL")) {
            (Some(model), _) => model.clone(),
            (None, Some(text)) => text.parse().map_err(|e| format!("MAZE_MODEL: {e}"))?,
            (None, None) => ModelSpec::default(),
        };
        let device = match (args.device, variable("MAZE_DEVICE")) {
            (Some(device), _) => device,
            (None, Some(text)) => text.parse().map_err(|e| format!("MAZE_DEVICE: {e}"))?,
            (None, None) => DeviceSpec::default(),
        };
        Ok(Self {
            model,
            device,
            context: args.context,
            theme: variable("MAZE_THEME")
                .map(|t| t.parse().map_err(|e| format!("MAZE_THEME: {e}")))
                .transpose()?,
            probe: true,
        })
    }

    /// From the arguments of the playground.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn playground(args: &PlayArgs, environment: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let config = Self::new(&args.model, environment)?;
        Ok(Self { theme: args.theme.or(config.theme), probe: !args.no_probe, ..config })
    }
}

/// The environment of this process. Values that are not Unicode count as absent.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "MAZE_MODEL" => Some("/models/a.gguf".into()),
            "MAZE_DEVICE" => Some("cpu".into()),
            "MAZE_THEME" => Some("light".into()),
            _ => None,
        }
    }

    #[test]
    fn arguments_win_over_the_environment() {
        let config = Config::new(&ModelArgs::default(), env).expect("valid");
        assert_eq!(config.model, ModelSpec::Path("/models/a.gguf".into()));
        assert_eq!(config.device, DeviceSpec::Cpu);
        let args = ModelArgs {
            model: Some(ModelSpec::Path("b".into())),
            device: Some(DeviceSpec::Cuda(1)),
            context: Some(7),
        };
        let config = Config::new(&args, env).expect("valid");
        assert_eq!(config.model, ModelSpec::Path("b".into()));
        assert_eq!((config.device, config.context), (DeviceSpec::Cuda(1), Some(7)));
        let play = PlayArgs { theme: Some(ThemeName::Dark), no_probe: true, ..PlayArgs::default() };
        let config = Config::playground(&play, env).expect("valid");
        assert_eq!((config.theme, config.probe), (Some(ThemeName::Dark), false));
    }

    #[test]
    fn a_wrong_variable_is_named() {
        let error = Config::new(&ModelArgs::default(), |n| (n == "MAZE_DEVICE").then(|| "gpu".into()));
        assert!(error.is_err_and(|e| e.starts_with("MAZE_DEVICE: ")));
    }
}
