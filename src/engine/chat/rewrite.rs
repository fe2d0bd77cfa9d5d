//! Makes a template safe for the template engine before that reads it, and speaks its dialect.
//!
//! minijinja limits how deep parentheses, lists and blocks nest, but not how long a chain of
//! operators or of `elif` is. Each link is a level of its recursion, and some cost time for all links
//! before: a hundred kilobytes of `-` overflow the stack, of `+x` take minutes. And it joins lists
//! lazily and without fuel, until after 32 times it visits them all: `x + x`, done 33 times, is four
//! thousand million elements. So long chains are refused, and `a + b` becomes `a|_paid + b`.
//!
//! Tags are found here exactly as minijinja finds them, or something could hide.

/// The longest template that is looked at, in bytes. The longest in use have some thirty thousand.
pub(super) const MAX_BYTES: usize = 128 * 1024;

/// The filter that makes a joined list a plain one, and pays for it.
pub(super) const PAID: &str = "_paid";

/// The most words and signs in one tag. The largest tags in use have some two hundred.
const MAX_WORDS: usize = 1000;

/// The most `elif` in a template.
const MAX_ELIFS: usize = 500;

/// Words after which an operator has no left operand.
const KEYWORDS: [&str; 8] = ["and", "or", "not", "in", "is", "if", "else", "elif"];

/// The template as minijinja is to read it, every line where it was; or what is too large in it, and
/// in which line, from 1.
pub(super) fn rewrite(source: &str) -> Result<String, (usize, String)> {
    // Jinja reads every kind of line end as one.
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let source = source.as_str();
    let mut out = String::with_capacity(source.len() + source.len() / 8);
    let mut rest = source;
    let mut elifs = 0;
    let line = |rest: &str| 1 + source[..source.len() - rest.len()].matches('\n').count();
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let start = rest;
        let (opening, tag) = rest.split_at(rest.len().min(2));
        let after = match opening {
            "{#" => tag.find("#}").map(|end| &tag[end + 2..]),
            "{%" if after_tag(tag, "raw").is_some() => after_tag(tag, "raw").and_then(after_raw),
            "{%" | "{{" => {
                let word = tag.trim_start_matches(['-', '+']).trim_ascii_start();
                elifs += usize::from(opening == "{%" && word.starts_with("elif"));
                let end = if opening == "{%" { "%}" } else { "}}" };
                let too_long = || (line(start), format!("a tag has more than {MAX_WORDS} words and signs"));
                let words = Words::of(tag, end).ok_or_else(too_long)?;
                out.push_str(opening);
                words.write(opening == "{%", &mut out);
                rest = words.rest;
                continue;
            }
            _ => Some(&rest[1..]),
        };
        // What is not closed is minijinja's to complain about.
        let after = after.unwrap_or("");
        out.push_str(&rest[..rest.len() - after.len()]);
        rest = after;
        if elifs > MAX_ELIFS {
            return Err((line(start), format!("it has more than {MAX_ELIFS} elif")));
        }
    }
    out.push_str(rest);
    if elifs > MAX_ELIFS {
        return Err((line(""), format!("it has more than {MAX_ELIFS} elif")));
    }
    Ok(out)
}

/// The words and signs of a tag, each with the white space before it; the tag's end is the last.
struct Words<'t> {
    words: Vec<(&'t str, &'t str)>,
    /// What follows the tag.
    rest: &'t str,
}

impl<'t> Words<'t> {
    /// Cuts `tag` up to `end`; `None` if it is too long.
    fn of(tag: &'t str, end: &str) -> Option<Self> {
        let mut words = Vec::new();
        let mut rest = tag;
        let mut open: isize = 0;
        while words.len() <= MAX_WORDS {
            let word = rest.trim_ascii_start();
            let space = &rest[..rest.len() - word.len()];
            let Some(first) = word.chars().next() else { return Some(Self { words, rest }) };
            let ends = open == 0 && word.starts_with(end);
            open += match first {
                '(' | '[' | '{' => 1,
                ')' | ']' | '}' => -1,
                _ => 0,
            };
            rest = match first {
                _ if ends => &word[end.len()..],
                '"' | '\'' => after_string(&word[1..], first),
                c if is_of_word(c) => word.trim_start_matches(is_of_word),
                c => &word[c.len_utf8()..],
            };
            words.push((space, &word[..word.len() - rest.len()]));
            if ends {
                return Some(Self { words, rest });
            }
        }
        None
    }

