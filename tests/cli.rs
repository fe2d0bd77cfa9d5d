//! The real binary: stdout, stderr, exit codes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

fn maze() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maze"));
    command.env_remove("MAZE_MODEL").env_remove("MAZE_DEVICE").env_remove("MAZE_THEME");
    command.env("MAZE_CONFIG", "/dev/null");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command
}

/// Exit code, stdout, stderr.
fn ran(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = maze().args(args).output().expect("the binary starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("no signal"), text(stdout), text(stderr))
}

fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a writable folder");
    path
}

fn str(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

const ALICE: &str = "// JSON: a user with name Alice, age 30 and tags admin, rust\n";

#[test]
fn generate_prints_the_text_and_a_summary() {
    let (code, stdout, stderr) = ran(&["generate", ALICE, "--language", "user", "--seed", "7"]);
    assert_eq!(code, 0, "{stderr}");
    let value: Value = serde_json::from_str(&stdout).expect("the grammar makes JSON");
    assert_eq!(value["name"], "Alice");
    assert!(stdout.ends_with("}\n"), "exactly the text: {stdout:?}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("grammar_complete: "), "{stderr}");
    assert!(stderr.contains(" forced) in ") && stderr.trim_end().ends_with(" on cpu, seed 7"), "{stderr}");
}

#[test]
fn generate_as_json_has_the_promised_fields() {
    let args = ["generate", ALICE, "--regex", "\\{[a-z \":]{3,20}\\}", "--json", "--temperature", "0.8"];
    let (code, stdout, stderr) = ran(&args);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let value: Value = serde_json::from_str(&stdout).expect("one JSON object");
    let keys: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "text",
            "thinking",
            "grammar",
            "entry",
            "mode",
            "tokens",
            "forced_tokens",
            "finish_reason",
            "seconds",
            "tokens_per_second",
            "mask_us",
            "alarms",
            "model",
            "device",
            "seed"
        ]
    );
    assert!(value["text"].as_str().is_some_and(|t| t.starts_with('{')), "{stdout}");
    assert_eq!((&value["mode"], &value["thinking"]), (&Value::from("raw"), &Value::Null));
    assert_eq!(value["finish_reason"], "grammar_complete");
    for key in ["p50", "p99", "max"] {
        assert!(value["mask_us"][key].as_f64().is_some_and(|us| us > 0.0), "{key}: {stdout}");
    }
    assert_eq!(ran(&args).1.split("\"seconds\"").next(), stdout.split("\"seconds\"").next(), "same seed");
}

/// A random model whose chat template is `template`.
fn chat_model(template: &str) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/llama-tied");
    for entry in fs::read_dir(fixture).expect("the fixture").flatten() {
        fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
    }
    file(&folder, "chat_template.jinja", template);
    folder
}

