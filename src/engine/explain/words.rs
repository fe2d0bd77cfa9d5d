//! Reasons in words: a few plain sentences, for a terminal and for people who listen.
//!
//! All text of grammars and tokens is neutralised here, so what comes out may be shown anywhere.

use super::{Expected, Finish, Ignored, LimitKind, Reason, Terminal};
use crate::engine::check::describe;
use crate::engine::grammar::GrammarKind;
use crate::sanitize;

/// How many terminals are listed.
const MOST: usize = 6;

/// `reason` in sentences. `text` are the bytes that it is about: a token's, or a piece of text; `kind`
/// is what the grammar is written in, for what its author can do.
pub fn sentences(reason: &Reason, text: &[u8], kind: GrammarKind) -> Vec<String> {
    match reason {
        Reason::Allowed { ends: true } => vec!["The text is complete and may end here.".into()],
        Reason::Allowed { ends: false } => vec!["It may come here.".into()],
        Reason::Byte { accepted, byte, expected, ignored } => {
            let (start, rest) = text.split_at((*accepted).min(text.len()));
            let refused = rest.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
            let refused = refused.map_or_else(|| describe(&[*byte]), character_name);
            let mut said = vec![match accepted {
                0 => format!("{} may not come here.", capital(&refused)),
                1 => format!("Its first byte, {}, may come; {refused} after it may not.", quoted(start)),
                n => {
                    format!("Its first {n} bytes, {}, may come; {refused} after them may not.", quoted(start))
                }
            }];
            said.extend(ignored.map(|ignored| of_ignored(ignored, kind).into()));
            said.extend(of_expected(expected));
            said
        }
        Reason::Tokenization { bytes, .. } => {
            let mut said = vec![format!(
                "Its text may come, but the grammar leaves no choice here, and the forced text is cut as a \
                 model's tokenizer would cut it: {} has to come.",
                quoted(bytes)
            )];
            if kind == GrammarKind::Lark {
                said.push("`%llguidance {\"no_forcing\": true}` lets every way to cut it through.".into());
            }
            said
        }
        Reason::Prompt { last } => vec![format!(
            "It ends within the prompt's last token, {}: the first token of the answer begins with all of it.",
            quoted(last)
        )],
        Reason::Special { name_fits, expected } => {
            let mut said = vec![
                "It is a special token, which has no text, and the grammar does not name it here.".into(),
            ];
            if *name_fits {
                let names = matches!(kind, GrammarKind::Lark | GrammarKind::Gbnf);
                let how = if names { "; a grammar names the token without quotes" } else { "" };
                said.push(format!("The characters {} may come here, but only as text{how}.", quoted(text)));
            }
            said.extend(of_expected(expected));
            said
        }
        Reason::TextForSpecial { name, .. } => {
            let name = sanitize::line(name);
            vec![
                format!(
                    "It is text that reads like the special token {name}, which has to come as one token."
                ),
                format!("Written `\"{name}\"` with quotes, the grammar would take the text."),
            ]
        }
        Reason::Incomplete { expected, finish } => {
            let mut said = vec!["The text is not complete and may not end here.".to_owned()];
            said.extend(of_expected(expected));
            said.extend(finish.as_ref().map(completion));
            said
        }
        Reason::DeadEnd { wanted } if wanted.is_empty() => {
            vec![
                "Nothing can follow here, and the text is not complete: the grammar has led into a dead end."
                    .into(),
            ]
        }
        Reason::DeadEnd { wanted } => vec![
            "No token can come here, and the text is not complete: a dead end.".into(),
            format!("The grammar wants {}, and the model has no token that spells it.", describe(wanted)),
        ],
        Reason::Limit { limit, message } => {
            vec![
                format!(
                    "The grammar is too complex here: {}.",
                    sanitize::line(message.trim_end_matches('.'))
                ),
                of_limit(*limit).into(),
            ]
        }
        Reason::Padding => {
            vec!["The model has a number for this id, but its tokenizer has no token.".into()]
        }
        Reason::Thinking { forced: Some(forced), .. } => {
            vec![format!("The thinking before the answer is being closed: token {forced} has to come.")]
        }
        Reason::Thinking { control: true, .. } => {
            vec!["It is a control token, and the model still thinks: the answer, and the grammar, have not begun.".into()]
        }
        Reason::Thinking { .. } => vec![
            "It would end the thinking in the middle of a token: the answer begins with a token of its own."
                .into(),
        ],
        Reason::Unexplained => {
            vec![
                "The mask leaves it out although its text may come, which is a fault worth reporting.".into(),
            ]
        }
    }
}

