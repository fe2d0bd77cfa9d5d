//! Selecting text with the mouse: what a drag goes on from.

use super::state::Pane;
use crate::ui::wrap::Place;

/// The drag that the latest click in a text began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marking {
    /// The pane that the button was pressed in and is held since.
    pub held: Option<Pane>,
    /// What that click selected: a place, a word, or a line. A drag selects from there.
    pub from: (Place, Place),
    /// What the drag selects by.
    pub unit: Unit,
}

/// What a selection with the mouse goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// After one click.
    #[default]
    Character,
    /// After two.
    Word,
    /// After three.
    Line,
}

impl Unit {
    /// What the `count`th click in a row is for.
    pub fn of(count: u8) -> Self {
        match count % 3 {
            1 => Self::Character,
            2 => Self::Word,
            _ => Self::Line,
        }
    }
}
