//! The playground: from arguments to [`app::run`].

use std::ops::ControlFlow;

use super::{Failure, source};
use crate::app::chat::Chat;
use crate::app::worker::Loader;
use crate::app::{self, Options, scripted};
use crate::cli::PlayArgs;
use crate::config::{self, Config};
use crate::engine::load::{self, Progress};
use crate::engine::{ModelSpec, Request};

pub(super) fn run(args: &PlayArgs) -> Result<(), Failure> {
    let config = Config::playground(args, config::environment).map_err(Failure::Input)?;
    let chat = &args.chat;
    let options = Options {
        loader: loader(&config),
        grammar: source(&args.grammar)?,
        prompt: args.prompt.clone(),
        chat: Chat::new(chat.choice(), chat.system.as_deref().unwrap_or_default(), chat.think),
        template: Request {
            sampler: args.sampler.settings(),
            max_tokens: args.max_tokens.unwrap_or(Request::default().max_tokens),
            ..Request::default()
        },
        theme: config.theme,
        probe: config.probe,
        mouse: true,
    };
    match app::run(options) {
        Ok(0) => Ok(()),
        Ok(code) => Err(Failure::Told(code)),
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
            Err(Failure::Input(error.to_string()))
        }
        Err(error) => Err(Failure::Run(format!("the terminal cannot be used: {error}"))),
    }
}

/// Loads the model that the configuration names. `scripted:2000` names one that types a text at
/// 2,000 tokens a second, for tests and recordings.
fn loader(config: &Config) -> Loader {
    let config = config.clone();
    if let ModelSpec::Path(path) = &config.model
        && let Some(rate) = path.to_str().and_then(|p| p.strip_prefix("scripted:")?.parse().ok())
    {
        return scripted::loader(rate);
    }
    Box::new(move |on: &mut dyn FnMut(Progress) -> ControlFlow<()>| {
        load::load(&config.model, config.device, config.context, on)
    })
}
