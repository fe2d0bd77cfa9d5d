//! The parts of a rule: strings, classes, repetitions, tokens.

use super::{CharSet, Expr, Finding, Parser, Read};

/// llama.cpp's limit for the numbers in `{m,n}`.
const MAX_REPEAT: u32 = 2000;

const ESCAPES: &str =
    "there are `\\n`, `\\r`, `\\t`, `\\\\`, `\\\"`, `\\[`, `\\]`, `\\xHH`, `\\uHHHH` and `\\UHHHHHHHH`";

impl<'a> Parser<'a> {
    /// What is between double quotes.
    pub(super) fn literal(&mut self) -> Read<Expr<'a>> {
        let start = self.at;
        self.at += 1;
        let mut chars = Vec::new();
        loop {
            match self.peek() {
                None | Some(b'\n' | b'\r') => {
                    return self.stop(
                        start..self.at,
                        "unterminated-string",
                        "the string has no closing `\"`",
                        Some("a string ends on its line; write `\\n` for a line break"),
                    );
                }
                Some(b'"') => break,
                Some(_) => {
                    let from = self.at;
                    let code = self.character();
                    match char::from_u32(code) {
                        Some(c) => chars.push(c),
                        None => self.no_character(from),
                    }
                }
            }
        }
        self.at += 1;
        Ok(match chars[..] {
            [] => Expr::Seq(Vec::new()),
            [one] => Expr::Set(CharSet::one(one)),
            _ => Expr::Literal(chars),
        })
    }

    /// What is between square brackets.
    pub(super) fn class(&mut self) -> Read<Expr<'a>> {
        let start = self.at;
        self.at += 1;
        let negated = self.peek() == Some(b'^');
        self.at += usize::from(negated);
        let mut ranges = Vec::new();
        loop {
            match self.peek() {
                None | Some(b'\n' | b'\r') => {
                    return self.stop(
                        start..self.at,
                        "unclosed-class",
                        "the `[` is never closed",
                        Some("a `]` or `[` inside of it is written `\\]` and `\\[`"),
                    );
                }
                Some(b']') => break,
                Some(_) => {
                    let from = self.at;
                    let low = self.character();
                    let mut high = low;
                    if self.peek() == Some(b'-') && !matches!(self.byte(1), Some(b']' | b'\n') | None) {
                        self.at += 1;
                        high = self.character();
                    }
                    if low > high {
                        self.note(from..self.at, "bad-range", "the character range ends before it starts");
                    } else if low == high && char::from_u32(low).is_none() {
                        self.no_character(from);
                    }
                    ranges.push((low, high));
                }
            }
        }
        self.at += 1;
        let set = CharSet::new(ranges.clone());
        let set = if negated { set.negated() } else { set };
        // Its own characters may be wrong, which has been said then.
        if ranges.is_empty() {
            self.findings.push(
                Finding::new(start..self.at, "empty-class", "a class without characters").help(if negated {
                    "write `.` for any character"
                } else {
                    "write `\"\"` for the empty text"
                }),
            );
        } else if set.is_empty() && negated {
            self.note(start..self.at, "empty-class", "no character is left to match this");
        }
        Ok(Expr::Set(set))
    }

    /// One character of a string or class, perhaps escaped. What is not one is noted.
    fn character(&mut self) -> u32 {
        let start = self.at;
        let Some(c) = self.rest().chars().next() else { return 0 };
        self.at += c.len_utf8();
        if c != '\\' {
            return c as u32;
        }
        let Some(escaped) = self.rest().chars().next().filter(|c| !matches!(c, '\n' | '\r')) else {
            return u32::from(b'\\');
        };
        self.at += escaped.len_utf8();
        let digits = match escaped {
            'n' => return 0x0A,
            'r' => return 0x0D,
            't' => return 0x09,
            '\\' | '"' | '[' | ']' => return escaped as u32,
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => {
                let help = match escaped {
                    'd' => "write `[0-9]`",
                    'w' => "write `[0-9A-Za-z_]`",
                    's' => "write `[ \\t\\n]`",
                    '-' => "write `-` alone, first or last in the brackets",
                    '^' => "write `^` alone, not first in the brackets",
                    _ => ESCAPES,
                };
                let message = format!("there is no escape `\\{escaped}`");
                self.findings.push(Finding::new(start..self.at, "bad-escape", message).help(help));
                return escaped as u32;
            }
        };
        let number = self.rest().get(..digits).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(value) = number.and_then(|d| u32::from_str_radix(d, 16).ok()) else {
            let message = format!("`\\{escaped}` needs {digits} hexadecimal digits");
            self.note(start..self.at, "bad-escape", message);
            return 0;
        };
        self.at += digits;
        value
    }

    fn no_character(&mut self, from: usize) {
        self.note(from..self.at, "bad-escape", "this is no Unicode character");
    }

    /// `*`, `+`, `?`, `{m}`, `{m,}` or `{m,n}`.
    pub(super) fn repetition(&mut self, byte: u8) -> (u32, Option<u32>) {
        let start = self.at;
        self.at += 1;
        match byte {
            b'*' => return (0, None),
            b'+' => return (1, None),
            b'?' => return (0, Some(1)),
            _ => {}
        }
        let min = self.number();
        let comma = self.peek() == Some(b',');
        self.at += usize::from(comma);
        let max = if comma { self.number() } else { min };
        let is_closed = self.peek() == Some(b'}');
        let end = self.rest().find(['}', '\n']).map_or(self.text.len(), |n| self.at + n);
        self.at = end + usize::from(self.text[end..].starts_with('}'));
        let over = min.unwrap_or(0).max(max.unwrap_or(0)) > u64::from(MAX_REPEAT);
        let finding = |message: &str| Finding::new(start..self.at, "bad-repeat", message);
        let finding = match (min, max) {
            _ if !is_closed => {
                finding("a repetition is one or two numbers").help("write `{2}`, `{2,}` or `{2,5}`")
            }
            (None, Some(max)) => {
                finding("a repetition starts with a number").help(format!("write `{{0,{max}}}`"))
            }
            (None, None) => finding("a repetition needs a number").help("write `{2}`, `{2,}` or `{2,5}`"),
            _ if over => finding("llama.cpp repeats nothing more than 2,000 times")
                .help("use a smaller number, or `*`"),
            (Some(min), Some(max)) if max < min => {
                finding("the repetition ends before it starts").help("write the smaller number first")
            }
            // Both are at most 2,000.
            (Some(min), max) => return (min as u32, max.map(|m| m as u32)),
        };
        self.findings.push(finding);
        (0, None)
    }

    /// Digits between spaces. Numbers too large to hold are as large as can be.
    fn number(&mut self) -> Option<u64> {
        self.space(false);
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = &self.text[start..self.at];
        self.space(false);
        (!digits.is_empty()).then(|| digits.parse().unwrap_or(u64::MAX))
    }

    /// `<name>`, `<[id]>`, and the same after `!`.
    pub(super) fn token(&mut self) -> Read<Expr<'a>> {
        let start = self.at;
        let negated = self.peek() == Some(b'!');
        self.at += usize::from(negated);
        let open = self.at;
        if self.peek() != Some(b'<') {
            let help = Some("only a token can be negated: `!<think>`; exclude characters with `[^…]`");
            return self.stop(start..self.at, "syntax", "`!` cannot stand here", help);
        }
        let end = self.rest().find(['>', '\n']).filter(|&n| self.rest().as_bytes()[n] == b'>');
        let Some(end) = end else {
            let line = self.rest().find('\n').map_or(self.text.len(), |n| self.at + n);
            self.at = line;
            return self.stop(open..line, "unterminated-token", "the token has no closing `>`", None);
        };
        self.at += end + 1;
        let name = &self.text[open..self.at];
        Ok(Expr::Token { negated, name, span: open..self.at })
    }
}
