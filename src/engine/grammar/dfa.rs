//! What a terminal matches, as an automaton over bytes, so that questions about terminals have
//! exact answers: whether two share a text, whether one is a part of the other, which byte can
//! follow which text.
//!
//! An automaton that would be large is none at all; then nothing is known, and nothing may be said.

use std::sync::LazyLock;

use llguidance::api::ParserLimits;
use llguidance::derivre::{RegexAst, StateID};
use llguidance::earley::lexerspec::LexerSpec;

/// The most states. Identifiers and numbers have a handful, a string of at most 200 characters has
/// some hundred.
const MOST_STATES: usize = 1500;

/// What deciding that a terminal matches anything at all may cost.
const FUEL: u64 = 100_000;

/// What all states may cost together.
const FUEL_OF_STATES: u64 = 600_000;

/// The most pairs of states of two automata that are looked at.
const MOST_PAIRS: usize = 20_000;

/// The largest expression that an automaton is made of.
const MOST_NODES: u64 = 30_000;

/// No state: no text that goes on here is matched.
const DEAD: u32 = u32::MAX;

/// Every byte, letters and digits first, then what else can be seen: texts that are shown to people
/// are made of the first ones that fit.
static ORDER: LazyLock<[u8; 256]> = LazyLock::new(|| {
    let mut order: [u8; 256] = std::array::from_fn(|b| b as u8);
    order.sort_by_key(|b| (!b.is_ascii_alphanumeric(), !b.is_ascii_graphic(), *b));
    order
});

/// More pairs of states than are looked at.
struct TooMany;

/// Some bytes.
pub(super) type Bytes = [bool; 256];

/// An automaton. It starts in state 0; every state leads to a match.
pub(super) struct Dfa {
    /// The class of each byte: bytes of a class lead to the same states.
    classes: Box<[u8; 256]>,
    width: usize,
    /// For each state and class the next state.
    next: Vec<u32>,
    accepts: Vec<bool>,
}

impl Dfa {
    /// The automaton of what `ast` matches; `None` if it is too large.
    pub fn of(ast: &RegexAst) -> Option<Self> {
        // A lexer of one terminal: of what makes automata, it alone has bounds for each step.
        let mut spec = LexerSpec::new().ok()?;
        spec.setup_lexeme_class(RegexAst::NoMatch).ok()?;
        let lexeme = spec.add_greedy_lexeme(String::new(), ast.clone(), false, None, usize::MAX).ok()?;
        if spec.cost() > MOST_NODES {
            return None;
        }
        let mut limits = ParserLimits { initial_lexer_fuel: FUEL, ..ParserLimits::default() };
        let mut regex = spec.to_regex_vec(&mut limits).ok()?;
        let most = regex.total_fuel_spent() + FUEL_OF_STATES;
        let mut only = spec.alloc_lexeme_set();
        only.add(lexeme);
        let mut classes = Box::new([0_u8; 256]);
        let mut first_of: Vec<u8> = Vec::new();
        let mut seen = vec![None; regex.alpha().len().max(1)];
        for byte in 0..=255_u8 {
            let symbol = regex.alpha().map(byte);
            let class = *seen[symbol].get_or_insert_with(|| {
                first_of.push(byte);
                first_of.len() - 1
            });
            classes[usize::from(byte)] = class as u8;
        }
        let width = first_of.len();
        let start = regex.initial_state(&only);
        let mut states: Vec<StateID> = Vec::new();
        let mut numbers = std::collections::HashMap::new();
        let (mut next, mut accepts) = (Vec::new(), Vec::new());
        if !start.is_dead() {
            states.push(start);
            numbers.insert(start.as_u32(), 0_u32);
        }
        let mut at = 0;
        while let Some(&state) = states.get(at) {
            accepts.push(regex.state_desc(state).greedy_accepting.is_some());
            for &byte in &first_of {
                regex.set_fuel(most.saturating_sub(regex.total_fuel_spent()));
                let to = regex.transition(state, byte);
                next.push(if to.is_dead() {
                    DEAD
                } else {
                    *numbers.entry(to.as_u32()).or_insert_with(|| {
                        states.push(to);
                        states.len() as u32 - 1
                    })
                });
            }
            if states.len() > MOST_STATES || regex.has_error() {
                return None;
            }
            at += 1;
        }
        let mut dfa = Self { classes, width, next, accepts };
        dfa.prune();
        Some(dfa)
    }

