//! What of a JSON Schema is meant: JSON pointers in place of the rules that other grammars have.
//!
//! llguidance makes the rules of a schema up, and a terminal of it may serve many properties. Which
//! one is meant follows from the rules that are open around it.

use std::sync::Arc;

use super::Shadow;
use super::answer::Front;
use super::chart::{Item, Row};
use super::place::{Crumb, Spot, Terminal};

/// The most uses of one terminal that are followed outwards.
const MAX_USES: usize = 64;

/// Of more terminals in one place nobody reads where they stand.
pub(super) const MAX_TERMINALS: usize = 200;

impl Shadow {
    /// `terminal`, which is `symbol` and may come in `row`, with its place in the schema.
    pub(super) fn in_schema(
        &self,
        front: &Front,
        row: &Row,
        symbol: u32,
        terminal: &Arc<Terminal>,
    ) -> Arc<Terminal> {
        let rules = &self.shared.rules;
        let uses = row.terminals().map(|index| row.item(index));
        let mut uses = uses.filter(|item| rules.after(item.dot) == symbol).take(MAX_USES + 1);
        let mut found: Option<(String, Spot)> = None;
        let is_certain = uses.by_ref().take(MAX_USES).all(|item| {
            let pointer = self.pointer(&self.outwards(front, item));
            let is_same = found.is_none() || found == pointer;
            found = pointer;
            is_same && found.is_some()
        });
        // One terminal may serve several properties at once.
        let found = found.filter(|_| is_certain && uses.next().is_none());
        match found {
            Some((pointer, spot)) => {
                Arc::new(Terminal { pointer: Some(pointer), spot: Some(spot), ..Terminal::clone(terminal) })
            }
            None => Arc::clone(terminal),
        }
    }

    /// `crumb`, which is the first of `items`, the others around it, with its place in the schema.
    pub(super) fn crumb_in_schema(&self, items: &[Item], crumb: Crumb) -> Crumb {
        match self.pointer(items) {
            Some((pointer, spot)) => Crumb { pointer: Some(pointer), definition: Some(spot), ..crumb },
            None => crumb,
        }
    }

    /// What open items mean, the innermost first.
    fn pointer(&self, items: &[Item]) -> Option<(String, Spot)> {
        let rules = &self.shared.rules;
        let symbols = items.iter().rev().map(|item| &rules.symbols[rules.lhs(item.dot) as usize]);
        self.shared.names.pointer(symbols)
    }

    /// An item and those around it, also in the row that is not yet one of the chart.
    fn outwards(&self, front: &Front, item: Item) -> Vec<Item> {
        let rules = &self.shared.rules;
        let mut items = vec![item];
        let mut item = item;
        // What begins in the row after the lexeme under way has been predicted there.
        while self.row(item.origin).is_none() && items.len() < 1 << 10 {
            let Some(row) = &front.after else { break };
            let mut parent = None;
            row.waiting(rules.lhs(item.dot), rules, |index| {
                parent.get_or_insert(row.item(index));
            });
            let Some(parent) = parent else { break };
            items.push(parent);
            item = parent;
        }
        let around = self.ancestors(item).into_iter();
        items.extend(around.filter_map(|(row, index)| Some(self.row(row)?.item(index))));
        items
    }
}
