//! Near misses: texts close to the accepted cases that a grammar accepts too.
//!
//! Every accepted text is changed in small ways (a character, a word or a line left out, doubled,
//! exchanged or replaced; the beginning of one text joined to the end of another), and the grammar is
//! asked about each result. What it accepts and nobody wrote down is what it may be too generous
//! about. The same cases, number and seed give the same result.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;
use std::time::Instant;

use super::{Case, TIME_LIMIT};
use crate::engine::check::accepts_while;
use crate::engine::diagnostic::characters;
use crate::engine::grammar::Compiled;
use crate::engine::splitmix::Random;

/// Most texts that are tried.
const MAX_TRIES: usize = 5_000;

/// Most bytes of all texts that are tried: a few seconds for the grammar of a programming language.
const MAX_BYTES_TRIED: usize = 1 << 20;

/// Most bytes of an accepted text that are changed; of a longer one, the first ones.
const MAX_CHANGED: usize = 4096;

/// How many other words, and how many other characters, are tried in place of one.
const REPLACEMENTS: usize = 3;

/// In a text of no more bytes than this, every sign is put in everywhere.
const EVERY_SIGN: usize = 200;

/// How many ends of other texts are tried for a text.
const SPLICES: usize = 64;

/// What was tried and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The most surprising ones, in order.
    pub near: Vec<NearMiss>,
    /// How many texts were tried.
    pub tried: usize,
    /// How many of them the grammar accepts.
    pub accepted: usize,
}

/// A text that the grammar accepts and that is close to a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The case, by its place in the list that was given.
    pub case: usize,
    /// What was done to its text.
    pub change: Change,
    /// How many other changes of the same sort are accepted.
    pub more: usize,
}

/// A part of a text and what takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The part, in bytes.
    pub span: Range<usize>,
    /// What stands there instead.
    pub new: Vec<u8>,
}

impl Change {
    /// The text with this change.
    pub fn apply(&self, text: &[u8]) -> Vec<u8> {
        [&text[..self.span.start], &self.new, &text[self.span.end..]].concat()
    }

    /// The same change without the bytes that stay as they are.
    fn trimmed(mut self, text: &[u8]) -> Self {
        let is_inside = |at: usize, bytes: &[u8]| bytes.get(at).is_some_and(|b| b & 0xc0 == 0x80);
        let mut before = common(text[self.span.clone()].iter(), self.new.iter());
        while before > 0 && (is_inside(self.span.start + before, text) || is_inside(before, &self.new)) {
            before -= 1;
        }
        self.new.drain(..before);
        self.span.start += before;
        let mut after = common(text[self.span.clone()].iter().rev(), self.new.iter().rev());
        while after > 0 && text[self.span.end - after] & 0xc0 == 0x80 {
            after -= 1;
        }
        self.new.truncate(self.new.len() - after);
        self.span.end -= after;
        self
    }

    /// How many bytes were changed.
    pub fn distance(&self) -> usize {
        self.span.len().max(self.new.len())
    }
}

fn common<'a>(one: impl Iterator<Item = &'a u8>, other: impl Iterator<Item = &'a u8>) -> usize {
    one.zip(other).take_while(|(a, b)| a == b).count()
}

