//! From a path, or from the program itself, to a model that can compute and its vocabulary.
//!
//! Files are not trusted: whatever they say is checked before memory is taken for it, and every
//! error names the file. Nothing here knows what a model is used for.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use super::chat::ChatTemplate;
use super::error::LoadError;
use super::model::blob::Blob;
use super::model::config::Config;
use super::model::cpu::CpuNetwork;
use super::model::cuda::work::Work;
use super::model::cuda::{Ahead, memory};
use super::model::decoder::{Decoder, Network};
use super::model::device::DeviceNetwork;
use super::model::gguf::Gguf;
use super::model::random::Shape;
use super::model::safetensors::Safetensors;
use super::model::tokenizer::{self, SideFiles};
use super::model::weights::{Source, Weights};
use super::model::{LanguageModel, ModelInfo, cuda_graph, embedded, stock};
use super::vocabulary::Vocabulary;
use crate::hub;
use candle_core::Device;
use candle_core::quantized::GgmlDType;

mod aside;
mod files;
mod room;
mod spec;
mod survey;

use aside::aside;
use files::Files;
use room::Room;
pub use spec::ModelSpec;
pub use survey::{Survey, survey, survey_embedded};

/// Longest context that is set up when nobody asks for one: the cache of a large model would
/// otherwise take more memory than its weights.
const DEFAULT_CONTEXT: usize = 4096;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Bytes done in this stage.
    pub done: u64,
    /// Bytes to do in this stage.
    pub total: u64,
}

/// The stages of a load, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Downloading its files from the hub.
    Download(hub::Status),
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
pub type OnProgress<'a> = &'a mut (dyn FnMut(Progress) -> ControlFlow<()> + Send);

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
    let found = match spec {
        ModelSpec::Embedded => None,
        ModelSpec::Path(path) => Some((path.clone(), stem(path))),
        ModelSpec::Hub(model) => {
            // Nothing is downloaded for a device that is not there.
            Place::open(device)?;
            let path = download(model, progress)?;
            // A folder of the cache is named after its commit.
            let name = if path.is_dir() { model.short().to_owned() } else { stem(&path) };
            Some((path, name))
        }
    };
    // A driver takes its time to start, in which the tokenizer can be read.
    let opening = std::thread::Builder::new().name("maze-device".into()).spawn(move || Place::open(device));
    let opened = aside(progress, move |progress| Opened::open(found, progress));
    let place = match opening.map(std::thread::JoinHandle::join) {
        Ok(Ok(place)) => place?,
        // Without a thread, and where the driver's library has panicked, it is said here.
        _ => Place::open(device)?,
    };
    let opened = opened?;
    if place.device.is_cpu() {
        return aside(progress, move |progress| opened.finish(&place, context, progress));
    }
    // A CUDA device is used from one thread.
    opened.finish(&place, context, progress)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// The files of a model of the hub, as this process's environment says where to find them.
fn download(model: &hub::HubModel, progress: OnProgress<'_>) -> Result<PathBuf, LoadError> {
    let settings = hub::Settings::of_process()?;
    let mut on = |status: &hub::Status| {
        let (done, total) = (status.done, status.total);
        progress(Progress { stage: Stage::Download(status.clone()), done, total })
    };
    Ok(hub::resolve(model, &settings, &mut on)?)
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
    let place = Place::open(device)?;
    let config = shape.config();
    let opened = Opened {
        vocabulary: tokenizer::synthetic(config.vocab)?,
        block: Block::Own(Source::Random(weights), config),
        path: shape.name().into(),
        name: shape.name().into(),
    };
    opened.finish(&place, Some(context), progress)
}

/// A model of which all but the weights was read.
struct Opened {
    block: Block,
    /// The file that the config is in.
    path: PathBuf,
    name: String,
    vocabulary: Vocabulary,
}

