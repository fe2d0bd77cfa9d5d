//! Which files of a repository make up a model. A function of names, the same for a server's
//! listing and for a folder of the cache.

use super::name::is_file_name;

/// What a folder of safetensors cannot be loaded without.
const NEEDED: [&str; 2] = ["config.json", "tokenizer.json"];

/// What is taken along if it is there.
const WELCOME: [&str; 4] =
    ["tokenizer_config.json", "generation_config.json", "chat_template.jinja", "special_tokens_map.json"];

/// The quantisation that is taken when nobody says which.
const USUAL: &str = "Q4_K_M";

/// As many names are listed in a message.
const LISTED: usize = 12;

/// The files of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Configuration and tokenizer.
    pub small: Vec<String>,
    /// The file that names the weight files, if there are several.
    pub index: Option<String>,
    /// The weights; with an index, unknown here.
    pub weights: Vec<String>,
    /// The one file that is the model, rather than the folder.
    pub gguf: Option<String>,
}

impl Choice {
    /// What of a snapshot is to be loaded: the GGUF file, or the folder itself.
    pub fn entry(&self) -> &str {
        self.gguf.as_deref().unwrap_or_default()
    }
}

/// Chooses among `names`, by the file or quantisation that was asked for.
///
/// # Errors
/// Why there is nothing to choose, or what there is to choose from.
pub fn choose<'a>(names: impl Iterator<Item = &'a str>, wanted: Option<&str>) -> Result<Choice, String> {
    // A name that cannot be a file of the model is not looked at any further.
    let names: Vec<&str> = names.filter(|name| is_file_name(name)).collect();
    let ggufs: Vec<&str> = names.iter().copied().filter(|name| is_gguf_model(name)).collect();
    if let Some(wanted) = wanted {
        return one_gguf(&ggufs, wanted).map(|name| gguf(&names, name));
    }
    if names.iter().any(|name| !name.contains('/') && name.ends_with(".safetensors")) {
        return folder(&names);
    }
    match ggufs.as_slice() {
        [] => Err(nothing(&names)),
        [only] => Ok(gguf(&names, only)),
        _ => {
            let usual = matching(&ggufs, USUAL);
            let [name] = usual.as_slice() else {
                return Err(format!(
                    "say which file with :NAME or :QUANTISATION; there are {}",
                    list(&ggufs)
                ));
            };
            Ok(gguf(&names, name))
        }
    }
}

/// Whether a file is a model of its own, or the first part of one.
pub fn is_gguf_model(name: &str) -> bool {
    let base = base(name).to_ascii_lowercase();
    let is_model = base.ends_with(".gguf") && !base.starts_with("mmproj") && !base.contains("imatrix");
    is_model && split(name).is_none_or(|(_, number, _)| number == 1)
}

fn folder(names: &[&str]) -> Result<Choice, String> {
    let has = |name: &&str| names.contains(name);
    if let Some(missing) = NEEDED.iter().find(|name| !has(name)) {
        let other = if has(&"tokenizer.model") { "; a tokenizer.model alone cannot be read" } else { "" };
        return Err(format!("safetensors but no {missing}{other}"));
    }
    let small = NEEDED.iter().chain(&WELCOME).filter(|n| has(n)).map(|n| (*n).to_owned()).collect();
    let choice = Choice { small, ..Choice::default() };
    let index = "model.safetensors.index.json";
    if has(&index) {
        return Ok(Choice { index: Some(index.into()), ..choice });
    }
    let weights: Vec<&str> =
        names.iter().copied().filter(|n| !n.contains('/') && n.ends_with(".safetensors")).collect();
    match weights.as_slice() {
        _ if has(&"model.safetensors") => Ok(Choice { weights: vec!["model.safetensors".into()], ..choice }),
        [only] if !only.starts_with("adapter") => Ok(Choice { weights: vec![(*only).into()], ..choice }),
        _ => Err(format!("no model.safetensors among {}", list(&weights))),
    }
}

/// A GGUF file and what lies next to it.
fn gguf(names: &[&str], name: &str) -> Choice {
    let folder = &name[..name.len() - base(name).len()];
    let small = ["tokenizer.json"].iter().chain(&WELCOME).map(|n| format!("{folder}{n}"));
    Choice {
        small: small.filter(|n| names.contains(&n.as_str())).collect(),
        weights: parts(name),
        gguf: Some(name.to_owned()),
        index: None,
    }
}

fn one_gguf<'a>(ggufs: &[&'a str], wanted: &str) -> Result<&'a str, String> {
    let found = match ggufs.iter().find(|name| **name == wanted) {
        Some(exact) => vec![*exact],
        None => matching(ggufs, wanted),
    };
    match found.as_slice() {
        [one] => Ok(one),
        [] if ggufs.is_empty() => Err(format!("there is no GGUF file, so none called {wanted}")),
        [] => Err(format!("no GGUF file is called {wanted}; there are {}", list(ggufs))),
        several => Err(format!("{wanted} is part of several names; say which of {}", list(several))),
    }
}

