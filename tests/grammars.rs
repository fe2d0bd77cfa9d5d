//! The shipped grammars: they compile, accept and reject their examples, bound white space, and
//! let the embedded model finish.
//!
//! `grammars/NAME.cases` holds texts that the grammar of that name accepts whole, and texts that it
//! does not, with the place of the first byte that is refused, or `@end` for a text that is only the
//! beginning of one.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use maze::engine::alarm;
use maze::engine::cases::{At, Beside, Case, Cases, Entries, Wants};
use maze::engine::check::{Verdict, check_text};
use maze::engine::grammar::library::{self, Shipped};
use maze::engine::grammar::{Compiled, Compiler};
use maze::engine::trace::{Step, StepKind, Timings};
use maze::engine::{DeviceSpec, Engine, FinishReason, ModelSpec, Request};

#[path = "support/nano.rs"]
mod nano;

fn compile(compiler: &Compiler, shipped: &Shipped) -> Compiled {
    let (compiled, findings) = compiler.compile(&shipped.source());
    assert!(findings.is_empty(), "{}: {findings:?}", shipped.file);
    compiled.expect("no findings, so it compiled")
}

/// Its cases.
fn cases(shipped: &Shipped) -> Vec<Case> {
    let cases = Cases::of(&shipped.source(), &Beside::Shipped);
    assert_eq!(cases.problems, [], "{}", shipped.file);
    cases.list
}

#[test]
fn every_grammar_accepts_and_rejects_its_examples() {
    for shipped in library::ALL {
        let grammar = compile(&nano::COMPILER, shipped);
        let mut grammars = Entries::new(&grammar, &nano::COMPILER);
        let (mut accepted, mut rejected) = (0, 0);
        for Case { name, entry, wants, text, .. } in cases(shipped) {
            let grammar = grammars.of(entry.as_deref()).unwrap_or_else(|e| panic!("{}: {e}", shipped.file));
            let verdict = check_text(grammar, &text).expect("within the limits");
            let Wants::Reject(place) = wants else {
                assert_eq!(verdict, Verdict::Accepted, "{}: {name}", shipped.file);
                accepted += 1;
                continue;
            };
            let there = match verdict {
                Verdict::Accepted => panic!("{}: {name} is accepted", shipped.file),
                Verdict::Incomplete { .. } => At::End,
                Verdict::Rejected(r) => {
                    assert!(r.offset < text.len(), "{}: {name}", shipped.file);
                    assert!(!r.expected.contains(&text[r.offset]), "{}: {name}", shipped.file);
                    At::Position(r.position)
                }
            };
            assert_eq!(place, Some(there), "{}: {name}", shipped.file);
            rejected += 1;
        }
        assert!(accepted > 0 && rejected >= 2, "{} has too few examples", shipped.name);
    }
}

/// What the binary has, and what is read from the file beside the grammar, are the same cases; they pass.
#[test]
fn the_binary_has_every_example() {
    for shipped in library::ALL {
        let grammar = compile(&nano::COMPILER, shipped);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars").join(shipped.file);
        let inside = Cases::of(&shipped.source(), &Beside::Shipped);
        let beside = Cases::of(&shipped.source(), &Beside::File(path));
        let listed = |cases: &Cases| -> Vec<_> {
            cases.list.iter().map(|c| (c.name.clone(), c.wants, c.text.clone())).collect()
        };
        assert_eq!(listed(&inside), listed(&beside), "{}", shipped.file);
        assert_eq!((&*inside.problems, &*beside.problems), (&[][..], &[][..]));
        let report =
            inside.run(&mut Entries::new(&grammar, &nano::COMPILER), &mut || true).expect("nobody stops it");
        assert!(report.failures().next().is_none(), "{}: {:?}", shipped.file, report.failures().next());
    }
}

/// What people write is no alarm, whatever the tokens.
#[test]
fn no_example_repeats_itself() {
    for shipped in library::ALL {
        for Case { name, text, .. } in cases(shipped) {
            for length in [1, 3, 8] {
                let step = |bytes: &[u8]| {
                    Arc::new(Step {
                        token: 0,
                        bytes: bytes.into(),
                        special: false,
                        of_prompt: 0,
                        thinking: false,
                        kind: StepKind::Sampled,
                        insight: None,
                        timings: Timings::default(),
                    })
                };
                let steps: Vec<_> = text.chunks(length).map(step).collect();
                assert_eq!(alarm::alarms(&steps), [], "{}: {name}", shipped.file);
            }
        }
    }
}

