//! Syntax highlighting that costs what changed: one cached parser state a line.
//!
//! A cache is told the text before every frame and works from the first line that differs to the
//! bottom of the screen, or to where nothing changes any more. It belongs to the
//! [`View`](super::View): it is a memory of drawing, not a part of the state.

use std::ops::Range;
use std::sync::OnceLock;

use ratatui::style::Style;
use syntect::highlighting::{HighlightState, Highlighter, RangedHighlightIterator};
use syntect::parsing::{
    ParseState, ScopeStack, SyntaxDefinition, SyntaxReference, SyntaxSet, SyntaxSetBuilder,
};

use crate::app::language::Language;

use super::theme::{Theme, ThemeName, code_style};

/// Longer lines are shown plain: parsing one costs more than a frame has.
const MAX_LINE: usize = 8 * 1024;

/// At most so many lines and about so many bytes are parsed for one frame. The rest is shown as it was
/// until the next frames have caught up; parsing a megabyte at once would stop the screen for a second.
const FRAME_LINES: usize = 80;
const FRAME_BYTES: usize = 4 * 1024;

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// A Lark grammar.
    Lark,
    /// A GBNF grammar.
    Gbnf,
    /// A regular expression.
    Regex,
    /// Anything else.
    Of(Language),
}

impl Syntax {
    fn find(self) -> (&'static SyntaxSet, &'static SyntaxReference) {
        match self {
            Self::Lark => own("Lark"),
            Self::Gbnf => own("GBNF"),
            Self::Regex => by_extension("re"),
            Self::Of(Language::Plain) => own("Plain Text"),
            Self::Of(language) => by_extension(language.extension()),
        }
    }
}

fn by_extension(extension: &str) -> (&'static SyntaxSet, &'static SyntaxReference) {
    static SET: OnceLock<SyntaxSet> = OnceLock::new();
    let set = SET.get_or_init(two_face::syntax::extra_newlines);
    (set, set.find_syntax_by_extension(extension).unwrap_or_else(|| set.find_syntax_plain_text()))
}

/// The project's own syntaxes are a set of their own: merging them into the large one takes half a
/// second.
fn own(name: &str) -> (&'static SyntaxSet, &'static SyntaxReference) {
    static SET: OnceLock<SyntaxSet> = OnceLock::new();
    let set = SET.get_or_init(|| {
        let mut builder = SyntaxSetBuilder::new();
        builder.add_plain_text_syntax();
        // A definition that does not load leaves grammars plain; tests load them.
        for text in [include_str!("lark.sublime-syntax"), include_str!("gbnf.sublime-syntax")] {
            if let Ok(definition) = SyntaxDefinition::load_from_str(text, true, None) {
                builder.add(definition);
            }
        }
        builder.build()
    });
    (set, set.find_syntax_by_name(name).unwrap_or_else(|| set.find_syntax_plain_text()))
}

/// Compiles what highlighting `language` needs, which takes tens of milliseconds the first time.
/// Meant for a thread that nobody waits for.
pub fn warm(language: Language) {
    let sample = "def f(x: int) -> str:\n    return 'a' + 1 // x\nfn f(x: &str) -> u8 { 0x1f }\n\
                  {\"a\": [1, true, null]}\nSELECT a FROM b WHERE c = 'd'; -- e\n/* c */ let a = `b`;\n";
    let lines: Vec<&str> = sample.lines().collect();
    let mut cache = HighlightCache::new();
    cache.update(Syntax::Of(language), &Theme::shipped(ThemeName::Dark), lines.len(), lines.len(), |i| {
        (lines[i], true)
    });
}

/// The highlighted lines of one text.
pub struct HighlightCache {
    of: Option<(Syntax, ThemeName)>,
    lines: Vec<CachedLine>,
    /// Lines before this one are right.
    valid: usize,
    /// A state that equals the cached one ends the pass only from this line on: before it, lines
    /// have changed, or hold states of an older pass that was left unfinished.
    settled_from: usize,
    /// The lines that were wanted last.
    wanted: usize,
    buffer: String,
    parsed: usize,
}

struct CachedLine {
    text: String,
    ended: bool,
    after: Option<(ParseState, HighlightState)>,
    spans: Vec<(Style, Range<usize>)>,
}

impl HighlightCache {
    /// An empty cache.
    pub fn new() -> Self {
        let (lines, buffer) = (Vec::new(), String::new());
        Self { of: None, lines, valid: 0, settled_from: 0, wanted: 0, buffer, parsed: 0 }
    }

