//! Errors in JSON Schemas, placed at the key or value they speak of.

use std::ops::Range;

use super::pattern::PatternError;
use super::{Finding, between, closest, first_line};
use crate::engine::fix::Fix;
use crate::engine::grammar::json::{self, Text};

const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];

/// The text is not JSON at all.
pub(super) fn not_json(text: &str, error: &serde_json::Error) -> Finding {
    // serde_json counts columns in bytes, up to and including the one that it cannot take.
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = if error.is_eof() { text.len() } else { line_start + error.column().saturating_sub(1) };
    let at = at.min(text.len());
    let words = error.to_string();
    let reason = words.rfind(" at line ").map_or(words.as_str(), |end| &words[..end]);
    if reason.starts_with("recursion limit") {
        return Finding::new(at..at + 1, "too-deep", "the JSON nests more than 127 deep")
            .help("move inner schemas to `$defs` and refer to them with `$ref`");
    }
    let finding = Finding::new(at..at + 1, "invalid-json", format!("not JSON: {reason}"));
    match reason {
        "trailing comma" => {
            let finding = finding.help("remove the comma before the closing bracket");
            match text.get(..at).and_then(|before| before.rfind(',')) {
                Some(comma) => finding.fix(Fix::replace("remove the comma", comma..comma + 1, "")),
                None => finding,
            }
        }
        "key must be a string" => finding.help("write keys in double quotes"),
        _ => finding,
    }
}

/// What llguidance says about a schema that is JSON.
pub(super) fn explain(text: &str, error: &str) -> Vec<Finding> {
    let strings = json::strings(text);
    let message = first_line(error);
    if let Some(keys) = between(message, "Unimplemented keys: [", "]") {
        let found: Vec<Finding> = keys
            .split(", ")
            .map(|key| key.trim_matches('"'))
            .map(|key| {
                Finding::new(
                    keyword(&strings, key),
                    "unsupported-keyword",
                    format!("`{key}` is not supported"),
                )
                .help("remove it and check that property after the generation, or add `\"x-guidance\": {\"lenient\": true}`")
            })
            .collect();
        return found;
    }
    vec![explain_one(&strings, error, message)]
}

fn explain_one(strings: &[Text], error: &str, message: &str) -> Finding {
    if let Some(at) = error.find("regex parse error") {
        return in_pattern(strings, &error[at..]);
    }
    if let Some(name) = message.strip_prefix("Invalid type: ") {
        let finding =
            Finding::new(value(strings, name), "unknown-type", format!("`{name}` is not a JSON type"));
        // `bool`, `int` and `str` are types elsewhere.
        let short = || TYPES.into_iter().find(|t| name.len() > 2 && t.starts_with(name));
        return match closest(name, TYPES).or_else(short) {
            Some(meant) => {
                let place = finding.span.clone();
                let fix = Fix::replace(format!("write `{meant}`"), place, format!("\"{meant}\""));
                finding.help(format!("did you mean `{meant}`?")).fix(fix)
            }
            None => finding.help(format!("the types are {}", TYPES.join(", "))),
        };
    }
    if let Some(name) = message.strip_prefix("Unknown format: ") {
        return Finding::new(
            value(strings, name),
            "unknown-format",
            format!("`{name}` is not a known format"),
        )
        .help("use `pattern` with a regular expression instead");
    }
    if let Some(pointer) = between(message, "Pointer '", "'") {
        let place = value(strings, &format!("#{pointer}"));
        return Finding::new(place, "undefined-ref", format!("`#{pointer}` does not exist in this schema"));
    }
    if let Some(resource) = between(message, "Resource '", "'") {
        let outside = format!("`{resource}` is outside of this schema");
        return Finding::new(value(strings, resource), "undefined-ref", outside)
            .help("copy the schema into `$defs` and refer to it with `#/$defs/…`");
    }
    if message.starts_with("oneOf constraints are not supported") {
        return Finding::new(
            keyword(strings, "oneOf"),
            "unsupported-keyword",
            "`oneOf` is not supported here",
        )
        .help("use `anyOf`, or add `\"x-guidance\": {\"coerce_one_of\": true}`");
    }
    if let Some(field) = between(message, "unknown field `", "`") {
        return Finding::new(keyword(strings, field), "unknown-option", message.to_owned());
    }
    if let Some(reason) = message.strip_prefix("Unsatisfiable schema: ") {
        let place = mentioned(strings, reason);
        return Finding::new(place, "unsatisfiable", format!("no value can satisfy this: {reason}"));
    }
    Finding::new(mentioned(strings, message), "invalid-schema", message.to_owned())
}

/// An error inside the value of `pattern`, or a key of `patternProperties`.
fn in_pattern(strings: &[Text], error: &str) -> Finding {
    let read = PatternError::read(error);
    let drawn = error.lines().nth(1).unwrap_or_default().trim_start();
    let holds = |t: &&Text| t.value == drawn;
    let place = strings.iter().find(|t| holds(t) && t.parent.as_deref() == Some("pattern"));
    let Some(found) = place.or_else(|| strings.iter().find(holds)) else {
        return Finding::new(keyword(strings, "pattern"), read.code, read.message);
    };
    // The places inside a string with escapes do not map: point at all of it then.
    if found.span.len() == found.value.len() + 2 {
        read.finding(&found.value, found.span.start + 1, 0)
    } else {
        let help = read.help;
        let finding = Finding::new(found.span.clone(), read.code, read.message);
        match help {
            Some(help) => finding.help(help),
            None => finding,
        }
    }
}

/// The first use of `key` as a keyword, not as the name of a property or definition.
fn keyword(strings: &[Text], key: &str) -> Range<usize> {
    let names = ["properties", "patternProperties", "$defs", "definitions"];
    let keys = || strings.iter().filter(|t| t.is_key && t.value == key);
    keys()
        .find(|t| !t.parent.as_deref().is_some_and(|p| names.contains(&p)))
        .or_else(|| keys().next())
        .map_or(0..0, |t| t.span.clone())
}

/// The first string value that is `value`.
fn value(strings: &[Text], value: &str) -> Range<usize> {
    strings.iter().find(|t| !t.is_key && t.value == value).map_or(0..0, |t| t.span.clone())
}

/// The first string of the schema that the message names: `required property 'a' is …` names
/// `required` and `a`, of which the quoted one says more.
fn mentioned(strings: &[Text], message: &str) -> Range<usize> {
    let quoted = message.split('\'').skip(1).step_by(2);
    let words = message.split(|c: char| !c.is_alphanumeric() && c != '$').filter(|w| w.len() > 1);
    // Some messages do not use the schema's own words.
    let also = match message {
        "anyOf is empty" => Some("enum"),
        "incompatible types" => Some("allOf"),
        "invalid multiple of" => Some("multipleOf"),
        _ => None,
    };
    quoted
        .chain(words)
        .chain(also)
        .find_map(|word| strings.iter().find(|t| t.value == word))
        .map_or(0..0, |t| t.span.clone())
}
