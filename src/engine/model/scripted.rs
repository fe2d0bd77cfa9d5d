//! A model that says what a function tells it to: for tests, documentation and measurements of
//! everything that is not the model.

use super::{LanguageModel, ModelInfo};
use crate::engine::error::ModelError;
use crate::engine::trace::TokenId;

/// A [`LanguageModel`] whose logits are a function of the tokens so far.
///
/// ```
/// use maze::engine::model::{LanguageModel, scripted::ScriptedModel};
///
/// // Token 1 follows everything.
/// let mut model = ScriptedModel::new(3, 16, |_tokens| vec![0.0, 5.0, 0.0]);
/// assert_eq!(model.forward(&[2, 0], 1)?, [0.0, 5.0, 0.0]);
/// assert_eq!(model.len(), 2);
/// # Ok::<(), maze::engine::error::ModelError>(())
/// ```
pub struct ScriptedModel<F> {
    info: ModelInfo,
    tokens: Vec<TokenId>,
    logits: Vec<f32>,
    script: F,
}

impl<F: FnMut(&[TokenId]) -> Vec<f32> + Send> ScriptedModel<F> {
    /// A model with `vocab` logits and room for `context` tokens. `script` gives the logits that
    /// follow the tokens it is shown; fewer than `vocab` are filled with -inf.
    pub fn new(vocab: usize, context: usize, script: F) -> Self {
        let info = ModelInfo {
            name: "scripted".into(),
            architecture: "scripted".into(),
            weights: "none".into(),
            device: "cpu".into(),
            vocab,
            context,
            ..Default::default()
        };
        Self { info, tokens: Vec::new(), logits: Vec::new(), script }
    }
}

impl<F: FnMut(&[TokenId]) -> Vec<f32> + Send> LanguageModel for ScriptedModel<F> {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn len(&self) -> usize {
        self.tokens.len()
    }

    fn forward(&mut self, tokens: &[TokenId], rows: usize) -> Result<&[f32], ModelError> {
        super::check_forward(&self.info, self.tokens.len(), tokens, rows)?;
        self.logits.clear();
        for (i, &token) in tokens.iter().enumerate() {
            self.tokens.push(token);
            if i + rows >= tokens.len() {
                let mut row = (self.script)(&self.tokens);
                row.resize(self.info.vocab, f32::NEG_INFINITY);
                self.logits.extend(row);
            }
        }
        Ok(&self.logits)
    }

    fn truncate(&mut self, len: usize) {
        self.tokens.truncate(len);
    }
}