/// A model ends its answer where the text is complete, mostly without a last line end.
#[test]
fn no_language_needs_white_space_at_its_end() {
    let mut needed = String::new();
    for name in ["python", "typescript", "rust", "go", "zig", "sql", "json"] {
        let shipped = library::find(name).expect("shipped");
        let grammar = compile(&nano::COMPILER, shipped);
        let mut grammars = Entries::new(&grammar, &nano::COMPILER);
        for Case { name, entry, text, .. } in cases(shipped).into_iter().filter(|c| c.wants == Wants::Accept)
        {
            let grammar = grammars.of(entry.as_deref()).unwrap_or_else(|e| panic!("{}: {e}", shipped.file));
            let verdict = check_text(grammar, text.trim_ascii_end()).expect("within the limits");
            if verdict != Verdict::Accepted {
                needed += &format!("{}: {name}: {verdict:?}\n", shipped.file);
            }
        }
    }
    assert_eq!(needed, "");
}

#[test]
fn every_file_says_what_it_covers_and_its_licence() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
    for entry in fs::read_dir(folder).expect("the folder of grammars") {
        let path = entry.expect("a folder entry").path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if let Some(of) = name.strip_suffix(".cases") {
            assert!(library::ALL.iter().any(|shipped| shipped.name == of), "{name}");
            continue;
        }
        let shipped = library::ALL.iter().find(|g| g.file == name);
        let text = shipped.unwrap_or_else(|| panic!("{name} is not in the library")).text;
        assert!(text.contains("Licence: MIT OR Apache-2.0."), "{name}");
    }
}

/// However far a text has come, only so much white space may follow: a model that likes line breaks
/// would write nothing else otherwise.
#[test]
fn white_space_is_bounded_everywhere() {
    for shipped in library::ALL {
        let grammar = compile(&nano::COMPILER, shipped);
        let mut grammars = Entries::new(&grammar, &nano::COMPILER);
        for Case { name, entry, text, .. } in cases(shipped).into_iter().filter(|c| c.wants == Wants::Accept)
        {
            let grammar = grammars.of(entry.as_deref()).unwrap_or_else(|e| panic!("{}: {e}", shipped.file));
            let mut constraint = grammar.constraint();
            let mut expected = constraint.feed(b"").expect("within the limits").expected;
            for at in 0..text.len() {
                for (byte, most) in [(b' ', 400), (b'\t', 400), (b'\n', 40)] {
                    if !expected.contains(&byte) {
                        continue;
                    }
                    let fed = constraint.fork().feed(&vec![byte; most + 1]).expect("within the limits");
                    assert!(
                        fed.taken <= most,
                        "{}: {} times {:?} after byte {at} of {name}",
                        shipped.name,
                        fed.taken,
                        char::from(byte),
                    );
                }
                let fed = constraint.feed(&text[at..=at]).expect("within the limits");
                assert_eq!(fed.taken, 1, "{}: {name} at byte {at}", shipped.name);
                expected = fed.expected;
            }
        }
    }
}

#[test]
fn the_embedded_model_finishes_under_every_grammar() {
    let prompts = [
        ("python", "# Python: Return the average of a list of numbers\n"),
        ("typescript", "// TypeScript: Return the largest number in an array\n"),
        ("rust", "// Rust: Return the sum of the even numbers in a slice\n"),
        ("go", "// Go: Reverse a string\n"),
        ("zig", "// Zig: Return whether a number is divisible by 7\n"),
        ("sql", "-- Tables: users(id, name, age, city)\n-- SQL: Count the users older than 30 per city\n"),
        ("json", "// JSON: a user with name Alice, age 30 and tags admin, rust\n"),
        ("user", "// JSON: a user with name Alice, age 30 and tags admin, rust\n"),
        ("arithmetic", "# Python: the sum of the squares of 1, 2 and 3\ntotal = "),
        ("robot", "// JSON: a robot with name max that goes forward 3, turns left and says \"done\"\n"),
        ("csv", "# a table of people with name, age and city\n"),
        ("chess", "# Python: a game of chess\nmoves = \"\"\"\n"),
        ("date", "# Python: the day of the release\nreleased = \""),
        ("person", "// JSON: a user with name Alice, age 30 and tags admin, rust\n"),
    ];
    assert_eq!(prompts.map(|(name, _)| name).to_vec(), library::names());
    let mut engine = Engine::load(&ModelSpec::Embedded, DeviceSpec::Cpu).expect("the embedded model");
    for (name, prompt) in prompts {
        let shipped = library::find(name).expect("shipped");
        let request = Request {
            prompt: prompt.into(),
            grammar: Some(shipped.source()),
            max_tokens: 300,
            detail: false,
            ..Request::default()
        };
        let trace = engine.run(request).expect("a run");
        let reason = trace.outcome.as_ref().expect("it ended").reason;
        let text = trace.text();
        assert_eq!(alarm::alarms(&trace.steps), [], "{name}");
        assert!(
            matches!(reason, FinishReason::GrammarComplete | FinishReason::Eos),
            "{name}: {reason:?} after {text}"
        );
        // What the run says is complete, the recogniser must accept without knowing the tokens.
        let grammar = compile(engine.compiler(), shipped);
        let verdict = check_text(&grammar, text.as_bytes()).expect("within the limits");
        assert_eq!(verdict, Verdict::Accepted, "{name}: {text}");
    }
}
