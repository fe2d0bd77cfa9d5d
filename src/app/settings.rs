//! The settings that can be changed while the playground is open: what each is worth now, what a step
//! makes of it, and what it may be. The words and ranges are those of the table of config keys.
//!
//! It only says what is; [`update`](super::update) changes.

use super::field::Field;
use super::look::Graphs;
use super::state::{ModelState, State};
use crate::config::keys::{self, Key};
use crate::engine::DeviceSpec;
use crate::engine::chat::ModeChoice;
use crate::ui::theme::ThemeName;

/// The open settings.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The row that the person is at.
    pub selected: usize,
    /// Its value, while it is typed.
    pub edited: Option<Field>,
    /// What is wrong with what was typed last.
    pub error: Option<String>,
}

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// The model; it has a picker.
    Model,
    /// Where to compute.
    Device,
    /// Tokens of the model's cache.
    Context,
    /// The most tokens of a run.
    MaxTokens,
    /// How flat the distribution is made.
    Temperature,
    /// How many candidates are kept.
    TopK,
    /// The share of candidates that is kept.
    TopP,
    /// The least share of the best that is kept.
    MinP,
    /// What a repetition costs.
    RepetitionPenalty,
    /// What the random numbers start from.
    Seed,
    /// Raw or chat.
    Mode,
    /// The most tokens of thinking.
    Thinking,
    /// The colours; they have a menu.
    Theme,
    /// What the graphs under the output show.
    Graphs,
    /// Whether the program takes the mouse.
    Mouse,
    /// Whether keys are vi's in texts.
    Vim,
}

/// What is said about a setting.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// What it may be.
    pub range: &'static str,
    /// What it is if nobody says otherwise.
    pub default: &'static str,
}

impl Setting {
    /// Every setting, in the order of the overlay.
    pub const ALL: [Self; 16] = [
        Self::Model,
        Self::Device,
        Self::Context,
        Self::Temperature,
        Self::TopK,
        Self::TopP,
        Self::MinP,
        Self::RepetitionPenalty,
        Self::Seed,
        Self::MaxTokens,
        Self::Mode,
        Self::Thinking,
        Self::Theme,
        Self::Graphs,
        Self::Mouse,
        Self::Vim,
    ];

    /// Its key in the config file, if it has one.
    pub fn key(self) -> Option<&'static Key> {
        let name = match self {
            Self::Model => "model",
            Self::Device => "device",
            Self::Context => "context",
            Self::MaxTokens => "max_tokens",
            Self::Temperature => "temperature",
            Self::TopK => "top_k",
            Self::TopP => "top_p",
            Self::MinP => "min_p",
            Self::RepetitionPenalty => "repetition_penalty",
            Self::Seed => "seed",
            Self::Theme => "theme",
            Self::Mouse => "mouse",
            Self::Vim => "vim",
            Self::Mode | Self::Thinking | Self::Graphs => return None,
        };
        keys::find(name).ok()
    }

    /// What is said about it.
    pub fn words(self) -> Words {
        match (self, self.key()) {
            (_, Some(key)) => {
                Words { name: key.name, about: key.about, range: key.range, default: key.default }
            }
            (Self::Mode, _) => Words {
                name: "prompt mode",
                about: "the prompt as it is, or in the model's chat template; auto is chat if there is one",
                range: "auto, raw or chat",
                default: "auto",
            },
            (Self::Graphs, _) => Words {
                name: "graphs",
                about: "what stands under the output of every step: removed mass, entropy and time",
                range: "auto, hidden, steps or whole",
                default: "auto",
            },
            _ => Words {
                name: "thinking",
                about: "the most tokens that a chat may think before its answer",
                range: "off or a whole number from 1 to 1000000",
                default: "off",
            },
        }
    }

    /// Its value, as its flag would be given.
    pub fn value(self, state: &State) -> String {
        let sampler = &state.template.sampler;
        match self {
            Self::Model => match (&state.loading, &state.picker.in_use, &state.model) {
                (Some(loading), ..) => loading.wanted.to_string(),
                (None, Some(wanted), _) => wanted.to_string(),
                (None, None, ModelState::Ready(info, _)) => info.name.clone(),
                _ => "none".into(),
            },
            Self::Device => state.place.device.to_string(),
            Self::Context => state.place.context.map_or_else(|| "auto".into(), |n| n.to_string()),
            Self::MaxTokens => state.template.max_tokens.to_string(),
            Self::Temperature => sampler.temperature.to_string(),
            Self::TopK => sampler.top_k.to_string(),
            Self::TopP => sampler.top_p.to_string(),
            Self::MinP => sampler.min_p.to_string(),
            Self::RepetitionPenalty => sampler.repetition_penalty.to_string(),
            Self::Seed => sampler.seed.to_string(),
            Self::Mode => match state.chat.choice {
                ModeChoice::Auto => "auto".into(),
                ModeChoice::Raw => "raw".into(),
                ModeChoice::Chat => "chat".into(),
            },
            Self::Thinking if state.chat.thinks => state.chat.budget.to_string(),
            Self::Thinking => "off".into(),
            Self::Theme => state.theme.name().to_owned(),
            Self::Graphs => match state.graphs {
                Graphs::Auto => "auto".into(),
                Graphs::Hidden => "hidden".into(),
                Graphs::Steps => "steps".into(),
                Graphs::Whole => "whole".into(),
            },
            Self::Mouse => state.mouse.to_string(),
            Self::Vim => state.vim.is_some().to_string(),
        }
    }

    /// The value one step up or down; `None` if it has no steps, or is at its end.
    pub fn step(self, state: &State, up: bool) -> Option<String> {
        let value = self.value(state);
        let turn = |values: &[String]| {
            let at = values.iter().position(|v| *v == value).unwrap_or(0);
            let by = if up { 1 } else { values.len() - 1 };
            values.get((at + by) % values.len().max(1)).cloned()
        };
        let words = |values: &[&str]| turn(&values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>());
        match self {
            Self::Model => None,
            Self::Device => words(&["auto", "cpu", &DeviceSpec::Cuda(0).to_string()]),
            Self::Context => doubled(&value, "auto", 512, 1 << 24, up),
            Self::MaxTokens => doubled(&value, "1", 2, 1_000_000, up),
            Self::Thinking => doubled(&value, "off", 64, 1_000_000, up),
            Self::Temperature => stepped(&value, 0.1, (0.0, 100.0), up),
            Self::TopP | Self::MinP => stepped(&value, 0.05, (0.0, 1.0), up),
            Self::RepetitionPenalty => stepped(&value, 0.05, (0.05, 10.0), up),
            Self::TopK => {
                let k: u64 = value.parse().ok()?;
                let size = if k < 20 || (k == 20 && !up) { 1 } else { 10 };
                let next = if up { (k + size).min(u64::from(u32::MAX)) } else { k.saturating_sub(size) };
                (next != k).then(|| next.to_string())
            }
            Self::Seed => {
                let seed: u64 = value.parse().ok()?;
                let next = if up { seed.checked_add(1) } else { seed.checked_sub(1) };
                next.map(|n| n.to_string())
            }
            Self::Mode => words(&["auto", "raw", "chat"]),
            Self::Graphs => words(&["auto", "hidden", "steps", "whole"]),
            Self::Mouse | Self::Vim => words(&["true", "false"]),
            Self::Theme => {
                let own = state.themes.iter().map(|theme| theme.name().to_owned());
                let names: Vec<String> =
                    ThemeName::ALL.iter().map(|theme| theme.name().to_owned()).chain(own).collect();
                turn(&names)
            }
        }
    }
}

