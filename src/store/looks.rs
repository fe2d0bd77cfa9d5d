//! How the person likes the screen, in every session.

use serde::{Deserialize, Serialize};

/// What was chosen in the program. What is `None` was not, and is as the settings have it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Looks {
    /// The theme's name.
    pub theme: Option<String>,
    /// Whether the program takes the mouse.
    pub mouse: Option<bool>,
    /// The sizes of the panes and which are hidden, in the layout's own words.
    pub layout: serde_json::Value,
    /// How the output is tinted, by the name of the look.
    pub tint: Option<String>,
    /// Whether the graphs are shown.
    pub graphs: Option<bool>,
    /// Whether the hints for the first minutes have been seen.
    pub tour_seen: bool,
}
