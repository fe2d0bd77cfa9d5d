//! What loading takes of the heap: about the size of the file for quantised models, and nothing for
//! what a broken file only announces.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use candle_core::quantized::gguf_file::Value;
use candle_core::quantized::{GgmlDType, QTensor, ggml_file::qtensor_from_ggml};
use candle_core::{Device, Tensor};
use maze::engine::load::{DeviceSpec, ModelSpec, load, survey};
use maze::engine::model::blob::Blob;
use maze::engine::model::gguf::Gguf;

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(NOW.fetch_add(layout.size(), SeqCst) + layout.size(), SeqCst);
        // SAFETY: the caller's promise about the layout is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), SeqCst);
        // SAFETY: `pointer` came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that `work` had at once, beyond those that were there before.
fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = NOW.load(SeqCst);
    PEAK.store(before, SeqCst);
    let result = work();
    (PEAK.load(SeqCst) - before, result)
}

/// A quantised matrix of made-up blocks with small factors.
fn blocks(rows: usize, columns: usize, dtype: GgmlDType) -> QTensor {
    let row: Vec<f32> = (0..columns).map(|i| ((i * 7919 % 1009) as f32 / 504.5 - 1.) * 0.03).collect();
    let one = QTensor::quantize(&Tensor::from_vec(row, (1, columns), &Device::Cpu).unwrap(), dtype).unwrap();
    let all = one.data().unwrap().repeat(rows);
    qtensor_from_ggml(dtype, &all, vec![rows, columns], &Device::Cpu).unwrap()
}

/// A llama of some 40 MB in the mixture of block types that most downloads have.
fn write(path: &Path) {
    let (hidden, inner, vocab, layers) = (1024, 4096, 8192, 3);
    let ones = || {
        let ones = Tensor::ones(hidden, candle_core::DType::F32, &Device::Cpu).unwrap();
        QTensor::quantize(&ones, GgmlDType::F32).unwrap()
    };
    let (q4, q6) = (GgmlDType::Q4K, GgmlDType::Q6K);
    let mut tensors = vec![
        ("token_embd.weight".to_owned(), blocks(vocab, hidden, q4)),
        ("output.weight".to_owned(), blocks(vocab, hidden, q6)),
        ("output_norm.weight".to_owned(), ones()),
    ];
    for layer in 0..layers {
        for norm in ["attn_norm", "ffn_norm"] {
            tensors.push((format!("blk.{layer}.{norm}.weight"), ones()));
        }
        for (name, rows, columns, dtype) in [
            ("attn_q", hidden, hidden, q4),
            ("attn_k", 256, hidden, q4),
            ("attn_v", 256, hidden, q6),
            ("attn_output", hidden, hidden, q4),
            ("ffn_gate", inner, hidden, q4),
            ("ffn_up", inner, hidden, q4),
            ("ffn_down", hidden, inner, if layer == 0 { q4 } else { q6 }),
        ] {
            tensors.push((format!("blk.{layer}.{name}.weight"), blocks(rows, columns, dtype)));
        }
    }
    let mut metadata = vec![("general.architecture".to_owned(), Value::String("llama".into()))];
    for (key, value) in [
        ("context_length", 512),
        ("embedding_length", hidden),
        ("block_count", layers),
        ("feed_forward_length", inner),
        ("attention.head_count", 16),
        ("attention.head_count_kv", 4),
    ] {
        metadata.push((format!("llama.{key}"), Value::U32(value as u32)));
    }
    metadata.push(("llama.attention.layer_norm_rms_epsilon".into(), Value::F32(1e-5)));
    let metadata: Vec<_> = metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let tensors: Vec<_> = tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let mut file = std::fs::File::create(path).unwrap();
    candle_core::quantized::gguf_file::write(&mut file, &metadata, &tensors).unwrap();
}

/// One test, because the counters are the process's.
#[test]
fn memory_is_what_the_file_has() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/llama-tied");
    for file in ["tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
        std::fs::copy(fixture.join(file), folder.path().join(file)).unwrap();
    }
    let path = folder.path().join("model.gguf");
    write(&path);
    let size = std::fs::metadata(&path).unwrap().len() as usize;

    let (most, survey) = peak(|| survey(&path).unwrap());
    assert_eq!((survey.file_bytes as usize, survey.problem), (size, None));
    assert!(most < 1 << 20, "a survey took {most} bytes");

    let spec = ModelSpec::Path(path.clone());
    let (most, loaded) =
        peak(|| load(&spec, DeviceSpec::Cpu, Some(64), &mut |_| ControlFlow::Continue(())).unwrap());
    // Beside the weights there are the piece of the file that is being read, the cache and the tokens.
    assert!(most < size * 11 / 10 + (9 << 20), "loading {size} bytes took {most}");
    let kept = NOW.load(SeqCst);
    assert!(survey.weight_bytes as usize <= most, "{} bytes surveyed, {most} taken", survey.weight_bytes);
    assert!(survey.weight_bytes as usize <= size * 107 / 100, "{} bytes of {size}", survey.weight_bytes);

    // Nothing is laid out anew behind our back when several rows are computed at once.
    let mut model = loaded.model;
    let (most, _) = peak(|| model.forward(&[5; 32], 1).unwrap().len());
    assert!(most < 16 << 20, "a call with 32 tokens took {most} bytes");
    assert!(NOW.load(SeqCst) < kept + (2 << 20), "it kept {} bytes", NOW.load(SeqCst) - kept);

    // Headers that announce what is not there.
    let header = std::fs::read(&path).unwrap()[..4096].to_vec();
    let counts = [&header[..8], &u64::MAX.to_le_bytes(), &u64::MAX.to_le_bytes()].concat();
    for lie in [header, counts] {
        std::fs::write(&path, &lie).unwrap();
        let (most, refused) = peak(|| Gguf::open(Blob::open(&path).unwrap()).is_err());
        assert!(refused && most < 1 << 20, "{most} bytes for a header of {}", lie.len());
    }
}
