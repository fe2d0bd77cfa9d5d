//! Keeps what a person writes from becoming a control token.
//!
//! A template mixes its own text, in which `<|im_end|>` is a token, with the person's text, in which
//! it is ten characters. A mark goes into every name of a control token that the person's text
//! holds, and where it could complete one with the template's text. The template is rendered with
//! the marks; they are taken out where the text is cut into tokens, and no token reaches across one.
//! Text without such names is not changed at all, so that templates may trim, cut and compare it as
//! they always do.

use std::collections::HashSet;
use std::ops::Range;

/// The names to be guarded, and a character that no text has.
pub(super) struct Guard {
    /// Lower case, because a template may change the case of a text.
    names: Vec<String>,
    /// The template's source, lower case too.
    template: String,
    mark: char,
}

impl Guard {
    /// Guards `names` in `texts` that go into `template`.
    pub(super) fn new(names: impl Iterator<Item = String>, texts: &[&str], template: &str) -> Self {
        let names = names.map(|n| n.to_ascii_lowercase()).filter(|n| !n.trim().is_empty()).collect();
        // A character for private use; a text would have to hold all of them to leave none.
        let is_free = |c: &char| texts.iter().chain([&template]).all(|t| !t.contains(*c));
        let mark = ('\u{f0000}'..='\u{ffffd}').find(is_free);
        Self { names, template: template.to_ascii_lowercase(), mark: mark.unwrap_or('\u{f0000}') }
    }

    /// The person's text with marks; `seen` is where the tokenizer sees names in it.
    pub(super) fn marked(&self, text: &str, seen: impl Iterator<Item = Range<usize>>) -> String {
        let lower = text.to_ascii_lowercase();
        let inner = lower.trim();
        let start = lower.len() - lower.trim_start().len();
        let end = start + inner.len();
        // Behind the first letter of a name, and before it too if there is no other.
        let inside = |at: Range<usize>| {
            let name = &text[at.clone()];
            let first = at.start + name.len() - name.trim_start().len();
            let second = first + text[first..].chars().next().map_or(0, char::len_utf8);
            if second < at.start + name.trim_end().len() { [second; 2] } else { [first, second] }
        };
        let mut marks: Vec<usize> = seen.flat_map(inside).collect();
        let firsts: HashSet<char> = self.names.iter().filter_map(|name| name.chars().next()).collect();
        for (at, _) in lower.char_indices().filter(|(_, c)| firsts.contains(c)) {
            let here = self.names.iter().filter(|name| lower[at..].starts_with(*name));
            if let Some(shortest) = here.map(String::len).min() {
                marks.extend(inside(at..at + shortest));
            }
        }
        if self.names.iter().any(|name| self.completes(name, inner)) {
            marks.push(start);
        }
        if self.names.iter().any(|name| self.begins(name, inner)) {
            marks.push(end);
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

    /// Whether `text` could make `name` whole after a piece of the template, with or without another
    /// piece after it.
    fn completes(&self, name: &str, text: &str) -> bool {
        let after = |head: &str, rest: &str| {
            self.template
                .match_indices(head)
                .any(|(at, _)| !self.template[at + head.len()..].starts_with(rest))
        };
        let in_middle =
            !text.is_empty() && name.find(text).is_some_and(|at| at > 0 && after(&name[..at], &name[at..]));
        in_middle || cuts(name).any(|(head, tail)| text.starts_with(tail) && after(head, tail))
    }

    /// Whether a piece of the template could make `name` whole after `text`.
    fn begins(&self, name: &str, text: &str) -> bool {
        cuts(name).any(|(head, tail)| {
            let before = |(at, _)| !self.template[..at].ends_with(head);
            text.ends_with(head) && self.template.match_indices(tail).any(before)
        })
    }

    /// A rendered text without the marks, and the places where they were, which no name of a control
    /// token may reach across. A letter between two marks is such a place as a whole.
    pub(super) fn unmarked(&self, rendered: &str) -> (String, Vec<Range<usize>>) {
        let mut text = String::with_capacity(rendered.len());
        let mut cuts: Vec<Range<usize>> = Vec::new();
        for (i, part) in rendered.split(self.mark).enumerate() {
            if i > 0 {
                let end = text.len();
                let letter = cuts.last().map(|cut| cut.end).filter(|&at| text[at..].chars().count() == 1);
                cuts.push(letter.unwrap_or(end)..end);
            }
            text.push_str(part);
        }
        (text, cuts)
    }
}

/// Every way to cut a name in two.
fn cuts(name: &str) -> impl Iterator<Item = (&str, &str)> {
    name.char_indices().skip(1).map(|(at, _)| name.split_at(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(text: &str) -> Vec<String> {
        let names = ["<|im_end|>", "<s>", "[INST]"].map(String::from);
        let guard = Guard::new(names.into_iter(), &[text], "<|im_end|>[INST]");
        parts(&guard, &guard.marked(text, [].into_iter()))
    }

    /// A rendered text, cut where the marks were.
    fn parts(guard: &Guard, rendered: &str) -> Vec<String> {
        let (text, cuts) = guard.unmarked(rendered);
        let ends: Vec<usize> = cuts.iter().map(|at| at.start).chain([text.len()]).collect();
        let starts = [0].into_iter().chain(ends.iter().copied());
        starts
            .zip(&ends)
            .map(|(from, &to)| text[from..to].to_owned())
            .filter(|part| !part.is_empty())
            .collect()
    }

    #[test]
    fn ordinary_text_stays_whole() {
        for text in
            ["hello", " if a < b > c:\n ", "<div>|im_end|</div>", "", "  ", "> quoted", "a <", "I", "é < ü"]
        {
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
        let g = Guard::new(names, &["x"], "{{ x }}s> <s{{ y }}");
        assert_eq!(parts(&g, &(g.marked("x <", [].into_iter()) + "s>")), ["x <", "s>"]);
        assert_eq!(parts(&g, &("<s".to_owned() + &g.marked("> x", [].into_iter()))), ["<s", "> x"]);
        let names = || ["[INST]".to_owned()].into_iter();
        let g = Guard::new(names(), &["inst"], "[{{ x }}]");
        assert_eq!(parts(&g, &format!("[{}]", g.marked("INST", [].into_iter()))), ["[", "INST]"]);
        let g = Guard::new(names(), &["\u{f0000}"], "");
        assert_eq!(parts(&g, &g.marked("\u{f0000}[INST]", [].into_iter())), ["\u{f0000}[", "INST]"]);
    }
}
