//! The compiled kernels, and the only place that launches them.
//!
//! Everything here runs in one stream, in order, but for what is sent to another by
//! [`launch_in`](Kernels::launch_in). Whoever launches a kernel keeps what its addresses point to.

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use candle_core::cuda_backend::cudarc::driver::{
    CudaContext, CudaEvent, CudaFunction, CudaGraph, CudaSlice, CudaStream, DevicePtr, PinnedHostSlice,
    result, sys,
};
use candle_core::cuda_backend::cudarc::nvrtc::{CompileOptions, compile_ptx_with_opts};
use candle_core::cuda_backend::{CudaStorageSlice, WrapErr};
use candle_core::{CudaDevice, Result, Storage, Tensor};

use super::params::Param;
use super::plan::{CHUNKS, Chip, Layout, PAIR, RINGS, Ring, THREADS};
use super::work::Work;

/// What all products have in common, and a source.
macro_rules! product {
    ($name:literal) => {
        concat!(
            include_str!("common.cu"),
            include_str!("weights.cu"),
            include_str!("share.cu"),
            include_str!($name)
        )
    };
}

/// The driver reads machine code that it keeps in less, and takes longer to make it.
const KNOWN: Duration = Duration::from_millis(400);

/// Compiled side by side.
const SOURCES: [&str; 4] = [
    product!("product.cu"),
    product!("batch.cu"),
    concat!(include_str!("common.cu"), include_str!("attention.cu")),
    concat!(include_str!("common.cu"), include_str!("digest.cu")),
];

/// The kernels for one model on one device.
pub struct Kernels {
    stream: Arc<CudaStream>,
    functions: HashMap<String, CudaFunction>,
    /// The sizes of the device.
    pub chip: Chip,
    /// Blocks that share an attention head.
    pub cluster: u32,
}

/// How a kernel is launched.
#[derive(Clone, Copy)]
pub struct Launch {
    /// Blocks.
    pub grid: (u32, u32, u32),
    /// Threads of a block.
    pub threads: u32,
    /// Bytes of shared memory of a block.
    pub shared: u32,
    /// Blocks of a cluster, if they come in clusters.
    pub cluster: Option<u32>,
    /// Whether it may start before the kernel in front of it has ended.
    pub early: bool,
}

impl Launch {
    /// So many blocks of so many threads.
    pub fn new(blocks: usize, threads: usize) -> Self {
        Self { grid: (blocks as u32, 1, 1), threads: threads as u32, shared: 0, cluster: None, early: true }
    }
}

/// Kernels that a thread compiles.
pub struct Compiling {
    layouts: Vec<Layout>,
    thread: JoinHandle<Result<Option<Kernels>>>,
}

impl Compiling {
    /// Starts to compile the kernels for heads and groups of these sizes. `None` without sizes, or if the
    /// system gives no thread. `if_known` is called if the driver knew them.
    pub fn start(
        cuda: &CudaDevice,
        variant: Option<(usize, usize)>,
        layouts: Vec<Layout>,
        if_known: impl FnOnce() + Send + 'static,
    ) -> Option<Self> {
        let (head_dim, group) = variant?;
        let (cuda, wanted) = (cuda.clone(), layouts.clone());
        let at_work = Work::begin();
        let work = move || {
            let _at_work = at_work;
            let compiled = Kernels::compile(&cuda, head_dim, group, &wanted)?;
            Ok(compiled.map(|(kernels, took)| {
                if took < KNOWN {
                    if_known();
                }
                kernels
            }))
        };
        let thread = std::thread::Builder::new().name("maze-kernels".into()).spawn(work).ok()?;
        Some(Self { layouts, thread })
    }

    /// Whether all these are among them.
    pub fn has(&self, layouts: &[Layout]) -> bool {
        layouts.iter().all(|layout| self.layouts.contains(layout))
    }

    /// The kernels. `None` if the device is too old for them.
    ///
    /// # Errors
    /// If the compiler or the driver fails.
    pub fn finish(self) -> Result<Option<Kernels>> {
        match self.thread.join() {
            Ok(outcome) => outcome,
            Err(_) => candle_core::bail!("the compiler of the kernels panicked"),
        }
    }
}

