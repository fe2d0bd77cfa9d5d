//! The prompt as the model reads it, token by token: special tokens in brackets and a colour of their
//! own, every second token underlined, so that where they meet is seen without any colour.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::app::state::State;
use crate::engine::trace::TokenId;
use crate::engine::vocabulary::Vocabulary;

use super::glyphs::{glyphs, width};
use super::layout;
use super::overlay;
use super::pen::Pen;
use super::theme::{Role, Theme};
use super::wrap;

/// Columns of the overlay, where there is room.
const COLUMNS: u16 = 100;

/// Rows of text that the overlay has room for at least, so that an error fits too.
const LEAST_ROWS: usize = 6;

/// A part of one token in one row.
struct Piece {
    text: String,
    /// The token's place in the prompt.
    index: usize,
    is_special: bool,
}

/// How far the prompt can be scrolled.
pub fn last_top(state: &State) -> usize {
    let inside = layout::inside(area(state));
    rows(state, usize::from(inside.width)).len().saturating_sub(text_height(inside))
}

pub(super) fn area(state: &State) -> Rect {
    let columns = layout::inside(overlay::centred(state.size, COLUMNS, state.size.1)).width;
    let rows = rows(state, usize::from(columns)).len().clamp(LEAST_ROWS, usize::from(u16::MAX) - 3);
    overlay::centred(state.size, COLUMNS, rows as u16 + 3)
}

/// The last row is the legend.
fn text_height(inside: Rect) -> usize {
    usize::from(inside.height.saturating_sub(1))
}

/// Draws the overlay, from row `top` of the prompt on.
pub fn draw(buffer: &mut Buffer, state: &State, theme: &Theme, top: usize) {
    let mode = state.mode();
    let inside =
        overlay::open(buffer, theme, area(state), &format!("Prompt as the model reads it · {}", mode.name()));
    let base = theme.style(Role::Overlay);
    let (message, role) = match &state.chat.rendered.tokens {
        None => ("…".to_owned(), Role::Dim),
        Some(Err(message)) => (message.clone(), Role::Error),
        Some(Ok(_)) => {
            draw_tokens(buffer, state, theme, inside, top);
            return;
        }
    };
    let message = crate::sanitize::line(&message);
    let columns = usize::from(inside.width.saturating_sub(2));
    for (y, row) in wrap::rows(&message, columns).iter().enumerate().take(usize::from(inside.height)) {
        let text = message[row.start..row.end].trim_end();
        Pen::new(buffer, inside, y as u16).skip(1).put(text, base.patch(theme.text(role)));
    }
}

fn draw_tokens(buffer: &mut Buffer, state: &State, theme: &Theme, inside: Rect, top: usize) {
    let base = theme.style(Role::Overlay);
    let rows = rows(state, usize::from(inside.width));
    let height = text_height(inside);
    let top = top.min(rows.len().saturating_sub(height));
    for (y, row) in rows.iter().skip(top).take(height).enumerate() {
        let mut pen = Pen::new(buffer, inside, y as u16);
        pen.skip(1);
        for piece in row {
            pen.put(&piece.text, style(theme, base, piece));
        }
    }
    let tokens = state.chat.rendered.tokens.as_ref().and_then(|t| t.as_ref().ok()).map_or(0, Vec::len);
    let mut pen = Pen::new(buffer, inside, inside.height.saturating_sub(1));
    let dim = base.patch(theme.text(Role::Dim));
    pen.skip(1).put(&format!("{tokens} tokens"), base).put("  ", dim);
    pen.put("⟦special⟧", base.patch(theme.text(Role::Special))).put("  every ", dim);
    pen.put("second", dim.add_modifier(Modifier::UNDERLINED)).put(" token underlined", dim);
    if rows.len() > height {
        pen.at_right(&format!("{}–{} of {} ", top + 1, (top + height).min(rows.len()), rows.len()), dim);
    }
}

fn style(theme: &Theme, base: Style, piece: &Piece) -> Style {
    let style = if piece.is_special { base.patch(theme.text(Role::Special)) } else { base };
    if piece.index.is_multiple_of(2) { style } else { style.add_modifier(Modifier::UNDERLINED) }
}

/// The prompt in rows of at most `columns` columns, the margins counted.
fn rows(state: &State, columns: usize) -> Vec<Vec<Piece>> {
    let tokens = state.chat.rendered.tokens.as_ref().and_then(|t| t.as_ref().ok());
    let (Some(tokens), Some(vocabulary)) = (tokens, state.model.vocabulary()) else { return Vec::new() };
    let room = columns.saturating_sub(2).max(1);
    let mut rows = vec![Vec::new()];
    let mut column = 0;
    for (index, &token) in tokens.iter().enumerate() {
        let is_special = vocabulary.is_special(token);
        let text = shown(vocabulary, token);
        let mut piece = Piece { text: String::new(), index, is_special };
        let flush = |piece: &mut Piece, rows: &mut Vec<Vec<Piece>>| {
            let text = std::mem::take(&mut piece.text);
            if let Some(row) = rows.last_mut().filter(|_| !text.is_empty()) {
                row.push(Piece { text, index, is_special });
            }
        };
        for glyph in glyphs(&text, 0) {
            if column + glyph.width > room {
                flush(&mut piece, &mut rows);
                rows.push(Vec::new());
                column = 0;
            }
            piece.text.push_str(&glyph.symbol);
            column += width(&glyph.symbol, 0);
            if glyph.symbol == "⏎" && !is_special {
                flush(&mut piece, &mut rows);
                rows.push(Vec::new());
                column = 0;
            }
        }
        flush(&mut piece, &mut rows);
    }
    rows
}

/// A token's text; bytes that are a part of a character as their numbers.
fn shown(vocabulary: &Vocabulary, token: TokenId) -> Cow<'_, str> {
    let bytes = vocabulary.bytes(token);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => bytes.iter().map(|b| format!("⟨{b:02X}⟩")).collect(),
    };
    if vocabulary.is_special(token) {
        Cow::Owned(format!("⟦{text}⟧"))
    } else {
        Cow::Owned(text.replace('\n', "⏎"))
    }
}
