//! `--plain`: words alone, for screen readers and logs, into a pipe and on a terminal.

use std::fs;
use std::io::Read;

use clap::CommandFactory;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use tempfile::TempDir;

use super::{finished, maze, ran, str};

/// Every command in forms that print; `TRACE` stands for a saved trace, `BROKEN` for a grammar with
/// mistakes, `LEFT` for a text that leaves its grammar. Programs read what the last ones print.
const COMMANDS: &[(&str, &[&[&str]])] = &[
    ("generate", &[&["ab", "--regex", "[a-c]{1,9}\\n"], &["x", "--grammar", "BROKEN"]]),
    (
        "check",
        &[
            &["BROKEN"],
            &["grammars/json.lark", "--text", "LEFT"],
            &["grammars/json.lark", "--text", "grammars/person.schema.json"],
        ],
    ),
    (
        "explain",
        &[
            &["grammars/user.lark", "--text", "LEFT"],
            &["grammars/user.lark", "--text", "LEFT", "--at", "1", "--token", "x"],
            &["BROKEN", "--text", "LEFT"],
        ],
    ),
    ("shrink", &[&["grammars/user.lark", "--text", "LEFT", "-o", "no/such/folder/x.json"]]),
    ("explain-code", &[&[], &["M024"], &["nowhere"]]),
    ("sample", &[&["arithmetic", "-n", "2"], &["json", "--entry", "x"]]),
    ("test", &[&["json"], &["arithmetic", "--near-misses", "3"], &["BROKEN"], &["FAILING"]]),
    ("grammars", &[&[]]),
    (
        "grammar",
        &[
            &["typed", "--language", "go", "--context", "tests/typed/shop.go", "--returns", "Kind"],
            &["typed", "--language", "python", "--context", "BROKEN", "--returns", "int"],
        ],
    ),
    ("bench", &[&["--rounds", "1", "--tokens", "2", "--prompt-tokens", "16"]]),
    ("models", &[&[], &["no/such/folder"]]),
    ("replay", &[&["TRACE"], &["TRACE", "--step", "2"]]),
    ("export", &[&["TRACE", "--format", "text"]]),
    ("doctor", &[&[]]),
    ("config", &[&[], &["get", "seed"]]),
    ("completions", &[]),
    ("man", &[]),
];

struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("writable");
        put("BROKEN.lark", "start: naem \u{1b}[31m\n\tother: \"日本\" nothing\n");
        put("FAILING.lark", "start: /[a-c]+/\n// accept \"abd\"\n// accept \"ab\u{1b}\n// reject \"ab\"\n");
        put("LEFT", "{\"a\": oops}");
        let trace = folder.path().join("TRACE");
        let args = ["generate", "# a\u{1b}\n", "--regex", "[a-c]{9}\\n", "--trace", str(&trace)];
        assert_eq!(ran(&args).0, 0);
        Self { folder }
    }

    fn arguments(&self, command: &str, args: &[&str]) -> Vec<String> {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let named = |arg: &&str| match *arg {
            "BROKEN" | "FAILING" => path(&format!("{arg}.lark")),
            "TRACE" | "LEFT" => path(arg),
            _ => (*arg).to_owned(),
        };
        [command].iter().chain(args).map(named).collect()
    }
}

/// Letters, digits and the signs of a keyboard, in lines without columns.
fn assert_plain(text: &str, of: &[String]) {
    let is_fine = |c: char| c.is_alphanumeric() || c == '\n' || (' '..='~').contains(&c);
    if let Some(bad) = text.chars().find(|c| !is_fine(*c)) {
        panic!("{bad:?} in the output of {of:?}:\n{text}");
    }
    for line in text.lines() {
        assert!(!line.contains("   ") && !line.starts_with(' '), "columns in {of:?}: {line:?}\n{text}");
        assert!(!line.contains(" | ") && !line.contains("^^"), "drawn marks in {of:?}: {line:?}");
    }
}

#[test]
fn every_command_can_be_plain() {
    let cli = maze::cli::Cli::command();
    let files = Files::new();
    for command in cli.get_subcommands() {
        let name = command.get_name();
        let known = COMMANDS.iter().find(|(known, _)| *known == name);
        let (_, forms) = known.unwrap_or_else(|| panic!("what does `maze {name} --plain` print?"));
        for form in *forms {
            let args = files.arguments(name, form);
            let (code, stdout, stderr) = finished(maze().args(&args).arg("--plain"));
            assert_plain(&stdout, &args);
            assert_plain(&stderr, &args);
            assert!(!stdout.is_empty() || !stderr.is_empty(), "{args:?} says nothing ({code})");
            // The same words in a terminal, which others colour and rewrite.
            let shown = in_a_terminal(&args, &[("MAZE_PLAIN", "1")]);
            assert_plain(&shown, &args);
        }
    }
}

