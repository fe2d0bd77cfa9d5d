//! How the person wants the panes: their sizes, which are hidden, whether one has the whole screen.
//!
//! These are wishes: they hold no cells and know no screen, so they outlive any resize and are saved
//! as they are. What becomes of them on a screen is computed in [`ui::layout`](crate::ui::layout).

use serde::{Deserialize, Serialize};

use super::state::Pane;

/// What the person wants of the layout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wishes {
    /// Whether the focused pane has the whole screen.
    pub zoomed: bool,
    /// The panes that are shown only while they have the focus.
    pub hidden: Vec<Pane>,
    /// The sizes where the inspector stands under the output.
    pub medium: Sizes,
    /// The sizes where it stands beside it.
    pub wide: Sizes,
}

impl Wishes {
    /// Whether a pane has a place on the screen without having the focus.
    pub fn shows(&self, pane: Pane) -> bool {
        !self.hidden.contains(&pane)
    }
}

/// Where the person wants the edges between panes; what was never moved stands where it suits the
/// screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sizes {
    /// The columns left of the output.
    pub left: Option<Share>,
    /// The rows of the prompt.
    pub prompt: Option<Share>,
    /// The columns of the inspector, or its rows.
    pub inspector: Option<Share>,
}

impl Sizes {
    /// The size that belongs to an edge.
    pub fn of(&mut self, edge: Edge) -> &mut Option<Share> {
        match edge {
            Edge::Left => &mut self.left,
            Edge::Prompt => &mut self.prompt,
            Edge::Inspector => &mut self.inspector,
        }
    }
}

/// An edge between panes, which can be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Between the grammar and the prompt on the left and the rest.
    Left,
    /// Between the grammar and the prompt.
    Prompt,
    /// Between the inspector and what is above or left of it.
    Inspector,
}

impl Edge {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Left, Self::Prompt, Self::Inspector];
}

/// A part of a length, in ten-thousandths: exact for every terminal, and the same after it has been
/// saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Share(u16);

impl Share {
    const WHOLE: u32 = 10_000;

    /// The share that `part` is of `whole`.
    pub fn new(part: u16, whole: u16) -> Self {
        let (part, whole) = (u32::from(part), u32::from(whole).max(1));
        Self(((part * Self::WHOLE + whole / 2) / whole).min(Self::WHOLE) as u16)
    }

    /// As much of `whole`.
    pub fn of(self, whole: u16) -> u16 {
        let whole = u32::from(whole);
        // A saved number may be any.
        ((u32::from(self.0) * whole + Self::WHOLE / 2) / Self::WHOLE).min(whole) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_gives_back_what_it_was_made_of() {
        for whole in 0..600 {
            for part in 0..=whole {
                assert_eq!(Share::new(part, whole).of(whole), part, "{part} of {whole}");
            }
        }
        assert_eq!(Share::new(30, 80).of(160), 60);
        assert_eq!(Share(u16::MAX).of(80), 80, "a file by others may hold any number");
    }

    #[test]
    fn wishes_survive_being_saved_and_files_of_others() {
        let mut wishes = Wishes { zoomed: true, hidden: vec![Pane::Inspector], ..Wishes::default() };
        *wishes.wide.of(Edge::Left) = Some(Share::new(1, 3));
        let text = serde_json::to_string(&wishes).unwrap();
        assert!(text.contains(r#""hidden":["inspector"]"#), "{text}");
        assert_eq!(serde_json::from_str::<Wishes>(&text).unwrap(), wishes);
        assert_eq!(serde_json::from_str::<Wishes>("{}").unwrap(), Wishes::default());
    }
}
