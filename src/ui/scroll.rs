//! A bar that shows which part of something long is on the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws the bar over the first column of `area`, whose rows show those from `top` on of `count`.
/// Where everything is shown there is no bar.
pub fn draw(buffer: &mut Buffer, area: Rect, top: usize, count: usize, style: Style) {
    let (start, length) = thumb(usize::from(area.height), top, count);
    for y in start..start + length {
        if let Some(cell) = buffer.cell_mut((area.x, area.y + y as u16)) {
            cell.set_symbol("▐").set_style(style);
        }
    }
}

/// The first row of the bar and its length.
fn thumb(height: usize, top: usize, count: usize) -> (usize, usize) {
    if height == 0 || count <= height {
        return (0, 0);
    }
    let length = (height * height / count).max(1);
    // At the ends only where there is nothing further.
    let (room, last) = (height - length, count - height);
    let start = (top.min(last) * room).div_ceil(last);
    let start = if top >= last { room } else { start.min(room.saturating_sub(1)) };
    (start, length)
}

#[cfg(test)]
mod tests {
    use super::thumb;

    #[test]
    fn the_bar_is_at_an_end_only_where_the_list_ends() {
        assert_eq!(thumb(10, 0, 10), (0, 0));
        assert_eq!(thumb(10, 0, 20), (0, 5));
        assert_eq!(thumb(10, 10, 20), (5, 5));
        assert_eq!(thumb(10, 0, 152_000), (0, 1));
        assert_eq!(thumb(10, 1, 152_000), (1, 1));
        assert_eq!(thumb(10, 151_989, 152_000), (8, 1));
        assert_eq!(thumb(10, 151_990, 152_000), (9, 1));
        assert_eq!(thumb(1, 5, 9), (0, 1));
        assert_eq!(thumb(0, 5, 9), (0, 0));
    }
}
