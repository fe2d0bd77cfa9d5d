//! Themes of the person's own: files for Sublime Text or TextMate, written by anybody.
//!
//! A file that is no theme is refused with a reason. One that is gets a foreground and a background
//! that can be read, whatever it leaves out; rules that make no sense are left out by syntect.

use std::io::Cursor;

use syntect::highlighting::{self, Color, ThemeSet};

use super::derived::{over, readable};

/// The largest file that is taken for a theme.
pub const MAX_BYTES: usize = 1 << 20;

/// The deepest nesting: a theme has five levels, and the parser recurses.
const MAX_DEPTH: usize = 32;

/// A theme file, read.
#[derive(Debug)]
pub struct OwnTheme {
    name: String,
    code: highlighting::Theme,
}

impl OwnTheme {
    /// Reads the text of a theme file.
    ///
    /// # Errors
    /// If it is no theme: what is wrong.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_BYTES {
            return Err(format!("it has more than {} KiB, which is no theme", MAX_BYTES / 1024));
        }
        let text =
            str::from_utf8(bytes).map_err(|e| format!("it is not UTF-8 text (byte {})", e.valid_up_to()))?;
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if !text.starts_with('<') {
            return Err("it is no XML property list, as a .tmTheme file is".into());
        }
        if depth(text) > MAX_DEPTH {
            return Err("it is nested too deeply for a theme".into());
        }
        let mut code = ThemeSet::load_from_reader(&mut Cursor::new(text))
            .map_err(|e| format!("it is no theme: {}", e.to_string().lines().next().unwrap_or_default()))?;
        let (settings, black, white) = (&mut code.settings, gray(0x14), gray(0xe6));
        let is_light = settings.foreground.is_some_and(|fg| super::derived::luminance(fg) < 0.2);
        let ground = settings.background.map_or(if is_light { white } else { black }, |bg| over(bg, black));
        let ink = settings.foreground.unwrap_or(if super::derived::luminance(ground) > 0.2 {
            black
        } else {
            white
        });
        settings.background = Some(ground);
        settings.foreground = Some(readable(over(ink, ground), ground, 4.5));
        for item in &mut code.scopes {
            item.style.foreground = item.style.foreground.map(|fg| over(fg, ground));
            item.style.background = item.style.background.map(|bg| over(bg, ground));
        }
        Ok(Self { name: name.to_owned(), code })
    }

    /// Its name: that of its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn code(&self) -> &highlighting::Theme {
        &self.code
    }
}

fn gray(v: u8) -> Color {
    Color { r: v, g: v, b: v, a: 255 }
}

/// How deeply the elements of an XML text that hold others are nested, at least.
fn depth(text: &str) -> usize {
    let (mut now, mut most) = (0usize, 0);
    for tag in text.split('<').skip(1) {
        let name = tag.trim_start_matches('/').trim_start();
        if !(name.starts_with("dict") || name.starts_with("array")) {
            continue;
        }
        if tag.starts_with('/') {
            now = now.saturating_sub(1);
        } else if !tag.split('>').next().unwrap_or_default().ends_with('/') {
            now += 1;
            most = most.max(now);
        }
    }
    most
}
