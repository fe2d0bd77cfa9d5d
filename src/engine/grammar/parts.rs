//! What can be taken out of a grammar: statements, alternatives, items, and so on down.
//!
//! A part that is taken out may leave a text that does not compile; who asks finds that out. Nothing
//! here knows what a grammar means.

use std::ops::Range;

use super::GrammarKind;
use super::scan::{Kind, Scan};

/// Something that can be taken out of a text at once: these ranges, rising.
pub(in crate::engine) type Part = Vec<Range<usize>>;

/// A part that is one range.
fn one(range: Range<usize>) -> Part {
    std::iter::once(range).collect()
}

/// A word of the text: its place. The ends of lines are not among them.
type Word = Range<usize>;

/// Everything that can be taken out of a grammar, the largest first, by size in lists. Inside of a
/// list, parts that follow each other in the text follow each other in the list.
pub(in crate::engine) fn parts(kind: GrammarKind, text: &str) -> Vec<Vec<Part>> {
    match kind {
        GrammarKind::Lark => {
            let scan = Scan::new(text);
            let words = scan.tokens.iter().filter(|t| t.kind != Kind::Newline).map(|t| t.span.clone());
            let statements = scan.statements().into_iter().map(|statement| {
                let words = statement.iter().filter(|t| t.kind != Kind::Newline);
                words.map(|t| t.span.clone()).collect::<Vec<Word>>()
            });
            of_rules(text, &words.collect::<Vec<_>>(), statements.collect(), &[":"])
        }
        GrammarKind::Gbnf => {
            let words = words(text, gbnf_word);
            let heads: Vec<usize> =
                (1..words.len()).filter(|&i| text[words[i].clone()] == *"::=").map(|i| i - 1).collect();
            let ends = heads.iter().skip(1).copied().chain([words.len()]);
            let statements = heads.iter().zip(ends).map(|(&from, to)| words[from..to].to_vec());
            of_rules(text, &words, statements.collect(), &["::="])
        }
        GrammarKind::JsonSchema => vec![members(text)],
        GrammarKind::Regex => {
            let words = words(text, regex_word);
            let mut found = Found::new(text);
            found.alternatives(&words);
            found.lists()
        }
    }
}

/// The parts of a grammar of rules: gaps with comments, statements, and what their bodies have.
fn of_rules(text: &str, words: &[Word], statements: Vec<Vec<Word>>, heads: &[&str]) -> Vec<Vec<Part>> {
    let starts = std::iter::once(0).chain(words.iter().map(|w| w.end));
    let ends = words.iter().map(|w| w.start).chain([text.len()]);
    let gap = |(start, end): (usize, usize)| {
        let gap = &text[start..end.max(start)];
        let from = start + gap.len() - gap.trim_start().len();
        (!gap.trim().is_empty()).then(|| one(from..from + gap.trim().len()))
    };
    let comments = starts.zip(ends).filter_map(gap).collect();
    let mut found = Found::new(text);
    let whole = |statement: &Vec<Word>| Some(one(statement.first()?.start..statement.last()?.end));
    let rules = statements.iter().filter_map(whole).collect();
    for statement in &statements {
        let head = statement.iter().position(|w| heads.contains(&&text[w.clone()]));
        if let Some(head) = head {
            found.alternatives(&statement[head + 1..]);
        }
    }
    let mut lists = vec![comments, rules];
    lists.extend(found.lists());
    lists
}

/// The parts of bodies.
struct Found<'a> {
    text: &'a str,
    alternatives: Vec<Part>,
    items: Vec<Part>,
    /// Brackets without what is in them, repetitions, labels.
    trimmings: Vec<Part>,
}

