//! The shadow parser against llguidance's own: at every byte the same bytes may come, and the text
//! may end at the same places. Texts are the examples of every shipped grammar, those with a byte
//! changed, and random walks; small grammars cover each construct.

use maze::engine::cases::{Beside, Cases};
use maze::engine::constraint::Constraint;
use maze::engine::grammar::library::{self, Shipped};
use maze::engine::grammar::{Compiled, GrammarSource};
use maze::engine::shadow::{ByteSet, Shadow};

use super::{VOCABULARY, compile};

/// A small random generator, the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n.max(1)
    }
}

/// The two parsers, side by side.
struct Pair {
    constraint: Constraint,
    shadow: Shadow,
    positions: usize,
    name: String,
}

impl Pair {
    fn of(grammar: &Compiled) -> Self {
        let shadow = grammar.shadow().unwrap_or_else(|e| panic!("{}: {e}", grammar.source().name));
        Self { constraint: grammar.constraint(), shadow, positions: 0, name: grammar.source().name.clone() }
    }

    fn fork(&self) -> Self {
        Self {
            constraint: self.constraint.fork(),
            shadow: self.shadow.fork(),
            positions: 0,
            name: self.name.clone(),
        }
    }

    fn describe(&self) -> String {
        format!("{} after {:?}", self.name, String::from_utf8_lossy(self.shadow.text()))
    }

    /// Compares what may come; gives it. `None` past llguidance's limits.
    fn compare(&mut self) -> Option<ByteSet> {
        let fed = self.constraint.feed(b"").ok()?;
        let theirs: ByteSet = fed.expected.into_iter().collect();
        let ours = self.shadow.next_bytes();
        assert!(self.shadow.limit().is_none(), "{:?} {}", self.shadow.limit(), self.describe());
        if ours != theirs {
            let only = |a: ByteSet, b: ByteSet| {
                a.iter().filter(|&x| !b.contains(x)).map(char::from).collect::<String>()
            };
            panic!(
                "{}\nonly llguidance takes {:?}, only the shadow {:?}\n{:#?}",
                self.describe(),
                only(theirs, ours),
                only(ours, theirs),
                self.shadow.place().expected,
            );
        }
        let ends = self.constraint.is_accepting().ok()?;
        assert_eq!(self.shadow.may_end(), ends, "whether it may end, {}", self.describe());
        self.positions += 1;
        Some(ours)
    }

    fn push(&mut self, byte: u8) -> bool {
        let theirs = self.constraint.commit(u32::from(byte)).unwrap_or(false);
        assert_eq!(self.shadow.push(byte), theirs, "byte {byte:#x} {}", self.describe());
        theirs
    }

    /// Follows `text` as far as it goes; gives how far that is.
    fn follow(&mut self, text: &[u8]) -> usize {
        for (i, &byte) in text.iter().enumerate() {
            let Some(may) = self.compare() else { return i };
            if !may.contains(byte) {
                return i;
            }
            if !self.push(byte) {
                return i;
            }
        }
        self.compare();
        text.len()
    }

    /// Goes on with random bytes, those that people read preferred.
    fn wander(&mut self, random: &mut Random, steps: usize) {
        for _ in 0..steps {
            let Some(may) = self.compare() else { return };
            let readable: Vec<u8> = may.iter().filter(|b| matches!(b, b' '..=b'~' | b'\n')).collect();
            let all: Vec<u8> = may.iter().collect();
            // Letters have most of the bytes, other ones lead on.
            let rare: Vec<u8> = readable.iter().copied().filter(|b| !b.is_ascii_alphanumeric()).collect();
            let from = match random.below(8) {
                0 => &all,
                1..=3 if !rare.is_empty() => &rare,
                _ if !readable.is_empty() => &readable,
                _ => &all,
            };
            let Some(&byte) = from.get(random.below(from.len())) else { return };
            if !self.push(byte) {
                return;
            }
        }
        self.compare();
    }
}

