//! A program that is killed at any moment leaves files that are whole.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use maze::engine::GrammarSource;
use maze::store::history::Addition;
use maze::store::session::RunNote;
use maze::store::{RunToWrite, Save};

use super::random::Random;
use super::runs::trace;
use super::{open, prompt, save};

const FOLDER: &str = "TEST_STORE_FOLDER";

/// The text of version `n`: long enough that writing it takes a while, and the same all through.
fn version(n: u64) -> String {
    format!("{n:08} ").repeat(20_000)
}

/// Everything of version `n`: the texts, how the screen looks, the history, and a run that takes the
/// place of the one before.
fn everything(n: u64) -> Save {
    let mut next = save(&version(n));
    next.looks.layout = n.into();
    let grammar = GrammarSource::lark("a.lark", format!("start: \"{n}\""));
    next.history = vec![Addition::Prompt(format!("{n}").into()), Addition::Grammar(grammar.into())];
    let number = n as u32 + 1;
    next.session.runs = vec![RunNote { number, tokens: 3, ..RunNote::default() }];
    next.runs = vec![RunToWrite { number, trace: trace(3).into(), vocabulary: None }];
    next.dropped = (n > 0).then_some(number - 1).into_iter().collect();
    next
}

/// Not a test by itself: what [`a_killed_program_leaves_whole_files`] starts and kills.
#[test]
fn saves_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (mut store, _) = open(Path::new(&folder), None);
    for n in 0.. {
        store.save(&everything(n)).unwrap();
        println!("saved {n}.");
    }
}

#[test]
fn a_killed_program_leaves_whole_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(88_172_645_463_325_252);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::saves_until_it_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It is killed some time after one of its saves, at whatever it does then.
        let wanted = format!("saved {}.", random.below(8));
        let mut out = child.stdout.take().unwrap();
        let mut said = Vec::new();
        let mut bytes = [0; 256];
        while !String::from_utf8_lossy(&said).contains(&wanted) {
            let n = out.read(&mut bytes).unwrap();
            assert!(n > 0, "{}", String::from_utf8_lossy(&said));
            said.extend_from_slice(&bytes[..n]);
        }
        let until = Instant::now() + Duration::from_micros(random.below(20_000) as u64);
        while Instant::now() < until {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let (mut store, opened) = open(folder.path(), None);
        assert_eq!((opened.name.as_str(), opened.notes.len()), ("default", 0), "{:?}", opened.notes);
        let text = prompt(&opened);
        let n: u64 = text[..8].parse().unwrap();
        assert_eq!(text, version(n), "a text of two versions");
        seen.insert(n);
        // What is saved after the text is of the same version, or of the one before.
        let (history, note) = store.history();
        assert_eq!(note, None);
        let last: u64 = history.prompts[0].parse().unwrap();
        assert!(last <= n && n - last <= 1, "prompt {last} was kept, text {n}");
        assert_eq!(&*history.grammars[0].text, format!("start: \"{last}\""));
        let (looks, note) = store.looks();
        assert_eq!(note, None);
        let layout = looks.layout.as_u64().unwrap();
        assert!(last <= layout && layout <= n, "layout {layout}, prompt {last}, text {n}");
        let session = opened.session.as_ref().unwrap();
        let number = session.runs[0].number;
        assert_eq!((session.runs.len(), u64::from(number)), (1, n + 1));
        assert_eq!(store.run(number).unwrap().trace.steps.len(), 3);
        let left = std::fs::read_dir(folder.path().join("maze/sessions/default")).unwrap().flatten();
        let left: Vec<String> = left.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        assert!(left.iter().all(|name| !name.starts_with(".tmp")), "{left:?}");
    }
    assert!(seen.len() > 5, "it was always killed at the same version: {seen:?}");
}
