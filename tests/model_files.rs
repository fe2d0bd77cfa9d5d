//! Model files that are broken, cut short or made to do harm: every one is an error that names
//! the file and what is wrong in it, and none takes memory for what it only announces.

use std::path::PathBuf;

use maze::engine::model::blob::Blob;
use maze::engine::model::config::Config;
use maze::engine::model::gguf::Gguf;
use maze::engine::model::safetensors::Safetensors;

#[path = "support/files.rs"]
mod files;

use files::{assert_says, fixture, message, open};

/// A GGUF file under construction, every field of which can be made wrong.
#[derive(Clone)]
struct Draft {
    magic: Vec<u8>,
    version: u32,
    counts: Option<(u64, u64)>,
    keys: Vec<Vec<u8>>,
    tensors: Vec<Vec<u8>>,
    data: Vec<u8>,
}

fn text(value: &str) -> Vec<u8> {
    [&(value.len() as u64).to_le_bytes(), value.as_bytes()].concat()
}

fn key(name: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    [&text(name), &kind.to_le_bytes()[..], value].concat()
}

fn tensor(name: &str, dims: &[u64], kind: u32, offset: u64) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|d| d.to_le_bytes()).collect();
    let rank = (dims.len() as u32 / 8).to_le_bytes();
    [&text(name), &rank[..], &dims, &kind.to_le_bytes(), &offset.to_le_bytes()].concat()
}

impl Draft {
    /// A one-layer llama of width 32 that loads.
    fn good() -> Self {
        let mut keys = vec![key("general.architecture", 8, &text("llama"))];
        for (name, value) in [
            ("context_length", 64u32),
            ("embedding_length", 32),
            ("block_count", 1),
            ("feed_forward_length", 32),
            ("attention.head_count", 4),
            ("attention.head_count_kv", 2),
        ] {
            keys.push(key(&format!("llama.{name}"), 4, &value.to_le_bytes()));
        }
        keys.push(key("llama.attention.layer_norm_rms_epsilon", 6, &1e-5f32.to_le_bytes()));
        let mut draft = Self {
            magic: b"GGUF".to_vec(),
            version: 3,
            counts: None,
            keys,
            tensors: Vec::new(),
            data: Vec::new(),
        };
        draft.add("token_embd.weight", &[32, 160]);
        for (name, dims) in [
            ("attn_norm", &[32][..]),
            ("attn_q", &[32, 32]),
            ("attn_k", &[32, 16]),
            ("attn_v", &[32, 16]),
            ("attn_output", &[32, 32]),
            ("ffn_norm", &[32]),
            ("ffn_gate", &[32, 32]),
            ("ffn_up", &[32, 32]),
            ("ffn_down", &[32, 32]),
        ] {
            draft.add(&format!("blk.0.{name}.weight"), dims);
        }
        draft.add("output_norm.weight", &[32]);
        draft
    }

