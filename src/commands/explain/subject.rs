//! What `--token` means: a piece of text, a special token by its name, or a token by its number.

use super::Failure;
use super::show::Subject;
use crate::engine::grammar::closest;
use crate::engine::{TokenId, Vocabulary};

/// Reads `--token`.
pub(super) fn read(text: &str, vocabulary: &Vocabulary) -> Result<Subject<'static>, Failure> {
    let wrong = |reason: String| Failure::Input(format!("--token {text}: {reason}"));
    if let Some(number) = text.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    {
        let last = vocabulary.len().saturating_sub(1);
        return match number.parse::<TokenId>() {
            Ok(token) if (token as usize) < vocabulary.len() => Ok(Subject::Token(token)),
            Ok(_) => Err(wrong(format!("the tokens are #0 to #{last}"))),
            Err(_) => Err(wrong(format!("a token's number is a whole number from #0 to #{last}"))),
        };
    }
    if let Some(token) = vocabulary.control_token(text) {
        return Ok(Subject::Token(token));
    }
    let bytes = unescaped(text).map_err(wrong)?;
    if bytes.is_empty() {
        return Err(wrong("the empty text is no token".into()));
    }
    if let Some(token) = vocabulary.find(&bytes) {
        return Ok(Subject::Token(token));
    }
    let names: Vec<String> = vocabulary.control_names().map(|(name, _)| name).collect();
    let reads_like_a_name = text.len() > 2 && text.starts_with('<') && text.ends_with('>');
    if let Some(meant) = closest(text, names.iter().map(String::as_str)).filter(|_| reads_like_a_name) {
        return Err(wrong(format!(
            "no token is called so; did you mean {meant}? As a piece of text, write \\x3c for its `<`"
        )));
    }
    Ok(Subject::Text(bytes))
}

/// The bytes that a text with escapes stands for.
fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.extend_from_slice(before.as_bytes());
        let mut chars = after.chars();
        match chars.next() {
            Some('n') => out.push(b'\n'),
            Some('t') => out.push(b'\t'),
            Some('r') => out.push(b'\r'),
            Some('\\') => out.push(b'\\'),
            Some('x') => {
                let byte = after.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                out.push(byte.ok_or("`\\x` needs two hexadecimal digits")?);
                chars = after.get(3..).unwrap_or_default().chars();
            }
            _ => return Err("a backslash is written `\\\\`; known are \\n, \\t, \\r and \\x1b".into()),
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read() {
        assert_eq!(unescaped(r"a\n\x00\xffé\\n"), Ok(b"a\n\x00\xff\xc3\xa9\\n".to_vec()));
        for wrong in [r"\", r"\q", r"\x1", r"\xé0"] {
            assert!(unescaped(wrong).is_err(), "{wrong}");
        }
    }
}
