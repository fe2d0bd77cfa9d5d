//! The last pass over a frame: colours that the terminal can show, and no control characters.
//!
//! Drawing always speaks in 24-bit colours; this is the only place that knows that a terminal may
//! have fewer. What was told by a background alone is then told by reversed, bold or faint cells.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use super::heat;
use super::theme::{Role, Theme};

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorDepth {
    /// None: `NO_COLOR`, or a terminal without.
    Mono,
    /// The sixteen whose look the person has chosen.
    Ansi16,
    /// The 256 of xterm.
    Ansi256,
    /// 24 bits.
    True,
}

/// Fits a finished frame to the terminal.
pub fn fit(buffer: &mut Buffer, depth: ColorDepth, theme: &Theme) {
    let meaningful = theme.meaningful_backgrounds();
    let stand_ins = stand_ins(theme);
    for cell in &mut buffer.content {
        // Text is made safe where it becomes cells; this holds even if that has a hole.
        if cell.symbol().chars().any(char::is_control) {
            cell.set_symbol("\u{fffd}");
        }
        if matches!(depth, ColorDepth::Mono | ColorDepth::Ansi16) {
            if meaningful.contains(&cell.bg) {
                cell.modifier |= Modifier::REVERSED;
                cell.fg = Color::Reset;
            } else if let Some((_, modifier)) = stand_ins.iter().find(|(color, _)| *color == cell.bg) {
                cell.modifier |= *modifier;
                cell.fg = Color::Reset;
            }
            cell.bg = Color::Reset;
        }
        if depth != ColorDepth::True {
            cell.underline_color = Color::Reset;
        }
        cell.fg = fitted(cell.fg, depth);
        cell.bg = fitted(cell.bg, depth);
    }
}

/// What stands for the backgrounds that tell tokens apart and how much the mask removed.
fn stand_ins(theme: &Theme) -> Vec<(Color, Modifier)> {
    let scale = heat::scale(theme);
    let levels = scale.iter().enumerate().map(|(level, style)| (style.bg, heat::stand_in(level)));
    let boundary = [(theme.style(Role::Boundary).bg, Modifier::BOLD)];
    let meant = |(color, modifier): (Option<Color>, Modifier)| Some((color?, modifier));
    // A theme that leaves them out has the plain background there, which must mean nothing.
    levels.chain(boundary).filter_map(meant).filter(|(color, _)| Some(*color) != theme.base().bg).collect()
}

fn fitted(color: Color, depth: ColorDepth) -> Color {
    match (color, depth) {
        (_, ColorDepth::Mono) => Color::Reset,
        (Color::Rgb(r, g, b), ColorDepth::Ansi256) => Color::Indexed(xterm(r, g, b)),
        (Color::Rgb(r, g, b), ColorDepth::Ansi16) => ansi(r, g, b),
        (color, _) => color,
    }
}

/// The nearest of xterm's 6x6x6 cube (16 to 231) and grey ramp (232 to 255).
fn xterm(r: u8, g: u8, b: u8) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let nearest = |v: u8| (0..6u8).min_by_key(|&i| LEVELS[usize::from(i)].abs_diff(v)).unwrap_or(0);
    let distance = |to: [u8; 3]| -> u32 {
        [r, g, b].iter().zip(to).map(|(&a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
    };
    let cube = [r, g, b].map(nearest);
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let step = (mean.saturating_sub(3) / 10).min(23) as u8;
    let gray = 8 + 10 * step;
    if distance([gray; 3]) < distance(cube.map(|i| LEVELS[usize::from(i)])) {
        232 + step
    } else {
        16 + 36 * cube[0] + 6 * cube[1] + cube[2]
    }
}

/// The nearest in hue of the sixteen; greys become the terminal's own text colour or its dark grey,
/// since nothing is known about its background.
fn ansi(r: u8, g: u8, b: u8) -> Color {
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    if most - least < 48 {
        return if (70..150).contains(&most) { Color::DarkGray } else { Color::Reset };
    }
    let middle = least + (most - least) / 2;
    match (r > middle, g > middle, b > middle) {
        (true, false, false) => Color::Red,
        (false, true, false) => Color::Green,
        (false, false, true) => Color::Blue,
        (true, true, false) => Color::Yellow,
        (true, false, true) => Color::Magenta,
        (false, true, true) => Color::Cyan,
        _ => Color::Reset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::{Role, ThemeName};
    use ratatui::layout::Rect;

    #[test]
    fn xterm_colours_are_the_nearest() {
        assert_eq!(xterm(0, 0, 0), 16);
        assert_eq!(xterm(255, 255, 255), 231);
        assert_eq!(xterm(95, 135, 175), 67);
        assert_eq!(xterm(128, 128, 128), 244);
        assert_eq!(xterm(8, 8, 8), 232);
    }

    #[test]
    fn without_colour_a_selection_is_still_seen() {
        let theme = Theme::shipped(ThemeName::Dark);
        for depth in [ColorDepth::Mono, ColorDepth::Ansi16] {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 3, 1));
            buffer.set_string(0, 0, "a", theme.style(Role::Selected));
            buffer.set_string(1, 0, "b", theme.style(Role::Error));
            fit(&mut buffer, depth, &theme);
            assert!(buffer[(0, 0)].modifier.contains(Modifier::REVERSED | Modifier::BOLD));
            assert!(!buffer[(1, 0)].modifier.contains(Modifier::REVERSED));
            assert!(buffer.content.iter().all(|c| c.bg == Color::Reset));
            assert_eq!(buffer[(1, 0)].fg, if depth == ColorDepth::Mono { Color::Reset } else { Color::Red });
        }
    }

    #[test]
    fn control_characters_never_leave() {
        let theme = Theme::shipped(ThemeName::Dark);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
        buffer[(0, 0)].set_symbol("\u{1b}[2J");
        fit(&mut buffer, ColorDepth::True, &theme);
        assert_eq!(buffer[(0, 0)].symbol(), "\u{fffd}");
    }
}
