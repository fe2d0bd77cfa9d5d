//! Traps of names and keywords: keywords that are names too, keywords that a name may touch, and a
//! first line that other programs take for another language.

use super::edits::{at_end, new_name, put};
use super::lexemes::quoted;
use super::{Finding, Fix};
use crate::engine::fix::TextEdit;
use crate::engine::grammar::dfa::Dfa;
use crate::engine::grammar::flow::{Flow, Lexeme, START, UNKNOWN, has, numbers};
use crate::engine::grammar::scan::{self, Scan};
use crate::engine::grammar::tree::{self, Expr, Kind};
use llguidance::derivre::RegexAst;

/// So many letters may begin a name, and go on with it. A list of keywords has fewer.
const LETTERS: usize = 10;

pub(super) fn traps(flow: &Flow<'_, '_>) -> Vec<Finding> {
    let words = Dfa::of(&RegexAst::Regex("(?:[A-Za-z0-9_$-]|[^\\x00-\\x7F])+".into()));
    let Some(words) = words else { return Vec::new() };
    let is_name = |n: &usize| flow.lexemes[*n].dfa().is_some_and(|dfa| is_name(dfa, &words));
    let names: Vec<usize> = (START + 1..flow.lexemes.len()).filter(is_name).collect();
    let is_keyword = |n: &usize| keyword(flow.lexemes[*n].text).is_some();
    let keywords: Vec<usize> = (START + 1..flow.lexemes.len()).filter(is_keyword).collect();
    let mut found: Vec<Finding> = names.iter().filter_map(|&name| overlaps(flow, name, &keywords)).collect();
    found.extend(glued(flow, &names));
    found
}

/// The word that a string is, if it is one.
fn keyword(text: &str) -> Option<String> {
    let (word, _) = tree::string(text).filter(|_| text.starts_with('"'))?;
    let is_word = word.len() > 1 && word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    is_word.then_some(word)
}

/// Whether a terminal is what identifiers are: word characters, with a choice of letters at the
/// start and after it.
fn is_name(dfa: &Dfa, words: &Dfa) -> bool {
    let first = dfa.first();
    let letters = || (b'A'..=b'z').filter(u8::is_ascii_alphabetic);
    let after = |a: u8| letters().filter(|&b| dfa.goes_on_after(&[a, b])).count();
    let begins = letters().filter(|&b| first[usize::from(b)]);
    begins.clone().count() >= LETTERS && begins.take(3).all(|a| after(a) >= LETTERS) && dfa.is_within(words)
}

/// A name that keywords are, too.
fn overlaps(flow: &Flow<'_, '_>, name: usize, keywords: &[usize]) -> Option<Finding> {
    let lexeme = &flow.lexemes[name];
    let dfa = lexeme.dfa()?;
    // Where some are excluded, the others are meant, but for a word that is excluded in one case only.
    let parts = flow.tree.get(lexeme.text).map(|d| d.body.walk()).unwrap_or_default();
    let excludes = parts.iter().any(|e| matches!(e.kind, Kind::Not(_)));
    let is_meant = |text: &str| {
        let word = keyword(text).unwrap_or_default();
        let cases = [word.to_lowercase(), word.to_uppercase(), word];
        excludes && !(text.ends_with('i') && cases.iter().any(|case| !dfa.takes(case.as_bytes())))
    };
    let is_taken = |k: &&usize| {
        let keyword = &flow.lexemes[**k];
        keyword.dfa().is_some_and(|k| k.common(dfa).is_some()) && !is_meant(keyword.text)
    };
    let taken: Vec<&Lexeme<'_>> = keywords.iter().filter(is_taken).map(|&k| &flow.lexemes[k]).collect();
    let shown: Vec<String> = taken.iter().take(3).map(|k| quoted(k.text)).collect();
    let more = if taken.len() > 3 { format!(" and {} more", taken.len() - 3) } else { String::new() };
    if taken.is_empty() {
        return None;
    }
    let definition = flow.tree.get(lexeme.text);
    let import = flow.tree.imports.iter().find(|(here, ..)| *here == lexeme.text);
    let span = match (definition, import) {
        (Some(definition), _) => definition.span.clone(),
        (None, Some((.., span))) => span.clone(),
        (None, None) => lexeme.span.clone(),
    };
    let message = format!("{} also takes the keywords {}{more}", quoted(lexeme.text), shown.join(", "));
    let finding = Finding::new(span, "keyword-as-name", message)
        .help("exclude them: `NAME: /[a-z]+/ & ~KEYWORD` with `KEYWORD: \"if\" | \"else\"`");
    let scan = Scan::new(flow.tree.text);
    let keyword = new_name(&scan, "KEYWORD");
    let all: Vec<&str> = taken.iter().map(|k| k.text).collect();
    let lines = format!("{keyword}: {}", all.join(" | "));
    let edits = match (definition, import) {
        (Some(definition), _) => {
            let body = &definition.body;
            let is_one = !matches!(body.kind, Kind::Alt(_) | Kind::And(_));
            let text = flow.tree.str(&body.span);
            let text = if is_one { text.to_owned() } else { format!("({text})") };
            vec![put(body.span.clone(), format!("{text} & ~{keyword}")), at_end(flow.tree.text, &lines)]
        }
        // `%import common.CNAME` alone on its line.
        (None, Some((here, there, place))) if here == there => {
            let line = flow.tree.text[..place.start].rfind('\n').map_or(0, |n| n + 1);
            let end = flow.tree.text[place.end..].find('\n').map_or(flow.tree.text.len(), |n| place.end + n);
            let text = flow.tree.text[line..end].trim();
            let any = new_name(&scan, &format!("ANY_{here}"));
            if text != format!("%import common.{here}") {
                return Some(finding);
            }
            let more = format!("{here}: {any} & ~{keyword}\n{lines}");
            vec![put(place.end..place.end, format!(" -> {any}")), at_end(flow.tree.text, &more)]
        }
        _ => return Some(finding),
    };
    Some(finding.fix(Fix::new(format!("exclude them from `{}`", lexeme.text), edits).unsafe_to_apply()))
}

