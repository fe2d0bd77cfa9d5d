//! An explanation on the page: the place, the reason in sentences, the lines of the grammar that are
//! meant, and how it could go on; or all of it as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::commands::output::Sink;
use crate::engine::check::position;
use crate::engine::diagnostic;
use crate::engine::explain::{At, Class, Reason, Reasons, character_name, completion, sentences};
use crate::engine::{Diagnostic, GrammarSource, TokenId, Vocabulary};
use crate::sanitize;

/// How many of the grammar's lines are shown.
const MOST_LINES: usize = 4;

/// How many places inside of tokens are told apart.
const MOST_PLACES: usize = 4;

/// What an explanation is about.
pub(in crate::commands) enum Subject<'a> {
    /// A token.
    Token(TokenId),
    /// A piece of text that is no single token.
    Text(Vec<u8>),
    /// How the text goes on after the place.
    Rest(&'a [u8]),
    /// The end of the text.
    End,
}

impl Subject<'_> {
    pub(in crate::commands) fn explained(&self, at: &mut At<'_>) -> Reason {
        match self {
            Self::Token(token) => at.why(*token),
            Self::Text(text) => at.why_text(text),
            Self::Rest(text) => at.why_text(text),
            Self::End => at.why_end(),
        }
    }

    fn bytes<'v>(&'v self, vocabulary: &'v Vocabulary) -> &'v [u8] {
        match self {
            Self::Token(token) => vocabulary.bytes(*token),
            Self::Text(text) => text,
            Self::Rest(text) => text,
            Self::End => &[],
        }
    }
}

/// The place that is explained.
pub(in crate::commands) enum Place<'a> {
    /// A byte of a text.
    Text { name: &'a str, text: &'a [u8], at: usize },
    /// Before a step of a run that had so many.
    Trace { name: &'a str, step: usize, steps: usize, text: &'a [u8] },
}

/// All that an explanation is made of.
pub(in crate::commands) struct Shown<'a> {
    pub grammar: &'a GrammarSource,
    pub vocabulary: &'a Vocabulary,
    pub place: Place<'a>,
    pub subject: Subject<'a>,
}

