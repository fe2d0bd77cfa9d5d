//! A program that is killed at any moment leaves files that are whole.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use maze::store::history::Addition;

use super::random::Random;
use super::{open, prompt, save};

const FOLDER: &str = "TEST_STORE_FOLDER";

/// The text of version `n`: long enough that writing it takes a while, and the same all through.
fn version(n: u64) -> String {
    format!("{n:08} ").repeat(20_000)
}

/// Not a test by itself: what [`a_killed_program_leaves_whole_files`] starts and kills.
#[test]
fn saves_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (mut store, _) = open(Path::new(&folder), None);
    for n in 0.. {
        let mut next = save(&version(n));
        next.history = vec![Addition::Prompt(format!("{n}").into())];
        store.save(&next).unwrap();
        if n == 0 {
            println!("saving");
        }
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
        // It is killed some time after it has begun to save, at whatever it does then.
        let mut out = child.stdout.take().unwrap();
        let mut said = Vec::new();
        let mut bytes = [0; 256];
        while !String::from_utf8_lossy(&said).contains("saving") {
            let n = out.read(&mut bytes).unwrap();
            assert!(n > 0, "{}", String::from_utf8_lossy(&said));
            said.extend_from_slice(&bytes[..n]);
        }
        let until = Instant::now() + Duration::from_micros(random.below(30_000) as u64);
        while Instant::now() < until {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let (store, opened) = open(folder.path(), None);
        assert_eq!((opened.name.as_str(), opened.notes.len()), ("default", 0), "{:?}", opened.notes);
        let text = prompt(&opened);
        let n: u64 = text[..8].parse().unwrap();
        assert_eq!(text, version(n), "a text of two versions");
        seen.insert(n);
        let (history, note) = store.history();
        assert_eq!(note, None);
        let last: u64 = history.prompts[0].parse().unwrap();
        assert!(last <= n && n - last <= 1, "prompt {last} was kept, text {n}");
        let left = std::fs::read_dir(folder.path().join("maze/sessions/default")).unwrap().flatten();
        let left: Vec<String> = left.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        assert!(left.iter().all(|name| !name.starts_with(".tmp")), "{left:?}");
    }
    assert!(seen.len() > 5, "it was always killed at the same version: {seen:?}");
}
