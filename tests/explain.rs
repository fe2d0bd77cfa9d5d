//! Reasons agree with what llguidance does: they say "allowed" exactly for the tokens of its mask, and
//! the byte that they blame is the first one that cannot be taken.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use maze::engine::constraint::Constraint;
use maze::engine::explain::{Class, ExplainError, Explainer, Ignored, LimitKind, Reason, sentences};
use maze::engine::grammar::{Compiled, library};
use maze::engine::{GrammarSource, TokenId, Vocabulary};

#[path = "support/nano.rs"]
mod nano;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod random;

use random::Random;

fn vocabulary() -> Arc<Vocabulary> {
    Arc::new(nano::VOCABULARY.clone())
}

fn compile(source: &GrammarSource) -> Arc<Compiled> {
    let (compiled, diagnostics) = nano::COMPILER.compile(source);
    Arc::new(compiled.unwrap_or_else(|| panic!("{}: {diagnostics:?}", source.text)))
}

fn lark(text: &str) -> Explainer {
    Explainer::new(compile(&GrammarSource::lark("test", text)), vocabulary())
}

/// The texts beside a shipped grammar that it accepts.
fn accepted(name: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars").join(format!("{name}.accept"));
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("examples").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).expect("a text")).collect()
}

fn token(name: &str) -> TokenId {
    let is_it =
        |&t: &TokenId| nano::VOCABULARY.bytes(t) == name.as_bytes() && !nano::VOCABULARY.is_special(t);
    (0..nano::VOCABULARY.len() as TokenId).find(is_it).unwrap_or_else(|| panic!("no token {name:?}"))
}

/// Which tokens llguidance lets through.
fn masked(constraint: &mut Constraint) -> Vec<bool> {
    let mask = constraint.mask().ok();
    (0..nano::VOCABULARY.len() as TokenId).map(|t| mask.as_ref().is_some_and(|mask| mask.allows(t))).collect()
}

/// At random places of the texts beside every shipped grammar, with the whole vocabulary.
#[test]
fn reasons_are_those_of_the_mask() {
    let vocabulary = vocabulary();
    let mut random = Random(0x6d61_7a65);
    let (mut places, mut refused, mut classes) = (0, 0, [0; Class::ALL.len()]);
    for shipped in library::ALL {
        let compiled = compile(&shipped.source());
        let mut explainer = Explainer::new(compiled.clone(), vocabulary.clone());
        for text in accepted(shipped.name) {
            let tokens = vocabulary.encode(&text);
            for _ in 0..4 {
                let tokens = &tokens[..random.below(tokens.len() + 1)];
                let mut constraint = compiled.constraint();
                if !tokens.iter().all(|&t| constraint.commit(t) == Ok(true)) {
                    continue;
                }
                let allowed = masked(&mut constraint.fork());
                let context = || format!("{} after {:?}", shipped.name, vocabulary.decode(tokens));
                let mut at = explainer.at(tokens).expect("it was taken before");
                let reasons = at.all();
                for class in Class::ALL {
                    classes[class as usize] += reasons.count(class);
                }
                let differs = (0..vocabulary.len() as TokenId)
                    .find(|&t| (reasons.class(t) == Class::Allowed) != allowed[t as usize]);
                assert_eq!(differs, None, "{}", context());
                let counted: usize = reasons.places().iter().map(|place| place.tokens).sum();
                assert_eq!(counted, reasons.count(Class::Byte));
                places += 1;
                for _ in 0..300 {
                    let token = random.below(vocabulary.len()) as TokenId;
                    let reason = at.why(token);
                    assert_eq!(
                        reason.is_allowed(),
                        allowed[token as usize],
                        "{}: {token} {reason:?}",
                        context()
                    );
                    let Reason::Byte { accepted, byte, expected, .. } = reason else { continue };
                    assert_eq!(reasons.failing(token).map(|f| f.accepted), Some(accepted), "{}", context());
                    if random.below(8) > 0 {
                        continue;
                    }
                    // Another parser, which is only ever fed.
                    let bytes = vocabulary.bytes(token);
                    let fed = constraint.fork().feed(bytes).expect("within the limits");
                    assert_eq!((fed.taken, bytes[accepted]), (accepted, byte), "{}: {token}", context());
                    assert_eq!(fed.expected, expected.bytes, "{}: {token}", context());
                    refused += 1;
                }
            }
        }
    }
    assert!(places > 80 && refused > 1000, "{places} places, {refused} tokens fed");
    println!("{places} places, {refused} refused tokens fed to another parser, {classes:?} by class");
}
