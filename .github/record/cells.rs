//! One state of the terminal's screen: cells with the colours they are seen in.
//!
//! What is relative in a terminal (default colours, palette numbers, reversed cells) is settled here;
//! drawing knows 24-bit colours alone.

use vt100::Color;

/// Red, green and blue.
pub type Rgb = [u8; 3];

/// The text and the ground of a terminal whose program says nothing about colours.
const DARK: [Rgb; 2] = [[0xd0, 0xd4, 0xdc], [0x15, 0x18, 0x1e]];
const LIGHT: [Rgb; 2] = [[0x24, 0x29, 0x30], [0xfb, 0xfb, 0xfa]];

/// The sixteen colours, as many terminals have them.
#[rustfmt::skip]
const SIXTEEN: [[Rgb; 16]; 2] = [
    [
        [0x1d, 0x20, 0x26], [0xd8, 0x5c, 0x5c], [0x7f, 0xb3, 0x5e], [0xd2, 0xa8, 0x4e],
        [0x5b, 0x93, 0xd6], [0xb1, 0x78, 0xc8], [0x4f, 0xb0, 0xb5], [0xc4, 0xc8, 0xd0],
        [0x6e, 0x76, 0x84], [0xf0, 0x7a, 0x7a], [0x9c, 0xcf, 0x7a], [0xec, 0xc5, 0x6a],
        [0x7a, 0xb0, 0xf0], [0xcc, 0x96, 0xe0], [0x6c, 0xcd, 0xd2], [0xf2, 0xf4, 0xf8],
    ],
    [
        [0x24, 0x29, 0x30], [0xb3, 0x2d, 0x2d], [0x3a, 0x75, 0x1c], [0x8a, 0x63, 0x00],
        [0x1f, 0x5f, 0xa8], [0x83, 0x3f, 0xa0], [0x0d, 0x73, 0x78], [0xc8, 0xcc, 0xd2],
        [0x6a, 0x72, 0x7e], [0xd0, 0x42, 0x42], [0x4c, 0x8c, 0x2c], [0xa6, 0x7a, 0x10],
        [0x34, 0x79, 0xc8], [0x9c, 0x56, 0xba], [0x1c, 0x8c, 0x92], [0xfb, 0xfb, 0xfa],
    ],
];

/// How a cell looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// The colour of the text.
    pub ink: Rgb,
    /// The colour behind it.
    pub ground: Rgb,
    /// The colour of the line under it.
    pub underline: Option<Rgb>,
    /// Whether the text is bold, in italics, or faint.
    pub bold: bool,
    pub italic: bool,
    pub faint: bool,
}

/// A grapheme of one or two columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// What stands in it; a blank is one space.
    pub text: String,
    /// Whether it takes the next column too, whose cell has no text then.
    pub is_wide: bool,
    /// Its colours.
    pub look: Look,
}

/// The whole screen at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The cells, row by row.
    pub rows: Vec<Vec<Cell>>,
    /// The cursor's row and column, if it is shown.
    pub cursor: Option<(u16, u16)>,
    /// The colour of what the program leaves blank.
    pub ground: Rgb,
    /// A text colour for what stands around the screen.
    pub ink: Rgb,
}

impl Frame {
    /// What the terminal shows; `light` is what it has for colours that the program leaves to it.
    pub fn of(screen: &super::screen::Screen, light: bool) -> Self {
        let seen = screen.seen();
        let (rows, columns) = seen.size();
        let look = |row, column| -> Cell {
            let cell = seen.cell(row, column);
            let mut look = cell.map_or_else(|| plain(light), |cell| look(cell, light));
            if cell.is_some_and(vt100::Cell::underline) {
                let color = screen.underline(row, column);
                look.underline = Some(if color == Color::Default { look.ink } else { rgb(color, 0, light) });
            }
            let text = match cell {
                Some(cell) if cell.is_wide_continuation() => String::new(),
                Some(cell) if cell.has_contents() => cell.contents().to_owned(),
                _ => " ".to_owned(),
            };
            Cell { text, is_wide: cell.is_some_and(vt100::Cell::is_wide), look }
        };
        let rows: Vec<Vec<Cell>> =
            (0..rows.get()).map(|row| (0..columns.get()).map(|column| look(row, column)).collect()).collect();
        // The last row is the program's own and plain.
        let ground = rows.last().and_then(|row| row.last()).map_or(plain(light).ground, |c| c.look.ground);
        let is_light = ground.iter().map(|part| u32::from(*part)).sum::<u32>() > 3 * 128;
        let cursor = Some(seen.cursor_position()).filter(|_| !seen.hide_cursor());
        Self { rows, cursor, ground, ink: plain(is_light).ink }
    }
}

fn plain(light: bool) -> Look {
    let [ink, ground] = if light { LIGHT } else { DARK };
    Look { ink, ground, underline: None, bold: false, italic: false, faint: false }
}

fn look(cell: &vt100::Cell, light: bool) -> Look {
    let (mut ink, mut ground) = (rgb(cell.fgcolor(), 0, light), rgb(cell.bgcolor(), 1, light));
    if cell.inverse() {
        std::mem::swap(&mut ink, &mut ground);
    }
    Look { ink, ground, underline: None, bold: cell.bold(), italic: cell.italic(), faint: cell.dim() }
}

/// A colour as it is seen; `default` is the place among the terminal's own two.
fn rgb(color: Color, default: usize, light: bool) -> Rgb {
    match color {
        Color::Default => (if light { LIGHT } else { DARK })[default],
        Color::Rgb(r, g, b) => [r, g, b],
        Color::Idx(n @ 0..16) => SIXTEEN[usize::from(light)][usize::from(n)],
        Color::Idx(n @ 232..) => [8 + 10 * (n - 232); 3],
        Color::Idx(n) => {
            let n = n - 16;
            [n / 36, n / 6 % 6, n % 6].map(|level| if level == 0 { 0 } else { 55 + 40 * level })
        }
    }
}
