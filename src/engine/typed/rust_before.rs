//! What stands in front of an item in Rust: attributes, visibility, and words such as `unsafe`.
//!
//! Whatever is not known to change nothing makes the item odd, so that it is left out.

use super::tokens::Cursor;

/// Attributes that change nothing of how something is used.
const HARMLESS: [&str; 17] = [
    "derive",
    "doc",
    "inline",
    "cold",
    "must_use",
    "allow",
    "warn",
    "expect",
    "deny",
    "forbid",
    "track_caller",
    "repr",
    "default",
    "serde",
    "non_exhaustive",
    "rustfmt",
    "clippy",
];

/// What stands in front of an item.
#[derive(Default)]
pub(super) struct Before {
    /// What is derived.
    pub derives: Vec<String>,
    /// Why it cannot be used, if so.
    pub odd: Option<String>,
}

/// Goes behind what stands in front of an item.
pub(super) fn before(cursor: &mut Cursor) -> Before {
    let mut before = Before::default();
    loop {
        if cursor.is("#") {
            cursor.next();
            let is_inner = cursor.eat("!");
            let (mut inside, name) = (*cursor, cursor.ahead(1).text);
            cursor.skip();
            if name == "derive" {
                while inside.at < cursor.at {
                    before.derives.push(inside.next().text.to_owned());
                }
            } else if !is_inner && !HARMLESS.contains(&name) {
                // It may be left out, not be safe to call, or be something else after a macro.
                before.odd = Some(format!("it has #[{name}]"));
            }
        } else if cursor.eat("pub") {
            if cursor.is("(") {
                cursor.skip();
            }
        } else if cursor.is("extern") && cursor.ahead(1).text != "{" && cursor.ahead(2).text != "{" {
            before.odd = Some("it is extern".into());
            cursor.at += 1 + usize::from(!cursor.ahead(1).is_word);
        } else if matches!(cursor.text(), "unsafe" | "async" | "safe" | "default") && cursor.ahead(1).is_word
        {
            before.odd = Some(format!("it is {}", cursor.next().text));
        } else if cursor.is("const") && matches!(cursor.ahead(1).text, "fn" | "unsafe" | "async" | "extern") {
            cursor.next();
        } else {
            return before;
        }
    }
}