/// The answer goes to stdout, the thinking to stderr, and both into the JSON.
#[test]
fn a_chat_model_answers_in_its_template() {
    let template = "{{ bos_token }}{% for m in messages %}{{ m.role }}:{% if m.reasoning_content %}\
                    <think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}{{ eos_token }}{% endfor %}\
                    {% if add_generation_prompt %}assistant:{% endif %}";
    let folder = chat_model(template);
    let model = ["--model", str(folder.path()), "--regex", "[0-9]{3}"];
    let run = |args: &[&str]| ran(&[&["generate"], args, &model].concat());

    let (code, stdout, stderr) = run(&["hi"]);
    assert_eq!((code, stdout.len()), (0, 3), "{stdout}{stderr}");
    assert!(stderr.contains(", chat, ") && stderr.lines().count() == 1, "{stderr}");

    let (code, stdout, stderr) = run(&["hi", "--system", "be brief", "--think=7"]);
    assert_eq!((code, stdout.len()), (0, 3), "{stdout}{stderr}");
    let (thoughts, summary) = stderr.split_once('\n').expect("two lines");
    assert!(thoughts.ends_with("</think>") && thoughts.len() == 7 + "</think>".len(), "{stderr}");
    assert!(summary.contains("18 tokens (") && summary.contains(", 15 of thinking)"), "{stderr}");

    let trace = folder.path().join("trace.json");
    let (_, json, _) =
        run(&["hi</s>", "--system", "be brief", "--think=7", "--json", "--trace", str(&trace)]);
    let value: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&value["mode"], &value["tokens"]), (&"chat".into(), &18.into()));
    assert_eq!(value["text"].as_str().map(str::len), Some(3));
    assert_eq!(value["thinking"].as_str().map(str::len), Some(15));
    let value: Value = serde_json::from_slice(&fs::read(&trace).expect("the trace")).expect("JSON");
    assert_eq!(value["request"]["mode"]["system"], "be brief");
    let special = |step: &&Value| step["special"] == true;
    let prompt = value["prompt"].as_array().expect("steps");
    assert_eq!(prompt.iter().filter(special).count(), 3, "one start, two ends; not what the person wrote");
    let thinking = value["steps"].as_array().expect("steps").iter().filter(|s| s["thinking"] == true).count();
    assert_eq!(thinking, 15);
    let (code, stdout, stderr) = ran(&["replay", str(&trace), "--model", str(folder.path())]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.contains("Verified: 18 masks are reproduced;\nthe probabilities of 18 steps"), "{stdout}");
    // Any template will do for a chat without thinking, and none too.
    let plain = chat_model("{{ messages[0].content }}");
    run(&["hi", "--trace", str(&trace)]);
    for (template, code) in [("{{ strftime_now('%c') }}", 0), ("{{ broken", 0)] {
        file(&plain, "chat_template.jinja", template);
        assert_eq!(ran(&["replay", str(&trace), "--model", str(plain.path())]).0, code, "{template}");
    }
    run(&["hi", "--think=7", "--trace", str(&trace)]);
    let (code, _, stderr) = ran(&["replay", str(&trace), "--model", str(plain.path())]);
    assert!(code == 2 && stderr.contains("thinks before its answer"), "{code} {stderr}");

    let (_, _, stderr) = run(&["hi", "--raw"]);
    assert!(stderr.contains(", raw, "), "{stderr}");
}

/// Exit code 2, and what to do.
#[test]
fn chats_that_cannot_be_are_refused() {
    let refused = |args: &[&str]| {
        let (code, stdout, stderr) = ran(&[&["generate", "x"], args].concat());
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        stderr
    };
    assert!(
        refused(&["--chat"]).contains("no chat template") && refused(&["--chat"]).contains("use raw mode")
    );
    assert!(refused(&["--system", "s"]).contains("--system is for chats"));
    assert!(refused(&["--think"]).contains("--think is for chats"));
    assert!(refused(&["--raw", "--system", "s"]).contains("cannot be used with"));
    assert!(refused(&["--think=0"]).contains("from 1 to 1000000"));
    for (template, expected) in [
        (
            "{% for i in range(9999) %}\n{% for j in range(9999) %}{% endfor %}{% endfor %}",
            "(line 2) does not come to an end",
        ),
        ("{{ 'x' * 10**10 }}", "does not come to an end"),
        ("{{ messages | magic }}", "(line 1) fails: filter magic is unknown"),
        ("{{ raise_exception('I talk to nobody') }}", "refuses this: I talk to nobody"),
        ("{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}x", ""),
    ] {
        let folder = chat_model(template);
        let model = str(folder.path());
        if expected.is_empty() {
            assert!(
                refused(&["--model", model, "--system", "s"]).contains("takes no system prompt (no system)")
            );
        } else {
            let stderr = refused(&["--model", model]);
            assert!(stderr.contains(expected), "{stderr}");
        }
        let (code, _, stderr) = ran(&["generate", "x", "--raw", "--max-tokens", "3", "--model", model]);
        assert_eq!(code, 0, "raw mode does not mind: {stderr}");
    }
}