impl<'a> Found<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, alternatives: Vec::new(), items: Vec::new(), trimmings: Vec::new() }
    }

    fn lists(self) -> Vec<Vec<Part>> {
        vec![self.alternatives, self.items, self.trimmings]
    }

    fn is(&self, word: &Word, any: &[&str]) -> bool {
        any.contains(&&self.text[word.clone()])
    }

    fn is_at(&self, words: &[Word], at: usize, any: &[&str]) -> bool {
        words.get(at).is_some_and(|word| self.is(word, any))
    }

    fn alternatives(&mut self, words: &[Word]) {
        let bars: Vec<usize> = {
            let mut depth = 0_usize;
            let mut bars = Vec::new();
            for (i, word) in words.iter().enumerate() {
                match &self.text[word.clone()] {
                    "(" | "(?:" | "[" | "{" => depth += 1,
                    ")" | "]" | "}" => depth = depth.saturating_sub(1),
                    "|" if depth == 0 => bars.push(i),
                    _ => {}
                }
            }
            bars
        };
        let starts = std::iter::once(0).chain(bars.iter().map(|bar| bar + 1));
        let ends = bars.iter().copied().chain([words.len()]);
        for (start, end) in starts.zip(ends) {
            if !bars.is_empty() {
                // With the bar after it, or before it if it is the last.
                let (from, to) =
                    if end < words.len() { (start, end + 1) } else { (start.saturating_sub(1), end) };
                if let (Some(first), Some(last)) = (words.get(from), words[..to].last()) {
                    self.alternatives.push(one(first.start..last.end));
                }
            }
            self.sequence(&words[start..end]);
        }
    }

    fn sequence(&mut self, words: &[Word]) {
        let mut at = 0;
        while at < words.len() {
            let start = at;
            // What stands before an item and belongs to it.
            while at + 1 < words.len() && self.is(&words[at], &["~", "&", "!", ".."]) {
                at += 1;
            }
            let inside = self.bracket(words, at);
            at = inside.as_ref().map_or(at + 1, |inside| inside.end + 1).min(words.len());
            let body = at;
            at = self.after(words, at);
            if let (Some(first), Some(last)) = (words.get(start), words[..at].last()) {
                self.items.push(one(first.start..last.end));
            }
            if let (Some(first), Some(last)) = (words.get(body), words[..at].last())
                && body < at
            {
                self.trimmings.push(one(first.start..last.end));
            }
            // Of two that are to match both, the first with what joins them.
            if self.is_at(words, at, &["&"])
                && let (Some(first), Some(last)) = (words.get(start), words.get(at))
            {
                self.trimmings.push(one(first.start..last.end));
            }
            if let Some(inside) = inside
                && let (Some(open), Some(close)) = (words.get(inside.start - 1), words.get(inside.end))
            {
                let end = words[..at].last().map_or(close.end, |last| last.end);
                self.trimmings.push(vec![open.clone(), close.start..end]);
                self.alternatives(&words[inside.clone()]);
            }
        }
    }

    /// What is between the bracket at `at` and the one that closes it.
    fn bracket(&self, words: &[Word], at: usize) -> Option<Range<usize>> {
        if !self.is(words.get(at)?, &["(", "(?:", "["]) {
            return None;
        }
        let mut depth = 0_usize;
        for (i, word) in words.iter().enumerate().skip(at) {
            match &self.text[word.clone()] {
                "(" | "(?:" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return Some(at + 1..i);
            }
        }
        None
    }

    /// Where what belongs to the item before `at` ends: repetitions, arguments, labels, conditions.
    fn after(&self, words: &[Word], mut at: usize) -> usize {
        while let Some(word) = words.get(at) {
            match &self.text[word.clone()] {
                "?" | "*" | "+" => at += 1,
                "{" => {
                    let close = words.iter().skip(at).position(|w| self.is(w, &["}"]));
                    at = close.map_or(words.len(), |close| at + close + 1);
                }
                "::" | "->" | "%if" | ".." => {
                    at += 2;
                    let is_call = words.get(at - 1).is_some_and(|argument| {
                        self.text[argument.clone()].starts_with(|c: char| c.is_ascii_alphabetic())
                    });
                    let inside = self.bracket(words, at).filter(|_| is_call);
                    if let Some(inside) = inside.filter(|_| !self.is(word, &["..", "->"])) {
                        at = inside.end + 1;
                    }
                }
                "~" if words
                    .get(at + 1)
                    .is_some_and(|w| self.text[w.clone()].starts_with(|c: char| c.is_ascii_digit())) =>
                {
                    at += 2;
                }
                _ if self.text[word.clone()].starts_with('{') => at += 1,
                _ => break,
            }
        }
        at.min(words.len())
    }
}

/// The words of a text. `next` says how long what a text begins with is, and whether it is a word.
fn words(text: &str, next: impl Fn(&str) -> (usize, bool)) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (length, is_word) = next(&text[at..]);
        if is_word {
            words.push(at..at + length);
        }
        at += length;
    }
    words
}

/// What a text in GBNF begins with: a name, a string, a class or a mark, which are words; white space
/// or a comment, which are none.
fn gbnf_word(text: &str) -> (usize, bool) {
    let bytes = text.as_bytes();
    match bytes {
        [b'#', ..] => (text.find('\n').unwrap_or(text.len()), false),
        [byte, ..] if byte.is_ascii_whitespace() => (1, false),
        [b'"', ..] => (quoted(bytes, 0, b'"'), true),
        [b'[', ..] => (quoted(bytes, 0, b']'), true),
        [b':', b':', b'=', ..] => (3, true),
        [byte, ..] if is_name(*byte) => (bytes.iter().take_while(|&&b| is_name(b)).count(), true),
        _ => (character(text), true),
    }
}

