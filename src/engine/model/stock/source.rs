//! A model folder's tensors as candle's `VarBuilder` asks for them.
//!
//! The files are read by our own [`Safetensors`], which checks their headers. What candle asks for is
//! counted: a tensor that the model does not use is an error, because it would change the result.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::quantized::GgmlDType;
use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::Init;
use candle_nn::var_builder::SimpleBackend;

use super::Report;
use super::settings::{Fix, Settings};
use crate::engine::error::LoadError;
use crate::engine::model::raw::dtype_name;
use crate::engine::model::safetensors::Safetensors;
use crate::engine::model::weights::{Fnv, PIECE, Summary};

/// What all families call their embedding.
const EMBEDDING: &str = "model.embed_tokens.weight";

/// The tensors of a folder, shared by the builder of the model and by who asks how it went.
#[derive(Clone)]
pub struct Source<'a>(Arc<Shared<'a>>);

struct Shared<'a> {
    files: &'a Safetensors,
    folder: &'a Path,
    tied: bool,
    rename: fn(&str) -> Option<Vec<String>>,
    fixes: Vec<Fix>,
    total: u64,
    books: Mutex<Books<'a>>,
}

struct Books<'a> {
    report: Report<'a>,
    done: u64,
    unused: BTreeSet<String>,
    counts: Vec<(GgmlDType, u64)>,
    hash: Fnv,
    /// Kept for a head that is the embedding again.
    embedding: Option<Tensor>,
    /// What went wrong first. candle's errors cannot carry it.
    error: Option<LoadError>,
}

impl<'a> Source<'a> {
    /// The tensors of `files`, as the family of `settings` names them.
    pub fn new(files: &'a Safetensors, folder: &'a Path, settings: &Settings, report: Report<'a>) -> Self {
        let wanted = |name: &str| !settings.family.leaves_out(name);
        let unused = files.names().filter(|name| wanted(name)).map(str::to_owned).collect();
        Self(Arc::new(Shared {
            files,
            folder,
            tied: settings.tied,
            rename: settings.family.rename,
            fixes: settings.fixes.clone(),
            total: files.types().filter(|(name, ..)| wanted(name)).map(|(.., bytes)| bytes).sum(),
            books: Mutex::new(Books {
                report,
                done: 0,
                unused,
                counts: Vec::new(),
                hash: Fnv::default(),
                embedding: None,
                error: None,
            }),
        }))
    }

    /// What was read. `complete` says whether the model was built to its end.
    ///
    /// # Errors
    /// Whatever went wrong meanwhile, or a tensor that a complete model has not asked for.
    pub fn finish(&self, family: &str, complete: bool) -> Result<Summary, LoadError> {
        let mut books = self.0.books();
        if let Some(error) = books.error.take() {
            return Err(error);
        }
        let tied = |name: &str| self.0.tied && name.ends_with("lm_head.weight");
        let redundant = |name: &str| name.ends_with("rotary_emb.inv_freq") || tied(name);
        if let Some(name) = books.unused.iter().find(|name| complete && !redundant(name)) {
            return Err(self.0.error(name, &format!("is not part of the {family} block")));
        }
        let largest = books.counts.iter().max_by_key(|(_, n)| *n).map_or(GgmlDType::F32, |(d, _)| *d);
        Ok(Summary {
            parameters: books.counts.iter().map(|(_, n)| n).sum(),
            weights: dtype_name(largest).to_owned(),
            fingerprint: books.hash.hex(),
        })
    }
}

impl<'a> Shared<'a> {
    fn books(&self) -> MutexGuard<'_, Books<'a>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An error about a tensor, with the file that has it or the folder that should.
    fn error(&self, name: &str, message: &str) -> LoadError {
        let path = self.files.blob(name).map_or_else(|| self.folder.to_owned(), |b| b.path().to_owned());
        LoadError::Format { path, message: format!("tensor {name} {message}") }
    }

    /// The tensor under the name that candle uses, of the given shape, in f32.
    fn tensor(&self, name: &str, dims: &[usize], device: &Device) -> Result<Tensor, LoadError> {
        let stored = self.files.dims(name).is_some();
        if !stored
            && name == "lm_head.weight"
            && self.tied
            && let Some(embedding) = &self.books().embedding
        {
            return Ok(embedding.clone());
        }
        let names = match (self.rename)(name) {
            Some(names) if !stored => names,
            _ => vec![name.to_owned()],
        };
        let mut parts = Vec::new();
        for part in &names {
            // Several are stacked, each with an equal part of the rows.
            let mut dims = dims.to_vec();
            if let Some(rows) = dims.first_mut() {
                *rows /= names.len();
            }
            parts.push(self.stored(part, &dims, device)?);
        }
        let mut tensor = match parts.as_slice() {
            [only] => only.clone(),
            _ => Tensor::cat(&parts, 0)?,
        };
        for fix in &self.fixes {
            tensor = fix.apply(name, tensor)?;
        }
        if name == EMBEDDING {
            self.books().embedding = Some(tensor.clone());
        }
        Ok(tensor)
    }

    /// Reads one stored tensor, counts and hashes it.
    fn stored(&self, name: &str, dims: &[usize], device: &Device) -> Result<Tensor, LoadError> {
        let dtype = match self.files.find(name)? {
            Some((dtype, found)) if found == dims => dtype,
            Some((_, found)) => {
                return Err(self.error(name, &format!("has the shape {found:?}, expected {dims:?}")));
            }
            None => return Err(self.error(name, &format!("is missing (expected with the shape {dims:?})"))),
        };
        let books = &mut *self.books();
        let mut data = Vec::new();
        let on_read = &mut |bytes: u64| {
            books.done += bytes;
            (books.report)(books.done.min(self.total), self.total)
        };
        self.files.pieces(name, PIECE, on_read, &mut |piece| data.extend_from_slice(piece))?;
        if books.unused.remove(name) {
            let elements = dims.iter().product::<usize>() as u64;
            match books.counts.iter_mut().find(|(d, _)| *d == dtype) {
                Some((_, count)) => *count += elements,
                None => books.counts.push((dtype, elements)),
            }
            books.hash.bytes(format!("{name}{dtype:?}{dims:?}").as_bytes());
            books.hash.sample(&data);
        }
        let stored = match dtype {
            GgmlDType::F16 => DType::F16,
            GgmlDType::BF16 => DType::BF16,
            _ => DType::F32,
        };
        // Narrow numbers are sent narrow.
        let tensor = Tensor::from_raw_buffer(&data, stored, dims, &Device::Cpu)?;
        Ok(tensor.to_device(device)?.to_dtype(DType::F32)?)
    }
}

impl SimpleBackend for Source<'_> {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: Init,
        _: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        self.0.tensor(name, shape.dims(), device).map_err(|error| {
            let message = candle_core::Error::Msg(error.to_string());
            self.0.books().error.get_or_insert(error);
            message
        })
    }

    fn get_unchecked(&self, name: &str, _: DType, device: &Device) -> candle_core::Result<Tensor> {
        let dims = self.0.files.dims(name).unwrap_or_default().to_vec();
        self.get(Shape::from(dims), name, Init::default(), DType::F32, device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.0.files.dims(name).is_some()
    }
}
