//! GBNF: the converted grammar accepts exactly what the text says.
//!
//! The oracle is a recogniser of a few lines that knows neither Lark nor lexemes nor bytes: for
//! every rule and place it grows the set of places where the rule can end, until nothing changes.

use std::fmt::Write;

use maze::engine::check::{Verdict, check_text};
use maze::engine::grammar::{Compiled, GrammarKind, GrammarSource};
use maze::engine::{Diagnostic, Severity};

#[path = "support/nano.rs"]
mod nano;
#[path = "support/random.rs"]
mod random;

use random::Random;

/// A grammar as the oracle sees it. Rule 0 is `root`.
struct Grammar(Vec<Expr>);

#[derive(Clone)]
enum Expr {
    Text(String),
    /// Characters, and whether all but them are meant.
    Class(Vec<char>, bool),
    Any,
    Rule(usize),
    Seq(Vec<Expr>),
    Alt(Vec<Expr>),
    Repeat(Box<Expr>, u32, Option<u32>),
}

impl Grammar {
    fn gbnf(&self) -> String {
        let mut text = String::new();
        for (i, body) in self.0.iter().enumerate() {
            writeln!(text, "{} ::= {}", name(i), body.gbnf()).expect("a String");
        }
        text
    }

    fn accepts(&self, text: &[char]) -> bool {
        // Bit `e` of `ends[rule][start]`: the rule can match from `start` to `e`.
        let mut ends = vec![vec![0_u32; text.len() + 1]; self.0.len()];
        loop {
            let before = ends.clone();
            for (rule, body) in self.0.iter().enumerate() {
                for (start, ends) in ends[rule].iter_mut().enumerate() {
                    *ends |= body.ends(text, 1 << start, &before);
                }
            }
            if ends == before {
                return ends[0][0] >> text.len() & 1 == 1;
            }
        }
    }
}

impl Expr {
    /// Where it can end if it starts at one of the places `starts`.
    fn ends(&self, text: &[char], starts: u32, rules: &[Vec<u32>]) -> u32 {
        let places = || (0..=text.len()).filter(|&i| starts >> i & 1 == 1);
        let one = |fits: &dyn Fn(char) -> bool| {
            places().filter(|&i| i < text.len() && fits(text[i])).fold(0, |all, i| all | 2 << i)
        };
        match self {
            Self::Any => one(&|_| true),
            Self::Class(chars, negated) => one(&|c| chars.contains(&c) != *negated),
            Self::Rule(rule) => places().fold(0, |all, i| all | rules[*rule][i]),
            Self::Alt(parts) => parts.iter().fold(0, |all, p| all | p.ends(text, starts, rules)),
            Self::Seq(parts) => parts.iter().fold(starts, |at, p| p.ends(text, at, rules)),
            Self::Text(literal) => literal.chars().fold(starts, |at, c| {
                (0..text.len()).filter(|&i| at >> i & 1 == 1 && text[i] == c).fold(0, |all, i| all | 2 << i)
            }),
            Self::Repeat(part, min, max) => {
                let mut at = starts;
                for _ in 0..*min {
                    at = part.ends(text, at, rules);
                }
                let mut all = at;
                // More rounds than characters lead nowhere new.
                for _ in 0..max.map_or(text.len() as u32 + 1, |max| max - min) {
                    at = part.ends(text, at, rules);
                    all |= at;
                }
                all
            }
        }
    }

    fn gbnf(&self) -> String {
        let list =
            |parts: &[Expr], between: &str| parts.iter().map(Expr::gbnf).collect::<Vec<_>>().join(between);
        match self {
            Self::Text(text) => format!("\"{text}\""),
            Self::Any => ".".into(),
            Self::Class(chars, negated) => {
                let chars: String = chars.iter().collect();
                format!("[{}{chars}]", if *negated { "^" } else { "" })
            }
            Self::Rule(rule) => name(*rule),
            Self::Seq(parts) => format!("({})", list(parts, " ")),
            Self::Alt(parts) => format!("({})", list(parts, " | ")),
            Self::Repeat(part, min, max) => {
                let part = part.gbnf();
                match (min, max) {
                    (0, None) => format!("({part})*"),
                    (1, None) => format!("({part})+"),
                    (0, Some(1)) => format!("({part})?"),
                    (min, None) => format!("({part}){{{min},}}"),
                    (min, Some(max)) if min == max => format!("({part}){{{min}}}"),
                    (min, Some(max)) => format!("({part}){{{min},{max}}}"),
                }
            }
        }
    }
}

