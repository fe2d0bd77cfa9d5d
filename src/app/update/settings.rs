//! What keys do in the settings, and what a change of one does.

use crate::app::action::Action;
use crate::app::event::Effect;
use crate::app::field::Field;
use crate::app::files::{ConfigKey, FileJob};
use crate::app::look::Graphs;
use crate::app::menu::MenuKind;
use crate::app::settings::{Setting, Settings};
use crate::app::state::{Overlay, State};
use crate::config::values;
use crate::engine::chat::ModeChoice;
use crate::ui::overlay::settings as look;
use crate::ui::theme::ThemeName;

use super::{menu, models};

/// Opens the settings.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.overlay = Some(Overlay::Settings(Settings::default()));
    Vec::new()
}

/// Takes in an action.
pub(super) fn act(state: &mut State, mut settings: Settings, action: Action) -> Vec<Effect> {
    if let Some(field) = &mut settings.edited {
        if action == Action::Enter {
            let text = field.text().trim().to_owned();
            return put(state, settings, &text);
        }
        field.act(action);
        state.overlay = Some(Overlay::Settings(settings));
        return Vec::new();
    }
    let setting = at(&settings);
    match action {
        Action::Left | Action::Right => {
            let Some(value) = setting.step(state, action == Action::Right) else { return Vec::new() };
            return put(state, settings, &value);
        }
        Action::Enter => return enter(state, settings),
        Action::Save => return save(state, &settings),
        _ => {}
    }
    scroll(state, settings, super::overlay::rows(action));
    Vec::new()
}

/// Moves in the list.
pub(super) fn scroll(state: &mut State, settings: Settings, by: isize) {
    if settings.edited.is_none() {
        let selected = settings.selected.saturating_add_signed(by).min(Setting::ALL.len() - 1);
        state.overlay = Some(Overlay::Settings(Settings { selected, ..Settings::default() }));
    }
}

/// A click goes to a row; on the row one is at, it is as Enter.
pub(super) fn click(state: &mut State, settings: Settings, column: u16, row: u16) -> Vec<Effect> {
    let Some(selected) = look::row_at(state, &settings, column, row) else { return Vec::new() };
    let clicked = Settings { selected, ..Settings::default() };
    if selected == settings.selected && settings.edited.is_none() {
        return enter(state, clicked);
    }
    state.overlay = Some(Overlay::Settings(clicked));
    Vec::new()
}

