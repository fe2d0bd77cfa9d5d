//! Changes of a Lark text that several fixes are made of.

use std::ops::Range;

use crate::engine::fix::TextEdit;
use crate::engine::grammar::scan::{Kind, Scan, Token, bare};

/// Takes away a definition with its lines.
pub(super) fn without_definition(text: &str, statement: &[Token]) -> Option<TextEdit> {
    let at = statement.first()?.span.start;
    let last = statement.iter().rfind(|t| t.kind != Kind::Newline)?;
    let end = text[last.span.end..].find('\n').map_or(text.len(), |n| last.span.end + n + 1);
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    // At the end of the text the line break before it goes.
    let start = if end == text.len() && !text.ends_with('\n') { start.saturating_sub(1) } else { start };
    Some(TextEdit { span: start..end, text: String::new() })
}

/// Sets an option of `%llguidance`: in the object that is there, or in one at the top.
pub(super) fn with_option(scan: &Scan<'_>, member: &str) -> TextEdit {
    let is_options =
        |pair: &&[Token]| matches!(pair, [a, b] if scan.str(a) == "%llguidance" && b.kind == Kind::Json);
    match scan.tokens.windows(2).find(is_options) {
        Some([_, object]) => {
            let is_empty = scan.str(object).trim_matches(['{', '}']).trim().is_empty();
            let text = if is_empty { member.to_owned() } else { format!("{member}, ") };
            TextEdit { span: object.span.start + 1..object.span.start + 1, text }
        }
        _ => TextEdit { span: 0..0, text: format!("%llguidance {{{member}}}\n") },
    }
}

/// Puts lines at the end of the text.
pub(super) fn at_end(text: &str, lines: &str) -> TextEdit {
    let gap = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    TextEdit { span: text.len()..text.len(), text: format!("{gap}{lines}\n") }
}

/// Puts something in the place of a part.
pub(super) fn put(span: Range<usize>, text: impl Into<String>) -> TextEdit {
    TextEdit { span, text: text.into() }
}

/// `name`, or with a number after it if the text has that name already.
pub(super) fn new_name(scan: &Scan<'_>, name: &str) -> String {
    let is_taken = |name: &str| {
        let is_name = |t: &&Token| matches!(t.kind, Kind::Rule | Kind::Terminal);
        scan.tokens.iter().filter(is_name).any(|t| bare(scan.str(t)) == name)
    };
    if !is_taken(name) {
        return name.to_owned();
    }
    (2..).map(|n| format!("{name}_{n}")).find(|name| !is_taken(name)).unwrap_or_default()
}
