//! The kinds of overlays, as the source declares them: a new one is missed by whatever is to cover all.

use std::collections::BTreeSet;
use std::path::Path;

use maze::app::state::Overlay;

/// What is open: `Help`, `Menu Themes`, `Question SaveAs`.
pub fn of(overlay: &Overlay) -> String {
    match overlay {
        Overlay::Menu(menu) => format!("Menu {:?}", menu.kind),
        Overlay::Question(question) => format!("Question {}", name(&question.ask)),
        Overlay::Confirm(confirm) => format!("Confirm {}", name(confirm)),
        other => name(other),
    }
}

/// The name of a variant, without what is in it.
fn name(variant: &impl std::fmt::Debug) -> String {
    let text = format!("{variant:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// Every kind that there can be.
pub fn all() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for variant in variants("src/app/overlay.rs", "Overlay") {
        let inner = match variant.as_str() {
            "Menu" => variants("src/app/menu.rs", "MenuKind"),
            "Question" => variants("src/app/question.rs", "Ask"),
            "Confirm" => variants("src/app/question.rs", "Confirm"),
            _ => {
                all.insert(variant);
                continue;
            }
        };
        all.extend(inner.into_iter().map(|kind| format!("{variant} {kind}")));
    }
    all
}

/// The variants of an enum, read from its source.
fn variants(file: &str, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let start = format!("pub enum {name} {{\n");
    let body = text.split_once(&start).and_then(|(_, rest)| rest.split_once("\n}")).map(|(body, _)| body);
    let body = body.unwrap_or_else(|| panic!("{file} declares no {name}"));
    let variant = |line: &str| {
        let inner = line.strip_prefix("    ")?;
        let end = inner.find(|c: char| !c.is_alphanumeric()).unwrap_or(inner.len());
        inner.starts_with(char::is_uppercase).then(|| inner[..end].to_owned())
    };
    let found: Vec<String> = body.lines().filter_map(variant).collect();
    assert!(found.len() > 1, "{file}: {name} has {found:?}");
    found
}

#[test]
fn the_kinds_are_read_from_the_source() {
    let all = all();
    for kind in ["Help", "Settings", "Menu Themes", "Question SaveAs", "Confirm SaveFirst"] {
        assert!(all.contains(kind), "{kind} is not among {all:?}");
    }
    assert!(all.len() > 20, "{all:?}");
}
