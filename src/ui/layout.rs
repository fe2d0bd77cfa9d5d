//! Where the panes are, as a function of the screen's size and of what the person wishes.
//!
//! Both drawing and the mouse ask here, so what is seen and what is clicked cannot differ. Wishes
//! never make a pane smaller than what it is useful at.

use ratatui::layout::{Constraint, Layout, Rect};

use crate::app::layout::{Edge, Share, Sizes, Wishes};
use crate::app::state::Pane;

/// Less than this and nothing useful fits.
pub const SMALLEST: (u16, u16) = (40, 10);

/// From here on, output and inspector stand side by side.
const WIDE: (u16, u16) = (130, 26);

/// From here on, several panes fit at all.
const MEDIUM: (u16, u16) = (70, 18);

/// The rows of an inspector that shows everything at once.
const WHOLE_INSPECTOR: u16 = 24;

/// The columns that the panes at the left, the output and the inspector keep.
const COLUMNS: [u16; 3] = [24, 24, 34];

/// The rows that a pane keeps, with its border.
const fn rows(pane: Pane) -> u16 {
    match pane {
        Pane::Grammar => 6,
        Pane::Prompt => 3,
        Pane::Output => 5,
        Pane::Inspector => 8,
    }
}

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
    /// Whether the inspector's place is beside the output, not under it.
    pub wide: bool,
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

    fn pane_mut(&mut self, pane: Pane) -> &mut Rect {
        match pane {
            Pane::Grammar => &mut self.grammar,
            Pane::Prompt => &mut self.prompt,
            Pane::Output => &mut self.output,
            Pane::Inspector => &mut self.inspector,
        }
    }

    /// The pane under a cell of the screen.
    pub fn at(&self, column: u16, row: u16) -> Option<Pane> {
        Pane::ALL.into_iter().find(|&p| self.pane(p).contains((column, row).into()))
    }

    /// What all panes share.
    pub fn body(&self) -> Rect {
        Rect { x: 0, y: 0, width: self.status.width, height: self.status.y }
    }

    /// The cells of an edge: the borders of the panes at both its sides. Empty if there is none.
    pub fn edge(&self, edge: Edge) -> Rect {
        let (grammar, prompt, output, inspector) = (self.grammar, self.prompt, self.output, self.inspector);
        let left = grammar.union(prompt);
        let lying = |above: Rect, below: Rect| Rect { y: below.y.saturating_sub(1), height: 2, ..above };
        let standing = |right: Rect| Rect { x: right.x.saturating_sub(1), width: 2, ..self.body() };
        match edge {
            Edge::Prompt if !grammar.is_empty() && !prompt.is_empty() => lying(grammar, prompt),
            Edge::Inspector if inspector.is_empty() => Rect::default(),
            Edge::Inspector if self.wide && inspector.x > 0 => standing(inspector),
            Edge::Inspector if !self.wide && !output.is_empty() => lying(output, inspector),
            Edge::Left if left.is_empty() => Rect::default(),
            Edge::Left if !output.is_empty() => standing(output),
            Edge::Left if !self.wide && !inspector.is_empty() => standing(inspector),
            _ => Rect::default(),
        }
    }

    /// The edge under a cell of the screen. Where two cross, the one that lies.
    pub fn edge_at(&self, column: u16, row: u16) -> Option<Edge> {
        let holds = |edge: &Edge| self.edge(*edge).contains((column, row).into());
        [Edge::Prompt, Edge::Inspector, Edge::Left].into_iter().find(holds)
    }

    /// The size that the wish for an edge would have if the edge were at this cell.
    pub fn size_at(&self, edge: Edge, column: u16, row: u16) -> Share {
        let Rect { width, height, .. } = self.body();
        match edge {
            Edge::Left => Share::new(column.min(width), width),
            Edge::Inspector if self.wide => Share::new(width.saturating_sub(column), width),
            Edge::Prompt | Edge::Inspector => Share::new(height.saturating_sub(row), height),
        }
    }
}

