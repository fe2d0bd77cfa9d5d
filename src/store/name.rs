//! The names of sessions, and the names of their folders.
//!
//! A session may be called anything in one line; its folder's name is made of letters that every file
//! system takes. The name itself is in the session's file.

use sha2::{Digest, Sha256};

/// The session that is open when nobody has named one.
pub const DEFAULT: &str = "default";

/// The longest name, in characters.
const LONGEST: usize = 80;

/// Letters of a name that its folder's name begins with.
const READABLE: usize = 40;

/// The name without the blanks around it.
///
/// # Errors
/// A sentence that says what a name may be.
pub fn check(name: &str) -> Result<String, String> {
    let name = name.trim();
    if name.is_empty() {
        return Err("a session's name has at least one character".into());
    }
    if name.chars().count() > LONGEST {
        return Err(format!("a session's name has at most {LONGEST} characters"));
    }
    if name.chars().any(|c| c.is_control()) {
        return Err("a session's name has no control characters".into());
    }
    Ok(name.to_owned())
}

/// The name of the folder: the name itself if it is plain, else its plain part and a hash of the whole.
/// Two names never have one folder.
pub fn folder(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let plain: String = name
        .to_lowercase()
        .chars()
        .map(|c| if is_plain(c) { c } else { '-' })
        .take(READABLE)
        .collect::<String>()
        .split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    // A name that looks like the folder of another gets a hash of its own.
    let looks_hashed = plain.rsplit('-').next().is_some_and(|last| last.len() == HASH);
    if plain == name && !looks_hashed {
        return plain;
    }
    let hash: String = Sha256::digest(name).iter().take(HASH / 2).map(|byte| format!("{byte:02x}")).collect();
    if plain.is_empty() { hash } else { format!("{plain}-{hash}") }
}

/// Letters of the hash.
const HASH: usize = 12;

/// What a session is called that is opened in place of one that another program has.
pub fn sibling(name: &str, number: usize) -> String {
    let short: String = name.chars().take(LONGEST - 4).collect();
    format!("{short} {number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn plain_names_are_folders_and_others_get_a_hash() {
        assert_eq!(folder("json-work2"), "json-work2");
        for name in ["JSON", "a/b", "..", ".", "日本", "a b", "-a", "a-", "a--b", "a-0123456789ab"] {
            let folder = folder(name);
            assert!(folder.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            assert_ne!(folder, name);
        }
    }

    #[test]
    fn no_two_names_have_one_folder() {
        let mut seen: HashMap<String, String> = HashMap::new();
        let parts = ["a", "A", "-", " ", "/", "é", "0123456789ab", "x".repeat(60).leak()];
        let mut names: Vec<String> = parts.iter().map(|p| (*p).to_owned()).collect();
        for a in parts {
            for b in parts {
                names.extend([format!("{a}{b}"), folder(&format!("{a}{b}"))]);
                names.extend(parts.iter().map(|c| format!("{a}{b}{c}")));
            }
        }
        for name in names {
            if let Some(other) = seen.insert(folder(&name), name.clone()) {
                assert_eq!(other, name);
            }
        }
    }

    #[test]
    fn names_have_one_line_and_a_length() {
        assert_eq!(check("  my work "), Ok("my work".into()));
        for wrong in ["", " \t", "a\nb", "a\u{1b}b", &"x".repeat(81)] {
            assert!(check(wrong).is_err_and(|e| e.starts_with("a session's name has ")), "{wrong:?}");
        }
        assert_eq!(check(&sibling(&"é".repeat(80), 99)).map(|n| n.chars().count()), Ok(79));
    }
}