/// How the text could end, in one sentence.
pub fn completion(finish: &Finish) -> String {
    let Finish { bytes, is_shortest } = finish;
    let count = if bytes.len() == 1 { "one byte".to_owned() } else { format!("{} bytes", bytes.len()) };
    let how = if *is_shortest { "The shortest end from here is" } else { "It could end with" };
    format!("{how} {}, {count}.", quoted(bytes))
}

/// What may come, in one sentence, and the terminals that it belongs to, one a line.
fn of_expected(expected: &Expected) -> Vec<String> {
    let end = if expected.may_end == Some(true) { ", or the end" } else { "" };
    let mut said = Vec::new();
    if expected.forced.len() > 1 {
        said.push(format!("The grammar leaves no choice: {} has to come.", quoted(&expected.forced)));
    } else if !expected.bytes.is_empty() {
        said.push(format!("Here may come {}{end}.", describe(&expected.bytes)));
    } else if expected.may_end == Some(true) {
        said.push("The text is complete: nothing but its end may come.".into());
    }
    if !expected.specials.is_empty() {
        let names: Vec<_> = expected.specials.iter().map(|name| sanitize::line(name)).collect();
        said.push(format!("So may the special tokens {}.", names.join(", ")));
    }
    if !expected.terminals.is_empty() {
        said.push(format!("Expected: {}.", listed(&expected.terminals)));
    }
    if let Some(reason) = &expected.unnamed {
        said.push(format!("The terminals have no names here: {}.", sanitize::line(reason)));
    }
    said
}

/// Terminals with their places, not too many of them.
pub fn listed(terminals: &[Terminal]) -> String {
    let mut listed: Vec<String> = terminals.iter().take(MOST).map(terminal).collect();
    let more = terminals.len().saturating_sub(MOST);
    if more > 0 {
        listed.push(format!("{more} more"));
    }
    listed.join(", ")
}

/// A terminal with its place: `":" (in pair, 18:14)`, `"true" (/properties/done, 4:12)`.
pub(super) fn terminal(terminal: &Terminal) -> String {
    let Terminal { text, rule, pointer, place, .. } = terminal;
    // The pointer of a whole schema is empty.
    let pointer = pointer.as_ref().filter(|p| !p.is_empty()).map(|p| sanitize::line(p).into_owned());
    let rule = rule.as_ref().map(|rule| format!("in {}", sanitize::line(rule))).or(pointer);
    let place = place.as_ref().map(|place| format!("{}:{}", place.line, place.column));
    let where_: Vec<String> = rule.into_iter().chain(place).collect();
    let text = sanitize::line(text);
    if where_.is_empty() { text.into_owned() } else { format!("{text} ({})", where_.join(", ")) }
}

fn of_ignored(ignored: Ignored, kind: GrammarKind) -> &'static str {
    match ignored {
        _ if kind == GrammarKind::JsonSchema => {
            "White space may stand between the parts of an object or an array, but not here."
        }
        Ignored::BeforeFirst => {
            "`%ignore` does not hold before the first terminal; \
             `%llguidance {\"allow_initial_skip\": true}` lets it."
        }
        Ignored::AfterLast => "`%ignore` does not hold after the last terminal.",
        Ignored::Embedded => {
            "`%ignore` does not hold inside of an embedded grammar, which ignores only what it says itself."
        }
        Ignored::Here => "`%ignore` would allow it elsewhere, but not here.",
    }
}

fn of_limit(limit: LimitKind) -> &'static str {
    match limit {
        LimitKind::Row => {
            "Write long lists so that they lean to the left, `list: list item | item`, or with `item+`."
        }
        LimitKind::Items => {
            "Make terminals longer, `/[a-z]+/` rather than `letter+`, and leave less open between alternatives."
        }
        LimitKind::States | LimitKind::Fuel => {
            "Use smaller counts in `{m,n}`, and fewer terminals that can begin alike."
        }
        LimitKind::MaxTokens => "Give the rule a larger `max_tokens`.",
        LimitKind::Other => "Use fewer or shorter repetitions, and fewer terminals that overlap.",
    }
}

/// Bytes in quotes, made visible.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => shown.push_str("\\n"),
                '\r' => shown.push_str("\\r"),
                '\t' => shown.push_str("\\t"),
                _ => shown.push_str(&sanitize::line(c.encode_utf8(&mut [0; 4]))),
            }
        }
        chunk.invalid().iter().for_each(|byte| shown.push_str(&format!("\\x{byte:02X}")));
    }
    format!("`{shown}`")
}

/// A character in quotes, or the name of one that cannot be seen.
pub fn character_name(c: char) -> String {
    match c {
        ' ' => "a space".into(),
        '\n' => "a line break".into(),
        '\t' => "a tab".into(),
        c => quoted(c.to_string().as_bytes()),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