/// Cuts a screen of `size` columns and rows; `None` if it is too small. The focused pane is shown in
/// any case.
pub fn areas(size: (u16, u16), focus: Pane, wishes: &Wishes) -> Option<Areas> {
    let (width, height) = size;
    if width < SMALLEST.0 || height < SMALLEST.1 {
        return None;
    }
    let screen = Rect::new(0, 0, width, height);
    let [body, status, footer] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(1), Constraint::Length(1)]).areas(screen);
    let wide = width >= WIDE.0 && height >= WIDE.1;
    let mut areas = Areas { status, footer, wide, ..Areas::default() };
    let shows = |pane: Pane| pane == focus || wishes.shows(pane);
    let is_alone = !Pane::ALL.into_iter().any(|p| p != focus && shows(p));
    if wishes.zoomed || width < MEDIUM.0 || height < MEDIUM.1 || is_alone {
        areas.single = true;
        *areas.pane_mut(focus) = body;
        return Some(areas);
    }
    let sizes = if wide { &wishes.wide } else { &wishes.medium };
    let has_left = shows(Pane::Grammar) || shows(Pane::Prompt);
    let (left, right) = columns(body, wide, sizes, has_left, [Pane::Output, Pane::Inspector].map(shows));
    let prompt_rows = (body.height / 5).clamp(5, 10);
    (areas.grammar, areas.prompt) =
        stack(left, [Pane::Grammar, Pane::Prompt], shows, sizes.prompt, prompt_rows);
    if wide {
        [areas.output, areas.inspector] = right;
    } else {
        // Where there is room for both, the inspector shows its candidates above its list.
        let tall = WHOLE_INSPECTOR.min(body.height - 14.min(body.height));
        let inspector_rows = (body.height / 2).max(tall).max(12).min(body.height - 6);
        (areas.output, areas.inspector) = stack(
            right[0].union(right[1]),
            [Pane::Output, Pane::Inspector],
            shows,
            sizes.inspector,
            inspector_rows,
        );
    }
    Some(areas)
}

/// The panes' columns: those of grammar and prompt, and those of output and inspector, which are the
/// same unless the screen is wide.
fn columns(
    body: Rect,
    wide: bool,
    sizes: &Sizes,
    has_left: bool,
    [has_output, has_inspector]: [bool; 2],
) -> (Rect, [Rect; 2]) {
    let width = body.width;
    let [least_left, least_output, least_inspector] = COLUMNS;
    let least_left = if has_left { least_left } else { 0 };
    let cut = |x: u16, width: u16| Rect { x, width, ..body };
    let mut inspector = 0;
    if wide && has_inspector {
        let wish = sizes.inspector.map_or((width * 34 / 100).clamp(46, 72), |share| share.of(width));
        let others = least_left + if has_output { least_output } else { 0 };
        inspector = if others == 0 { width } else { wish.max(least_inspector).min(width - others) };
    }
    let rest = width - inspector;
    let least_right = match (wide, has_output, has_inspector) {
        (true, false, _) | (false, false, false) => 0,
        (true, true, _) | (false, true, false) => least_output,
        (false, _, true) => least_inspector,
    };
    let left = match (has_left, least_right) {
        (false, _) => 0,
        (true, 0) => rest,
        (true, _) => {
            let wish = sizes.left.map_or(rest / 2, |share| share.of(width));
            wish.max(least_left).min(rest - least_right)
        }
    };
    (cut(0, left), [cut(left, rest - left), cut(rest, inspector)])
}