fn name(rule: usize) -> String {
    ["root", "b-1", "C_c", "4d"][rule].into()
}

/// A generator of numbers that is the same everywhere (xorshift64).
impl Random {
    fn expr(&mut self, rules: usize, depth: usize) -> Expr {
        let parts = |r: &mut Self| (0..1 + r.below(3)).map(|_| r.expr(rules, depth - 1)).collect();
        match self.below(if depth == 0 { 6 } else { 12 }) {
            0..=2 => Expr::Text((0..self.below(4)).map(|_| ALPHABET[self.below(4)]).collect()),
            3 => {
                let mut chars: Vec<char> = (0..1 + self.below(2)).map(|_| ALPHABET[self.below(4)]).collect();
                chars.dedup();
                Expr::Class(chars, self.below(4) == 0)
            }
            4 if self.below(4) == 0 => Expr::Any,
            4 | 5 if self.below(2) == 0 => Expr::Text("a".into()),
            4 | 5 => Expr::Rule(self.below(rules)),
            6..=8 => Expr::Seq(parts(self)),
            9 | 10 => Expr::Alt(parts(self)),
            _ => {
                let min = self.below(3) as u32;
                let max = (self.below(2) == 0).then_some(min + self.below(3) as u32);
                Expr::Repeat(Box::new(self.expr(rules, depth - 1)), min, max)
            }
        }
    }
}

/// `é` and `è` share their first byte.
const ALPHABET: [char; 4] = ['a', 'b', 'é', 'è'];

/// Every text over the alphabet up to this length.
fn texts(length: usize) -> Vec<Vec<char>> {
    let mut all = vec![Vec::new()];
    let mut from = 0;
    for _ in 0..length {
        let end = all.len();
        for i in from..end {
            for c in ALPHABET {
                let mut text: Vec<char> = all[i].clone();
                text.push(c);
                all.push(text);
            }
        }
        from = end;
    }
    all
}

fn compile(text: &str) -> (Option<Compiled>, Vec<Diagnostic>) {
    nano::COMPILER.compile(&GrammarSource::new(GrammarKind::Gbnf, "test", text))
}

/// Compares the two on every text of up to `length` characters; how many are accepted.
fn same(grammar: &Grammar, length: usize) -> usize {
    let text = grammar.gbnf();
    let (compiled, found) = compile(&text);
    // Some are more ambiguous than llguidance's limits allow; they are refused, which is right too.
    if found.iter().any(|d| d.code == "limit") {
        return 0;
    }
    let mut accepted = 0;
    for input in texts(length) {
        let expected = grammar.accepts(&input);
        accepted += usize::from(expected);
        let Some(compiled) = &compiled else {
            assert_eq!(found[0].code, "matches-nothing", "{text}");
            assert!(!expected, "{text} accepts {input:?}");
            continue;
        };
        let input: String = input.into_iter().collect();
        let verdict = check_text(compiled, input.as_bytes()).expect("within the limits");
        assert_eq!(verdict == Verdict::Accepted, expected, "{text}\non {input:?}: {verdict:?}");
    }
    accepted
}

#[test]
fn random_grammars_accept_what_they_say() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut with_texts = 0;
    for _ in 0..120 {
        let rules = 1 + random.below(4);
        let grammar = Grammar((0..rules).map(|_| random.expr(rules, 3)).collect());
        with_texts += usize::from(same(&grammar, 4) > 1);
    }
    assert!(with_texts > 30, "only {with_texts} of the grammars have two texts");
}

