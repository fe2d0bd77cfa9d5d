//! Broken grammars and what is said about them. The cases are in `tests/data/diagnostics.txt`:
//! `=== KIND`, the grammar, `---`, then one line per diagnostic.

use maze::engine::grammar::{GrammarKind, GrammarSource};
use maze::engine::{Diagnostic, Severity};

#[path = "support/nano.rs"]
mod nano;

struct Case {
    line: usize,
    source: GrammarSource,
    expected: Vec<String>,
}

fn cases() -> Vec<Case> {
    let file = include_str!("data/diagnostics.txt");
    let mut cases: Vec<Case> = Vec::new();
    let mut in_expected = false;
    for (index, line) in file.lines().enumerate() {
        if let Some(kind) = line.strip_prefix("=== ") {
            let kind = match kind {
                "lark" => GrammarKind::Lark,
                "gbnf" => GrammarKind::Gbnf,
                "schema" => GrammarKind::JsonSchema,
                "regex" => GrammarKind::Regex,
                other => panic!("line {}: no such kind: {other}", index + 1),
            };
            let source = GrammarSource::new(kind, "case", "");
            cases.push(Case { line: index + 1, source, expected: Vec::new() });
            in_expected = false;
        } else if line == "---" {
            in_expected = true;
        } else if let Some(case) = cases.last_mut() {
            if in_expected {
                case.expected.push(line.to_owned());
            } else {
                if !case.source.text.is_empty() {
                    case.source.text.push('\n');
                }
                case.source.text.push_str(line);
            }
        }
    }
    cases
}

/// `LINE:COLUMN-LINE:COLUMN severity[code] message`, and the help on a line of its own.
fn render(diagnostic: &Diagnostic) -> Vec<String> {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let (start, end) = (diagnostic.start, diagnostic.end);
    let mut lines = vec![format!(
        "{}:{}-{}:{} {severity}[{}] {}",
        start.line, start.column, end.line, end.column, diagnostic.code, diagnostic.message
    )];
    lines.extend(diagnostic.help.iter().map(|help| format!("  help: {help}")));
    lines
}

#[test]
fn every_mistake_is_named_and_placed() {
    let cases = cases();
    assert!(cases.len() > 90, "only {} cases were read", cases.len());
    let mut wrong = String::new();
    for case in cases {
        let (compiled, found) = nano::COMPILER.compile(&case.source);
        let actual: Vec<String> = found.iter().flat_map(render).collect();
        let expected: Vec<&str> =
            case.expected.iter().map(String::as_str).filter(|l| !l.is_empty()).collect();
        if actual != expected {
            let text = &case.source.text;
            wrong += &format!("line {}:\n{text}\n---\n{}\n\n", case.line, actual.join("\n"));
        }
        let is_broken = found.iter().any(|d| d.severity == Severity::Error);
        assert_eq!(compiled.is_none(), is_broken, "line {}: {actual:?}", case.line);
        for diagnostic in &found {
            assert!(diagnostic.span.end <= case.source.text.len(), "line {}", case.line);
        }
    }
    assert!(wrong.is_empty(), "these differ from tests/data/diagnostics.txt; now they are:\n\n{wrong}");
}
