//! The playground: from arguments to [`app::run`].

use std::sync::{Arc, Mutex, PoisonError};

use super::{Failure, source};
use crate::app::chat::Chat;
use crate::app::event::Place;
use crate::app::keep::Keep;
use crate::app::store::recall::Explicit;
use crate::app::worker::{Loader, Models};
use crate::app::{self, Options, scripted};
use crate::catalog::Catalog;
use crate::cli::PlayArgs;
use crate::config::{self, Config, Origin, Setting};
use crate::engine::chat::ModeChoice;
use crate::engine::load::{self, OnProgress};
use crate::engine::{ModelSpec, Request};
use crate::hub;
use crate::store::folder;
use crate::ui::theme::ThemeName;

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
    let (theme, warning) = theme(args, &config)?;
    let chat = &args.chat;
    let place = Arc::new(Mutex::new(Placed {
        place: Place { device: config.device, context: config.context },
        only: Some(config.model.clone()),
    }));
    let placed = place.clone();
    let options = Options {
        models: Models { loader: loader(place), lister: Arc::new(lister) },
        model: config.model.clone(),
        grammar: source(&args.grammar)?,
        prompt: args.prompt.clone(),
        chat: Chat::new(chat.choice(), chat.system.as_deref().unwrap_or_default(), chat.think),
        template: Request {
            sampler: config.sampler.clone(),
            max_tokens: config.max_tokens,
            ..Request::default()
        },
        place: Place { device: config.device, context: config.context },
        set_place: Box::new(move |place| {
            *placed.lock().unwrap_or_else(PoisonError::into_inner) = Placed { place, only: None };
        }),
        file: args.grammar.grammar.clone().or_else(|| args.grammar.schema.clone()),
        keymap: config.keymap.clone(),
        theme,
        themes: config::themes::read_all(&config::environment).0,
        probe: config.probe,
        mouse: config.mouse,
        title: config.title,
        vim: config.vim,
        keep: keep(args, &config),
        warning: warning.as_deref().map(in_one_line),
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

/// What is kept from start to start. What this start's flags and environment say wins over it.
fn keep(args: &PlayArgs, config: &Config) -> Keep {
    let is_said = |setting: &&Setting| matches!(setting.origin, Origin::Flag(_) | Origin::Variable(_));
    Keep {
        folder: folder::path(&config::environment).filter(|_| !args.fresh),
        session: args.session.clone(),
        explicit: Explicit {
            grammar: args.grammar.is_named(),
            prompt: args.prompt.is_some(),
            mode: args.chat.choice() != ModeChoice::Auto,
            system: args.chat.system.is_some(),
            thinking: args.chat.think.is_some(),
            settings: config.settings.iter().filter(is_said).map(|setting| setting.key.name).collect(),
        },
    }
}

/// What is wrong with the config file, without the folder: the line on the screen is short, and
/// `maze config path` tells it.
fn in_one_line(warning: &str) -> String {
    let path = config::file::path(&config::environment);
    let folder = path.as_deref().and_then(|p| p.parent()).map(|p| format!("{}/", p.display()));
    folder.map_or_else(|| warning.to_owned(), |folder| warning.replacen(&folder, "", 1))
}

/// The theme that is wanted, and what the person should know first. A flag that names none is
/// refused; the playground opens all the same with a config file that does.
fn theme(args: &PlayArgs, config: &Config) -> Result<(Option<ThemeName>, Option<String>), Failure> {
    let Some(name) = &config.theme else { return Ok((None, config.warning.clone())) };
    match config::themes::find(&config::environment, name) {
        Ok(theme) => Ok((Some(theme), config.warning.clone())),
        Err(problem) if args.theme.is_some() => Err(Failure::Input(problem)),
        Err(problem) => Ok((None, config.warning.clone().or(Some(problem)))),
    }
}

/// Where models are loaded to.
struct Placed {
    place: Place,
    /// The model that the length of text is meant for, if it is for one only.
    only: Option<ModelSpec>,
}

/// Loads models to where they are wanted. `scripted:2000` names one that types a text at 2,000
/// tokens a second, for tests and recordings.
fn loader(placed: Arc<Mutex<Placed>>) -> Loader {
    Arc::new(move |model: &ModelSpec, on: OnProgress<'_>| {
        if let ModelSpec::Path(path) = model
            && let Some(rate) = path.to_str().and_then(|p| p.strip_prefix("scripted:")?.parse().ok())
        {
            return scripted::loader(rate)(model, on);
        }
        let (Place { device, context }, is_meant) = {
            let placed = placed.lock().unwrap_or_else(PoisonError::into_inner);
            (placed.place, placed.only.as_ref().is_none_or(|only| only == model))
        };
        // The length that was asked for at the start is that of the model it was asked for with.
        load::load(model, device, context.filter(|_| is_meant), on)
    })
}

/// The models that can be picked. Without a cache there is still the embedded one.
fn lister() -> Catalog {
    let settings = hub::Settings::of_process();
    Catalog::read(settings.ok().as_ref().and_then(|s| s.cache.as_deref()), &[])
}
