//! The trap of JSON Schemas: white space between the parts of an object or array has no bound.

use serde_json::Value;

use super::edits::put;
use super::{Finding, Fix};
use crate::engine::grammar::json;

/// What keeps a model from writing white space for ever.
const BOUND: &str = r#""whitespace_pattern": "[ \\t\\n\\r]{1,40}""#;

/// White space without a bound, in a schema whose values have some.
pub(super) fn white_space(text: &str) -> Option<Finding> {
    let schema: Value = serde_json::from_str(text).ok()?;
    let object = schema.as_object()?;
    if is_scalar(&schema) {
        return None;
    }
    let options = object.get("x-guidance").and_then(Value::as_object);
    let has = |name: &str| options.is_some_and(|o| o.contains_key(name));
    // Who names an option knows of it.
    if has("whitespace_flexible") || has("whitespace_pattern") {
        return None;
    }
    let strings = json::strings(text);
    let key = strings.iter().find(|t| t.is_key && t.value == "x-guidance" && t.parent.is_none());
    let open = match key {
        Some(key) => key.span.end + text.get(key.span.end..)?.find('{')? + 1,
        None => text.find('{')? + 1,
    };
    let is_empty = text.get(open..)?.trim_start().starts_with('}');
    let comma = if is_empty { "" } else { ", " };
    let member = if key.is_some() { BOUND.to_owned() } else { format!("\"x-guidance\": {{{BOUND}}}") };
    let span = key.map_or(open - 1..open, |k| k.span.clone());
    let message = "white space between the parts of a value can go on and on: a model may never leave it";
    Some(
        Finding::new(span, "json-white-space", message)
            .help(r#"bound it with `"x-guidance": {"whitespace_pattern": "[ \\n]{1,40}"}`, or forbid it with `"whitespace_flexible": false`"#)
            // JSON that nests deep is indented by more.
            .fix(Fix::new("bound it", vec![put(open..open, format!("{member}{comma}"))]).unsafe_to_apply()),
    )
}

/// Whether every value is a scalar, as far as the top says.
fn is_scalar(schema: &Value) -> bool {
    let scalar = |v: &Value| !v.is_array() && !v.is_object();
    let types = |v: &Value| matches!(v.as_str(), Some("string" | "number" | "integer" | "boolean" | "null"));
    if let Some(Value::Array(any)) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
        return any.iter().all(is_scalar);
    }
    match (&schema["type"], &schema["enum"], &schema["const"]) {
        (Value::Array(all), ..) if all.iter().all(types) => true,
        (one, ..) if types(one) => true,
        (_, Value::Array(all), _) => all.iter().all(scalar),
        (Value::Null, Value::Null, constant) => !constant.is_null() && scalar(constant),
        _ => false,
    }
}
