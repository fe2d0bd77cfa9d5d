//! Other keys for actions, as the config file asks for them.

use super::{BINDINGS, Binding, Context, Key, Keymap};
use crate::app::action::Action;

/// Without these, nothing could be chosen, closed or left.
const NEEDED: [Action; 3] = [Action::Close, Action::Enter, Action::Quit];

impl Keymap {
    /// The keys at the start, with those of some actions replaced by others.
    ///
    /// # Errors
    /// The number of the action, among those given, whose keys cannot be as they are wanted, and why.
    pub fn with(changes: &[(Action, Vec<Key>)]) -> Result<Self, (usize, String)> {
        let is_changed = |action: Action| changes.iter().any(|(changed, _)| *changed == action);
        let mut bindings: Vec<Binding> = BINDINGS.iter().filter(|b| !is_changed(b.2)).copied().collect();
        for (number, (action, keys)) in changes.iter().enumerate() {
            if keys.is_empty() && NEEDED.contains(action) {
                return Err((number, format!("`{}` needs a key", action.key_name())));
            }
            for &key in keys {
                let contexts = contexts(*action, key).map_err(|reason| (number, reason))?;
                for context in contexts {
                    if let Some((_, _, other)) = bindings.iter().find(|b| clash(b, context, key)) {
                        if other == action {
                            continue;
                        }
                        let (other, hint) = (other.key_name(), "give that another one, or none");
                        return Err((number, format!("`{key}` is the key of `{other}` already; {hint}")));
                    }
                    bindings.push((context, key, *action));
                }
            }
        }
        Ok(Self { bindings })
    }

    /// The whole table, as the config file takes it.
    pub fn toml(&self) -> String {
        let mut out = String::from(
            "# The keys of maze: put what you change into the config file. An action without keys has [].\n[keys]\n",
        );
        for &action in Action::ALL {
            let quoted = |key: Key| toml_edit::Value::from(key.to_string()).to_string();
            let keys: Vec<String> = self.keys(action).1.into_iter().map(quoted).collect();
            out += &format!("# {}\n{} = [{}]\n", action.doc(), action.key_name(), keys.join(", "));
        }
        out
    }
}

/// Whether a binding has this key for itself where it would be wanted.
fn clash(binding: &Binding, context: Context, key: Key) -> bool {
    let overlaps = binding.0 == context || binding.0 == Context::Everywhere || context == Context::Everywhere;
    overlaps && binding.1 == key
}

/// Where a key is to ask for an action: where it did before, else where the action belongs; a key that
/// types only where keys do not type.
fn contexts(action: Action, key: Key) -> Result<Vec<Context>, String> {
    let of_action = || BINDINGS.iter().filter(|binding| binding.2 == action);
    let before: Vec<Context> = of_action().filter(|binding| binding.1 == key).map(|b| b.0).collect();
    if !before.is_empty() {
        return Ok(before);
    }
    let first = of_action().next().map_or(Context::Everywhere, |binding| binding.0);
    match (key.types(), first) {
        (true, Context::Text) => {
            Err(format!("`{key}` types where `{}` works; add Ctrl or Alt", action.key_name()))
        }
        (true, _) => Ok(vec![Context::Panes]),
        (false, first) => Ok(vec![first]),
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;

    fn keys(names: &[&str]) -> Vec<Key> {
        names.iter().map(|name| name.parse().expect("a key")).collect()
    }

    #[test]
    fn other_keys_take_the_place_of_those_at_the_start() {
        let keymap = Keymap::with(&[
            (Action::Run, keys(&["F11", "x"])),
            (Action::Save, keys(&["F5"])),
            (Action::Themes, vec![]),
        ])
        .expect("no clash");
        let press = |code| KeyEvent::new(code, KeyModifiers::NONE);
        assert_eq!(keymap.action(press(KeyCode::F(11)), true), Some(Action::Run));
        assert_eq!(keymap.action(press(KeyCode::F(5)), true), Some(Action::Save));
        assert_eq!(keymap.action(press(KeyCode::Char('x')), false), Some(Action::Run));
        assert_eq!(keymap.action(press(KeyCode::Char('x')), true), None, "it types");
        assert_eq!(
            (keymap.first_key(Action::Run).as_str(), keymap.first_key(Action::Themes).as_str()),
            ("F11", "")
        );
    }

    #[test]
    fn what_cannot_be_is_told() {
        for (changes, number, wanted) in [
            (vec![(Action::Run, keys(&["F1"]))], 0, "`F1` is the key of `help` already"),
            (
                vec![(Action::Run, keys(&["F11"])), (Action::Step, keys(&["F11"]))],
                1,
                "the key of `run` already",
            ),
            (vec![(Action::Rewind, keys(&["Ctrl-R"]))], 0, "the key of `run` already"),
            (vec![(Action::Quit, vec![])], 0, "`quit` needs a key"),
            (vec![(Action::Undo, keys(&["u"]))], 0, "`u` types where `undo` works"),
        ] {
            let (at, reason) = Keymap::with(&changes).expect_err(wanted);
            assert!(at == number && reason.contains(wanted), "{at}: {reason}");
        }
    }
}
