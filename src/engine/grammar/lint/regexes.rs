//! Traps inside of a single regex or string: repetitions that are not lazy, escapes from another
//! language, classes and cases that reach beyond ASCII.

use llguidance::derivre::RegexAst;

use super::edits::put;
use super::{Finding, Fix};
use crate::engine::grammar::dfa::Dfa;
use crate::engine::grammar::prepare::regex_pattern;
use crate::engine::grammar::scan::{Kind, Scan, Token};
use crate::engine::grammar::tree;

/// The traps of a text that is one regex.
pub(super) fn alone(text: &str) -> Vec<Finding> {
    let pattern = regex_pattern(text);
    let traps = first(pattern, "").into_iter().filter(|f| !is_harmless(f, pattern, ""));
    let mut found: Vec<Finding> = traps.collect();
    found.extend(wide(&[(0, pattern)]));
    found
}

/// The first lazy repetition or doubled escape of the regex that is token `index`.
pub(super) fn lazy_or_doubled(scan: &Scan<'_>, index: usize) -> Option<Finding> {
    let token = &scan.tokens[index];
    let (pattern, flags) = parts(scan, token)?;
    let finding = first(pattern, flags).filter(|f| !is_harmless(f, pattern, flags))?;
    let mut finding = finding.moved(token.span.start + 1);
    if finding.code == "never-lazy" && finding.fix.is_none() && is_whole_terminal(scan, index) {
        // The shortest match is one of which no part is a match, whatever the regex.
        let at = finding.span.end - token.span.start - 1;
        let greedy = format!("{}{}", &pattern[..at - 1], &pattern[at..]);
        if first(&greedy, flags).is_none() {
            let text = format!("/{greedy}/{flags} & ~/(?:{greedy})(?s:.)+/{flags}");
            finding = finding.fix(Fix::replace("end at the first match", token.span.clone(), text));
        }
    }
    Some(finding)
}

/// Whether it makes no difference that a repetition is not lazy, as in `/"[^"]*?"/`.
fn is_harmless(finding: &Finding, pattern: &str, flags: &str) -> bool {
    let regex = if flags.is_empty() { pattern.to_owned() } else { format!("(?{flags}){pattern}") };
    finding.code == "never-lazy" && Dfa::of(&RegexAst::Regex(regex)).is_some_and(|dfa| dfa.has_one_end())
}

/// A regex token's pattern and flags.
fn parts<'a>(scan: &Scan<'a>, token: &Token) -> Option<(&'a str, &'a str)> {
    scan.str(token).get(1..)?.rsplit_once('/')
}

/// Whether a token is all that a terminal's definition has after its `:`.
fn is_whole_terminal(scan: &Scan<'_>, index: usize) -> bool {
    let text = |i: Option<usize>| i.and_then(|i| scan.tokens.get(i)).map_or("", |t| scan.str(t));
    let ends = scan.tokens.get(index + 1).is_none_or(|t| t.kind == Kind::Newline)
        && scan.tokens.get(index + 2).is_none_or(|t| scan.str(t) != "|");
    let is_terminal = index >= 2 && scan.tokens[index - 2].kind == Kind::Terminal;
    ends && is_terminal && text(index.checked_sub(1)) == ":"
}

