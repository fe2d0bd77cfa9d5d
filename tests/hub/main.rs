//! Models from the hub, against a hub on this machine that cuts, stalls, lies and refuses.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use maze::engine::load::load;
use maze::engine::{DeviceSpec, LoadError, ModelSpec};
use maze::hub::{HubError, HubModel, Settings, Status, cache, resolve};
use tempfile::TempDir;

mod cli;
mod hostile;
mod server;

use server::{Fault, Hub, checksum};

const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models/llama-tied");
const SHARDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models/llama-untied-sharded-bf16");

/// A hub, a cache, and how one is to be brought to the other.
struct Scene {
    hub: Hub,
    folder: TempDir,
    settings: Settings,
    /// What was told on the way.
    told: Vec<Status>,
}

impl Scene {
    fn new(hub: Hub) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (endpoint, home) = (hub.endpoint.clone(), folder.path().to_str().unwrap().to_owned());
        let mut settings = Settings::from_environment(|name| match name {
            "HF_ENDPOINT" => Some(endpoint.clone()),
            "HF_HOME" => Some(home.clone()),
            _ => None,
        })
        .unwrap();
        settings.proxy = false;
        settings.patience.pause = Duration::from_millis(1);
        settings.patience.silence = Duration::from_secs(5);
        settings.free_space = |_| Ok(u64::MAX);
        Self { hub, folder, settings, told: Vec::new() }
    }

    fn tiny() -> Self {
        Self::new(Hub::of_folder(Path::new(TINY)))
    }

    /// A repository with one GGUF file of these bytes; nothing looks into it.
    fn gguf(bytes: &[u8]) -> Self {
        Self::new(Hub::with([("m-Q8_0.gguf".to_owned(), bytes.to_vec())]))
    }

    fn get(&mut self, name: &str) -> Result<PathBuf, HubError> {
        let told = &mut self.told;
        resolve(&name.parse::<HubModel>().unwrap(), &self.settings, &mut |status| {
            told.push(status.clone());
            ControlFlow::Continue(())
        })
    }

    fn error(&mut self, name: &str) -> String {
        self.get(name).expect_err(name).to_string()
    }

    fn hub_folder(&self) -> PathBuf {
        self.folder.path().join("hub")
    }

    /// The contents in the cache, complete or not, by name.
    fn blobs(&self) -> Vec<String> {
        let folder = self.hub_folder().join("models--tiny--llama/blobs");
        let mut names: Vec<String> = fs::read_dir(folder)
            .map(|entries| entries.flatten().map(|e| e.file_name().into_string().unwrap()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }
}

/// Bytes without a pattern that a mistake by a multiple of something would keep.
fn noise(len: usize) -> Vec<u8> {
    let mut x = 1u32;
    (0..len)
        .map(|_| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 24) as u8
        })
        .collect()
}

