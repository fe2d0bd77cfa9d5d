//! The model that is part of the program: the folder `models/nano`.
//!
//! The only place that names that folder. It is replaced by replacing the folder; its size,
//! vocabulary and special tokens are read from its files like those of any other model.

use super::blob::Blob;

/// The name in the trace and on the screen.
pub const NAME: &str = "maze-nano";

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/nano/", $name)).as_slice()
    };
}

const GGUF: &[u8] = file!("nano-q4_k.gguf");
const SIDE_FILES: [(&str, &[u8]); 3] = [
    ("tokenizer.json", file!("tokenizer.json")),
    ("tokenizer_config.json", file!("tokenizer_config.json")),
    ("generation_config.json", file!("generation_config.json")),
];

/// The weights.
pub fn gguf() -> Blob {
    Blob::embedded("models/nano/nano-q4_k.gguf", GGUF)
}

/// A file beside the weights.
pub fn side_file(name: &str) -> Option<&'static [u8]> {
    SIDE_FILES.iter().find(|(n, _)| *n == name).map(|(_, bytes)| *bytes)
}
