//! Which model is meant by what a person writes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::engine::model::embedded;
use crate::hub::HubModel;

/// Which model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ModelSpec {
    /// The one in the program.
    #[default]
    Embedded,
    /// A Hugging Face folder (`config.json`, `tokenizer.json`, safetensors) or a `.gguf` file.
    Path(PathBuf),
    /// One of the Hugging Face hub, from the cache if it is there.
    Hub(HubModel),
}

impl FromStr for ModelSpec {
    type Err = String;

    /// What is there on the disk is a path, and so is what looks like one; anything else of the form
    /// `org/name[@revision][:file]` is a model of the hub.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("an empty name is no model".into()),
            embedded::NAME => Ok(Self::Embedded),
            _ if is_path(text) => Ok(Self::Path(match (text.strip_prefix("~/"), std::env::home_dir()) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => text.into(),
            })),
            name => name.parse().map(Self::Hub),
        }
    }
}

fn is_path(text: &str) -> bool {
    let repo = text.split([':', '@']).next().unwrap_or(text);
    let is_name = repo.matches('/').count() == 1 && !repo.starts_with(['.', '/', '~']);
    !is_name || repo.to_ascii_lowercase().ends_with(".gguf") || Path::new(text).exists()
}

impl fmt::Display for ModelSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str(embedded::NAME),
            Self::Path(path) => path.display().fmt(f),
            Self::Hub(model) => model.fmt(f),
        }
    }
}