/// Keywords that the name after them may touch.
fn glued<'a>(flow: &Flow<'a, '_>, names: &[usize]) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for rule in flow.tree.rules().filter(|r| !r.has_attributes) {
        for part in rule.body.walk() {
            let Kind::Seq(parts) = &part.kind else { continue };
            for pair in parts.windows(2) {
                let known = found.iter().any(|f| flow.tree.str(&f.span) == flow.tree.str(&pair[0].span));
                if !known {
                    found.extend(touches(flow, names, &pair[0], &pair[1]));
                }
            }
        }
    }
    found
}

fn touches<'a>(flow: &Flow<'a, '_>, names: &[usize], first: &Expr<'a>, second: &Expr<'a>) -> Option<Finding> {
    let word = keyword(flow.tree.str(&first.span))?;
    let keyword = flow.number(first)?;
    let ends = flow.ends(second);
    let name = names.iter().copied().find(|&n| has(&ends.first, n))?;
    let dfa = flow.lexemes[name].dfa()?;
    // A name after which the two together are a name again.
    let start = dfa.first();
    let letter = [b'x'].into_iter().chain(b'a'..=b'z').chain(b'A'..=b'Z').find(|&b| {
        let together = [word.as_bytes(), &[b]].concat();
        start[usize::from(b)] && dfa.takes(&[b]) && dfa.takes(&together)
    })?;
    let together = [word.as_bytes(), &[letter]].concat();
    // Whatever else may stand where the keyword does and is longer would be read in its place.
    let rivals = flow.rivals(keyword);
    let longer =
        |n: &usize| *n != keyword && flow.lexemes[*n].dfa().is_none_or(|d| d.goes_on_after(&together));
    if has(&rivals, UNKNOWN) || numbers(&rivals).iter().any(longer) {
        return None;
    }
    let shown = String::from_utf8_lossy(&together).into_owned();
    let message = format!(
        "`{shown}` is read as the keyword and {}: nothing has to stand between them",
        quoted(flow.lexemes[name].text)
    );
    let finding = Finding::new(first.span.clone(), "glued-keyword", message);
    let span = first.span.clone();
    if flow.tree.ignored.is_empty() {
        let text = flow.tree.str(&span);
        let quote = text.rfind('"').unwrap_or(text.len());
        let spaced = format!("{} {}", &text[..quote], &text[quote..]);
        let help = format!("write the space: `{spaced}`");
        return Some(finding.help(help).fix(Fix::replace("add a space", span, spaced).unsafe_to_apply()));
    }
    let scan = Scan::new(flow.tree.text);
    let terminal = new_name(&scan, &word.to_uppercase());
    let ignored: Vec<&str> = flow.tree.ignored.iter().map(|e| flow.tree.str(&e.span)).collect();
    let space = match ignored[..] {
        [one] if !one.contains('|') => format!("{one}+"),
        _ => format!("({})+", ignored.join(" | ")),
    };
    let lines = format!("{terminal}: {} {space}", flow.tree.str(&span));
    let help = format!("make what has to follow a part of it: `{lines}`");
    // What may also begin with a bracket needs no space after the keyword.
    let all_names = !ends.nullable && numbers(&ends.first).iter().all(|n| names.contains(n));
    let edits = vec![put(span, terminal.clone()), at_end(flow.tree.text, &lines)];
    let fix = Fix::new(format!("make it `{terminal}`, with what follows"), edits).unsafe_to_apply();
    let finding = finding.help(help);
    Some(if all_names { finding.fix(fix) } else { finding })
}

/// A grammar that programs which guess the language from the first lines take for GBNF: they look
/// for a line with `start:` or `%llguidance`.
pub(super) fn sniffed(text: &str, scan: &Scan<'_>) -> Option<Finding> {
    let is_seen = |line: &str| {
        let line = line.trim_start();
        let starts = |word: &str| line.strip_prefix(word);
        let word = |c: char| c.is_alphanumeric() || c == '_';
        starts("%llguidance").is_some_and(|rest| !rest.starts_with(word))
            || starts("start").is_some_and(|rest| rest.trim_start().starts_with(':'))
    };
    if text.lines().any(is_seen) {
        return None;
    }
    let start =
        scan.tokens.iter().find(|t| t.kind == scan::Kind::Rule && scan::bare(scan.str(t)) == "start")?;
    let written = scan.str(start);
    let message = "servers that guess the language take this for GBNF: no line begins with `start:`";
    let finding = Finding::new(start.span.clone(), "sniffed-as-gbnf", message)
        .help("write `start:`, or `%llguidance {}` in the first line");
    let fix = if written == "start" {
        Fix::new("add `%llguidance {}`", vec![TextEdit { span: 0..0, text: "%llguidance {}\n".into() }])
    } else {
        Fix::replace("write `start:`", start.span.clone(), "start")
    };
    Some(finding.fix(fix))
}