/// The names that hold `wanted` as a word, else those that hold it at all. Case does not matter.
fn matching<'a>(ggufs: &[&'a str], wanted: &str) -> Vec<&'a str> {
    let wanted = wanted.to_ascii_lowercase();
    let is_word = |name: &str, at: usize| {
        let is_boundary = |c: Option<char>| !c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        is_boundary(name[..at].chars().next_back()) && is_boundary(name[at + wanted.len()..].chars().next())
    };
    let with = |words: bool| -> Vec<&'a str> {
        let holds = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.match_indices(&wanted).any(|(at, _)| !words || is_word(&name, at))
        };
        ggufs.iter().copied().filter(|name| holds(name)).collect()
    };
    let words = with(true);
    if words.is_empty() { with(false) } else { words }
}

/// The name of a part of a split model, `NAME-00002-of-00003.gguf`, taken apart: what all parts
/// begin with, the number of this one, and how many there are.
fn split(name: &str) -> Option<(&str, usize, usize)> {
    let (rest, count) = name.strip_suffix(".gguf")?.rsplit_once("-of-")?;
    let (start, number) = rest.rsplit_once('-')?;
    let five = |text: &str| if text.len() == 5 { text.parse().ok() } else { None };
    Some((start, five(number)?, five(count)?))
}

/// All files of the model that begins with `name`.
fn parts(name: &str) -> Vec<String> {
    match split(name) {
        Some((start, _, count)) => {
            (1..=count).map(|n| format!("{start}-{n:05}-of-{count:05}.gguf")).collect()
        }
        None => vec![name.to_owned()],
    }
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn nothing(names: &[&str]) -> String {
    let found = [".bin", ".pt", ".pth", ".onnx", ".msgpack", ".h5"];
    let other = names.iter().find(|name| found.iter().any(|end| name.ends_with(end)));
    let has = other.map_or_else(String::new, |name| format!(", only others such as {name}"));
    format!("no safetensors and no GGUF file{has}")
}

fn list(names: &[&str]) -> String {
    let more = match names.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str], wanted: Option<&str>) -> Result<Choice, String> {
        choose(names.iter().copied(), wanted)
    }

    const GGUFS: [&str; 7] = [
        "README.md",
        "m-Q4_K_M.gguf",
        "m-Q4_K_S.gguf",
        "m-Q8_0.gguf",
        "m-f16-00001-of-00002.gguf",
        "m-f16-00002-of-00002.gguf",
        "mmproj-f16.gguf",
    ];

    #[test]
    fn a_folder_has_its_configuration_and_its_weights() {
        let names = [
            "README.md",
            "config.json",
            "tokenizer.json",
            "generation_config.json",
            "model.safetensors",
            "consolidated.safetensors",
            "pytorch_model.bin",
            "onnx/model.onnx",
        ];
        let choice = chosen(&names, None).expect("a model");
        assert_eq!(choice.small, ["config.json", "tokenizer.json", "generation_config.json"]);
        assert_eq!((choice.weights.as_slice(), choice.entry()), (&["model.safetensors".to_owned()][..], ""));
        let sharded = [&names[..4], &["model.safetensors.index.json", "model-1.safetensors"]].concat();
        let choice = chosen(&sharded, None).expect("a model");
        assert_eq!(choice.index.as_deref(), Some("model.safetensors.index.json"));
    }

    #[test]
    fn a_quantisation_picks_one_file() {
        for (wanted, name) in [
            (None, "m-Q4_K_M.gguf"),
            (Some("Q8_0"), "m-Q8_0.gguf"),
            (Some("q4_k_s"), "m-Q4_K_S.gguf"),
            (Some("m-Q8_0.gguf"), "m-Q8_0.gguf"),
        ] {
            assert_eq!(chosen(&GGUFS, wanted).expect(name).entry(), name);
        }
        assert_eq!(
            chosen(&["a/x.gguf", "a/tokenizer.json", "tokenizer.json"], None).expect("one").small,
            ["a/tokenizer.json"]
        );
    }

    #[test]
    fn a_split_file_is_all_of_its_parts() {
        let choice = chosen(&GGUFS, Some("f16")).expect("a split file");
        assert_eq!(choice.entry(), "m-f16-00001-of-00002.gguf");
        assert_eq!(choice.weights, ["m-f16-00001-of-00002.gguf", "m-f16-00002-of-00002.gguf"]);
    }

    #[test]
    fn what_cannot_be_chosen_says_what_there_is() {
        for (names, wanted, told) in [
            (&GGUFS[..], Some("Q4_K"), "m-Q4_K_M.gguf, m-Q4_K_S.gguf"),
            (&GGUFS[..], Some("Q2_K"), "m-Q8_0.gguf"),
            (&["a-Q8_0.gguf", "b-f16.gguf"], None, ":QUANTISATION; there are a-Q8_0.gguf, b-f16.gguf"),
            (&["config.json", "model.safetensors"], None, "no tokenizer.json"),
            (&["config.json", "pytorch_model.bin"], None, "pytorch_model.bin"),
            (&["../x.gguf", "/x.gguf", "x\u{1b}.gguf"], None, "no safetensors and no GGUF"),
            (&["config.json", "tokenizer.json", "adapter_model.safetensors"], None, "adapter_model"),
        ] {
            let error = chosen(names, wanted).expect_err(told);
            assert!(error.contains(told), "{error}");
        }
    }
}