/// Who is told how far reading a tokenizer is: parts done, and in all.
type OnTokenizer<'a> = dyn FnMut(u64, u64) -> Result<(), LoadError> + 'a;

/// What computes the model.
enum Block {
    /// Our own decoder.
    Own(Source, Config),
    /// One of the other families.
    Stock(stock::Opened),
}

impl Opened {
    /// From a path, with the model's name; from the program itself without one.
    fn open(found: Option<(PathBuf, String)>, progress: OnProgress<'_>) -> Result<Self, LoadError> {
        let report: &mut OnTokenizer<'_> = &mut |done, total| step(progress, Stage::Tokenizer, done, total);
        let Some((path, name)) = found else {
            let name = embedded::NAME.into();
            return Self::gguf(Gguf::open(embedded::gguf())?, &SideFiles::Embedded, name, report);
        };
        match files::at(&path)? {
            Files::Gguf(parts) => {
                let folder = path_of(&parts).parent().map_or_else(PathBuf::new, Path::to_owned);
                Self::gguf(Gguf::open_parts(blobs(&parts)?)?, &SideFiles::Folder(folder), name, report)
            }
            Files::Safetensors(folder, shards) => Self::folder(folder, &shards, name, report),
        }
    }

    fn gguf(
        gguf: Gguf,
        side: &SideFiles,
        name: String,
        report: &mut OnTokenizer<'_>,
    ) -> Result<Self, LoadError> {
        let path = gguf.path().to_owned();
        if let Some(model) = stock::gguf::Model::read(&gguf).map_err(|message| gguf.error(message))? {
            gguf.check_types()?;
            let vocabulary = vocabulary(side, Some(&gguf), model.vocab, report)?;
            let block = Block::Stock(stock::Opened::Gguf(model, gguf));
            return Ok(Self { block, path, name, vocabulary });
        }
        let config = Config::from_gguf(&gguf, gguf.read_factors()?).map_err(|message| gguf.error(message))?;
        gguf.check_types()?;
        let vocabulary = vocabulary(side, Some(&gguf), config.vocab, report)?;
        Ok(Self { block: Block::Own(Source::Gguf(gguf), config), path, name, vocabulary })
    }

    fn folder(
        folder: PathBuf,
        shards: &[PathBuf],
        name: String,
        report: &mut OnTokenizer<'_>,
    ) -> Result<Self, LoadError> {
        let side = SideFiles::Folder(folder.clone());
        let path = side.path("config.json");
        let text = side.required("config.json")?;
        let format = |message| LoadError::Format { path: path.clone(), message };
        if let Some(settings) = stock::Settings::read(&text).map_err(format)? {
            let files = Safetensors::open(blobs(shards)?)?;
            let vocabulary = vocabulary(&side, None, settings.vocab, report)?;
            let block = Block::Stock(stock::Opened::Folder(settings, files, folder));
            return Ok(Self { block, path, name, vocabulary });
        }
        let config = Config::from_json(&text).map_err(format)?;
        let files = Safetensors::open(blobs(shards)?)?;
        let vocabulary = vocabulary(&side, None, config.vocab, report)?;
        Ok(Self { block: Block::Own(Source::Safetensors(files, folder), config), path, name, vocabulary })
    }

