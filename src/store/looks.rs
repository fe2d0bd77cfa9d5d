//! How the person likes the screen, in every session.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What was chosen in the program. What is empty was not, and is as the settings have it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Looks {
    /// The theme's name.
    pub theme: Option<String>,
    /// Whether the program takes the mouse.
    pub mouse: Option<bool>,
    /// The sizes of the panes and which are hidden, in the layout's own words.
    pub layout: Value,
    /// What the output shows of its tokens.
    pub look: Value,
    /// What the graphs show.
    pub graphs: Value,
    /// The commands that were picked in the palette, by their names, the last first.
    pub used: Vec<String>,
    /// How far somebody has come in the hints for the first minutes.
    pub tour: Value,
    /// Grammar files that were opened or saved, the last first.
    pub recents: Vec<String>,
}