/// The first lazy repetition or doubled escape in a pattern.
fn first(pattern: &str, flags: &str) -> Option<Finding> {
    let bytes = pattern.as_bytes();
    let (mut at, mut in_class) = (0, false);
    // Whether what stands before can be repeated, and is repeated already.
    let (mut item, mut repeated) = (false, false);
    // Where what stands before begins, and where the groups begin that are open.
    let (mut start, mut open) = (0, Vec::new());
    while let Some(&byte) = bytes.get(at) {
        let quantifier = !in_class && item && matches!(byte, b'*' | b'+' | b'?' | b'}');
        match byte {
            b'\\' => {
                let doubled = bytes.get(at + 1) == Some(&b'\\');
                // `\\section` is LaTeX.
                let is_word = bytes.get(at + 3).is_some_and(u8::is_ascii_alphabetic);
                if doubled
                    && !in_class
                    && !is_word
                    && let Some(class @ (b'd' | b'w' | b's' | b'D' | b'W' | b'S')) = bytes.get(at + 2)
                {
                    let class = char::from(*class);
                    let message = format!("`\\\\{class}` is a backslash and the letter `{class}`");
                    let halved = pattern.replace(r"\\", r"\");
                    let fix =
                        Fix::replace("halve the backslashes", 0..pattern.len(), halved).unsafe_to_apply();
                    let finding = Finding::new(at..at + 3, "doubled-escape", message);
                    return Some(finding.help(format!("write `\\{class}`")).fix(fix));
                }
                if !in_class {
                    start = at;
                }
                (item, repeated) = (true, false);
                at += 1;
            }
            b'?' if quantifier && repeated => {
                return Some(never_lazy(pattern, flags, start, at, open.len()));
            }
            b'{' if !in_class && item => {}
            b'0'..=b'9' | b',' if !in_class && is_count(&pattern[..at]) => {}
            _ if quantifier => repeated = true,
            b'[' if !in_class => (in_class, start) = (true, at),
            b']' if in_class => (in_class, item, repeated) = (false, true, false),
            b'(' if !in_class => {
                open.push(at);
                (item, repeated) = (false, false);
            }
            b')' if !in_class => {
                start = open.pop().unwrap_or(0);
                (item, repeated) = (true, false);
            }
            b'|' if !in_class => (item, repeated) = (false, false),
            _ => {
                if !in_class {
                    start = at;
                }
                (item, repeated) = (true, false);
            }
        }
        at += 1;
    }
    None
}

/// Whether `before` ends inside of `{2,3}`.
fn is_count(before: &str) -> bool {
    before.trim_end_matches(|c: char| c.is_ascii_digit() || c == ',').ends_with('{')
}

/// `at` is the place of the `?`, `start` that of what is repeated, in so many open groups.
fn never_lazy(pattern: &str, flags: &str, start: usize, at: usize, open: usize) -> Finding {
    let text = &pattern[at - 1..=at];
    let message = format!("`{text}` takes as much as `{}`: repetitions are never lazy", &text[..1]);
    let finding = Finding::new(at - 1..at + 1, "never-lazy", message)
        .help("leave out what ends it, as in `[^\"]*`, or give the rule `stop=\"…\"` or `suffix=\"…\"`");
    let repeated = &pattern[start..at - 1];
    let all = flags.contains('s')
        || matches!(repeated, r"[\s\S]" | r"(.|\n)" | r"(?:.|\n)" | r"[\w\W]" | r"[\d\D]");
    let sign = &text[..1];
    if (repeated != "." && !all) || !matches!(sign, "*" | "+") {
        return finding;
    }
    // `.` takes no line break.
    let newline = if all { "" } else { r"\n" };
    let closed = &pattern[at + 1..];
    let rest = closed.trim_start_matches(')');
    let groups = &closed[..closed.len() - rest.len()];
    let (end, after) = literal(rest);
    // What ends it must be all that follows it, up to the end of the pattern or its alternative.
    let next = after.trim_start_matches(')');
    let closed = groups.len() + after.len() - next.len();
    if !(next.is_empty() || next.starts_with('|') && closed == open) {
        return finding;
    }
    let replacement = match end[..] {
        [one] => format!("[^{}{newline}]{sign}", in_class(one)),
        [a, b] if a != b && groups.is_empty() && sign == "*" => {
            let (first, class) = (regex::escape(&a.to_string()), in_class(a));
            format!(
                "(?:[^{class}{newline}]|{first}+[^{class}{}{newline}])*{first}+{}",
                in_class(b),
                regex::escape(&b.to_string())
            )
        }
        _ => return finding,
    };
    let end = if end.len() == 1 { at + 1 } else { pattern.len() - after.len() };
    // Inside of `/…/` a slash has a backslash.
    let replacement = replacement.replace(r"\/", "/").replace('/', r"\/");
    finding.fix(Fix::replace("leave out what ends it", start..end, replacement))
}

/// The characters that a pattern begins with, none of them repeated, and what follows them.
fn literal(pattern: &str) -> (Vec<char>, &str) {
    let mut found = Vec::new();
    let mut rest = pattern;
    loop {
        let mut chars = rest.chars();
        let one = match chars.next() {
            Some('\\') => chars.next().filter(|c| !c.is_ascii_alphanumeric()),
            Some(c) if !"()[]{}|.*+?^$".contains(c) => Some(c),
            _ => None,
        };
        let Some(one) = one else { return (found, rest) };
        if chars.as_str().starts_with(['*', '+', '?', '{']) {
            return (found, rest);
        }
        found.push(one);
        rest = chars.as_str();
    }
}

/// A character as it may stand between brackets.
fn in_class(c: char) -> String {
    if r"\]^-[&~/".contains(c) { format!("\\{c}") } else { c.to_string() }
}

/// `\d` and `\w` of a Lark text.
pub(super) fn wide_classes(scan: &Scan<'_>) -> Vec<Finding> {
    let regexes = scan.tokens.iter().filter(|t| t.kind == Kind::Regex);
    let patterns = regexes.filter_map(|t| Some((t.span.start + 1, parts(scan, t)?.0)));
    wide(&patterns.collect::<Vec<_>>())
}

/// The first `\d` and the first `\w` of some patterns, which start at the given places.
fn wide(patterns: &[(usize, &str)]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (class, ascii, also) in [('d', "0-9", "٣"), ('w', "A-Za-z0-9_", "é")] {
        let mut edits = Vec::new();
        for (start, pattern) in patterns.iter().filter(|(_, p)| !p.contains("-u")) {
            let places = classes(pattern, class).into_iter();
            edits.extend(places.map(|(at, in_class)| {
                let text = if in_class { ascii.to_owned() } else { format!("[{ascii}]") };
                put(start + at..start + at + 2, text)
            }));
        }
        let Some(first) = edits.first().map(|e| e.span.clone()) else { continue };
        let more = if edits.len() > 1 {
            format!(", here and {} times more", edits.len() - 1)
        } else {
            String::new()
        };
        let message = format!("`\\{class}` also takes characters outside of ASCII, such as `{also}`{more}");
        let fix = Fix::new(format!("write `[{ascii}]`"), edits).unsafe_to_apply();
        let help = format!("write `[{ascii}]` if only these are meant");
        found.push(Finding::new(first, "unicode-class", message).help(help).fix(fix));
    }
    found
}

/// The places of `\d`, and whether each is inside of brackets. What `[^…]` leaves out is not meant.
fn classes(pattern: &str, class: char) -> Vec<(usize, bool)> {
    let bytes = pattern.as_bytes();
    let (mut found, mut at, mut in_class, mut negated) = (Vec::new(), 0, false, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => {
                if bytes.get(at + 1) == Some(&(class as u8)) && !negated {
                    found.push((at, in_class));
                }
                at += 1;
            }
            b'[' if !in_class => (in_class, negated) = (true, bytes.get(at + 1) == Some(&b'^')),
            b']' if in_class => (in_class, negated) = (false, false),
            _ => {}
        }
        at += 1;
    }
    found
}

