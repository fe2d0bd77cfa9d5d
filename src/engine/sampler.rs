//! From logits and a mask to a token, and to what the inspector says about it.
//!
//! The mask is applied here and nowhere else, so no path around it exists. The random numbers are
//! a function of the seed and the token's position, not of a generator's state: going back and on
//! again gives the same tokens. This file must never know a grammar or a model.

use serde::{Deserialize, Serialize};

use super::allowed::AllowedSet;
use super::constraint::Mask;
use super::splitmix::{STEP, mix};
use super::trace::{CANDIDATES, Candidate, Insight, TokenId};

mod away;
mod masked;
mod softmax;
mod top;

pub use away::RowPick;
use softmax::Softmax;
use top::ranks_before;

/// How a token is picked from the masked distribution.
///
/// Applied in this order: repetition penalty, mask, temperature, top-k, top-p, min-p, draw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SamplerSettings {
    /// 0 picks the most probable token; 1 samples the model's own distribution. At least 0.
    pub temperature: f32,
    /// Keep only this many of the most probable tokens; 0 keeps all.
    pub top_k: usize,
    /// Keep the fewest tokens whose probabilities sum to at least this; 1 keeps all. In `0..=1`.
    pub top_p: f32,
    /// Keep tokens at least this fraction as probable as the best one; 0 keeps all. In `0..=1`.
    pub min_p: f32,
    /// Divides the positive logits of tokens already generated, multiplies the negative ones
    /// (Keskar et al., 2019); 1 changes nothing. More than 0.
    pub repetition_penalty: f32,
    /// Equal seeds give equal tokens.
    pub seed: u64,
}

impl Default for SamplerSettings {
    fn default() -> Self {
        Self { temperature: 0.0, top_k: 0, top_p: 1.0, min_p: 0.0, repetition_penalty: 1.0, seed: 0 }
    }
}

impl SamplerSettings {
    /// Checks every number against its range.
    ///
    /// # Errors
    /// A sentence that names the setting, its value and the range.
    pub fn validate(&self) -> Result<(), String> {
        let check = |name: &str, value: f32, fine: bool, range: &str| {
            if fine { Ok(()) } else { Err(format!("{name} is {value}, but must be {range}")) }
        };
        let unit = |v: f32| (0.0..=1.0).contains(&v);
        let t = self.temperature;
        check("temperature", t, t.is_finite() && t >= 0.0, "a number of at least 0")?;
        check("top-p", self.top_p, unit(self.top_p), "in 0 to 1")?;
        check("min-p", self.min_p, unit(self.min_p), "in 0 to 1")?;
        let r = self.repetition_penalty;
        check("repetition penalty", r, r.is_finite() && r > 0.0, "a number above 0")
    }

    fn is_greedy(&self) -> bool {
        self.temperature == 0.0
    }

    fn truncates(&self) -> bool {
        self.top_k > 0 || self.top_p < 1.0 || self.min_p > 0.0
    }
}

/// How much of the distribution is sorted at first where nothing says how much is needed.
const HEAD: usize = 1024;

/// A sampler with its settings and scratch memory.
pub struct Sampler {
    settings: SamplerSettings,
    /// Logits after the repetition penalty, when there is one.
    penalised: Vec<f32>,
    /// Whether the last pick from logits on a device needed the whole row, as the next may then.
    needed_row: bool,
}

/// A picked token.
pub struct Pick {
    /// The token.
    pub token: TokenId,
    /// The distribution it came from, if it was asked for.
    pub insight: Option<Box<Insight>>,
}

/// No allowed token has a logit that is a number.
#[derive(Debug, thiserror::Error)]
#[error("the model gave no usable logit for any of the {allowed} allowed tokens")]
pub struct NoLogits {
    /// How many tokens the mask allowed.
    pub allowed: usize,
}

impl Sampler {
    /// A sampler with `settings`, which must be [valid](SamplerSettings::validate).
    pub fn new(settings: SamplerSettings) -> Self {
        Self { settings, penalised: Vec::new(), needed_row: false }
    }

    /// The same settings with random numbers of their own, for a pick beside the positions.
    pub fn apart(&self) -> Self {
        Self::new(SamplerSettings { seed: !self.settings.seed, ..self.settings.clone() })
    }