/// Grammars in which the longest lexeme is not the right one.
#[test]
fn the_longest_match_is_not_taken_for_the_only_one() {
    let text = |t: &str| Expr::Text(t.into());
    let class = |t: &str| Expr::Class(t.chars().collect(), false);
    let star = |e: Expr| Expr::Repeat(Box::new(e), 0, None);
    let plus = |e: Expr| Expr::Repeat(Box::new(e), 1, None);
    let optional = |e: Expr| Expr::Repeat(Box::new(e), 0, Some(1));
    use Expr::{Alt, Any, Rule, Seq};
    let grammars = [
        vec![Seq(vec![star(class("ab")), text("ab")])],
        vec![Seq(vec![star(Any), text("a"), Rule(1)]), Alt(vec![text("b"), Seq(vec![text("("), Rule(1)])])],
        vec![
            Alt(vec![Seq(vec![text("a"), Rule(1)]), Seq(vec![text("ab"), text("a")])]),
            Alt(vec![text("ba"), Seq(vec![text("é"), Rule(1)])]),
        ],
        // The same first byte, then another character.
        vec![Seq(vec![text("a"), optional(text("é")), text("è"), optional(Rule(0))])],
        vec![Seq(vec![star(text("é")), star(class("éè")), optional(Seq(vec![text("b"), Rule(0)]))])],
        // Left, right and middle recursion, and a loop of nothing.
        vec![Alt(vec![Seq(vec![Rule(0), text("a")]), text("b")])],
        vec![Alt(vec![Seq(vec![Rule(0), Rule(0)]), text("a"), text("")])],
        vec![Alt(vec![Seq(vec![text("a"), Rule(0), text("b")]), star(star(text("é")))])],
        vec![star(Rule(1)), Seq(vec![star(text("a")), optional(Rule(1)), optional(text("b"))])],
        vec![
            Seq(vec![plus(Rule(1)), text("ab")]),
            Alt(vec![text("a"), text("ab"), Seq(vec![Rule(1), text("b")])]),
        ],
    ];
    for rules in grammars {
        same(&Grammar(rules), 6);
    }
}

/// A rule that would be one terminal, and one that cannot be, allow the same tokens after every
/// beginning of a text.
#[test]
fn masks_do_not_depend_on_how_rules_are_cut() {
    let whole = "root ::= \"[\" (item (\", \" item)*)? \"]\"\nitem ::= [a-z]+ | \"\\\"\" [^\"]* \"\\\"\" | [0-9]{1,3}";
    // The same with a rule that leads back to itself wherever something is repeated.
    let cut = "root ::= \"[\" (item rest)? \"]\"\nrest ::= (\", \" item rest)?\n\
        item ::= word | \"\\\"\" text | [0-9] ([0-9] [0-9]?)?\nword ::= [a-z] word?\ntext ::= [^\"] text | \"\\\"\"";
    let [mut whole, mut cut] = [whole, cut].map(|text| compile(text).0.expect("it compiles").constraint());
    for byte in b"[ab, \"x, \xc3\xa9]\", 12, zz]" {
        let (a, b) = (whole.mask().expect("a mask"), cut.mask().expect("a mask"));
        assert_eq!(
            a.iter().collect::<Vec<_>>(),
            b.iter().collect::<Vec<_>>(),
            "before {:?}",
            char::from(*byte)
        );
        assert_eq!(whole.feed(&[*byte]).expect("within the limits").taken, 1);
        assert_eq!(cut.feed(&[*byte]).expect("within the limits").taken, 1);
    }
    assert!(whole.is_accepting().expect("an answer") && cut.is_accepting().expect("an answer"));
}

#[test]
fn tokens_are_tokens_and_not_their_text() {
    let id = |name: &str| {
        let is_it = |&t: &u32| nano::VOCABULARY.bytes(t) == name.as_bytes();
        (0..nano::VOCABULARY.len() as u32).find(is_it).expect("a special token")
    };
    let (start, end) = (id("<|im_start|>"), id("<|im_end|>"));
    let allowed = |text: &str| {
        let compiled = compile(text).0.expect("it compiles");
        compiled.constraint().mask().expect("a mask").iter().collect::<Vec<_>>()
    };
    assert_eq!(allowed("root ::= <|im_start|> \"a\""), [start]);
    assert_eq!(allowed(&format!("root ::= <[{end}]>")), [end]);
    let others = allowed("root ::= !<|im_end|> <|im_end|>");
    assert!(!others.contains(&end) && others.contains(&start) && others.len() > 1000);
}

