//! Random texts of a grammar, derived from its rules: independent of the parser, and every
//! alternative as likely as any other, which a walk over bytes is not.

use std::collections::HashMap;

use crate::random::Random;

/// The rules of a grammar as `emit.rs` writes them: nothing but alternatives of names and texts, and
/// terminals that are texts or a regular expression.
pub struct Rules {
    rules: HashMap<String, Vec<Vec<String>>>,
}

impl Rules {
    pub fn of(lark: &str) -> Self {
        let mut rules: HashMap<String, Vec<Vec<String>>> = HashMap::new();
        let mut last = String::new();
        for line in lark.lines().filter(|line| !line.starts_with("//") && !line.is_empty()) {
            let text = match line.strip_prefix("    | ") {
                Some(more) => more,
                None => {
                    let (name, text) = line.split_once(": ").expect("a rule");
                    name.clone_into(&mut last);
                    text
                }
            };
            let rule = rules.entry(last.clone()).or_default();
            rule.extend(alternatives(text));
        }
        Self { rules }
    }

    /// A text of the grammar.
    pub fn text(&self, random: &mut Random) -> String {
        let mut out = String::new();
        self.derive("start", random, &mut out);
        out
    }

    fn derive(&self, name: &str, random: &mut Random, out: &mut String) {
        let ways = self.rules.get(name).unwrap_or_else(|| panic!("the rule {name} is there"));
        for piece in &ways[random.below(ways.len())] {
            if let Some(quoted) = piece.strip_prefix('"') {
                let text = quoted.strip_suffix('"').expect("it is closed");
                let text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\"", "\"");
                out.push_str(&text.replace("\\\\", "\\"));
            } else if piece.starts_with('/') {
                out.push_str(literal(name, random));
            } else {
                self.derive(piece, random, out);
            }
        }
    }
}

/// Some of what the terminals that are regular expressions match.
fn literal(name: &str, random: &mut Random) -> &'static str {
    let some: &[&str] = match name {
        "INT" => &["0", "7", "99999"],
        "COUNT" => &["1", "2", "999"],
        "SMALL" => &["0", "5", "99"],
        "SMALL_COUNT" => &["1", "99"],
        "FLOAT" => &["0.0", "1.5", "99999.9999"],
        "NUMBER" => &["0", "1.5", "99999", "0.0"],
        "TEXT" => &["\"\"", "\"a\"", "\"it's {x} %d\""],
        _ => panic!("nothing is known of {name}"),
    };
    some[random.below(some.len())]
}

/// The alternatives of a line, each as its pieces.
fn alternatives(text: &str) -> Vec<Vec<String>> {
    if text.starts_with('/') {
        return vec![vec![text.to_owned()]];
    }
    let mut all = vec![Vec::new()];
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        let mut piece = String::new();
        if c == '"' {
            piece.extend(chars.next());
            while let Some(c) = chars.next() {
                piece.push(c);
                match c {
                    '\\' => piece.extend(chars.next()),
                    '"' => break,
                    _ => {}
                }
            }
        } else {
            while let Some(c) = chars.next_if(|c| *c != ' ') {
                piece.push(c);
            }
        }
        chars.next_if(|c| *c == ' ');
        match piece.as_str() {
            "|" => all.push(Vec::new()),
            _ => all.last_mut().expect("one at least").push(piece),
        }
    }
    all
}
