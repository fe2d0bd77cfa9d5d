//! A `config.json` of one of the families, checked, with the keys that their models read.
//!
//! transformers has renamed keys over the years (`rope_theta` and `rope_scaling` are inside
//! `rope_parameters` now); candle reads the old ones. Sizes are checked before candle divides by them.

use candle_core::Tensor;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};

use super::Passes;
use super::family::{FAMILIES, Family};
use crate::engine::model::config::{Keys, refuse_quantised};

/// Most tokens in a pass: bounds the memory for activations and masks.
pub const PIECE: usize = 256;

/// The settings of one model.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The family.
    pub family: &'static Family,
    /// The keys.
    pub json: Map<String, Json>,
    /// Width of the logits.
    pub vocab: usize,
    /// The context that the model was trained for.
    pub trained: usize,
    /// The longest context that candle computes right.
    pub context: usize,
    /// Whether the embedding is also the output projection.
    pub tied: bool,
    /// Number of query heads.
    pub heads: usize,
    /// Number of key/value heads.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Which passes are right.
    pub passes: Passes,
    /// What is to be done to tensors.
    pub fixes: Vec<Fix>,
}

/// A change of a tensor that stands for something that candle's model leaves out.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// How the tensor's name ends.
    pub suffix: &'static str,
    /// Added to every number before it is multiplied, and taken away after: 1 for norms that
    /// multiply with one plus their weight.
    pub plus: f64,
    /// Factors, one for each row.
    pub factors: Vec<f32>,
}

impl Fix {
    /// The tensor of the given name with the change, if it is meant.
    ///
    /// # Errors
    /// If the tensor library fails.
    pub fn apply(&self, name: &str, tensor: Tensor) -> candle_core::Result<Tensor> {
        if !name.ends_with(self.suffix) {
            return Ok(tensor);
        }
        let mut shape = vec![1; tensor.rank()];
        if let Some(rows) = shape.first_mut() {
            *rows = self.factors.len();
        }
        let factors = Tensor::from_slice(&self.factors, shape, tensor.device())?;
        (tensor + self.plus)?.broadcast_mul(&factors)? - self.plus
    }
}

/// The kind of rotary embedding, if it is not the plain one.
#[derive(Clone, Debug, PartialEq)]
pub struct RopeScaling {
    /// `linear`, `longrope`, …
    pub kind: String,
    /// Its other keys.
    pub keys: Json,
}

impl Settings {
    /// Reads a `config.json`; `None` if its `model_type` is not one of the [`FAMILIES`].
    ///
    /// # Errors
    /// A message naming the key and what was expected.
    pub fn read(text: &[u8]) -> Result<Option<Self>, String> {
        let json: Json = serde_json::from_slice(text).map_err(|e| format!("not JSON: {e}"))?;
        let Some(name) = Keys(&json).text("model_type")? else { return Ok(None) };
        let Some(family) = FAMILIES.iter().find(|f| f.name == name) else { return Ok(None) };
        refuse_quantised(&json)?;
        let Json::Object(json) = json else { return Ok(None) };
        Self::of(family, json).map(Some)
    }

    fn of(family: &'static Family, json: Map<String, Json>) -> Result<Self, String> {
        let mut settings = Self {
            family,
            json,
            vocab: 0,
            trained: 0,
            context: 0,
            tied: family.tied,
            heads: 0,
            kv_heads: 0,
            head_dim: 0,
            passes: Passes { most: PIECE, until: usize::MAX, again: true },
            fixes: Vec::new(),
        };
        settings.json = (family.open)(settings.json);
        settings.json.retain(|_, value| !value.is_null());
        settings.sizes()?;
        let scaling = settings.flatten_rope()?;
        (family.prepare)(&mut settings, scaling)?;
        Ok(settings)
    }

