//! What a terminal of xterm's kind sends for a key, by the name that the help gives the key:
//! `F5`, `Ctrl-→`, `Alt-.`, `x`.

/// The bytes of a key.
pub fn bytes(name: &str) -> String {
    let (mut rest, mut ctrl, mut alt, mut shift) = (name, false, false, false);
    for (prefix, is_held) in [("Ctrl-", &mut ctrl), ("Alt-", &mut alt), ("Shift-", &mut shift)] {
        if let (Some(tail), true) = (rest.strip_prefix(prefix), rest != "Shift-Tab") {
            (rest, *is_held) = (tail, true);
        }
    }
    // As xterm counts them: 1, and 1 for Shift, 2 for Alt, 4 for Ctrl.
    let modifier = 1 + u8::from(shift) + 2 * u8::from(alt) + 4 * u8::from(ctrl);
    if let Some(last) = cursor_key(rest) {
        return match modifier {
            1 if ('P'..='S').contains(&last) => format!("\x1bO{last}"),
            1 => format!("\x1b[{last}"),
            m => format!("\x1b[1;{m}{last}"),
        };
    }
    if let Some(number) = editing_key(rest) {
        return match modifier {
            1 => format!("\x1b[{number}~"),
            m => format!("\x1b[{number};{m}~"),
        };
    }
    let text = match rest {
        "Tab" => "\t".to_owned(),
        "Shift-Tab" => "\x1b[Z".to_owned(),
        "Enter" => "\r".to_owned(),
        "Esc" => "\x1b".to_owned(),
        "Backspace" => "\x7f".to_owned(),
        "Space" => " ".to_owned(),
        _ => {
            let c = rest.chars().next().filter(|_| rest.chars().count() == 1);
            let c = c.unwrap_or_else(|| panic!("no key is called {name:?}"));
            match (ctrl, alt) {
                (true, _) => control(c).to_string(),
                (false, true) => c.to_ascii_lowercase().to_string(),
                (false, false) => c.to_string(),
            }
        }
    };
    if alt { format!("\x1b{text}") } else { text }
}

/// The last byte of the sequence of an arrow, of Home and End, and of the first four F-keys.
fn cursor_key(name: &str) -> Option<char> {
    let keys = [("↑", 'A'), ("↓", 'B'), ("→", 'C'), ("←", 'D'), ("End", 'F'), ("Home", 'H')];
    let functions = [("F1", 'P'), ("F2", 'Q'), ("F3", 'R'), ("F4", 'S')];
    keys.iter().chain(&functions).find(|(known, _)| *known == name).map(|(_, last)| *last)
}

/// The number in the sequence of the other keys that type nothing.
fn editing_key(name: &str) -> Option<u8> {
    let functions = ["F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12"];
    let numbers = [15, 17, 18, 19, 20, 21, 23, 24];
    let functions = functions.iter().zip(numbers).map(|(name, number)| (*name, number));
    let others = [("Del", 3), ("PgUp", 5), ("PgDn", 6)];
    others.into_iter().chain(functions).find(|(known, _)| *known == name).map(|(_, number)| number)
}

/// The control character that a terminal sends for Ctrl and this key.
fn control(c: char) -> char {
    match c {
        // What xterm and its kind send for Ctrl-/ and Ctrl-7 alike.
        '/' | '7' => '\x1f',
        ' ' => '\0',
        c => char::from(c.to_ascii_uppercase() as u8 & 0x1f),
    }
}