/// Looks for at most `most` near misses of `cases`, whose texts the grammar accepts. `known` are texts
/// that somebody has written down. `None` if `go_on` said no.
pub fn search(
    grammar: &Compiled,
    cases: &[&Case],
    known: &[&Case],
    most: usize,
    seed: u64,
    go_on: &mut dyn FnMut() -> bool,
) -> Option<Found> {
    let mut random = Random(seed);
    let mut changes: Vec<(usize, Change)> = Vec::new();
    let texts: Vec<Text<'_>> = cases.iter().map(|case| Text::of(&case.text)).collect();
    let signs = signs(cases);
    // Twice as many as are tried: some are the same.
    let most_of_each = (2 * MAX_TRIES).div_ceil(cases.len().max(1));
    for (case, text) in texts.iter().enumerate() {
        if !go_on() {
            return None;
        }
        let mut of_text = of_text(&texts, text, &signs, &mut random);
        if of_text.len() > most_of_each {
            random.shuffle(&mut of_text);
            of_text.truncate(most_of_each);
        }
        changes.extend(of_text.into_iter().map(|change| (case, change)));
    }
    random.shuffle(&mut changes);
    let mut seen: HashSet<Vec<u8>> = known.iter().chain(cases).map(|case| case.text.to_vec()).collect();
    let (mut found, mut bytes) = (Found::default(), 0);
    // One of each sort of change: the nearest, with how many there are.
    let mut sorts: BTreeMap<Sort, (Rank, usize)> = BTreeMap::new();
    for (index, change) in changes {
        let case = cases[index];
        let text = change.apply(&case.text);
        if found.tried == MAX_TRIES || bytes + text.len() > MAX_BYTES_TRIED {
            break;
        }
        if !seen.insert(text.clone()) {
            continue;
        }
        found.tried += 1;
        bytes += text.len();
        if !accepts(grammar, &text, go_on)? {
            continue;
        }
        found.accepted += 1;
        let change = change.trimmed(&case.text);
        let rank = Rank {
            is_expected: shape(&case.text) == shape(&text),
            distance: change.distance(),
            case: index,
            start: change.span.start,
            new: change.new.clone(),
            end: change.span.end,
        };
        let entry = sorts.entry(Sort::of(&change, &case.text, rank.is_expected));
        let (best, count) = entry.or_insert_with(|| (rank.clone(), 0));
        *count += 1;
        if rank < *best {
            *best = rank;
        }
    }
    let mut ranks: Vec<(Rank, usize)> = sorts.into_values().collect();
    ranks.sort();
    found.near = ranks
        .into_iter()
        .take(most)
        .map(|(rank, count)| NearMiss {
            case: rank.case,
            change: Change { span: rank.start..rank.end, new: rank.new },
            more: count - 1,
        })
        .collect();
    Some(found)
}

/// Whether a grammar accepts a text; a text that takes it past its limits, or too long, it does not. `None`
/// if `go_on` said no.
fn accepts(grammar: &Compiled, text: &[u8], go_on: &mut dyn FnMut() -> bool) -> Option<bool> {
    let begun = Instant::now();
    let mut is_stopped = false;
    let is_accepted = accepts_while(grammar, text, &mut || {
        is_stopped = !go_on();
        !is_stopped && begun.elapsed() <= TIME_LIMIT
    });
    (!is_stopped).then(|| is_accepted.unwrap_or(false))
}

/// How surprising a near miss is: the least is the most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Whether only words and numbers are others, which most grammars are meant to allow.
    is_expected: bool,
    distance: usize,
    case: usize,
    start: usize,
    end: usize,
    new: Vec<u8>,
}

/// What makes two changes alike.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Sort {
    is_expected: bool,
    old: Vec<u8>,
    new: Vec<u8>,
    before: Option<u8>,
    after: Option<u8>,
}

impl Sort {
    fn of(change: &Change, text: &[u8], is_expected: bool) -> Self {
        let near = |byte: Option<&u8>| byte.map(|&byte| class(byte));
        let before = change.span.start.checked_sub(1).and_then(|at| text.get(at));
        Self {
            is_expected,
            old: shape(&text[change.span.clone()]),
            new: shape(&change.new),
            before: near(before),
            after: near(text.get(change.span.end)),
        }
    }
}

/// A text with every word, every number, every run of blanks and what stands in quotes made one.
fn shape(text: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(&byte) = text.get(at) {
        at += 1;
        let class = class(byte);
        if !(out.last() == Some(&class) && matches!(class, b'a' | b'0' | b' ')) {
            out.push(class);
        }
        if matches!(byte, b'"' | b'\'')
            && let Some(length) = quoted(&text[at..], byte)
        {
            at += length;
            out.push(byte);
        }
    }
    out
}

/// The length of what goes up to the closing `quote` on the same line, that included.
fn quoted(text: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'\n' => return None,
            b'\\' => at += 2,
            &byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// A letter, a digit, a blank, a line break, or itself.
fn class(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => b'a',
        b'0'..=b'9' => b'0',
        b' ' | b'\t' => b' ',
        other => other,
    }
}

