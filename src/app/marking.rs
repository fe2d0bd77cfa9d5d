//! Selecting text with the mouse: what a drag goes on from.

use super::state::Pane;
use crate::ui::wrap::Place;

/// The clicks so far, and the drag that the last of them began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marking {
    /// How many clicks there were on this cell, one soon after the other.
    pub clicks: usize,
    /// The column and the row of the last.
    pub cell: (u16, u16),
    /// The pane that the button was pressed in and is held since.
    pub held: Option<Pane>,
    /// What that click selected: a place, a word, or a line. A drag selects from there, by as much.
    pub from: (Place, Place),
}

impl Marking {
    /// How much is selected at once.
    pub fn unit(&self) -> Unit {
        match self.clicks % 3 {
            2 => Unit::Word,
            0 if self.clicks > 0 => Unit::Line,
            _ => Unit::Character,
        }
    }
}

/// What a selection with the mouse goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// After one click.
    Character,
    /// After two.
    Word,
    /// After three.
    Line,
}
