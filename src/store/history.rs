//! What was written before, newest first: prompts and grammars that were run.
//!
//! Lists are bounded by their length and their bytes. What is added again moves to the front.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::GrammarSource;

/// Most prompts.
pub const MOST_PROMPTS: usize = 500;

/// Most grammars.
pub const MOST_GRAMMARS: usize = 100;

/// Most bytes of all texts of one list.
const MOST_BYTES: usize = 8 << 20;

/// Most bytes of one text. A grammar that can be run has fewer.
const MOST_TEXT: usize = 1 << 20;

/// What was written before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// Prompts that were run.
    pub prompts: Vec<Arc<str>>,
    /// Grammars that were run, each distinct text once.
    pub grammars: Vec<Arc<GrammarSource>>,
}

/// Something new.
#[derive(Clone, Debug, PartialEq)]
pub enum Addition {
    /// A prompt.
    Prompt(Arc<str>),
    /// A grammar.
    Grammar(Arc<GrammarSource>),
}

impl History {
    /// Puts something new to the front, and forgets what there is no more room for. Whether anything
    /// has changed.
    pub fn add(&mut self, addition: Addition) -> bool {
        let changed = match addition {
            Addition::Prompt(text) if !is_worth_keeping(&text) => false,
            Addition::Prompt(text) => to_front(&mut self.prompts, text, |a, b| a == b),
            Addition::Grammar(source) if !is_worth_keeping(&source.text) => false,
            Addition::Grammar(source) => {
                to_front(&mut self.grammars, source, |a, b| a.text == b.text && a.kind == b.kind)
            }
        };
        if changed {
            self.bound();
        }
        changed
    }

    /// Adds what is older than everything that is there.
    pub fn append(&mut self, older: Self) {
        let new = std::mem::replace(self, older);
        let prompts = new.prompts.into_iter().rev().map(Addition::Prompt);
        let grammars = new.grammars.into_iter().rev().map(Addition::Grammar);
        for addition in prompts.chain(grammars) {
            self.add(addition);
        }
    }

    /// Forgets what there is no room for.
    pub fn bound(&mut self) {
        bound(&mut self.prompts, MOST_PROMPTS, |text| text.len());
        bound(&mut self.grammars, MOST_GRAMMARS, |source| source.text.len());
    }
}

fn is_worth_keeping(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MOST_TEXT
}

fn to_front<T>(list: &mut Vec<T>, item: T, is_same: impl Fn(&T, &T) -> bool) -> bool {
    let at = list.iter().position(|other| is_same(other, &item));
    if let Some(at) = at {
        list.remove(at);
    }
    list.insert(0, item);
    at != Some(0)
}

fn bound<T>(list: &mut Vec<T>, most: usize, bytes: impl Fn(&T) -> usize) {
    let mut sum = 0;
    let fits = |item: &T| {
        sum += bytes(item);
        sum <= MOST_BYTES
    };
    let kept = list.iter().take(most).map(fits).take_while(|&fits| fits).count();
    list.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompts(history: &History) -> Vec<&str> {
        history.prompts.iter().map(|p| &**p).collect()
    }

    #[test]
    fn what_comes_again_moves_to_the_front() {
        let mut history = History::default();
        for text in ["a", "b", "a", " ", "c", "c"] {
            history.add(Addition::Prompt(text.into()));
        }
        assert_eq!(prompts(&history), ["c", "a", "b"]);
        assert!(!history.add(Addition::Prompt("c".into())) && history.add(Addition::Prompt("b".into())));
        let mut grammar = |name: &str, text: &str| {
            history.add(Addition::Grammar(Arc::new(GrammarSource::lark(name, text))));
        };
        grammar("x", "start: a");
        grammar("y", "start: b");
        grammar("z", "start: a");
        let names: Vec<&str> = history.grammars.iter().map(|g| g.name.as_str()).collect();
        assert_eq!(names, ["z", "y"]);
    }

    #[test]
    fn lists_are_bounded_by_length_and_bytes() {
        let mut history = History::default();
        for i in 0..600 {
            history.add(Addition::Prompt(i.to_string().into()));
        }
        assert_eq!((history.prompts.len(), &*history.prompts[0]), (MOST_PROMPTS, "599"));
        for i in 0..9 {
            history.add(Addition::Prompt(i.to_string().repeat(MOST_TEXT).into()));
        }
        assert_eq!(history.prompts.len(), MOST_BYTES / MOST_TEXT);
        assert!(!history.add(Addition::Prompt("x".repeat(MOST_TEXT + 1).into())));
        history.add(Addition::Prompt("y".into()));
        assert_eq!((history.prompts.len(), &*history.prompts[0]), (8, "y"));
    }

    #[test]
    fn an_older_history_goes_below() {
        let list = |texts: &[&str]| History {
            prompts: texts.iter().map(|t| Arc::from(*t)).collect(),
            ..History::default()
        };
        let mut history = list(&["d", "b"]);
        history.append(list(&["c", "b", "a"]));
        assert_eq!(prompts(&history), ["d", "b", "c", "a"]);
    }
}