#[test]
fn a_model_is_downloaded_and_loaded_then_found_without_a_connection() {
    let mut scene = Scene::tiny();
    let path = scene.get("tiny/llama").unwrap();
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        assert_eq!(
            fs::read(path.join(name)).unwrap(),
            fs::read(Path::new(TINY).join(name)).unwrap(),
            "{name}"
        );
    }
    assert!(!path.join("expected.json").exists(), "only the model's files are downloaded");
    let mut loaded =
        load(&ModelSpec::Path(path.clone()), DeviceSpec::Cpu, None, &mut |_| ControlFlow::Continue(()))
            .unwrap();
    assert_eq!(loaded.model.forward(&[1, 2, 3], 1).unwrap().len(), loaded.vocabulary.len());

    // The layout is the one that other programs read: content by checksum, links, a branch.
    let weights = fs::read(Path::new(TINY).join("model.safetensors")).unwrap();
    let link = fs::read_link(path.join("model.safetensors")).unwrap();
    let sum = checksum("model.safetensors", &weights);
    assert_eq!(link, Path::new("../../blobs").join(sum));
    let branch = fs::read_to_string(scene.hub_folder().join("models--tiny--llama/refs/main")).unwrap();
    assert_eq!(path.file_name().unwrap().to_str(), Some(branch.as_str()));
    assert_eq!(
        hf_hub::Cache::new(scene.hub_folder()).model("tiny/llama".into()).get("config.json"),
        Some(path.join("config.json"))
    );

    let last = scene.told.last().unwrap();
    assert_eq!(last.done, last.total);
    assert!(scene.told.windows(2).all(|pair| pair[0].total > pair[1].total || pair[0].done <= pair[1].done));

    scene.hub.seen();
    scene.settings.offline = true;
    assert_eq!(scene.get("tiny/llama").unwrap(), path);
    scene.settings.offline = false;
    assert_eq!(scene.get("tiny/llama").unwrap(), path);
    assert_eq!(scene.hub.seen(), [], "what is in the cache needs no connection");
    let listed = cache::list(&scene.hub_folder());
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].model.to_string().as_str(), &listed[0].path), ("tiny/llama", &Ok(path)));
}

#[test]
fn shards_are_downloaded_as_the_index_names_them() {
    let mut scene = Scene::new(Hub::of_folder(Path::new(SHARDED)));
    let path = scene.get("tiny/llama").unwrap();
    load(&ModelSpec::Path(path.clone()), DeviceSpec::Cpu, None, &mut |_| ControlFlow::Continue(())).unwrap();

    // Without one of them it is not complete.
    fs::remove_file(fs::canonicalize(path.join("model-00002-of-00003.safetensors")).unwrap()).unwrap();
    scene.settings.offline = true;
    let error = scene.error("tiny/llama");
    assert!(error.contains("model-00002-of-00003.safetensors is missing"), "{error}");
    scene.settings.offline = false;
    scene.hub.seen();
    assert_eq!(scene.get("tiny/llama").unwrap(), path);
    assert_eq!(scene.hub.ranges().len(), 1, "only what is missing is downloaded");
}

#[test]
fn a_cut_download_goes_on_where_it_was_cut() {
    let content = noise(300_000);
    let mut scene = Scene::gguf(&content);
    scene.hub.fault("content", Fault::Cut(100_000));
    scene.hub.fault("content", Fault::Cut(50_000));
    let path = scene.get("tiny/llama").unwrap();
    assert_eq!(fs::read(path).unwrap(), content);
    let range = |from: u32| Some(format!("bytes={from}-"));
    assert_eq!(scene.hub.ranges(), [None, range(100_000), range(150_000)]);
    let notes: Vec<_> = scene.told.iter().filter_map(|s| s.note.clone()).collect();
    assert!(notes.iter().any(|note| note.contains("try 2 of 5")), "{notes:?}");
}

#[test]
fn a_later_program_goes_on_where_an_earlier_one_was_stopped() {
    let content = noise(300_000);
    let mut scene = Scene::gguf(&content);
    scene.settings.patience.tries = 1;
    scene.hub.fault("content", Fault::Cut(120_000));
    let error = scene.error("tiny/llama");
    assert!(error.contains("m-Q8_0.gguf") && error.contains("120 kB of 300 kB"), "{error}");
    assert_eq!(scene.blobs(), [format!("{}.incomplete", checksum("m.gguf", &content))]);
    // Nothing of it can be taken for the model.
    scene.settings.offline = true;
    assert!(matches!(scene.get("tiny/llama"), Err(HubError::Offline { .. })));
    let listed = cache::list(&scene.hub_folder());
    assert_eq!(listed[0].model.to_string(), "tiny/llama");
    assert!(listed[0].path.as_ref().is_err_and(|e| e.contains("not complete")), "{listed:?}");
    scene.settings.offline = false;
    scene.hub.seen();
    assert_eq!(fs::read(scene.get("tiny/llama").unwrap()).unwrap(), content);
    assert_eq!(scene.hub.ranges(), [Some("bytes=120000-".to_owned())]);
    assert_eq!(scene.blobs(), [checksum("m.gguf", &content)]);
}

