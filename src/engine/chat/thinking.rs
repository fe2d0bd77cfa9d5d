//! How a model thinks before it answers: which text starts and ends the thinking, found out from
//! the chat template.

use crate::engine::vocabulary::Vocabulary;

use super::{ChatError, ChatTemplate, Turn};

/// The marks that models in use were trained with.
const MARKS: [(&str, &str); 6] = [
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
];

/// The text around a thinking block, as the model was trained to write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThinkingStyle {
    /// What starts it, white space after it included: `<think>\n`.
    pub open: String,
    /// What ends it: `</think>`.
    pub close: String,
    /// White space before the end, where the end is put by force.
    pub before: String,
    /// White space between the end and the answer.
    pub after: String,
}

impl ChatTemplate {
    /// How the model thinks; `None` if neither the template nor the vocabulary knows a mark for it.
    pub fn thinking(&self, vocabulary: &Vocabulary) -> Option<ThinkingStyle> {
        let in_template = MARKS.iter().find(|(_, close)| self.source().contains(close));
        let is_token = |name: &str| vocabulary.control_token(name).is_some();
        let (open, close) =
            in_template.or_else(|| MARKS.iter().find(|(open, close)| is_token(open) && is_token(close)))?;
        let mut style = ThinkingStyle {
            open: format!("{open}\n"),
            close: (*close).to_owned(),
            before: "\n".into(),
            after: "\n\n".into(),
        };
        // What the template itself writes is how the model was trained.
        if let Some((open, before, after)) = self.written_thought(open, close).ok().flatten() {
            style = ThinkingStyle { open, before, after, ..style };
        } else if let Some(after) = self.empty_thought(close).ok().flatten() {
            style.after = after;
        }
        Some(style)
    }

    /// The text around the thought of an answer in the past: before it, between it and the end
    /// mark, between the end mark and the answer.
    fn written_thought(
        &self,
        open: &str,
        close: &str,
    ) -> Result<Option<(String, String, String)>, ChatError> {
        let question = Turn::new("user", "q");
        let answer = Turn { reasoning: Some("THOUGHT".into()), ..Turn::new("assistant", "ANSWER") };
        let text = self.render_turns(&[question, answer], false, true)?;
        let around = || {
            let (head, rest) = text.split_once("THOUGHT")?;
            let (before, rest) = rest.split_once(close)?;
            let (after, _) = rest.split_once("ANSWER")?;
            let opened = &head[head.rfind(open)?..];
            let blank = |text: &str| text.trim().is_empty();
            (blank(&opened[open.len()..]) && blank(before) && blank(after))
                .then(|| (opened.to_owned(), before.to_owned(), after.to_owned()))
        };
        Ok(around())
    }

    /// The white space after the empty thought that a template writes where no thinking is wanted.
    fn empty_thought(&self, close: &str) -> Result<Option<String>, ChatError> {
        let text = self.render_turns(&[Turn::new("user", "q")], true, false)?;
        let after = text.rfind(close).map(|at| &text[at + close.len()..]);
        Ok(after.filter(|after| after.trim().is_empty()).map(str::to_owned))
    }
}
