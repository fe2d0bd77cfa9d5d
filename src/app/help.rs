//! The overlay of keys: what stands in it, what is searched for, and how far it is scrolled.

use super::action::Action;
use super::field::Field;
use super::keymap::{Context, Key, Keymap};
use super::menu;

/// The open help.
#[derive(Clone, Debug, Default)]
pub struct Help {
    /// The first row shown.
    pub top: usize,
    /// Only keys and sentences with this text are shown.
    pub query: Field,
}

/// Keys, and what they do.
pub type Line = (String, &'static str);

/// Every action that has a key, under a heading: commands as the palette has them, then what moves,
/// then what has a meaning in some places only.
pub fn groups(keymap: &Keymap) -> Vec<(&'static str, Vec<Line>)> {
    let mut groups: Vec<(&str, Vec<Line>)> = menu::sections().map(|section| (section, Vec::new())).collect();
    let places = ["Moving and choosing", Context::Text.title(), Context::Panes.title()];
    groups.extend(places.map(|place| (place, Vec::new())));
    for &action in Action::ALL {
        let (context, keys) = keymap.keys(action);
        let group = match (context, menu::section(action)) {
            (None, _) => continue,
            (Some(Context::Everywhere), Some(section)) => section,
            (Some(Context::Everywhere), None) => places[0],
            (Some(Context::Text), _) => places[1],
            (Some(Context::Panes), _) => places[2],
        };
        let names: Vec<String> = keys.iter().map(Key::to_string).collect();
        if let Some((_, lines)) = groups.iter_mut().find(|(title, _)| *title == group) {
            lines.push((names.join(" "), action.doc()));
        }
    }
    groups.retain(|(_, lines)| !lines.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_with_a_key_is_in_one_group() {
        let keymap = Keymap::default();
        let groups = groups(&keymap);
        for action in Action::ALL {
            let times =
                groups.iter().flat_map(|(_, lines)| lines).filter(|(_, doc)| *doc == action.doc()).count();
            assert_eq!(times, usize::from(!keymap.keys(*action).1.is_empty()), "{}", action.name());
        }
    }
}