/// Twice as many, or half; below `least` there is only the word `none`.
fn doubled(value: &str, none: &str, least: u64, most: u64, up: bool) -> Option<String> {
    let next = match (value.parse::<u64>().ok().filter(|_| value != none), up) {
        (None, true) => least.to_string(),
        (None, false) => return None,
        (Some(n), true) => {
            (n.next_power_of_two() * if n.is_power_of_two() { 2 } else { 1 }).min(most).to_string()
        }
        (Some(n), false) if n <= least => none.to_owned(),
        (Some(n), false) => (n.next_power_of_two() / 2).to_string(),
    };
    (next != value).then_some(next)
}

/// The next multiple of `size` above or below, within the range.
fn stepped(value: &str, size: f64, (least, most): (f64, f64), up: bool) -> Option<String> {
    let steps = value.parse::<f64>().ok()? / size;
    // What is written in decimals is a step away from a multiple by rounding only.
    let next = if up { (steps + 1e-4).floor() + 1.0 } else { (steps - 1e-4).ceil() - 1.0 };
    let next = (next * size).clamp(least, most);
    let text = ((next * 1e4).round() / 1e4).to_string();
    (text != value).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_end_at_the_range() {
        let up = |v: &str| stepped(v, 0.1, (0.0, 100.0), true);
        let down = |v: &str| stepped(v, 0.1, (0.0, 100.0), false);
        assert_eq!(
            (up("0"), up("0.7"), up("0.75"), up("1")),
            (Some("0.1".into()), Some("0.8".into()), Some("0.8".into()), Some("1.1".into()))
        );
        assert_eq!(
            (down("0.3"), down("0.25"), down("0"), up("100")),
            (Some("0.2".into()), Some("0.2".into()), None, None)
        );
        let up = |v: &str| doubled(v, "auto", 512, 1 << 24, true);
        let down = |v: &str| doubled(v, "auto", 512, 1 << 24, false);
        assert_eq!(
            (up("auto"), up("512"), up("700")),
            (Some("512".into()), Some("1024".into()), Some("1024".into()))
        );
        assert_eq!(
            (down("1024"), down("700"), down("512"), down("auto")),
            (Some("512".into()), Some("512".into()), Some("auto".into()), None)
        );
        assert_eq!(up("16777216"), None);
    }

    /// Whatever a step leads to is a value that its key takes.
    #[test]
    fn every_step_is_valid() {
        let source = crate::engine::grammar::GrammarSource::lark("a", "");
        let state = State::new(source, "", Default::default());
        for setting in Setting::ALL {
            for up in [true, false] {
                if let (Some(key), Some(value)) = (setting.key(), setting.step(&state, up)) {
                    assert_eq!((key.check)(&value), Ok(()), "{} = {value}", key.name);
                }
            }
        }
    }
}