#[test]
fn a_server_that_ignores_ranges_or_sends_another_one_spoils_nothing() {
    for fault in [Fault::IgnoreRange, Fault::WrongPart] {
        let content = noise(200_000);
        let mut scene = Scene::gguf(&content);
        scene.hub.fault("content", Fault::Cut(70_000));
        scene.hub.fault("content", fault);
        assert_eq!(fs::read(scene.get("tiny/llama").unwrap()).unwrap(), content);
    }
}

#[test]
fn what_was_left_by_a_longer_file_is_not_used() {
    let content = noise(50_000);
    let mut scene = Scene::gguf(&content);
    let blobs = scene.hub_folder().join("models--tiny--llama/blobs");
    fs::create_dir_all(&blobs).unwrap();
    fs::write(blobs.join(format!("{}.incomplete", checksum("m.gguf", &content))), noise(60_000)).unwrap();
    assert_eq!(fs::read(scene.get("tiny/llama").unwrap()).unwrap(), content);
}

#[test]
fn a_wrong_checksum_is_named_and_the_content_deleted() {
    let content = noise(10_000);
    let mut scene = Scene::gguf(&content);
    scene.hub.fault("content", Fault::Flip);
    let error = scene.get("tiny/llama").expect_err("a damaged file");
    let HubError::Checksum { file, expected, got } = &error else { panic!("{error}") };
    let mut flipped = content.clone();
    flipped[5_000] ^= 1;
    assert_eq!(file, "m-Q8_0.gguf");
    assert_eq!((expected, got), (&checksum("m.gguf", &content), &checksum("m.gguf", &flipped)));
    assert_eq!(scene.blobs(), Vec::<String>::new());
    assert_eq!(fs::read(scene.get("tiny/llama").unwrap()).unwrap(), content, "the next try is a new one");
}

/// Small files have git's checksum, not SHA-256.
#[test]
fn a_small_file_is_verified_too() {
    let mut scene = Scene::tiny();
    scene.hub.fault("config.json", Fault::Status(200, ""));
    scene.settings.patience.tries = 1;
    let error = scene.error("tiny/llama");
    assert!(error.contains("config.json"), "{error}");
    let blobs = scene.hub_folder().join("models--tiny--llama/blobs");
    let config = fs::read(Path::new(TINY).join("config.json")).unwrap();
    let mut wrong = config.clone();
    wrong[0] = b' ';
    fs::write(blobs.join(format!("{}.incomplete", checksum("config.json", &config))), wrong).unwrap();
    assert!(matches!(scene.get("tiny/llama"), Err(HubError::Checksum { file, .. }) if file == "config.json"));
}

#[test]
fn more_bytes_than_announced_or_another_checksum_are_not_taken() {
    let mut scene = Scene::gguf(&noise(10_000));
    scene.hub.fault("content", Fault::TooLong);
    let error = scene.error("tiny/llama");
    assert!(error.contains("longer than the 10.0 kB announced"), "{error}");
    let mut scene = Scene::gguf(&noise(10_000));
    scene.hub.fault("resolve", Fault::OtherEtag);
    let error = scene.error("tiny/llama");
    assert!(error.contains("has changed"), "{error}");
}

#[test]
fn a_new_version_is_not_mixed_with_the_old_one() {
    let (old, new) = (noise(100_000), noise(90_000).into_iter().rev().collect::<Vec<_>>());
    let mut scene = Scene::gguf(&old);
    scene.settings.patience.tries = 1;
    scene.hub.fault("content", Fault::Cut(40_000));
    scene.error("tiny/llama");
    scene.hub.publish("b", [("m-Q8_0.gguf".to_owned(), new.clone())]);
    scene.hub.seen();
    assert_eq!(fs::read(scene.get("tiny/llama").unwrap()).unwrap(), new);
    assert_eq!(scene.hub.ranges(), [None]);
}

