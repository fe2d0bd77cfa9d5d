//! The mask of a place in a grammar: a walk over the vocabulary's words that steps over what it knows.
//!
//! Most words go on in one lexeme: the rest of a name, of a string, of a comment. Where the lexer's state
//! takes every text of a [slice](SLICES), all words that go on with such a text are allowed, and a
//! precomputed mask takes the place of a walk over them. llguidance does so where a word begins; code needs
//! it within words too: after a blank a name begins, and half of a vocabulary are names with a blank before
//! them. So here words are cut where a name or a text may begin, and each cut has masks of its own.
//!
//! In a text of bounded length it does not matter which characters come, only how many: for that, words are also kept
//! by how many characters of a text they begin with.
//!
//! What is stepped over is decided by llguidance's own question whether a slice lies in a lexeme; this file
//! must never allow a word that a plain walk would not, nor leave one out.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use llguidance::derivre::Regex;
use llguidance::earley::{BiasComputer, ParserRecognizer};
use llguidance::toktrie::{Recognizer, SimpleVob, TokEnv, TokTrie};

use super::places::{Place, Shared};

/// Texts that recur in code, as regular expressions. llguidance knows them by their place here.
pub(super) const SLICES: [&str; 5] = [
    // What stands in strings and comments whose blanks have a bound, in every language: no two blanks in a
    // row, no quote, backslash or brace, and no byte order mark, which Go takes nowhere.
    // Of characters, also in a grammar of bytes.
    r#"(?u:( ?[^"'\\{}\x00-\x20\x7F\u{FEFF}])+)"#,
    // Strings of JSON, with the bounds that schemas give them, and without.
    r#"[^"\\\x00-\x1F\x7F]{1,10}"#,
    r#"[^"\\\x00-\x1F\x7F]{1,30}"#,
    r#"[^"\\\x00-\x1F\x7F]+"#,
    // The rest of a name.
    r"[a-zA-Z0-9_]+",
];

const _: () = assert!(2 * SLICES.len() <= u16::BITS as usize, "a state has two bits for each slice");

/// The one of the texts whose [characters](is_text) are counted.
pub(super) const TEXT: usize = 3;

/// Those that are asked for where a word begins, the widest first. Names are asked for by their first
/// letter, so that what is left of all words is not kept once more.
const WHOLE: &[usize] = &[TEXT, 2, 1, 0];

/// Those that are asked for within a word, the widest first.
const WITHIN: &[usize] = &[TEXT, 0, 4];

/// Words from which on a cut is worth its question.
const WORTH: usize = 32;

/// Words from which on a mask is kept and not a list.
const MANY: usize = 512;

/// How much work one question may be, in derivre's units.
pub(super) const BUDGET: u64 = 1000;

/// Nodes between two looks at whether the mask is still wanted.
const CHUNK: usize = 1024;

/// No token, or no cut.
pub(super) const NONE: u32 = u32::MAX;

/// A byte of some words. The nodes of a tree lie in order, each before what goes on after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// The word that ends here.
    pub token: u32,
    /// The nodes from here on that belong to it, itself included.
    pub size: u32,
    /// The cut after it.
    pub cut: u32,
    /// How many bytes a word has here.
    pub depth: u16,
    pub byte: u8,
}

/// A place in words where the lexer is asked whether it takes a slice.
#[derive(Debug)]
pub(super) struct Cut {
    pub slices: Vec<Slice>,
}

/// The words that go on after a cut with a text of a slice, and the others.
#[derive(Debug)]
pub(super) struct Slice {
    /// Its place in [`SLICES`].
    pub index: usize,
    /// The words of the slice.
    pub inside: Inside,
    /// The words that go on otherwise, in [`Words::nodes`].
    pub rest: Range<usize>,
}

/// Words that are allowed together.
#[derive(Debug)]
pub(super) enum Inside {
    Few(Vec<u32>),
    Many(SimpleVob),
}

/// A vocabulary's words, cut.
pub(super) struct Words {
    pub env: TokEnv,
    pub nodes: Vec<Node>,
    pub cuts: Vec<Cut>,
    /// All words, and the cut before them.
    pub all: Range<usize>,
    pub start: u32,
    /// The same by the text that they begin with.
    pub texts: Texts,
}

