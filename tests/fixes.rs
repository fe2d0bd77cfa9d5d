//! Fixes keep what was meant: texts that were accepted before stay accepted, and what should be
//! refused is refused.

use maze::engine::cases::{Beside, Case, Cases, Wants};
use maze::engine::check::{Verdict, check_text};
use maze::engine::grammar::{Compiled, GrammarKind, GrammarSource, library};
use maze::engine::{Diagnostic, Severity};

#[path = "support/nano.rs"]
mod nano;

fn said(found: &[Diagnostic]) -> String {
    found.iter().map(|d| format!("\n  {} {}: {}", d.number, d.code, d.message)).collect()
}

fn accepts(grammar: &Compiled, text: &[u8]) -> bool {
    check_text(grammar, text).ok() == Some(Verdict::Accepted)
}

/// A grammar with a finding, and what its fix must do: texts that are accepted before (if it compiles)
/// and after, texts that were meant and are accepted only after, and texts that are refused after.
struct Kept {
    code: &'static str,
    kind: GrammarKind,
    text: &'static str,
    accepted: &'static [&'static str],
    meant: &'static [&'static str],
    refused: &'static [&'static str],
    is_safe: Option<bool>,
}

impl Kept {
    const fn meant(mut self, texts: &'static [&'static str]) -> Self {
        self.meant = texts;
        self
    }

    /// Whether the fix may be made without asking, where that depends on the grammar.
    const fn safe(mut self, is_safe: bool) -> Self {
        self.is_safe = Some(is_safe);
        self
    }
}

const fn lark(
    code: &'static str,
    text: &'static str,
    accepted: &'static [&'static str],
    refused: &'static [&'static str],
) -> Kept {
    Kept { code, kind: GrammarKind::Lark, text, accepted, meant: &[], refused, is_safe: None }
}

