//! Keys as people write them, and which of them a terminal cannot send.

use std::str::FromStr;

use crossterm::event::{KeyCode, KeyModifiers};

use super::Key;
use crate::engine::grammar::closest;

/// Keys that have names, with what else they are called.
const NAMED: &[(&str, KeyCode)] = &[
    ("Esc", KeyCode::Esc),
    ("Escape", KeyCode::Esc),
    ("Enter", KeyCode::Enter),
    ("Return", KeyCode::Enter),
    ("Tab", KeyCode::Tab),
    ("Space", KeyCode::Char(' ')),
    ("Backspace", KeyCode::Backspace),
    ("Del", KeyCode::Delete),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Ins", KeyCode::Insert),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PageUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("PageDown", KeyCode::PageDown),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("←", KeyCode::Left),
    ("→", KeyCode::Right),
    ("↑", KeyCode::Up),
    ("↓", KeyCode::Down),
];

impl FromStr for Key {
    type Err = String;

    /// As the help writes keys, in any case: `Ctrl-Shift-Left`, `alt+x`, `F5`, `?`, `space`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text.trim();
        while let Some((modifier, tail)) = modifier(rest) {
            if modifiers.contains(modifier) {
                return Err(format!("`{text}` is no key: it names a modifier twice"));
            }
            modifiers |= modifier;
            rest = tail;
        }
        let code = code(rest).ok_or_else(|| unknown(text, rest))?;
        let key = Self { code, modifiers }.as_sent();
        match key.obstacle() {
            Some(obstacle) => Err(format!("`{text}`: {obstacle}")),
            None => Ok(key),
        }
    }
}

/// The modifier that a key's name begins with, and what comes after it.
fn modifier(text: &str) -> Option<(KeyModifiers, &str)> {
    let (name, tail) = text.split_once(['-', '+']).filter(|(_, tail)| !tail.is_empty())?;
    let modifier = match name.to_ascii_lowercase().as_str() {
        "ctrl" | "control" | "c" => KeyModifiers::CONTROL,
        "alt" | "meta" | "option" | "a" | "m" => KeyModifiers::ALT,
        "shift" | "s" => KeyModifiers::SHIFT,
        _ => return None,
    };
    Some((modifier, tail))
}

fn code(name: &str) -> Option<KeyCode> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.clone().next())
        && !c.is_control()
        && !"←→↑↓".contains(c)
    {
        return Some(KeyCode::Char(c));
    }
    if let Some(number) = name.strip_prefix(['f', 'F']).and_then(|n| n.parse().ok()) {
        return (1..=12).contains(&number).then_some(KeyCode::F(number));
    }
    NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, code)| *code)
}

fn unknown(text: &str, rest: &str) -> String {
    let meant = closest(rest, NAMED.iter().map(|(name, _)| *name));
    let example = "a key is written like F5, Ctrl-S, Alt-X, Ctrl-Shift-Left, Space or ?";
    meant.map_or_else(
        || format!("there is no key `{text}`; {example}"),
        |meant| {
            format!("there is no key `{text}`; did you mean `{}{meant}`?", &text[..text.len() - rest.len()])
        },
    )
}

impl Key {
    /// The key as a terminal reports it.
    fn as_sent(self) -> Self {
        let Self { mut code, mut modifiers } = self;
        match code {
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => {
                code = KeyCode::BackTab;
                modifiers -= KeyModifiers::SHIFT;
            }
            // Alone, a capital is another key than its small letter.
            KeyCode::Char(c) if modifiers == KeyModifiers::SHIFT && c.is_alphabetic() => {
                code = KeyCode::Char(c.to_uppercase().next().unwrap_or(c));
                modifiers -= KeyModifiers::SHIFT;
            }
            KeyCode::Char(c) if !modifiers.is_empty() => code = KeyCode::Char(c.to_ascii_lowercase()),
            _ => {}
        }
        Self { code, modifiers }
    }

    /// Whether it puts a character into a text.
    pub(super) fn types(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.is_empty()
    }

    /// Why no terminal sends it, or not as itself.
    fn obstacle(self) -> Option<&'static str> {
        let (ctrl, alt, shift) = (
            self.modifiers.contains(KeyModifiers::CONTROL),
            self.modifiers.contains(KeyModifiers::ALT),
            self.modifiers.contains(KeyModifiers::SHIFT),
        );
        Some(match self.code {
            KeyCode::Char(_) if shift => "terminals do not tell Shift with a character; write the character",
            KeyCode::Char('i') if ctrl => "terminals send Tab for it",
            KeyCode::Char('m') if ctrl => "terminals send Enter for it",
            KeyCode::Char('[') if ctrl => "terminals send Esc for it",
            KeyCode::Char('[') if alt => "escape sequences of other keys begin like it",
            KeyCode::Char(c) if ctrl && !(c.is_ascii_lowercase() || "4567 /".contains(c)) => {
                "terminals send Ctrl with letters, Space, / and 4 to 7 only"
            }
            KeyCode::Enter | KeyCode::Tab | KeyCode::Esc | KeyCode::Backspace | KeyCode::BackTab
                if ctrl || shift =>
            {
                "terminals do not tell it from the key without"
            }
            KeyCode::Tab | KeyCode::Esc | KeyCode::BackTab if alt => "terminals do not send it",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BINDINGS, alt, char, ctrl, key, with_ctrl_shift};
    use super::*;

    #[test]
    fn every_key_is_read_as_the_help_writes_it() {
        for (_, key, action) in BINDINGS {
            for text in [key.to_string(), key.to_string().replace("Ctrl-", "CTRL+")] {
                assert_eq!(text.parse(), Ok(*key), "{text} of {}", action.name());
            }
        }
    }

    #[test]
    fn keys_are_read_as_people_write_them() {
        for (text, wanted) in [
            ("Ctrl-Shift-Left", with_ctrl_shift(KeyCode::Left)),
            ("control+shift+LEFT", with_ctrl_shift(KeyCode::Left)),
            ("alt-x", alt('x')),
            ("Alt-X", alt('x')),
            ("alt--", alt('-')),
            ("-", char('-')),
            ("+", char('+')),
            ("f5", key(KeyCode::F(5))),
            ("F", char('F')),
            ("?", char('?')),
            ("shift-g", char('G')),
            ("space", char(' ')),
            ("Shift-Tab", key(KeyCode::BackTab)),
            ("ctrl-/", ctrl('/')),
            (" pagedown ", key(KeyCode::PageDown)),
        ] {
            assert_eq!(text.parse(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_no_terminal_sends_is_refused_with_the_reason() {
        for (text, wanted) in [
            ("Ctrl-I", "terminals send Tab"),
            ("ctrl-m", "terminals send Enter"),
            ("ctrl-[", "terminals send Esc"),
            ("Ctrl-1", "letters, Space, / and 4 to 7 only"),
            ("Ctrl-Enter", "do not tell it from"),
            ("Shift-Enter", "do not tell it from"),
            ("Alt-Esc", "do not send it"),
            ("Ctrl-Shift-A", "do not tell Shift with a character"),
            ("Shift-?", "do not tell Shift with a character"),
            ("F13", "there is no key `F13`"),
            ("Ctrl-Hom", "did you mean `Ctrl-Home`?"),
            ("super-x", "there is no key `super-x`"),
            ("Ctrl-Ctrl-X", "twice"),
            ("", "there is no key ``"),
            ("Ctrl-", "there is no key `Ctrl-`"),
        ] {
            let error = text.parse::<Key>().expect_err(text);
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