    fn write(&self, is_block: bool, out: &mut String) {
        let word = |at: Option<usize>| at.and_then(|at| self.words.get(at)).map_or("", |w| w.1);
        for (at, &(space, text)) in self.words.iter().enumerate() {
            let (before, after) = (word(at.checked_sub(1)), word(Some(at + 1)));
            let is_operand = before.ends_with(|c| is_of_word(c) || ")]}'\"".contains(c));
            if text == "+" && is_operand && !KEYWORDS.contains(&before) && !matches!(after, "%}" | "}}") {
                out.push('|');
                out.push_str(PAID);
            }
            out.push_str(space);
            // What the model writes is marked for training; here it is a block like any other.
            let is_alone = is_block && matches!(before, "" | "-" | "+") && matches!(after, "%}" | "-" | "+");
            out.push_str(match text {
                "generation" if is_alone => "with",
                "endgeneration" if is_alone => "endwith",
                _ => text,
            });
        }
        out.push_str(if self.words.is_empty() { self.rest } else { "" });
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn after_string(text: &str, quote: char) -> &str {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return &text[at + 1..],
            _ => {}
        }
    }
    ""
}

/// What follows a tag of one word, if `tag` is that.
fn after_tag<'t>(tag: &'t str, word: &str) -> Option<&'t str> {
    let tag = tag.strip_prefix(['-', '+']).unwrap_or(tag);
    let rest = tag.trim_ascii_start().strip_prefix(word)?.trim_ascii_start();
    rest.strip_prefix(['-', '+']).unwrap_or(rest).strip_prefix("%}")
}

fn after_raw(mut rest: &str) -> Option<&str> {
    loop {
        let tag = &rest[rest.find("{%")? + 2..];
        if let Some(after) = after_tag(tag, "endraw") {
            return Some(after);
        }
        rest = tag;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_paid_for_and_nothing_else_changes() {
        for (source, rewritten) in [
            ("{{ a + b }}+{{ 'x'+\"y\" }}", "{{ a|_paid + b }}+{{ 'x'|_paid+\"y\" }}"),
            ("{%+ set x = [1] + x[2:] +%}", "{%+ set x = [1]|_paid + x[2:] +%}"),
            ("{{ +1 if not +x else -y + +z }}", "{{ +1 if not +x else -y|_paid + +z }}"),
            ("{{ '+' ~ {'a': {}} }} {# a + b #}", "{{ '+' ~ {'a': {}} }} {# a + b #}"),
            ("{% raw %}{{ a + b }}{% endraw %}{", "{% raw %}{{ a + b }}{% endraw %}{"),
            ("{%- generation -%}{% endgeneration %}", "{%- with -%}{% endwith %}"),
            ("{% if generation %}{{ generation }}", "{% if generation %}{{ generation }}"),
            ("{{ a + b", "{{ a|_paid + b"),
            ("a\r\nb\r{{ 'c' }}", "a\nb\n{{ 'c' }}"),
            ("é{{ 'é' + é }} \n {", "é{{ 'é'|_paid + é }} \n {"),
        ] {
            assert_eq!(rewrite(source).as_deref(), Ok(rewritten));
        }
    }

    #[test]
    fn chains_are_found_wherever_they_hide() {
        let chain = "-".repeat(2000);
        for hiding in [
            "{{ CHAIN1 }}",
            "{% if '%}' ~ CHAIN1 %}",
            "{% raw %}{{ ' {% endraw %}{{ CHAIN1 }}",
            "{# ' #}{{ CHAIN1 }}",
            "{{ {'a': {1:2}} CHAIN1 }}",
            "{{ 'it\\'s }}' CHAIN1 }}",
            "{%- raw -%} {% endraw x %} {%- endraw -%}\n{{ CHAIN1 }}",
            "{ {{ x }} {{ CHAIN1",
        ] {
            let source = hiding.replace("CHAIN", &chain);
            assert!(rewrite(&source).is_err(), "{hiding}");
            let harmless = hiding.replace("CHAIN", "--");
            assert!(rewrite(&harmless).is_ok(), "{hiding}");
        }
        assert_eq!(rewrite(&format!("a\nb\n{{{{ {chain}1 }}}}")).map_err(|e| e.0), Err(3));
        let harmless = format!("{{# {chain} #}}{chain}{{% raw %}}{{{{ {chain} }}}}{{% endraw %}}");
        assert_eq!(rewrite(&harmless), Ok(harmless.clone()));
        assert!(rewrite(&("{% if x %}".to_owned() + &"{%- elif x %}".repeat(501))).is_err());
    }
}