/// Strings in any case whose `k` or `s` has a third case outside of ASCII.
pub(super) fn wide_case(scan: &Scan<'_>) -> Option<Finding> {
    let mut edits = Vec::new();
    // The first string with an `s`: what it also is can be shown.
    let mut with_s = None;
    for token in scan.tokens.iter().filter(|t| t.kind == Kind::String && scan.str(t).ends_with('i')) {
        let Some((text, true)) = tree::string(scan.str(token)) else { continue };
        let has_s = text.contains(['s', 'S']);
        if text.is_ascii() && (has_s || text.contains(['k', 'K'])) {
            if has_s {
                with_s.get_or_insert_with(|| text.to_lowercase());
            }
            // A regex ends on its line.
            let escaped = regex::escape(&text).replace('/', r"\/");
            let in_line = |c: char| if c.is_control() { format!("\\x{:02x}", c as u32) } else { c.into() };
            let pattern: String = escaped.chars().map(in_line).collect();
            edits.push(put(token.span.clone(), format!("/(?i-u:{pattern})/")));
        }
    }
    let span = edits.first()?.span.clone();
    let more = if edits.len() > 1 { format!("; so have {} more", edits.len() - 1) } else { String::new() };
    let message = match with_s {
        Some(text) => {
            format!("in any case this is also `{}`, which is not ASCII{more}", text.replacen('s', "ſ", 1))
        }
        None => format!("in any case its `k` is also U+212A, the sign for Kelvin{more}"),
    };
    let fix = Fix::new("keep to ASCII", edits);
    let help = "`K` and `S` have a third case in Unicode; write `/(?i-u:…)/` to keep to ASCII";
    Some(Finding::new(span, "insensitive-unicode", message).help(help).fix(fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lazy_repetitions_and_doubled_escapes_are_found() {
        fn found(pattern: &str) -> Option<(&str, &'static str)> {
            first(pattern, "").map(|f| (&pattern[f.span], f.code))
        }
        let lazy = |part| Some((part, "never-lazy"));
        assert_eq!(found("\"(.*?)\""), lazy("*?"));
        assert_eq!(found("a+?"), lazy("+?"));
        assert_eq!(found("a??"), lazy("??"));
        assert_eq!(found("a{2,3}?b"), lazy("}?"));
        assert_eq!(found(r"\\d+"), Some((r"\\d", "doubled-escape")));
        for fine in [
            "a?b?",
            "(?:a)*",
            "(a|?)",
            "[*?]+",
            r"\*?",
            r"a*\?",
            r"\\\d",
            r"\\section\{[^}]*\}",
            r"C:\\windows",
            r"\\\\server",
            r"(\\.|[^\\])*",
            r"[\\d]",
            "(?i)x",
            "a{2,3}b?",
        ] {
            assert_eq!(found(fine), None, "{fine}");
        }
    }

    /// The mended regex, taken whole, is the lazy one up to its first end.
    #[test]
    fn lazy_repetitions_are_mended_exactly() {
        for (pattern, flags) in [
            ("\"(.*?)\"", ""),
            (r"\/\*.*?\*\/", "s"),
            (r"\/\*(.|\n)*?\*\/", ""),
            ("<.*?>", ""),
            ("a.*?bc", ""),
            (r"\[.+?\]", ""),
        ] {
            let fix =
                first(pattern, flags).and_then(|f| f.fix).unwrap_or_else(|| panic!("{pattern} has no fix"));
            let mended = fix.apply(pattern);
            let compiled = |p: &str| regex::Regex::new(&format!("^(?:{p})$")).unwrap();
            let own =
                compiled(&if flags.is_empty() { mended.clone() } else { format!("(?{flags}){mended}") });
            let prefix = if flags.is_empty() { String::new() } else { format!("(?{flags})") };
            let lazy = regex::Regex::new(&format!("{prefix}^(?:{pattern})")).unwrap();
            let letters = ['"', '/', '*', '<', '>', 'a', 'b', 'c', '[', ']', '\n'];
            // Every text of up to five of these characters.
            let mut texts = vec![String::new()];
            let mut at = 0;
            while at < texts.len() {
                if texts[at].chars().count() < 5 {
                    let longer: Vec<String> = letters.iter().map(|c| format!("{}{c}", texts[at])).collect();
                    texts.extend(longer);
                }
                at += 1;
            }
            for text in texts {
                let whole = lazy.find(&text).is_some_and(|m| m.end() == text.len());
                // `.+?` may begin with what ends it; what is written in its place may not.
                let odd = pattern.contains(".+?") && text.starts_with("[]");
                assert!(own.is_match(&text) == whole || odd, "{pattern} became {mended}: {text:?}");
            }
        }
    }

    #[test]
    fn a_lazy_repetition_with_more_after_it_is_left_alone() {
        for pattern in [r"(\[.*?\])\(x\)", "(a.*?b|c)d", "(<.*?>)+", "(a.*?(b))c"] {
            let found = first(pattern, "").unwrap_or_else(|| panic!("{pattern} is lazy"));
            assert!(found.fix.is_none(), "{pattern}: {:?}", found.fix);
        }
        assert!(first("(<(.*?)>)|b", "").is_some_and(|f| f.fix.is_some()));
    }

    #[test]
    fn classes_are_found_where_they_add_something() {
        assert_eq!(classes(r"\d[\d-]\\d[^\d]\w", 'd'), [(0, false), (3, true)]);
        let found = alone(r"[\w-]+@\w+\.\d");
        let codes: Vec<&str> = found.iter().map(|f| f.code).collect();
        assert_eq!(codes, ["unicode-class", "unicode-class"]);
        let fixed = found[1].fix.as_ref().unwrap().apply(r"[\w-]+@\w+\.\d");
        assert_eq!(fixed, r"[A-Za-z0-9_-]+@[A-Za-z0-9_]+\.\d");
    }
}
