//! Servers and caches that mean harm, or that others have filled.

use super::*;

#[test]
fn hostile_listings_write_nothing_elsewhere() {
    let evil = ["../../../../x.gguf", "/tmp/x.gguf", "a/../../x.gguf", "x\u{1b}]0;y\u{7}.gguf", ".gguf"];
    let content = noise(100);
    let files = evil.iter().chain(&["good.gguf"]).map(|name| ((*name).to_owned(), content.clone()));
    let mut scene = Scene::new(Hub::with(files));
    let path = scene.get("tiny/llama").unwrap();
    assert!(path.ends_with("good.gguf"), "{}", path.display());
    let mut outside = fs::read_dir(scene.folder.path()).unwrap().flatten();
    assert!(outside.all(|e| e.file_name() == "hub"));
    let sum = checksum("x.gguf", &content);
    let lfs = format!("{{\"sha256\":\"{sum}\",\"size\":100}}");
    let commit = "a".repeat(40);
    for (listing, told) in [
        ("[]".to_owned(), "no listing"),
        ("<html>".to_owned(), "no listing"),
        (
            format!("{{\"sha\":\"../../x\",\"siblings\":[{{\"rfilename\":\"x.gguf\",\"lfs\":{lfs}}}]}}"),
            "its commit is",
        ),
        (
            format!("{{\"sha\":\"{commit}\",\"siblings\":[{{\"rfilename\":\"x.gguf\"}}]}}"),
            "no sizes and checksums",
        ),
        (
            format!(
                "{{\"sha\":\"{commit}\",\"siblings\":[{{\"rfilename\":\"x.gguf\",\"size\":9,\"blobId\":\"../../../x\"}}]}}"
            ),
            "no sizes and checksums",
        ),
        (format!("{}x", "[".repeat(100_000)), "no listing"),
        (" ".repeat(33 << 20), "more than"),
    ] {
        let mut scene = Scene::gguf(&content);
        scene.hub.list(listing);
        let error = scene.error("tiny/llama");
        assert!(error.contains(told), "{told}: {error}");
        assert_eq!(scene.blobs(), Vec::<String>::new());
    }
}

/// The shared cache may hold anything.
#[test]
fn a_hostile_cache_is_only_looked_at() {
    let scene = Scene::tiny();
    let repo = scene.hub_folder().join("models--tiny--llama");
    fs::create_dir_all(repo.join("refs")).unwrap();
    fs::create_dir_all(scene.hub_folder().join("models--..--..")).unwrap();
    fs::create_dir_all(scene.hub_folder().join("models--x")).unwrap();
    fs::write(repo.join("refs/main"), "../../../../etc").unwrap();
    let commit = repo.join("snapshots").join("c".repeat(40));
    fs::create_dir_all(&commit).unwrap();
    std::os::unix::fs::symlink(&commit, commit.join("loop")).unwrap();
    std::os::unix::fs::symlink("/nowhere", commit.join("model.safetensors")).unwrap();
    let listed = cache::list(&scene.hub_folder());
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert!(listed[0].path.is_err());
}

/// What is in the cache is named so that it can be asked for again.
#[test]
fn models_of_other_revisions_are_listed_with_their_names() {
    let mut scene = Scene::tiny();
    scene.get("tiny/llama").unwrap();
    let refs = scene.hub_folder().join("models--tiny--llama/refs");
    let names = |scene: &Scene| -> Vec<String> {
        cache::list(&scene.hub_folder()).iter().map(|c| c.model.to_string()).collect()
    };
    fs::rename(refs.join("main"), refs.join("v1.0")).unwrap();
    assert_eq!(names(&scene), ["tiny/llama@v1.0"]);
    fs::remove_file(refs.join("v1.0")).unwrap();
    let pinned = format!("tiny/llama@{}", "a".repeat(40));
    assert_eq!(names(&scene), std::slice::from_ref(&pinned));
    scene.settings.offline = true;
    assert!(scene.get(&pinned).is_ok());
    // Without its weights it is a download to be finished, of whatever is current then.
    let weights = scene.hub_folder().join("models--tiny--llama/snapshots").join("a".repeat(40));
    fs::remove_file(fs::canonicalize(weights.join("model.safetensors")).unwrap()).unwrap();
    assert_eq!(names(&scene), ["tiny/llama"]);
}
