//! Loading: which files make a model, what its config may ask for, progress, cancelling, and what is
//! known of a model before it is loaded.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use maze::engine::error::LoadError;
use maze::engine::load::{DeviceSpec, ModelSpec, Stage, load, survey};
use maze::engine::model::blob::Blob;
use maze::engine::model::config::Config;
use maze::engine::model::cpu::CpuNetwork;
use maze::engine::model::safetensors::Safetensors;

#[path = "support/files.rs"]
mod files;

use files::{assert_says, fixture, message, open};

/// Copies a fixture and lets `change` break it.
fn broken(case: &str, change: impl FnOnce(&Path)) -> (tempfile::TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().to_owned();
    for entry in std::fs::read_dir(fixture(case)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    change(&folder);
    (temporary, folder)
}

fn edit_json(path: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let mut json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    change(&mut json);
    std::fs::write(path, serde_json::to_vec(&json).unwrap()).unwrap();
}

#[test]
fn every_cut_of_a_safetensors_file_is_an_error() {
    let (_keep, folder) = broken("llama-tied", |_| {});
    let path = folder.join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    for sixteenth in 0..16 {
        std::fs::write(&path, &bytes[..bytes.len() * sixteenth / 16]).unwrap();
        message(open(&folder), &path);
    }
}

#[test]
fn what_a_config_asks_for_beyond_the_block_is_refused() {
    use serde_json::json;
    let cases = [
        ("model_type", json!("mamba"), "architecture \"mamba\""),
        ("model_type", json!(null), "model_type is missing"),
        ("hidden_act", json!("gelu"), "hidden_act is \"gelu\""),
        ("num_experts", json!(8), "num_experts is 8: mixtures of experts"),
        ("model_type", json!("phimoe"), "\"phimoe\", a mixture of experts, is not supported"),
        ("quantization_config", json!({"quant_method": "gptq"}), "\"gptq\", which is not supported"),
        ("quantization_config", json!({"quant_method": "fp8"}), "GGUF"),
        ("partial_rotary_factor", json!(0.5), "partial_rotary_factor is 0.5"),
        ("hidden_size", json!(-5), "hidden_size is -5"),
        ("hidden_size", json!(u64::MAX), "hidden size is 18446744073709551615"),
        ("num_hidden_layers", json!(0), "number of layers is 0"),
        ("num_attention_heads", json!(0), "number of heads is 0"),
        ("num_attention_heads", json!("4"), "num_attention_heads is \"4\""),
        ("num_key_value_heads", json!(3), "3 key/value heads"),
        ("head_dim", json!(7), "head size is 7"),
        ("vocab_size", json!(null), "vocab_size is missing"),
        ("rms_norm_eps", json!(-1.), "epsilon is -1"),
        ("rope_parameters", json!({"rope_type": "longrope"}), "\"longrope\" is not supported"),
        ("rope_parameters", json!({"type": "dynamic"}), "supported: default, linear, llama3, yarn"),
        ("rope_parameters", json!({"type": "default", "mrope_section": [1]}), "\"mrope\" is not supported"),
        ("rope_parameters", json!({"full_attention": {}}), "differs between layers"),
        ("rope_parameters", json!("yarn"), "expected an object"),
        ("rope_parameters", json!({"type": "yarn", "factor": 0.0}), "frequency of"),
        ("rope_parameters", json!({"type": "yarn", "factor": 4, "attention_factor": 0}), "factor of 0"),
        ("rope_parameters", json!({"rope_theta": -1.0}), "frequency of"),
        ("rope_parameters", json!({"rope_type": "linear"}), "factor of the rope scaling is missing"),
        ("eos_token_id", json!("</s>"), "not a token id"),
    ];
    for (key, value, fragment) in cases {
        let (_keep, folder) = broken("llama-tied", |folder| {
            edit_json(&folder.join("config.json"), |json| json[key] = value.clone());
        });
        assert_says(&message(open(&folder), &folder.join("config.json")), &[fragment]);
    }
}

#[test]
fn files_that_do_not_fit_each_other_are_refused() {
    let tied = |change: fn(&Path)| broken("llama-tied", change);
    // A tokenizer with more tokens than the model has logits.
    let (_keep, folder) = tied(|f| edit_json(&f.join("config.json"), |c| c["vocab_size"] = 90.into()));
    let found = message(open(&folder), &folder.join("tokenizer.json"));
    assert_says(&found, &["token ids up to", "logits are only 90 wide"]);
    // Fewer logits than the file has, though still enough for the tokenizer.
    let (_keep, folder) = tied(|f| edit_json(&f.join("config.json"), |c| c["vocab_size"] = 128.into()));
    let found = message(open(&folder), &folder.join("model.safetensors"));
    assert_says(&found, &["tensor model.embed_tokens.weight", "[160, 32]", "[128, 32]"]);
    // An end token that the tokenizer does not have.
    let (_keep, folder) =
        tied(|f| std::fs::write(f.join("generation_config.json"), r#"{"eos_token_id": [1, 159]}"#).unwrap());
    assert_says(&message(open(&folder), &folder.join("tokenizer.json")), &["159"]);
    // No end token at all, and none whose name says that it is one.
    let (_keep, folder) = tied(|f| {
        edit_json(&f.join("tokenizer.json"), |t| {
            t["added_tokens"][1]["content"] = "<x>".into();
            t["model"]["vocab"].as_object_mut().unwrap().remove("</s>");
        });
        for file in ["generation_config.json", "tokenizer_config.json"] {
            std::fs::remove_file(f.join(file)).unwrap();
        }
        edit_json(&f.join("config.json"), |c| c["eos_token_id"] = serde_json::Value::Null);
    });
    assert_says(&message(open(&folder), &folder.join("tokenizer.json")), &["no end-of-sequence token"]);
    // A head although the config says the embedding is the only one, and the other way round.
    let (_keep, folder) =
        tied(|f| edit_json(&f.join("config.json"), |c| c["tie_word_embeddings"] = false.into()));
    assert_says(&message(open(&folder), &folder), &["tensor lm_head.weight is missing"]);
    // Biases that a llama has not.
    let (_keep, folder) = broken("qwen2-untied", |f| {
        edit_json(&f.join("config.json"), |c| c["model_type"] = "llama".into());
    });
    assert_says(
        &message(open(&folder), &folder.join("model.safetensors")),
        &["bias is not part of the llama block"],
    );
    // Not a tokenizer.
    let (_keep, folder) = tied(|f| std::fs::write(f.join("tokenizer.json"), "{}").unwrap());
    assert_says(&message(open(&folder), &folder.join("tokenizer.json")), &["tokenizer"]);
}

#[test]
fn paths_that_are_no_model_say_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nothing");
    assert_says(&message(open(&path), &path), &["cannot read"]);
    assert_says(&message(open(folder.path()), folder.path()), &["no safetensors and no GGUF"]);
    let path = folder.path().join("model.bin");
    std::fs::write(&path, "x").unwrap();
    assert_says(&message(open(&path), &path), &["expected a .gguf file or a folder"]);
    let (_keep, folder) = broken("llama-tied", |f| std::fs::remove_file(f.join("config.json")).unwrap());
    message(open(&folder), &folder.join("config.json"));
    let (_keep, folder) = broken("llama-tied", |f| std::fs::remove_file(f.join("tokenizer.json")).unwrap());
    message(open(&folder), &folder.join("tokenizer.json"));
    // Shards are files of the same folder.
    for name in ["../secret.safetensors", "/etc/passwd", ".."] {
        let (_keep, folder) = broken("llama-tied", |f| {
            let index = serde_json::json!({"weight_map": {"model.norm.weight": name}});
            std::fs::write(f.join("model.safetensors.index.json"), index.to_string()).unwrap();
        });
        let index = folder.join("model.safetensors.index.json");
        assert_says(&message(open(&folder), &index), &["not the name of a file"]);
    }
}

#[test]
fn a_context_beyond_the_model_is_refused() {
    let context = |tokens| {
        let spec = ModelSpec::Path(fixture("llama-tied"));
        load(&spec, DeviceSpec::Cpu, Some(tokens), &mut |_| ControlFlow::Continue(()))
    };
    assert_eq!(context(128).unwrap().model.info().context, 128);
    for tokens in [0, 129, usize::MAX] {
        assert_says(&message(context(tokens), &fixture("llama-tied")), &["1 to 128"]);
    }
}

/// A model may say that it was trained on texts of any length.
#[test]
fn a_context_beyond_the_memory_is_refused() {
    let mut json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(fixture("llama-tied").join("config.json")).unwrap()).unwrap();
    for (key, value) in [
        ("num_attention_heads", 1 << 10),
        ("num_key_value_heads", 1 << 10),
        ("head_dim", 1 << 10),
        ("max_position_embeddings", 1 << 30),
    ] {
        json[key] = value.into();
    }
    let config = Config::from_json(&serde_json::to_vec(&json).unwrap()).unwrap();
    assert_eq!(CpuNetwork::has_room(&config, 1), Ok(()));
    let error = CpuNetwork::has_room(&config, 1 << 30).unwrap_err();
    assert!(error.starts_with("there is no memory for a context of 1073741824 tokens, which"), "{error}");
}

#[test]
fn device_names_are_read_and_a_missing_device_is_named() {
    for spec in [DeviceSpec::Auto, DeviceSpec::Cpu, DeviceSpec::Cuda(0), DeviceSpec::Cuda(3)] {
        assert_eq!(spec.to_string().parse(), Ok(spec));
    }
    assert_eq!("cuda".parse(), Ok(DeviceSpec::Cuda(0)));
    for bad in ["", "gpu", "cuda:", "cuda:-1", "cuda:x"] {
        assert_says(&bad.parse::<DeviceSpec>().unwrap_err(), &["expected auto, cpu, cuda or cuda:N"]);
    }
    if !cfg!(feature = "cuda") {
        let loaded =
            load(&ModelSpec::Embedded, DeviceSpec::Cuda(0), None, &mut |_| ControlFlow::Continue(()));
        assert_says(&loaded.map(|_| ()).unwrap_err().to_string(), &["--features cuda"]);
    }
}

/// How far a text may go: sliding windows, of the layers that have them.
#[test]
fn a_sliding_window_limits_the_context() {
    use serde_json::json;
    for (case, change, context) in [
        ("mistral", json!({"sliding_window": null}), 128),
        ("mistral", json!({"sliding_window": 64}), 64),
        ("mistral", json!({"sliding_window": 4096}), 128),
        ("qwen2-untied", json!({"sliding_window": 64, "use_sliding_window": false}), 128),
        ("qwen2-untied", json!({"sliding_window": null, "use_sliding_window": false}), 128),
        ("qwen2-untied", json!({"sliding_window": 64, "use_sliding_window": true}), 128),
        (
            "qwen2-untied",
            json!({"sliding_window": 64, "use_sliding_window": true, "max_window_layers": 1}),
            64,
        ),
        (
            "qwen3-tied",
            json!({"sliding_window": 64, "use_sliding_window": true, "layer_types": ["sliding_attention"]}),
            64,
        ),
        ("llama-tied", json!({"sliding_window": 64}), 128),
    ] {
        let (_keep, folder) = broken(case, |f| {
            edit_json(&f.join("config.json"), |config| {
                for (key, value) in change.as_object().unwrap() {
                    config[key] = value.clone();
                }
            });
        });
        let load = |tokens| {
            let spec = ModelSpec::Path(folder.clone());
            load(&spec, DeviceSpec::Cpu, tokens, &mut |_| ControlFlow::Continue(()))
        };
        assert_eq!(load(None).unwrap().model.info().context, context, "{case} {change}");
        assert_eq!(survey(&folder).unwrap().context, context);
        let refused = message(load(Some(context + 1)), &folder);
        assert_says(&refused, &[&format!("the model has 1 to {context}")]);
        assert_eq!(refused.contains("sliding window"), context == 64, "{refused}");
    }
    // YaRN's factor extends the context that it is given for, whatever else the file says.
    let (_keep, folder) = broken("qwen2-yarn", |f| {
        edit_json(&f.join("config.json"), |c| c["max_position_embeddings"] = 32.into())
    });
    assert_eq!(survey(&folder).unwrap().context, 128);
}

#[test]
fn a_folder_is_searched_for_a_model() {
    let (_keep, folder) = broken("llama-tied", |f| {
        // Mistral's repositories have this twin beside the file that is meant.
        std::fs::write(f.join("consolidated.safetensors"), "not looked at").unwrap();
    });
    assert_eq!(open(&folder).unwrap().model.info().vocab, 160);
    let empty = |files: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            std::fs::write(folder.path().join(file), "x").unwrap();
        }
        let path = folder.path().to_owned();
        (folder, path)
    };
    for (files, fragments) in [
        (
            &["pytorch_model.bin", "config.json"][..],
            &["pytorch_model.bin", "pickle", "safe_serialization"][..],
        ),
        (&["b.gguf", "a.gguf", "mmproj-a.gguf"], &["several models", "a.gguf, b.gguf"]),
        (&["m-00001-of-00002.gguf", "m-00002-of-00002.gguf", "n.gguf"], &["m-00001-of-00002.gguf, n.gguf"]),
        (&["adapter_config.json", "adapter_model.safetensors"], &["adapter (LoRA)"]),
        (&["readme.md"], &["no safetensors and no GGUF file", "expected model.safetensors"]),
    ] {
        let (_keep, folder) = empty(files);
        assert_says(&message(open(&folder), &folder), fragments);
        assert_says(&message(survey(&folder), &folder), fragments);
    }
    // Two files of which one is a projector for images: the other is the model.
    let (_keep, folder) = empty(&["a.gguf", "mmproj-a.gguf"]);
    assert_says(&message(open(&folder), &folder.join("a.gguf")), &["not a GGUF file"]);
    // A shard that the index names and nobody has.
    let (_keep, folder) = broken("llama-untied-sharded-bf16", |f| {
        std::fs::remove_file(f.join("model-00002-of-00003.safetensors")).unwrap();
    });
    assert_says(&message(open(&folder), &folder.join("model-00002-of-00003.safetensors")), &["cannot read"]);
    // A pipe would keep whoever opens it.
    let (_keep, folder) = empty(&[]);
    let pipe = folder.join("model.gguf");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_says(&message(open(&pipe), &pipe), &["not a regular file"]);
    for name in ["config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors.index.json"] {
        let (_keep, folder) = broken("llama-tied", |f| {
            std::fs::remove_file(f.join(name)).ok();
            nix::unistd::mkfifo(&f.join(name), nix::sys::stat::Mode::S_IRWXU).unwrap();
        });
        assert_says(&message(open(&folder), &folder.join(name)), &["not a regular file"]);
    }
    let (_keep, folder) = broken("llama-tied", |f| std::fs::remove_file(f.join("config.json")).unwrap());
    assert_says(&message(open(&folder), &folder.join("config.json")), &["No such file"]);
    assert_says(&message(survey(&folder), &folder.join("config.json")), &["No such file"]);
    // A tokenizer that only Python reads.
    let (_keep, folder) = broken("llama-tied", |f| {
        std::fs::rename(f.join("tokenizer.json"), f.join("tokenizer.model")).unwrap()
    });
    assert_says(
        &message(open(&folder), &folder.join("tokenizer.json")),
        &["no such file", "tokenizer.model is not read", "save_pretrained"],
    );
}

