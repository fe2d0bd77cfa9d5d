//! The terminals that `%import common.…` brings in, as llguidance understands them.
//!
//! A test compares them with llguidance itself.

/// Each name and what it matches.
pub(super) const COMMON: [(&str, &str); 25] = [
    ("DIGIT", "[0-9]"),
    ("HEXDIGIT", "[0-9A-Fa-f]"),
    ("INT", "[0-9]+"),
    ("SIGNED_INT", "[+-]?[0-9]+"),
    ("DECIMAL", r"[0-9]+\.[0-9]*|\.[0-9]+"),
    ("_EXP", "[Ee][+-]?[0-9]+"),
    ("FLOAT", r"([0-9]+\.[0-9]*|\.[0-9]+)([Ee][+-]?[0-9]+)?|[0-9]+[Ee][+-]?[0-9]+"),
    ("SIGNED_FLOAT", r"[+-]?(([0-9]+\.[0-9]*|\.[0-9]+)([Ee][+-]?[0-9]+)?|[0-9]+[Ee][+-]?[0-9]+)"),
    ("NUMBER", r"[0-9]+|([0-9]+\.[0-9]*|\.[0-9]+)([Ee][+-]?[0-9]+)?|[0-9]+[Ee][+-]?[0-9]+"),
    ("SIGNED_NUMBER", r"[+-]?([0-9]+|([0-9]+\.[0-9]*|\.[0-9]+)([Ee][+-]?[0-9]+)?|[0-9]+[Ee][+-]?[0-9]+)"),
    ("ESCAPED_STRING", r#""([^"\\]|\\.)*""#),
    ("LCASE_LETTER", "[a-z]"),
    ("UCASE_LETTER", "[A-Z]"),
    ("LETTER", "[a-zA-Z]"),
    ("WORD", "[a-zA-Z]+"),
    ("CNAME", "[a-zA-Z_][a-zA-Z0-9_]*"),
    ("WS_INLINE", r"[\t ]+"),
    ("WS", r"[\t\n\f\r ]+"),
    ("CR", r"\r"),
    ("LF", r"\n"),
    ("NEWLINE", r"(\r?\n)+"),
    ("SH_COMMENT", r"#[^\n]*"),
    ("CPP_COMMENT", r"//[^\n]*"),
    ("C_COMMENT", r"/\*[^*]*\*+([^*/][^*]*\*+)*/"),
    ("SQL_COMMENT", r"--[^\n]*"),
];

/// What a name matches, as a regex.
pub(super) fn pattern(name: &str) -> Option<&'static str> {
    COMMON.iter().find(|(known, _)| *known == name).map(|(_, pattern)| *pattern)
}

/// Every name.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    COMMON.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::check::{Verdict, check_text};
    use crate::engine::grammar::{Compiler, GrammarSource};
    use crate::engine::vocabulary::{SpecialTokens, Vocabulary};

    #[test]
    fn they_are_those_of_llguidance() {
        let text = include_bytes!("../../../models/nano/tokenizer.json");
        let special = SpecialTokens { bos: Some(0), eos: vec![0] };
        let vocabulary =
            Vocabulary::from_tokenizer_json(text, &special, 8192).expect("the shipped tokenizer");
        let compiler = Compiler::new(&vocabulary).expect("a compiler");
        let samples = [
            "7",
            "42",
            "a",
            "F",
            "g",
            "Z",
            "-3",
            "+3",
            "3.",
            ".5",
            "3.25",
            "1e9",
            "1E-9",
            "-.5e+3",
            "3.e",
            "e5",
            "_",
            "a_1",
            "é",
            "word",
            "Two words",
            " ",
            "\t ",
            " \n",
            "\x0c",
            "\r",
            "\n",
            "\r\n\n",
            "\"\"",
            "\"a\\\"b\"",
            "\"a\nb\"",
            "\"a",
            "# x",
            "#",
            "// x",
            "/* x */",
            "/* * / **/",
            "/* x",
            "-- x",
            "- x",
            "# x\n",
        ];
        for (name, pattern) in COMMON {
            let grammar = format!("%import common.{name}\nstart: {name}");
            let theirs = compiler.compile(&GrammarSource::lark("theirs", grammar)).0.expect(name);
            let own = regex::Regex::new(&format!("^(?:{pattern})$")).expect(name);
            for sample in samples {
                let verdict = check_text(&theirs, sample.as_bytes()).expect(sample);
                assert_eq!(own.is_match(sample), verdict == Verdict::Accepted, "{name}: {sample:?}");
            }
        }
    }
}