/// Two panes one above the other, of which either may be missing. The lower one gets what was wished,
/// else `usual` rows.
fn stack(
    area: Rect,
    panes: [Pane; 2],
    shows: impl Fn(Pane) -> bool,
    wish: Option<Share>,
    usual: u16,
) -> (Rect, Rect) {
    let [above, below] = panes;
    let lower = match (shows(above), shows(below)) {
        (true, true) => {
            let wish = wish.map_or(usual, |share| share.of(area.height));
            wish.max(rows(below)).min(area.height.saturating_sub(rows(above)))
        }
        (false, true) => area.height,
        (_, false) => 0,
    };
    let upper = area.height - lower;
    let cut = |y: u16, height: u16| if height == 0 { Rect::default() } else { Rect { y, height, ..area } };
    (cut(area.y, upper), cut(area.y + upper, lower))
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

    fn subsets() -> impl Iterator<Item = Vec<Pane>> {
        (0..16u8).map(|bits| {
            Pane::ALL.into_iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, p)| p).collect()
        })
    }

    fn wishes() -> Vec<Wishes> {
        let shares = [None, Some(Share::new(0, 1)), Some(Share::new(1, 3)), Some(Share::new(1, 1))];
        let mut out = vec![Wishes { zoomed: true, ..Wishes::default() }];
        for hidden in subsets() {
            for left in shares {
                for other in shares {
                    let sizes = Sizes { left, prompt: other, inspector: other };
                    out.push(Wishes { hidden: hidden.clone(), medium: sizes, wide: sizes, zoomed: false });
                }
            }
        }
        out
    }

    /// At every size and with every wish the panes tile the screen: no cell belongs to two, none
    /// reaches outside, and each pane that is shown is large enough to be of use.
    #[test]
    fn areas_tile_the_screen() {
        let wishes = wishes();
        for width in [0, 39, 40, 57, 69, 70, 71, 80, 97, 120, 129, 130, 131, 160, 211, 500] {
            for height in [0, 9, 10, 15, 17, 18, 19, 24, 25, 26, 40, 45, 83, 200] {
                for focus in Pane::ALL {
                    for wish in &wishes {
                        check((width, height), focus, wish);
                    }
                }
            }
        }
    }

    fn check(size: (u16, u16), focus: Pane, wish: &Wishes) {
        let (width, height) = size;
        let Some(a) = areas(size, focus, wish) else {
            assert!(width < 40 || height < 10);
            return;
        };
        let all = [a.grammar, a.prompt, a.output, a.inspector, a.status, a.footer];
        let cells: u32 = all.iter().map(|r| r.area()).sum();
        assert_eq!(cells, u32::from(width) * u32::from(height), "{size:?} {wish:?} {a:?}");
        for (i, x) in all.iter().enumerate() {
            assert!(x.right() <= width && x.bottom() <= height);
            assert!(all[i + 1..].iter().all(|y| !x.intersects(*y)), "{size:?} {wish:?} {a:?}");
        }
        for pane in Pane::ALL {
            let area = a.pane(pane);
            let is_shown = pane == focus || (!a.single && wish.shows(pane));
            assert_eq!(!area.is_empty(), is_shown, "{pane:?} {size:?} {wish:?}");
            let (columns, rows) = if a.single { (40, 8) } else { (24, rows(pane)) };
            assert!(area.is_empty() || (area.width >= columns && area.height >= rows), "{pane:?} {a:?}");
        }
    }

    /// An edge that is put somewhere is found there, as far as the panes' least sizes allow.
    #[test]
    fn an_edge_goes_where_it_is_put() {
        for size in [(80, 24), (120, 40), (160, 45), (131, 27)] {
            let before = areas(size, Pane::Grammar, &Wishes::default()).unwrap();
            for edge in Edge::ALL {
                for (column, row) in (0..size.0).step_by(3).zip((0..size.1).cycle()) {
                    let mut wishes = Wishes::default();
                    let sizes = if before.wide { &mut wishes.wide } else { &mut wishes.medium };
                    *sizes.of(edge) = Some(before.size_at(edge, column, row));
                    let after = areas(size, Pane::Grammar, &wishes).unwrap();
                    let cells = after.edge(edge);
                    assert_eq!(after.edge_at(cells.x, cells.y + 1), Some(edge), "{size:?}");
                    let (wanted, got) =
                        if cells.height == 2 { (row, cells.y + 1) } else { (column, cells.x + 1) };
                    let (lowest, highest) = match edge {
                        Edge::Prompt => (6, size.1 - 2 - 3),
                        Edge::Inspector if before.wide => (24 + 24, size.0 - 34),
                        Edge::Inspector => (5, size.1 - 2 - 8),
                        Edge::Left if before.wide => (24, before.inspector.x - 24),
                        Edge::Left => (24, size.0 - 34),
                    };
                    assert_eq!(got, wanted.clamp(lowest, highest), "{edge:?} at {size:?}");
                }
            }
        }
    }
}