const KEPT: &[Kept] = &[
    lark(
        "right-recursion",
        "start: list\nlist: \"x\" \",\" list | \"x\"",
        &["x", "x,x", "x,x,x"],
        &["", "x,", ",x", "xx"],
    ),
    lark("right-recursion", "start: list\nlist: \"x\" list | \"\"", &["", "x", "xxx"], &["y", "xy"]),
    lark(
        "right-recursion",
        "start: list\nlist: \"x\" (\",\" list)?",
        &["x", "x,x", "x,x,x"],
        &["", "x,", "xx"],
    ),
    lark("right-recursion", "start: a\na: \"x\" \"y\" a?", &["xy", "xyxy"], &["", "x", "xyx"]),
    lark(
        "right-recursion",
        "start: a\na: b a | c a | b | c\nb: \"b\"\nc: \"c\"",
        &["b", "c", "bcb"],
        &["", "x"],
    ),
    lark(
        "right-recursion",
        "start: a\na: \"b\" \",\" a | \"b\" | \"\"",
        &["", "b", "b,b", "b,"],
        &[",", "bb"],
    ),
    lark(
        "ambiguous-operator",
        "start: e\ne: e \"+\" e | e \"*\" e | \"(\" e \")\" | /[0-9]/",
        &["1", "1+2*3", "(1+2)*3", "((1))"],
        &["", "1+", "+1", "12", "()"],
    ),
    lark("ambiguous-operator", "start: e\ne: e (\"+\" | \"-\") e | \"x\"", &["x", "x+x-x"], &["x+", "xx"]),
    lark("ambiguous-operator", "start: e\ne: e e | \"x\"", &["x", "xx", "xxx"], &["", "y"]),
    lark(
        "right-recursion",
        "start: list\nlist: \"a\"\",\" list | \"a\"",
        &["a", "a,a", "a,a,a"],
        &["", "a,,a"],
    ),
    lark("right-recursion", "start: b\nb: \"x\"+ b | \"x\"+", &["x", "xxx"], &["", "y"]),
    lark("right-recursion", "start: b\nb: (\"x\")~2 b?", &["xx", "xxxx"], &["", "x", "xxx"]),
    lark("right-recursion", "start: b\nb: (\"x\" \"y\") b | (\"x\" \"y\")", &["xy", "xyxy"], &["", "x"]),
    lark("right-recursion", "start: b\nb: \"x\"|\"x\"b", &["x", "xxx"], &["", "y"]),
    lark("ambiguous-operator", "start: e\ne: e\"+\"+ e | e e | \"x\"", &["x", "x++x", "xx+x"], &["", "x+"]),
    lark("single-quotes", "start: 'a\"b' | \"c\"", &["a\"b", "c"], &["a"]),
    lark("sniffed-as-gbnf", "?start: \"a\" start | \"b\"", &["b", "ab"], &["a"]),
    lark("sniffed-as-gbnf", "start[capture]: \"a\"", &["a"], &["b"]),
    lark("insensitive-unicode", "start: \"as/k\"i", &["as/k", "AS/K", "aS/k"], &["aſ/k", "as/\u{212a}"]),
    lark(
        "insensitive-unicode",
        "start: \"yes\\n\\t/\\\"\"i",
        &["yes\n\t/\"", "YeS\n\t/\""],
        &["yeſ\n\t/\"", "yesn"],
    ),
    lark("never-lazy", "start: /\"(.*?)\"/", &["\"\"", "\"a b\""], &["\"a\"b\"", "\"a"]),
    lark("never-lazy", "start: C\nC: /\\/\\*.*?\\*\\//s", &["/**/", "/* a * / \n **/"], &["/* */ */", "/*/"]),
    lark(
        "never-lazy",
        "start: C\nC: /<!--.*?-->/",
        &["<!---->", "<!-- a - -> b -->"],
        &["<!-- --> -->", "<!-->"],
    ),
    // Nothing can follow `.+`: before, no text is accepted.
    lark("swallows-next", "start: /.+/ \";\"", &[], &["a", ";;"]).meant(&["a;"]).safe(true),
    lark("swallows-next", "start: T \";\"\nT: /.+/", &[], &["a", ";;"]).meant(&["a;"]).safe(true),
    // Another use of the same terminal keeps what it takes.
    lark("swallows-next", "start: \"\\n\" /.+/ | /.+/ \";\"", &["\na;b", "\n;"], &["a;b"])
        .meant(&["a;"])
        .safe(false),
    lark("swallows-next", "start: p | \"SAY \" T\np: T \";\"\nT: /[^A-Z]+/", &["SAY a;b", "SAY ;"], &["a;b"])
        .meant(&["a;"])
        .safe(false),
    lark("swallows-next", "start: T \";\" | \"A\" U\nU: T \"!\"\nT: /[^A-Z!]+/", &["Aab;c!"], &[";;"])
        .meant(&["b;"])
        .safe(false),
    lark("swallows-next", "start: p \";\" | \"SAY \" p\np: /[^A-Z]+/", &["SAY ab"], &[";;"])
        .meant(&["a;"])
        .safe(false),
    lark(
        "keyword-as-name",
        "start: \"if\"i N | N\nN: /[a-z]+/ | /[0-9]/",
        &["ifx", "x", "iffy", "7"],
        &["if", "iF"],
    ),
    lark("keyword-as-name", "start: \"if\"i N | N\nN: /[a-zA-Z]+/ & ~\"if\"", &["x"], &["if", "iF"]),
    lark(
        "keyword-as-name",
        "%import common.CNAME\nstart: \"if \" CNAME | \"if\"",
        &["if x", "if"],
        &["if if"],
    ),
    lark(
        "glued-keyword",
        "start: \"let\" N\nN: /[a-z]+/\n%ignore / +/",
        &["let x", "let  xy"],
        &["letx", "let"],
    ),
    lark("glued-keyword", "start: \"let\" N\nN: /[a-z]+/", &[], &["letx"]).meant(&["let x"]),
    lark("slow-repeat", "start: /[a-z]/+ \"1\"", &["a1", "abc1"], &["1", "a"]),
    lark("slow-repeat", "start: w \"1\"\nw: (L | \"_\")*\nL: /[a-z]/", &["1", "a1", "a_c1"], &["", "a"]),
    lark("initial-skip", "start: \"a\" \"b\"\n%ignore / /", &["a b", "ab"], &["a"]),
    lark(
        "initial-skip",
        "%llguidance {\"no_forcing\": true}\nstart: \"a\" \"b\"\n%ignore / /",
        &["a b", "ab"],
        &["a"],
    ),
    lark(
        "endless-space",
        "start: \"a\" \"b\"\n%ignore WS\n%import common.WS",
        &["a b", "a \n b", "ab"],
        &["a"],
    ),
    lark("rule-in-terminal", "start: D\nD: y y\ny: /[0-9]/", &["12"], &["1", "123"]),
    lark("unused-name", "start: \"a\"\nb: \"b\"\n  | \"c\"\n", &["a"], &["b"]),
    lark("unused-name", "b: \"b\"\nstart: \"a\"", &["a"], &["b"]),
    lark(
        "unused-name",
        "start: \"x\" i\ni: %lark {\n start: \"(\" D\n D: /[0-9]/\n}\nD: \"d\"",
        &["x(1"],
        &["x(d"],
    ),
    lark("missing-start", "root: \"a\" root | \"b\"", &["b", "aab"], &["a"]),
    lark("gbnf", "root ::= (\"a\" | [b-c])+ d?\nd ::= \"d\"", &["a", "cabd"], &["", "dd"]).safe(false),
    // Before, the backslash is one of the text.
    lark("doubled-escape", "start: /\\\\d+\\\\./", &[], &["\\d."]).meant(&["12."]).safe(false),
    lark("doubled-escape", "start: /x|\\\\w/", &["x"], &["\\w"]).meant(&["é"]).safe(false),
    Kept {
        code: "json-white-space",
        kind: GrammarKind::JsonSchema,
        text: "{\"x-guidance\": {\"lenient\": true}, \"type\": \"array\", \"items\": {\"type\": \"null\"}}",
        accepted: &["[]", "[null, null]", "[\n null]"],
        meant: &[],
        refused: &["[", "[1]"],
        is_safe: Some(false),
    },
];