impl Shown<'_> {
    /// Prints it for a person.
    pub(in crate::commands) fn print(
        &self,
        out: &mut Sink,
        reason: &Reason,
        at: &mut At<'_>,
    ) -> io::Result<()> {
        let has_counts =
            matches!(self.subject, Subject::Token(_)) || matches!(self.place, Place::Trace { .. });
        let reasons = has_counts.then(|| at.all());
        let reason = &reasons.as_ref().map_or_else(|| reason.clone(), |all| counted(reason, all, at));
        self.print_place(out, reason)?;
        let said = sentences(reason, self.subject.bytes(self.vocabulary), self.grammar.kind);
        // The place has said the first one.
        let known = match reason {
            Reason::Byte { accepted, .. } => *accepted == 0 || matches!(self.subject, Subject::Rest(_)),
            Reason::Allowed { .. } | Reason::Incomplete { .. } => true,
            _ => false,
        };
        // The lines of the grammar say it better, if there are not too many.
        let terminals = reason.expected().map_or(&[][..], |expected| &expected.terminals);
        let all_shown = terminals.len() <= MOST_LINES && terminals.iter().all(|t| t.place.is_some());
        let is_said = |sentence: &&String| !(all_shown && sentence.starts_with("Expected: "));
        for sentence in said.iter().skip(usize::from(known)).filter(is_said) {
            let sentence = out.shown_in_line(sentence).into_owned();
            writeln!(out, "{sentence}")?;
        }
        self.print_terminals(out, reason)?;
        if let Some(path) = at.path() {
            let rules: Vec<&str> = path.iter().map(|crumb| crumb.rule.as_str()).collect();
            let mut line = rules.join(" > ");
            if let Some((pointer, place)) =
                path.last().and_then(|crumb| Some((crumb.pointer.as_ref()?, crumb.place.as_ref()?)))
            {
                line += &format!(" ({pointer} at {}:{})", place.line, place.column);
            }
            let line = out.shown_in_line(&line).into_owned();
            writeln!(out, "in: {line}")?;
        }
        // The reason has said it of a text that is not complete.
        if !matches!(reason, Reason::Incomplete { .. } | Reason::Allowed { .. })
            && let Some(finish) = at.finish()
        {
            let line = out.shown_in_line(&completion(&finish)).into_owned();
            writeln!(out, "{line}")?;
        }
        reasons.map_or(Ok(()), |reasons| self.print_counts(out, &reasons))
    }

    fn print_place(&self, out: &mut Sink, reason: &Reason) -> io::Result<()> {
        match self.place {
            Place::Text { name, text, at } => {
                // The failing byte may be further on than the place.
                let at = match (&self.subject, reason) {
                    (Subject::Rest(_), Reason::Byte { accepted, .. }) => at + accepted,
                    _ => at,
                };
                let (shown, from) = diagnostic::shown(text, at);
                let next = shown.get(from..).and_then(|rest| rest.chars().next());
                let message = self.verdict(reason, text.get(at..).unwrap_or_default());
                let diagnostic = Diagnostic {
                    start: position(text, at),
                    ..Diagnostic::error(
                        &shown,
                        from..from + next.map_or(0, char::len_utf8),
                        reason.name(),
                        message,
                    )
                };
                let label =
                    if reason.is_allowed() { String::new() } else { format!("error[{}]", reason.name()) };
                out.place(name, &shown, &diagnostic, &label)
            }
            Place::Trace { name, step, steps, .. } => {
                let step =
                    if step > steps { "the end".to_owned() } else { format!("step {step} of {steps}") };
                let line = format!("{name}: {step}: {}", self.verdict(reason, &[]));
                let line = out.shown_in_line(&line).into_owned();
                writeln!(out, "{line}")
            }
        }
    }

    /// What comes of it, in a few words. `next` is the text from the failing byte on.
    fn verdict(&self, reason: &Reason, next: &[u8]) -> String {
        let quoted = |bytes: &[u8]| format!("`{}`", sanitize::token(bytes));
        let about = match &self.subject {
            Subject::Token(token) => {
                let bytes = self.vocabulary.bytes(*token);
                let kind = if self.vocabulary.is_special(*token) { "special token" } else { "token" };
                match bytes {
                    [] => format!("token #{token}"),
                    bytes => format!("{kind} {} (#{token})", quoted(bytes)),
                }
            }
            Subject::Text(text) => quoted(text),
            Subject::Rest(_) if reason.is_allowed() => "the rest of the text".into(),
            Subject::Rest(_) => {
                let first = next.utf8_chunks().next();
                let character = first.and_then(|chunk| chunk.valid().chars().next());
                character.map_or_else(|| quoted(next.get(..1).unwrap_or_default()), character_name)
            }
            Subject::End if reason.is_allowed() => return "the text is complete and may end here".into(),
            Subject::End => return "the text is not complete".into(),
        };
        format!("{about} {} come here", if reason.is_allowed() { "may" } else { "may not" })
    }

    /// The lines of the grammar in which what is expected stands.
    fn print_terminals(&self, out: &mut Sink, reason: &Reason) -> io::Result<()> {
        let Some(expected) = reason.expected() else { return Ok(()) };
        let placed =
            expected.terminals.iter().filter_map(|terminal| Some((terminal, terminal.place.as_ref()?)));
        for (terminal, place) in placed.take(MOST_LINES) {
            let rule = terminal.rule.as_ref().map(|rule| format!(", in {rule}"));
            let pointer = terminal.pointer.as_ref().filter(|pointer| !pointer.is_empty());
            let within = rule.or(pointer.map(|pointer| format!(", at {pointer}"))).unwrap_or_default();
            let tokens = match terminal.tokens {
                None => String::new(),
                Some(1) => ": 1 token".to_owned(),
                Some(tokens) => format!(": {tokens} tokens"),
            };
            let message = format!("expected {}{within}{tokens}", terminal.text);
            let found = Diagnostic::error(&self.grammar.text, place.span.clone(), "expected", message);
            out.place(&self.grammar.name, &self.grammar.text, &found, "")?;
        }
        Ok(())
    }

    /// How many tokens may come, and where the others fail.
    fn print_counts(&self, out: &mut Sink, reasons: &Reasons) -> io::Result<()> {
        let all = self.vocabulary.len() - reasons.count(Class::Padding);
        let mut parts = Vec::new();
        for place in reasons.places().iter().take(MOST_PLACES) {
            let bytes = self.vocabulary.bytes(place.sample).get(..place.accepted).unwrap_or_default();
            parts.push(match place.accepted {
                0 => format!("{} for their first byte", place.tokens),
                _ => format!("{} after `{}`", place.tokens, sanitize::token(bytes)),
            });
        }
        let rest: usize = reasons.places().iter().skip(MOST_PLACES).map(|place| place.tokens).sum();
        let named = [
            (rest, "at other places"),
            (reasons.count(Class::Tokenization), "as other cuts of forced text"),
            (reasons.count(Class::Special) + reasons.count(Class::Incomplete), "as special tokens"),
        ];
        parts.extend(
            named.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")),
        );
        let allowed = reasons.count(Class::Allowed);
        let may = format!("{allowed} of {all} tokens may come here");
        let line = if parts.is_empty() {
            format!("{may}.")
        } else {
            format!("{may}; refused are {}.", parts.join(", "))
        };
        let line = out.shown_in_line(&line).into_owned();
        writeln!(out, "{line}")
    }

    /// All of it as JSON.
    pub(in crate::commands) fn json(&self, reason: &Reason, at: &mut At<'_>) -> Value {
        let about = match &self.subject {
            Subject::Token(token) => json!({
                "token": token,
                "text": String::from_utf8_lossy(self.vocabulary.bytes(*token)),
                "special": self.vocabulary.is_special(*token),
            }),
            Subject::Text(text) => json!({ "text": String::from_utf8_lossy(text) }),
            Subject::Rest(text) => json!({ "rest": text.len() }),
            Subject::End => json!("end"),
        };
        let place = match self.place {
            Place::Text { name, text, at } => {
                let position = position(text, at);
                json!({ "text": name, "byte": at, "line": position.line, "column": position.column })
            }
            Place::Trace { name, step, text, .. } => {
                json!({ "trace": name, "step": step, "bytes": text.len() })
            }
        };
        let reasons = at.all();
        let counts: serde_json::Map<String, Value> = Class::ALL
            .into_iter()
            .map(|class| (class.name().to_owned(), json!(reasons.count(class))))
            .collect();
        let reason = &counted(reason, &reasons, at);
        let mut expected = at.expected();
        expected.iter_mut().for_each(|expected| at.count(&reasons, expected));
        json!({
            "grammar": self.grammar.name,
            "place": place,
            "about": about,
            "allowed": reason.is_allowed(),
            "reason": reason,
            "sentences": sentences(reason, self.subject.bytes(self.vocabulary), self.grammar.kind),
            "expected": expected,
            "path": at.path(),
            "finish": at.finish(),
            "tokens": counts,
        })
    }
}

/// A reason with the tokens of what is expected counted, if that is about the place itself.
fn counted(reason: &Reason, reasons: &Reasons, at: &mut At<'_>) -> Reason {
    let mut reason = reason.clone();
    reason.expected_here().into_iter().for_each(|expected| at.count(reasons, expected));
    reason
}
