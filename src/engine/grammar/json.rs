//! Finds keys and strings in the text of a JSON document, so that diagnostics can point at them.
//!
//! The document has been parsed before, so nothing here checks it; a text that is not JSON gives
//! useless places, never a failure.

use std::ops::Range;

/// A string of the document: a key or a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// The string's value.
    pub value: String,
    /// Its place, quotes included.
    pub span: Range<usize>,
    /// Whether it is the key of an object's member.
    pub is_key: bool,
    /// The key whose value it stands in, directly or inside an array; for a key, the key whose
    /// value is the object it belongs to.
    pub parent: Option<String>,
}

/// Every string of the document, in order.
pub(super) fn strings(document: &str) -> Vec<Text> {
    let bytes = document.as_bytes();
    let mut found: Vec<Text> = Vec::new();
    // The key that each open object or array is the value of.
    let mut open: Vec<Option<String>> = Vec::new();
    let mut key: Option<String> = None;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let end = string_end(bytes, at);
                let value = serde_json::from_str(&document[at..end]).unwrap_or_default();
                let after = document[end..].trim_start();
                let is_key = after.starts_with(':');
                let parent = if is_key { open.last().cloned().flatten() } else { key.clone() };
                if is_key {
                    key = Some(String::clone(&value));
                }
                found.push(Text { value, span: at..end, is_key, parent });
                at = end;
                continue;
            }
            b'{' | b'[' => open.push(key.clone()),
            b'}' | b']' => key = open.pop().flatten(),
            _ => {}
        }
        at += 1;
    }
    found
}

/// The place of every member of every object: from its key to the end of its value.
pub(super) fn members(document: &str) -> Vec<Range<usize>> {
    let bytes = document.as_bytes();
    let mut found = Vec::new();
    // For each open object or array, where its current member starts.
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut at = 0;
    // One past the last byte that was no white space.
    let mut end = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let next = if byte == b'"' { string_end(bytes, at) } else { at + 1 };
        if matches!(byte, b',' | b'}' | b']')
            && let Some(start) = open.last_mut().and_then(Option::take)
        {
            found.push(start..end);
        }
        match byte {
            b'"' if document[next..].trim_start().starts_with(':') => {
                if let Some(member) = open.last_mut() {
                    *member = Some(at);
                }
            }
            b'{' | b'[' => open.push(None),
            b'}' | b']' => drop(open.pop()),
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            end = next;
        }
        at = next;
    }
    found
}

/// One past the closing quote of the string that starts at `start`.
pub(super) fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_reach_from_key_to_value() {
        let text = r#"{"a" : [1, {"b": "c,}"} ] ,"d":{}}"#;
        let found: Vec<&str> = members(text).into_iter().map(|m| &text[m]).collect();
        assert_eq!(found, [r#""b": "c,}""#, r#""a" : [1, {"b": "c,}"} ]"#, r#""d":{}"#]);
    }

    #[test]
    fn keys_know_what_they_belong_to() {
        let found = strings(r#"{"a": {"b\"": ["c", {"d": "é"}]}, "e": "f"}"#);
        let flat: Vec<_> = found.iter().map(|t| (t.value.as_str(), t.is_key, t.parent.as_deref())).collect();
        assert_eq!(
            flat,
            [
                ("a", true, None),
                ("b\"", true, Some("a")),
                ("c", false, Some("b\"")),
                ("d", true, Some("b\"")),
                ("é", false, Some("d")),
                ("e", true, None),
                ("f", false, Some("e")),
            ]
        );
        assert_eq!(found[0].span, 1..4);
    }
}