/// Words by how many characters of a text they begin with.
pub(super) struct Texts {
    /// Those that are a text of no more characters than the place in this list.
    pub upto: Vec<SimpleVob>,
    /// What the others are after just so many.
    pub after: Vec<Range<usize>>,
    /// Those that begin with more.
    pub long: Range<usize>,
}

/// Most characters that are counted.
const COUNTED: usize = 40;

/// A word under way: its bytes and its token.
type Word<'a> = (&'a [u8], u32);

impl Words {
    /// The words of `env`.
    ///
    /// # Errors
    /// If derivre does not read a slice.
    pub fn new(env: &TokEnv) -> Result<Self, String> {
        let trie = env.tok_trie();
        let mut words: Vec<Word<'_>> = (0..trie.vocab_size() as u32)
            .map(|token| (trie.token(token), token))
            .filter(|(bytes, _)| !bytes.is_empty())
            .collect();
        words.sort_unstable();
        let regexes = SLICES.iter().map(|slice| Regex::new(slice).map_err(|e| e.to_string()));
        let regexes = regexes.collect::<Result<_, _>>()?;
        let mut maker = Maker { trie, regexes, nodes: Vec::new(), cuts: Vec::new() };
        let start = maker.cut(&words, 0, WHOLE, true);
        let all = maker.tree(&words, 0, true);
        let texts = maker.texts(&words);
        Ok(Self { env: env.clone(), nodes: maker.nodes, cuts: maker.cuts, all, start, texts })
    }

    /// Allows the words after a node, or after [`NONE`] all words, that `reader` takes; gives how many nodes it
    /// took to find them.
    pub fn read(&self, node: u32, reader: &mut impl Reader, mask: &mut SimpleVob) -> usize {
        let (cut, range, depth) = self.after(node);
        let mut set = Set { mask, walked: 0 };
        if !self.step_over(reader, cut, depth, &mut set) {
            self.walk(reader, range, depth, &mut set);
        }
        set.walked
    }

    /// Goes on after the cut where words are `depth` bytes long: allows the words of the widest slice that
    /// the lexer takes and walks over the rest. Whether there is one.
    fn step_over(&self, reader: &mut impl Reader, cut: u32, depth: u16, set: &mut Set<'_>) -> bool {
        let Some(cut) = self.cuts.get(cut as usize) else { return false };
        // A question may be long, and cannot be interrupted.
        if reader.is_cancelled() {
            return false;
        }
        let Some(slice) = cut.slices.iter().find(|slice| reader.takes(slice.index)) else {
            return false;
        };
        match &slice.inside {
            Inside::Few(tokens) => tokens.iter().for_each(|&token| set.mask.allow_token(token)),
            Inside::Many(mask) => set.mask.or(mask),
        }
        self.walk(reader, slice.rest.clone(), depth, set);
        true
    }

    /// Tries the words at `range`, which go on where words are `depth` bytes long.
    fn walk(&self, reader: &mut impl Reader, range: Range<usize>, depth: u16, set: &mut Set<'_>) {
        let mut at = depth;
        let Range { start: mut p, end } = range;
        while p < end {
            set.walked += 1;
            if set.walked.is_multiple_of(CHUNK) && reader.is_cancelled() {
                break;
            }
            let node = self.nodes[p];
            let back = at + 1 - node.depth;
            if back > 0 {
                reader.pop(usize::from(back));
                at -= back;
            }
            if !reader.push(node.byte) {
                p += node.size as usize;
                continue;
            }
            at = node.depth;
            if node.token != NONE {
                set.mask.allow_token(node.token);
            }
            let is_over = node.cut != NONE && self.step_over(reader, node.cut, at, set);
            p += if is_over { node.size as usize } else { 1 };
        }
        if at > depth {
            reader.pop(usize::from(at - depth));
        }
    }
}

/// Who reads the words, byte by byte.
pub(super) trait Reader {
    /// Goes on by a byte, if it may come.
    fn push(&mut self, byte: u8) -> bool;

    /// Goes back by so many bytes.
    fn pop(&mut self, count: usize);

    /// Whether the lexer, as it is, takes every text of a slice.
    fn takes(&mut self, slice: usize) -> bool;

    /// Whether the mask is not wanted any more.
    fn is_cancelled(&mut self) -> bool;
}

/// llguidance's parser.
struct Parser<'a, 'p> {
    recognizer: &'a mut ParserRecognizer<'p>,
    known: &'a mut Known,
}