impl Kernels {
    /// Compiles the kernels, and says how long the driver took at most for one of their files. `None` if the device is
    /// too old for them.
    ///
    /// # Errors
    /// If the compiler or the driver fails.
    fn compile(
        cuda: &CudaDevice,
        head_dim: usize,
        group: usize,
        layouts: &[Layout],
    ) -> Result<Option<(Self, Duration)>> {
        use sys::{CUdevice_attribute as device, CUfunction_attribute as function};
        let stream = cuda.cuda_stream();
        let context = stream.context();
        let (major, _) = context.compute_capability().w()?;
        if major < 9 {
            return Ok(None);
        }
        let attribute = |attribute| context.attribute(attribute).w();
        let shared = attribute(device::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?;
        let chip = Chip {
            processors: attribute(device::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)? as usize,
            // Less what the kernels take by themselves.
            shared: (shared as usize).saturating_sub(1024),
        };
        let mut options = vec!["--gpu-architecture=compute_90".into(), "-std=c++17".into()];
        let numbers = [
            ("HEAD_DIM", head_dim),
            ("GROUP", group),
            ("THREADS", THREADS),
            ("PAIR", PAIR),
            ("CHUNKS", CHUNKS),
        ];
        options.extend(numbers.map(|(name, number)| format!("-D{name}={number}")));
        // The kernels in each of the sources.
        let mut names = [
            vec!["aim".to_owned()],
            Vec::new(),
            vec!["attention_bf16".into(), "attention_f32".into()],
            vec!["survey".into(), "weigh".into(), "draw".into()],
        ];
        for name in layouts.iter().map(|layout| layout.name) {
            options.push(format!("-DWITH_{}", name.to_uppercase()));
            names[0].push(format!("embed_{name}"));
            match name {
                "bf16" => names[0].extend(RINGS.iter().map(Ring::kernel)),
                _ => names[0].push(format!("product_{name}")),
            }
            names[1].extend([format!("lay_{name}"), format!("batch_{name}")]);
        }
        let compile = |source: &str, names: Vec<String>| -> Result<(Duration, Vec<(String, CudaFunction)>)> {
            let options = CompileOptions { options: options.clone(), ..Default::default() };
            let compiled = compile_ptx_with_opts(source, options).map_err(candle_core::Error::wrap)?;
            context.bind_to_thread().w()?;
            let clock = Instant::now();
            let module = context.load_module(compiled).w()?;
            let took = clock.elapsed();
            let load = |name: String| Ok((name.clone(), module.load_function(&name).w()?));
            Ok((took, names.into_iter().map(load).collect::<Result<_>>()?))
        };
        let compile = &compile;
        let compiled = std::thread::scope(|scope| {
            let threads: Vec<_> = SOURCES
                .into_iter()
                .zip(names)
                .map(|(source, names)| scope.spawn(move || compile(source, names)))
                .collect();
            let joined = threads.into_iter().map(|thread| match thread.join() {
                Ok(outcome) => outcome,
                Err(_) => candle_core::bail!("the compiler of the kernels panicked"),
            });
            joined.collect::<Result<Vec<_>>>()
        })?;
        let has_rings = layouts.iter().any(|layout| layout.lanes == 1);
        let mut functions = HashMap::new();
        let took = compiled.iter().map(|(took, _)| *took).max().unwrap_or_default();
        for (name, kernel) in compiled.into_iter().flat_map(|(_, kernels)| kernels) {
            if ["whole", "ring", "product", "batch"].iter().any(|kind| name.starts_with(kind)) {
                let size = function::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
                kernel.set_attribute(size, chip.shared as i32).w()?;
            } else if name.starts_with("attention") {
                kernel.set_attribute(function::CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1).w()?;
            }
            // With rings, kernels that would share the memory of a multiprocessor otherwise than the one in front of
            // them would have to wait for its end. The other products want it as a cache.
            if has_rings && !["product", "batch", "lay"].iter().any(|kind| name.starts_with(kind)) {
                let share = function::CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT;
                kernel.set_attribute(share, 100).w()?;
            }
            functions.insert(name, kernel);
        }
        // Chips for desks have no larger clusters.
        let cluster = if major < 12 { 16 } else { 8 };
        Ok(Some((Self { stream, functions, chip, cluster }, took)))
    }

    /// The stream that the steps run in.
    pub fn stream(&self) -> &Arc<CudaStream> {
        &self.stream
    }

    /// Launches a kernel behind those of before.
    ///
    /// # Errors
    /// If there is no such kernel or the driver refuses.
    pub fn launch<P: Param>(&self, kernel: &str, launch: Launch, param: &P) -> Result<()> {
        self.launch_in(&self.stream, kernel, launch, param)
    }

    /// The same in another stream.
    ///
    /// # Errors
    /// As [`launch`](Self::launch).
    pub fn launch_in<P: Param>(
        &self,
        stream: &CudaStream,
        kernel: &str,
        launch: Launch,
        param: &P,
    ) -> Result<()> {
        use sys::CUlaunchAttributeID_enum as id;
        let Some(function) = self.functions.get(kernel) else {
            candle_core::bail!("there is no kernel {kernel}")
        };
        let early =
            sys::CUlaunchAttributeValue { programmaticStreamSerializationAllowed: i32::from(launch.early) };
        let mut cluster = sys::CUlaunchAttributeValue { pad: [0; 64] };
        cluster.clusterDim.x = launch.cluster.unwrap_or(1);
        cluster.clusterDim.y = 1;
        cluster.clusterDim.z = 1;
        let mut attributes = [
            (id::CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION, early),
            (id::CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION, cluster),
        ]
        .map(|(id, value)| sys::CUlaunchAttribute { id, pad: [0; 4], value });
        let config = sys::CUlaunchConfig {
            gridDimX: launch.grid.0,
            gridDimY: launch.grid.1,
            gridDimZ: launch.grid.2,
            blockDimX: launch.threads,
            blockDimY: 1,
            blockDimZ: 1,
            sharedMemBytes: launch.shared,
            hStream: stream.cu_stream(),
            attrs: attributes.as_mut_ptr(),
            numAttrs: 1 + u32::from(launch.cluster.is_some()),
        };
        let mut params = [std::ptr::from_ref(param).cast_mut().cast::<c_void>()];
        self.stream.context().bind_to_thread().w()?;
        // SAFETY: every kernel takes one struct, which `Param` mirrors; the driver copies it before it
        // returns. The addresses in it are of memory that the step keeps as long as the stream runs.
        let launched = unsafe {
            sys::cuLaunchKernelEx(&config, function.cu_function(), params.as_mut_ptr(), std::ptr::null_mut())
        };
        launched.result().w()
    }

    /// Copies bytes from one address of the device to another, behind what was launched before.
    ///
    /// # Errors
    /// If the driver fails.
    pub fn copy(&self, from: u64, to: u64, bytes: usize) -> Result<()> {
        self.stream.context().bind_to_thread().w()?;
        // SAFETY: the addresses are of memory that the step keeps as long as the stream runs, with room for so much.
        unsafe { result::memcpy_dtod_async(to, from, bytes, self.stream.cu_stream()) }.w()
    }

    /// Records what `work` launches, to be launched again as one.
    ///
    /// # Errors
    /// If the driver refuses.
    pub fn record(&self, work: impl FnOnce() -> Result<()>) -> Result<Graph> {
        self.stream.begin_capture(sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED).w()?;
        let outcome = work();
        // Ends the capture also when the work failed, or the stream could not be used again.
        let flags = sys::CUgraphInstantiate_flags::CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
        let graph = self.stream.end_capture(flags).w();
        outcome?;
        match graph? {
            Some(graph) => {
                graph.upload().w()?;
                Ok(Graph(graph))
            }
            None => candle_core::bail!("the driver recorded nothing"),
        }
    }

    /// Memory of the host that kernels write to.
    ///
    /// # Errors
    /// If there is none.
    pub fn pinned<T: Plain>(&self, len: usize) -> Result<Pinned<T>> {
        pinned(self.stream.context(), len)
    }
}

/// Memory of the host that the device reads and writes.
///
/// # Errors
/// If there is none.
pub fn pinned<T: Plain>(context: &Arc<CudaContext>, len: usize) -> Result<Pinned<T>> {
    // SAFETY: the memory is set below before anything reads it.
    let mut memory = unsafe { context.alloc_pinned_with_flags::<T>(len, 0) }.w()?;
    memory.as_mut_slice().w()?.fill(T::default());
    Ok(Pinned { memory, sent: context.new_event(None).w()? })
}

/// What a step is launched with after it was recorded.
pub struct Graph(CudaGraph);

// SAFETY: a graph is a driver handle that any thread may use as long as no two do at once; the network
// that owns it is behind `&mut`.
unsafe impl Send for Graph {}

impl Graph {
    /// Runs what was recorded.
    ///
    /// # Errors
    /// If the driver fails.
    pub fn launch(&self) -> Result<()> {
        self.0.launch().w()
    }
}

/// Numbers that mean the same on both sides.
pub trait Plain:
    candle_core::cuda_backend::cudarc::driver::DeviceRepr
    + candle_core::cuda_backend::cudarc::driver::ValidAsZeroBits
    + Default
    + Copy
{
}

impl Plain for u8 {}
impl Plain for u32 {}
impl Plain for u64 {}

/// Memory of the host at a fixed place, which the device reads and writes.
pub struct Pinned<T> {
    memory: PinnedHostSlice<T>,
    /// Comes after the last copy to an address.
    sent: CudaEvent,
}

// SAFETY: the memory belongs to this alone; what the device does with it is waited for before it is read.
unsafe impl<T: Send> Send for Pinned<T> {}

impl<T: Plain> Pinned<T> {
    /// Where it is.
    ///
    /// # Errors
    /// If the driver fails.
    pub fn address(&self) -> Result<u64> {
        Ok(self.memory.as_ptr().w()? as u64)
    }

