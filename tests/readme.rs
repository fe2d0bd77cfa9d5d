//! The README tells the truth: its key table is the keymap, its grammars are shipped, its files
//! exist.

use std::path::Path;

use maze::app::keymap;

#[path = "support/keys.rs"]
mod keys;
#[path = "../.github/record/scene.rs"]
#[allow(dead_code, reason = "shared with the program that makes pictures")]
mod scene;

use scene::Line;

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

/// Every scene can be played, as far as can be told without playing it, and makes a picture that the
/// README shows; and it shows no others.
#[test]
fn every_picture_has_its_scene() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github");
    let mut made = Vec::new();
    for entry in std::fs::read_dir(home.join("scenes")).expect("the scenes") {
        let path = entry.expect("an entry").path();
        let script = std::fs::read_to_string(&path).expect("a text");
        let lines = scene::parse(&script).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for (number, line) in lines {
            match line {
                Line::Press(key, times) => assert!(times > 0 && !keys::bytes(&key).is_empty()),
                Line::See(text) | Line::Gone(text) => {
                    let is_seen = text.trim() == text && !text.chars().any(char::is_control);
                    assert!(is_seen, "{}, line {number}: no screen shows {text:?}", path.display());
                }
                Line::Shot(name) | Line::Record(name) => made.push(format!(".github/{name}.svg")),
                _ => {}
            }
        }
    }
    let links = README.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let mut shown: Vec<&str> =
        links.filter(|link| link.starts_with(".github/") && link.ends_with(".svg")).collect();
    made.sort();
    shown.sort_unstable();
    assert_eq!(made, shown);
    for picture in shown {
        let bytes = std::fs::metadata(home.join("..").join(picture)).expect("a picture").len();
        assert!(bytes < 300_000, "{picture} has {bytes} bytes");
    }
}

#[test]
fn a_scene_with_a_mistake_is_refused() {
    let start = "size 80 24\nmaze\n";
    for (script, wrong) in [
        ("maze\nshot a", "line 1, `maze`: it needs a `size` before it"),
        ("size 80\nmaze\nshot a", "line 1, `size 80`: columns and rows are two numbers"),
        ("press F5", "line 1, `press F5`: the program does not run yet: `maze` comes first"),
        (&format!("{start}press F5 often\nshot a"), "line 3, `press F5 often`: how often?"),
        (&format!("{start}see\nshot a"), "line 3, `see`: what?"),
        (&format!("{start}shot ../a"), "line 3, `shot ../a`: a name is made of letters, digits and `-`"),
        (&format!("{start}poster\nshot a"), "line 3, `poster`: it is of a recording: `record` comes first"),
        (&format!("{start}wait 3\nshot a"), "line 3, `wait 3`: `wait` is none of the words"),
        (start, "it makes no picture"),
    ] {
        assert_eq!(scene::parse(script), Err(wrong.to_owned()));
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
