//! The sampler on logits that are on a device: from a digest of them to a token and to what the inspector
//! says about it.
//!
//! It picks what [`Sampler::pick`] picks from the whole row. Where a digest does not tell, the row is fetched
//! and that is asked.

use super::softmax::Softmax;
use super::{CANDIDATES, Chances, HEAD, NoLogits, Pick, Sampler, Sides, among, truncate, uniform};
use crate::engine::constraint::Mask;
use crate::engine::error::EngineError;
use crate::engine::model::away::{Away, Cut, Digest, Entry, Logits, Question};
use crate::engine::trace::{Insight, TokenId};

/// A token, picked or forced, whose statistics can be put together later: what waits for the token need not wait
/// for them.
pub struct RowPick {
    /// The token.
    pub token: TokenId,
    told: Told,
}

/// What is known of the distribution that a token came from.
enum Told {
    Insight(Option<Box<Insight>>),
    /// A digest of it, the chances, and the token's logit.
    Digest(Box<(Digest, Chances, Entry)>),
}

impl From<Pick> for RowPick {
    fn from(pick: Pick) -> Self {
        Self { token: pick.token, told: Told::Insight(pick.insight) }
    }
}

impl RowPick {
    /// A token that the grammar forced, from what is said of it where all are allowed.
    fn of_forced((mut digest, &token): (Digest, &TokenId)) -> Self {
        let chosen = (digest.logit, token);
        // What the grammar leaves of the distribution.
        let left = (digest.logit > f32::NEG_INFINITY).then_some(chosen);
        digest.best[1] = left;
        (digest.totals[1], digest.moments[1]) = (1.0, 0.0);
        digest.lists[1] = left.into_iter().collect();
        Self { token, told: Told::Digest(Box::new((digest, Chances::Greedy(token), chosen))) }
    }

    /// The distribution it came from, if it was asked for. `mask` is the one that the token was picked under.
    pub fn insight(self, mask: &Mask) -> Option<Box<Insight>> {
        match self.told {
            Told::Insight(insight) => insight,
            Told::Digest(told) => {
                let (digest, chances, chosen) = *told;
                Some(Box::new(Sides::of(digest).insight(mask, chosen, |entry| chances.of(entry))))
            }
        }
    }
}

impl Sampler {
    /// [`pick`](Self::pick) from the row of that number, `width` logits long, wherever the logits are.
    ///
    /// # Errors
    /// [`NoLogits`] as a sentence, and what a device says that fails.
    pub fn pick_row(
        &mut self,
        logits: &mut Logits<'_>,
        row: usize,
        width: usize,
        mask: &Mask,
        history: &[TokenId],
        detail: bool,
    ) -> Result<RowPick, EngineError> {
        let no_logits = |e: NoLogits| EngineError::Constraint(e.to_string());
        match logits {
            Logits::Here(logits) => {
                let row = row_of(logits, width, row);
                self.pick(row, mask, history, detail).map(RowPick::from).map_err(no_logits)
            }
            Logits::Away(away) => {
                let is_penalised = self.settings.repetition_penalty != 1.0 && !history.is_empty();
                if !is_penalised && let Some(pick) = self.pick_away(*away, row, mask, history, detail)? {
                    self.needed_row = false;
                    return pick.map_err(no_logits);
                }
                self.needed_row = true;
                let pick = self.pick(away.fetch(row)?, mask, history, detail);
                pick.map(RowPick::from).map_err(no_logits)
            }
        }
    }

    /// [`forced`](Self::forced) about the first rows, one for each of the tokens.
    ///
    /// # Errors
    /// What a device says that fails.
    pub fn forced_rows(
        &self,
        logits: &mut Logits<'_>,
        width: usize,
        tokens: &[TokenId],
    ) -> Result<Vec<RowPick>, EngineError> {
        let rows = tokens.iter().enumerate();
        let of = |row: &[f32], token| RowPick { token, told: Told::Insight(Some(self.forced(row, token))) };
        match logits {
            Logits::Here(logits) => Ok(rows.map(|(row, &t)| of(row_of(logits, width, row), t)).collect()),
            Logits::Away(away) => match away.digests(tokens)? {
                Some(digests) => Ok(digests.into_iter().zip(tokens).map(RowPick::of_forced).collect()),
                None => rows.map(|(row, &t)| Ok(of(away.fetch(row)?, t))).collect(),
            },
        }
    }

