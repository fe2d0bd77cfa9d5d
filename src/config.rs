//! Flags, environment, config file and defaults, joined into one [`Config`].
//!
//! What is said in a flag wins over the environment, the environment over the file, the file over
//! the default. The environment comes in as a function, so that nothing else decides what is read.

use std::fmt;
use std::sync::Arc;

use crate::app::action::Action;
use crate::app::keymap::Keymap;
use crate::cli::{GenerateArgs, ModelArgs, PlayArgs, SamplerArgs};
use crate::engine::{DeviceSpec, ModelSpec, SamplerSettings};

pub mod bindings;
pub mod file;
pub mod keys;
pub mod themes;
pub mod values;

use bindings::Bindings;
use file::ConfigFile;
use keys::{KEYS, Key};
use values::OrAuto;

/// What every command needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which model.
    pub model: ModelSpec,
    /// Where to compute.
    pub device: DeviceSpec,
    /// How many tokens the model's cache shall hold.
    pub context: Option<usize>,
    /// How many tokens a run may generate.
    pub max_tokens: usize,
    /// How tokens are picked.
    pub sampler: SamplerSettings,
    /// The colours; found out from the terminal if not given.
    pub theme: Option<String>,
    /// Whether the playground takes the mouse at the start.
    pub mouse: bool,
    /// Whether the playground sets the terminal's title.
    pub title: bool,
    /// Whether keys are vi's in texts.
    pub vim: bool,
    /// Whether the commands print words alone.
    pub plain: bool,
    /// Whether the terminal may be asked for its colours.
    pub probe: bool,
    /// Which keys ask for what in the playground.
    pub keymap: Arc<Keymap>,
    /// The actions whose keys the config file names, with the places.
    pub keys: Vec<(Action, Origin)>,
    /// What is wrong with the table of keys; the keys are those of the start then.
    pub keys_problem: Option<String>,
    /// What is wrong with the config file. Only the playground goes on without it.
    pub warning: Option<String>,
    /// Every setting and where its value comes from, in the order of [`KEYS`].
    pub settings: Vec<Setting>,
}

/// The value of a key.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The key.
    pub key: &'static Key,
    /// Its value, as its flag would be given.
    pub value: String,
    /// Who said so.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The config file: its path and the line.
    File(String, usize),
    /// This variable of the environment.
    Variable(String),
    /// This flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{path}:{line}"),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

impl Config {
    /// From the arguments of a command that does not generate.
    ///
    /// # Errors
    /// If the config file or a variable of the environment is wrong; the message names the place.
    pub fn new(args: &ModelArgs, environment: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let flags = Flags { model: args.clone(), ..Flags::default() };
        Self::join(flags, ConfigFile::read(&environment)?, &environment)
    }

    /// From the arguments of `generate`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn generate(
        args: &GenerateArgs,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let flags = Flags {
            model: args.model.clone(),
            sampler: args.sampler.clone(),
            max_tokens: args.max_tokens,
            ..Flags::default()
        };
        Self::join(flags, ConfigFile::read(&environment)?, &environment)
    }

    /// From the arguments of the playground, which opens without a broken config file.
    ///
    /// # Errors
    /// If a variable of the environment has no valid value; the message names it.
    pub fn playground(args: &PlayArgs, environment: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let flags = Flags {
            model: args.model.clone(),
            sampler: args.sampler.clone(),
            max_tokens: args.max_tokens,
            theme: args.theme.clone(),
            mouse: args.mouse,
            title: args.title,
            vim: args.vim,
            plain: args.plain,
        };
        let (file, warning) = match ConfigFile::read(&environment) {
            Ok(file) => (file, None),
            Err(warning) => (None, Some(warning)),
        };
        let config = Self::join(flags, file, &environment)?;
        let warning = warning.or_else(|| config.keys_problem.clone());
        Ok(Self { probe: !args.no_probe, warning, ..config })
    }

    /// From what every command may be told: `--plain`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_every_command(
        plain: Option<bool>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        Self::join(Flags { plain, ..Flags::default() }, ConfigFile::read(&environment)?, &environment)
    }

    /// Whether commands shall print words alone. Of a broken config file those tell that read it.
    ///
    /// # Errors
    /// If the variable of the environment has no valid value.
    pub fn is_plain(
        flag: Option<bool>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<bool, String> {
        let file = ConfigFile::read(&environment).unwrap_or_default();
        let mut layers = Layers { file, environment: &environment, settings: Vec::new() };
        layers.pick("plain", flag, values::switch)
    }

    fn join(
        flags: Flags,
        file: Option<ConfigFile>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let (bindings, keys_problem) = match file.as_ref().map(|file| file.bindings.clone()) {
            Some(Ok(bindings)) => (bindings, None),
            Some(Err(problem)) => (Bindings::default(), Some(problem)),
            None => (Bindings::default(), None),
        };
        let place = file.as_ref().map(|file| file.path.display().to_string()).unwrap_or_default();
        let keys = bindings.changed.iter();
        let keys = keys.map(|(action, line)| (*action, Origin::File(place.clone(), *line))).collect();
        let mut layers = Layers { file, environment, settings: Vec::with_capacity(KEYS.len()) };
        let Flags { model, sampler, max_tokens, theme, mouse, title, vim, plain } = flags;
        Ok(Self {
            model: layers.pick("model", model.model, values::model)?,
            device: layers.pick("device", model.device, values::device)?,
            context: layers.pick("context", model.context, values::context)?.chosen(),
            theme: layers.pick("theme", theme, values::theme)?.chosen(),
            mouse: layers.pick("mouse", mouse, values::switch)?,
            title: layers.pick("title", title, values::switch)?,
            vim: layers.pick("vim", vim, values::switch)?,
            plain: layers.pick("plain", plain, values::switch)?,
            max_tokens: layers.pick("max_tokens", max_tokens, values::max_tokens)?,
            sampler: SamplerSettings {
                temperature: layers.pick("temperature", sampler.temperature, values::temperature)?,
                top_k: layers.pick("top_k", sampler.top_k, values::top_k)?,
                top_p: layers.pick("top_p", sampler.top_p, values::fraction)?,
                min_p: layers.pick("min_p", sampler.min_p, values::fraction)?,
                repetition_penalty: layers.pick(
                    "repetition_penalty",
                    sampler.repetition_penalty,
                    values::penalty,
                )?,
                seed: layers.pick("seed", sampler.seed, values::seed)?,
            },
            probe: true,
            keymap: Arc::new(bindings.keymap),
            keys,
            keys_problem,
            warning: None,
            settings: layers.settings,
        })
    }
}