    /// The automaton that matches nothing.
    pub fn nothing() -> Self {
        Self { classes: Box::new([0; 256]), width: 1, next: Vec::new(), accepts: Vec::new() }
    }

    /// Takes away what leads to no match.
    fn prune(&mut self) {
        let count = self.accepts.len();
        let mut before: Vec<Vec<u32>> = vec![Vec::new(); count];
        for (i, &to) in self.next.iter().enumerate().filter(|(_, to)| **to != DEAD) {
            before[to as usize].push((i / self.width) as u32);
        }
        let mut live = self.accepts.clone();
        let mut open: Vec<usize> = (0..count).filter(|&s| live[s]).collect();
        while let Some(state) = open.pop() {
            for &from in &before[state] {
                if !std::mem::replace(&mut live[from as usize], true) {
                    open.push(from as usize);
                }
            }
        }
        if live.first() == Some(&false) {
            (self.next, self.accepts) = (Vec::new(), Vec::new());
            return;
        }
        self.next.iter_mut().filter(|to| **to != DEAD && !live[**to as usize]).for_each(|to| *to = DEAD);
    }

    fn step(&self, state: u32, byte: u8) -> u32 {
        let class = usize::from(self.classes[usize::from(byte)]);
        self.next.get(state as usize * self.width + class).copied().unwrap_or(DEAD)
    }

    /// Whether nothing is matched.
    pub fn is_empty(&self) -> bool {
        self.accepts.is_empty()
    }

    /// Whether the empty text is matched.
    pub fn takes_empty(&self) -> bool {
        self.accepts.first() == Some(&true)
    }

    /// The bytes that a match can begin with.
    pub fn first(&self) -> Bytes {
        std::array::from_fn(|b| self.step(0, b as u8) != DEAD)
    }

    /// Whether a text is matched.
    pub fn takes(&self, text: &[u8]) -> bool {
        self.after(text).is_some_and(|state| self.accepts[state as usize])
    }

    /// Whether a longer match can begin with a text.
    pub fn goes_on_after(&self, text: &[u8]) -> bool {
        self.after(text).is_some()
    }

    fn after(&self, text: &[u8]) -> Option<u32> {
        let start = if self.is_empty() { DEAD } else { 0 };
        let state =
            text.iter().fold(start, |state, &b| if state == DEAD { DEAD } else { self.step(state, b) });
        (state != DEAD).then_some(state)
    }

    /// The bytes that, after any whole match, are the beginning of a longer one: nothing that
    /// begins with them can ever follow a match.
    pub fn swallows(&self) -> Bytes {
        let ends: Vec<u32> = (0..self.accepts.len() as u32).filter(|&s| self.accepts[s as usize]).collect();
        let mut reached = vec![false; self.accepts.len()];
        let mut open = if self.is_empty() { Vec::new() } else { vec![0] };
        while let Some(state) = open.pop() {
            if !std::mem::replace(&mut reached[state as usize], true) {
                let row = state as usize * self.width;
                open.extend(self.next[row..row + self.width].iter().filter(|to| **to != DEAD));
            }
        }
        std::array::from_fn(|b| {
            let ends = ends.iter().filter(|&&s| reached[s as usize]);
            !self.is_empty() && ends.clone().all(|&s| self.step(s, b as u8) != DEAD)
        })
    }

