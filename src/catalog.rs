//! The models that are at hand, and whether they would run here: what `maze models` prints and the
//! playground's picker shows.
//!
//! Only headers are read, no weights. A file that cannot be understood is listed with the reason.

use std::path::{Path, PathBuf};

use crate::engine::ModelSpec;
use crate::engine::load::{self, Survey};
use crate::hub::cache::{self, Cached};
use crate::hub::status::bytes;

/// Models, and the memory that there is for one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// The embedded model first, then those of the cache by name.
    pub entries: Vec<Entry>,
    /// Bytes of memory that programs may still take.
    pub free: u64,
}

/// A model.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What `--model` takes.
    pub model: ModelSpec,
    /// What its files say, or why they say nothing.
    pub survey: Result<Survey, String>,
}

impl Catalog {
    /// The embedded model, those in the cache folder, and those at `paths`.
    pub fn read(cache: Option<&Path>, paths: &[PathBuf]) -> Self {
        let mut entries = vec![Entry {
            model: ModelSpec::Embedded,
            survey: load::survey_embedded().map_err(|e| e.to_string()),
        }];
        entries.extend(paths.iter().map(|path| Entry {
            model: ModelSpec::Path(path.clone()),
            survey: load::survey(path).map_err(|e| e.to_string()),
        }));
        entries.extend(cache.map(cache::list).into_iter().flatten().map(Entry::cached));
        Self { entries, free: Memory::now().free }
    }
}

impl Entry {
    fn cached(cached: Cached) -> Self {
        let survey = cached
            .path
            .map_err(|missing| format!("not complete: {missing}"))
            .and_then(|path| load::survey(&path).map_err(|e| e.to_string()));
        Self { model: ModelSpec::Hub(cached.model), survey }
    }

    /// The bytes of memory that it takes: its weights, and a KV cache as long as it is set up
    /// when nobody asks for another length.
    pub fn memory(&self) -> Option<u64> {
        let survey = self.survey.as_ref().ok()?;
        let cache = survey.kv_bytes_per_token.saturating_mul(load::default_context(survey.context) as u64);
        Some(survey.weight_bytes.saturating_add(cache))
    }

    /// Why it would not run with so many bytes of memory; `None` if it would.
    pub fn obstacle(&self, free: u64) -> Option<String> {
        match &self.survey {
            Err(reason) => Some(reason.clone()),
            Ok(Survey { problem: Some(problem), .. }) => Some(problem.clone()),
            Ok(_) => {
                let need = self.memory().filter(|need| *need > free)?;
                Some(format!("needs {} of memory, {} are free", bytes(need), bytes(free)))
            }
        }
    }
}

/// The memory of this machine, or of the container that this process is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Bytes that programs may still take.
    pub free: u64,
    /// Bytes that there are.
    pub total: u64,
}

impl Memory {
    /// As it is now.
    pub fn now() -> Self {
        let mut system = sysinfo::System::new();
        system.refresh_memory();
        let (free, total) = (system.available_memory(), system.total_memory());
        // In a container, its limit counts. What it has cached of files is given up on demand, above
        // all of the weights that were just read, so that only the rest is taken.
        let Some(limits) = system.cgroup_limits() else { return Self { free, total } };
        let total = limits.total_memory.min(total);
        Self { free: total.saturating_sub(limits.rss).min(free), total }
    }
}
