//! What the rules of a Lark text lead to, as far as their tokens tell.
//!
//! It knows as little as it has to: which rules a rule uses, and whether a rule can end. It never
//! decides whether a grammar is valid.

use std::collections::HashMap;

use super::components::components;
use super::scan::{Definition, Kind, Scan, Token, bare};

/// A rule or terminal and what it leads to.
struct Node<'a> {
    definition: Definition<'a>,
    uses: Vec<usize>,
    /// The tokens after its `:`.
    body: &'a [Token],
}

/// The definitions of a text as a graph.
pub(super) struct Shape<'a> {
    scan: &'a Scan<'a>,
    nodes: Vec<Node<'a>>,
    by_name: HashMap<&'a str, usize>,
    /// What `%ignore` uses.
    ignored: Vec<usize>,
}

impl<'a> Shape<'a> {
    /// The shape of a text.
    pub fn of(scan: &'a Scan<'a>) -> Self {
        let definitions = scan.definitions();
        let statements = scan.statements();
        let body_of = |definition: &Definition<'_>| {
            let at = statements.partition_point(|s| s[0].span.start <= definition.span.start);
            let statement: &'a [Token] = at.checked_sub(1).map_or(&[], |i| statements[i]);
            let colon = statement.iter().position(|t| scan.str(t) == ":");
            colon.map_or(&statement[..0], |colon| &statement[colon + 1..])
        };
        let nodes: Vec<Node<'a>> = definitions
            .into_iter()
            .map(|definition| Node { body: body_of(&definition), definition, uses: Vec::new() })
            .collect();
        let by_name: HashMap<&str, usize> =
            nodes.iter().enumerate().map(|(i, n)| (n.definition.name, i)).collect();
        let mut shape = Self { scan, nodes, by_name, ignored: Vec::new() };
        for reference in scan.references() {
            let Some(&used) = shape.by_name.get(reference.name) else { continue };
            // The definition whose body it stands in; `%ignore` has none.
            let user = shape.nodes.partition_point(|n| n.definition.span.start <= reference.span.start);
            let user = user
                .checked_sub(1)
                .filter(|&i| shape.nodes[i].body.last().is_some_and(|t| reference.span.start < t.span.end));
            match user {
                Some(user) => shape.nodes[user].uses.push(used),
                None => shape.ignored.push(used),
            }
        }
        shape
    }

    /// Whether the text defines a rule or terminal of this name.
    pub fn defines(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The definitions that nothing uses on the way from `start` or one of the `entries`.
    pub fn unused(&self, entries: &[&str]) -> impl Iterator<Item = &Definition<'a>> {
        let mut reached = vec![false; self.nodes.len()];
        let starts = entries.iter().chain(&["start"]).filter_map(|name| self.by_name.get(name));
        let mut open: Vec<usize> = starts.chain(&self.ignored).copied().collect();
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut reached[node], true) {
                open.extend(&self.nodes[node].uses);
            }
        }
        self.nodes.iter().zip(reached).filter(|(_, reached)| !reached).map(|(n, _)| &n.definition)
    }

    /// The rules that always need themselves again and so never end, one of each circle, and only
    /// those that are not kept from ending by another.
    pub fn endless(&self) -> Vec<&Definition<'a>> {
        let uses: Vec<Vec<usize>> = self.nodes.iter().map(|n| n.uses.clone()).collect();
        let circles = components(&uses);
        let mut ends = vec![false; self.nodes.len()];
        let mut blamed = Vec::new();
        for circle in circles {
            let mut changed = true;
            while changed {
                changed = false;
                for &node in &circle {
                    if !ends[node] && self.can_end(self.nodes[node].body, &ends) {
                        ends[node] = true;
                        changed = circle.len() > 1;
                    }
                }
            }
            let inside = |n: &usize| circle.contains(n);
            let endless = circle.iter().all(|&n| !ends[n]);
            let others_end = circle.iter().all(|&n| uses[n].iter().all(|u| ends[*u] || inside(u)));
            let is_circle = circle.iter().any(|&n| uses[n].iter().any(inside));
            if endless && others_end && is_circle {
                blamed.extend(circle.iter().min().map(|&n| &self.nodes[n].definition));
            }
        }
        blamed
    }

    /// Whether one of the alternatives that `body` starts with can end, given the rules that can.
    fn can_end(&self, body: &[Token], ends: &[bool]) -> bool {
        let mut at = 0;
        self.alternatives(body, &mut at, ends)
    }

    /// Reads up to the bracket that closes what `at` is in, or to the end.
    fn alternatives(&self, body: &[Token], at: &mut usize, ends: &[bool]) -> bool {
        let (mut any, mut all) = (false, true);
        while let Some(token) = body.get(*at) {
            *at += 1;
            let text = self.scan.str(token);
            let ended = match text {
                "|" => {
                    any |= std::mem::replace(&mut all, true);
                    continue;
                }
                ")" | "]" | "}" => break,
                "(" => self.alternatives(body, at, ends),
                "[" => {
                    self.alternatives(body, at, ends);
                    true
                }
                // The names after these are no parts of the text.
                "->" | "::" | "%if" => {
                    self.skip_argument(body, at);
                    true
                }
                "{" => {
                    self.alternatives(body, at, ends);
                    true
                }
                _ if token.kind == Kind::Rule => self.by_name.get(bare(text)).is_none_or(|&node| ends[node]),
                _ => true,
            };
            all &= self.can_be_left_out(body, *at) || ended;
        }
        any || all
    }

    /// Moves past a label, an argument or a condition.
    fn skip_argument(&self, body: &[Token], at: &mut usize) {
        let is_call = body.get(*at).is_some_and(|t| self.scan.is_call(t));
        *at += 1;
        if is_call && body.get(*at).is_some_and(|t| self.scan.str(t) == "(") {
            *at += 1;
            self.alternatives(body, at, &vec![true; self.nodes.len()]);
        }
    }

    /// Whether what follows says that the thing before it need not be there.
    fn can_be_left_out(&self, body: &[Token], at: usize) -> bool {
        let text = |i: usize| body.get(at + i).map_or("", |t| self.scan.str(t));
        matches!(text(0), "?" | "*") || (matches!(text(0), "{" | "~") && matches!(text(1), "0" | ","))
    }
}