/// How often everything is tried: `SHADOW_ROUNDS=50` for a long run.
fn rounds() -> usize {
    std::env::var("SHADOW_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// Follows `texts`, changes and cuts them, and wanders. Gives the number of places compared.
fn agree(grammar: &Compiled, texts: &[Vec<u8>], effort: usize) -> usize {
    let effort = effort * rounds();
    let mut random = Random(0x5EED_0001 + (grammar.source().text.len() * rounds()) as u64);
    let start = Pair::of(grammar);
    let mut positions = 0;
    for text in texts {
        let mut pair = start.fork();
        pair.follow(text);
        positions += pair.positions;
        for _ in 0..effort {
            // As far as a random place, then another byte, then on as if nothing had been.
            let at = random.below(text.len() + 1);
            let mut pair = start.fork();
            let fed = text[..at].iter().take_while(|&&b| pair.push(b)).count();
            let Some(may) = pair.compare() else { continue };
            let all: Vec<u8> = may.iter().collect();
            if let Some(&other) = all.get(random.below(all.len())) {
                pair.push(other);
            }
            let rest = &text[(fed + random.below(2)).min(text.len())..];
            pair.follow(&rest[..rest.len().min(120)]);
            pair.wander(&mut random, 20);
            positions += pair.positions;
        }
    }
    for _ in 0..effort * 2 {
        let mut pair = start.fork();
        pair.wander(&mut random, 60);
        positions += pair.positions;
    }
    positions
}

/// The texts of a shipped grammar's cases.
fn texts(shipped: &Shipped) -> Vec<Vec<u8>> {
    Cases::of(&shipped.source(), &Beside::Shipped).list.iter().map(|case| case.text.to_vec()).collect()
}

#[test]
fn it_agrees_with_llguidance_on_every_shipped_grammar() {
    let mut all = 0;
    for shipped in library::ALL {
        let grammar = compile(&shipped.source());
        let positions = agree(&grammar, &texts(shipped), 6);
        println!("{:12} {positions:7} places", shipped.name);
        all += positions;
    }
    println!("{:12} {all:7} places", "all");
    assert!(all > 10_000, "{all}");
}

/// What each grammar is for, the grammar, and texts to start from.
const CONSTRUCTS: &[(&str, &str, &[&str])] = &[
    ("greedy lexemes", "start: (A | B | \"abc\")+\nA: /[ab]+/\nB: /b+c*/", &["abcbbcabab", "bbbccabc"]),
    (
        "keyword and name",
        "start: (\"if\" NAME | NAME)+\nNAME: /[a-z]+/\n%ignore \" \"",
        &["if ifx iff", "if if"],
    ),
    ("a lazy lexeme", "start: text \"y\"\ntext[lazy]: /.*x/", &["aaaxy", "xy", "axbxy"]),
    ("suffix", "start: text+ \"!\"\ntext[suffix=\"--\"]: /[a-z -]*/", &["ab--!", "--!", "a-b--c--!"]),
    ("suffix by a regex", "start: \"<\" text \"z\"\ntext[suffix=/[.;]+x/]: /[^!]*/", &["<a.b;;xz", "<.xz"]),
    (
        "lazy after greedy",
        "start: NAME text \";\"\nNAME: /[a-z]+/\ntext[suffix=\"9\"]: /[0-9]*/",
        &["ab1239;", "a9;"],
    ),
    ("ignored text", "start: \"a\"+ \"b\"\n%ignore / +/\n%ignore \"#\"", &["a a#  ab", "a # b"]),
    (
        "ignored at the start",
        "%llguidance {\"allow_initial_skip\": true}\nstart: \"a\"+\n%ignore / +/",
        &["  a a ", "a"],
    ),
    (
        "ignored once",
        "%llguidance {\"ignore_once\": true}\nstart: \"a\"+ \"b\"\n%ignore \" \" | \"\\n\"",
        &["a a b", "a  b"],
    ),
    (
        "nested JSON",
        "start: \"call \" %json {\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"integer\"}}, \"required\": [\"a\"]} \";\"",
        &["call {\"a\": 12};", "call { \"a\":1 , \"b\": [true]};"],
    ),
    (
        "nested Lark",
        "start: \"x\" %lark {\n start: \"(\" inner* \")\"\n inner: /[0-9]+/\n %ignore \" \"\n} \"y\"\n%ignore \"_\"",
        &["x( 1 22 )y", "x_(1)_y"],
    ),
    (
        "nested Lark that ignores once",
        "start: \"x\" %lark {\n %llguidance {\"ignore_once\": true}\n start: \"(\" \"1\"* \")\"\n %ignore \" \"\n} \"y\"\n%ignore \"_\"",
        &["x(1 1  )y", "x__(1 )_y"],
    ),
    (
        "two nested grammars",
        "start: (%lark {\n start: \"a\" \"b\"\n %ignore \" \"\n} | %lark {\n start: \"a\" \"c\"\n %ignore \"-\"\n})+",
        &["a ba-c", "aba--cab"],
    ),
    (
        "substrings",
        "start: \"<\" %regex {\"substring_words\": \"the quick brown fox\"} \">\"",
        &["<quick brown>", "<>"],
    ),
    (
        "terminals with and, not",
        "start: (NAME \" \")+ ~\"x\"\nNAME: /[a-z]+/ & ~/if|else/ & ~KEY\nKEY: \"for\"",
        &["ifx els fo x", "forr y"],
    ),
    (
        "repetitions",
        "start: A{2,4} b{3} c~2..3 d{,2} e{14,40}\nA: /[a-c]/\nb: \"b\" | \"bb\"\nc: \"c\"\nd: \"d\"\ne: \"e\"",
        &["aabbbbccddeeeeeeeeeeeeeeeeeeeee", "abcabbbbccceeeeeeeeeeeeee"],
    ),
    (
        "optional and empty",
        "start: a? [b] c* \"!\"\na: \"\" | \"a\"\nb: \"b\"?\nc: /x*/ \"c\"",
        &["abxxcc!", "!"],
    ),
    ("empty start", "start: \"\" | \"a\" start", &["aaa"]),
    ("left recursion", "start: start \"+\" n | n\nn: /[0-9]+/", &["1+22+333"]),
    ("right recursion", "start: n \"+\" start | n\nn: /[0-9]+/", &["1+22+333"]),
    ("ambiguity", "start: e\ne: e \"+\" e | e \"*\" e | /[0-9]/", &["1+2*3+4*5"]),
    ("hidden left recursion", "start: a\na: b a \"x\" | \"y\"\nb: \"\" | \"b\"", &["byxx", "yxxx"]),
    ("case", "start: \"select\"i /[a-z]+/i\n%ignore \" \"", &["SeLeCt abC", "selectx"]),
    ("a range", "start: \"a\"..\"f\" \"0\"..\"3\"", &["a0", "f3"]),
    (
        "imports",
        "%import common.INT\n%import common.WS -> SPACE\nstart: INT (\",\" INT)*\n%ignore SPACE",
        &["1, 22 ,333"],
    ),
    ("beyond ASCII", "start: /[äöü]+/ \"é\" /[^a]/", &["äöüéx", "ééé"]),
    ("parameters", "start: f::0\nf::_: \"x\" %if eq(_, 3) | \"a\" f::incr(_) %if lt(_, 3)", &["aaax"]),
    (
        "a group after a parameter",
        "start: l::0\nl::_: i::_ (\",\" i::_)* \";\" %if eq(_, 0) | i::_ (\"+\")? i::0 (\"-\" | l::0)\ni::_: \"x\" %if eq(_, 0) | \"y\"",
        &["x,y,x;", "x+x-", "yxx,y;"],
    ),
    (
        "a permutation",
        "start: p::0\np::_: \"\" %if is_ones([0:3]) | \"a\" p::set_bit(0) %if bit_clear(0) | \"b\" p::set_bit(1) %if bit_clear(1) | \"c\" p::set_bit(2) %if bit_clear(2)",
        &["abc", "cab", "ba"],
    ),
    (
        "parameters that are mixed up",
        "start: f::2\nf::_: ind::_ \"x;\" | ind::_ \"x;\" f::_ | ind::_ \"x;\" f::incr(_) %if lt(_, 4) | ind::_ \"y;\" f::decr(_) %if gt(_, 0)\nind::_: \"\" %if eq(_, 0) | \" \" ind::decr(_) %if gt(_, 0)",
        &["  x;   x;", "  y; x;"],
    ),
    ("captures", "start: a b\na[capture]: \"x\"+\nb[capture=\"named\"]: \"y\" | a", &["xxy", "xxx"]),
    ("a temperature", "start: a \"!\"\na[temperature=0.7]: /[a-z]*/", &["abc!", "!"]),
    ("one rule for another", "start: a\na: b\nb: c | d\nc: \"c\" a?\nd: c", &["ccc"]),
    ("unit cycles", "start: a\na: b | \"x\"\nb: a | \"y\"", &["x", "y"]),
    ("comments and blank lines", "# one\nstart: a // two\n\n  | \"b\"\n\na: \"a\" # three\n", &["a", "b"]),
];

#[test]
fn it_agrees_with_llguidance_on_every_construct() {
    let mut all = 0;
    for (what, lark, texts) in CONSTRUCTS {
        let grammar = compile(&GrammarSource::lark(*what, *lark));
        let texts: Vec<Vec<u8>> = texts.iter().map(|t| t.as_bytes().to_vec()).collect();
        let start = Pair::of(&grammar);
        for text in &texts[..1] {
            let taken = start.fork().follow(text);
            assert!(taken > 0, "{what}: {:?}", String::from_utf8_lossy(text));
        }
        all += agree(&grammar, &texts, 12);
    }
    println!("constructs   {all:7} places");
}

#[test]
fn it_agrees_with_llguidance_on_other_languages() {
    let sources = [
        GrammarSource::json_schema("any", "{}"),
        GrammarSource::json_schema(
            "schema",
            r##"{"type": "object", "properties": {"id": {"type": "integer", "minimum": 3, "maximum": 120},
                "kind": {"enum": ["a", "bb", "b\"c"]}, "next": {"$ref": "#/$defs/node"},
                "list": {"type": "array", "items": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 3}]}, "maxItems": 14}},
                "required": ["kind"], "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "additionalProperties": false}}}"##,
        ),
        GrammarSource::regex("regex", r"(?x) [a-f]{2,9} / \d+ (,\ x?y)*"),
        GrammarSource::gbnf(
            "gbnf",
            "root ::= (a \" \")* [^x-z\\n]{2,5} <[256]>?\na ::= \"if\" | [a-z]+ | (\"0\" | \"12\")+",
        ),
    ];
    let texts: [&[&str]; 4] = [
        &["{\"a\": [1, 2.5e3, null, \"x\\u00e9\"], \"b\": {}}", "[true]"],
        &[
            "{\"kind\": \"bb\", \"next\": {\"next\": {}}, \"list\": [null, \"abc\"]}",
            "{\"id\": 17, \"kind\":\"a\"}",
        ],
        &["abc/12, xy, y", "ff/0"],
        &["if iff 0120 abc", "zz"],
    ];
    for (source, texts) in sources.iter().zip(texts) {
        let texts: Vec<Vec<u8>> = texts.iter().map(|t| t.as_bytes().to_vec()).collect();
        let positions = agree(&compile(source), &texts, 12);
        println!("{:12} {positions:7} places", source.name);
    }
}