/// The word that a regular expression begins with: a character, an escape, a class, a count or a mark.
fn regex_word(text: &str) -> (usize, bool) {
    let bytes = text.as_bytes();
    let length = match bytes {
        [b'\\', ..] => 1 + character(&text[1..]),
        [b'[', ..] => quoted(bytes, 0, b']'),
        [b'{', ..] => text.find('}').map_or(text.len(), |at| at + 1),
        [b'(', b'?', b':', ..] => 3,
        _ => character(text),
    };
    (length, true)
}

/// The length of the first character.
fn character(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Where what begins at `at` ends: after the next `close` that has no backslash before it.
fn quoted(bytes: &[u8], at: usize, close: u8) -> usize {
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        end += 1 + usize::from(byte == b'\\');
        if byte == close {
            break;
        }
    }
    end.min(bytes.len())
}

/// The members of all objects and the elements of all arrays of a JSON text, with a comma each.
fn members(text: &str) -> Vec<Part> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    // For each open bracket, where its current member begins and whether a comma stands before that.
    let mut open: Vec<(usize, Option<usize>)> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = quoted(bytes, at, b'"');
                continue;
            }
            b'{' | b'[' => open.push((at + 1, None)),
            b',' => {
                if let Some((start, comma)) = open.last_mut() {
                    found.push(one(*start..at + 1));
                    (*start, *comma) = (at + 1, Some(at));
                }
            }
            b'}' | b']' => {
                if let Some((start, comma)) = open.pop()
                    && !text[start..at].trim().is_empty()
                {
                    found.push(one(comma.unwrap_or(start)..at));
                }
            }
            _ => {}
        }
        at += 1;
    }
    found.sort_by_key(|part| part[0].start);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(kind: GrammarKind, text: &str) -> Vec<Vec<String>> {
        let of =
            |part: Part| part.into_iter().map(|range| text[range].to_owned()).collect::<Vec<_>>().join(" … ");
        parts(kind, text).into_iter().map(|list| list.into_iter().map(of).collect()).collect()
    }

    #[test]
    fn rules_have_statements_alternatives_and_items() {
        let text = "// top\nstart: \"a\" (b | c+)?\n  | D{2,3} -> x // end\nb: e::incr(_) %if gt(_, 0) | \"x\"..\"z\"";
        let found = taken(GrammarKind::Lark, text);
        assert_eq!(found[0], ["// top", "// end"]);
        assert_eq!(found[1].len(), 2);
        assert_eq!(
            found[2],
            [
                "\"a\" (b | c+)?\n  |",
                "b |",
                "| c+",
                "| D{2,3} -> x",
                "e::incr(_) %if gt(_, 0) |",
                "| \"x\"..\"z\""
            ]
        );
        assert_eq!(
            found[3],
            ["\"a\"", "(b | c+)?", "b", "c+", "D{2,3} -> x", "e::incr(_) %if gt(_, 0)", "\"x\"..\"z\""]
        );
        assert_eq!(found[4], ["?", "( … )?", "+", "{2,3} -> x", "::incr(_) %if gt(_, 0)", "..\"z\""]);
    }

    #[test]
    fn the_other_languages_have_parts_too() {
        let found = taken(GrammarKind::Gbnf, "root ::= \"a]\" x* # note\nx ::= [\"|] | ([b-d] \"e\"){2}");
        assert_eq!(found[0], ["# note"]);
        assert_eq!(found[1], ["root ::= \"a]\" x*", "x ::= [\"|] | ([b-d] \"e\"){2}"]);
        assert_eq!(found[3], ["\"a]\"", "x*", "[\"|]", "([b-d] \"e\"){2}", "[b-d]", "\"e\""]);
        let found = taken(GrammarKind::JsonSchema, r#"{"a": [1, 2], "b": {"c": "d,"}}"#);
        assert_eq!(found, [[r#""a": [1, 2],"#, "1,", ", 2", r#", "b": {"c": "d,"}"#, r#""c": "d,""#]]);
        let found = taken(GrammarKind::Regex, r"a\||[|)]{2}(b|c)?");
        assert_eq!(found[0], [r"a\||", r"|[|)]{2}(b|c)?", "b|", "|c"]);
        let found = taken(GrammarKind::Regex, r"é\é(?:x|[\]é]){2");
        assert_eq!(found[0], ["x|", r"|[\]é]"]);
        let found = taken(GrammarKind::Regex, "a(?:|b)+|c");
        assert_eq!(found[0], ["a(?:|b)+|", "|", "|b", "|c"]);
        assert_eq!(found[2], ["+", "(?: … )+"]);
        // What has no end has its end at the end of the text.
        for text in ["\"a", "[\\", "\"\\é", "# é", "é", "{", "\\"] {
            for kind in [GrammarKind::Gbnf, GrammarKind::Regex] {
                parts(kind, text)
                    .concat()
                    .concat()
                    .into_iter()
                    .for_each(|range| drop(text[range].to_owned()));
            }
        }
    }
}