/// The code of the first error, and the text that it points at.
fn refused(text: &str) -> (&'static str, &str) {
    let (compiled, found) = compile(text);
    assert!(compiled.is_none(), "it compiles");
    assert!(found.len() <= 21, "{} findings", found.len());
    (found[0].code, &text[found[0].span.clone()])
}

#[test]
fn huge_texts_are_answered() {
    let nest = |n: usize| format!("root ::= {}\"a\"{}", "(".repeat(n), ")".repeat(n));
    assert_eq!(refused(&nest(100_000)), ("too-deep", "("));
    assert!(compile(&nest(24)).0.is_some());
    assert_eq!(refused(&format!("root ::= \"a\"{}", "*".repeat(100_000))), ("too-deep", "*"));
    assert_eq!(refused("root ::= \"a\"{1000000}"), ("bad-repeat", "{1000000}"));
    assert_eq!(refused(&format!("root ::= {}", "x ".repeat(50_000))), ("undefined-name", "x"));
    let names: String = (0..20_000).map(|i| format!(" n{i}")).collect();
    assert_eq!(refused(&format!("root ::={names}")).0, "undefined-name");
    assert_eq!(refused(&("root ::= x\n".to_owned() + &"x ::= 'a'\n".repeat(10_000))).0, "single-quotes");
    // Chains of rules and circles of them, too long to recurse along.
    let chain: String = (0..5_000).map(|i| format!("r{i} ::= \"(\" r{}\n", i + 1)).collect();
    assert!(compile(&format!("root ::= r0\n{chain}r5000 ::= \"x\"")).0.is_some());
    let circle = format!("root ::= r0\n{chain}r5000 ::= r0 | \"x\"");
    assert!(compile(&circle).0.is_some());
    // Sixty thousand characters are one set; as many words may reach a limit, which has a name.
    let same = format!("root ::= {}", "\"a\"|".repeat(60_000) + "\"b\"");
    assert!(compile(&same).0.is_some());
    let words: String = (0..20_000).map(|i| format!("|\"{i}\"")).collect();
    let (compiled, found) = compile(&format!("root ::= \"x\" {words} | \"(\" root"));
    assert!(compiled.is_some() || matches!(found[0].code, "limit" | "time-limit"), "{found:?}");
}

#[test]
fn mutated_texts_are_answered() {
    let pieces = [
        "(",
        ")",
        "[",
        "]",
        "[^",
        "{",
        "}",
        "{2,",
        "\"",
        "'",
        "|",
        "*",
        "+",
        "?",
        ".",
        "::=",
        "\n",
        "\\",
        "\\u00",
        "<",
        ">",
        "!",
        "<[3]>",
        "#",
        "root",
        " ::= ",
        "é",
        "\0",
        "{3000}",
        "\\x",
        "-",
        "^",
        "\"\"",
        "99999999999",
    ];
    let text = include_str!("../grammars/chess.gbnf");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..600 {
        let mut chars: Vec<char> = text.chars().skip_while(|&c| c != 'r').collect();
        random.mutate(&mut chars, &pieces);
        let text: String = chars.into_iter().collect();
        let (compiled, found) = compile(&text);
        let broken = found.iter().any(|d| d.severity == Severity::Error);
        assert_eq!(compiled.is_none(), broken, "{text}\n{found:?}");
        for d in &found {
            assert!(
                d.span.end <= text.len() && d.code != "internal" && d.code != "invalid-grammar",
                "{text}\n{d:?}"
            );
            assert!(!d.message.is_empty() && !d.message.contains('\n'), "{text}\n{d:?}");
        }
    }
}

/// What is found in a text: each code with the part that it is about.
fn traps(text: &str) -> Vec<(&'static str, String)> {
    let (compiled, found) = compile(text);
    assert!(compiled.is_some(), "{text}\n{found:?}");
    found.into_iter().map(|d| (d.code, text[d.span].to_owned())).collect()
}

