//! Cells as SVG that looks the same in every browser and needs nothing from outside.
//!
//! A terminal is a grid, and a page's monospace font is anybody's: every run of text is put at its
//! column and told its length, other signs than ASCII stand alone, and lines and blocks are drawn as
//! shapes, so that they join.

use std::collections::HashMap;
use std::fmt::Write;

use super::cells::{Cell, Frame, Look, Rgb};

/// The size of a cell. Its origin is the left end of the baseline, as that of text is.
pub const WIDTH: f32 = 9.0;
pub const HEIGHT: f32 = 19.0;
const TOP: f32 = -14.0;
const BOTTOM: f32 = TOP + HEIGHT;
const MIDDLE: f32 = TOP + HEIGHT / 2.0;

/// Half of the width of a thin line.
const THIN: f32 = 0.6;

/// What is left free around the screen, and the height of the bar above it.
const MARGIN: f32 = 14.0;
const BAR: f32 = 34.0;

const FONT: &str = "ui-monospace,'JetBrains Mono','SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Liberation \
                    Mono',monospace";

/// The colours of one picture, each with a class of its own.
#[derive(Default)]
pub struct Palette {
    classes: HashMap<Rgb, usize>,
    colors: Vec<Rgb>,
}

impl Palette {
    fn class(&mut self, color: Rgb) -> usize {
        *self.classes.entry(color).or_insert_with(|| {
            self.colors.push(color);
            self.colors.len() - 1
        })
    }

    fn rules(&self) -> String {
        let rule = |(i, color): (usize, &Rgb)| format!(".c{i}{{fill:{}}}", hex(*color));
        self.colors.iter().enumerate().map(rule).collect()
    }
}

fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// A part of the screen that is drawn as one: what stands between gaps and lines, or a line.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Piece {
    /// Its first cell.
    pub row: usize,
    pub column: usize,
    /// Its elements, drawn from the origin of its first cell.
    pub drawn: String,
}

impl Piece {
    /// Where its origin is put.
    pub fn place(&self) -> (f32, f32) {
        (self.column as f32 * WIDTH, self.row as f32 * HEIGHT - TOP)
    }

    /// The piece, put in its place.
    pub fn put(&self) -> String {
        let (x, y) = self.place();
        format!("<g transform=\"translate({x} {y})\">{}</g>", self.drawn)
    }
}

/// The pieces of a frame, from the top left; the cursor is the last.
pub fn pieces(frame: &Frame, palette: &mut Palette) -> Vec<Piece> {
    let mut found = Vec::new();
    for (row, cells) in frame.rows.iter().enumerate() {
        let is_blank = |cell: &Cell| {
            cell.text == " " && cell.look.ground == frame.ground && cell.look.underline.is_none()
        };
        let is_line = |cell: &Cell| cell.text.starts_with(|c| matches!(c, '\u{2500}'..='\u{257f}'));
        let mut start = 0;
        while start < cells.len() {
            if is_blank(&cells[start]) {
                start += 1;
                continue;
            }
            let mut end = start + 1;
            // One blank is a space between two words; two are a gap.
            while end < cells.len()
                && is_line(&cells[end]) == is_line(&cells[start])
                && !(is_blank(&cells[end]) && cells.get(end + 1).is_none_or(is_blank))
            {
                end += 1;
            }
            let drawn = draw(&cells[start..end], frame.ground, palette);
            found.push(Piece { row, column: start, drawn });
            start = end;
        }
    }
    if let Some((row, column)) = frame.cursor {
        let drawn = format!("<path class=\"c{}\" d=\"M-1 {TOP}h2v{HEIGHT}h-2z\"/>", palette.class(frame.ink));
        found.push(Piece { row: row.into(), column: column.into(), drawn });
    }
    found
}