    /// Whether no match is the beginning of another one: then it does not matter whether the
    /// shortest or the longest is taken.
    pub fn has_one_end(&self) -> bool {
        let row = |s: usize| &self.next[s * self.width..(s + 1) * self.width];
        (0..self.accepts.len()).all(|s| !self.accepts[s] || row(s).iter().all(|to| *to == DEAD))
    }

    /// Whether there are matches of any length.
    pub fn is_endless(&self) -> bool {
        // Every state leads to a match, so every circle can be gone through again and again.
        let edges: Vec<Vec<usize>> = (0..self.accepts.len())
            .map(|s| {
                let row = &self.next[s * self.width..(s + 1) * self.width];
                row.iter().filter(|to| **to != DEAD).map(|to| *to as usize).collect()
            })
            .collect();
        let mut reached = vec![false; edges.len()];
        let mut open = if self.is_empty() { Vec::new() } else { vec![0] };
        while let Some(state) = open.pop() {
            if !std::mem::replace(&mut reached[state], true) {
                open.extend(&edges[state]);
            }
        }
        let circles = super::components::components(&edges);
        circles.iter().any(|c| reached[c[0]] && (c.len() > 1 || edges[c[0]].contains(&c[0])))
    }

    /// The shortest text that both are known to match, letters and digits before other bytes.
    pub fn common(&self, other: &Self) -> Option<Vec<u8>> {
        self.search(other, |a, b| a && b, true).ok().flatten()
    }

    /// Whether it is not known that no text is matched by both.
    pub fn may_share(&self, other: &Self) -> bool {
        !matches!(self.search(other, |a, b| a && b, true), Ok(None))
    }

    /// Whether `other` is known to match all that this does.
    pub fn is_within(&self, other: &Self) -> bool {
        matches!(self.search(other, |a, b| a && !b, false), Ok(None))
    }

