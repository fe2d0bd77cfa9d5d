//! NVIDIA's driver and what it drives, as the kernel tells it: no library is needed for that, so
//! that a build without CUDA can say what it misses.

use std::path::Path;

use super::Finding;

/// Where the kernel tells about the driver.
const DRIVER: &str = "/proc/driver/nvidia";

pub(super) fn look(_environment: &dyn Fn(&str) -> Option<String>) -> Vec<Finding> {
    vec![finding(Path::new(DRIVER), cfg!(feature = "cuda"))]
}

/// The GPUs that the driver knows, by name.
pub(super) fn names() -> Vec<String> {
    names_below(Path::new(DRIVER))
}

fn finding(driver: &Path, has_cuda: bool) -> Finding {
    let names = names_below(driver);
    let version = std::fs::read_to_string(driver.join("version")).ok().and_then(|text| version(&text));
    let text = match (&version, names.as_slice()) {
        (None, []) => "none found".to_owned(),
        (version, names) => format!(
            "{}, driver {}",
            if names.is_empty() { "none found".to_owned() } else { names.join(", ") },
            version.as_deref().unwrap_or("unknown"),
        ),
    };
    match (has_cuda, version.is_some() || !names.is_empty()) {
        (false, true) => {
            Finding::warn("GPU", text, "this build has no CUDA: build with `--features cuda` to use it")
        }
        (true, false) => Finding::warn(
            "GPU",
            text,
            "this build has CUDA, but there is no NVIDIA driver; everything runs on the processor",
        ),
        _ => Finding::ok("GPU", text),
    }
}

fn names_below(driver: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(driver.join("gpus")) else { return Vec::new() };
    let mut folders: Vec<_> = entries.flatten().map(|e| e.path()).collect();
    folders.sort();
    let model = |folder: &std::path::PathBuf| {
        let text = std::fs::read_to_string(folder.join("information")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Model:"))?;
        Some(line.trim().to_owned())
    };
    folders.iter().filter_map(model).collect()
}

/// The first word that is made of numbers and dots.
fn version(text: &str) -> Option<String> {
    let is_version =
        |word: &&str| word.contains('.') && word.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.lines().next()?.split_whitespace().find(is_version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Verdict;

    #[test]
    fn a_gpu_that_the_build_cannot_use_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let nothing = finding(folder.path(), false);
        assert_eq!((nothing.verdict, nothing.text.as_str()), (Verdict::Ok, "none found"));
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("writable");
            std::fs::write(path, text).expect("writable");
        };
        write("version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 2024\nGCC\n");
        write("gpus/0000:01:00.0/information", "Model: \t\t NVIDIA H200\nIRQ:   \t 33\n");
        write("gpus/0000:02:00.0/information", "Model: \t\t NVIDIA H200\n");
        let found = finding(folder.path(), false);
        assert_eq!(found.text, "NVIDIA H200, NVIDIA H200, driver 550.54.15");
        assert!(
            found.verdict == Verdict::Warn && found.advice.is_some_and(|a| a.contains("--features cuda"))
        );
        assert_eq!(finding(folder.path(), true).verdict, Verdict::Ok);
    }
}
