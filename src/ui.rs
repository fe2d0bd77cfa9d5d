//! Drawing: a function of the [`State`] that writes cells. It never changes the state, reads a
//! clock or does I/O.
//!
//! ```text
//! ╭ Grammar · name, kind ────────╮╭ Output · language ──────────╮╭ Inspector ──────────────────╮
//! │● 1 line                      ││ text, forced tokens         ││ token  kind            n / m │
//! │  2 line, a gutter with marks ││ underlined, the selected    ││ allowed, removed, entropy,   │
//! │    and line numbers          ││ token lit                   ││ times                        │
//! │                              ││                             ││ before the mask   after      │
//! │● 1:5 what is wrong           ││                             ││ ✗ token ▉▉▉ 31%   ▸ tok 91%  │
//! ╰──────────────────────────────╯│                             ││                              │
//! ╭ Prompt ──────────────────────╮│                             ││ allowed  rejected     1 / 80 │
//! │ text                         ││                             ││ / search                     │
//! │                              ││                             ││   123  token          12.0%  │
//! ╰──────────────────────────────╯╰─────────────────────────────╯╰──────────────────────────────╯
//!  ● running   412 tokens, 96 forced   810 tok/s   mask p50 41 µs      model on device  ✓ grammar
//!  F5 run  F10 step  Tab pane  Ctrl-O examples  F1 keys  Ctrl-Q quit
//! ```
//!
//! Below 130 columns the inspector stands under the output; below 70 columns or 18 rows one pane
//! has the screen and the others are tabs in its border.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::state::{Pane, State};

pub mod ascii;
pub mod candidates;
pub mod compare;
pub mod corner;
pub mod depth;
pub mod editor;
pub mod field;
pub mod find;
pub mod format;
pub mod frame;
pub mod glyphs;
pub mod grammar;
pub mod graphs;
pub mod heat;
pub mod highlight;
pub mod inspector;
pub mod layout;
pub mod look;
pub mod output;
pub mod overlay;
pub mod palette;
pub mod pen;
pub mod prompt;
pub mod rendered;
pub mod scroll;
pub mod status;
pub mod tabs;
pub mod theme;
pub mod tokens;
pub mod tree;
pub mod whereabouts;
pub mod wrap;

use depth::ColorDepth;
use highlight::HighlightCache;
use pen::Pen;
use theme::{Role, Theme};

/// The most characters of a name in the title of the terminal's window.
const TITLE: usize = 80;

/// What drawing keeps from frame to frame: the theme and caches. Losing it changes no frame.
pub struct View {
    theme: Theme,
    depth: ColorDepth,
    in_ascii: bool,
    grammar: HighlightCache,
    output: HighlightCache,
}

impl View {
    /// A view for a terminal with so many colours.
    pub fn new(depth: ColorDepth) -> Self {
        Self {
            theme: Theme::shipped(theme::ThemeName::default()),
            depth,
            in_ascii: false,
            grammar: HighlightCache::new(),
            output: HighlightCache::new(),
        }
    }

    /// The same view for a terminal that has no other signs than those of ASCII, if `yes`.
    #[must_use]
    pub fn in_ascii(self, yes: bool) -> Self {
        Self { in_ascii: yes, ..self }
    }

    /// Whether the next frame would show more than this one, although nothing has happened: highlighting
    /// a long text takes some frames.
    pub fn is_behind(&self) -> bool {
        self.grammar.is_behind() || self.output.is_behind()
    }

    /// How many lines of output have been parsed for highlighting so far.
    pub fn parsed_output_lines(&self) -> usize {
        self.output.parsed()
    }
}

/// Draws the whole screen.
pub fn draw(frame: &mut Frame, state: &State, view: &mut View) {
    let theme = state.shown_theme();
    if *view.theme.name() != theme {
        view.theme = Theme::shipped(theme);
    }
    let screen = frame.area();
    let caret = draw_screen(frame.buffer_mut(), screen, state, view);
    depth::fit(frame.buffer_mut(), view.depth, &view.theme);
    if view.in_ascii {
        ascii::fit(frame.buffer_mut());
    }
    if let Some(caret) = caret
        && screen.contains(caret)
    {
        frame.set_cursor_position(caret);
    }
}

/// Draws everything; returns where the terminal's own cursor goes.
fn draw_screen(buffer: &mut Buffer, screen: Rect, state: &State, view: &mut View) -> Option<Position> {
    buffer.set_style(screen, view.theme.base());
    // The terminal may have changed its size since the state last heard of it.
    let fits = (screen.width, screen.height) == state.size;
    let Some(areas) = state.areas().filter(|_| fits) else {
        too_small(buffer, screen, &view.theme);
        return None;
    };
    for pane in Pane::ALL {
        if areas.pane(pane).is_empty() {
            continue;
        }
        let inside = frame::pane(buffer, state, &view.theme, &areas, pane);
        match pane {
            Pane::Grammar => grammar::draw(buffer, state, view),
            Pane::Prompt => prompt::draw(buffer, state, view),
            Pane::Output => output::draw(buffer, state, view, inside),
            Pane::Inspector => inspector::draw(buffer, state, &view.theme, inside),
        }
    }
    status::draw(buffer, areas.status, state, &view.theme);
    status::footer(buffer, areas.footer, state, &view.theme);
    frame::light_edge(buffer, state, &view.theme, &areas);
    find::draw(buffer, state, &view.theme);
    let in_overlay = overlay::draw(buffer, state, &view.theme);
    corner::draw(buffer, state, &view.theme);
    in_overlay.or_else(|| caret(state))
}

/// Where the terminal's own cursor goes in the focused text; `None` while something floats above it.
pub fn caret(state: &State) -> Option<Position> {
    if state.overlay.is_some() {
        return None;
    }
    let parts = || editor::parts(state, state.focus);
    if let Some(parts) = parts()
        && !parts.bar.is_empty()
    {
        return find::caret(state, parts.bar);
    }
    match state.focus {
        Pane::Grammar => editor::caret(&state.grammar.buffer, &parts()?),
        Pane::Prompt => editor::caret(state.prompt_text(), &parts()?),
        Pane::Output => None,
        Pane::Inspector => inspector::caret(state),
    }
}

/// The title for the terminal's window: what is under edit, and `*` if that is not saved.
pub fn title(state: &State) -> String {
    let name: String = state.grammar.name.chars().take(TITLE).collect();
    let mark = if state.is_saved() { "" } else { "*" };
    format!("maze - {}{mark}", crate::sanitize::line(&name))
}

fn too_small(buffer: &mut Buffer, screen: Rect, theme: &Theme) {
    let (columns, rows) = layout::SMALLEST;
    let style = theme.text(Role::Dim);
    Pen::new(buffer, screen, 0).put("Terminal too small", style);
    Pen::new(buffer, screen, 1)
        .put(&format!("{}x{}, needs {columns}x{rows}", screen.width, screen.height), style);
}
