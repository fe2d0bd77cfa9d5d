//! The playground: from arguments to [`app::run`].

use std::sync::Arc;

use super::{Failure, source};
use crate::app::chat::Chat;
use crate::app::worker::{Loader, Models};
use crate::app::{self, Options, scripted};
use crate::catalog::Catalog;
use crate::cli::PlayArgs;
use crate::config::{self, Config};
use crate::engine::load::{self, OnProgress};
use crate::engine::{ModelSpec, Request};
use crate::hub;

pub(super) fn run(args: &PlayArgs) -> Result<(), Failure> {
    let config = Config::playground(args, config::environment).map_err(Failure::Input)?;
    if args.print_config {
        let warning = config.warning.clone();
        return warning.map_or_else(|| super::config::list(&config, false), |w| Err(Failure::Input(w)));
    }
    if args.plain == Some(true) {
        return Err(Failure::Input(
            "the playground draws a screen and cannot be plain; generate, check, replay and the other \
             commands can, see `maze --help`"
                .into(),
        ));
    }
    let chat = &args.chat;
    let options = Options {
        models: Models { loader: loader(&config), lister: Arc::new(lister) },
        model: config.model.clone(),
        grammar: source(&args.grammar)?,
        prompt: args.prompt.clone(),
        chat: Chat::new(chat.choice(), chat.system.as_deref().unwrap_or_default(), chat.think),
        template: Request {
            sampler: config.sampler.clone(),
            max_tokens: config.max_tokens,
            ..Request::default()
        },
        theme: config.theme,
        probe: config.probe,
        mouse: config.mouse,
        warning: config.warning.as_deref().map(in_one_line),
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

/// What is wrong with the config file, without the folder: the line on the screen is short, and
/// `maze config path` tells it.
fn in_one_line(warning: &str) -> String {
    let path = config::file::path(&config::environment);
    let folder = path.as_deref().and_then(|p| p.parent()).map(|p| format!("{}/", p.display()));
    folder.map_or_else(|| warning.to_owned(), |folder| warning.replacen(&folder, "", 1))
}

/// Loads models as the configuration says. `scripted:2000` names one that types a text at 2,000
/// tokens a second, for tests and recordings.
fn loader(config: &Config) -> Loader {
    let Config { model: first, device, context, .. } = config.clone();
    Box::new(move |model: &ModelSpec, on: OnProgress<'_>| {
        if let ModelSpec::Path(path) = model
            && let Some(rate) = path.to_str().and_then(|p| p.strip_prefix("scripted:")?.parse().ok())
        {
            return scripted::loader(rate)(model, on);
        }
        // The length that was asked for is that of the model it was asked for with.
        let context = context.filter(|_| *model == first);
        load::load(model, device, context, on)
    })
}

/// The models that can be picked. Without a cache there is still the embedded one.
fn lister() -> Catalog {
    let settings = hub::Settings::of_process();
    Catalog::read(settings.ok().as_ref().and_then(|s| s.cache.as_deref()), &[])
}