/// Tokens that stand for themselves are no bytes: the two are fed token by token.
#[test]
fn it_agrees_on_special_tokens() {
    let lark = "start: \"a\"* (<|tool|> body | <[257]> \"!\")+\nbody: /[a-z]*/ <|end|> | <[256-257]>";
    let grammar = compile(&GrammarSource::lark("special", lark));
    let mut random = Random(77);
    let mut taken = 0;
    for _ in 0..60 {
        let mut pair = Pair::of(&grammar);
        for _ in 0..12 {
            let Some(may) = pair.compare() else { break };
            let bytes: Vec<u8> = may.iter().collect();
            let token = [256, 257][random.below(2)];
            let theirs = pair.constraint.fork().commit(token).unwrap_or(false);
            let mut shadow = pair.shadow.fork();
            assert_eq!(shadow.push_special(token, b"<>"), theirs, "{token} {}", pair.describe());
            if theirs && random.below(2) == 0 {
                taken += 1;
                assert!(pair.constraint.commit(token).unwrap());
                assert!(pair.shadow.push_special(token, b"<>"));
            } else if let Some(&byte) = bytes.get(random.below(bytes.len())) {
                pair.push(byte);
            }
        }
    }
    assert!(taken > 50, "{taken}");
}

/// Going back and forth leaves no trace.
#[test]
fn going_back_gives_the_same_answers() {
    for shipped in library::ALL.iter().take(3) {
        let text = texts(shipped).remove(0);
        let mut shadow = compile(&shipped.source()).shadow().expect("it can be followed");
        let mut seen = vec![(shadow.next_bytes(), shadow.may_end())];
        for &byte in &text {
            assert!(shadow.push(byte));
            seen.push((shadow.next_bytes(), shadow.may_end()));
        }
        let mut random = Random(5);
        for _ in 0..60 {
            let to = random.below(text.len()).min(shadow.text().len());
            shadow.truncate(to);
            assert_eq!((shadow.next_bytes(), shadow.may_end()), seen[shadow.text().len()]);
            let on = to + random.below(40).min(text.len() - to);
            assert_eq!(shadow.feed(&text[shadow.text().len()..on]), on - to);
            assert_eq!((shadow.next_bytes(), shadow.may_end()), seen[on]);
        }
    }
}

