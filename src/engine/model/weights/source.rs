//! Where tensors come from, and what the file formats call them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use candle_core::quantized::GgmlDType;

use crate::engine::error::LoadError;
use crate::engine::model::blob::{Blob, OnRead};
use crate::engine::model::config::Config;
use crate::engine::model::gguf::Gguf;
use crate::engine::model::random;
use crate::engine::model::safetensors::{Safetensors, block_type};

/// Where tensors come from.
pub enum Source {
    /// A GGUF file.
    Gguf(Gguf),
    /// A Hugging Face folder.
    Safetensors(Safetensors, PathBuf),
    /// Made up when asked for, of a type; for measuring.
    Random(GgmlDType),
}

/// The tensors outside of the blocks.
#[derive(Clone, Copy)]
pub(super) enum Global {
    Embedding,
    Norm,
    Head,
}

/// The roles of a block's tensors, with their Hugging Face and GGUF names.
#[derive(Clone, Copy)]
pub(super) enum Part {
    AttentionNorm,
    Query,
    Key,
    Value,
    QueryNorm,
    KeyNorm,
    Output,
    MlpNorm,
    Gate,
    Up,
    Down,
}

impl Part {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::AttentionNorm => ("input_layernorm", "attn_norm"),
            Self::Query => ("self_attn.q_proj", "attn_q"),
            Self::Key => ("self_attn.k_proj", "attn_k"),
            Self::Value => ("self_attn.v_proj", "attn_v"),
            Self::QueryNorm => ("self_attn.q_norm", "attn_q_norm"),
            Self::KeyNorm => ("self_attn.k_norm", "attn_k_norm"),
            Self::Output => ("self_attn.o_proj", "attn_output"),
            Self::MlpNorm => ("post_attention_layernorm", "ffn_norm"),
            Self::Gate => ("mlp.gate_proj", "ffn_gate"),
            Self::Up => ("mlp.up_proj", "ffn_up"),
            Self::Down => ("mlp.down_proj", "ffn_down"),
        }
    }
}

impl Source {
    pub(super) fn is_gguf(&self) -> bool {
        matches!(self, Self::Gguf(_))
    }

    /// The name of a tensor outside of the blocks.
    pub(super) fn global(&self, tensor: Global) -> String {
        match (tensor, self.is_gguf()) {
            (Global::Embedding, true) => "token_embd.weight",
            (Global::Embedding, false) => "model.embed_tokens.weight",
            (Global::Norm, true) => "output_norm.weight",
            (Global::Norm, false) => "model.norm.weight",
            (Global::Head, true) => "output.weight",
            (Global::Head, false) => "lm_head.weight",
        }
        .to_owned()
    }

    /// The name of a block's tensor; `kind` is `weight` or `bias`.
    pub(super) fn name(&self, layer: usize, part: Part, kind: &str) -> String {
        let (hugging_face, gguf) = part.names();
        if self.is_gguf() {
            format!("blk.{layer}.{gguf}.{kind}")
        } else {
            format!("model.layers.{layer}.{hugging_face}.{kind}")
        }
    }

    /// The names of all tensors.
    pub(super) fn names(&self) -> BTreeSet<String> {
        match self {
            Self::Gguf(gguf) => gguf.names().map(str::to_owned).collect(),
            Self::Safetensors(files, _) => files.names().map(str::to_owned).collect(),
            Self::Random(_) => BTreeSet::new(),
        }
    }

    /// A tensor's block type and sizes; `None` if there is none of that name. `dims` are those that
    /// are expected.
    pub(super) fn find<'a>(
        &'a self,
        name: &str,
        dims: &'a [usize],
    ) -> Result<Option<(GgmlDType, &'a [usize])>, LoadError> {
        match self {
            Self::Gguf(gguf) => gguf.find(name),
            Self::Safetensors(files, _) => files.find(name),
            Self::Random(dtype) => Ok(Some((random::type_of(dims, *dtype), dims))),
        }
    }

    /// The types of matrices.
    pub fn types(&self, config: &Config) -> Vec<GgmlDType> {
        let mut types: Vec<GgmlDType> = match self {
            Self::Gguf(gguf) => gguf.types().filter_map(|(_, kind, _)| kind.dtype).collect(),
            Self::Safetensors(files, _) => {
                files.types().filter_map(|(_, dtype, ..)| block_type(dtype)).collect()
            }
            Self::Random(dtype) => {
                let widths = [config.hidden, config.intermediate, config.q_width()];
                Vec::from(widths.map(|width| random::type_of(&[width, width], *dtype)))
            }
        };
        types.sort_unstable_by_key(|dtype| *dtype as u32);
        types.dedup();
        types
    }

    /// About how many bytes there are to read.
    pub fn bytes(&self, config: &Config) -> u64 {
        match self {
            Self::Gguf(gguf) => gguf.tensor_bytes(),
            Self::Safetensors(files, _) => files.tensor_bytes(),
            Self::Random(dtype) => {
                let per_layer =
                    (config.q_width() * 2 + config.kv_width() * 2 + config.intermediate * 3) * config.hidden;
                let heads = if config.tied == Some(true) { 1 } else { 2 };
                let parameters = per_layer * config.layers + heads * config.vocab * config.hidden;
                (parameters / dtype.block_size() * dtype.type_size()) as u64
            }
        }
    }

    /// Where the data of a tensor lies: its file, where it begins, and its length. `None` if it is in no file.
    pub(super) fn place(&self, name: &str) -> Option<(&Blob, u64, u64)> {
        match self {
            Self::Gguf(gguf) => gguf.place(name),
            Self::Safetensors(files, _) => files.place(name),
            Self::Random(_) => None,
        }
    }

    /// Reads the data of a tensor that was found, `piece` bytes at a time.
    pub(super) fn pieces(
        &self,
        name: &str,
        dims: &[usize],
        piece: usize,
        on_read: OnRead<'_>,
        sink: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), LoadError> {
        if let Some((blob, offset, bytes)) = self.place(name) {
            return blob.pieces(offset, bytes, piece, on_read, sink);
        }
        match self {
            Self::Gguf(_) | Self::Safetensors(..) => Ok(()),
            Self::Random(dtype) => {
                let (distinct, bytes) = random::data(name, dims, *dtype)?;
                let mut buffer = Vec::new();
                let mut done = 0;
                while done < bytes {
                    let size = piece.min(bytes - done);
                    buffer.clear();
                    while buffer.len() < size {
                        let from = &distinct[(done + buffer.len()) % distinct.len()..];
                        buffer.extend_from_slice(&from[..from.len().min(size - buffer.len())]);
                    }
                    sink(&mut buffer);
                    done += size;
                    if on_read(size as u64).is_break() {
                        return Err(LoadError::Cancelled);
                    }
                }
                Ok(())
            }
        }
    }

    /// An error about a tensor, with the file that has it or should.
    pub(super) fn error(&self, name: &str, message: String) -> LoadError {
        let path = match self {
            Self::Gguf(gguf) => {
                gguf.blob_of(name).map_or_else(|| gguf.path().to_owned(), |b| b.path().to_owned())
            }
            Self::Safetensors(files, folder) => {
                files.blob(name).map_or_else(|| folder.clone(), |b| b.path().to_owned())
            }
            Self::Random(_) => PathBuf::from("random weights"),
        };
        LoadError::Format { path, message: format!("tensor {name} {message}") }
    }
}
