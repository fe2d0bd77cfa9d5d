//! What compiles and will surprise: the traps of Lark texts and of regular expressions.
//!
//! Only what is certain is said; a text without a finding may still surprise.

use std::collections::HashSet;

use super::messages::{Finding, closest};
use super::scan::{Kind, Scan, Token};
use super::shape::Shape;
use super::{GrammarKind, GrammarSource, json};

/// The keys that `%llguidance` takes. It ignores others without a word.
const OPTIONS: [&str; 4] = ["no_forcing", "allow_invalid_utf8", "allow_initial_skip", "ignore_once"];

/// The traps in a text that compiles.
pub(super) fn lint(source: &GrammarSource) -> Vec<Finding> {
    match source.kind {
        GrammarKind::Lark => lark(&source.text),
        GrammarKind::Regex => regex(&source.text).into_iter().collect(),
        GrammarKind::Gbnf | GrammarKind::JsonSchema => Vec::new(),
    }
}

fn lark(text: &str) -> Vec<Finding> {
    let scan = Scan::new(text);
    let shape = Shape::of(&scan);
    let mut found = Vec::new();
    let mut known: HashSet<&str> = scan.definitions().iter().map(|d| d.name).collect();
    // llguidance looks only at what can be reached from `start`.
    for reference in scan.references().into_iter().filter(|r| known.insert(r.name)) {
        let message =
            format!("`{}` is not defined, and nothing that `start` reaches uses it", reference.name);
        found.push(Finding::new(reference.span, "undefined-name", message));
    }
    // A definition with an unknown name in it has been spoken of.
    let spoken_of = |statement: &[Token]| {
        let (start, end) = (statement[0].span.start, statement[statement.len() - 1].span.end);
        found.iter().any(|f| start <= f.span.start && f.span.start < end)
    };
    let statements = scan.statements();
    let unused = shape.unused().filter(|definition| {
        let at = statements.partition_point(|s| s[0].span.start <= definition.span.start);
        !at.checked_sub(1).is_some_and(|i| spoken_of(statements[i]))
    });
    let unused = unused.map(|definition| {
        let message = format!("nothing that `start` reaches uses `{}`", definition.name);
        Finding::new(definition.span.clone(), "unused-name", message)
    });
    let unused: Vec<Finding> = unused.collect();
    let is_unused = |start: usize| unused.iter().any(|f| f.span.start == start);
    let endless = shape.endless().into_iter().filter(|d| !is_unused(d.span.start)).map(|definition| {
        let name = definition.name;
        let message = format!("a text that enters `{name}` never ends: it always needs itself again");
        Finding::new(definition.span.clone(), "endless-rule", message)
            .help("give it an alternative that does not lead back to it")
    });
    let endless: Vec<Finding> = endless.collect();
    found.extend(unused);
    found.extend(endless);
    for (i, token) in scan.tokens.iter().enumerate() {
        match token.kind {
            Kind::Regex => found.extend(regex(scan.str(token)).map(|f| f.moved(token.span.start))),
            Kind::String => found.extend(layout(&scan, token)),
            Kind::Json if i > 0 && scan.str(&scan.tokens[i - 1]) == "%llguidance" => {
                found.extend(options(scan.str(token)).into_iter().map(|f| f.moved(token.span.start)));
            }
            _ => {}
        }
    }
    found
}

/// Marks that Lark's own indenter writes; here they are text.
fn layout(scan: &Scan<'_>, token: &Token) -> Option<Finding> {
    let text = scan.str(token);
    matches!(text, "\"<INDENT>\"" | "\"<DEDENT>\"" | "\"<NEWLINE>\"").then(|| {
        Finding::new(token.span.clone(), "indent-text", format!("this is the text {text}, not an indentation"))
            .help("count spaces with a parametric rule: `ind::_: \"\" %if eq(_, 0) | \"    \" ind::decr(_) %if gt(_, 0)`")
    })
}

/// Keys of `%llguidance` that do nothing.
fn options(object: &str) -> Vec<Finding> {
    let keys = json::strings(object).into_iter().filter(|t| t.is_key && t.parent.is_none());
    let unknown = keys.filter(|t| !OPTIONS.contains(&t.value.as_str()));
    unknown
        .map(|key| {
            let message = format!("`%llguidance` has no option `{}` and ignores it", key.value);
            let finding = Finding::new(key.span, "unknown-option", message);
            match closest(&key.value, OPTIONS) {
                Some(meant) => finding.help(format!("did you mean `{meant}`?")),
                None => finding.help(format!("there are {}", OPTIONS.join(", "))),
            }
        })
        .collect()
}

/// The first trap in a regular expression.
fn regex(pattern: &str) -> Option<Finding> {
    let bytes = pattern.as_bytes();
    let (mut at, mut in_class) = (0, false);
    // Whether what stands before can be repeated, and is repeated already.
    let (mut item, mut repeated) = (false, false);
    while let Some(&byte) = bytes.get(at) {
        let quantifier = !in_class && item && matches!(byte, b'*' | b'+' | b'?' | b'}');
        match byte {
            b'\\' => {
                let doubled = bytes.get(at + 1) == Some(&b'\\');
                if doubled
                    && !in_class
                    && let Some(class @ (b'd' | b'w' | b's' | b'D' | b'W' | b'S')) = bytes.get(at + 2)
                {
                    let class = char::from(*class);
                    let message = format!("`\\\\{class}` is a backslash and the letter `{class}`");
                    return Some(
                        Finding::new(at..at + 3, "doubled-escape", message)
                            .help(format!("write `\\{class}`")),
                    );
                }
                (item, repeated) = (true, false);
                at += 1;
            }
            b'?' if quantifier && repeated => {
                let text = &pattern[at - 1..=at];
                let message =
                    format!("`{text}` takes as much as `{}`: repetitions are never lazy", &text[..1]);
                return Some(Finding::new(at - 1..at + 1, "never-lazy", message).help(
                    "leave out what ends it, as in `[^\"]*`, or give the rule `stop=\"…\"` or `suffix=\"…\"`",
                ));
            }
            _ if quantifier => repeated = true,
            b'[' => in_class = true,
            b']' if in_class => (in_class, item, repeated) = (false, true, false),
            b'(' | b'|' if !in_class => (item, repeated) = (false, false),
            _ => (item, repeated) = (true, false),
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lazy_repetitions_and_doubled_escapes_are_found() {
        fn found(pattern: &str) -> Option<(&str, &'static str)> {
            regex(pattern).map(|f| (&pattern[f.span], f.code))
        }
        let lazy = |part| Some((part, "never-lazy"));
        assert_eq!(found("\"(.*?)\""), lazy("*?"));
        assert_eq!(found("a+?"), lazy("+?"));
        assert_eq!(found("a??"), lazy("??"));
        assert_eq!(found("a{2,3}?b"), lazy("}?"));
        assert_eq!(found(r"\\d+"), Some((r"\\d", "doubled-escape")));
        for fine in
            ["a?b?", "(?:a)*", "(a|?)", "[*?]+", r"\*?", r"a*\?", r"\\\d", r"(\\.|[^\\])*", r"[\\d]", "(?i)x"]
        {
            assert_eq!(found(fine), None, "{fine}");
        }
    }
}
