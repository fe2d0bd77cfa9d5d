//! Errors in regular expressions, placed inside the pattern.

use super::{Finding, first_line};

/// What is wrong with a pattern.
pub(super) struct PatternError {
    /// The place in the pattern, in characters.
    pub columns: Option<(usize, usize)>,
    pub code: &'static str,
    pub message: String,
    pub help: Option<&'static str>,
}

impl PatternError {
    /// Reads what the regex parser, or llguidance's use of it, says.
    ///
    /// The parser draws the pattern, indented by four, carets under the place, and the reason on a
    /// line that starts with `error: `. A pattern of several lines is drawn otherwise; it gets no
    /// columns.
    pub fn read(error: &str) -> Self {
        let mut lines = error.lines();
        let reason = lines.clone().find_map(|l| l.strip_prefix("error: "));
        // Without the parser's drawing, the first caret would be llguidance's, under its own line.
        let drawing = lines
            .find(|l| l.starts_with("    ") && l.trim_start().starts_with('^'))
            .filter(|_| error.contains("regex parse error"));
        let columns = drawing.map(|l| {
            let start = l.len() - l.trim_start().len() - 4;
            (start, start + l.trim().len())
        });
        let reason = reason.unwrap_or_else(|| first_line(error));
        if reason.contains("look-around") || reason.contains("lookaround") {
            return Self {
                columns,
                code: "unsupported-regex",
                message: "look-ahead, look-behind and `\\b` are not supported".into(),
                help: Some("exclude texts with another terminal: `NAME: /[a-z]+/ & ~KEYWORD`"),
            };
        }
        if reason.contains("backreference") {
            return Self {
                columns,
                code: "unsupported-regex",
                message: "backreferences are not supported".into(),
                help: Some("list the alternatives: `\"'\" A \"'\" | \"\\\"\" A \"\\\"\"`"),
            };
        }
        let message = format!("invalid regex: {}", reason.trim());
        Self { columns, code: "invalid-regex", message, help: None }
    }

    /// The finding in a text in which the pattern, or what the parser was given for it, is
    /// `pattern`, and starts at byte `start`. `shift` characters were put before the pattern for
    /// the parser.
    pub fn finding(self, pattern: &str, start: usize, shift: usize) -> Finding {
        let byte = |column: usize| {
            let column = column.saturating_sub(shift);
            pattern.char_indices().nth(column).map_or(pattern.len(), |(i, _)| i)
        };
        let span = match self.columns {
            Some((from, to)) => byte(from)..byte(to),
            None => word_boundary(pattern).map_or(0..pattern.len(), |at| at..at + 2),
        };
        let finding = Finding::new(span, self.code, self.message).moved(start);
        match self.help {
            Some(help) => finding.help(help),
            None => finding,
        }
    }
}

/// The place of the first `\b` or `\B`: the one look-around that the regex parser itself takes.
fn word_boundary(pattern: &str) -> Option<usize> {
    let bytes = pattern.as_bytes();
    let mut at = 0;
    while at + 1 < bytes.len() {
        if bytes[at] == b'\\' {
            if matches!(bytes[at + 1], b'b' | b'B') {
                return Some(at);
            }
            at += 1;
        }
        at += 1;
    }
    None
}

/// An error in a grammar that is one regular expression. llguidance was given the pattern between
/// slashes, with a backslash before every slash that had none.
pub(super) fn explain_regex_grammar(pattern: &str, error: &str) -> Finding {
    let Some(at) = error.find("invalid regex ") else {
        return Finding::new(0..pattern.len(), "invalid-regex", first_line(error));
    };
    let mut found = PatternError::read(&error[at..]);
    if let Some((from, to)) = found.columns {
        found.columns = Some((unescaped_column(pattern, from), unescaped_column(pattern, to)));
    }
    if !error.contains("regex parse error") && found.code == "invalid-regex" {
        found.message = format!("invalid regex: {}", reason_after_pattern(first_line(&error[at..])));
    }
    found.finding(pattern, 0, 0)
}

/// What follows the pattern in `invalid regex "…" (in …): reason`.
pub(super) fn reason_after_pattern(message: &str) -> &str {
    message.rfind("): ").map_or(message, |at| &message[at + 3..])
}

/// The column in `pattern` of a column in its copy with escaped slashes.
fn unescaped_column(pattern: &str, column: usize) -> usize {
    let (mut copied, mut escaped) = (0, false);
    for (own, c) in pattern.chars().enumerate() {
        if copied >= column {
            return own;
        }
        copied += if c == '/' && !escaped { 2 } else { 1 };
        escaped = c == '\\' && !escaped;
    }
    pattern.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_in_the_own_pattern() {
        let drawn = "1(8): invalid regex \"a\\\\/(\" (in regex): regex parse error:\n    a\\/(\n       ^\nerror: unclosed group";
        let found = explain_regex_grammar("a/(", drawn);
        assert_eq!((found.span, found.code), (2..3, "invalid-regex"));
        assert_eq!(found.message, "invalid regex: unclosed group");
    }

    #[test]
    fn word_boundaries_are_found() {
        assert_eq!(word_boundary(r"a\\b\b"), Some(4));
        assert_eq!(word_boundary(r"a\\b"), None);
    }
}
