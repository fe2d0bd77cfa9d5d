//! Stand-ins in ASCII for the signs that the program itself draws with: the font of the Linux console
//! has few of them, and a terminal without UTF-8 none. What others wrote is not changed.

use ratatui::buffer::Buffer;

/// Replaces the program's signs in a finished frame.
pub fn fit(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if let Some(stand_in) = stand_in(cell.symbol()) {
            cell.set_symbol(stand_in);
        }
    }
}

fn stand_in(symbol: &str) -> Option<&'static str> {
    Some(match symbol {
        "╭" | "╮" | "╰" | "╯" | "┏" | "┓" | "┗" | "┛" => "+",
        "─" | "—" | "–" | "▄" => "-",
        "│" | "▕" => "|",
        "━" | "▌" | "▍" | "▎" | "▏" | "▅" | "‖" => "=",
        "┃" | "█" | "▉" | "▊" | "▋" | "▐" | "■" | "∎" => "#",
        "▁" => "_",
        "▂" | "·" => ".",
        "▃" => ":",
        "▆" => "+",
        "▇" | "●" | "•" | "◆" => "*",
        "○" | "◌" => "o",
        "▸" | "→" | "⇥" | "⟩" | "›" => ">",
        "←" | "⟨" => "<",
        "⟦" => "[",
        "⟧" => "]",
        "↑" | "▲" => "^",
        "↓" => "v",
        "✓" => "y",
        "✗" => "x",
        "≠" => "!",
        "…" => "~",
        "⏎" => "$",
        "“" | "”" => "\"",
        "µ" => "u",
        _ if symbol.starts_with(|c| matches!(c, '\u{2400}'..='\u{2426}' | '\u{fffd}')) => "?",
        _ => return None,
    })
}
