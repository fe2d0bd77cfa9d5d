//! Where the characters of a text lead from a state of the lexer, if each leads to the same.
//!
//! It must never say so of characters that it has not followed byte by byte.

use std::ops::RangeInclusive;

use llguidance::derivre::StateID;

use super::question::Question;
use crate::engine::constraint::slices::is_text;
use crate::engine::constraint::within::{Characters, Lexing, Step};

/// The bytes of characters of several bytes, in order: what the first may be, the second, and how many more follow.
const LONGER: [(RangeInclusive<u8>, RangeInclusive<u8>, usize); 8] = [
    (0xC2..=0xDF, 0x80..=0xBF, 0),
    (0xE0..=0xE0, 0xA0..=0xBF, 1),
    (0xE1..=0xEC, 0x80..=0xBF, 1),
    (0xED..=0xED, 0x80..=0x9F, 1),
    (0xEE..=0xEF, 0x80..=0xBF, 1),
    (0xF0..=0xF0, 0x90..=0xBF, 2),
    (0xF1..=0xF3, 0x80..=0xBF, 2),
    (0xF4..=0xF4, 0x80..=0x8F, 2),
];

impl Question<'_> {
    /// Where every character of a text leads.
    pub fn find_character(&mut self, state: StateID) -> Characters<StateID> {
        let mut all = Leads::default();
        self.lead(state, (b' '..=b'~').filter(|&byte| is_text(byte)), &mut all);
        for (first, second, more) in LONGER {
            if all.differ {
                break;
            }
            let mut leads = Leads::default();
            self.lead(state, first, &mut leads);
            for rest in std::iter::once(second).chain(std::iter::repeat_n(0x80..=0xBF, more)) {
                let before = std::mem::take(&mut leads);
                leads = Leads { differ: before.differ, is_dead: before.is_dead, states: Vec::new() };
                for state in before.states {
                    self.lead(state, rest.clone(), &mut leads);
                }
            }
            all.add(leads);
        }
        match (all.differ, all.is_dead, all.states.as_slice()) {
            (false, false, &[next]) => Characters::On(next),
            (false, true, []) => Characters::Dead,
            _ => Characters::Differ,
        }
    }

    /// Where some bytes lead from a state.
    fn lead(&mut self, state: StateID, bytes: impl Iterator<Item = u8>, leads: &mut Leads) {
        let mut before = usize::MAX;
        for byte in bytes {
            // Bytes that no lexeme tells apart mostly come together.
            let class = self.known.lexer.alpha().map_state(state, byte);
            if class == std::mem::replace(&mut before, class) {
                continue;
            }
            match self.step(state, byte) {
                Step::On(next) => leads.reach(next),
                Step::Dead => leads.is_dead = true,
                Step::Ends(_) | Step::Closes(_) => leads.differ = true,
            }
            // All have to lead to the same state in the end, and ways through different ones are not followed up.
            leads.differ |= leads.states.len() > 3;
            if leads.differ {
                return;
            }
        }
    }
}

/// Where bytes lead.
#[derive(Default)]
struct Leads {
    states: Vec<StateID>,
    is_dead: bool,
    /// Where a lexeme ends, or there are too many states.
    differ: bool,
}

impl Leads {
    fn add(&mut self, other: Self) {
        self.differ |= other.differ;
        self.is_dead |= other.is_dead;
        other.states.into_iter().for_each(|state| self.reach(state));
    }

    fn reach(&mut self, state: StateID) {
        if !self.states.contains(&state) {
            self.states.push(state);
        }
    }
}