/// Writes a changed copy of a fixture's weights.
fn with_weights(case: &str, change: impl Fn(&mut BTreeMap<String, Tensor>)) -> (tempfile::TempDir, PathBuf) {
    broken(case, |folder| {
        let path = folder.join("model.safetensors");
        let mut tensors: BTreeMap<_, _> =
            candle_core::safetensors::load(&path, &Device::Cpu).unwrap().into_iter().collect();
        change(&mut tensors);
        let tensors: std::collections::HashMap<_, _> = tensors.into_iter().collect();
        candle_core::safetensors::save(&tensors, &path).unwrap();
    })
}

#[test]
fn damaged_weights_are_found_at_load() {
    for bad in [f32::NAN, f32::INFINITY] {
        let (_keep, folder) = with_weights("llama-tied", |tensors| {
            let norm = tensors.get_mut("model.norm.weight").unwrap();
            *norm = Tensor::full(bad, norm.shape(), &Device::Cpu).unwrap();
        });
        assert_says(&message(open(&folder), &folder), &["no finite numbers", "damaged"]);
    }
    // A type that the format has and the decoders have not.
    let (_keep, folder) = with_weights("llama-tied", |tensors| {
        let norm = tensors.get_mut("model.norm.weight").unwrap();
        *norm = norm.to_dtype(DType::F64).unwrap();
    });
    let file = folder.join("model.safetensors");
    assert_says(&message(open(&folder), &file), &["model.norm.weight", "type F64", "F32, F16, BF16"]);
    let problem = survey(&folder).unwrap().problem.unwrap();
    assert_says(&problem, &["type F64"]);
}

