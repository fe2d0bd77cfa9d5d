//! The bounds of a question about places: whether anybody waits for the answer, and the work that it may be.
//!
//! Every loop that is as long as a grammar, a text or a vocabulary spends from it as it goes, and ends when it is
//! over. What was found by then is not whole: it must never be kept, nor be given as an answer.

/// Work between two looks at whether somebody waits, each about ten nanoseconds or less.
const LOOK: usize = 1 << 14;

/// The bounds of one question.
pub(super) struct Stop<'a> {
    is_cancelled: &'a dyn Fn() -> bool,
    until_look: usize,
    /// Items that rows may still be made of.
    items: usize,
    /// What the lexer may still spend, in derivre's units.
    fuel: u64,
    over: Option<Over>,
}

/// Why a question is over before its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Nobody waits for it any more.
    Cancelled,
    /// It is more work than one may be.
    Spent,
}

impl<'a> Stop<'a> {
    /// For a question of so many items and so much fuel at most. Once it is cancelled it stays so.
    pub fn new(is_cancelled: &'a dyn Fn() -> bool, items: usize, fuel: u64) -> Self {
        Self { is_cancelled, until_look: LOOK, items, fuel, over: None }
    }

    /// Spends `work`; whether the question goes on.
    #[inline]
    pub fn goes_on(&mut self, work: usize) -> bool {
        self.spends(work) || self.look()
    }

    /// Spends `work`, if no [look](Self::look) is due.
    #[inline]
    pub fn spends(&mut self, work: usize) -> bool {
        let is_in_between = self.until_look > work;
        if is_in_between {
            self.until_look -= work;
        }
        is_in_between
    }

    /// Looks whether somebody waits; whether the question goes on.
    #[cold]
    pub fn look(&mut self) -> bool {
        if self.over.is_none() && (self.is_cancelled)() {
            self.over = Some(Over::Cancelled);
        }
        // When it is over each loop is to find out at once.
        self.until_look = if self.over.is_some() { 0 } else { LOOK };
        self.over.is_none()
    }

    /// Spends items of rows; whether the question goes on.
    pub fn takes_items(&mut self, count: usize) -> bool {
        match self.items.checked_sub(count) {
            Some(left) => self.items = left,
            None => self.spent(),
        }
        // An item is a look-up or two.
        self.goes_on(4 * count)
    }

    /// Spends what the lexer did.
    pub fn takes_fuel(&mut self, fuel: u64) {
        self.fuel = self.fuel.saturating_sub(fuel);
        if self.fuel == 0 {
            self.spent();
        }
        // That is milliseconds.
        self.look();
    }

    /// It is more work than it may be.
    pub fn spent(&mut self) {
        self.over = self.over.or(Some(Over::Spent));
        self.until_look = 0;
    }

    /// Why it is over.
    pub fn over(&self) -> Option<Over> {
        self.over
    }
}
