//! Where the run on the screen stands in its grammar, and how its text was read: what the shadow
//! parser is asked for, and what it answered. It must never decide what may be generated.

use std::ops::Range;
use std::sync::Arc;

use crate::engine::grammar::Compiled;
use crate::engine::shadow::{NearestEnd, Node, Place, Tree};
use crate::engine::trace::{Step, TokenId};
use crate::engine::vocabulary::Vocabulary;

use super::event::RunId;

/// Something to find out about a run. What the run had before is known from the question before.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The run.
    pub run: RunId,
    /// What it follows.
    pub grammar: Arc<Compiled>,
    /// So many of its steps are known already.
    pub from: usize,
    /// The steps after those.
    pub steps: Vec<Arc<Step>>,
    /// The step before which its place is wanted.
    pub at: usize,
    /// The tokens of the run's model.
    pub vocabulary: Arc<Vocabulary>,
    /// The token that is to be explained there.
    pub token: Option<TokenId>,
}

/// What was found out about a run.
#[derive(Clone, Debug)]
pub struct Located {
    /// The run.
    pub run: RunId,
    /// The step before which `place` is.
    pub at: usize,
    /// Where the grammar stood before that step.
    pub place: Place,
    /// How the whole text of the run was read.
    pub reading: Arc<Reading>,
    /// How the text could end soonest from there.
    pub end: NearestEnd,
    /// From which step of the run on nothing can complete its text, if that is so.
    pub endless: Option<usize>,
    /// Why the token that was asked about may come there or not, in sentences.
    pub reason: Option<(TokenId, Vec<String>)>,
}

/// How the text of a run was read. In this text a token that the grammar names counts as its name,
/// which the output does not show.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The parse tree.
    pub tree: Tree,
    /// The text.
    pub text: Vec<u8>,
    /// Where each step ends in it.
    pub ends: Vec<usize>,
}

impl Reading {
    /// The steps that these bytes of the text came from.
    pub fn steps(&self, bytes: &Range<usize>) -> Range<usize> {
        let first = self.ends.partition_point(|&end| end <= bytes.start);
        // The last one is the first that does not end before them.
        let last = self.ends.partition_point(|&end| end < bytes.end);
        first..if bytes.is_empty() { first } else { (last + 1).min(self.ends.len()) }
    }

    /// How many parts of the tree a part is below.
    pub fn depth(&self, node: usize) -> usize {
        let parent = |at: &usize| self.tree.nodes.get(*at).and_then(|node| node.parent);
        std::iter::successors(Some(node), parent).count().saturating_sub(1)
    }

    /// The parts of the tree that the rule or terminal of this name stands for.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.tree.nodes.iter().filter(move |node| &*node.name == name)
    }
}

impl Located {
    /// The innermost part of the tree that the step belongs to.
    pub fn node(&self) -> Option<usize> {
        let Reading { tree, ends, .. } = &*self.reading;
        let last = tree.nodes.first().map_or(0, |root| root.bytes.end).checked_sub(1)?;
        let start = self.at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
        tree.at(start.min(last))
    }

    /// Why a token may come before a step or not, if that was asked.
    pub fn why(&self, at: usize, token: TokenId) -> Option<&[String]> {
        let (of, sentences) = self.reason.as_ref()?;
        ((self.at, *of) == (at, token)).then_some(sentences)
    }
}

/// What was asked for, and what was answered.
#[derive(Clone, Debug, Default)]
pub struct Whereabouts {
    /// The last question: of which run, with how many steps, before which of them, about which token.
    pub asked: Option<(RunId, usize, usize, Option<TokenId>)>,
    /// Whether its answer is still to come.
    pub is_waiting: bool,
    /// The last answer, or why there is none.
    pub answer: Option<Result<Arc<Located>, (RunId, String)>>,
}

impl Whereabouts {
    /// What is known about a run; it may be of the step before.
    pub fn of(&self, run: RunId) -> Option<&Arc<Located>> {
        self.answer.as_ref()?.as_ref().ok().filter(|located| located.run == run)
    }

    /// Why nothing is known about a run, if that was said.
    pub fn reason(&self, run: RunId) -> Option<&str> {
        let (of, reason) = self.answer.as_ref()?.as_ref().err()?;
        (*of == run).then_some(reason)
    }
}