impl Reader for Parser<'_, '_> {
    fn push(&mut self, byte: u8) -> bool {
        self.recognizer.try_push_byte(byte)
    }

    fn pop(&mut self, count: usize) {
        self.recognizer.pop_bytes(count);
    }

    fn takes(&mut self, slice: usize) -> bool {
        self.known.takes(self.recognizer, slice)
    }

    fn is_cancelled(&mut self) -> bool {
        self.recognizer.cancellation_requested()
    }
}

/// What has been found out about the states of one parser's lexer.
#[derive(Clone, Default)]
struct Known {
    /// For each state two bits a slice: whether it was asked for, and whether the state takes it.
    states: Vec<u16>,
}

impl Known {
    /// Whether the lexer, as it is, takes every text of a slice.
    fn takes(&mut self, parser: &mut ParserRecognizer<'_>, slice: usize) -> bool {
        let state = parser.lexer_state();
        let at = state.as_usize();
        if at >= self.states.len() {
            self.states.resize(at + 1, 0);
        }
        let (asked, taken) = (1 << (2 * slice), 2 << (2 * slice));
        if self.states[at] & asked == 0 {
            let lexer = parser.lexer_mut();
            let takes = lexer.subsume_possible(state)
                && lexer.check_subsume(state, slice, BUDGET, None).unwrap_or(false);
            self.states[at] |= asked | if takes { taken } else { 0 };
        }
        self.states[at] & taken != 0
    }
}

/// Computes the masks of one parser.
pub(super) struct Computer {
    words: Arc<Words>,
    known: Mutex<Known>,
    places: Arc<Shared>,
    /// Where the parser stands, for the mask that is asked for next.
    place: Mutex<Option<Place>>,
}

impl Computer {
    /// For a parser of its own.
    pub fn new(words: Arc<Words>, places: Arc<Shared>) -> Self {
        Self { words, known: Mutex::default(), places, place: Mutex::default() }
    }

    /// For a copy of the parser: the states are the same up to here.
    pub fn fork(&self) -> Self {
        let known = Mutex::new(self.known().clone());
        Self { words: self.words.clone(), known, places: self.places.clone(), place: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn words(&self) -> Arc<Words> {
        Arc::clone(&self.words)
    }

    /// Says where the parser stands.
    pub fn stands(&self, place: Option<Place>) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }

    /// The mask of the place where the parser stands, if it is one that can be followed.
    fn at_place(&self, parser: &ParserRecognizer<'_>) -> Option<SimpleVob> {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let possible = parser.lexer().possible_lexemes(parser.lexer_state());
        self.places.ask(|known| {
            let is_same = known.possible(place)?.eq(possible.iter());
            let is_cancelled = || parser.cancellation_requested();
            is_same.then(|| known.mask(&self.words, place, &is_cancelled)).flatten()
        })
    }
}

impl BiasComputer for Computer {
    fn compute_bias(&self, parser: &mut ParserRecognizer<'_>, start: &[u8]) -> SimpleVob {
        let mut mask = self.trie().alloc_token_set();
        if !start.is_empty() {
            self.trie().add_bias(parser, &mut mask, start);
            return mask;
        }
        if let Some(mask) = self.at_place(parser) {
            return mask;
        }
        let mut known = self.known();
        parser.trie_started("words");
        let mut reader = Parser { recognizer: parser, known: &mut known };
        let walked = self.words.read(NONE, &mut reader, &mut mask);
        parser.trie_finished();
        parser.save_stats(walked);
        mask
    }

    fn trie(&self) -> &TokTrie {
        self.words.env.tok_trie()
    }
}

/// The mask under way.
struct Set<'a> {
    mask: &'a mut SimpleVob,
    walked: usize,
}

/// Makes trees and their cuts.
struct Maker<'a> {
    trie: &'a TokTrie,
    regexes: Vec<Regex>,
    nodes: Vec<Node>,
    cuts: Vec<Cut>,
}