    fn add(&mut self, name: &str, dims: &[u64]) {
        self.tensors.push(tensor(name, dims, 0, self.data.len() as u64));
        for i in 0..dims.iter().product::<u64>() {
            self.data.extend(((i * 37 % 19) as f32 / 19. - 0.4).to_le_bytes());
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let (tensors, keys) = self.counts.unwrap_or((self.tensors.len() as u64, self.keys.len() as u64));
        let mut bytes = self.magic.clone();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(tensors.to_le_bytes());
        bytes.extend(keys.to_le_bytes());
        bytes.extend(self.keys.concat());
        bytes.extend(self.tensors.concat());
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        bytes.extend(&self.data);
        bytes
    }
}

/// A folder with a tokenizer, into which GGUF files are written.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
            std::fs::copy(fixture("llama-tied").join(file), folder.path().join(file)).unwrap();
        }
        Self(folder)
    }

    fn write(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("model.gguf");
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

#[test]
fn gguf_headers_are_not_believed() {
    let place = Place::new();
    assert_eq!(open(&place.write(&Draft::good().bytes())).unwrap().model.info().vocab, 160);
    type Change = fn(&mut Draft);
    let cases: &[(&[&str], Change)] = &[
        (&["not a GGUF file"], |d| d.magic = b"GGML".to_vec()),
        (&["not a GGUF file"], |d| d.magic = b"FUGG".to_vec()),
        (&["version 1 "], |d| d.version = 1),
        (&["version 50331648"], |d| d.version = 3u32.swap_bytes()),
        (&["18446744073709551615 metadata entries"], |d| d.counts = Some((1, u64::MAX))),
        (&["18446744073709551615 tensors"], |d| d.counts = Some((u64::MAX, 1))),
        (&["1152921504606846976 tensors"], |d| d.counts = Some((1 << 60, 1))),
        (&["metadata big", "string of 18446744073709551615"], |d| {
            d.keys.push(key("big", 8, &u64::MAX.to_le_bytes()));
        }),
        (&["metadata big", "67108864 bytes of text"], |d| {
            d.keys.push(key("big", 8, &(1u64 << 26).to_le_bytes()));
        }),
        (&["the key of metadata entry 8"], |d| d.keys.push(u64::MAX.to_le_bytes().to_vec())),
        (&["metadata big", "array of 18446744073709551615"], |d| {
            d.keys.push(key("big", 9, &[&4u32.to_le_bytes()[..], &u64::MAX.to_le_bytes()].concat()));
        }),
        (&["metadata big", "4194304 array elements"], |d| {
            d.keys.push(key("big", 9, &[&12u32.to_le_bytes()[..], &(1u64 << 22).to_le_bytes()].concat()));
        }),
        (&["metadata deep", "nests arrays"], |d| {
            let level = [&9u32.to_le_bytes()[..], &1u64.to_le_bytes()].concat();
            d.keys.push(key("deep", 9, &level.repeat(1000)));
        }),
        (&["metadata odd", "value type 13"], |d| d.keys.push(key("odd", 13, &[0; 8]))),
        (&["metadata odd", "bool of value 7"], |d| d.keys.push(key("odd", 7, &[7]))),
        (&["metadata llama.block_count occurs twice"], |d| {
            d.keys.push(key("llama.block_count", 4, &[1, 0, 0, 0]));
        }),
        (&["general.alignment", "power of two"], |d| d.keys.push(key("general.alignment", 4, &[0; 4]))),
        (&["general.alignment", "power of two"], |d| {
            d.keys.push(key("general.alignment", 10, &u64::MAX.to_le_bytes()));
        }),
        (&["general.alignment", "power of two"], |d| d.keys.push(key("general.alignment", 8, &text("32")))),
        (&["tensor wide", "dimension 1099511627776"], |d| {
            d.tensors.push(tensor("wide", &[1 << 40, 1 << 40], 0, 0));
        }),
        (&["tensor none", "dimension 0"], |d| d.tensors.push(tensor("none", &[32, 0], 0, 0))),
        (&["tensor flat", "0 dimensions"], |d| d.tensors.push(tensor("flat", &[], 0, 0))),
        (&["tensor tall", "9 dimensions"], |d| d.tensors.push(tensor("tall", &[1; 9], 0, 0))),
        (&["tensor odd", "type IQ2_XXS", "supported: F32, F16, BF16, Q8_0"], |d| {
            d.data.resize(d.data.len().next_multiple_of(32), 0);
            d.tensors.push(tensor("odd", &[256], 16, d.data.len() as u64));
            d.data.extend([0; 96]);
        }),
        (&["tensor odd", "type MXFP4"], |d| {
            d.tensors.push(tensor("odd", &[32], 39, d.data.len() as u64));
            d.data.extend([0; 32]);
        }),
        (&["it is one of 3 parts"], |d| d.keys.push(key("split.count", 2, &[3, 0]))),
        (&["tensor odd", "type 99"], |d| d.tensors.push(tensor("odd", &[32], 99, 0))),
        (&["tensor odd", "rows of 33", "multiple of 256"], |d| d.tensors.push(tensor("odd", &[33], 12, 0))),
        (&["tensor large", "needs 4294967296 bytes"], |d| {
            d.tensors.push(tensor("large", &[1 << 30], 0, 0));
        }),
        (&["tensor far", "needs 128 bytes at"], |d| d.tensors.push(tensor("far", &[32], 0, 1 << 62))),
        (&["tensor far", "needs 128 bytes at"], |d| {
            d.tensors.push(tensor("far", &[32], 0, u64::MAX - 31));
        }),
        (&["tensor odd", "not a multiple of the alignment"], |d| d.tensors.push(tensor("odd", &[32], 0, 4))),
        (&["tensors token_embd.weight and twin overlap"], |d| d.tensors.push(tensor("twin", &[32], 0, 32))),
        (&["tensor output_norm.weight occurs twice"], |d| d.add("output_norm.weight", &[32])),
        (&["tensor extra.weight is not part of the llama block"], |d| d.add("extra.weight", &[32])),
        (&["tensor output_norm.weight is missing"], |d| d.tensors.truncate(d.tensors.len() - 1)),
        (&["tensor blk.0.attn_k.weight has the shape [16, 32], expected [32, 32]"], |d| {
            d.keys[6] = key("llama.attention.head_count_kv", 4, &[4, 0, 0, 0]);
        }),
        (&["4 query heads", "3 key/value heads"], |d| {
            d.keys[6] = key("llama.attention.head_count_kv", 4, &[3, 0, 0, 0]);
        }),
        (&["number of key/value heads is 0"], |d| {
            d.keys[6] = key("llama.attention.head_count_kv", 4, &[0; 4]);
        }),
        (&["number of heads is 0"], |d| d.keys[5] = key("llama.attention.head_count", 4, &[0; 4])),
        (&["number of layers is 4294967295"], |d| d.keys[3] = key("llama.block_count", 4, &[255; 4])),
        (&["llama.block_count is not a whole number"], |d| d.keys[3] = key("llama.block_count", 6, &[0; 4])),
        (&["llama.block_count is missing"], |d| drop(d.keys.remove(3))),
        (&["epsilon is NaN"], |d| {
            d.keys[7] = key("llama.attention.layer_norm_rms_epsilon", 6, &f32::NAN.to_le_bytes());
        }),
        (&["frequency of"], |d| d.keys.push(key("llama.rope.freq_base", 6, &0f32.to_le_bytes()))),
        (&["llama.rope.scaling.factor is missing"], |d| {
            d.keys.push(key("llama.rope.scaling.type", 8, &text("yarn")));
        }),
        (&["llama.rope.scaling.type \"longrope\"", "none, linear, yarn"], |d| {
            d.keys.push(key("llama.rope.scaling.type", 8, &text("longrope")));
        }),
        (&["llama.rope.scaling.yarn_ext_factor is 0.5"], |d| {
            d.keys.push(key("llama.rope.scaling.type", 8, &text("yarn")));
            d.keys.push(key("llama.rope.scaling.factor", 6, &4f32.to_le_bytes()));
            d.keys.push(key("llama.rope.scaling.yarn_ext_factor", 6, &0.5f32.to_le_bytes()));
        }),
        (&["attention factor of NaN"], |d| {
            d.keys.push(key("llama.rope.scaling.type", 8, &text("yarn")));
            d.keys.push(key("llama.rope.scaling.factor", 6, &4f32.to_le_bytes()));
            d.keys.push(key("llama.rope.scaling.yarn_attn_factor", 6, &f32::NAN.to_le_bytes()));
        }),
        (&["rope_freqs.weight", "linear", "one of them"], |d| {
            d.keys.push(key("llama.rope.scaling.type", 8, &text("linear")));
            d.add("rope_freqs.weight", &[4]);
        }),
        (&["llama.expert_count is 8", "mixtures of experts"], |d| {
            d.keys.push(key("llama.expert_count", 4, &[8, 0, 0, 0]));
        }),
        (&["llama.attention.value_length is 4", "head size 8"], |d| {
            d.keys.push(key("llama.attention.value_length", 4, &[4, 0, 0, 0]));
        }),
        (&["llama.attention.scale is 0.5"], |d| {
            d.keys.push(key("llama.attention.scale", 6, &0.5f32.to_le_bytes()));
        }),
        (&["architecture \"qwen3moe\", a mixture of experts,", "llama, mistral, qwen2, qwen3"], |d| {
            d.keys[0] = key("general.architecture", 8, &text("qwen3moe"));
        }),
        (&["call it \"llama\""], |d| d.keys[0] = key("general.architecture", 8, &text("mistral"))),
        (&["partial rotary"], |d| d.keys.push(key("llama.rope.dimension_count", 4, &[4, 0, 0, 0]))),
        (&["architecture \"mamba\""], |d| d.keys[0] = key("general.architecture", 8, &text("mamba"))),
        (&["general.architecture is missing"], |d| drop(d.keys.remove(0))),
        (&["rope_freqs.weight has 32 values, expected 4"], |d| d.add("rope_freqs.weight", &[32])),
        (&["rope_freqs.weight has 80000 bytes, 65536 are the limit"], |d| {
            d.add("rope_freqs.weight", &[20_000]);
        }),
        (&["metadata c", "12000000 array elements in all", "8388608 are the limit"], |d| {
            for name in ["a", "b", "c"] {
                let head = [&0u32.to_le_bytes()[..], &4_000_000u64.to_le_bytes()].concat();
                d.keys.push(key(name, 9, &[head, vec![0; 4_000_000]].concat()));
            }
        }),
    ];
    for (fragments, change) in cases {
        let mut draft = Draft::good();
        change(&mut draft);
        let path = place.write(&draft.bytes());
        assert_says(&message(open(&path), &path), fragments);
    }
}

#[test]
fn a_gguf_file_cut_anywhere_is_an_error() {
    let place = Place::new();
    let bytes = Draft::good().bytes();
    for sixteenth in 0..16 {
        let path = place.write(&bytes[..bytes.len() * sixteenth / 16]);
        message(open(&path), &path);
    }
    let path = place.write(&bytes[..bytes.len() - 1]);
    assert_says(&message(open(&path), &path), &["truncated"]);
}

/// Extreme values over every field of the header: an error that names the file, or a header
/// that still makes sense; never a panic, never memory for what is not there.
#[test]
fn no_mutation_of_a_gguf_header_panics() {
    let place = Place::new();
    let bytes = Draft::good().bytes();
    let header = bytes.len() - Draft::good().data.len();
    let mut loaded = 0;
    for at in 0..header {
        for value in [0u64, 1, 0x7fff_ffff, u64::MAX] {
            let mut mutant = bytes.clone();
            let end = (at + 8).min(header);
            mutant[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
            let blob = Blob::embedded("mutant.gguf", mutant.clone().leak());
            match Gguf::open(blob) {
                Err(e) => assert_says(&e.to_string(), &["mutant.gguf"]),
                Ok(gguf) => {
                    // Whole loads are slower, so only of those that got this far.
                    if Config::from_gguf(&gguf, None).is_ok() && at % 3 == 0 {
                        let path = place.write(&mutant);
                        match open(&path) {
                            Ok(_) => loaded += 1,
                            Err(e) => assert_says(&e.to_string(), &[&path.to_string_lossy()]),
                        }
                    }
                }
            }
        }
    }
    assert!(loaded > 0, "no mutant was harmless, so the test tests nothing past the header");
}

fn safetensors(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat()
}

#[test]
fn safetensors_headers_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let entry = |name: &str, dtype: &str, shape: &str, from: u64, to: u64| {
        format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{from},{to}]}}"#)
    };
    let file = |entries: &[String], data| safetensors(&format!("{{{}}}", entries.join(",")), data);
    let a = entry("a", "F32", "[2]", 0, 8);
    let good = file(&[r#""__metadata__":{"format":"pt"}"#.into(), a.clone()], 8);
    std::fs::write(&path, &good).unwrap();
    assert_eq!(Safetensors::open(vec![Blob::open(&path).unwrap()]).unwrap().dims("a"), Some(&[2][..]));

    let cases: &[(&[&str], Vec<u8>)] = &[
        (&["truncated"], vec![]),
        (&["truncated"], vec![1, 2, 3]),
        (&["18446744073709551615 bytes"], [&[255; 8][..], &good].concat()),
        (&["header is said to have 90 bytes"], [&90u64.to_le_bytes()[..], b"{}"].concat()),
        (&["not that of a safetensors file"], safetensors("[]", 0)),
        (&["not that of a safetensors file"], safetensors("{\"a\"", 0)),
        (
            &["not that of a safetensors file", "tensor a", "shape"],
            safetensors(r#"{"a":{"dtype":"F32"}}"#, 0),
        ),
        (&["tensor a"], safetensors(r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4)),
        (&["a gap before tensor b"], file(&[a.clone(), entry("b", "F32", "[1]", 12, 16)], 16)),
        (&["an overlap at tensor b"], file(&[a.clone(), entry("b", "F32", "[2]", 4, 12)], 12)),
        (&["tensor a occurs twice"], file(&[a.clone(), entry("a", "F32", "[1]", 8, 12)], 12)),
        (&["truncated", "tensor a lies at 0..8"], file(std::slice::from_ref(&a), 7)),
        (&["the tensors end at byte"], file(std::slice::from_ref(&a), 9)),
        (&["tensor a lies at 8..0"], file(&[entry("a", "F32", "[2]", 8, 0)], 8)),
        (&["tensor a lies at 0..18446744073709551615"], file(&[entry("a", "F32", "[2]", 0, u64::MAX)], 8)),
        (&["tensor a", "needs 12 bytes", "give it 8"], file(&[entry("a", "F32", "[3]", 0, 8)], 8)),
        (
            &["tensor a", "impossible dimension"],
            file(&[entry("a", "F32", "[4294967296,4294967296,4294967296]", 0, 8)], 8),
        ),
    ];
    for (fragments, bytes) in cases {
        std::fs::write(&path, bytes).unwrap();
        assert_says(&message(Safetensors::open(vec![Blob::open(&path).unwrap()]), &path), fragments);
    }

    std::fs::write(&path, &good).unwrap();
    let twin = folder.path().join("twin.safetensors");
    std::fs::write(&twin, &good).unwrap();
    let both = [&path, &twin].map(|p| Blob::open(p).unwrap());
    assert_says(
        &message(Safetensors::open(both.into()), &twin),
        &["tensor a occurs twice", "model.safetensors"],
    );
}