    /// What is in it.
    ///
    /// # Errors
    /// If the driver fails.
    pub fn read(&self) -> Result<&[T]> {
        self.memory.as_slice().w()
    }

    /// Sends `data` to the device through this memory.
    ///
    /// # Errors
    /// If the driver fails.
    pub fn send(&mut self, data: &[T], to: &mut CudaSlice<T>, stream: &Arc<CudaStream>) -> Result<()> {
        let memory = self.memory.as_mut_slice().w()?;
        for (to, from) in memory.iter_mut().zip(data) {
            *to = *from;
        }
        stream.memcpy_htod(&self.memory, to).w()
    }

    /// The memory, once the last copy to an address has ended.
    ///
    /// # Errors
    /// If the driver fails.
    pub fn room(&mut self) -> Result<&mut [T]> {
        self.sent.synchronize().w()?;
        self.memory.as_mut_slice().w()
    }

    /// Sends the first `len` numbers to an address of the device, at which there must be room for them. Does not
    /// wait for the end of that; [`room`](Self::room) does.
    ///
    /// # Errors
    /// If the driver fails.
    pub fn send_to(&mut self, address: u64, len: usize, stream: &Arc<CudaStream>) -> Result<()> {
        let memory = self.memory.as_slice().w()?;
        // SAFETY: the caller has room at the address; the memory is kept until the copy has ended, by the wait of
        // `room` and by that of `drop`.
        unsafe { result::memcpy_htod_async(address, &memory[..len], stream.cu_stream()) }.w()?;
        self.sent.record(stream).w()
    }
}

impl<T> Drop for Pinned<T> {
    fn drop(&mut self) {
        // There is nobody to tell of a failure.
        self.sent.synchronize().ok();
    }
}

/// Where a tensor's first number lies on the device.
///
/// # Errors
/// If the tensor is elsewhere or of a type that no kernel takes.
pub fn address(tensor: &Tensor) -> Result<u64> {
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cuda(cuda) = &*storage else { candle_core::bail!("the tensor is not on the device") };
    let stream = cuda.device.cuda_stream();
    let first = match &cuda.slice {
        CudaStorageSlice::BF16(slice) => place(slice, &stream),
        CudaStorageSlice::F32(slice) => place(slice, &stream),
        _ => candle_core::bail!("no kernel takes {:?}", tensor.dtype()),
    };
    Ok(first + (layout.start_offset() * tensor.dtype().size_in_bytes()) as u64)
}

/// Where memory lies on the device.
pub fn place<T>(slice: &CudaSlice<T>, stream: &CudaStream) -> u64 {
    slice.device_ptr(stream).0
}
