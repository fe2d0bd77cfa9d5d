//! Texts: this project's own sources mixed with characters from everywhere.

use std::path::Path;

/// Numbers that look random, the same in every run.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    pub fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Characters and clusters that tokenizers cut in different ways.
const STRANGE: &[&str] = &[
    "汉字",
    "かな",
    "カナ",
    "한국어",
    "ไทย",
    "हिन्दी",
    "عربي",
    "עִבְרִית",
    "Русский",
    "ÀÉßœŁ",
    "İıſ",
    "e\u{301}",
    "ö\u{308}",
    "👩‍🔬",
    "😶‍🌫️",
    "🇩🇪",
    "👍🏽",
    "½",
    "²³",
    "٣٥",
    "𝟘𝟙",
    "Ⅷ",
    "\u{a0}",
    "\u{3000}",
    "\u{2028}",
    "\u{1}",
    "\u{7f}",
    "\u{fffd}",
    "\u{10ffff}",
    "\t",
    "\t\t",
    " ",
    "  ",
    "    ",
    "                ",
    "\r\n",
    "\n",
    "\n\n",
    "\r",
    "'s",
    "'LL",
    "don't",
    "?!",
    "...",
    "://",
    "->",
    "{}",
    "();",
    "==",
    "0",
    "7",
    "42",
    "123",
    "12345",
    "3.14",
    "1,000,000",
    "_",
    "snake_case",
    "camelCase",
    "SHOUT",
    "K",
    "ﬁ",
    "Ｆｕｌｌ",
    "！？",
    "「」",
    "▁",
    "Ġ",
    "<0x0A>",
    "<",
    "|",
    ">",
    "##ing",
    "a",
    "Z",
];

fn sources() -> Vec<String> {
    fn walk(folder: &Path, lines: &mut Vec<String>) {
        let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, lines);
            } else if path.extension().is_some_and(|e| e == "rs" || e == "lark") {
                let text = std::fs::read_to_string(path).unwrap();
                lines.extend(text.lines().filter(|l| !l.is_empty()).map(str::to_owned));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut lines = Vec::new();
    walk(&root.join("src"), &mut lines);
    walk(&root.join("grammars"), &mut lines);
    let nano = std::fs::read_to_string(root.join("tests/fixtures/nano.txt")).unwrap();
    lines.extend(nano.lines().filter(|l| !l.is_empty()).map(str::to_owned));
    lines
}

/// Texts of up to some dozens of characters: lines of code, strange characters, and mixtures.
pub fn texts(count: usize, seed: u64) -> Vec<String> {
    let mut chance = Chance::new(seed);
    let code = sources();
    let strange = |chance: &mut Chance| -> String {
        let pieces = 1 + chance.below(12);
        (0..pieces).map(|_| *chance.of(STRANGE)).collect()
    };
    (0..count)
        .map(|_| match chance.below(4) {
            0 => chance.of(&code).clone(),
            1 => strange(&mut chance),
            2 => char::from_u32(chance.below(0x11_0000) as u32).map(String::from).unwrap_or_default(),
            _ => {
                let line: Vec<char> = chance.of(&code).chars().collect();
                let at = chance.below(line.len());
                let (left, right): (String, String) =
                    (line[..at].iter().collect(), line[at..].iter().take(20).collect());
                format!("{left}{}{right}", strange(&mut chance))
            }
        })
        .collect()
}