/// `stop=` takes what it matched back from the text; llguidance must be told token by token.
#[test]
fn it_agrees_on_stop() {
    let grammars = [
        "start: text \"!\"\ntext[stop=\"--\"]: /[a-z -]*/",
        "start: text \"--!\"\ntext[stop=\"--\"]: /[a-z -]*/",
        "start: text (\"--\" text)* \"!\"\ntext[stop=/[-.]/]: /[a-z]*/",
        "start: text\ntext[stop=\"\"]: /[a-z]*/",
    ];
    for lark in grammars {
        let grammar = compile(&GrammarSource::lark("stop", lark));
        let mut random = Random(11);
        for _ in 0..40 {
            let mut pair = Pair::of(&grammar);
            pair.wander(&mut random, 12);
        }
    }
}

#[test]
fn max_tokens_is_said_to_be_beyond_it() {
    let lark = "start: a \"b\"\na[max_tokens=3]: /[a-z ]+/";
    let refused = compile(&GrammarSource::lark("max", lark)).shadow().map(drop);
    let message = serde_json::to_value(refused.expect_err("tokens are not bytes")).expect("plain data");
    assert_eq!(message["max_tokens"]["rule"], "a");
    assert_eq!(message["max_tokens"]["spot"]["start"]["line"], 2);
    assert!(VOCABULARY.len() > 256);
}