/// What the command line says about settings.
#[derive(Default)]
struct Flags {
    model: ModelArgs,
    sampler: SamplerArgs,
    max_tokens: Option<usize>,
    theme: Option<OrAuto<String>>,
    mouse: Option<bool>,
    title: Option<bool>,
    vim: Option<bool>,
    plain: Option<bool>,
}

/// Where values come from below the flags.
struct Layers<'a> {
    file: Option<ConfigFile>,
    environment: &'a dyn Fn(&str) -> Option<String>,
    settings: Vec<Setting>,
}

impl Layers<'_> {
    /// The value of a key: the flag's, or the highest layer's.
    fn pick<T: fmt::Display>(
        &mut self,
        name: &str,
        flag: Option<T>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, String> {
        let key = keys::find(name)?;
        let (value, text, origin) = match flag {
            Some(value) => {
                let text = value.to_string();
                (value, text, Origin::Flag(key.flag()))
            }
            None => {
                let (text, origin) = self.said(key);
                let value = parse(&text).map_err(|e| match &origin {
                    Origin::Variable(name) => format!("{name}={text}: {e}"),
                    origin => format!("{origin}: {name} = {text}: {e}"),
                })?;
                (value, text, origin)
            }
        };
        self.settings.push(Setting { key, value: text, origin });
        Ok(value)
    }

    fn said(&self, key: &'static Key) -> (String, Origin) {
        let variable = key.variable();
        if let Some(text) = (self.environment)(&variable).filter(|text| !text.is_empty()) {
            return (text, Origin::Variable(variable));
        }
        let entry = self.file.as_ref().and_then(|file| Some((file, file.entry(key)?)));
        match entry {
            Some((file, entry)) => {
                (entry.value.clone(), Origin::File(file.path.display().to_string(), entry.line))
            }
            None => (key.default.to_owned(), Origin::Default),
        }
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
            "MAZE_TOP_K" => Some("40".into()),
            _ => None,
        }
    }

    #[test]
    fn arguments_win_over_the_environment() {
        let config = Config::new(&ModelArgs::default(), env).expect("valid");
        assert_eq!(config.model, ModelSpec::Path("/models/a.gguf".into()));
        assert_eq!((config.device, config.sampler.top_k), (DeviceSpec::Cpu, 40));
        let args = ModelArgs {
            model: Some(ModelSpec::Path("b".into())),
            device: Some(DeviceSpec::Cuda(1)),
            context: Some(OrAuto::Is(7)),
        };
        let config = Config::new(&args, env).expect("valid");
        assert_eq!(config.model, ModelSpec::Path("b".into()));
        assert_eq!((config.device, config.context), (DeviceSpec::Cuda(1), Some(7)));
        let play = PlayArgs { theme: Some(OrAuto::Is("dark".into())), no_probe: true, ..PlayArgs::default() };
        let config = Config::playground(&play, env).expect("valid");
        assert_eq!((config.theme.as_deref(), config.probe), (Some("dark"), false));
        let play = PlayArgs { theme: Some(OrAuto::Auto), ..PlayArgs::default() };
        assert_eq!(Config::playground(&play, env).expect("valid").theme, None);
    }

    #[test]
    fn the_defaults_are_those_of_the_engine() {
        let config = Config::new(&ModelArgs::default(), |_| None).expect("valid");
        let request = crate::engine::Request::default();
        assert_eq!((config.model, config.device), (ModelSpec::default(), DeviceSpec::default()));
        assert_eq!((config.sampler, config.max_tokens), (request.sampler, request.max_tokens));
        let names: Vec<_> = config.settings.iter().map(|s| s.key.name).collect();
        assert_eq!(names, KEYS.iter().map(|k| k.name).collect::<Vec<_>>(), "every key has its field");
        assert!(config.settings.iter().all(|s| s.origin == Origin::Default));
    }

    #[test]
    fn a_wrong_variable_is_named() {
        let error = Config::new(&ModelArgs::default(), |n| (n == "MAZE_DEVICE").then(|| "gpu".into()));
        assert!(error.is_err_and(|e| e.starts_with("MAZE_DEVICE=gpu: ")));
    }
}