/// Takes a letter while no value is typed.
pub(super) fn letter(state: &mut State, settings: Settings, letter: char) -> Vec<Effect> {
    match letter {
        'd' => default(state, settings),
        'w' => save(state, &settings),
        // A number begins a value.
        '0'..='9' | '.'
            if !matches!(
                at(&settings),
                Setting::Model | Setting::Theme | Setting::Graphs | Setting::Mouse | Setting::Vim
            ) =>
        {
            let edited = Some(Field::new(&letter.to_string()));
            state.overlay = Some(Overlay::Settings(Settings { edited, ..settings }));
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Puts the default in place of the value.
pub(super) fn default(state: &mut State, settings: Settings) -> Vec<Effect> {
    let setting = at(&settings);
    match setting {
        Setting::Model => Vec::new(),
        // What suits the terminal is found out at the start only.
        Setting::Theme => put(state, settings, ThemeName::default().name()),
        _ => put(state, settings, setting.words().default),
    }
}

fn at(settings: &Settings) -> Setting {
    Setting::ALL.get(settings.selected).copied().unwrap_or(Setting::Model)
}

fn enter(state: &mut State, settings: Settings) -> Vec<Effect> {
    match at(&settings) {
        Setting::Model => models::open(state),
        Setting::Theme => menu::open(state, MenuKind::Themes),
        setting @ (Setting::Graphs | Setting::Mouse | Setting::Vim | Setting::Mode) => {
            match setting.step(state, true) {
                Some(value) => put(state, settings, &value),
                None => Vec::new(),
            }
        }
        setting => {
            let edited = Some(Field::new(&setting.value(state)));
            state.overlay = Some(Overlay::Settings(Settings { edited, error: None, ..settings }));
            Vec::new()
        }
    }
}

/// Writes the value into the config file.
fn save(state: &mut State, settings: &Settings) -> Vec<Effect> {
    let setting = at(settings);
    let Some(key) = setting.key() else {
        state.warn(match setting {
            Setting::Mode => "The config file has no key for it; --raw and --chat say it at the start.",
            Setting::Thinking => "The config file has no key for it; --think says it at the start.",
            _ => "It is kept for the next start without the config file.",
        });
        return Vec::new();
    };
    let value = setting.value(state);
    vec![Effect::Files(FileJob::SetConfig(ConfigKey(key), (value != key.default).then_some(value)))]
}

/// Takes a value, or says what is wrong with it and leaves it to be mended.
fn put(state: &mut State, settings: Settings, text: &str) -> Vec<Effect> {
    let settings = match change(state, at(&settings), text) {
        Ok(effects) => {
            state.overlay = Some(Overlay::Settings(Settings { edited: None, error: None, ..settings }));
            return effects;
        }
        Err(error) => Settings { error: Some(error), ..settings },
    };
    state.overlay = Some(Overlay::Settings(settings));
    Vec::new()
}

fn change(state: &mut State, setting: Setting, text: &str) -> Result<Vec<Effect>, String> {
    let sampler = &mut state.template.sampler;
    match setting {
        Setting::Model => return Ok(Vec::new()),
        Setting::Device | Setting::Context => {
            match setting {
                Setting::Device => state.place.device = values::device(text)?,
                _ => state.place.context = values::context(text)?.chosen(),
            }
            let mut effects = vec![Effect::Place(state.place)];
            effects.extend(models::reload(state));
            return Ok(effects);
        }
        Setting::MaxTokens => state.template.max_tokens = values::max_tokens(text)?,
        Setting::Temperature => sampler.temperature = values::temperature(text)?,
        Setting::TopK => sampler.top_k = values::top_k(text)?,
        Setting::TopP => sampler.top_p = values::fraction(text)?,
        Setting::MinP => sampler.min_p = values::fraction(text)?,
        Setting::RepetitionPenalty => sampler.repetition_penalty = values::penalty(text)?,
        Setting::Seed => sampler.seed = values::seed(text)?,
        Setting::Mode => {
            state.chat.choice = match text {
                "auto" => ModeChoice::Auto,
                "raw" => ModeChoice::Raw,
                "chat" if state.has_template() => ModeChoice::Chat,
                "chat" => return Err("the model has no chat template".into()),
                _ => return Err(format!("must be {}", setting.words().range)),
            }
        }
        Setting::Thinking if text == "off" => state.chat.thinks = false,
        Setting::Thinking => {
            let range = setting.words().range;
            state.chat.budget = values::max_tokens(text).map_err(|_| format!("must be {range}"))?;
            state.chat.thinks = true;
        }
        Setting::Theme => {
            let own = state.themes.iter().find(|theme| theme.name() == text);
            let theme = ThemeName::shipped(text).or_else(|| own.cloned().map(ThemeName::Own));
            state.theme = theme.ok_or("there is no theme of that name")?;
        }
        Setting::Graphs => {
            state.graphs = match text {
                "auto" => Graphs::Auto,
                "hidden" => Graphs::Hidden,
                "steps" => Graphs::Steps,
                "whole" => Graphs::Whole,
                _ => return Err(format!("must be {}", setting.words().range)),
            }
        }
        Setting::Vim => state.use_vim(values::switch(text)?),
        Setting::Mouse => {
            state.mouse = values::switch(text)?;
            return Ok(vec![Effect::CaptureMouse(state.mouse)]);
        }
    }
    Ok(Vec::new())
}
