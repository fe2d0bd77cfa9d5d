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
    let wanted = keymap::Keymap::default().markdown();
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

/// The commands of the README print what it shows, figures of time apart.
#[test]
fn the_commands_print_what_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = env!("CARGO_MANIFEST_DIR");
    std::os::unix::fs::symlink(Path::new(root).join("grammars"), folder.path().join("grammars"))
        .expect("a link");
    let block =
        README.split_once("```console\n").and_then(|(_, rest)| rest.split_once("```")).expect("a block").0;
    let mut commands = 0;
    for part in block.split("$ ").skip(1) {
        // A command goes on while a quote is open.
        let mut end = part.find('\n').expect("a line");
        while part[..end].matches('\'').count() % 2 == 1 {
            end += 1 + part[end + 1..].find('\n').expect("the closing quote");
        }
        let (command, shown) = part.split_at(end);
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("({command}) 2>&1")])
            .current_dir(folder.path())
            .env("MAZE_CONFIG", "/dev/null")
            .env(
                "PATH",
                format!(
                    "{}:/usr/bin:/bin",
                    Path::new(env!("CARGO_BIN_EXE_maze")).parent().unwrap().display()
                ),
            )
            .output()
            .expect("a shell");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(without_times(&printed), without_times(shown), "{command}");
        commands += 1;
    }
    assert_eq!(commands, 5);
}

/// The text up to the first figure that depends on the machine.
fn without_times(text: &str) -> String {
    let cut = |line: &'_ str| line.split(" forced) in ").next().unwrap_or(line).to_owned();
    text.trim().lines().map(cut).collect::<Vec<_>>().join("\n")
}