    /// Makes the first `wanted` of `count` lines ready, or comes closer to that if there are many;
    /// `line(i)` is line `i` and whether it ends in a newline.
    pub fn update<'a>(
        &mut self,
        syntax: Syntax,
        theme: &Theme,
        count: usize,
        wanted: usize,
        line: impl Fn(usize) -> (&'a str, bool),
    ) {
        if !self.of.as_ref().is_some_and(|of| of.0 == syntax && of.1 == *theme.name()) {
            self.of = Some((syntax, theme.name().clone()));
            self.lines.clear();
            (self.valid, self.settled_from) = (0, 0);
        }
        self.take_changes(count, &line);
        self.wanted = wanted.min(count);
        self.parse(syntax, theme);
    }

    /// Whether lines that are wanted are not ready yet: the next update goes on with them.
    pub fn is_behind(&self) -> bool {
        self.valid < self.wanted
    }

    /// The styles of line `index`, as ranges of its bytes; what is not covered is plain.
    pub fn spans(&self, index: usize) -> &[(Style, Range<usize>)] {
        self.lines.get(index).map_or(&[], |l| &l.spans)
    }

    /// How many lines have been parsed so far: the work done.
    pub fn parsed(&self) -> usize {
        self.parsed
    }

    /// Replaces the lines between the first and the last that differ.
    fn take_changes<'a>(&mut self, count: usize, line: &impl Fn(usize) -> (&'a str, bool)) {
        let same = |old: &CachedLine, (text, ended): (&str, bool)| old.text == text && old.ended == ended;
        let old = &self.lines;
        let shorter = old.len().min(count);
        let head = (0..shorter).take_while(|&i| same(&old[i], line(i))).count();
        if head == old.len() && head == count {
            return;
        }
        let tail =
            (0..shorter - head).take_while(|&i| same(&old[old.len() - 1 - i], line(count - 1 - i))).count();
        let (old_end, new_end) = (self.lines.len() - tail, count - tail);
        let is_unfinished = self.valid < self.lines.len();
        let fresh = (head..new_end).map(|i| {
            let (text, ended) = line(i);
            CachedLine { text: text.to_owned(), ended, after: None, spans: Vec::new() }
        });
        self.lines.splice(head..old_end, fresh);

        let moved = |i: usize| if i >= old_end { i - old_end + new_end } else { i.min(new_end) };
        if is_unfinished {
            let frontier = moved(self.valid);
            self.settled_from = moved(self.settled_from).max(frontier + 1).max(new_end + 1);
            self.valid = self.valid.min(head);
        } else {
            self.settled_from = new_end + 1;
            self.valid = head;
        }
    }

    fn parse(&mut self, syntax: Syntax, theme: &Theme) {
        if !self.is_behind() {
            return;
        }
        let (set, reference) = syntax.find();
        let highlighter = Highlighter::new(theme.code());
        let before = self.valid.checked_sub(1).and_then(|i| self.lines[i].after.clone());
        let (mut parser, mut state) = before.unwrap_or_else(|| {
            (ParseState::new(reference), HighlightState::new(&highlighter, ScopeStack::new()))
        });
        let (mut lines, mut bytes) = (0, 0);
        while self.is_behind() && lines < FRAME_LINES && bytes < FRAME_BYTES {
            let index = self.valid;
            let line = &mut self.lines[index];
            let len = line.text.len();
            (lines, bytes) = (lines + 1, bytes + len.min(MAX_LINE));
            let mut spans = Vec::new();
            if len <= MAX_LINE {
                self.buffer.clear();
                self.buffer.push_str(&line.text);
                if line.ended {
                    self.buffer.push('\n');
                }
                // A line that the syntax cannot cope with stays plain.
                let operations = parser.parse_line(&self.buffer, set).unwrap_or_default();
                let ranges =
                    RangedHighlightIterator::new(&mut state, &operations, &self.buffer, &highlighter);
                spans.extend(ranges.filter_map(|(style, _, range)| {
                    let range = range.start..range.end.min(len);
                    (!range.is_empty()).then(|| (code_style(style), range))
                }));
            }
            let after = Some((parser.clone(), state.clone()));
            let joins = index + 1 >= self.settled_from && line.after == after;
            line.spans = spans;
            line.after = after;
            self.parsed += 1;
            self.valid = index + 1;
            if joins {
                self.valid = self.lines.len();
            }
        }
    }
}

impl Default for HighlightCache {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(cache: &mut HighlightCache, theme: &Theme, syntax: Syntax, lines: &[String], wanted: usize) {
        cache.update(syntax, theme, lines.len(), wanted, |i| (&lines[i], true));
    }

