//! [`Rope`] from `config.json` and from GGUF metadata.

use serde_json::Value as Json;

use super::{Rope, Scaling, Yarn};
use crate::engine::model::config::{Keys, Metadata};

/// The base where a file has none.
const DEFAULT_THETA: f64 = 10_000.;
/// The kinds that we know, by their names in `config.json`.
const JSON_KINDS: &str = "default, linear, llama3, yarn";
/// YaRN's own choice for Llama, which is what files mean that say nothing.
const YARN_FAST: f64 = 32.;
const YARN_SLOW: f64 = 1.;

impl Rope {
    /// Reads `rope_theta` and `rope_scaling`, or `rope_parameters`, which newer files have
    /// instead. `context` is the model's.
    ///
    /// # Errors
    /// A message naming the key.
    pub fn from_json(config: &Json, context: usize) -> Result<Self, String> {
        let outer = Keys(config);
        let inner = ["rope_parameters", "rope_scaling"]
            .iter()
            .find_map(|key| config.get(key).filter(|v| !v.is_null()));
        let empty = Json::Object(serde_json::Map::new());
        let inner = inner.unwrap_or(&empty);
        let Some(object) = inner.as_object() else {
            return Err(format!("the rope scaling is {inner}, expected an object"));
        };
        if object.values().any(Json::is_object) {
            return Err("a rotary embedding that differs between layers is not supported".into());
        }
        if object.contains_key("mrope_section") {
            return Err(unsupported("the rope scaling", "mrope", JSON_KINDS));
        }
        let keys = Keys(inner);
        let either = |key: &str| match keys.number(key)? {
            Some(number) => Ok::<_, String>(Some(number)),
            None => outer.number(key),
        };
        if let Some(part) = either("partial_rotary_factor")?.filter(|&part| part != 1.) {
            return Err(format!(
                "partial_rotary_factor is {part}; partial rotary embedding is not supported"
            ));
        }
        let number = |key: &str| {
            let value = keys.number(key)?.ok_or_else(|| format!("{key} of the rope scaling is missing"))?;
            Ok::<_, String>(value as f32)
        };
        let kind = match keys.text("rope_type")? {
            Some(kind) => kind,
            None => keys.text("type")?.unwrap_or("default"),
        };
        let scaling = match kind {
            "default" => Scaling::None,
            "linear" => Scaling::Linear(number("factor")?),
            "llama3" => Scaling::Llama3 {
                factor: number("factor")?,
                low: number("low_freq_factor")?,
                high: number("high_freq_factor")?,
                original: number("original_max_position_embeddings")?,
            },
            "yarn" => {
                // A model's own key goes before the one in the rope's parameters.
                let original = match outer.number("original_max_position_embeddings")? {
                    Some(original) => original,
                    None => keys.number("original_max_position_embeddings")?.unwrap_or(context as f64),
                };
                let factor = keys.number("factor")?.unwrap_or(context as f64 / original);
                let amplitude = match (keys.number("mscale")?, keys.number("mscale_all_dim")?) {
                    (Some(one), Some(all)) if one != 0. && all != 0. => {
                        yarn_amplitude(factor, one) / yarn_amplitude(factor, all)
                    }
                    _ => yarn_amplitude(factor, 1.),
                };
                Scaling::Yarn(Yarn {
                    factor: factor as f32,
                    original: original as f32,
                    fast: keys.number("beta_fast")?.unwrap_or(YARN_FAST) as f32,
                    slow: keys.number("beta_slow")?.unwrap_or(YARN_SLOW) as f32,
                    truncate: keys.truth("truncate")?.unwrap_or(true),
                    amplitude: keys.number("attention_factor")?.unwrap_or(amplitude) as f32,
                })
            }
            other => return Err(unsupported("the rope scaling", other, JSON_KINDS)),
        };
        Ok(Self { theta: either("rope_theta")?.unwrap_or(DEFAULT_THETA) as f32, scaling })
    }

    /// Reads GGUF metadata, with the content of `rope_freqs.weight`, if any, and the model's context.
    pub(in crate::engine::model) fn from_gguf(
        meta: &Metadata<'_>,
        factors: Option<Vec<f32>>,
        context: usize,
    ) -> Result<Self, String> {
        let number = |suffix: &str| meta.number(&format!("rope.scaling.{suffix}"));
        let needed = |suffix: &str| {
            number(suffix)
                .ok_or_else(|| format!("{} is missing", meta.key(&format!("rope.scaling.{suffix}"))))
        };
        let kind = meta.text("rope.scaling.type").unwrap_or("none");
        let scaling = match (factors, kind) {
            (Some(factors), "none") => Scaling::Factors(factors),
            (Some(_), _) => {
                let key = meta.key("rope.scaling.type");
                return Err(format!(
                    "{key} is {kind:?} and there is a tensor rope_freqs.weight, expected one of them"
                ));
            }
            (None, "none") => match meta.number("rope.scale_linear").filter(|&factor| factor != 1.) {
                Some(factor) => Scaling::Linear(factor as f32),
                None => Scaling::None,
            },
            (None, "linear") => Scaling::Linear(needed("factor")? as f32),
            (None, "yarn") => {
                for (suffix, usual) in [("yarn_ext_factor", 1.), ("yarn_log_multiplier", 0.)] {
                    if let Some(value) = number(suffix).filter(|&value| value != usual) {
                        let key = meta.key(&format!("rope.scaling.{suffix}"));
                        return Err(format!("{key} is {value}, only {usual} is supported"));
                    }
                }
                let factor = needed("factor")?;
                let amplitude = number("yarn_attn_factor").unwrap_or_else(|| yarn_amplitude(factor, 1.));
                Scaling::Yarn(Yarn {
                    factor: factor as f32,
                    original: number("original_context_length").unwrap_or(context as f64) as f32,
                    fast: number("yarn_beta_fast").unwrap_or(YARN_FAST) as f32,
                    slow: number("yarn_beta_slow").unwrap_or(YARN_SLOW) as f32,
                    truncate: true,
                    amplitude: (amplitude * number("attn_factor").unwrap_or(1.)) as f32,
                })
            }
            (None, other) => {
                return Err(unsupported(&meta.key("rope.scaling.type"), other, "none, linear, yarn"));
            }
        };
        Ok(Self { theta: meta.number("rope.freq_base").unwrap_or(DEFAULT_THETA) as f32, scaling })
    }
}

/// What YaRN multiplies cosines and sines by (equation 22 of its paper, which has it in the softmax).
fn yarn_amplitude(factor: f64, scale: f64) -> f64 {
    if factor > 1. { 0.1 * scale * factor.ln() + 1. } else { 1. }
}

fn unsupported(what: &str, kind: &str, supported: &str) -> String {
    format!("{what} {kind:?} is not supported (supported: {supported})")
}
