//! From a path, or from the program itself, to a model that can compute and its vocabulary.
//!
//! Files are not trusted: whatever they say is checked before memory is taken for it, and every
//! error names the file. Nothing here knows what a model is used for.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use candle_core::Device;
use candle_core::quantized::GgmlDType;
use serde::Deserialize;

use super::chat::ChatTemplate;
use super::error::LoadError;
use super::model::blob::Blob;
use super::model::config::Config;
use super::model::cpu::CpuNetwork;
use super::model::decoder::{Decoder, Network};
use super::model::device::DeviceNetwork;
use super::model::gguf::Gguf;
use super::model::random::Shape;
use super::model::safetensors::Safetensors;
use super::model::tokenizer::{self, SideFiles};
use super::model::weights::{Source, Weights};
use super::model::{LanguageModel, ModelInfo, cuda_graph, embedded};
use super::vocabulary::Vocabulary;

/// Longest context that is set up when nobody asks for one: the cache of a large model would
/// otherwise take more memory than its weights.
const DEFAULT_CONTEXT: usize = 4096;

/// Which model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ModelSpec {
    /// The one in the program.
    #[default]
    Embedded,
    /// A Hugging Face folder (`config.json`, `tokenizer.json`, safetensors) or a `.gguf` file.
    Path(PathBuf),
}

impl FromStr for ModelSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("an empty name is no model".into()),
            embedded::NAME => Ok(Self::Embedded),
            path => Ok(Self::Path(path.into())),
        }
    }
}

impl fmt::Display for ModelSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str(embedded::NAME),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

/// Where to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceSpec {
    /// The first CUDA device if this build has CUDA and the machine one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device of this number.
    Cuda(usize),
}

impl FromStr for DeviceSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|n| n.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| format!("unknown device {text:?} (expected auto, cpu, cuda or cuda:N)")),
        }
    }
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

/// How far a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Bytes done in this stage.
    pub done: u64,
    /// Bytes to do in this stage.
    pub total: u64,
}

/// The stages of a load, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading the tokenizer.
    Tokenizer,
    /// Reading weights and moving them to the device.
    Weights,
    /// A first forward pass, in which the matrix kernels lay out the weights anew.
    WarmUp,
}

/// A model ready for use.
pub struct Loaded {
    /// The model, with an empty cache.
    pub model: Box<dyn LanguageModel>,
    /// Its tokens, as wide as its logits.
    pub vocabulary: Arc<Vocabulary>,
}

/// Who is told of progress, and may stop the load.
pub type OnProgress<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Loads a model. `context` is the number of tokens its cache shall hold; without it, as many as
/// the model was trained for, up to 4096.
///
/// # Errors
/// [`LoadError`], naming the file and what was expected.
///
/// # Examples
/// ```
/// use std::ops::ControlFlow;
/// use maze::engine::load::{DeviceSpec, ModelSpec, load};
///
/// let mut loaded = load(&ModelSpec::Embedded, DeviceSpec::Cpu, None, &mut |_| ControlFlow::Continue(()))?;
/// let prompt = loaded.vocabulary.encode_prompt("fn main() {")?;
/// let logits = loaded.model.forward(&prompt, 1)?;
/// assert_eq!(logits.len(), loaded.vocabulary.len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn load(
    spec: &ModelSpec,
    device: DeviceSpec,
    context: Option<usize>,
    progress: OnProgress<'_>,
) -> Result<Loaded, LoadError> {
    let device = Place::open(device)?;
    match spec {
        ModelSpec::Embedded => {
            load_gguf(embedded::gguf(), &SideFiles::Embedded, embedded::NAME, &device, context, progress)
        }
        ModelSpec::Path(path) => {
            let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
            match weights_at(path)? {
                Files::Gguf(file) => {
                    let folder = file.parent().map_or_else(PathBuf::new, Path::to_owned);
                    let side = SideFiles::Folder(folder);
                    load_gguf(Blob::open(&file)?, &side, &name, &device, context, progress)
                }
                Files::Safetensors(shards) => load_folder(path, &shards, &name, &device, context, progress),
            }
        }
    }
}

