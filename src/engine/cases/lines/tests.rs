//! Cases that are written and read again, wherever they stand; and how they are put at an end.

use super::*;

/// Texts that a line editor, a comment, a bar or a JSON string could lose a part of.
const TEXTS: [&str; 16] = [
    "",
    "\n",
    "\n\n",
    "a",
    "a\n",
    "\na",
    "a\n\n\nb\n",
    " a \n b",
    "a\r\nb",
    "a\tb\n\tc",
    "\"quoted\" \\ back\n\\n",
    "| bar\n// comment\n# hash",
    "// accept \"x\"\n// | y\n",
    "é日本🦀\u{202e}x\u{200b}\n\u{feff}",
    "\u{0}\u{1b}[31m\u{7f}",
    "@1:5: x\n: y",
];

/// A case that is written.
pub(in crate::engine::cases) struct Written {
    pub wants: Wants,
    pub name: &'static str,
    pub text: String,
}

/// Cases of every kind, with odd texts and some made by chance.
pub(in crate::engine::cases) fn written() -> Vec<Written> {
    let mut random = 1_u64;
    let mut next = |n: u64| {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (random >> 33) % n
    };
    let letters = ['a', ' ', '\n', '\n', '"', '\\', '|', '/', '#', '\r', '\t', 'é', '🦀', '\u{7f}', 'u'];
    let made: Vec<String> = (0..400)
        .map(|_| (0..next(12)).map(|_| letters[next(letters.len() as u64) as usize]).collect())
        .collect();
    let wants = [
        Wants::Accept,
        Wants::Reject(None),
        Wants::Reject(Some(At::End)),
        Wants::Reject(Some(At::Byte(7))),
        Wants::Reject(Some(At::Position(Position { line: 2, column: 13 }))),
    ];
    let texts = TEXTS.into_iter().map(str::to_owned).chain(made);
    let written = |(i, text)| Written { wants: wants[i % wants.len()], name: NAMES[i % NAMES.len()], text };
    texts.enumerate().map(written).collect()
}

const NAMES: [&str; 3] = ["", "a name", "\"odd"];

#[test]
fn what_is_added_changes_nothing_before_it() {
    let lines = "accept \"x\"\n";
    assert_eq!(append("", lines), lines);
    assert_eq!(append("\n\n", lines), lines);
    // The blanks are of the text.
    assert_eq!(append("accept: a\n| b  \n", lines), "accept: a\n| b  \n\naccept \"x\"\n");
    assert_eq!(append("// a\r\n", lines), "// a\r\n\r\naccept \"x\"\r\n");
}