    /// Picks one of the tokens that `mask` allows.
    ///
    /// `logits` are as wide as the mask. `history` are the tokens generated so far; its length is
    /// the position that the random number depends on.
    ///
    /// # Errors
    /// [`NoLogits`] if every allowed logit is NaN or minus infinity.
    pub fn pick(
        &mut self,
        logits: &[f32],
        mask: &Mask,
        history: &[TokenId],
        detail: bool,
    ) -> Result<Pick, NoLogits> {
        let logits = &logits[..mask.width().min(logits.len())];
        let penalty = self.settings.repetition_penalty;
        let shaped = if penalty == 1.0 || history.is_empty() {
            logits
        } else {
            penalise(&mut self.penalised, logits, history, penalty);
            &self.penalised
        };
        let chances = Chances::new(shaped, mask, &self.settings)?;
        let token = chances.draw(shaped, mask, uniform(self.settings.seed, history.len() as u64));
        let chance = |token| chances.of((logit_of(shaped, token), token));
        let insight = detail.then(|| Box::new(insight(logits, mask, token, chance)));
        Ok(Pick { token, insight })
    }

    /// What the model said where the grammar left only `token`.
    pub fn forced(&self, logits: &[f32], token: TokenId) -> Box<Insight> {
        let mask = Mask::only(logits.len(), token);
        Box::new(insight(logits, &mask, token, |t| f32::from(t == token)))
    }

    /// What the model said where the person chose `token` among those that `mask` allows.
    pub fn overridden(&self, logits: &[f32], mask: &Mask, token: TokenId) -> Box<Insight> {
        Box::new(insight(logits, mask, token, |t| f32::from(t == token)))
    }
}

/// Divides or multiplies the logits of every token in `history`, once each.
fn penalise(out: &mut Vec<f32>, logits: &[f32], history: &[TokenId], penalty: f32) {
    out.clear();
    out.extend_from_slice(logits);
    for &token in history {
        let i = token as usize;
        if let (Some(&logit), Some(slot)) = (logits.get(i), out.get_mut(i)) {
            *slot = if logit > 0.0 { logit / penalty } else { logit * penalty };
        }
    }
}

/// The distribution that the draw is made from.
enum Chances {
    /// One token has all of it.
    Greedy(TokenId),
    /// All allowed tokens.
    Whole(Softmax),
    /// The allowed tokens that top-k, top-p and min-p left, most probable first.
    Truncated { softmax: Softmax, kept: Vec<(f32, TokenId)>, total: f64 },
}

impl Chances {
    fn new(logits: &[f32], mask: &Mask, settings: &SamplerSettings) -> Result<Self, NoLogits> {
        let none = || NoLogits { allowed: mask.count() };
        if settings.is_greedy() {
            let best = top::best(logits, mask).ok_or_else(none)?;
            return Ok(Self::Greedy(best.1));
        }
        let softmax = Softmax::masked(logits, mask, settings.temperature).ok_or_else(none)?;
        if !settings.truncates() {
            return Ok(Self::Whole(softmax));
        }
        let first = |size| {
            let first = top::allowed(logits, mask, size);
            let is_all = first.len() < size;
            Some((first, is_all))
        };
        let (kept, total) = truncate(first, &softmax, settings).ok_or_else(none)?;
        Ok(Self::Truncated { softmax, kept, total })
    }

    /// The chance of a token to be picked.
    fn of(&self, (logit, token): (f32, TokenId)) -> f32 {
        match self {
            Self::Greedy(best) => f32::from(*best == token),
            Self::Whole(softmax) => softmax.probability(logit),
            Self::Truncated { softmax, kept, total } => match kept.last() {
                Some(&last) if !ranks_before(last, (logit, token)) => (softmax.weight(logit) / total) as f32,
                _ => 0.0,
            },
        }
    }

    /// The token at `u` in `0..1` of the cumulative distribution.
    fn draw(&self, logits: &[f32], mask: &Mask, u: f64) -> TokenId {
        match self {
            Self::Greedy(best) => *best,
            Self::Whole(softmax) => {
                let mut left = u * softmax.total();
                let mut last = 0;
                for token in mask.iter() {
                    let weight = softmax.weight(logits[token as usize]);
                    if weight > 0.0 {
                        last = token;
                        left -= weight;
                        if left < 0.0 {
                            break;
                        }
                    }
                }
                last
            }
            Self::Truncated { softmax, kept, total } => among(kept, softmax, u * total).1,
        }
    }
}

/// The entry where `left` falls among the weights of those that were kept.
fn among(kept: &[(f32, TokenId)], softmax: &Softmax, mut left: f64) -> (f32, TokenId) {
    let mut last = (f32::NEG_INFINITY, 0);
    for &entry in kept {
        last = entry;
        left -= softmax.weight(entry.0);
        if left < 0.0 {
            break;
        }
    }
    last
}

