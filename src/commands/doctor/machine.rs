//! The build, the system, the terminal, the processor, memory, the settings and the models.

use std::io::IsTerminal;
use std::path::Path;

use sysinfo::{CpuRefreshKind, RefreshKind, System};

use super::Finding;
use crate::app::terminal;
use crate::catalog::{Catalog, Memory};
use crate::cli::ModelArgs;
use crate::config::file::{self, ConfigFile};
use crate::config::{Config, Origin};
use crate::engine::model::embedded;
use crate::engine::{ModelSpec, simd};
use crate::hub::Settings;
use crate::hub::status::bytes;
use crate::store::{folder, session};
use crate::ui::depth::ColorDepth;

/// Less free memory than this is worth knowing: a model of half a billion parameters needs it.
const LITTLE_MEMORY: u64 = 1_000_000_000;

/// Less free disk than this is worth knowing: one model of seven billion parameters needs it.
const LITTLE_DISK: u64 = 5_000_000_000;

/// A view of the environment.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

pub(super) fn look(environment: Environment<'_>) -> Vec<Finding> {
    let mut findings = vec![
        build(),
        operating_system(),
        screen(environment),
        processor(),
        memory(Memory::now()),
        settings(environment),
        state(environment),
    ];
    findings.extend(match Settings::from_environment(environment) {
        Ok(hub) => [models(environment, hub.cache.as_deref()), cache(&hub)],
        Err(error) => {
            let advice = "set the variable to a valid value, or unset it";
            [models(environment, None), Finding::fail("cache", error.to_string(), advice)]
        }
    });
    findings
}

fn build() -> Finding {
    let text = format!(
        "maze {}, {} for {}-{}, {} CUDA",
        env!("CARGO_PKG_VERSION"),
        if cfg!(debug_assertions) { "debug build" } else { "release build" },
        std::env::consts::ARCH,
        std::env::consts::OS,
        if cfg!(feature = "cuda") { "with" } else { "without" },
    );
    if cfg!(debug_assertions) {
        return Finding::warn("version", text, "a debug build is many times slower: build with --release");
    }
    Finding::ok("version", text)
}

fn operating_system() -> Finding {
    let name = System::long_os_version().unwrap_or_else(|| "an unknown system".into());
    let kernel = System::kernel_version().unwrap_or_else(|| "unknown".into());
    Finding::ok("system", format!("{name}, kernel {kernel}"))
}

fn screen(environment: Environment<'_>) -> Finding {
    let variable = |name| environment(name).filter(|v| !v.is_empty());
    let term = variable("TERM");
    let colours = match terminal::color_depth() {
        ColorDepth::True => "24-bit colour",
        ColorDepth::Ansi256 => "256 colours",
        ColorDepth::Ansi16 => "16 colours",
        ColorDepth::Mono => "no colour",
    };
    // The first that is set decides over the characters, as in C.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    let is_utf8 = locale.as_deref().is_some_and(|l| {
        let l = l.to_ascii_lowercase();
        l.contains("utf-8") || l.contains("utf8")
    });
    let is_terminal = std::io::stdout().is_terminal();
    let size = crossterm::terminal::size().ok().filter(|_| is_terminal);
    let text = format!(
        "{}, TERM={}, COLORTERM={}, locale {}",
        size.map_or_else(|| "stdout is no terminal".into(), |(w, h)| format!("{w}x{h}, {colours}")),
        term.as_deref().unwrap_or("(not set)"),
        variable("COLORTERM").as_deref().unwrap_or("(not set)"),
        locale.as_deref().unwrap_or("(not set)"),
    );
    if is_terminal && term.is_none_or(|t| t == "dumb") {
        return Finding::warn("terminal", text, "the playground needs a terminal that TERM names");
    }
    if is_terminal && !is_utf8 {
        let advice = "if lines and marks look broken, set LANG to a UTF-8 locale such as C.UTF-8";
        return Finding::warn("terminal", text, advice);
    }
    Finding::ok("terminal", text)
}

