//! The settings that the person can change in the program, as texts like those of their flags.
//!
//! Only those are kept that differ from what the program was started with: what the config file says
//! goes on counting for the others.

use crate::app::state::State;
use crate::config::values;
use crate::engine::ModelSpec;
use crate::ui::theme::ThemeName;

/// Names of settings and their values.
pub type Settings = Vec<(String, String)>;

/// The settings as they are.
pub fn of(state: &State) -> Settings {
    let sampler = &state.template.sampler;
    let mut all = vec![
        ("max_tokens", state.template.max_tokens.to_string()),
        ("temperature", sampler.temperature.to_string()),
        ("top_k", sampler.top_k.to_string()),
        ("top_p", sampler.top_p.to_string()),
        ("min_p", sampler.min_p.to_string()),
        ("repetition_penalty", sampler.repetition_penalty.to_string()),
        ("seed", sampler.seed.to_string()),
        ("vim", state.vim.is_some().to_string()),
    ];
    all.extend(state.store.model.clone().map(|model| ("model", model)));
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What is to be kept of a setting: its value if it was changed in the program, or what a session says
/// that a flag stands before this time.
pub fn chosen(state: &State, name: &str, value: String) -> Option<String> {
    let is_new = !state.store.started.iter().any(|(n, v)| n == name && *v == value);
    let hidden = || state.store.hidden.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    if is_new { Some(value) } else { hidden() }
}

/// The settings that are to be kept.
pub fn changed(state: &State) -> Settings {
    let all = of(state).into_iter();
    all.filter_map(|(name, value)| chosen(state, &name, value).map(|value| (name, value))).collect()
}

/// The settings that the program starts with, looks among them.
pub fn started(state: &State, model: &str) -> Settings {
    let mut all = of(state);
    all.retain(|(name, _)| name != "model");
    let more = [
        ("model", model.to_owned()),
        ("theme", state.theme.name().to_owned()),
        ("mouse", state.mouse.to_string()),
    ];
    all.extend(more.map(|(name, value)| (name.to_owned(), value)));
    all
}

/// Sets a setting. One that this program does not know, or a value that it refuses, is left out: the
/// file may be another version's. The model is only named: loading it is up to
/// whoever asks.
pub fn apply(state: &mut State, name: &str, value: &str) {
    fn set<T>(to: &mut T, value: Result<T, String>) {
        if let Ok(value) = value {
            *to = value;
        }
    }
    let sampler = &mut state.template.sampler;
    match name {
        "max_tokens" => set(&mut state.template.max_tokens, values::max_tokens(value)),
        "temperature" => set(&mut sampler.temperature, values::temperature(value)),
        "top_k" => set(&mut sampler.top_k, values::top_k(value)),
        "top_p" => set(&mut sampler.top_p, values::fraction(value)),
        "min_p" => set(&mut sampler.min_p, values::fraction(value)),
        "repetition_penalty" => set(&mut sampler.repetition_penalty, values::penalty(value)),
        "seed" => set(&mut sampler.seed, values::seed(value)),
        "theme" => {
            let own = state.themes.iter().find(|theme| theme.name() == value).cloned().map(ThemeName::Own);
            state.theme = ThemeName::shipped(value).or(own).unwrap_or_else(|| state.theme.clone());
        }
        "mouse" => set(&mut state.mouse, values::switch(value)),
        "vim" => {
            if let Ok(on) = values::switch(value) {
                state.use_vim(on);
            }
        }
        "model" if value.parse::<ModelSpec>().is_ok() => state.store.model = Some(value.to_owned()),
        _ => {}
    }
}
