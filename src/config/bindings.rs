//! The table `[keys]` of the config file: other keys for actions.
//!
//! ```toml
//! [keys]
//! run = ["F5", "ctrl-r"]
//! save = "ctrl-s"
//! models = []
//! ```

use std::path::Path;

use toml_edit::{Item, Value};

use super::file::placed;
use crate::app::action::Action;
use crate::app::keymap::{Key, Keymap};
use crate::engine::Position;
use crate::engine::grammar::closest;

/// The keys that a config file asks for.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    /// All keys.
    pub keymap: Keymap,
    /// The actions whose keys the file names, each with its line.
    pub changed: Vec<(Action, usize)>,
}

/// Reads the table.
///
/// # Errors
/// If something in it is wrong: the place and what is meant, perhaps.
pub(super) fn read(path: &Path, text: &str, item: &Item) -> Result<Bindings, String> {
    let at = |span: Option<std::ops::Range<usize>>| Position::of(text, span.map_or(0, |s| s.start));
    let table = item.as_table_like().ok_or_else(|| {
        placed(path, at(item.span()), "keys: must be a table, such as [keys] and run = \"F5\" below it")
    })?;
    let (mut changes, mut places) = (Vec::new(), Vec::new());
    for (name, value) in table.iter() {
        let place = at(table.key(name).and_then(toml_edit::Key::span).or_else(|| value.span()));
        let action = find(name).map_err(|e| placed(path, place, &e))?;
        let wrong = |e: &str| placed(path, at(value.span()), &format!("{name}: {e}"));
        let names = names(value).ok_or_else(|| wrong("must be a key in quotes, or several in [ ]"))?;
        let mut keys = Vec::new();
        for (name, span) in names {
            let key: Key = name.parse().map_err(|e: String| placed(path, at(span.or(value.span())), &e))?;
            keys.extend(key.and_its_stand_in());
        }
        places.push((action, place));
        changes.push((action, keys));
    }
    let keymap = Keymap::with(&changes).map_err(|(number, e)| {
        let (_, place) = places[number];
        placed(path, place, &e)
    })?;
    Ok(Bindings { keymap, changed: places.into_iter().map(|(action, place)| (action, place.line)).collect() })
}

/// The action of this name.
fn find(name: &str) -> Result<Action, String> {
    if let Some(found) = Action::ALL.iter().find(|action| action.key_name() == name) {
        return Ok(*found);
    }
    let names: Vec<String> = Action::ALL.iter().map(|action| action.key_name()).collect();
    let bare = name.replace('_', "-").to_ascii_lowercase();
    let same = names.iter().find(|known| **known == bare).map(String::as_str);
    Err(match same.or_else(|| closest(&bare, names.iter().map(String::as_str))) {
        Some(meant) => format!("there is no action `{name}`; did you mean `{meant}`?"),
        None => format!("there is no action `{name}`; `maze config keys` lists them"),
    })
}

type Named = (String, Option<std::ops::Range<usize>>);

/// One key or several, as they are written; `None` if it is anything else.
fn names(value: &Item) -> Option<Vec<Named>> {
    let text = |value: &Value| Some((value.as_str()?.to_owned(), value.span()));
    match value.as_value()? {
        Value::Array(keys) => keys.iter().map(text).collect(),
        one => text(one).map(|key| vec![key]),
    }
}

#[cfg(test)]
mod tests {
    use toml_edit::Document;

    use super::*;

    fn bindings(text: &str) -> Result<Bindings, String> {
        let document = Document::parse(text).expect("TOML");
        read(Path::new("c"), text, document.get("keys").expect("the table"))
    }

    #[test]
    fn the_table_that_is_printed_is_the_one_that_is_read() {
        let read = bindings(&Keymap::default().toml()).expect("valid");
        for &action in Action::ALL {
            assert_eq!(read.keymap.keys(action), Keymap::default().keys(action), "{}", action.name());
        }
    }

    #[test]
    fn one_key_several_or_none() {
        let text = "[keys]\nrun = ['F11', 'ctrl-r']\nsave = \"alt-s\"\nsystem-prompt = []\n";
        let read = bindings(text).expect("valid");
        assert_eq!(read.keymap.first_key(Action::Run), "F11");
        assert_eq!(read.keymap.first_key(Action::Save), "Alt-S");
        assert_eq!(read.keymap.first_key(Action::SystemPrompt), "");
        assert_eq!(read.changed, [(Action::Run, 2), (Action::Save, 3), (Action::SystemPrompt, 4)]);
    }

    #[test]
    fn mistakes_are_placed() {
        for (text, wanted) in [
            ("keys = 3\n", "c:1:8: keys: must be a table"),
            ("[keys]\nrum = 'F5'\n", "c:2:1: there is no action `rum`; did you mean `run`?"),
            ("[keys]\nsave_as = 'F5'\n", "c:2:1: there is no action `save_as`; did you mean `save-as`?"),
            ("[keys]\nrun = 5\n", "c:2:7: run: must be a key in quotes"),
            ("[keys]\nrun = ['F5', 5]\n", "c:2:7: run: must be a key in quotes"),
            ("[keys]\nrun = ['F5', 'ctrl-i']\n", "c:2:14: `ctrl-i`: terminals send Tab for it"),
            ("[keys]\nrun = 'ctrl-s'\n", "c:2:1: `Ctrl-S` is the key of `save` already"),
            ("[keys]\nstep = 'F11'\nrun = 'F11'\n", "c:3:1: `F11` is the key of `step` already"),
            ("[keys]\nrun = 'Ctrl-Enter'\n", "c:2:7: `Ctrl-Enter`: terminals do not tell it"),
            ("[keys]\nrun = 'Entr'\n", "c:2:7: there is no key `Entr`; did you mean `Enter`?"),
            ("[keys]\nclose = []\n", "c:2:1: `close` needs a key"),
        ] {
            let error = bindings(text).expect_err(text);
            assert!(error.starts_with(wanted), "{text:?}: {error}");
        }
    }
}
