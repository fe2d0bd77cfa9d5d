//! Keeps what a person writes from becoming a control token.
//!
//! A template mixes its own text, in which `<|im_end|>` is a token, with the person's text, in which
//! it is ten characters. A mark goes into every name of a control token that the person's text
//! holds, and where it could complete one with the template's text. The template is rendered with
//! the marks; they are taken out where the text is cut into tokens, and no token reaches across one.
//! Text without such names is not changed at all, so that templates may trim, cut and compare it as
//! they always do.

use std::collections::HashSet;

/// The names to be guarded, and a character that no text has.
pub(super) struct Guard {
    /// Lower case, because a template may change the case of a text.
    names: Vec<String>,
    mark: char,
}

impl Guard {
    /// Guards `names` in texts like `texts`.
    pub(super) fn new(names: impl Iterator<Item = String>, texts: &[&str]) -> Self {
        let names = names.map(|n| n.to_ascii_lowercase()).filter(|n| !n.trim().is_empty()).collect();
        // A character for private use; a text would have to hold all of them to leave none.
        let mark = ('\u{f0000}'..='\u{ffffd}').find(|&c| texts.iter().all(|t| !t.contains(c)));
        Self { names, mark: mark.unwrap_or('\u{f0000}') }
    }

    /// The person's text with marks.
    pub(super) fn marked(&self, text: &str) -> String {
        let lower = text.to_ascii_lowercase();
        let inner = lower.trim();
        let start = lower.len() - lower.trim_start().len();
        let end = start + inner.len();
        let mut marks: Vec<usize> = Vec::new();
        let firsts: HashSet<char> = self.names.iter().filter_map(|name| name.chars().next()).collect();
        for (at, c) in lower.char_indices().filter(|(_, c)| firsts.contains(c)) {
            if self.names.iter().any(|name| lower[at..].starts_with(name)) {
                marks.push(at + c.len_utf8());
            }
        }
        if !inner.is_empty() {
            let ends_a_name = |name: &String| {
                let is_middle = name.find(inner).is_some_and(|at| at > 0);
                is_middle || proper_parts(name).any(|(_, tail)| inner.starts_with(tail))
            };
            if self.names.iter().any(ends_a_name) {
                marks.push(start);
            }
            let begins_a_name = |name: &String| proper_parts(name).any(|(head, _)| inner.ends_with(head));
            if self.names.iter().any(begins_a_name) {
                marks.push(end);
            }
        }
        marks.sort_unstable();
        marks.dedup();
        let mut out = String::with_capacity(text.len() + marks.len() * self.mark.len_utf8());
        let mut from = 0;
        for at in marks {
            out.push_str(&text[from..at]);
            out.push(self.mark);
            from = at;
        }
        out + &text[from..]
    }

    /// The parts of a rendered text that are to be cut into tokens apart.
    pub(super) fn parts<'t>(&self, rendered: &'t str) -> impl Iterator<Item = &'t str> + use<'t> {
        rendered.split(self.mark).filter(|part| !part.is_empty())
    }
}

/// Every way to cut a name in two.
fn proper_parts(name: &str) -> impl Iterator<Item = (&str, &str)> {
    name.char_indices().skip(1).map(|(at, _)| name.split_at(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(text: &str) -> Vec<String> {
        let names = ["<|im_end|>", "<s>", "[INST]"].map(String::from);
        let guard = Guard::new(names.into_iter(), &[text]);
        guard.parts(&guard.marked(text)).map(String::from).collect()
    }

    #[test]
    fn ordinary_text_stays_whole() {
        for text in ["hello", " if a < b > c:\n ", "<div>|im_end|</div>", "", "  ", "é < ü"] {
            assert_eq!(guard(text).concat(), text);
            assert!(guard(text).len() <= 1, "{text:?}: {:?}", guard(text));
        }
    }

    #[test]
    fn names_are_cut_in_any_case_and_nothing_is_lost() {
        assert_eq!(guard("a<|im_end|>b"), ["a<", "|im_end|>b"]);
        assert_eq!(guard("<<S>é<s>"), ["<<", "S>é<", "s>"]);
        // What could become a name together with the template's text.
        let names = ["<s>".to_owned()].into_iter();
        let g = Guard::new(names, &["x"]);
        assert_eq!(g.parts(&(g.marked("x <") + "s>")).collect::<Vec<_>>(), ["x <", "s>"]);
        assert_eq!(g.parts(&("<s".to_owned() + &g.marked("> x"))).collect::<Vec<_>>(), ["<s", "> x"]);
        let names = || ["[INST]".to_owned()].into_iter();
        let g = Guard::new(names(), &["inst"]);
        assert_eq!(g.parts(&format!("[{}]", g.marked("INST"))).collect::<Vec<_>>(), ["[", "INST]"]);
        let g = Guard::new(names(), &["\u{f0000}"]);
        assert_eq!(g.parts(&g.marked("\u{f0000}[INST]")).collect::<Vec<_>>(), ["\u{f0000}[", "INST]"]);
    }
}