impl Maker<'_> {
    /// The tree of `words`, which are in order and the same up to `depth`. Its nodes are together at the end,
    /// whatever trees its cuts need.
    fn tree(&mut self, words: &[Word<'_>], depth: usize, has_cuts: bool) -> Range<usize> {
        let mut made = Vec::new();
        self.grow(words, depth, has_cuts, &mut made);
        let start = self.nodes.len();
        self.nodes.extend(made);
        start..self.nodes.len()
    }

    fn grow(&mut self, words: &[Word<'_>], depth: usize, has_cuts: bool, made: &mut Vec<Node>) {
        let mut words = words;
        while let Some(&(bytes, _)) = words.first() {
            let byte = bytes[depth];
            let (same, others) = words.split_at(words.partition_point(|(word, _)| word[depth] <= byte));
            words = others;
            let at = made.len();
            // Several tokens may be the same word; one goes on, the others are words by themselves.
            let (ends, longer) = same.split_at(same.partition_point(|(word, _)| word.len() == depth + 1));
            let token = ends.first().map_or(NONE, |(_, token)| *token);
            let has_cut = has_cuts && longer.len() >= WORTH && is_cut(&bytes[..=depth]);
            let cut = if has_cut { self.cut(longer, depth + 1, WITHIN, false) } else { NONE };
            let node = Node { token, size: 1, cut, depth: depth as u16 + 1, byte };
            made.push(node);
            self.grow(longer, depth + 1, has_cuts, made);
            made[at].size = (made.len() - at) as u32;
            let doubles = ends.iter().skip(1);
            made.extend(doubles.map(|&(_, token)| Node { token, cut: NONE, ..node }));
        }
    }

    /// The cut before `words`, which are the same up to `depth`; none if no slice has enough of them.
    /// `has_cuts` is for the trees of what is left.
    fn cut(&mut self, words: &[Word<'_>], depth: usize, slices: &[usize], has_cuts: bool) -> u32 {
        let mut found = Vec::new();
        for &index in slices {
            let regex = &mut self.regexes[index];
            let (inside, rest): (Vec<Word<'_>>, Vec<Word<'_>>) =
                words.iter().partition(|(word, _)| regex.is_match_bytes(&word[depth..]));
            if inside.len() >= WORTH {
                let rest = self.tree(&rest, depth, has_cuts);
                found.push(Slice { index, inside: self.inside(&inside), rest });
            }
        }
        if found.is_empty() {
            return NONE;
        }
        self.cuts.push(Cut { slices: found });
        self.cuts.len() as u32 - 1
    }

    /// The words by the text that they begin with.
    fn texts(&mut self, words: &[Word<'_>]) -> Texts {
        let mut by_count: Vec<[Vec<Word<'_>>; 2]> = vec![Default::default(); COUNTED + 1];
        let mut long = Vec::new();
        for &(bytes, token) in words {
            let (count, len) = text_of(bytes);
            match by_count.get_mut(count) {
                Some([whole, _]) if len == bytes.len() => whole.push((bytes, token)),
                Some([_, others]) => others.push((&bytes[len..], token)),
                None => long.push((bytes, token)),
            }
        }
        let mut mask = self.trie.alloc_token_set();
        let mut texts = Texts { upto: Vec::new(), after: Vec::new(), long: self.tree(&long, 0, false) };
        for [whole, mut others] in by_count {
            whole.iter().for_each(|(_, token)| mask.allow_token(*token));
            texts.upto.push(mask.clone());
            others.sort_unstable();
            texts.after.push(self.tree(&others, 0, false));
        }
        texts
    }

    fn inside(&self, words: &[Word<'_>]) -> Inside {
        if words.len() < MANY {
            return Inside::Few(words.iter().map(|(_, token)| *token).collect());
        }
        let mut mask = self.trie.alloc_token_set();
        words.iter().for_each(|(_, token)| mask.allow_token(*token));
        Inside::Many(mask)
    }
}

/// Whether a text has this byte as a character. Those of more bytes it has all.
pub(super) fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// How many characters of a text a word begins with, and their bytes.
fn text_of(word: &[u8]) -> (usize, usize) {
    let chunk = word.utf8_chunks().next();
    let chars = chunk.map_or("", |chunk| chunk.valid()).chars();
    let text = chars.take_while(|&c| u8::try_from(c).map_or(true, |byte| !byte.is_ascii() || is_text(byte)));
    text.fold((0, 0), |(count, len), c| (count + 1, len + c.len_utf8()))
}

/// Whether a name or a text may begin with, or after, the last of these bytes: it is the first letter or digit
/// of a name, or a sign that no name comes before.
fn is_cut(bytes: &[u8]) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match *bytes {
        [.., before, last] if is_name(last) => !is_name(before),
        [_] => true,
        [.., before, last] => !is_name(before) && !is_name(last),
        [] => false,
    }
}

#[cfg(test)]
pub(super) mod tests;
