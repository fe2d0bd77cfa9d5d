//! How a text could end soonest.
//!
//! From the open rules follows how much is missing at least. A text of that length is spelled out
//! and read by the parser itself; where two of its terminals would read as one, something that is
//! ignored comes between, and if that does not help, other texts are tried, the most promising
//! first. So a text that is given is always one that completes, and its length is exact whenever it
//! is the least.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet};

use serde::Serialize;

use super::Shadow;
use super::answer::Front;
use super::chart::Item;
use super::lexer::{Lexer, Step};
use super::rules::{NONE, Rules};
use super::yields::{NOT_CUT, Yields};

/// How many beginnings are tried before the search gives up.
const MAX_TRIED: usize = 400;

/// The longest completion that is spelled out, in bytes.
const MAX_SPELLED: u32 = 1 << 16;

/// How a text could end soonest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NearestEnd {
    /// It may end as it is.
    Here,
    /// These bytes complete it.
    Text {
        /// The bytes, printable where there is a choice.
        bytes: Vec<u8>,
        /// No fewer bytes than these can complete it.
        at_least: usize,
    },
    /// It needs a token that stands for itself, which no byte spells.
    NeedsToken {
        /// The token, as the grammar names it.
        token: String,
    },
    /// Nothing can complete it. This is proven: no bound was hit on the way to it.
    Never,
    /// A completion was not found within bounds.
    Unknown {
        /// No fewer bytes than these can complete it.
        at_least: usize,
    },
}

/// What is missing at least.
struct Plan {
    /// What ends the lexeme under way.
    first: Vec<u8>,
    /// The lexemes after it.
    lexemes: Vec<u32>,
}

/// A row, and a symbol that begins there with its argument, 0 where arguments are not told apart: what waits
/// for it is to be completed next.
type Wait = (u32, u32, u64);

/// What waits for the rule that `item` is in.
fn wait(rules: &Rules, item: &Item) -> Wait {
    (item.origin, rules.lhs(item.dot), if rules.is_exact { item.parameter } else { 0 })
}

impl Shadow {
    /// How the text could end soonest. Takes well under a millisecond unless terminals that read as
    /// one make a search necessary, which is bounded.
    pub fn nearest_end(&self) -> NearestEnd {
        if self.may_end() {
            return NearestEnd::Here;
        }
        let Ways { way, cut, .. } = self.ways();
        let at_least = way.as_ref().map_or(u32::MAX, |way| way.length).min(cut) as usize;
        let plan = match way {
            None if self.is_endless() => return NearestEnd::Never,
            // Only arguments that llguidance does not mind, either, stand in the way.
            None if cut == NOT_CUT => return NearestEnd::Unknown { at_least: 1 },
            Some(way) if way.length <= MAX_SPELLED => self.plan(way),
            _ => return NearestEnd::Unknown { at_least },
        };
        if let Some(&special) = plan.lexemes.iter().find(|&&l| self.shared.lexer().is_special(l)) {
            let description = self.shared.lexer().description(special);
            let token = description.split_once("] ").map_or(&*description, |(_, rest)| rest);
            return NearestEnd::NeedsToken { token: token.split(' ').next().unwrap_or(token).to_owned() };
        }
        let spelled = self.spelled(&plan, false).or_else(|| self.spelled(&plan, true));
        match spelled.or_else(|| self.searched()) {
            Some(bytes) => NearestEnd::Text { bytes, at_least },
            None => NearestEnd::Unknown { at_least },
        }
    }

    /// Whether nothing at all can complete the text. Where a bound was hit, which may have hidden a
    /// completion, this is not said.
    pub fn is_endless(&self) -> bool {
        if self.limit.is_some() || self.may_end() {
            return false;
        }
        let mut ways = self.ways();
        if ways.way.is_none() && !self.shared.rules.is_exact && self.shared.rules.is_parametric() {
            // llguidance minds arguments less than the rules do: what they forbid may come all the same.
            ways = self.ways_among(&mut self.shared.lexer(), &mut Yields::loose());
        }
        ways.way.is_none() && ways.cut == NOT_CUT
    }

    /// The least that completes the text, two lexemes side by side not minded.
    fn plan(&self, way: WayOut) -> Plan {
        let yields = &*self.shared.yields();
        let WayOut { start, rests, .. } = way;
        let rules = &self.shared.rules;
        let mut lexemes = Vec::new();
        yields.spell(rules, start.dot, start.parameter, &mut lexemes);
        rests.iter().rev().for_each(|&(dot, parameter)| yields.spell(rules, dot, parameter, &mut lexemes));
        Plan { first: start.first, lexemes }
    }

    /// The ways out of all open rules.
    fn ways(&self) -> Ways {
        self.ways_among(&mut self.shared.lexer(), &mut self.shared.yields())
    }

