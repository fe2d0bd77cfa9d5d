//! The README tells the truth: its key table is the keymap, its grammars are shipped, its files
//! exist.

use std::path::Path;

use maze::app::keymap;

const README: &str = include_str!("../README.md");

#[test]
fn the_key_table_is_the_keymap() {
    let (start, end) =
        ("<!-- keys: generated from src/app/keymap.rs, checked by a test -->\n", "<!-- end of keys -->");
    let table = README.split_once(start).and_then(|(_, rest)| rest.split_once(end)).expect("the markers").0;
    let wanted = keymap::markdown();
    assert_eq!(table.trim(), wanted.trim(), "put this between the markers of README.md:\n\n{wanted}");
}

#[test]
fn every_local_link_leads_to_a_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let links: Vec<&str> = README.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 2, "{links:?}");
    for link in links.iter().filter(|l| !l.starts_with("http")) {
        assert!(root.join(link).exists(), "README.md links to {link}, which does not exist");
    }
}