    fn update_all(cache: &mut HighlightCache, theme: &Theme, lines: &[String]) {
        update(cache, theme, Syntax::Lark, lines, lines.len());
        while cache.is_behind() {
            let before = cache.parsed();
            update(cache, theme, Syntax::Lark, lines, lines.len());
            assert!(cache.parsed() - before <= FRAME_LINES);
        }
    }

    /// After any edits, often with the pass left unfinished as a screen leaves it, the lines are as
    /// a parse of the whole text gives them.
    #[test]
    fn random_edits_equal_a_full_parse() {
        let theme = Theme::shipped(ThemeName::Dark);
        let lark = "start: a \"x\" // c\na: /[a-z\\/]+/ | %json {\n \"type\": \"object\"\n}\nB.2: \"q\"i\n";
        let python = "def f(x):\n    '''doc\n    more'''\n    return x + 1\n\nclass A:\n    pass\n";
        for (syntax, text) in [(Syntax::Lark, lark), (Syntax::Of(Language::Python), python)] {
            let mut lines: Vec<String> = text.repeat(4).lines().map(str::to_owned).collect();
            let mut cache = HighlightCache::new();
            let fragments = ["'''", "\"", "{", "}", "/", "%json {", "(", "x", ":", "#"];
            let mut seed = 88172645463325252u64;
            let mut random = |n: usize| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                (seed % n as u64) as usize
            };
            for round in 0..120 {
                let at = random(lines.len());
                match random(5) {
                    0 if lines.len() > 3 => drop(lines.remove(at)),
                    1 => lines.insert(at, fragments[random(fragments.len())].to_owned()),
                    2 => {
                        let other = random(lines.len());
                        lines.swap(at, other);
                    }
                    _ => lines[at].push_str(fragments[random(fragments.len())]),
                }
                let wanted = if random(3) == 0 { random(lines.len() + 1) } else { lines.len() };
                update(&mut cache, &theme, syntax, &lines, wanted);
                let mut whole = HighlightCache::new();
                update(&mut whole, &theme, syntax, &lines, lines.len());
                for i in 0..wanted {
                    assert_eq!(cache.spans(i), whole.spans(i), "{syntax:?} round {round} line {i}");
                }
            }
        }
    }

    #[test]
    fn an_edit_parses_what_it_changed() {
        let theme = Theme::shipped(ThemeName::Dark);
        let mut lines: Vec<String> = (0..2000).map(|i| format!("rule_{i}: \"a\" | /b+/ // c")).collect();
        let mut cache = HighlightCache::new();
        update_all(&mut cache, &theme, &lines);
        assert_eq!(cache.parsed(), 2000);
        lines[1000].push_str(" more");
        update_all(&mut cache, &theme, &lines);
        assert!(cache.parsed() <= 2002, "{}", cache.parsed());
        lines.push("x: \"y\"".into());
        update_all(&mut cache, &theme, &lines);
        assert!(cache.parsed() <= 2004, "{}", cache.parsed());
    }

    /// The roles of a grammar's parts look different from each other, in both themes.
    #[test]
    fn grammars_are_told_apart() {
        let lark = "start::_[capture]: rule::incr(_) TERM \"text\\n\" /re+/ | 12 %if le(_, 1) // note";
        let parts = ["start", "incr", "TERM", "text", "\\n", "re+", "12", "%if", "// note"];
        told_apart(Syntax::Lark, lark, &parts);
        let gbnf = "root ::= rule \"text\\n\" [a-z^]* | {12} <think> # note";
        told_apart(Syntax::Gbnf, gbnf, &["root", "text", "\\n", "a-z", "12", "<think>", "# note"]);
    }

    fn told_apart(syntax: Syntax, line: &str, parts: &[&str]) {
        for name in ThemeName::ALL {
            let theme = Theme::shipped(name);
            let mut cache = HighlightCache::new();
            cache.update(syntax, &theme, 1, 1, |_| (line, true));
            let style_of = |part: &str| {
                let at = line.find(part).unwrap();
                cache.spans(0).iter().find(|(_, r)| r.contains(&at)).map(|(s, _)| s.fg).unwrap()
            };
            for (i, a) in parts.iter().enumerate() {
                for b in &parts[i + 1..] {
                    assert_ne!(style_of(a), style_of(b), "{}: {a} and {b}", theme.name());
                }
            }
        }
    }

    #[test]
    fn every_language_has_a_syntax() {
        for &language in Language::ALL.iter().filter(|l| **l != Language::Plain) {
            let (_, syntax) = Syntax::Of(language).find();
            assert_ne!(syntax.name, "Plain Text", "{}", language.name());
        }
    }
}