/// A row's cells from `ground` up: backgrounds, lines and blocks, text, underlines.
fn draw(cells: &[Cell], ground: Rgb, palette: &mut Palette) -> String {
    let mut drawn = String::new();
    runs(
        cells,
        |cell| cell.look.ground,
        |at, run| {
            let color = run[0].look.ground;
            if color != ground {
                let width = run.len() as f32 * WIDTH;
                shape(&mut drawn, palette, color, at, &format!("M{{x}} {TOP}h{width}v{HEIGHT}h-{width}z"));
            }
        },
    );
    let kind = |cell: &Cell| (Look { underline: None, ..cell.look }, sort(cell));
    runs(cells, kind, |at, run| match sort(&run[0]) {
        Sort::Blank => {}
        Sort::Drawn => {
            let mut path = String::new();
            runs(
                run,
                |cell| cell.text.clone(),
                |at, same| {
                    path += &drawn_path(&same[0].text, at as f32 * WIDTH, same.len() as f32 * WIDTH);
                },
            );
            let class = palette.class(run[0].look.ink);
            let x = at as f32 * WIDTH;
            let moved = if at == 0 { String::new() } else { format!(" transform=\"translate({x} 0)\"") };
            let faint = if run[0].look.faint { " d" } else { "" };
            let _ = write!(drawn, "<path class=\"c{class}{faint}\"{moved} d=\"{path}\"/>");
        }
        Sort::Ascii => words(run).into_iter().for_each(|(start, end)| {
            text(&mut drawn, palette, at + start, &run[start..end]);
        }),
        Sort::Sign => (at..).zip(run).for_each(|(at, cell)| {
            text(&mut drawn, palette, at, std::slice::from_ref(cell));
        }),
    });
    runs(
        cells,
        |cell| cell.look.underline,
        |at, run| {
            if let Some(color) = run[0].look.underline {
                let width = run.len() as f32 * WIDTH;
                shape(&mut drawn, palette, color, at, &format!("M{{x}} 2.4h{width}v1.4h-{width}z"));
            }
        },
    );
    drawn
}

/// How a cell's text is drawn.
#[derive(Clone, Copy, PartialEq)]
enum Sort {
    Blank,
    /// As a shape of our own.
    Drawn,
    /// Together with its neighbours.
    Ascii,
    /// Alone.
    Sign,
}

fn sort(cell: &Cell) -> Sort {
    match cell.text.as_str() {
        "" => Sort::Blank,
        text if text.is_ascii() => Sort::Ascii,
        text if !drawn_path(text, 0.0, WIDTH).is_empty() => Sort::Drawn,
        _ => Sort::Sign,
    }
}

/// Calls `each` with every longest run of cells that are the same in `kind`, and where it starts.
fn runs<K: PartialEq>(cells: &[Cell], kind: impl Fn(&Cell) -> K, mut each: impl FnMut(usize, &[Cell])) {
    let mut at = 0;
    for run in cells.chunk_by(|a, b| kind(a) == kind(b)) {
        each(at, run);
        at += run.len();
    }
}

fn shape(drawn: &mut String, palette: &mut Palette, color: Rgb, at: usize, path: &str) {
    let path = path.replace("{x}", &(at as f32 * WIDTH).to_string());
    let _ = write!(drawn, "<path class=\"c{}\" d=\"{path}\"/>", palette.class(color));
}

/// Where words of one look begin and end: browsers do not agree on what becomes of several blanks.
fn words(run: &[Cell]) -> Vec<(usize, usize)> {
    let is_blank = |i: usize| run.get(i).is_none_or(|cell| cell.text == " ");
    let mut found: Vec<(usize, usize)> = Vec::new();
    for i in (0..run.len()).filter(|&i| !is_blank(i)) {
        match found.last_mut() {
            Some((_, end)) if i <= *end + 1 => *end = i + 1,
            _ => found.push((i, i + 1)),
        }
    }
    found
}

