//! Walks ahead of a place: along one text, or along all tokens at once.
//!
//! What the grammar has forced is inside of the parser already: a walk goes through those bytes by
//! comparing, and asks the parser only after them. Nothing here knows what a reason is.

use toktrie::{TokTrie, TrieNode};

use crate::engine::constraint::{Ignore, Probe};
use crate::engine::trace::TokenId;

/// How far a text may come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Walk {
    /// So many of its bytes may.
    pub accepted: usize,
    /// The bytes that may come after those.
    pub expected: Vec<u8>,
    /// What `%ignore` has to do with the next of its bytes.
    pub ignore: Ignore,
}

/// The parser behind the bytes that are forced.
struct Ahead<'w, 'a, 'p> {
    probe: &'w mut Probe<'a, 'p>,
    pending: &'w [u8],
    depth: usize,
}

impl Ahead<'_, '_, '_> {
    fn push(&mut self, byte: u8) -> bool {
        let taken = match self.pending.get(self.depth) {
            Some(&forced) => forced == byte && byte != TokTrie::SPECIAL_TOKEN_MARKER,
            None => self.probe.push(byte),
        };
        self.depth += usize::from(taken);
        taken
    }

    /// Goes back to so many bytes after the place.
    fn back_to(&mut self, depth: usize) {
        let asked = |depth: usize| depth.saturating_sub(self.pending.len());
        self.probe.pop(asked(self.depth) - asked(depth));
        self.depth = depth;
    }
}

/// Walks along `text`.
pub(super) fn walk_text(probe: &mut Probe<'_, '_>, pending: &[u8], text: &[u8]) -> Walk {
    let mut ahead = Ahead { probe, pending, depth: 0 };
    let accepted = text.iter().take_while(|&&byte| ahead.push(byte)).count();
    let (expected, ignore) = match pending.get(accepted) {
        Some(&TokTrie::SPECIAL_TOKEN_MARKER) => (Vec::new(), Ignore::No),
        // The parser is further on, so where exactly the byte would stand is not known.
        Some(&forced) => match text.get(accepted).map(|&byte| ahead.probe.ignore(byte)) {
            None | Some(Ignore::No) => (vec![forced], Ignore::No),
            Some(_) => (vec![forced], Ignore::NotHere { between: false, outer: false }),
        },
        None => {
            let ignore = text.get(accepted).map_or(Ignore::No, |&byte| ahead.probe.ignore(byte));
            (ahead.probe.expected(), ignore)
        }
    };
    Walk { accepted, expected, ignore }
}

/// Whether any token of text may come.
pub(super) fn any_token(probe: &mut Probe<'_, '_>, pending: &[u8], trie: &TokTrie) -> bool {
    let mut ahead = Ahead { probe, pending, depth: 0 };
    let mut open = vec![trie.node_children(trie.root())];
    while let Some(children) = open.last_mut() {
        let Some(node) = children.next() else {
            open.pop();
            ahead.back_to(open.len().saturating_sub(1));
            continue;
        };
        if ahead.push(node.byte()) {
            if node.token_id().is_some() {
                return true;
            }
            open.push(trie.node_children(node));
        }
    }
    false
}

/// Is told what becomes of the tokens on a walk along all of them.
pub(super) trait Visit<'t> {
    /// This token may come.
    fn accept(&mut self, token: TokenId);

    /// The tokens at and under `node` share their first `accepted` bytes, of which the next may not
    /// come. `place` is kept for those that are refused after the same bytes.
    fn refuse(&mut self, accepted: usize, node: &'t TrieNode, place: &mut Option<u32>);
}

/// Walks along all tokens of text that begin with the byte of `first`, a child of the root, whose
/// place is `place`.
pub(super) fn walk_tokens<'t>(
    probe: &mut Probe<'_, '_>,
    pending: &[u8],
    trie: &'t TokTrie,
    first: &'t TrieNode,
    place: &mut Option<u32>,
    visit: &mut impl Visit<'t>,
) {
    let mut ahead = Ahead { probe, pending, depth: 0 };
    if !ahead.push(first.byte()) {
        return visit.refuse(0, first, place);
    }
    first.token_id().into_iter().for_each(|token| visit.accept(token));
    let mut open = vec![(trie.node_children(first), None)];
    while let Some((children, place)) = open.last_mut() {
        let Some(node) = children.next() else {
            open.pop();
            ahead.back_to(open.len());
            continue;
        };
        if !ahead.push(node.byte()) {
            visit.refuse(ahead.depth, node, place);
            continue;
        }
        node.token_id().into_iter().for_each(|token| visit.accept(token));
        if node.subtree_size() == 1 {
            ahead.back_to(open.len());
        } else {
            open.push((trie.node_children(node), None));
        }
    }
}

/// Every token at or under a node.
pub(super) fn tokens_under<'t>(trie: &'t TokTrie, node: &'t TrieNode, mut found: impl FnMut(TokenId)) {
    node.token_id().into_iter().for_each(&mut found);
    let mut open = vec![trie.node_children(node)];
    while let Some(children) = open.last_mut() {
        match children.next() {
            Some(node) => {
                node.token_id().into_iter().for_each(&mut found);
                if node.subtree_size() > 1 {
                    open.push(trie.node_children(node));
                }
            }
            None => drop(open.pop()),
        }
    }
}