#[test]
fn traps_are_found_where_they_are() {
    for (text, wanted) in [
        (
            "root ::= list\nlist ::= item \",\" list | item\nitem ::= [a-z] | \"(\" list \")\"",
            &[("right-recursion", "list")][..],
        ),
        ("root ::= item (\",\" root)?\nitem ::= [a-z] | \"(\" root \")\"", &[("right-recursion", "root")]),
        ("root ::= \"x\" ws\nws ::= ([ \\t] ws)?", &[("endless-space", "ws")]),
        ("root ::= \"x\" ws \"y\"\nws ::= [ \\n]+ # much", &[("endless-space", "[ \\n]+")]),
        ("root ::= \"x\" sp* \"y\"\nsp ::= \" \" | \"\\t\"", &[("endless-space", "sp*")]),
        (
            "root ::= sum\nsum ::= sum \"+\" sum | [0-9]",
            &[("left-recursion", "sum"), ("ambiguous-operator", "sum \"+\" sum")],
        ),
        ("root ::= (\"a\"? b)+ \"c\"\nb ::= \"b\"*", &[("empty-loop", "(\"a\"? b)+")]),
        ("root ::= \"<\" .* \">\"", &[("any-text", ".*")]),
        ("root ::= \"<\" any \">\" \"!\"\nany ::= \"a\" (.)+ ([b]? | \"\")", &[("any-text", "any")]),
        // What nothing uses has been spoken of.
        ("root ::= \"a\"\nws ::= [ ]* .* \"x\"", &[("unused-name", "ws")]),
        // No list, no end, or a bound.
        ("root ::= \"-\" root | [0-9]", &[]),
        ("root ::= \"(\" root \")\" | [0-9]", &[]),
        ("root ::= \"if \" root (\" else \" root)? | [0-9]", &[]),
        ("root ::= \"<\" .{0,200} \">\" [ ]{0,3} .*", &[]),
        ("root ::= \"<\" (.* | \"x\")", &[]),
        ("root ::= \"a\" (\"b\"*)? (\"c\"? \"d\"){1,5} [^\\n]* \"\\n\"", &[]),
        (include_str!("../grammars/chess.gbnf"), &[]),
    ] {
        let found = traps(text);
        let found: Vec<(&str, &str)> = found.iter().map(|(code, part)| (*code, part.as_str())).collect();
        assert_eq!(found, wanted, "{text}");
        for found in compile(text).1 {
            let Some(fix) = &found.fix else { continue };
            let mended = fix.apply(text);
            let (compiled, left) = compile(&mended);
            assert!(compiled.is_some() && left.iter().all(|d| d.code != found.code), "{mended}\n{left:?}");
        }
    }
}

/// A list that recurses at its end really is given up, and what is written in its place is the same
/// language and is not.
#[test]
fn right_recursion_is_mended_exactly() {
    let mut texts = vec![String::new()];
    for at in 0..400 {
        let longer: Vec<String> = ["a", "b", ",", " "].map(|c| format!("{}{c}", texts[at])).into();
        texts.extend(longer);
    }
    for text in [
        "root ::= list \" \"\nlist ::= item \",\" list | item",
        "root ::= list \" \"\nlist ::= item (\",\" list)?",
        "root ::= list \" \"?\nlist ::= item list | \",\" item list | \"\"",
        "root ::= list\nlist ::= item list | item",
        "root ::= list\nlist ::= (item \",\" list)? # of items",
    ] {
        let text = &format!("{text}\nitem ::= \"a\" | \"b\" list \"b\"\n");
        let (compiled, found) = compile(text);
        let before = compiled.expect("it compiles");
        let finding = found.iter().find(|d| d.code == "right-recursion").expect("found");
        let mended = finding.fix.as_ref().expect("a fix").apply(text);
        let (compiled, found) = compile(&mended);
        let after = compiled.unwrap_or_else(|| panic!("{mended}\n{found:?}"));
        assert!(found.iter().all(|d| d.code != "right-recursion"), "{mended}");
        for text in &texts {
            let says = |grammar: &Compiled| check_text(grammar, text.as_bytes()).expect("within the limits");
            assert_eq!(says(&before), says(&after), "{text:?}\n{mended}");
        }
        if text.starts_with("root ::= list \" \"\n") {
            let long = "a,".repeat(3000) + "a ";
            assert!(check_text(&before, long.as_bytes()).is_err());
            assert_eq!(check_text(&after, long.as_bytes()), Ok(Verdict::Accepted));
        }
    }
}
