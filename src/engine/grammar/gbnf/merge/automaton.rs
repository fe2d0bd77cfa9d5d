//! A terminal as an automaton with one state for each of its characters (Glushkov).

use super::super::chars::{Alphabet, Pieces, add, overlap};
use super::super::{CharSet, Expr, ExprId, Grammar};
use super::Key;

/// An automaton with more edges is not worth the time.
const MAX_EDGES: usize = 65_536;

/// The characters of a terminal, in the order in which they are written.
#[derive(Default)]
pub(super) struct Automaton {
    /// What each of them can be.
    pieces: Vec<Pieces>,
    /// Those that a text can begin with.
    first: Vec<usize>,
    /// What those can be.
    first_chars: Pieces,
    long: bool,
    /// Whether a text can end with it.
    last: Vec<bool>,
    /// Those that can come after it.
    next: Vec<Vec<usize>>,
    edges: usize,
}

/// A part of an automaton: its beginnings, its ends, and whether it can be left out.
struct Part {
    first: Vec<usize>,
    last: Vec<usize>,
    nullable: bool,
}

impl Automaton {
    /// Whether it is a token, which has no characters.
    pub fn is_token(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether it has a text of more than one character.
    pub fn is_long(&self) -> bool {
        self.long
    }

    /// The automaton of a terminal. A token has no characters. `None` if it is too large.
    pub fn of(grammar: &Grammar<'_>, key: Key, alphabet: &Alphabet) -> Option<Self> {
        let mut new = Self::default();
        let part = match key {
            Key::Token(_) => return Some(new),
            Key::Char(c) => new.state(alphabet.pieces(&CharSet::one(c))),
            Key::Rule(rule) => new.part(grammar, grammar.rules[rule].body, alphabet)?,
            Key::Set(expr) | Key::Expr(expr) => new.part(grammar, expr, alphabet)?,
        };
        new.first = part.first;
        new.last = vec![false; new.pieces.len()];
        part.last.into_iter().for_each(|state| new.last[state] = true);
        new.first_chars = alphabet.none();
        for &state in &new.first {
            add(&mut new.first_chars, &new.pieces[state]);
        }
        new.long = new.next.iter().any(|next| !next.is_empty());
        Some(new)
    }

    /// What its texts can begin with. Empty for a token.
    pub fn first_chars(&self) -> &Pieces {
        &self.first_chars
    }

    fn state(&mut self, pieces: Pieces) -> Part {
        self.pieces.push(pieces);
        self.next.push(Vec::new());
        let state = self.pieces.len() - 1;
        Part { first: vec![state], last: vec![state], nullable: false }
    }

    fn part(&mut self, grammar: &Grammar<'_>, expr: ExprId, alphabet: &Alphabet) -> Option<Part> {
        Some(match &grammar.exprs[expr] {
            Expr::Set(set) => self.state(alphabet.pieces(set)),
            Expr::Rule(rule) => self.part(grammar, grammar.rules[*rule].body, alphabet)?,
            Expr::Literal(chars) => {
                let mut whole = Part { first: Vec::new(), last: Vec::new(), nullable: true };
                for &c in chars {
                    let part = self.state(alphabet.pieces(&CharSet::one(c)));
                    self.append(&mut whole, part)?;
                }
                whole
            }
            Expr::Seq(parts) => {
                let mut whole = Part { first: Vec::new(), last: Vec::new(), nullable: true };
                for &part in parts {
                    let part = self.part(grammar, part, alphabet)?;
                    self.append(&mut whole, part)?;
                }
                whole
            }
            Expr::Alt(parts) => {
                let mut whole = Part { first: Vec::new(), last: Vec::new(), nullable: false };
                for &part in parts {
                    let part = self.part(grammar, part, alphabet)?;
                    whole.first.extend(part.first);
                    whole.last.extend(part.last);
                    whole.nullable |= part.nullable;
                }
                whole
            }
            Expr::Repeat(_, _, Some(0)) => Part { first: Vec::new(), last: Vec::new(), nullable: true },
            Expr::Repeat(part, min, max) => {
                let mut part = self.part(grammar, *part, alphabet)?;
                if *max != Some(1) {
                    self.connect(&part.last, &part.first)?;
                }
                part.nullable |= *min == 0;
                part
            }
            Expr::Name(..) | Expr::Token { .. } | Expr::TokenId { .. } => return None,
        })
    }

    fn append(&mut self, whole: &mut Part, part: Part) -> Option<()> {
        self.connect(&whole.last, &part.first)?;
        if whole.nullable {
            whole.first.extend(&part.first);
        }
        if !part.nullable {
            whole.last.clear();
        }
        whole.last.extend(part.last);
        whole.nullable &= part.nullable;
        Some(())
    }

    fn connect(&mut self, from: &[usize], to: &[usize]) -> Option<()> {
        self.edges += from.len() * to.len();
        from.iter().for_each(|&state| self.next[state].extend(to));
        (self.edges <= MAX_EDGES).then_some(())
    }

    /// Whether a text of this is the beginning of a text of `long` in which a character of `follow`
    /// comes next. `None` if the fuel is spent.
    pub fn clashes(&self, follow: &Pieces, long: &Self, fuel: &mut usize) -> Option<bool> {
        self.together(long, fuel, |own, other| {
            self.last[own] && long.next[other].iter().any(|&n| overlap(follow, &long.pieces[n]))
        })
    }

    /// Whether the two have a text in common. `None` if the fuel is spent.
    pub fn meets(&self, other: &Self, fuel: &mut usize) -> Option<bool> {
        self.together(other, fuel, |a, b| self.last[a] && other.last[b])
    }

    /// Whether some text leads to states of the two for which `wanted` holds.
    fn together(
        &self,
        other: &Self,
        fuel: &mut usize,
        wanted: impl Fn(usize, usize) -> bool,
    ) -> Option<bool> {
        *fuel = fuel.checked_sub(1)?;
        if !overlap(&self.first_chars, &other.first_chars) {
            return Some(false);
        }
        // For each state of the other, the states of this that some text leads to together with it.
        let mut seen = vec![Vec::new(); other.pieces.len()];
        let mut open: Vec<(usize, usize)> = Vec::new();
        let mut enter = |pairs: &mut Vec<(usize, usize)>, own: &[usize], others: &[usize]| {
            *fuel = fuel.checked_sub(own.len() * others.len() + 4)?;
            for &a in own {
                for &b in others {
                    if overlap(&self.pieces[a], &other.pieces[b]) && !seen[b].contains(&a) {
                        seen[b].push(a);
                        pairs.push((a, b));
                    }
                }
            }
            Some(())
        };
        enter(&mut open, &self.first, &other.first)?;
        while let Some((a, b)) = open.pop() {
            if wanted(a, b) {
                return Some(true);
            }
            enter(&mut open, &self.next[a], &other.next[b])?;
        }
        Some(false)
    }
}
