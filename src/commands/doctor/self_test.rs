//! A second of masked generation on every device, with the output checked by other means than the
//! grammar that made it.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Finding, gpu};
use crate::engine::bench::Percentiles;
use crate::engine::grammar::library;
use crate::engine::load::load;
use crate::engine::{DeviceSpec, Engine, FinishReason, ModelSpec, Request, SamplerSettings, StepKind, Trace};

/// How long a device is tested, loading left out.
const DURATION: Duration = Duration::from_millis(900);

/// What a mask may take at the 99th percentile, in microseconds.
const MASK_US: f64 = 100.0;

/// The shipped grammar that is tested.
const GRAMMAR: &str = "user";

pub(super) fn look(_environment: &dyn Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut devices = vec![DeviceSpec::Cpu];
    if cfg!(feature = "cuda") {
        devices.extend((0..gpu::names().len()).map(DeviceSpec::Cuda));
    }
    devices.into_iter().map(test).collect()
}

fn test(device: DeviceSpec) -> Finding {
    match measure(device) {
        Err(error) => {
            let advice = match device {
                DeviceSpec::Cuda(_) => "use --device cpu; the driver must be as new as the CUDA of the build",
                _ => "this is a bug in maze, or the program's file is damaged: install it again",
            };
            Finding::fail("self-test", format!("{device}: {error}"), advice)
        }
        Ok(measured) => {
            let text = format!(
                "{device}: {} texts follow their grammar, {:.0} tokens/s, \
                 mask {:.1} us, 99th percentile {:.1} us",
                measured.texts, measured.rate, measured.mask.p50, measured.mask.p99
            );
            if measured.mask.p99 > MASK_US {
                let advice = format!(
                    "masks should take less than {MASK_US} us; something else may use the processor, try again"
                );
                return Finding::warn("self-test", text, advice);
            }
            Finding::ok("self-test", text)
        }
    }
}

struct Measured {
    texts: usize,
    /// Tokens per second, prompts left out.
    rate: f64,
    mask: Percentiles,
}

fn measure(device: DeviceSpec) -> Result<Measured, String> {
    let grammar = library::find(GRAMMAR).ok_or_else(|| format!("the grammar {GRAMMAR} is not shipped"))?;
    let loaded = load(&ModelSpec::Embedded, device, None, &mut |_| ControlFlow::Continue(()))
        .map_err(|e| e.to_string())?;
    let mut engine = Engine::new(loaded).map_err(|e| e.to_string())?;
    let request = |seed| Request {
        prompt: "// JSON: a user with name Alice, age 30 and tags admin, rust\n".into(),
        grammar: Some(grammar.source()),
        sampler: SamplerSettings { temperature: 1.0, seed, ..SamplerSettings::default() },
        detail: false,
        ..Request::default()
    };
    let clock = Instant::now();
    let mut traces = Vec::new();
    // At least two: the first one warms the caches.
    while traces.len() < 2 || clock.elapsed() < DURATION {
        let trace = engine.run(request(traces.len() as u64)).map_err(|e| e.to_string())?;
        follows(&trace)?;
        traces.push(trace);
    }
    let measured = &traces[1..];
    let steps = || measured.iter().flat_map(|t| &t.steps);
    let seconds: f64 = measured
        .iter()
        .filter_map(|t| t.outcome.as_ref())
        .map(|o| o.elapsed.saturating_sub(o.prefill).as_secs_f64())
        .sum();
    Ok(Measured {
        texts: traces.len(),
        rate: steps().count() as f64 / seconds.max(f64::MIN_POSITIVE),
        mask: Percentiles::of(steps().filter(|s| s.kind == StepKind::Sampled).map(|s| s.timings.mask)),
    })
}

/// Whether a run ended as it should, with a text as it should be.
fn follows(trace: &Trace) -> Result<(), String> {
    let reason = trace.outcome.as_ref().map(|o| o.reason);
    if reason != Some(FinishReason::GrammarComplete) {
        return Err(format!("a run ended in {}", reason.map_or("nothing", FinishReason::name)));
    }
    let text = trace.text();
    is_user(&text).map_err(|e| format!("a text does not follow its grammar ({e}): {text}"))
}

/// What `grammars/user.lark` promises, said once more: without it.
fn is_user(text: &str) -> Result<(), &'static str> {
    let value: Value = serde_json::from_str(text).map_err(|_| "it is not JSON")?;
    let lower = |s: &str| s.bytes().all(|b| b.is_ascii_lowercase());
    let is_word = |word: &str| {
        let mut letters = word.chars();
        letters.next().is_some_and(|c| c.is_ascii_uppercase()) && lower(letters.as_str()) && word.len() > 1
    };
    let name = value["name"].as_str().ok_or("there is no name")?;
    let age = value["age"].as_u64().ok_or("there is no age")?;
    let tags = value["tags"].as_array().ok_or("there are no tags")?;
    let is_tag = |tag: &Value| tag.as_str().is_some_and(|t| lower(t) && (2..=12).contains(&t.len()));
    match () {
        () if value.as_object().is_none_or(|o| o.len() != 3) => Err("it has other members too"),
        () if !name.split(' ').all(is_word) => Err("the name is none"),
        () if !(1..=119).contains(&age) => Err("the age is none"),
        () if tags.len() > 5 || !tags.iter().all(is_tag) => Err("the tags are none"),
        () if !text.ends_with("}\n") => Err("the line does not end"),
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_grammar_are_told_apart() {
        assert_eq!(is_user("{\"name\": \"Ada King\", \"age\": 36, \"tags\": [\"math\"]}\n"), Ok(()));
        for wrong in [
            "{\"name\": \"ada\", \"age\": 36, \"tags\": []}\n",
            "{\"name\": \"Ada\", \"age\": 120, \"tags\": []}\n",
            "{\"name\": \"Ada\", \"age\": 36, \"tags\": [\"a\"]}\n",
            "{\"name\": \"Ada\", \"age\": 36, \"tags\": []}",
            "{\"name\": \"Ada\", \"age\": 36, \"tags\": [], \"x\": 1}\n",
            "{\"name\": \"Ada\", \"age\": 36, \"tags\": [",
        ] {
            assert!(is_user(wrong).is_err(), "{wrong}");
        }
    }
}