    /// The shortest text about which `wanted` says yes of whether this and `other` match it. With
    /// `both`, only texts that both can go on from are looked at. An error if there are too many.
    fn search(
        &self,
        other: &Self,
        wanted: impl Fn(bool, bool) -> bool,
        both: bool,
    ) -> Result<Option<Vec<u8>>, TooMany> {
        // Of bytes that are the same to both, one.
        let mut kinds = vec![false; self.width * other.width];
        let is_new = |b: &&u8| {
            let kind = usize::from(self.classes[usize::from(**b)]) * other.width
                + usize::from(other.classes[usize::from(**b)]);
            !std::mem::replace(&mut kinds[kind], true)
        };
        let order: Vec<u8> = ORDER.iter().filter(is_new).copied().collect();
        let accepts = |dfa: &Self, s: u32| s != DEAD && dfa.accepts.get(s as usize) == Some(&true);
        let start = (if self.is_empty() { DEAD } else { 0 }, if other.is_empty() { DEAD } else { 0 });
        let mut seen = std::collections::HashMap::from([(start, None)]);
        let mut open = std::collections::VecDeque::from([start]);
        while let Some(pair @ (a, b)) = open.pop_front() {
            if wanted(accepts(self, a), accepts(other, b)) {
                let mut text = Vec::new();
                let mut at = pair;
                while let Some(Some((from, byte))) = seen.get(&at) {
                    text.push(*byte);
                    at = *from;
                }
                text.reverse();
                return Ok(Some(text));
            }
            if seen.len() > MOST_PAIRS {
                return Err(TooMany);
            }
            for &byte in &order {
                let go = |dfa: &Self, s: u32| if s == DEAD { DEAD } else { dfa.step(s, byte) };
                let to = (go(self, a), go(other, b));
                if to.0 == DEAD || (both && to.1 == DEAD) {
                    continue;
                }
                seen.entry(to).or_insert_with(|| {
                    open.push_back(to);
                    Some((pair, byte))
                });
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dfa(pattern: &str) -> Dfa {
        Dfa::of(&RegexAst::Regex(pattern.into())).unwrap()
    }

    fn bytes(set: &Bytes) -> String {
        (0..128_u8).filter(|&b| set[usize::from(b)]).map(char::from).collect()
    }

    #[test]
    fn automata_take_what_the_regex_matches() {
        let pattern = "(if|[a-c]+[0-9]{2,3})x?";
        let regex = regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
        let own = dfa(pattern);
        for text in ["", "if", "i", "ifx", "a1", "a12", "abc123x", "abc1234", "c99xx", "d12"] {
            assert_eq!(own.takes(text.as_bytes()), regex.is_match(text), "{text}");
        }
        assert!(own.goes_on_after(b"i") && own.goes_on_after(b"if") && !own.goes_on_after(b"ig"));
        assert_eq!(bytes(&own.first()), "abci");
    }

    #[test]
    fn what_swallows_is_known_exactly() {
        assert_eq!(bytes(&dfa("[a-c]+").swallows()), "abc");
        // A `b` can follow `a` and `ab` alike, but after `b` itself it can not.
        assert_eq!(bytes(&dfa("ab?").swallows()), "");
        assert_eq!(bytes(&dfa("\"[ab]*").swallows()), "ab");
        assert!(dfa(".+").swallows()[usize::from(b';')] && !dfa(".+").swallows()[usize::from(b'\n')]);
        assert_eq!(bytes(&dfa("a").swallows()), "");
        assert!(dfa("\"[^\"]*\"").has_one_end() && !dfa("\".*\"").has_one_end() && !dfa("a*").has_one_end());
    }

    #[test]
    fn common_texts_and_parts_are_found() {
        let name = dfa("[a-z]+");
        assert_eq!(name.common(&dfa("(?i)if")), Some(b"if".to_vec()));
        assert_eq!(name.common(&dfa("[0-9]+")), None);
        assert!(dfa("if|else").is_within(&name) && !name.is_within(&dfa("if|else")));
        assert!(dfa("\\n").is_within(&dfa("\\s+")) && !dfa("\\n|x").is_within(&dfa("\\s+")));
        assert_eq!(dfa("[ -z]{3}").common(&dfa(".+")), Some(b"000".to_vec()));
        assert!(name.is_endless() && !dfa("[a-z]{1,9}").is_endless() && !dfa("").is_endless());
        let and = RegexAst::And(vec![RegexAst::Regex("a".into()), RegexAst::Regex("b+".into())]);
        let none = Dfa::of(&and).unwrap();
        assert!(none.is_empty() && none.is_within(&name) && none.common(&name).is_none());
        assert!(!none.is_endless() && bytes(&none.swallows()).is_empty() && !none.takes(b""));
    }

    #[test]
    fn what_takes_long_to_see_is_none() {
        // Nothing, as whoever looks at each of the last 24 letters sees.
        let first = RegexAst::Regex("[ab]*aa[ab]{23}c".into());
        let rest = RegexAst::Not(Box::new(RegexAst::Regex("[ab]*a[ab]{24}c".into())));
        let hard = RegexAst::And(vec![first, rest]);
        assert!(Dfa::of(&hard).is_none());
        // Known not to be nothing at once, then not.
        assert!(Dfa::of(&RegexAst::Or(vec![RegexAst::Regex("x".into()), hard])).is_none());
    }

    #[test]
    fn what_is_too_much_to_compare_is_not_said() {
        let (a, b) = (dfa("(a{997})*"), dfa("(a{991})*b"));
        assert!(a.common(&b).is_none() && a.may_share(&b) && !a.is_within(&b));
        assert!(a.is_within(&dfa("a*")) && !a.may_share(&dfa("b+")));
    }

    #[test]
    fn what_is_large_is_none() {
        assert!(Dfa::of(&RegexAst::Regex("[ab]*a[ab]{13}".into())).is_none());
        assert!(Dfa::of(&RegexAst::Regex("a{1,2000}".into())).is_none());
        assert!(Dfa::of(&RegexAst::Regex("a{1,600}".into())).is_some());
    }
}
