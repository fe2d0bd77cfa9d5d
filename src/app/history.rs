//! What was written before, as the person walks through it: earlier prompts like a shell's, earlier
//! grammars.

use std::sync::Arc;

use crate::engine::GrammarSource;
use crate::engine::trace::Request;
use crate::store::history::{Addition, History};

use super::editor::EditorBuffer;

/// The history, and where the person is in it.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// All of it, newest first.
    pub list: History,
    /// What has not been saved yet, oldest first.
    pub new: Vec<Addition>,
    walk: Option<Walk>,
}

/// A walk through the earlier prompts.
#[derive(Clone, Debug)]
struct Walk {
    /// What was in the prompt's pane when it began.
    draft: Arc<str>,
    /// The prompt shown; `None` is the draft.
    at: Option<usize>,
    /// The revision of the pane's text since; once it has changed, what is there is a new draft.
    revision: u64,
}

impl Past {
    /// Remembers something.
    pub fn add(&mut self, addition: Addition) {
        if self.list.add(addition.clone()) {
            self.new.push(addition);
        }
    }

    /// Remembers what a run was asked for.
    pub fn ran(&mut self, request: &Request) {
        self.add(Addition::Prompt(request.prompt.as_str().into()));
        if let Some(grammar) = &request.grammar {
            self.keep(grammar);
        }
    }

    /// Remembers a grammar, unless it is one that comes with the program.
    pub fn keep(&mut self, grammar: &GrammarSource) {
        let is_shipped = crate::engine::grammar::library::ALL.iter().any(|s| s.text == grammar.text);
        if !is_shipped {
            self.add(Addition::Grammar(Arc::new(grammar.clone())));
        }
    }

    /// Takes in what earlier starts of the program have left.
    pub fn recall(&mut self, older: History) {
        self.list.append(older);
        self.walk = None;
    }

    /// Puts the prompt before or after the one shown into the pane. Whether there is one.
    pub fn walk(&mut self, buffer: &mut EditorBuffer, older: bool) -> bool {
        let text = buffer.text();
        let walk = self.walk.take().filter(|walk| walk.revision == buffer.revision());
        let Walk { draft, at, .. } =
            walk.unwrap_or_else(|| Walk { draft: text.as_str().into(), at: None, revision: 0 });
        let prompts = &self.list.prompts;
        let to = if older {
            let from = at.map_or(0, |at| at + 1);
            // What is there already would look as if nothing had happened.
            let next = (from..prompts.len()).find(|&i| *prompts[i] != *text);
            next.map(Some)
        } else {
            at.map(|at| (0..at).rev().find(|&i| *prompts[i] != *text && *prompts[i] != *draft))
        };
        if let Some(to) = to {
            buffer.set_text(to.map_or(&draft, |to| &prompts[to]));
            buffer.go(super::editor::Motion::TextEnd, usize::MAX / 2);
        }
        let at = to.unwrap_or(at);
        self.walk = Some(Walk { draft, at, revision: buffer.revision() });
        to.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(prompts: &[&str]) -> Past {
        let mut past = Past::default();
        prompts.iter().for_each(|p| past.add(Addition::Prompt((*p).into())));
        past
    }

    #[test]
    fn a_walk_goes_like_a_shell_and_comes_back_to_the_draft() {
        let mut past = past(&["one", "two", "three"]);
        let mut buffer = EditorBuffer::new("draft");
        let mut seen = Vec::new();
        for older in [true, true, true, true, false, false, false, false] {
            past.walk(&mut buffer, older);
            seen.push(buffer.text());
        }
        assert_eq!(seen, ["three", "two", "one", "one", "two", "three", "draft", "draft"]);
    }

    #[test]
    fn the_prompt_that_is_there_is_passed_over_and_an_edit_begins_anew() {
        let mut past = past(&["one", "two"]);
        let mut buffer = EditorBuffer::new("two");
        assert!(past.walk(&mut buffer, true));
        assert_eq!(buffer.text(), "one");
        buffer.insert("!");
        assert!(past.walk(&mut buffer, true));
        assert_eq!(buffer.text(), "two");
        assert!(past.walk(&mut buffer, false));
        assert_eq!(buffer.text(), "one!");
        assert!(!past.walk(&mut buffer, false));
        assert!(buffer.undo(), "a step of the walk is a change like any other");
    }

    #[test]
    fn nothing_happens_without_a_history() {
        let mut buffer = EditorBuffer::new("x");
        assert!(!Past::default().walk(&mut buffer, true) && !Past::default().walk(&mut buffer, false));
        assert_eq!(buffer.text(), "x");
    }
}