    fn ways_among(&self, lexer: &mut Lexer, yields: &mut Yields) -> Ways {
        let front = self.front(lexer);
        let (starts, left_out) = self.starts(&front, lexer, yields);
        let way = self.way_out(starts, lexer, yields);
        let is_bound = self.bound(&front, lexer).is_some();
        let cut = if is_bound { 0 } else { left_out.min(yields.cut) };
        Ways { way, cut, is_slow: is_bound || left_out != NOT_CUT }
    }

    /// The shortest way from one of `starts` out of all open rules.
    fn way_out(&self, starts: Vec<Start>, lexer: &mut Lexer, yields: &mut Yields) -> Option<WayOut> {
        let rules = &self.shared.rules;
        // Dijkstra's way outwards, from rule to waiting rule.
        let mut queue: BinaryHeap<Reverse<(u32, Wait)>> = BinaryHeap::new();
        // How each was reached: the length, and from what, or the start, and the dot after it.
        let mut reached: HashMap<Wait, (u32, Came)> = HashMap::new();
        for (i, start) in starts.iter().enumerate() {
            if reached.get(&start.wait).is_none_or(|r| start.length < r.0) {
                reached.insert(start.wait, (start.length, Came::Start(i)));
                queue.push(Reverse((start.length, start.wait)));
            }
        }
        let end = loop {
            let Reverse((length, wait)) = queue.pop()?;
            if reached.get(&wait).is_some_and(|r| r.0 < length) {
                continue;
            }
            if wait.1 == rules.start {
                break wait;
            }
            let row = self.row(wait.0)?;
            let mut waiting = Vec::new();
            row.waiting(wait.1, rules, |index| waiting.push(row.item(index)));
            for item in waiting.into_iter().filter(|item| !rules.is_exact || rules.wanted(item) == wait.2) {
                let Some(rest) = yields.rest(rules, lexer, item.dot + 1, item.parameter) else { continue };
                let next = self::wait(rules, &item);
                let total = length.saturating_add(rest);
                if reached.get(&next).is_none_or(|r| total < r.0) {
                    reached.insert(next, (total, Came::Wait(wait, item.dot + 1, item.parameter)));
                    queue.push(Reverse((total, next)));
                }
            }
        };
        let mut rests = Vec::new();
        let mut at = end;
        let start = loop {
            match reached.get(&at)?.1 {
                Came::Start(start) => break starts.into_iter().nth(start)?,
                Came::Wait(from, dot, parameter) => {
                    rests.push((dot, parameter));
                    at = from;
                }
            }
        };
        Some(WayOut { length: reached.get(&end)?.0, start, rests })
    }