    /// [`overridden`](Self::overridden) about the first row.
    ///
    /// # Errors
    /// What a device says that fails.
    pub fn overridden_row(
        &self,
        logits: &mut Logits<'_>,
        mask: &Mask,
        token: TokenId,
    ) -> Result<Box<Insight>, EngineError> {
        match logits {
            Logits::Here(logits) => Ok(self.overridden(logits, mask, token)),
            Logits::Away(away) => match away.digest(0, &Question::of_set(Some(mask.words()), token))? {
                Some(digest) => {
                    let chosen = (digest.logit, token);
                    let chance = |(_, t)| f32::from(t == token);
                    Ok(Box::new(Sides::of(digest).insight(mask, chosen, chance)))
                }
                None => Ok(self.overridden(away.fetch(0)?, mask, token)),
            },
        }
    }

    /// A pick from a digest. `None` if the digest does not tell.
    fn pick_away(
        &self,
        away: &mut dyn Away,
        row: usize,
        mask: &Mask,
        history: &[TokenId],
        detail: bool,
    ) -> Result<Option<Result<RowPick, NoLogits>>, EngineError> {
        let settings = &self.settings;
        let greedy = settings.is_greedy();
        let cuts = !greedy && settings.truncates();
        let temperature = if greedy { 1.0 } else { settings.temperature };
        let u = uniform(settings.seed, history.len() as u64);
        let question = Question {
            allowed: Some(mask.words()),
            temperature,
            drawn: (!greedy).then_some(u),
            cut: cuts.then_some(Cut { top_k: settings.top_k, top_p: settings.top_p, min_p: settings.min_p }),
            listed: detail || cuts,
            asked: None,
            // Where the lists do not tell, the device has picked in vain.
            decides: !cuts || (settings.top_k <= CANDIDATES && !self.needed_row),
        };
        let Some(digest) = away.digest(row, &question)? else { return Ok(None) };
        let none = || Ok(Some(Err(NoLogits { allowed: mask.count() })));
        let Some(best) = digest.best[1] else { return none() };
        let (chances, chosen) = if greedy {
            (Chances::Greedy(best.1), best)
        } else {
            let Some(softmax) = Softmax::of_sums(best.0, temperature, digest.shaped, 0.0) else {
                return none();
            };
            if cuts {
                let Some((kept, total)) =
                    truncate(|size| digest.first(size, settings.top_k == 0), &softmax, settings)
                else {
                    return Ok(None);
                };
                let chosen = among(&kept, &softmax, u * total);
                (Chances::Truncated { softmax, kept, total }, chosen)
            } else {
                (Chances::Whole(softmax), (digest.logit, digest.token))
            }
        };
        let told = match detail {
            true => Told::Digest(Box::new((digest, chances, chosen))),
            false => Told::Insight(None),
        };
        Ok(Some(Ok(RowPick { token: chosen.1, told })))
    }
}

/// The row of that number.
fn row_of(logits: &[f32], width: usize, row: usize) -> &[f32] {
    logits.chunks_exact(width.max(1)).nth(row).unwrap_or_default()
}

impl Sides {
    fn of(digest: Digest) -> Self {
        let softmax = |side: usize| {
            let (max, _) = digest.best[side]?;
            Softmax::of_sums(max, 1.0, digest.totals[side], digest.moments[side])
        };
        Self { before: softmax(0), after: softmax(1), lists: digest.lists }
    }
}

impl Digest {
    /// The first allowed tokens, and whether those are all; `None` if not so many are known. `is_open`: if
    /// nobody said how many, so that at first the known ones may do.
    fn first(&self, size: usize, is_open: bool) -> Option<(Vec<(f32, TokenId)>, bool)> {
        let list = &self.lists[1];
        let has_all = list.len() < CANDIDATES;
        let enough = size <= list.len() || has_all || (is_open && size == HEAD);
        enough.then(|| (list[..size.min(list.len())].to_vec(), has_all && list.len() < size))
    }
}

#[cfg(test)]
mod tests;