#[test]
fn fixes_keep_what_was_meant() {
    let mut wrong = String::new();
    for case in KEPT {
        let source = GrammarSource::new(case.kind, "before", case.text);
        let (before, found) = nano::COMPILER.compile(&source);
        let Some(fix) = found.iter().find(|d| d.code == case.code).and_then(|d| d.fix.as_deref()) else {
            wrong += &format!("\n{}: no fix for\n{}{}", case.code, case.text, said(&found));
            continue;
        };
        if case.is_safe.is_some_and(|is_safe| is_safe != fix.safe) {
            wrong += &format!("\n{}: safe is {} for\n{}", case.code, fix.safe, case.text);
        }
        let text = fix.apply(case.text);
        let (after, found) = nano::COMPILER.compile(&GrammarSource::new(case.kind, "after", &*text));
        let Some(after) = after else {
            wrong += &format!("\n{}: this does not compile\n{text}{}", case.code, said(&found));
            continue;
        };
        if found.iter().any(|d| d.code == case.code) {
            wrong += &format!("\n{}: still there in\n{text}{}", case.code, said(&found));
        }
        let before = |sample: &str| before.as_ref().map(|before| accepts(before, sample.as_bytes()));
        let after = |sample: &str| accepts(&after, sample.as_bytes());
        for sample in case.accepted.iter().filter(|s| before(s) == Some(false) || !after(s)) {
            wrong += &format!("\n{}: {sample:?} is not accepted by both\n{text}", case.code);
        }
        for sample in case.meant.iter().filter(|s| before(s) == Some(true) || !after(s)) {
            wrong += &format!("\n{}: {sample:?} is not accepted only by\n{text}", case.code);
        }
        for sample in case.refused.iter().filter(|s| after(s)) {
            wrong += &format!("\n{}: {sample:?} is accepted by\n{text}", case.code);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Grammars that look like a trap and are none, or whose fix would do harm: there is no such fix.
const LEFT: &[(&str, &str)] = &[
    ("unused-name", "start: \"a\"~2T\nT: \"b\""),
    ("doubled-escape", r"start: /\\section\{[^}]*\}/"),
    ("doubled-escape", r"start: /C:\\windows|\\\\server/"),
    ("unused-name", "start: \"x\" inner \"y\"\ninner: %lark {\n  start: \"(\" D \")\"\n  D: /[0-9]/\n}"),
    ("undefined-name", "start: \"x\" %lark {\n  start: D\n  D: /[0-9]/\n}"),
    ("ignored-terminal", "start: WS? \"a\" \"b\"\nWS: / +/\n%ignore WS"),
    (
        "ignored-terminal",
        "%llguidance {\"ignore_once\": true}\nstart: \"a\" NL \"b\"\nNL: \"\\n\"\n%ignore /[ \\n]/",
    ),
];

#[test]
fn what_is_right_is_left_alone() {
    for (code, text) in LEFT {
        let (_, found) = nano::COMPILER.compile(&GrammarSource::lark("right", *text));
        assert!(
            !found.iter().any(|d| d.code == *code || d.severity == Severity::Error),
            "{text}{}",
            said(&found)
        );
    }
    // Lazy repetitions in the middle of a pattern.
    for text in [r"start: /(\[.*?\])\(x\)/", r"start: /(a.*?b|c)d/", r"start: /(<.*?>){2}/"] {
        let (_, found) = nano::COMPILER.compile(&GrammarSource::lark("lazy", text));
        let lazy = found.iter().find(|d| d.code == "never-lazy").unwrap_or_else(|| panic!("{text}"));
        assert_eq!(lazy.fix, None, "{text}");
    }
}

/// Traps with a fix that may be made without asking. Each goes at the end of a shipped grammar, whose
/// own first rule is `the_grammar` then.
const TRAPS: &[(&str, &str)] = &[
    ("unused-name", "start: the_grammar\nleft_over: \"over\" an_other\nan_other: \"x\""),
    (
        "unused-name",
        "start: the_grammar | nested_trap\nnested_trap: \"\\x01\" %lark {\n  start: D\n  D: /[0-9]/\n}\nD: \"d\"",
    ),
    ("never-lazy", "start: the_grammar | \"\\x01\" /\"(.*?)\"|x/"),
    ("never-lazy", "start: the_grammar | \"\\x01\" LAZY\nLAZY: /(<.*?>)\\(x\\)/"),
    ("swallows-next", "start: the_grammar | \"\\x01\" /.+/ \";\""),
    ("insensitive-unicode", "start: the_grammar | \"\\x01yes\\n\"i"),
    ("right-recursion", "start: the_grammar | trap\ntrap: \"\\x01\"\",\" trap | \"\\x01\""),
    ("right-recursion", "start: the_grammar | trap\ntrap: \"\\x01\"+ trap | \"\\x01\"+"),
    ("ambiguous-operator", "start: the_grammar | trap\ntrap: trap\"+\"trap | \"\\x01\""),
    ("sniffed-as-gbnf", "?start: the_grammar"),
    ("unknown-option", "start: the_grammar\n%llguidance {\"no_forcin\": false}"),
    ("single-quotes", "start: the_grammar | '\"'"),
    ("equals-sign", "start = the_grammar"),
    ("stray-character", "start: the_grammar ;"),
    ("undefined-name", "start: the_grammar | \"\\x01\" HEXDIGIT"),
    ("unknown-attribute", "start: the_grammar | trap\ntrap[capure=\"t\"]: \"\\x01\""),
    ("bad-repeat", "start: the_grammar | \"\\x01\"{3,1}"),
];

#[test]
fn safe_fixes_keep_the_texts_of_every_shipped_grammar() {
    let mut wrong = String::new();
    for shipped in library::ALL.iter().filter(|g| g.kind == GrammarKind::Lark) {
        let whole = shipped.text.replacen("\nstart:", "\nthe_grammar:", 1);
        let mut texts = Cases::of(&shipped.source(), &Beside::Shipped).list;
        let source = shipped.source();
        texts.retain(|case| case.wants == Wants::Accept && case.is_of(source.entry()));
        assert!(!texts.is_empty(), "{}", shipped.file);
        for (code, trap) in TRAPS {
            let source = GrammarSource::lark(shipped.file, format!("{whole}\n{trap}\n"));
            let (_, found) = nano::COMPILER.compile(&source);
            let fixes: Vec<_> = found.iter().filter_map(|d| d.fix.as_deref()).filter(|f| f.safe).collect();
            if !found.iter().any(|d| d.code == *code && d.fix.as_ref().is_some_and(|fix| fix.safe)) {
                wrong += &format!("\n{}: no safe fix of {trap}{}", shipped.file, said(&found));
            }
            for fix in fixes {
                let mended = GrammarSource::lark("mended", fix.apply(&source.text));
                let (after, found) = nano::COMPILER.compile(&mended);
                let refused = after.map(|after| texts.iter().find(|case| !accepts(&after, &case.text)));
                match refused {
                    None => wrong += &format!("\n{}: {} of {trap}{}", shipped.file, fix.label, said(&found)),
                    Some(Some(Case { name, .. })) => {
                        wrong +=
                            &format!("\n{name} of {} is refused after {} of {trap}", shipped.file, fix.label)
                    }
                    Some(None) => {}
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