    /// The ways to go on from here, and the least length of those that were left out.
    fn starts(&self, front: &Front, lexer: &mut Lexer, yields: &mut Yields) -> (Vec<Start>, u32) {
        let rules = &self.shared.rules;
        let (mut found, mut cut) = (Vec::new(), NOT_CUT);
        let Some(row) = self.row(front.stop.row) else { return (found, cut) };
        let mut add = |index: u32, passed: u32, first: &[u8], lexer: &mut Lexer| {
            let item = row.item(index);
            let dot = item.dot + passed;
            if let Some(rest) = yields.rest(rules, lexer, dot, item.parameter) {
                let wait = wait(rules, &item);
                let length = rest.saturating_add(first.len() as u32);
                found.push(Start { wait, length, first: first.to_vec(), dot, parameter: item.parameter });
            }
        };
        let kernel = row.kernel.items.len() as u32;
        // Every open rule; before the first lexeme, the start.
        let open: Vec<u32> = match kernel {
            0 => (0..row.len()).filter(|&i| rules.lhs(row.item(i).dot) == rules.start).collect(),
            _ => (0..kernel).filter(|&i| rules.after(row.item(i).dot) != NONE).collect(),
        };
        if !front.is_pending {
            open.into_iter().for_each(|index| add(index, 0, &[], lexer));
            return (found, cut);
        }
        let mut word = |lexeme: u32, lexer: &mut Lexer| {
            lexer.shortest(front.stop.state, lexeme, true).unwrap_or_else(|left_out| {
                cut = cut.min(left_out.at_least);
                None
            })
        };
        let mut words: HashMap<u32, Option<Vec<u8>>> = HashMap::new();
        for index in row.terminals() {
            let lexeme = rules.lexeme_after(row.item(index).dot);
            let word = match words.entry(lexeme) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(word(lexeme, lexer)),
            };
            if let Some(word) = word {
                add(index, 1, word, lexer);
            }
        }
        // After what is ignored all is as before it: the text may be complete, too.
        let complete = (0..kernel).filter(|&i| row.ends_start(rules, i));
        let open: Vec<u32> = open.into_iter().chain(complete).collect();
        for &skip in row.lexemes.iter().filter(|&&l| rules.is_skip(l)) {
            if let Some(word) = word(skip, lexer) {
                open.iter().for_each(|&index| add(index, 0, &word, lexer));
            }
        }
        (found, cut)
    }

    /// The bytes of a plan, if the parser reads them as a complete text. What is ignored is put
    /// where it must be, or wherever two lexemes could read as one (`apart`).
    fn spelled(&self, plan: &Plan, apart: bool) -> Option<Vec<u8>> {
        let mut shadow = self.fork();
        if shadow.feed(&plan.first) < plan.first.len() {
            return None;
        }
        for &lexeme in &plan.lexemes {
            let word = {
                let lexer = &mut *self.shared.lexer();
                self.shared.yields().word(lexer, lexeme)?.to_vec()
            };
            let before = shadow.text.len();
            if (apart && shadow.would_fuse(&word)) || shadow.feed(&word) < word.len() {
                shadow.truncate(before);
                let space = shadow.space()?;
                if shadow.feed(&space) < space.len() || shadow.feed(&word) < word.len() {
                    return None;
                }
            }
        }
        shadow.may_end().then(|| shadow.text[self.text.len()..].to_vec())
    }

    /// Whether the lexeme under way would go on with `word`.
    fn would_fuse(&self, word: &[u8]) -> bool {
        let stop = self.stop();
        let lexer = &mut *self.shared.lexer();
        self.is_pending(stop)
            && word.first().is_some_and(|&b| !matches!(lexer.step(stop.state, b), Step::Dead))
    }

    /// The shortest text that may be ignored after the lexeme under way.
    fn space(&self) -> Option<Vec<u8>> {
        let lexer = &mut *self.shared.lexer();
        let front = self.front(lexer);
        let row = front.after.as_ref().or_else(|| self.row(front.stop.row))?;
        let skip = row.lexemes.iter().copied().find(|&l| self.shared.rules.is_skip(l))?;
        self.shared.yields().word(lexer, skip).map(<[u8]>::to_vec)
    }

    /// A completion found by trying, the beginnings with the least missing first.
    fn searched(&self) -> Option<Vec<u8>> {
        let from = self.text.len();
        let mut shadow = self.fork();
        // Of those with the same least length, the longest: it is nearer to the end.
        let mut queue: BinaryHeap<(Reverse<u32>, usize, Reverse<usize>)> = BinaryHeap::new();
        let mut tried: Vec<Vec<u8>> = vec![Vec::new()];
        queue.push((Reverse(0), 0, Reverse(0)));
        while let Some((_, _, Reverse(at))) = queue.pop() {
            if tried.len() > MAX_TRIED {
                return None;
            }
            shadow.truncate(from);
            shadow.feed(&tried[at]);
            if shadow.may_end() {
                return Some(tried.swap_remove(at));
            }
            let bytes = shadow.next_bytes();
            let here = shadow.text.len();
            let mut seen = HashSet::new();
            for byte in super::lexer::READABLE.into_iter().filter(|&b| bytes.contains(b)) {
                shadow.truncate(here);
                if !shadow.push(byte) {
                    continue;
                }
                // Bytes that lead to the same place differ in nothing.
                let stop = shadow.stop();
                let open = shadow.row(stop.row).map(|row| row.kernel.items.clone());
                if !seen.insert((stop.state, open)) {
                    continue;
                }
                let found = shadow.ways();
                if found.is_slow {
                    return None;
                }
                if let Some(way) = found.way {
                    let text = shadow.text[from..].to_vec();
                    let length = way.length.saturating_add(text.len() as u32);
                    queue.push((Reverse(length), text.len(), Reverse(tried.len())));
                    tried.push(text);
                }
            }
        }
        None
    }
}

/// What was found out about what is missing.
struct Ways {
    /// The shortest way.
    way: Option<WayOut>,
    /// A text that needs what was left out has no fewer bytes than these, or is [`NOT_CUT`].
    cut: u32,
    /// Whether a bound was hit, which takes long.
    is_slow: bool,
}

/// A way out of all open rules.
struct WayOut {
    length: u32,
    start: Start,
    /// What is left of each rule on the way after the first, as a dot and its rule's parameter, the
    /// outermost first.
    rests: Vec<(u32, u64)>,
}

/// A way to go on.
struct Start {
    wait: Wait,
    length: u32,
    first: Vec<u8>,
    /// Where the open rule goes on.
    dot: u32,
    parameter: u64,
}

/// How a rule was reached.
#[derive(Clone, Copy)]
enum Came {
    Start(usize),
    Wait(Wait, u32, u64),
}