fn logit_of(logits: &[f32], token: TokenId) -> f32 {
    logits.get(token as usize).copied().unwrap_or(f32::NEG_INFINITY)
}

/// Applies top-k, then top-p to what that leaves, then min-p. Never leaves nothing. `first` gives the first
/// allowed tokens of the wanted number, and whether those are all; if it cannot, there is no answer.
fn truncate(
    first: impl Fn(usize) -> Option<(Vec<(f32, TokenId)>, bool)>,
    softmax: &Softmax,
    settings: &SamplerSettings,
) -> Option<(Vec<(f32, TokenId)>, f64)> {
    // Sorting 152k tokens takes 10 ms. The head of the distribution nearly always decides, so it
    // is sorted alone first, and more of it only if it did not hold enough probability.
    let mut size = if settings.top_k > 0 { settings.top_k } else { HEAD };
    loop {
        let (mut kept, all) = first(size)?;
        let enough = |kept: &[(f32, TokenId)], wanted: f64| {
            let mut sum = 0.0;
            kept.iter().position(|&(logit, _)| {
                sum += softmax.weight(logit);
                sum >= wanted
            })
        };
        if settings.top_p < 1.0 {
            let whole = if settings.top_k > 0 {
                kept.iter().map(|&(l, _)| softmax.weight(l)).sum()
            } else {
                softmax.total()
            };
            match enough(&kept, f64::from(settings.top_p) * whole) {
                Some(index) => kept.truncate(index + 1),
                None if !all && settings.top_k == 0 => {
                    size = size.saturating_mul(8);
                    continue;
                }
                None => {}
            }
        }
        if settings.min_p > 0.0 {
            // The best token has weight 1, so weights are already relative to it.
            let least = f64::from(settings.min_p);
            match kept.iter().position(|&(logit, _)| softmax.weight(logit) < least) {
                Some(index) => kept.truncate(index.max(1)),
                None if !all && settings.top_k == 0 && settings.top_p >= 1.0 => {
                    size = size.saturating_mul(8);
                    continue;
                }
                None => {}
            }
        }
        let total = kept.iter().map(|&(logit, _)| softmax.weight(logit)).sum();
        return Some((kept, total));
    }
}

/// Statistics of `logits` before and after `mask`.
fn insight(logits: &[f32], mask: &Mask, token: TokenId, chance: impl Fn(TokenId) -> f32) -> Insight {
    let sides = Sides {
        before: Softmax::whole(logits),
        after: Softmax::masked(logits, mask, 1.0),
        lists: [top::all(logits, CANDIDATES), top::allowed(logits, mask, CANDIDATES)],
    };
    sides.insight(mask, (logit_of(logits, token), token), |(_, token)| chance(token))
}

/// What is known of the distribution before and after a mask.
struct Sides {
    before: Option<Softmax>,
    after: Option<Softmax>,
    lists: [Vec<(f32, TokenId)>; 2],
}

impl Sides {
    fn insight(self, mask: &Mask, chosen: (f32, TokenId), chance: impl Fn((f32, TokenId)) -> f32) -> Insight {
        let Self { before, after, lists } = self;
        let candidate = |(logit, token): (f32, TokenId)| {
            let allowed = mask.allows(token);
            Candidate {
                token,
                before: before.as_ref().map_or(0.0, |s| s.probability(logit)),
                after: after.as_ref().filter(|_| allowed).map_or(0.0, |s| s.probability(logit)),
                chance: if allowed { chance((logit, token)) } else { 0.0 },
            }
        };
        let [all, allowed] = lists.map(|list| list.into_iter().map(candidate).collect());
        let kept = match (&before, &after) {
            (Some(before), Some(after)) => after.mass_within(before),
            _ => 0.0,
        };
        Insight {
            before: all,
            after: allowed,
            allowed: AllowedSet::from_bits(mask.words(), mask.width()),
            mass_removed: (1.0 - kept).clamp(0.0, 1.0) as f32,
            entropy_before: before.as_ref().map_or(0.0, Softmax::entropy),
            entropy_after: after.as_ref().map_or(0.0, Softmax::entropy),
            chosen: candidate(chosen),
        }
    }
}

/// A number in `0..1` that depends on the seed and the position alone: SplitMix64 read at a counter.
fn uniform(seed: u64, position: u64) -> f64 {
    let step = (position.wrapping_add(1)).wrapping_mul(STEP);
    let bits = mix(mix(seed).wrapping_add(step));
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests;