    /// Reads the weights and computes once.
    fn finish(
        self,
        place: &Place,
        context: Option<usize>,
        progress: OnProgress<'_>,
    ) -> Result<Loaded, LoadError> {
        // Much of it happens in the driver.
        let _at_work = (!place.device.is_cpu()).then(Work::begin);
        let Self { block, path, name, vocabulary } = self;
        let error = |message: String| LoadError::Format { path: path.clone(), message };
        let context = block.context(context).map_err(error)?;
        let info = ModelInfo { name, device: place.name.clone(), context, ..ModelInfo::default() };
        let mut report = |done, total| progress(Progress { stage: Stage::Weights, done, total });
        let mut model: Box<dyn LanguageModel> = match block {
            Block::Stock(opened) => {
                let model = opened.build(info, &path, &place.device, &mut report)?;
                step(progress, Stage::WarmUp, 0, 1)?;
                Box::new(model)
            }
            Block::Own(source, config) => {
                let types = source.types(&config);
                let room = Room::new(&config, source.bytes(&config), &types, context);
                if place.device.is_cpu() {
                    CpuNetwork::has_room(&config, context).map_err(error)?;
                } else {
                    room.check(&place.name, memory(&place.device))?;
                }
                let explained = |error| match error {
                    LoadError::Tensor(error) => room.explain(error, &place.name, memory(&place.device)),
                    error => error,
                };
                let ahead = Ahead::start(&place.device, &config, &types);
                let weights =
                    Weights::load(&source, &config, &place.device, &mut report).map_err(explained)?;
                let info = ModelInfo {
                    architecture: config.architecture.name().to_owned(),
                    vocab: config.vocab,
                    ..info.with(&weights.summary)
                };
                step(progress, Stage::WarmUp, 0, 1)?;
                let network: Box<dyn Network> = if place.device.is_cpu() {
                    Box::new(CpuNetwork::new(config, weights, context))
                } else {
                    let network = DeviceNetwork::new(config, weights, context, &place.device);
                    let network = network.and_then(|network| network.with_step(ahead));
                    Box::new(network.map_err(|error| explained(error.into()))?)
                };
                Box::new(Decoder::new(info, network))
            }
        };
        let logits =
            model.forward(&[0], 1).map_err(|e| error(format!("the first forward pass failed: {e}")))?;
        if !logits.iter().all(|logit| logit.is_finite()) {
            return Err(error(
                "the first forward pass gave logits that are no finite numbers: the weights are damaged"
                    .into(),
            ));
        }
        model.truncate(0);
        step(progress, Stage::WarmUp, 1, 1)?;
        Ok(Loaded { model, vocabulary: Arc::new(vocabulary) })
    }
}

/// How many tokens the cache of a model holds when nobody asks for another number.
pub fn default_context(trained: usize) -> usize {
    trained.min(DEFAULT_CONTEXT)
}

impl Block {
    /// The tokens that the cache shall hold, of those that the model allows.
    fn context(&self, asked: Option<usize>) -> Result<usize, String> {
        let (most, why) = match self {
            Self::Own(_, config) if config.window == Some(config.context) => {
                (config.context, ", the length of its sliding window")
            }
            Self::Own(_, config) => (config.context, ""),
            Self::Stock(opened) if opened.context() < opened.trained() => {
                (opened.context(), ", beyond which candle's model of it is wrong")
            }
            Self::Stock(opened) => (opened.context(), ""),
        };
        match asked {
            None => Ok(default_context(most)),
            Some(asked) if (1..=most).contains(&asked) => Ok(asked),
            Some(asked) => Err(format!("a context of {asked} was asked for, the model has 1 to {most}{why}")),
        }
    }
}

/// The tokens of a model, with its chat template.
fn vocabulary(
    side: &SideFiles,
    gguf: Option<&Gguf>,
    width: usize,
    report: &mut OnTokenizer<'_>,
) -> Result<Vocabulary, LoadError> {
    let vocabulary = tokenizer::vocabulary(side, gguf, width, report)?;
    let chat = ChatTemplate::find(side, gguf, &vocabulary)?;
    Ok(vocabulary.with_chat(chat))
}

fn path_of(parts: &[PathBuf]) -> &Path {
    parts.first().map_or(Path::new(""), PathBuf::as_path)
}

fn blobs(paths: &[PathBuf]) -> Result<Vec<Blob>, LoadError> {
    paths.iter().map(|path| Blob::open(path)).collect()
}

fn step(progress: OnProgress<'_>, stage: Stage, done: u64, total: u64) -> Result<(), LoadError> {
    match progress(Progress { stage, done, total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(LoadError::Cancelled),
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
