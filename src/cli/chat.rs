//! Arguments about how the prompt becomes what the model reads.

use clap::Args;

use crate::config::values;
use crate::engine::chat::{ChatSettings, ModeChoice, PromptMode};

/// Most tokens of thinking when nobody says how many.
pub const DEFAULT_THINKING: usize = 1024;

/// Raw or chat, and what goes with a chat.
#[derive(Args, Clone, Debug, Default)]
pub struct ChatArgs {
    /// Give the model the prompt as it is [default for models without a chat template].
    #[arg(long, conflicts_with_all = ["chat", "system", "think"])]
    pub raw: bool,
    /// Put the prompt into the model's chat template [default for models that have one].
    #[arg(long)]
    pub chat: bool,
    /// The system prompt of the chat.
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// Let the model think before its answer, in at most so many tokens: 1 to 1000000 [without a
    /// number: 1024]. The grammar and --max-tokens are about the answer only.
    #[arg(
        long,
        value_name = "TOKENS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1024",
        value_parser = values::max_tokens
    )]
    pub think: Option<usize>,
}

impl ChatArgs {
    /// What was asked for, if anything.
    pub fn choice(&self) -> ModeChoice {
        match (self.raw, self.chat) {
            (true, _) => ModeChoice::Raw,
            (_, true) => ModeChoice::Chat,
            _ => ModeChoice::Auto,
        }
    }

    /// The mode for a model that has a chat template or has none.
    ///
    /// # Errors
    /// If a chat's settings are given for what will be no chat.
    pub fn mode(&self, has_template: bool) -> Result<PromptMode, String> {
        let is_chat = self.choice().is_chat(has_template);
        let misplaced = [("--system", self.system.is_some()), ("--think", self.think.is_some())];
        match misplaced.iter().find(|(_, is_given)| *is_given && !is_chat) {
            Some((flag, _)) => Err(format!(
                "{flag} is for chats, and the model has no chat template, so that the prompt goes to it as it is; \
                 leave {flag} out, or use a model made for chats"
            )),
            None if is_chat => {
                Ok(PromptMode::Chat(ChatSettings { system: self.system.clone(), thinking: self.think }))
            }
            None => Ok(PromptMode::Raw),
        }
    }
}
