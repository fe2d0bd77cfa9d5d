//! Files that are damaged, or that somebody has made to do harm: the store opens all the same, nothing
//! is lost, and the person is told.

use std::fs;
use std::path::{Path, PathBuf};

use maze::store::run;

use super::random::Random;
use super::{open, prompt, save};

fn session_file(folder: &Path) -> PathBuf {
    folder.join("maze/sessions/default/session.json")
}

/// Opens the store with this text as the session's file. Either it is what was saved, or the file is
/// set aside with its text, and told about.
fn opens_with(text: &[u8], good: &str) {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), None));
    fs::write(session_file(folder.path()), text).unwrap();
    let (mut store, opened) = open(folder.path(), None);
    if opened.session.is_some() {
        assert!(opened.notes.is_empty());
    } else {
        let aside = folder.path().join("maze/sessions/default.broken/session.json");
        assert_eq!(fs::read(&aside).unwrap(), text);
        let note = opened.notes.join("\n");
        assert!(note.contains("default cannot be used: ") && note.contains("default.broken."), "{note}");
    }
    store.save(&save(good)).unwrap();
    drop(store);
    assert_eq!(prompt(&open(folder.path(), None).1), good);
}

fn written() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = open(folder.path(), None);
    store.save(&save("a prompt é")).unwrap();
    fs::read(session_file(folder.path())).unwrap()
}

#[test]
fn a_file_that_ends_anywhere_is_set_aside() {
    let text = written();
    for end in (0..text.len()).step_by(7).chain([text.len() - 1]) {
        opens_with(&text[..end], "new");
    }
}

#[test]
fn any_bytes_are_set_aside_or_read() {
    let mut random = Random(88_172_645_463_325_252);
    let text = written();
    for round in 0..60 {
        let mut bytes = text.clone();
        for _ in 0..=random.below(8) {
            let at = random.below(bytes.len());
            bytes[at] = random.below(256) as u8;
        }
        opens_with(&bytes, &round.to_string());
    }
}

#[test]
fn wrong_types_and_newer_files_are_set_aside() {
    for text in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"maze_state":1,"prompt":7}"#,
        r#"{"maze_state":1,"runs":[{"number":-1}]}"#,
        r#"{"maze_state":1,"grammar":{"kind":"perl"}}"#,
        r#"{"maze_state":"one"}"#,
        r#"{"maze_state":2,"prompt":{"text":"of the future"}}"#,
        &("[".repeat(100_000)),
    ] {
        opens_with(text.as_bytes(), "new");
    }
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), None));
    fs::write(session_file(folder.path()), r#"{"maze_state":2}"#).unwrap();
    let note = open(folder.path(), None).1.notes.join("");
    assert!(note.contains("it has format 2, this version of maze reads format 1"), "{note}");
}

/// A field that is not there is as in a new session, one that nobody knows is passed over.
#[test]
fn a_file_may_say_less_or_more() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), None));
    let text = r#"{"maze_state":1,"prompt":{"text":"kept","font":"serif"},"wind":[1,{}]}"#;
    fs::write(session_file(folder.path()), text).unwrap();
    let (_store, opened) = open(folder.path(), None);
    assert_eq!((prompt(&opened).as_str(), opened.notes.len()), ("kept", 0));
}

#[test]
fn the_shared_files_are_set_aside_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = open(folder.path(), None);
    for name in ["looks.json", "history.json"] {
        for round in 1..=3 {
            let path = folder.path().join("maze").join(name);
            fs::write(&path, format!("{{{round}")).unwrap();
            let note = if name == "looks.json" { store.looks().1 } else { store.history().1 };
            let end = if round == 1 { ".broken".to_owned() } else { format!(".broken-{round}") };
            let aside = folder.path().join("maze").join(format!("{name}{end}"));
            assert_eq!(fs::read_to_string(&aside).unwrap(), format!("{{{round}"));
            assert!(note.unwrap().contains(&*aside.to_string_lossy()));
        }
    }
}

/// A pipe would be waited for, a folder cannot be read, a link into nothing is nothing.
#[test]
fn what_is_no_file_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = session_file(folder.path());
    drop(open(folder.path(), None));
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(open(folder.path(), None).1.notes[0].contains("it is no file of maze"));
    fs::create_dir(&path).unwrap();
    assert!(open(folder.path(), None).1.notes[0].contains("default.broken-2."));
    std::os::unix::fs::symlink("/no/such/file", &path).unwrap();
    assert_eq!(open(folder.path(), None).1.notes, [""; 0]);
}

#[test]
fn a_huge_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), None));
    let file = fs::File::create(session_file(folder.path())).unwrap();
    file.set_len(1 << 40).unwrap();
    let note = open(folder.path(), None).1.notes.join("");
    assert!(note.contains("it has more than 67108864 bytes"), "{note}");
}

/// A small file that unpacks without end, files that are cut, and files with other bytes in them are
/// refused by name.
#[test]
fn damaged_runs_are_refused() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.json.gz");
    let trace = super::runs::trace(40);
    run::write(&path, &trace, None).unwrap();
    let good = fs::read(&path).unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let error = run::read(&path).unwrap_err();
        assert!(error.starts_with("cannot read the run ") && error.contains("1.json.gz: "), "{error}");
    };
    for end in (0..good.len()).step_by(good.len() / 50) {
        refused(&good[..end]);
    }
    let mut random = Random(7);
    for _ in 0..50 {
        let mut bytes = good.clone();
        let at = 20 + random.below(bytes.len() - 20);
        bytes[at] ^= 1 << random.below(8);
        refused(&bytes);
    }
    let pack = |text: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    };
    refused(&pack(b"{}"));
    refused(&pack(&b" ".repeat(5_000_000)));
    fs::remove_file(&path).unwrap();
    assert!(run::read(&path).unwrap_err().ends_with("it is gone"));
}