/// What a command writes to a terminal.
fn in_a_terminal(args: &[String], environment: &[(&str, &str)]) -> String {
    let size = PtySize { rows: 24, cols: 200, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).expect("a terminal");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_maze"));
    command.args(args);
    command.cwd(env!("CARGO_MANIFEST_DIR"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "MAZE_MODEL", "MAZE_PLAIN"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-256color");
    command.env("MAZE_CONFIG", "/dev/null");
    for (name, value) in environment {
        command.env(name, value);
    }
    let mut reader = pair.master.try_clone_reader().expect("a reader");
    let mut child = pair.slave.spawn_command(command).expect("the binary starts");
    drop(pair.slave);
    let mut bytes = Vec::new();
    // The terminal is gone with the program, which some systems call an error.
    let _ = reader.read_to_end(&mut bytes);
    child.wait().expect("it ends");
    String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
}

/// What is coloured in a terminal is not if somebody has asked for none, in any of the usual ways.
#[test]
fn colours_can_be_refused() {
    let files = Files::new();
    let args = files.arguments("check", &["BROKEN"]);
    assert!(in_a_terminal(&args, &[]).contains("\u{1b}[1;31merror"));
    for (name, value) in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb"), ("MAZE_PLAIN", "true")] {
        let shown = in_a_terminal(&args, &[(name, value)]);
        assert!(shown.contains("error[") && !shown.contains('\u{1b}'), "{name}={value}: {shown}");
    }
    let (_, piped, _) = finished(maze().args(&args));
    assert!(!piped.contains("\u{1b}[1;31m"), "{piped}");
    let (_, forced, _) = finished(maze().args(&args).env("CLICOLOR_FORCE", "1"));
    assert!(forced.contains("\u{1b}[1;31merror"), "{forced}");
}

/// The parser's own texts too, though it is not known yet what was asked for.
#[test]
fn help_and_refusals_are_plain_in_a_terminal() {
    for args in [&["--plain", "--help"][..], &["check", "--plain", "--bogus"]] {
        let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        let shown = in_a_terminal(&args, &[]);
        assert!(shown.contains("Usage") && !shown.contains('\u{1b}'), "{args:?}: {shown}");
    }
}

#[test]
fn the_settings_say_plain_as_they_say_others() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("config.toml");
    let with = |args: &[&str], variable: &str| {
        finished(maze().args(args).env("MAZE_CONFIG", &path).env("MAZE_PLAIN", variable))
    };
    let first = |args: &[&str], variable: &str| {
        let (code, stdout, stderr) = with(args, variable);
        assert_eq!((code, stderr.as_str()), (0, ""));
        stdout.lines().next().unwrap_or_default().to_owned()
    };
    let columns = first(&["grammars"], "");
    assert!(columns.contains("  "), "{columns}");
    let words = first(&["grammars", "--plain"], "");
    assert!(!words.contains("  ") && words.contains(": "), "{words}");
    assert_eq!(first(&["grammars"], "1"), words);
    assert_eq!(first(&["grammars", "--plain=false"], "1"), columns);
    fs::write(&path, "plain = true\n").expect("writable");
    assert_eq!(first(&["grammars"], ""), words);
    assert_eq!(first(&["grammars"], "0"), columns);
    let (_, settings, _) = with(&["config", "--plain"], "0");
    assert!(settings.contains("plain: true, from --plain\n"), "{settings}");
    let (code, _, stderr) = with(&["grammars"], "perhaps");
    assert_eq!((code, stderr.as_str()), (2, "error: MAZE_PLAIN=perhaps: must be true or false\n"));
}

/// The screen is no list of words; whoever asks for one is told what is.
#[test]
fn the_playground_cannot_be_plain() {
    let (code, stdout, stderr) = ran(&["--plain"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("cannot be plain") && stderr.contains("generate"), "{stderr}");
    let shown = in_a_terminal(&[], &[("TERM", "dumb")]);
    assert!(shown.contains("TERM=dumb") && shown.contains("--plain") && !shown.contains('\u{1b}'), "{shown}");
}

/// What a file or a pipe gets of a generated text is the text, whatever else is plain.
#[test]
fn a_generated_text_stays_as_it_is() {
    let args = ["generate", "a", "--regex", "\u{1b}é→[0-9]", "--plain"];
    let (code, stdout, stderr) = ran(&args);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with("\u{1b}é→") && stdout.chars().count() == 4, "{stdout:?}");
    let shown = in_a_terminal(&args.map(str::to_owned), &[]);
    assert!(shown.starts_with("<U+001B>é→"), "{shown}");
    assert!(stderr.starts_with("finish: grammar_complete\ntokens: "), "{stderr}");
}