/// A file that shrinks after its header was read is an error, as a memory map's would be no more.
#[test]
fn a_file_that_shrinks_while_it_is_read_is_an_error() {
    let (_keep, folder) = broken("llama-tied", |_| {});
    let path = folder.join("model.safetensors");
    let files = Safetensors::open(vec![Blob::open(&path).unwrap()]).unwrap();
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(length / 2).unwrap();
    let mut failed = 0;
    for name in files.names() {
        let read = files.pieces(name, 64, &mut |_| ControlFlow::Continue(()), &mut |_| {});
        if read.is_err() {
            assert_says(&message(read, &path), &["truncated while it was read"]);
            failed += 1;
        }
    }
    assert!(failed > 0 && failed < files.names().count(), "{failed} tensors failed");
}

#[test]
fn a_load_can_be_watched_and_stopped() {
    let spec = ModelSpec::Path(fixture("llama-tied"));
    let mut seen = Vec::new();
    let watched = load(&spec, DeviceSpec::Cpu, None, &mut |p| {
        seen.push(p);
        ControlFlow::Continue(())
    });
    assert_eq!(watched.unwrap().model.len(), 0);
    seen.dedup();
    for pair in seen.windows(2).filter(|p| p[0].stage == p[1].stage) {
        assert!(pair[0].done < pair[1].done && pair[1].done <= pair[1].total);
    }
    let last = seen.iter().rev().find(|p| p.stage == Stage::Weights).unwrap();
    assert_eq!(last.done, last.total, "all bytes were counted");
    for stop_at in &seen {
        let mut after = 0;
        let stopped = load(&spec, DeviceSpec::Cpu, None, &mut |p| {
            if p == *stop_at {
                after += 1;
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        assert!(matches!(stopped, Err(LoadError::Cancelled)), "stopped at {stop_at:?}");
        assert_eq!(after, 1, "it asked again");
    }
}

#[test]
fn a_survey_says_what_loading_finds() {
    for case in ["llama-tied", "llama-untied-sharded-bf16", "qwen2-tied-f16", "qwen3-tied", "mistral"] {
        let folder = fixture(case);
        let survey = survey(&folder).unwrap();
        let loaded = open(&folder).unwrap();
        let info = loaded.model.info();
        assert_eq!(survey.problem, None, "{case}");
        assert_eq!(
            (&survey.architecture, &survey.weights, survey.parameters, survey.vocab),
            (&info.architecture, &info.weights, info.parameters, info.vocab)
        );
        let config: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
        let number = |key: &str| config[key].as_u64().unwrap();
        let dim = config["head_dim"].as_u64().unwrap_or(8);
        assert_eq!(
            survey.kv_bytes_per_token,
            number("num_hidden_layers") * number("num_key_value_heads") * dim * 8
        );
        // In f32, whatever the file has.
        assert_eq!(survey.weight_bytes, survey.parameters * 4);
        assert!(survey.file_bytes > survey.parameters * 2 && survey.format == "safetensors", "{survey:?}");
    }
    // What cannot be loaded is described all the same.
    let (_keep, folder) =
        broken("llama-tied", |f| edit_json(&f.join("config.json"), |c| c["model_type"] = "mamba".into()));
    let strange = survey(&folder).unwrap();
    assert_eq!((strange.architecture.as_str(), strange.context, strange.vocab), ("mamba", 128, 160));
    assert_says(&strange.problem.unwrap(), &["config.json", "\"mamba\" is not supported"]);
    let (_keep, folder) = broken("llama-tied", |f| std::fs::remove_file(f.join("tokenizer.json")).unwrap());
    assert_says(&survey(&folder).unwrap().problem.unwrap(), &["no tokenizer.json"]);
    let nano = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/nano/nano-q4_k.gguf");
    let survey = survey(&nano).unwrap();
    let loaded =
        load(&ModelSpec::Embedded, DeviceSpec::Cpu, None, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((survey.problem, survey.parameters), (None, loaded.model.info().parameters));
    assert_eq!(survey.file_bytes, std::fs::metadata(&nano).unwrap().len());
}