#[test]
fn servers_in_trouble_are_asked_again() {
    let content = noise(1_000);
    let mut scene = Scene::gguf(&content);
    scene.hub.fault("api", Fault::Status(503, ""));
    scene.hub.fault("resolve", Fault::Status(500, ""));
    scene.hub.fault("content", Fault::Status(502, ""));
    assert_eq!(fs::read(scene.get("tiny/llama").unwrap()).unwrap(), content);

    let mut scene = Scene::gguf(&content);
    for _ in 0..5 {
        scene.hub.fault("api", Fault::Status(500, ""));
    }
    let error = scene.error("tiny/llama");
    assert!(error.contains("the server answers 500 (5 tries)"), "{error}");
}

#[test]
fn a_server_that_asks_to_wait_is_waited_for() {
    let mut scene = Scene::gguf(&noise(1_000));
    scene.hub.fault("api", Fault::Status(429, "Retry-After: 1"));
    let start = Instant::now();
    scene.get("tiny/llama").unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert!(
        scene
            .told
            .iter()
            .any(|s| s.note.as_deref() == Some("again in 1 s (try 2 of 5): the server answers 429"))
    );
}

#[test]
fn a_silent_server_is_asked_again() {
    let content = noise(200_000);
    let mut scene = Scene::gguf(&content);
    scene.settings.patience.silence = Duration::from_millis(300);
    scene.hub.fault("content", Fault::Stall(80_000));
    assert_eq!(fs::read(scene.get("tiny/llama").unwrap()).unwrap(), content);
    assert_eq!(scene.hub.ranges(), [None, Some("bytes=80000-".to_owned())]);
}

/// Wherever the server hangs, a cancel is heard within a fifth of a second.
#[test]
fn a_cancel_does_not_wait_for_the_server() {
    for bytes in [0, 80_000] {
        let mut scene = Scene::gguf(&noise(200_000));
        scene.settings.patience.silence = Duration::from_secs(60);
        scene.hub.fault("content", Fault::Stall(bytes));
        let (stop, settings, hub) = (AtomicBool::new(false), scene.settings.clone(), &scene.hub);
        let late = std::thread::scope(|scope| {
            let download =
                scope.spawn(|| {
                    resolve(&"tiny/llama".parse().unwrap(), &settings, &mut |_| match stop
                        .load(Ordering::Acquire)
                    {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    })
                });
            hub.wait_for_stall();
            let start = Instant::now();
            stop.store(true, Ordering::Release);
            let result = download.join().unwrap();
            assert!(matches!(result, Err(HubError::Cancelled)), "{result:?}");
            start.elapsed()
        });
        assert!(late < Duration::from_millis(200), "{late:?}");
        scene.hub.seen();
        scene.get("tiny/llama").unwrap();
        assert!(scene.hub.ranges().len() == 1, "the next one goes on");
    }
}

#[test]
fn a_refusal_says_what_to_do() {
    let mut scene = Scene::tiny();
    scene.hub.require("hf_right");
    let error = scene.error("tiny/llama");
    assert!(error.contains("private") && error.contains("set HF_TOKEN"), "{error}");

    let with_token = |scene: &Scene, token: &str| {
        let token = token.to_owned();
        let settings =
            Settings::from_environment(|name| (name == "HF_TOKEN").then(|| token.clone())).unwrap();
        Settings { token: settings.token, ..scene.settings.clone() }
    };
    scene.settings = with_token(&scene, "hf_wrong");
    let error = scene.error("tiny/llama");
    assert!(error.contains("token in use has no access") && !error.contains("hf_wrong"), "{error}");
    scene.settings = with_token(&scene, "hf_right");
    scene.hub.fault("api", Fault::Status(403, "X-Error-Code: GatedRepo"));
    let error = scene.error("tiny/llama");
    assert!(error.contains("accept its licence at ") && error.contains("/tiny/llama"), "{error}");

    // The token opens the hub, and nobody else gets to see it.
    scene.hub.seen();
    scene.get("tiny/llama").unwrap();
    let seen = scene.hub.seen();
    assert!(seen.iter().any(|s| s.host == "cdn"), "{seen:?}");
    for request in seen {
        let wanted = (request.host == "hub").then(|| "Bearer hf_right".to_owned());
        assert_eq!(request.authorization, wanted, "{}", request.path);
    }
}