#[test]
fn the_prompt_comes_from_stdin_and_the_trace_goes_to_a_file() {
    let folder = TempDir::new().expect("a temporary folder");
    let trace = folder.path().join("trace.json");
    let mut child = maze()
        .args(["generate", "-", "--language", "user", "--trace", str(&trace)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("piped").write_all(ALICE.as_bytes()).expect("it reads its stdin");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    let value: Value = serde_json::from_slice(&fs::read(&trace).expect("the trace")).expect("JSON");
    assert_eq!(value["request"]["prompt"], ALICE);
    let steps = value["steps"].as_array().expect("steps");
    let bytes: Vec<u8> = steps
        .iter()
        .flat_map(|s| s["bytes"].as_array().expect("bytes").clone())
        .map(|b| b.as_u64().expect("a byte") as u8)
        .collect();
    assert!(bytes.starts_with(&output.stdout), "the trace tells the same text");
    let left = fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(left, 1, "no temporary file is left");
}

#[test]
fn a_grammar_that_does_not_compile_generates_nothing() {
    let folder = TempDir::new().expect("a temporary folder");
    let broken = file(&folder, "broken.lark", "start: \"é\" naem\nname: /[a-z]+/\n");
    let (code, stdout, stderr) = ran(&["generate", "x", "--grammar", str(&broken)]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    let expected = format!(
        "{}:1:12: error[M050 undefined-name]: `naem` is not defined\n 1 | start: \"é\" naem\n   |            ^^^^\n  help: did you mean `name`?\n",
        str(&broken)
    );
    assert_eq!(stderr, expected);
    assert_eq!(ran(&["check", str(&broken)]), (2, expected, String::new()));

    let (code, stdout, stderr) = ran(&["generate", "x", "--regex", "(?<=a)b"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.starts_with("--regex:1:1: error[M071 unsupported-regex]: "), "{stderr}");
}

#[test]
fn wrong_input_names_what_and_how() {
    let folder = TempDir::new().expect("a temporary folder");
    let binary = folder.path().join("binary.lark");
    fs::write(&binary, b"start: \"\xff\"").expect("a writable folder");
    let cases: [(&[&str], &str); 9] = [
        (&["generate", "x", "--language", "cobol"], "there are python, typescript, rust, go, zig, sql, json"),
        (&["generate", "x", "--grammar", "no/such.lark"], "cannot read no/such.lark: "),
        (&["generate", "x", "--grammar", "Cargo.toml"], ".lark, .gbnf, .json (JSON Schema) or .regex"),
        (&["generate", "x", "--grammar", str(&binary)], "not UTF-8 text (byte 8)"),
        (&["generate", "x", "--model", "no/such/model"], "no/such/model"),
        (&["generate", "x", "--device", "gpu"], "expected auto, cpu, cuda or cuda:N"),
        (&["generate", "x", "--temperature", "nan"], "from 0 to 100"),
        (&["generate", "x", "--trace", "no/such/folder/t.json"], "cannot write no/such/folder/t.json"),
        (
            &["check", "grammars/json.lark", "grammars/sql.lark", "--text", "README.md"],
            "--text takes one grammar",
        ),
    ];
    for (args, expected) in cases {
        let (code, stdout, stderr) = ran(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
        assert!(stderr.starts_with("error: "), "{args:?}: {stderr}");
    }
}

#[test]
fn a_run_that_cannot_go_on_fails() {
    // After the first letter the grammar asks for a character that it has excluded.
    let folder = TempDir::new().expect("a temporary folder");
    let dead = file(&folder, "dead.lark", "start: /[ab]/ NEVER\nNEVER: /x/ & /y/\n");
    let (code, stdout, stderr) = ran(&["generate", "x", "--grammar", str(&dead)]);
    assert_eq!((code, stdout.len()), (1, 1), "{stderr}");
    assert!(stderr.contains("\nerror: the run ended in dead_end: no token can follow here\n"), "{stderr}");
}

#[test]
fn check_finds_every_mistake_and_says_nothing_without_one() {
    let shipped = ["check", "grammars/python.lark", "grammars/date.regex", "grammars/person.schema.json"];
    assert_eq!(ran(&shipped), (0, String::new(), String::new()));
    let folder = TempDir::new().expect("a temporary folder");
    let schema = file(&folder, "a.json", "{\n  \"type\": \"objekt\"\n}");
    let lark = file(&folder, "b.lark", "start: 'a'\n");
    let (code, stdout, stderr) = ran(&["check", str(&schema), "grammars/json.lark", str(&lark)]);
    assert_eq!((code, stderr.as_str()), (2, ""));
    let first: Vec<&str> = stdout.lines().filter(|l| !l.starts_with(' ')).collect();
    assert_eq!(
        first,
        [
            format!("{}:2:11: error[M082 unknown-type]: `objekt` is not a JSON type", str(&schema)),
            format!("{}:1:8: error[M024 single-quotes]: strings are written in double quotes", str(&lark)),
        ]
    );
    let (code, stdout, _) = ran(&["check", str(&schema), str(&lark), "--json"]);
    assert_eq!(code, 2);
    let value: Value = serde_json::from_str(&stdout).expect("one JSON object");
    let found = &value["files"][1]["diagnostics"][0];
    assert_eq!(found["code"], "single-quotes");
    assert_eq!((found["start"]["line"].as_u64(), found["start"]["column"].as_u64()), (Some(1), Some(8)));
}

#[test]
fn check_places_the_byte_where_a_text_leaves_the_grammar() {
    let folder = TempDir::new().expect("a temporary folder");
    let text = |name, content| file(&folder, name, content);
    let good = text("good.json", "{\"é\": [1, 2]}");
    let bad = text("bad.json", "{\"é\":\n [1, 02]}");
    let cut = text("cut.json", "{\"a\": [1");
    let check = |path: &Path, json: bool| {
        let mut args = vec!["check", "grammars/json.lark", "--text", str(path)];
        args.extend(json.then_some("--json"));
        ran(&args)
    };
    assert_eq!(
        check(&good, false),
        (0, format!("{}: accepted by grammars/json.lark\n", str(&good)), String::new())
    );
    let (code, stdout, _) = check(&bad, false);
    assert_eq!(code, 1);
    let place = format!("{}:2:7: error[rejected]: grammars/json.lark does not allow byte 13; ", str(&bad));
    assert!(stdout.starts_with(&place), "{stdout}");
    let (code, stdout, _) = check(&bad, true);
    let value: Value = serde_json::from_str(&stdout).expect("one JSON object");
    assert_eq!((code, &value["verdict"], &value["byte"]), (1, &"rejected".into(), &13.into()));
    let (code, stdout, _) = check(&cut, false);
    assert_eq!(code, 1);
    assert!(stdout.contains("error[incomplete]") && stdout.contains("after byte 8"), "{stdout}");
}

#[test]
fn grammars_are_listed_and_printed() {
    let (code, stdout, _) = ran(&["grammars"]);
    assert_eq!(code, 0);
    for name in ["python", "typescript", "rust", "go", "zig", "sql", "json"] {
        assert!(stdout.lines().any(|l| l.split_whitespace().next() == Some(name)), "{name}: {stdout}");
    }
    let (code, stdout, _) = ran(&["grammars", "TS"]);
    assert_eq!((code, stdout), (0, fs::read_to_string("grammars/typescript.lark").expect("shipped")));
    assert_eq!(ran(&["grammars", "cobol"]).0, 2);
}

#[test]
fn nobody_reading_is_no_failure() {
    let mut child = maze()
        .args(["generate", "def f(x):\n", "--language", "none", "--max-tokens", "400"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut first = [0];
    let mut stdout = child.stdout.take().expect("piped");
    stdout.read_exact(&mut first).expect("a first byte");
    drop(stdout);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Starts a long run and waits until it is under way.
#[cfg(unix)]
fn under_way() -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = maze()
        .args(["generate", "x", "--regex", "([a-z]{1,8}\\n){100000}", "--max-tokens", "1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a first line");
    assert!(line.ends_with('\n'), "{line}");
    (child, stdout)
}

#[cfg(unix)]
#[test]
fn signals_stop_a_run_with_its_summary() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let (child, mut stdout) = under_way();
        kill(Pid::from_raw(child.id() as i32), signal).expect("it runs");
        // The pipe must be drained, or the run would wait for its reader instead of the signal.
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).expect("the rest of the text");
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.starts_with("cancelled: "), "{stderr}");
    }
}

#[test]
fn text_from_others_stays_as_it_is_in_a_pipe() {
    let folder = TempDir::new().expect("a temporary folder");
    let evil = file(&folder, "a\u{1b}[31m.lark", "start: 'a'\n");
    let (code, stdout, _) = ran(&["check", str(&evil)]);
    assert_eq!(code, 2);
    assert!(stdout.contains("a\u{1b}[31m.lark:1:8"), "{stdout:?}");
}
