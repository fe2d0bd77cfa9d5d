//! The screen of a terminal that a program writes to: vt100's, and the colours of underlines, which
//! vt100 does not know and takes for other things.

use std::num::NonZero;

pub struct Screen {
    cells: vt100::Parser<Titles>,
    /// The same text, each cell in the colour of its underline.
    lines: vt100::Parser,
    /// The start of an escape sequence whose end has not come yet.
    rest: Vec<u8>,
}

/// The title of the window, and those that are to come back.
#[derive(Default)]
pub struct Titles {
    pub shown: String,
    before: Vec<String>,
}

impl vt100::Callbacks for Titles {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.shown = String::from_utf8(title.to_vec()).expect("a title of UTF-8");
    }

    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        _: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        c: char,
    ) {
        match (c, params) {
            ('t', [[22], [2]]) => self.before.push(self.shown.clone()),
            ('t', [[23], [2]]) => self.shown = self.before.pop().unwrap_or_default(),
            _ => {}
        }
    }
}

fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).expect("a terminal has cells")
}

impl Screen {
    pub fn new(rows: u16, columns: u16) -> Self {
        let (rows, columns) = (cells(rows), cells(columns));
        Self {
            cells: vt100::Parser::new_with_callbacks(rows, columns, 0, Titles::default()),
            lines: vt100::Parser::new(rows, columns, 0),
            rest: Vec::new(),
        }
    }

    pub fn resize(&mut self, rows: u16, columns: u16) {
        self.cells.screen_mut().set_size(cells(rows), cells(columns));
        self.lines.screen_mut().set_size(cells(rows), cells(columns));
    }

    /// What can be seen.
    pub fn seen(&self) -> &vt100::Screen {
        self.cells.screen()
    }

    /// The title of the window.
    pub fn title(&self) -> &str {
        &self.cells.callbacks().shown
    }

    /// The colour of a cell's underline, if it is not that of its text.
    pub fn underline(&self, row: u16, column: u16) -> vt100::Color {
        self.lines.screen().cell(row, column).map_or(vt100::Color::Default, vt100::Cell::fgcolor)
    }

    pub fn process(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let all = std::mem::take(&mut self.rest);
        let mut at = 0;
        while let Some(start) = all[at..].windows(2).position(|w| w == b"\x1b[").map(|i| at + i) {
            self.cells.process(&all[at..start]);
            self.lines.process(&all[at..start]);
            let Some(length) = all[start + 2..].iter().position(|b| (0x40..=0x7e).contains(b)) else {
                self.rest = all[start..].to_vec();
                return;
            };
            at = start + length + 3;
            self.sequence(&all[start..at]);
        }
        // An ESC at the end may become the start of a sequence.
        let end = if all.ends_with(b"\x1b") { all.len() - 1 } else { all.len() };
        self.cells.process(&all[at..end]);
        self.lines.process(&all[at..end]);
        self.rest = all[end..].to_vec();
    }

    fn sequence(&mut self, bytes: &[u8]) {
        if !bytes.ends_with(b"m") {
            self.cells.process(bytes);
            self.lines.process(bytes);
        } else if let Some(colour) = bytes.strip_prefix(b"\x1b[58;") {
            self.lines.process(&[b"\x1b[38;", colour].concat());
        } else if bytes == b"\x1b[59m" {
            self.lines.process(b"\x1b[39m");
        } else {
            self.cells.process(bytes);
            if bytes == b"\x1b[0m" {
                self.lines.process(bytes);
            }
        }
    }
}