#[test]
fn what_is_not_there_is_named() {
    let mut scene = Scene::tiny();
    for (name, told) in [
        ("tiny/other", "there is no model tiny/other"),
        ("tiny/llama@v9", "no revision v9"),
        ("tiny/llama:Q4_K_M", "there is no GGUF file"),
    ] {
        let error = scene.get(name).expect_err(name);
        assert!(error.to_string().contains(told) && error.is_input(), "{error}");
    }
    scene.hub.fault("resolve", Fault::Status(404, ""));
    let error = scene.error("tiny/llama");
    assert!(error.contains("has no file config.json any more"), "{error}");
    // A server that is not there is not waited for.
    scene.settings.endpoint = "http://127.0.0.1:9".into();
    let error = scene.error("tiny/other");
    assert!(error.contains("127.0.0.1:9"), "{error}");
}

#[test]
fn a_quantisation_is_one_file_of_several() {
    let files = ["m-Q4_K_M.gguf", "m-Q8_0.gguf", "README.md"].map(|name| (name.to_owned(), name.into()));
    let mut scene = Scene::new(Hub::with(files));
    assert!(scene.get("tiny/llama").unwrap().ends_with("m-Q4_K_M.gguf"));
    assert_eq!(fs::read(scene.get("tiny/llama:q8_0").unwrap()).unwrap(), b"m-Q8_0.gguf");
    let error = scene.error("tiny/llama:Q5_K_M");
    assert!(error.contains("m-Q4_K_M.gguf, m-Q8_0.gguf"), "{error}");
    let names: Vec<_> = cache::list(&scene.hub_folder()).iter().map(|c| c.model.to_string()).collect();
    assert_eq!(names, ["tiny/llama:Q4_K_M", "tiny/llama:Q8_0"]);
}

#[test]
fn a_full_disk_is_known_before_the_download() {
    let mut scene = Scene::gguf(&noise(100_000));
    scene.settings.free_space = |_| Ok(104_999);
    let error = scene.error("tiny/llama");
    assert!(error.contains("needs 105 kB more") && error.contains("105 kB free"), "{error}");
    assert_eq!(scene.hub.ranges(), Vec::<Option<String>>::new());
    scene.settings.free_space = |_| Ok(105_000);
    scene.get("tiny/llama").unwrap();
}

#[test]
fn a_content_that_another_program_writes_is_waited_for() {
    let content = noise(1_000);
    let scene = Scene::gguf(&content);
    let locks = scene.hub_folder().join(".locks/models--tiny--llama");
    fs::create_dir_all(&locks).unwrap();
    let lock = File::create(locks.join(format!("{}.lock", checksum("m.gguf", &content)))).unwrap();
    lock.lock().unwrap();
    let (settings, mut lock) = (scene.settings.clone(), Some(lock));
    let mut waited = false;
    let path = resolve(&"tiny/llama".parse().unwrap(), &settings, &mut |status| {
        if status.note.as_deref() == Some("another program is downloading it") {
            waited = true;
            drop(lock.take());
        }
        ControlFlow::Continue(())
    });
    assert_eq!(fs::read(path.unwrap()).unwrap(), content);
    assert!(waited);
    assert_eq!(scene.blobs().len(), 1);
}
