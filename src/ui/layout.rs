//! Where the panes are, as a function of the screen's size.
//!
//! Both drawing and the mouse ask here, so what is seen and what is clicked cannot differ.

use ratatui::layout::{Constraint, Layout, Rect};

use crate::app::state::Pane;

/// Less than this and nothing useful fits.
pub const SMALLEST: (u16, u16) = (40, 10);

/// From here on, output and inspector stand side by side.
const WIDE: (u16, u16) = (130, 26);

/// From here on, several panes fit at all.
const MEDIUM: (u16, u16) = (70, 18);

/// The screen, cut up. A pane that is not shown has no area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// The grammar pane with its border.
    pub grammar: Rect,
    /// The prompt pane with its border.
    pub prompt: Rect,
    /// The output pane with its border.
    pub output: Rect,
    /// The inspector with its border.
    pub inspector: Rect,
    /// The line about the run.
    pub status: Rect,
    /// The line about the keys.
    pub footer: Rect,
    /// Whether one pane has the whole screen.
    pub single: bool,
}

impl Areas {
    /// The area of a pane with its border.
    pub fn pane(&self, pane: Pane) -> Rect {
        match pane {
            Pane::Grammar => self.grammar,
            Pane::Prompt => self.prompt,
            Pane::Output => self.output,
            Pane::Inspector => self.inspector,
        }
    }

    /// The pane under a cell of the screen.
    pub fn at(&self, column: u16, row: u16) -> Option<Pane> {
        Pane::ALL.into_iter().find(|&p| self.pane(p).contains((column, row).into()))
    }
}

/// Cuts a screen of `size` columns and rows; `None` if it is too small.
pub fn areas(size: (u16, u16), focus: Pane, zoomed: bool) -> Option<Areas> {
    let (width, height) = size;
    if width < SMALLEST.0 || height < SMALLEST.1 {
        return None;
    }
    let screen = Rect::new(0, 0, width, height);
    let [body, status, footer] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(1), Constraint::Length(1)]).areas(screen);
    let mut areas = Areas { status, footer, ..Areas::default() };
    if zoomed || width < MEDIUM.0 || height < MEDIUM.1 {
        areas.single = true;
        *match focus {
            Pane::Grammar => &mut areas.grammar,
            Pane::Prompt => &mut areas.prompt,
            Pane::Output => &mut areas.output,
            Pane::Inspector => &mut areas.inspector,
        } = body;
        return Some(areas);
    }
    let prompt_height = (body.height / 5).clamp(5, 10);
    let left;
    if width >= WIDE.0 && height >= WIDE.1 {
        let inspector_width = (width * 34 / 100).clamp(46, 72);
        [left, areas.output, areas.inspector] = Layout::horizontal([
            Constraint::Fill(1),
            Constraint::Fill(1),
            Constraint::Length(inspector_width),
        ])
        .areas(body);
    } else {
        let right;
        [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(body);
        let inspector_height = (body.height / 2).max(12).min(body.height - 6);
        [areas.output, areas.inspector] =
            Layout::vertical([Constraint::Min(0), Constraint::Length(inspector_height)]).areas(right);
    }
    [areas.grammar, areas.prompt] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(prompt_height)]).areas(left);
    Some(areas)
}

/// What a pane's border leaves.
pub fn inside(area: Rect) -> Rect {
    Rect::new(
        area.x.saturating_add(1),
        area.y.saturating_add(1),
        area.width.saturating_sub(2),
        area.height.saturating_sub(2),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At every size the panes tile the screen: no cell belongs to two, none reaches outside.
    #[test]
    fn areas_tile_the_screen() {
        for width in (0..500).step_by(7).chain([40, 70, 80, 130, 160, 500]) {
            for height in (0..200).step_by(3).chain([10, 18, 24, 26, 45, 200]) {
                for focus in Pane::ALL {
                    let Some(a) = areas((width, height), focus, false) else {
                        assert!(width < 40 || height < 10);
                        continue;
                    };
                    let all = [a.grammar, a.prompt, a.output, a.inspector, a.status, a.footer];
                    let cells: u32 = all.iter().map(|r| r.area()).sum();
                    assert_eq!(cells, u32::from(width) * u32::from(height), "{width}x{height}");
                    for (i, x) in all.iter().enumerate() {
                        assert!(x.right() <= width && x.bottom() <= height);
                        assert!(all[i + 1..].iter().all(|y| !x.intersects(*y)));
                    }
                    assert!(a.pane(focus).height >= 5, "{focus:?} at {width}x{height}: {a:?}");
                }
            }
        }
    }
}
