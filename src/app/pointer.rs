//! What the mouse is in the middle of: a double click, or moving an edge.

use super::layout::Edge;

/// What is remembered from one event of the mouse to the next.
#[derive(Clone, Debug, Default)]
pub struct Pointer {
    /// The edge that is being moved.
    pub drag: Option<Drag>,
    /// The cell of the latest click and how many there were in a row.
    clicks: Option<(u16, u16, u8)>,
}

/// An edge that is being moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drag {
    /// Which one.
    pub edge: Edge,
    /// How far from its place it was taken: an edge is two cells thick.
    pub grip: (u16, u16),
}

impl Pointer {
    /// Counts a click: the second one in a row on the same cell is 2.
    pub fn click(&mut self, column: u16, row: u16) -> u8 {
        let before = self.clicks.filter(|(c, r, _)| (*c, *r) == (column, row));
        let count = before.map_or(1, |(_, _, count)| count.saturating_add(1));
        self.clicks = Some((column, row, count));
        count
    }

    /// So much time has passed since the latest click that the next is the first again.
    pub fn rest(&mut self) {
        self.clicks = None;
    }
}