    fn sizes(&mut self) -> Result<(), String> {
        let json = Json::Object(self.json.clone());
        let keys = Keys(&json);
        let hidden = keys.size("hidden_size")?;
        self.vocab = keys.size("vocab_size")?;
        self.heads = keys.size("num_attention_heads")?;
        self.kv_heads = keys.optional_size("num_key_value_heads")?.unwrap_or(self.heads);
        self.head_dim = match keys.optional_size("head_dim")? {
            Some(size) => size,
            None if hidden.is_multiple_of(self.heads.max(1)) => hidden / self.heads.max(1),
            None => return Err(format!("hidden_size {hidden} is not a multiple of {} heads", self.heads)),
        };
        self.context = keys.optional_size("max_position_embeddings")?.unwrap_or(2048);
        self.trained = self.context;
        self.tied = keys.truth("tie_word_embeddings")?.unwrap_or(self.tied);
        let limits = [
            ("hidden_size", hidden, 1 << 16),
            ("vocab_size", self.vocab, 1 << 22),
            ("num_hidden_layers", keys.size("num_hidden_layers")?, 1 << 10),
            ("num_attention_heads", self.heads, 1 << 10),
            ("num_key_value_heads", self.kv_heads, 1 << 10),
            ("head_dim", self.head_dim, 1 << 10),
            ("intermediate_size", keys.optional_size("intermediate_size")?.unwrap_or(1), 1 << 18),
            ("max_position_embeddings", self.context, 1 << 30),
        ];
        for (what, size, limit) in limits {
            if !(1..=limit).contains(&size) {
                return Err(format!("{what} is {size}, expected 1 to {limit}"));
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            let (heads, kv_heads) = (self.heads, self.kv_heads);
            return Err(format!("{heads} query heads cannot share {kv_heads} key/value heads evenly"));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(format!("the head size is {}, expected an even number", self.head_dim));
        }
        self.set("num_key_value_heads", self.kv_heads);
        self.set("tie_word_embeddings", self.tied);
        Ok(())
    }

    /// Moves what `rope_parameters` says to the keys from before transformers 5.
    fn flatten_rope(&mut self) -> Result<Option<RopeScaling>, String> {
        if let Some(new) = self.json.remove("rope_parameters") {
            let full = new.get("full_attention").unwrap_or(&new).clone();
            if let Some(local) = new.get("sliding_attention") {
                if let Some(other) = scaling(local)? {
                    let (kind, name) = (other.kind, self.family.name);
                    return Err(format!(
                        "the rope kind {kind:?} is not supported for the sliding layers of {name}"
                    ));
                }
                self.copy(local, "rope_theta", "rope_local_base_freq");
            }
            self.copy(&full, "rope_theta", "rope_theta");
            self.copy(&full, "partial_rotary_factor", "partial_rotary_factor");
            self.json.insert("rope_scaling".into(), full);
        }
        self.json.remove("rope_scaling").map_or(Ok(None), |old| scaling(&old))
    }

    fn copy(&mut self, from: &Json, key: &str, to: &str) {
        if let Some(value) = from.get(key).filter(|v| !v.is_null()) {
            self.json.insert(to.into(), value.clone());
        }
    }

    /// Refuses a kind of rotary embedding that candle's model of this family does not compute.
    pub fn rope_refusal(&self, kind: &str) -> String {
        let name = self.family.name;
        format!(
            "the rope kind {kind:?} is not supported for {name}: candle's model computes the default kind only"
        )
    }

    /// Sets a key.
    pub fn set(&mut self, key: &str, value: impl Into<Json>) {
        self.json.insert(key.into(), value.into());
    }

    /// Sets a key that is not there.
    pub fn default(&mut self, key: &str, value: impl Into<Json>) {
        self.json.entry(key).or_insert_with(|| value.into());
    }

    /// Sets a key to what another one says, for keys that have had two names.
    pub fn alias(&mut self, key: &str, other: &str) {
        if let Some(value) = self.json.get(other).cloned() {
            self.default(key, value);
        }
    }

    /// Refuses any other value of a key, which may be absent.
    ///
    /// # Errors
    /// A message naming key and value.
    pub fn only(&self, key: &str, only: impl Into<Json>) -> Result<(), String> {
        let only = only.into();
        match self.json.get(key) {
            Some(value) if *value != only => {
                let name = self.family.name;
                Err(format!("{key} is {value}, the model of {name} computes only {only}"))
            }
            _ => Ok(()),
        }
    }

    /// A size that may be absent.
    ///
    /// # Errors
    /// If it is something else.
    pub fn size(&self, key: &str) -> Result<Option<usize>, String> {
        match self.json.get(key) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .and_then(|n| usize::try_from(n).ok())
                .map(Some)
                .ok_or_else(|| format!("{key} is {value}, expected a whole number")),
        }
    }

    /// Keeps the context within a sliding window that candle's model does not have: there,
    /// attention over the window is attention over everything.
    ///
    /// # Errors
    /// If the window is not a size.
    pub fn stay_in_window(&mut self) -> Result<(), String> {
        if let Some(window) = self.size("sliding_window")?.filter(|&w| w > 0) {
            self.context = self.context.min(window);
        }
        self.json.remove("sliding_window");
        Ok(())
    }

    /// The same with tables and caches of candle's model for `context` tokens.
    #[must_use]
    pub fn with_context(mut self, context: usize) -> Self {
        self.set("max_position_embeddings", context);
        self
    }

    /// The keys as one of candle's types.
    ///
    /// # Errors
    /// If a key is missing or of another type.
    pub fn parse<T: DeserializeOwned>(&self) -> candle_core::Result<T> {
        serde_json::from_value(Json::Object(self.json.clone()))
            .map_err(|e| candle_core::Error::Msg(format!("config.json: {e}")))
    }
}

/// Reads `rope_scaling` or `rope_parameters`; `None` for the plain kind.
fn scaling(json: &Json) -> Result<Option<RopeScaling>, String> {
    let kind = json.get("rope_type").or_else(|| json.get("type")).unwrap_or(&Json::Null);
    match kind.as_str() {
        None if kind.is_null() && json.get("factor").is_none() => Ok(None),
        None => Err(format!("rope_scaling is {json}, expected an object with a \"rope_type\"")),
        Some("default") => Ok(None),
        Some(kind) => Ok(Some(RopeScaling { kind: kind.to_owned(), keys: json.clone() })),
    }
}

/// The numbers of a JSON list.
///
/// # Errors
/// If it is not one of `len` positive numbers.
pub fn numbers(keys: &Json, key: &str, len: usize) -> Result<Vec<f64>, String> {
    let list: Vec<f64> = keys
        .get(key)
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_f64)
        .filter(|n| n.is_finite() && *n > 0.)
        .collect();
    if list.len() != len {
        let found = keys.get(key).unwrap_or(&json!(null)).to_string();
        return Err(format!("{key} is {found:.60}, expected {len} positive numbers"));
    }
    Ok(list)
}
