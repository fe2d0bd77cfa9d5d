//! Downloads by the program itself.

use super::*;

/// The real program, with the variables that people set.
fn maze(scene: &Scene, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maze"));
    command
        .args(args)
        .env_clear()
        .env("HF_ENDPOINT", &scene.hub.endpoint)
        .env("HF_HOME", scene.folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

const GENERATE: [&str; 6] = ["generate", "x", "--max-tokens", "3", "--model", "tiny/llama"];

#[test]
fn the_command_line_downloads_and_then_works_offline() {
    let scene = Scene::tiny();
    let first = maze(&scene, &GENERATE).output().unwrap();
    let stderr = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(first.status.success(), "{stderr}");
    assert!(
        stderr.contains("downloading model.safetensors\n") && stderr.contains(" llama on cpu"),
        "{stderr}"
    );
    let second = maze(&scene, &GENERATE).env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert_eq!(second.stdout, first.stdout);
    assert!(!String::from_utf8_lossy(&second.stderr).contains("downloading"));

    for (name, code, told) in [
        ("tiny/none", 2, "there is no model tiny/none"),
        ("tiny/llama@../x", 2, "is no revision"),
        ("none", 2, "is written org/name"),
    ] {
        let output = maze(&scene, &["generate", "x", "--model", name]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(told), "{stderr}");
    }
}

#[test]
fn an_interrupt_ends_a_download_and_says_that_it_goes_on() {
    interrupted(&GENERATE);
    interrupted(&["check", "grammars/json.lark", "--model", "tiny/llama"]);
}

fn interrupted(args: &[&str]) {
    let scene = Scene::tiny();
    scene.hub.fault("content", Fault::Stall(1_000));
    let child = maze(&scene, args).spawn().unwrap();
    scene.hub.wait_for_stall();
    let weights = fs::read(Path::new(TINY).join("model.safetensors")).unwrap();
    let partial = format!("{}.incomplete", checksum("model.safetensors", &weights));
    let partial = scene.hub_folder().join("models--tiny--llama/blobs").join(partial);
    let end = Instant::now() + Duration::from_secs(20);
    while fs::metadata(&partial).map_or(0, |m| m.len()) < 1_000 {
        assert!(Instant::now() < end, "what was sent is not written");
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("the next one goes on from there"), "{stderr}");
    assert!(maze(&scene, args).output().unwrap().status.success());
    assert!(scene.hub.seen().iter().any(|s| s.range.as_deref() == Some("bytes=1000-")));
}

/// Whoever loads a model of the hub hears of the download.
#[test]
fn a_path_that_is_not_there_may_be_a_name() {
    let spec: ModelSpec = "models/nano".parse().unwrap();
    assert_eq!(spec, ModelSpec::Path("models/nano".into()), "what is there is a path");
    for path in
        ["./tiny/llama", "/tiny/llama", "~x/llama", "tiny/llama.gguf", "a/b/c", "llama", "tiny/x.GGUF"]
    {
        assert!(matches!(path.parse(), Ok(ModelSpec::Path(_))), "{path}");
    }
    for name in ["tiny/llama", "tiny/llama:q.gguf", "tiny/llama:sub/q.gguf", "tiny/llama@refs/pr/1"] {
        assert!(matches!(name.parse(), Ok(ModelSpec::Hub(_))), "{name}");
    }
    let error = load(&"none".parse().unwrap(), DeviceSpec::Cpu, None, &mut |_| ControlFlow::Continue(()));
    let Err(error @ LoadError::Read { .. }) = error else { panic!("a file that is not there") };
    assert!(error.to_string().contains("org/name"), "{error}");
}