/// A model of a real shape with random weights and [synthetic](tokenizer::synthetic) tokens, for measuring.
///
/// # Errors
/// If the device is not there or too small.
pub fn random(
    shape: Shape,
    device: DeviceSpec,
    weights: GgmlDType,
    context: usize,
    progress: OnProgress<'_>,
) -> Result<Loaded, LoadError> {
    let device = Place::open(device)?;
    let config = shape.config();
    let vocabulary = tokenizer::synthetic(config.vocab)?;
    let source = Source::Random(weights);
    finish(
        source,
        config,
        Path::new(shape.name()),
        shape.name(),
        vocabulary,
        &device,
        Some(context),
        progress,
    )
}

fn load_gguf(
    blob: Blob,
    side: &SideFiles,
    name: &str,
    device: &Place,
    context: Option<usize>,
    progress: OnProgress<'_>,
) -> Result<Loaded, LoadError> {
    step(progress, Stage::Tokenizer, 0, 1)?;
    let gguf = Gguf::open(blob)?;
    let factors = gguf.tensor("rope_freqs.weight")?.map(|t| t.values()).transpose()?;
    let config = Config::from_gguf(&gguf, factors).map_err(|message| gguf.blob().error(message))?;
    let vocabulary = tokenizer::vocabulary(side, Some(&gguf), config.vocab)?;
    let chat = ChatTemplate::find(side, Some(&gguf), &vocabulary)?;
    let vocabulary = vocabulary.with_chat(chat);
    let path = gguf.blob().path();
    finish(Source::Gguf(&gguf), config, path, name, vocabulary, device, context, progress)
}

fn load_folder(
    folder: &Path,
    shards: &[PathBuf],
    name: &str,
    device: &Place,
    context: Option<usize>,
    progress: OnProgress<'_>,
) -> Result<Loaded, LoadError> {
    step(progress, Stage::Tokenizer, 0, 1)?;
    let side = SideFiles::Folder(folder.to_owned());
    let path = side.path("config.json");
    let text = std::fs::read(&path).map_err(|source| LoadError::Read { path: path.clone(), source })?;
    let config =
        Config::from_json(&text).map_err(|message| LoadError::Format { path: path.clone(), message })?;
    let vocabulary = tokenizer::vocabulary(&side, None, config.vocab)?;
    let chat = ChatTemplate::find(&side, None, &vocabulary)?;
    let vocabulary = vocabulary.with_chat(chat);
    let blobs = shards.iter().map(|path| Blob::open(path)).collect::<Result<Vec<_>, _>>()?;
    let files = Safetensors::open(blobs)?;
    let source = Source::Safetensors(&files, folder.to_owned());
    finish(source, config, &path, name, vocabulary, device, context, progress)
}

#[expect(clippy::too_many_arguments, reason = "the last step of three loaders, called nowhere else")]
fn finish(
    source: Source<'_>,
    config: Config,
    path: &Path,
    name: &str,
    vocabulary: Vocabulary,
    place: &Place,
    context: Option<usize>,
    progress: OnProgress<'_>,
) -> Result<Loaded, LoadError> {
    let context = match context {
        Some(asked) if asked == 0 || asked > config.context => {
            let message =
                format!("a context of {asked} was asked for, the model has 1 to {}", config.context);
            return Err(LoadError::Format { path: path.to_owned(), message });
        }
        Some(asked) => asked,
        None => config.context.min(DEFAULT_CONTEXT),
    };
    let mut report = |done, total| progress(Progress { stage: Stage::Weights, done, total });
    let weights = Weights::load(&source, &config, &place.device, &mut report)?;
    let info = ModelInfo {
        name: name.to_owned(),
        architecture: config.architecture.name().to_owned(),
        weights: weights.summary.weights.clone(),
        device: place.name.clone(),
        parameters: weights.summary.parameters,
        vocab: config.vocab,
        context,
        fingerprint: weights.summary.fingerprint.clone(),
    };
    step(progress, Stage::WarmUp, 0, 1)?;
    let network: Box<dyn Network> = if place.device.is_cpu() {
        Box::new(CpuNetwork::new(config, weights, context))
    } else {
        Box::new(DeviceNetwork::new(config, weights, context, &place.device)?.with_fixed_step()?)
    };
    let mut model = Decoder::new(info, network);
    model.forward(&[0], 1).map_err(|e| LoadError::Format {
        path: path.to_owned(),
        message: format!("the first forward pass failed: {e}"),
    })?;
    model.truncate(0);
    step(progress, Stage::WarmUp, 1, 1)?;
    Ok(Loaded { model: Box::new(model), vocabulary: Arc::new(vocabulary) })
}