fn processor() -> Finding {
    let system = System::new_with_specifics(RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let brand = system.cpus().first().map(|cpu| cpu.brand().trim()).filter(|brand| !brand.is_empty());
    let mut features: Vec<&str> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    for (name, is_there) in [
        ("AVX2", is_x86_feature_detected!("avx2")),
        ("FMA", is_x86_feature_detected!("fma")),
        ("F16C", is_x86_feature_detected!("f16c")),
        ("AVX-512", is_x86_feature_detected!("avx512f")),
    ] {
        if is_there {
            features.push(name);
        }
    }
    if cfg!(target_arch = "aarch64") {
        features.push("NEON");
    }
    let features = if features.is_empty() { "no vector instructions".into() } else { features.join(" ") };
    let text = format!(
        "{}, {cores} core{}, {features}",
        brand.unwrap_or("unknown processor"),
        if cores == 1 { "" } else { "s" }
    );
    if cfg!(target_arch = "x86_64") && !simd::has_avx2() {
        return Finding::warn(
            "processor",
            text,
            "without AVX2, FMA and F16C generation is several times slower",
        );
    }
    Finding::ok("processor", text)
}

fn memory(Memory { free, total }: Memory) -> Finding {
    let text = format!("{} free of {}", bytes(free), bytes(total));
    match free {
        // Not every system tells.
        0 => Finding::ok("memory", "unknown"),
        free if free < LITTLE_MEMORY => Finding::warn("memory", text, "only the smallest models fit"),
        _ => Finding::ok("memory", text),
    }
}

fn settings(environment: Environment<'_>) -> Finding {
    let path = file::path(&environment).map(|path| path.display().to_string());
    let advice = "edit the file, or use `maze config set` and `maze config unset`";
    if let Err(error) = ConfigFile::read(&environment) {
        return Finding::fail("settings", error, advice);
    }
    match Config::new(&ModelArgs::default(), environment) {
        Err(error) => Finding::fail("settings", error, "set the variable to a valid value, or unset it"),
        Ok(config) => {
            let count = |is: fn(&Origin) -> bool| config.settings.iter().filter(|s| is(&s.origin)).count();
            let in_file = count(|o| matches!(o, Origin::File(..)));
            let in_environment = count(|o| matches!(o, Origin::Variable(_)));
            let file = match path {
                None => "no place for a file (HOME is not set)".into(),
                Some(path) if in_file > 0 => format!("{in_file} from {path}"),
                Some(path) => format!("none from {path}"),
            };
            Finding::ok("settings", format!("{file}, {in_environment} from the environment"))
        }
    }
}

/// Where the playground keeps drafts and runs.
fn state(environment: Environment<'_>) -> Finding {
    let Some(folder) = folder::path(&environment) else {
        return Finding::ok("state", "nothing is kept: MAZE_STATE is empty, or HOME is not set");
    };
    let shown = folder.display();
    match std::fs::metadata(&folder) {
        Ok(there) if !there.is_dir() => {
            let text = format!("{shown} is no folder, so drafts and runs are not kept");
            Finding::fail("state", text, "MAZE_STATE names another place; empty, it keeps nothing")
        }
        Ok(_) => match session::list(&folder, "").len() {
            1 => Finding::ok("state", format!("1 session in {shown}")),
            sessions => Finding::ok("state", format!("{sessions} sessions in {shown}")),
        },
        // It comes with the first start.
        Err(_) => Finding::ok("state", format!("no sessions yet; they will be in {shown}")),
    }
}

/// The models at hand, as `maze models` finds them, and the one that the settings name.
fn models(environment: Environment<'_>, cache: Option<&Path>) -> Finding {
    let catalog = Catalog::read(cache, &[]);
    let downloaded = || catalog.entries.iter().filter(|entry| entry.model != ModelSpec::Embedded);
    let mut text = format!("{} in the program", embedded::NAME);
    text += &match (downloaded().count(), downloaded().filter(|e| e.obstacle(catalog.free).is_none()).count())
    {
        (0, _) => ", none downloaded".to_owned(),
        (all, runs) if all == runs => format!(", {all} downloaded"),
        (all, runs) => format!(", {all} downloaded, of which {runs} would run (see `maze models`)"),
    };
    // A broken configuration has its own line.
    let Ok(config) = Config::new(&ModelArgs::default(), environment) else {
        return Finding::ok("models", text);
    };
    match &config.model {
        ModelSpec::Embedded => Finding::ok("models", text),
        ModelSpec::Path(path) if !path.exists() => Finding::fail(
            "models",
            format!("{text}; {}, the model of the settings, does not exist", path.display()),
            "`maze config set model PATH`, or unset it",
        ),
        other => Finding::ok("models", format!("{text}; {other} is the one of the settings")),
    }
}

/// Where downloaded models are, how much room is left for them, and where they come from.
fn cache(settings: &Settings) -> Finding {
    let Some(folder) = &settings.cache else {
        return Finding::warn("cache", "no place for downloads", "set HOME or HF_HOME");
    };
    // The folder comes with the first download.
    let Some(there) = folder.ancestors().find(|p| p.exists()) else {
        return Finding::warn("cache", folder.display().to_string(), "the folder cannot be made");
    };
    match (settings.free_space)(there) {
        Ok(free) => {
            let source = match settings.offline {
                true => "downloads are forbidden by HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE".to_owned(),
                false => format!("downloads come from {}", settings.endpoint),
            };
            let text = format!("{} free at {}, {source}", bytes(free), folder.display());
            if free < LITTLE_DISK {
                return Finding::warn(
                    "cache",
                    text,
                    "larger models will not fit; HF_HOME names another place",
                );
            }
            Finding::ok("cache", text)
        }
        Err(error) => Finding::warn(
            "cache",
            format!("{}: {error}", folder.display()),
            "HF_HOME names another place for downloads",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Verdict;

    #[test]
    fn what_is_wrong_with_the_settings_is_a_failure() {
        for (name, value, expected) in [
            ("MAZE_TOP_P", "2", "MAZE_TOP_P=2: must be a number from 0 to 1"),
            ("MAZE_CONFIG", "Cargo.toml", "Cargo.toml:1:2: there is no key `package`"),
        ] {
            let finding = settings(&|n: &str| (n == name).then(|| value.to_owned()));
            assert_eq!(finding.verdict, Verdict::Fail, "{finding:?}");
            assert!(finding.text.starts_with(expected), "{finding:?}");
        }
        let finding = models(&|n: &str| (n == "MAZE_MODEL").then(|| "/no/such.gguf".to_owned()), None);
        assert_eq!(finding.verdict, Verdict::Fail, "{finding:?}");
    }
}