/// A text and what it is cut into.
struct Text<'a> {
    whole: &'a [u8],
    /// What is changed of it: not more than [`MAX_CHANGED`] bytes.
    text: &'a [u8],
    chars: Vec<Range<usize>>,
    words: Vec<Range<usize>>,
    /// The words of its end, which is as long.
    ends: Vec<Range<usize>>,
}

impl<'a> Text<'a> {
    fn of(whole: &'a [u8]) -> Self {
        let text = &whole[..whole.len().min(MAX_CHANGED)];
        let end = whole.len() - text.len();
        let ends = words(&whole[end..]).into_iter().map(|word| word.start + end..word.end + end).collect();
        Self { whole, text, chars: characters(text).collect(), words: words(text), ends }
    }
}

/// Every change that is tried with a text.
fn of_text(texts: &[Text<'_>], of: &Text<'_>, signs: &[u8], random: &mut Random) -> Vec<Change> {
    let Text { whole, text, chars, words, .. } = of;
    let mut out = Vec::new();
    for parts in [chars, words, &lines(text)] {
        for (i, part) in parts.iter().enumerate() {
            let old = &text[part.clone()];
            out.push(Change { span: part.clone(), new: Vec::new() });
            out.push(Change { span: part.end..part.end, new: old.to_vec() });
            if let Some(next) = parts.get(i + 1) {
                let new = [&text[next.clone()], old].concat();
                out.push(Change { span: part.start..next.end, new });
            }
        }
    }
    // Words and characters of any case may stand in the place of one.
    for (parts, is_words) in [(chars, false), (words, true)] {
        for part in parts {
            for _ in 0..REPLACEMENTS {
                let other = &texts[random.below(texts.len())];
                if let Some(taken) = random.pick(if is_words { &other.words } else { &other.chars }) {
                    out.push(Change { span: part.clone(), new: other.text[taken.clone()].to_vec() });
                }
            }
        }
    }
    // Signs of any case may stand between two words.
    for at in words.iter().map(|word| word.start).chain([text.len()]) {
        let insert = |sign: u8| Change { span: at..at, new: vec![sign] };
        if text.len() <= EVERY_SIGN {
            out.extend(signs.iter().map(|&sign| insert(sign)));
        } else {
            out.extend((0..REPLACEMENTS).filter_map(|_| random.pick(signs).map(|&sign| insert(sign))));
        }
    }
    for _ in 0..SPLICES {
        let other = &texts[random.below(texts.len())];
        if let (Some(here), Some(there)) = (random.pick(words), random.pick(&other.ends)) {
            out.push(Change { span: here.start..whole.len(), new: other.whole[there.start..].to_vec() });
        }
    }
    out
}

/// Every sign and blank of the cases, once.
fn signs(cases: &[&Case]) -> Vec<u8> {
    let is_sign = |byte: &u8| byte.is_ascii_punctuation() || matches!(byte, b' ' | b'\n');
    let all = cases.iter().flat_map(|case| case.text.iter().take(MAX_CHANGED));
    all.copied().filter(is_sign).collect::<BTreeSet<u8>>().into_iter().collect()
}

/// Every word, number, run of blanks, and single sign.
fn words(text: &[u8]) -> Vec<Range<usize>> {
    let is_word = |class: u8| matches!(class, b'a' | b'0');
    let mut out: Vec<Range<usize>> = Vec::new();
    for (at, &byte) in text.iter().enumerate() {
        let class = class(byte);
        match out.last_mut() {
            Some(last) if joins(self::class(text[at - 1]), class, is_word) => last.end = at + 1,
            _ => out.push(at..at + 1),
        }
    }
    out
}

fn joins(before: u8, class: u8, is_word: impl Fn(u8) -> bool) -> bool {
    (is_word(before) && is_word(class)) || (before == b' ' && class == b' ')
}

/// Every line with its line break.
fn lines(text: &[u8]) -> Vec<Range<usize>> {
    let mut at = 0;
    text.split_inclusive(|&b| b == b'\n')
        .map(|line| {
            at += line.len();
            at - line.len()..at
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_people_would() {
        let cut = |parts: Vec<Range<usize>>, text: &str| -> Vec<String> {
            parts.into_iter().map(|r| String::from_utf8_lossy(&text.as_bytes()[r]).into_owned()).collect()
        };
        let text = "ab_1 +  é\n\n";
        assert_eq!(cut(words(text.as_bytes()), text), ["ab_1", " ", "+", "  ", "é", "\n", "\n"]);
        assert_eq!(cut(lines(text.as_bytes()), text), ["ab_1 +  é\n", "\n"]);
    }

    #[test]
    fn what_stays_is_no_part_of_a_change() {
        let trimmed = |text: &str, span: Range<usize>, new: &str| {
            let change = Change { span, new: new.as_bytes().to_vec() };
            let after = change.clone().trimmed(text.as_bytes());
            assert_eq!(after.apply(text.as_bytes()), change.apply(text.as_bytes()));
            (after.span, String::from_utf8(after.new).expect("characters stay whole"))
        };
        assert_eq!(trimmed("one two", 0..7, "one, two"), (3..3, ",".into()));
        assert_eq!(trimmed("aXb", 0..3, "aYb"), (1..2, "Y".into()));
        assert_eq!(trimmed("aa", 0..2, "aaa"), (2..2, "a".into()));
        // é and è share their first byte, é and ũ their last.
        assert_eq!(trimmed("é", 0..2, "è"), (0..2, "è".into()));
        assert_eq!(trimmed("\u{e9}", 0..2, "\u{169}"), (0..2, "\u{169}".into()));
    }

    #[test]
    fn shapes_forget_words_and_numbers_alone() {
        assert_eq!(shape(b"total = 12;"), shape(b"x = 3;"));
        assert_ne!(shape(b"total = 12;"), shape(b"total= 12;"));
        assert_ne!(shape(b"a;;"), shape(b"a;"));
        assert_eq!(shape(br#"f("a, \"b", '"')"#), shape(br#"f("", 'x y')"#));
        assert_ne!(shape(b"it's\nit's"), shape(b"it's\nit, s"));
    }

    fn case(text: &[u8]) -> Case {
        let origin = super::super::Origin::Example(1);
        Case { name: "x".into(), entry: None, wants: super::super::Wants::Accept, text: text.into(), origin }
    }

    #[test]
    fn changes_of_long_texts_are_short() {
        let long = "some words\n".repeat(100_000);
        let (long, short) = (Text::of(long.as_bytes()), Text::of(b"a b"));
        let mut random = Random(0);
        for change in of_text(&[long, short], &Text::of(b"a b\nc"), b",", &mut random) {
            assert!(change.new.len() <= MAX_CHANGED, "{}", change.new.len());
        }
        // What takes the place of an end is an end.
        let text = [&b"x ".repeat(5_000)[..], b"end"].concat();
        assert_eq!(Text::of(&text).ends.last(), Some(&(10_000..10_003)));
    }

    #[test]
    fn many_cases_share_what_is_tried_and_can_be_stopped() {
        use crate::engine::grammar::{Compiler, GrammarSource};
        use crate::engine::vocabulary::{SpecialTokens, Vocabulary};
        let words = (0..=254).map(|byte| vec![byte]).chain([b"<eos>".to_vec()]).collect();
        let special = SpecialTokens { bos: None, eos: vec![255] };
        let vocabulary = Vocabulary::from_words(words, &special).unwrap();
        let source = GrammarSource::lark("letters", "start: /[a-z \\n]*/");
        let compiled = Compiler::new(&vocabulary).unwrap().try_compile(&source).unwrap();
        let cases: Vec<Case> = (b'a'..=b'z').map(|letter| case(&[letter, b' '].repeat(40))).collect();
        let cases: Vec<&Case> = cases.iter().collect();
        let mut asked = 0;
        let mut go_on = || {
            asked += 1;
            asked < 3
        };
        // It is asked while changes are made, too.
        assert_eq!(search(&compiled, &cases, &[], 10, 0, &mut go_on), None);
        assert_eq!(asked, 3);
        let found = search(&compiled, &cases, &[], 10, 0, &mut || true).unwrap();
        assert!((MAX_TRIES / 2..=MAX_TRIES).contains(&found.tried), "{}", found.tried);
    }
}
