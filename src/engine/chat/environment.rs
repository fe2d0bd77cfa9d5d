//! The template language as chat templates expect it: Jinja with the functions, filters and methods
//! that transformers gives its templates.
//!
//! Templates come with models, so they are not trusted: they reach no file, no environment and no
//! other template, and fuel bounds their work, their memory and their output. Nothing here may be
//! added that works without paying fuel for it.

use jiff::Zoned;
use jiff::fmt::strtime::BrokenDownTime;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Tuple, ValueKind, from_args};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;
use serde_json::Value as Json;

use super::rewrite::PAID;

/// The work a template may do: an instruction costs one, as do 64 bytes of text. Real templates need
/// a few thousand; all of it takes some ten milliseconds.
const FUEL: u64 = 1_000_000;

/// How deep macros and loops may call themselves.
const RECURSION: usize = 200;

/// The longest format of a time, in bytes; writing a time takes no fuel.
const MAX_TIME_FORMAT: usize = 256;

/// What `raise_exception` said: the way a template refuses a conversation.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Raised(pub String);

/// An environment in which it is `now`.
///
/// # Errors
/// If the syntax cannot be set, which it always can.
pub(super) fn environment(now: &Zoned) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_debug(false);
    environment.set_unknown_method_callback(method);
    environment.remove_global("debug");
    environment.add_filter("tojson", tojson);
    environment.add_filter(PAID, paid);
    // Joins lists as `+` does, and Jinja has none.
    environment.remove_filter("chain");
    // Nothing is not a list, and a string is one.
    environment.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    environment.add_test("sequence", |value: &Value| {
        matches!(value.kind(), ValueKind::Seq | ValueKind::String | ValueKind::Map)
    });
    environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, message.clone()).with_source(Raised(message)))
    });
    let now = now.clone();
    environment.add_function("strftime_now", move |format: &str| -> Result<String, Error> {
        if format.len() > MAX_TIME_FORMAT {
            return Err(Error::new(ErrorKind::InvalidOperation, "strftime_now: the format is too long"));
        }
        BrokenDownTime::from(&now)
            .to_string(format)
            .map_err(|e| Error::new(ErrorKind::InvalidOperation, format!("strftime_now({format:?}): {e}")))
    });
    Ok(environment)
}

/// A list as it is, joined lists as one list, at the cost of its elements; anything else as it is.
fn paid(state: &State, value: Value) -> Result<Value, Error> {
    let is_list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) && !value.is_tuple();
    if !is_list || value.downcast_object_ref::<Vec<Value>>().is_some() {
        return Ok(value);
    }
    let mut items = Vec::new();
    for item in value.try_iter()?.checked() {
        state.consume_fuel(1)?;
        items.push(item?);
    }
    Ok(Value::from(items))
}

/// Methods of Python's strings, lists and dictionaries that minijinja has not.
fn method(state: &mut State, value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    let Some(text) = value.as_str() else {
        return match (value.kind(), name) {
            (ValueKind::Map | ValueKind::Seq, "copy") => {
                let () = from_args(args)?;
                Ok(value.clone())
            }
            _ => pycompat::unknown_method_callback(state, value, name, args),
        };
    };
    let cut = |at: Option<usize>, separator: &str| {
        at.map(|at| [&text[..at], separator, &text[at + separator.len()..]].map(Value::from))
    };
    Ok(match name {
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            text.strip_prefix(prefix).unwrap_or(text).into()
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            text.strip_suffix(suffix).unwrap_or(text).into()
        }
        "partition" => {
            let (separator,): (&str,) = from_args(args)?;
            let parts = cut(text.find(separator), separator);
            Tuple::from(parts.unwrap_or_else(|| [text, "", ""].map(Value::from))).into()
        }
        "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            let parts = cut(text.rfind(separator), separator);
            Tuple::from(parts.unwrap_or_else(|| ["", "", text].map(Value::from))).into()
        }
        "index" => {
            let found = pycompat::unknown_method_callback(state, value, "find", args)?;
            if found == Value::from(-1) {
                return Err(Error::new(ErrorKind::InvalidOperation, "substring not found"));
            }
            found
        }
        "casefold" => {
            let () = from_args(args)?;
            text.to_lowercase().into()
        }
        "swapcase" => {
            let () = from_args(args)?;
            let swapped = |c: char| -> String {
                if c.is_lowercase() { c.to_uppercase().collect() } else { c.to_lowercase().collect() }
            };
            text.chars().map(swapped).collect::<String>().into()
        }
        "ljust" | "rjust" | "zfill" => padded(state, text, name, args)?,
        "rsplit" => rsplit(text, args)?,
        "format" if has_wide_field(text) => {
            let message = "a format may have widths up to 999, and no formats in formats";
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        _ => return pycompat::unknown_method_callback(state, value, name, args),
    })
}

/// Whether a format has a width that no template needs, or one that is in its arguments. minijinja
/// takes no fuel for it.
fn has_wide_field(format: &str) -> bool {
    let mut depth = 0_u32;
    let is_nested = format.replace("{{", "").replace("}}", "").chars().any(|c| {
        depth = match c {
            '{' => depth + 1,
            '}' => depth.saturating_sub(1),
            _ => depth,
        };
        depth > 1
    });
    is_nested || format.as_bytes().windows(4).any(|w| w.iter().all(u8::is_ascii_digit))
}