/// Text of one look, in one word or several.
fn text(drawn: &mut String, palette: &mut Palette, at: usize, run: &[Cell]) {
    let shown: String = run.iter().map(|cell| cell.text.as_str()).collect();
    let look = run[0].look;
    let _ = write!(drawn, "<text class=\"c{}", palette.class(look.ink));
    for (is_so, class) in [(look.bold, " b"), (look.italic, " i"), (look.faint, " d")] {
        drawn.push_str(if is_so { class } else { "" });
    }
    drawn.push('"');
    if at > 0 {
        let _ = write!(drawn, " x=\"{}\"", at as f32 * WIDTH);
    }
    if run.len() > 1 {
        let _ = write!(drawn, " textLength=\"{}\"", run.len() as f32 * WIDTH);
    }
    let _ = write!(drawn, ">{}</text>", escape(&shown));
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Equal lines or blocks as a path that begins at `x` and is so wide; empty for what is text.
fn drawn_path(sign: &str, x: f32, width: f32) -> String {
    let mut signs = sign.chars();
    let (Some(c), None) = (signs.next(), signs.next()) else { return String::new() };
    let across = |top: f32, bottom: f32| rectangle(x, top, x + width, bottom);
    let each = |of: &dyn Fn(f32) -> String| -> String {
        (0..(width / WIDTH) as u16).map(|i| of(x + f32::from(i) * WIDTH)).collect()
    };
    let upright =
        |left: f32, right: f32| each(&|x| rectangle(x + left * WIDTH, TOP, x + right * WIDTH, BOTTOM));
    match c {
        // Full and partial blocks.
        '▁'..='█' => across(BOTTOM - (c as u32 - 0x2580) as f32 / 8.0 * HEIGHT, BOTTOM),
        '▀' => across(TOP, TOP + HEIGHT / 2.0),
        '▔' => across(TOP, TOP + HEIGHT / 8.0),
        '▉'..='▏' => upright(0.0, (0x2590 - c as u32) as f32 / 8.0),
        '▐' => upright(0.5, 1.0),
        '▕' => upright(0.875, 1.0),
        '─' => across(MIDDLE - THIN, MIDDLE + THIN),
        '━' => across(MIDDLE - 2.0 * THIN, MIDDLE + 2.0 * THIN),
        _ => arms(c).map_or_else(String::new, |arms| each(&|x| lines(arms, x))),
    }
}

fn rectangle(left: f32, top: f32, right: f32, bottom: f32) -> String {
    format!("M{} {}H{}V{}H{}z", short(left), short(top), short(right), short(bottom), short(left))
}

/// The weights of a box sign's arms: to the left, up, to the right, down; and whether it is round.
fn arms(c: char) -> Option<([u8; 4], bool)> {
    Some(match c {
        '│' => ([0, 1, 0, 1], false),
        '┃' => ([0, 2, 0, 2], false),
        '┌' => ([0, 0, 1, 1], false),
        '┐' => ([1, 0, 0, 1], false),
        '└' => ([0, 1, 1, 0], false),
        '┘' => ([1, 1, 0, 0], false),
        '┏' => ([0, 0, 2, 2], false),
        '┓' => ([2, 0, 0, 2], false),
        '┗' => ([0, 2, 2, 0], false),
        '┛' => ([2, 2, 0, 0], false),
        '╭' => ([0, 0, 1, 1], true),
        '╮' => ([1, 0, 0, 1], true),
        '╰' => ([0, 1, 1, 0], true),
        '╯' => ([1, 1, 0, 0], true),
        '├' => ([0, 1, 1, 1], false),
        '┤' => ([1, 1, 0, 1], false),
        '┬' => ([1, 0, 1, 1], false),
        '┴' => ([1, 1, 1, 0], false),
        '┼' => ([1, 1, 1, 1], false),
        _ => return None,
    })
}

fn lines(([left, up, right, down], is_round): ([u8; 4], bool), x: f32) -> String {
    let (cx, cy) = (x + WIDTH / 2.0, MIDDLE);
    let half = |weight: u8| THIN * f32::from(weight);
    if is_round {
        // A quarter of a ring of radius `r`, with a straight piece down to the edge of the cell.
        let r = WIDTH / 2.0;
        let (sx, sy) = (if right > 0 { 1.0 } else { -1.0 }, if down > 0 { 1.0 } else { -1.0 });
        let (edge, far) = (cx + sx * r, cy + sy * HEIGHT / 2.0);
        let [outer, inner] = [r + THIN, r - THIN];
        let sweep = |first: bool| u8::from((sx * sy > 0.0) == first);
        return format!(
            "M{} {}V{}A{outer} {outer} 0 0 {} {edge} {}V{}A{inner} {inner} 0 0 {} {} {}V{}z",
            short(cx - sx * THIN),
            short(far),
            short(cy + sy * r),
            sweep(true),
            short(cy - sy * THIN),
            short(cy + sy * THIN),
            sweep(false),
            short(cx + sx * THIN),
            short(cy + sy * r),
            short(far),
        );
    }
    let mut path = String::new();
    let (across, along) = (half(left.max(right)), half(up.max(down)));
    if left + right > 0 {
        let from = if left > 0 { x } else { cx - along };
        let to = if right > 0 { x + WIDTH } else { cx + along };
        path += &rectangle(from, cy - across, to, cy + across);
    }
    if up + down > 0 {
        let from = if up > 0 { TOP } else { cy - across };
        let to = if down > 0 { BOTTOM } else { cy + across };
        path += &rectangle(cx - along, from, cx + along, to);
    }
    path
}

/// A number with no more digits than can be seen.
fn short(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}

/// The name of the key that was pressed last, as it is shown in the bar above the screen.
pub fn key(frame: &Frame, name: &str, palette: &mut Palette) -> Piece {
    let columns = name.chars().count() as f32;
    let (width, ink) = (columns * WIDTH + 16.0, palette.class(frame.ink));
    let right = frame.rows[0].len() as f32 * WIDTH;
    let drawn = format!(
        "<rect class=\"c{ink}\" fill-opacity=\".16\" x=\"{x}\" y=\"-42\" width=\"{width}\" height=\"22\" \
         rx=\"5\"/><text class=\"c{ink} b\" x=\"{}\" y=\"-26\" textLength=\"{}\">{}</text>",
        right - width + 8.0,
        columns * WIDTH,
        escape(name),
        x = right - width,
    );
    Piece { row: 0, column: 0, drawn }
}

/// The window around a screen: the whole file, with `rules` of style and the screen's `inside`.
pub fn window(frame: &Frame, palette: &Palette, rules: &str, inside: &str) -> String {
    let (columns, rows) = (frame.rows[0].len() as f32, frame.rows.len() as f32);
    let (width, height) = (columns * WIDTH + 2.0 * MARGIN, rows * HEIGHT + BAR + MARGIN);
    let (ground, ink) = (hex(frame.ground), hex(frame.ink));
    let middle = width / 2.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-size=\"15\" font-family=\"{FONT}\">\n\
         <!-- Made by .github/record from the program itself; licence: MIT OR Apache-2.0 -->\n\
         <style>text{{font-variant-ligatures:none}}{}.b{{font-weight:700}}.i{{font-style:italic}}\
         .d{{opacity:.6}}{rules}</style>\n\
         <rect x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"10\" fill=\"{ground}\" stroke=\"{ink}\" \
         stroke-opacity=\".25\"/>\n\
         <g fill=\"{ink}\" fill-opacity=\".3\"><circle cx=\"20\" cy=\"17\" r=\"6\"/>\
         <circle cx=\"40\" cy=\"17\" r=\"6\"/><circle cx=\"60\" cy=\"17\" r=\"6\"/></g>\n\
         <text x=\"{middle}\" y=\"21.5\" text-anchor=\"middle\" font-size=\"13\" fill=\"{ink}\" \
         fill-opacity=\".7\">maze</text>\n\
         <g transform=\"translate({MARGIN} {BAR})\">\n{inside}</g>\n</svg>\n",
        palette.rules(),
        width - 1.0,
        height - 1.0,
    )
}

/// A picture that stands still.
pub fn still(frame: &Frame) -> String {
    let mut palette = Palette::default();
    let mut inside = String::new();
    for piece in pieces(frame, &mut palette) {
        inside += &(piece.put() + "\n");
    }
    window(frame, &palette, "", &inside)
}