fn step(progress: OnProgress<'_>, stage: Stage, done: u64, total: u64) -> Result<(), LoadError> {
    match progress(Progress { stage, done, total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(LoadError::Cancelled),
    }
}

/// The weight files at a path.
enum Files {
    Gguf(PathBuf),
    Safetensors(Vec<PathBuf>),
}

fn weights_at(path: &Path) -> Result<Files, LoadError> {
    let read = |path: &Path, source| LoadError::Read { path: path.to_owned(), source };
    let format = |path: &Path, message: String| LoadError::Format { path: path.to_owned(), message };
    if !std::fs::metadata(path).map_err(|e| read(path, e))?.is_dir() {
        return match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("gguf") => Ok(Files::Gguf(path.to_owned())),
            _ => Err(format(path, "not a model: expected a .gguf file or a folder with safetensors".into())),
        };
    }
    let index = path.join("model.safetensors.index.json");
    if index.exists() {
        #[derive(Deserialize)]
        struct Index {
            weight_map: std::collections::BTreeMap<String, String>,
        }
        let text = std::fs::read(&index).map_err(|e| read(&index, e))?;
        let parsed: Index = serde_json::from_slice(&text).map_err(|e| format(&index, e.to_string()))?;
        let mut names: Vec<String> = parsed.weight_map.into_values().collect();
        names.sort();
        names.dedup();
        if let Some(name) = names.iter().find(|n| Path::new(n).file_name() != Some(n.as_ref())) {
            return Err(format(&index, format!("{name:?} is not the name of a file in the same folder")));
        }
        return Ok(Files::Safetensors(names.into_iter().map(|name| path.join(name)).collect()));
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect())
        .map_err(|e| read(path, e))?;
    found.sort();
    let of = |extension: &str| -> Vec<PathBuf> {
        found.iter().filter(|p| p.extension().is_some_and(|e| e == extension)).cloned().collect()
    };
    match (of("safetensors"), of("gguf").as_slice()) {
        (shards, _) if !shards.is_empty() => Ok(Files::Safetensors(shards)),
        (_, [only]) => Ok(Files::Gguf(only.clone())),
        (_, []) => Err(format(path, "the folder holds no safetensors and no GGUF file".into())),
        (_, several) => {
            Err(format(path, format!("the folder holds {} GGUF files; name one of them", several.len())))
        }
    }
}

/// A device and its name.
struct Place {
    device: Device,
    name: String,
}

impl Place {
    fn open(spec: DeviceSpec) -> Result<Self, LoadError> {
        let cpu = || Self { device: Device::Cpu, name: "cpu".into() };
        match spec {
            DeviceSpec::Cpu => Ok(cpu()),
            DeviceSpec::Cuda(index) => Self::cuda(index),
            DeviceSpec::Auto if cfg!(feature = "cuda") => Ok(Self::cuda(0).unwrap_or_else(|_| cpu())),
            DeviceSpec::Auto => Ok(cpu()),
        }
    }

    fn cuda(index: usize) -> Result<Self, LoadError> {
        if !cfg!(feature = "cuda") {
            return Err(LoadError::Device(
                "this build has no CUDA; build with --features cuda, or use the device cpu".into(),
            ));
        }
        let device = Device::new_cuda_with_stream(index).map_err(|e| {
            // Further lines are a backtrace.
            let reason = e.to_string().lines().next().unwrap_or_default().to_owned();
            LoadError::Device(format!("CUDA device {index} cannot be used: {reason}"))
        })?;
        cuda_graph::prepare(&device);
        Ok(Self { device, name: format!("cuda:{index}") })
    }
}