fn padded(state: &State, text: &str, name: &str, args: &[Value]) -> Result<Value, Error> {
    let (width, fill): (i64, Option<&str>) = from_args(args)?;
    let length = text.chars().count();
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(length);
    state.consume_fuel((missing / 16) as u64)?;
    let fill = fill.unwrap_or(if name == "zfill" { "0" } else { " " });
    let blanks = fill.chars().take(1).collect::<String>().repeat(missing);
    Ok(Value::from(match (name, text.strip_prefix(['-', '+'])) {
        ("ljust", _) => format!("{text}{blanks}"),
        ("zfill", Some(digits)) => format!("{}{blanks}{digits}", &text[..1]),
        _ => format!("{blanks}{text}"),
    }))
}

fn rsplit(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (separator, most): (Option<&str>, Option<i64>) = from_args(args)?;
    let most = most.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX).saturating_add(1);
    let mut parts: Vec<Value> = match separator {
        Some("") => return Err(Error::new(ErrorKind::InvalidOperation, "empty separator")),
        Some(separator) => text.rsplitn(most, separator).map(Value::from).collect(),
        None => {
            let mut parts = Vec::new();
            let mut rest = text.trim_end();
            while !rest.is_empty() {
                let start = match rest.rfind(char::is_whitespace) {
                    Some(at) if parts.len() + 1 < most => at,
                    _ => {
                        parts.push(Value::from(rest.trim_start()));
                        break;
                    }
                };
                let word = rest[start..].trim_start();
                parts.push(Value::from(word));
                rest = rest[..start].trim_end();
            }
            parts
        }
    };
    parts.reverse();
    Ok(Value::from(parts))
}

/// `json.dumps` as transformers calls it: no characters of HTML are escaped, and a space follows
/// commas and colons.
fn tojson(state: &State, value: Value, options: Kwargs) -> Result<String, Error> {
    let style = Dumps {
        indent: match options.get::<Option<Value>>("indent")? {
            None => None,
            Some(indent) => match (indent.as_usize(), indent.as_str()) {
                (Some(width), _) => Some(" ".repeat(width.min(64))),
                (None, text) => text.map(|text| text.chars().take(64).collect()),
            },
        },
        ascii: options.get::<Option<bool>>("ensure_ascii")?.unwrap_or(false),
        sorted: options.get::<Option<bool>>("sort_keys")?.unwrap_or(false),
        separators: options.get::<Option<Vec<String>>>("separators")?,
    };
    options.assert_all_used()?;
    let json = serde_json::to_value(&value)
        .map_err(|e| Error::new(ErrorKind::BadSerialization, "not a value of JSON").with_source(e))?;
    let mut out = String::new();
    style.write(state, &json, 0, &mut out)?;
    Ok(out)
}

struct Dumps {
    indent: Option<String>,
    ascii: bool,
    sorted: bool,
    separators: Option<Vec<String>>,
}

impl Dumps {
    fn write(&self, state: &State, json: &Json, depth: usize, out: &mut String) -> Result<(), Error> {
        state.consume_fuel(1)?;
        match json {
            Json::Array(items) => {
                let items = items.iter().map(|item| (None, item));
                self.write_all(state, ['[', ']'], items.collect(), depth, out)
            }
            Json::Object(map) => {
                let mut items: Vec<_> = map.iter().map(|(key, item)| (Some(key.as_str()), item)).collect();
                if self.sorted {
                    items.sort_by_key(|(key, _)| *key);
                }
                self.write_all(state, ['{', '}'], items, depth, out)
            }
            Json::String(text) => self.write_text(state, text, out),
            other => {
                out.push_str(&other.to_string());
                Ok(())
            }
        }
    }

    fn write_all(
        &self,
        state: &State,
        [open, close]: [char; 2],
        items: Vec<(Option<&str>, &Json)>,
        depth: usize,
        out: &mut String,
    ) -> Result<(), Error> {
        let separator = |index: usize, default: &'static str| {
            let given = self.separators.as_ref().and_then(|s| s.get(index));
            given.map_or_else(|| default.to_owned(), String::clone)
        };
        let comma = separator(0, if self.indent.is_some() { "," } else { ", " });
        let colon = separator(1, ": ");
        let is_empty = items.is_empty();
        let line = |depth: usize, out: &mut String| -> Result<(), Error> {
            if let (Some(indent), false) = (&self.indent, is_empty) {
                state.consume_fuel((depth * indent.len() / 64) as u64)?;
                out.push('\n');
                out.push_str(&indent.repeat(depth));
            }
            Ok(())
        };
        out.push(open);
        for (i, (key, item)) in items.into_iter().enumerate() {
            if i > 0 {
                out.push_str(&comma);
            }
            line(depth + 1, out)?;
            if let Some(key) = key {
                self.write_text(state, key, out)?;
                out.push_str(&colon);
            }
            self.write(state, item, depth + 1, out)?;
        }
        line(depth, out)?;
        out.push(close);
        Ok(())
    }

    fn write_text(&self, state: &State, text: &str, out: &mut String) -> Result<(), Error> {
        state.consume_fuel((text.len() / 16) as u64)?;
        let plain = Json::from(text).to_string();
        // Python writes DEL as it is, and so does serde_json.
        if !self.ascii || plain.is_ascii() {
            out.push_str(&plain);
            return Ok(());
        }
        for c in plain.chars() {
            if c.is_ascii() {
                out.push(c);
            } else {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
            }
        }
        Ok(())
    }
}
