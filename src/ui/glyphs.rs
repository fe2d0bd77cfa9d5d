//! What a line of text looks like in terminal cells: graphemes, their widths, tabs, stand-ins.
//!
//! This is the only place that turns text by others into cells, so it is where such text is made
//! safe. Offsets always refer to the text as it is, not to what is shown for it.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::sanitize;

/// Columns between tab stops.
pub const TAB: usize = 4;

/// Combining marks can be stacked without end; a cell takes no more than this.
const MAX_GLYPH_BYTES: usize = 64;

/// One grapheme and what is shown for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glyph<'a> {
    /// Where the grapheme starts, in bytes of the text.
    pub offset: usize,
    /// Its length in bytes.
    pub len: usize,
    /// What is shown, at least one column wide.
    pub symbol: Cow<'a, str>,
    /// The columns it takes.
    pub width: usize,
}

/// The glyphs of a line whose first character stands in `column`.
pub fn glyphs(text: &str, column: usize) -> impl Iterator<Item = Glyph<'_>> {
    let mut column = column;
    text.grapheme_indices(true).map(move |(offset, grapheme)| {
        let (symbol, width) = show(grapheme, column);
        column += width;
        Glyph { offset, len: grapheme.len(), symbol, width }
    })
}

/// The columns `text` takes if it starts in `column`.
pub fn width(text: &str, column: usize) -> usize {
    glyphs(text, column).map(|g| g.width).sum()
}

fn show(grapheme: &str, column: usize) -> (Cow<'_, str>, usize) {
    if let [byte @ b' '..=b'~'] = grapheme.as_bytes() {
        debug_assert!(byte.is_ascii());
        return (Cow::Borrowed(grapheme), 1);
    }
    if grapheme == "\t" {
        let width = TAB - column % TAB;
        return (Cow::Borrowed(&"    "[..width]), width);
    }
    let safe = sanitize::line(grapheme);
    let width = safe.width();
    // A mark without a base, or a heap of them: there is something, and it is one column wide.
    if width == 0 || safe.len() > MAX_GLYPH_BYTES {
        return (Cow::Borrowed("\u{fffd}"), 1);
    }
    (safe, width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        glyphs(text, 0).map(|g| g.symbol.into_owned()).collect()
    }

    #[test]
    fn tabs_reach_the_next_stop() {
        assert_eq!(shown("a\tb"), "a   b");
        assert_eq!(glyphs("\t", 3).map(|g| g.width).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn offsets_are_of_the_text_as_it_is() {
        let all: Vec<_> = glyphs("é\u{1b}日x", 0).map(|g| (g.offset, g.len, g.width)).collect();
        assert_eq!(all, [(0, 2, 1), (2, 1, 1), (3, 3, 2), (6, 1, 1)]);
    }

    #[test]
    fn what_has_no_width_is_still_seen() {
        assert_eq!(shown("\u{301}"), "\u{fffd}");
        let heap = format!("a{}b", "\u{301}".repeat(1000));
        assert_eq!(shown(&heap), "\u{fffd}b");
        assert_eq!(shown("x\u{202e}y"), "x⟨U+202E⟩y");
    }
}
