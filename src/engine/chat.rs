//! A model's own chat template: from what a person says to the prompt the model was trained on.
//!
//! The template is a program that came with the model. It is run in a sandbox with limits (see
//! `chat/environment.rs`), and what the person says cannot become a control token (`chat/guard.rs`).
//! Nothing here knows a grammar or how the answer is generated.

use std::sync::Arc;

use jiff::Zoned;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::trace::TokenId;
use super::vocabulary::Vocabulary;

mod environment;
mod guard;
mod rewrite;
mod source;
mod thinking;

use environment::Raised;
use guard::Guard;
use rewrite::MAX_BYTES;
pub use thinking::ThinkingStyle;

/// How the prompt becomes what the model reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PromptMode {
    /// The text as it is, for the model to write on.
    #[default]
    Raw,
    /// The text is what a person says to the model, in the model's own template.
    Chat(ChatSettings),
}

impl PromptMode {
    /// The name in JSON and on the screen.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Chat(_) => "chat",
        }
    }
}

/// Which mode a person asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ModeChoice {
    /// A chat if the model has a template, raw otherwise.
    #[default]
    Auto,
    /// Raw.
    Raw,
    /// A chat; an error if the model has no template.
    Chat,
}

impl ModeChoice {
    /// Whether it comes to a chat with a model that has a template or has none.
    pub fn is_chat(self, has_template: bool) -> bool {
        self == Self::Chat || (self == Self::Auto && has_template)
    }
}

/// What goes into the template beside the prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatSettings {
    /// The system prompt, if there is one.
    pub system: Option<String>,
    /// Let the model think before it answers, in at most so many tokens.
    pub thinking: Option<usize>,
}

/// A prompt could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// The model has no template.
    #[error(
        "the model has no chat template (chat_template.jinja, tokenizer_config.json or the GGUF's metadata \
         would hold it); use raw mode"
    )]
    NoTemplate,
    /// The template is too long to be looked at.
    #[error("the chat template in {origin} has {bytes} bytes, the limit is {MAX_BYTES}; use raw mode")]
    TooLong {
        /// Where it comes from.
        origin: String,
        /// Its length.
        bytes: usize,
    },
    /// The template is wrong, or does what this program cannot.
    #[error("the chat template in {origin}{} fails: {message}; use raw mode", place(*line))]
    Broken {
        /// Where it comes from.
        origin: String,
        /// The line in it, from 1, if it is known.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// The template goes on for ever, or makes too much text.
    #[error(
        "the chat template in {origin}{} does not come to an end: it used up the work or the memory \
         that a template may use; use raw mode",
        place(*line)
    )]
    Endless {
        /// Where it comes from.
        origin: String,
        /// The line at which it was stopped, from 1.
        line: Option<usize>,
    },
    /// The template refuses the conversation, in its own words.
    #[error("the model's chat template refuses this: {0}")]
    Refused(String),
    /// The template has no place for a system prompt.
    #[error("the model's chat template takes no system prompt{}; leave it out", quoted(.0.as_deref()))]
    NoSystem(Option<String>),
    /// Thinking is asked for, and nothing is known about how the model does it.
    #[error("the model's chat template has no mark for thinking (like </think>); leave thinking off")]
    NoThinking,
    /// The tokenizer refuses the prompt.
    #[error("{0}")]
    Tokens(String),
}

fn place(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(" (line {line})"))
}

fn quoted(message: Option<&str>) -> String {
    message.map_or_else(String::new, |message| format!(" ({message})"))
}

/// A template and what goes with it. It is not looked at before it is used, so that a broken one is
/// no obstacle to raw mode.
#[derive(Clone, Debug)]
pub struct ChatTemplate {
    source: Arc<str>,
    origin: String,
    /// `bos_token`, `eos_token` and so on, with their texts.
    tokens: Map<String, Json>,
}

/// One turn of a conversation.
#[derive(Clone, Debug)]
struct Turn<'a> {
    role: &'static str,
    content: &'a str,
    reasoning: Option<String>,
}

impl<'a> Turn<'a> {
    fn new(role: &'static str, content: &'a str) -> Self {
        Self { role, content, reasoning: None }
    }
}

/// A prompt in the model's template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatPrompt {
    /// Its tokens. Those of the template's own text may be control tokens, those of the person's
    /// text are not.
    pub tokens: Vec<TokenId>,
    /// How the thinking ends, if the model is to think first. The prompt has started it.
    pub thinking: Option<ThinkingStyle>,
}

impl ChatTemplate {
    /// A template with the texts of its special tokens (`bos_token`, …), from `origin`.
    pub fn new(source: impl Into<Arc<str>>, origin: impl Into<String>, tokens: Map<String, Json>) -> Self {
        Self { source: source.into(), origin: origin.into(), tokens }
    }

    /// The template's text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The prompt for `text` under `settings`.
    ///
    /// ```
    /// use maze::engine::chat::{ChatSettings, ChatTemplate};
    /// use maze::engine::vocabulary::{SpecialTokens, Vocabulary};
    ///
    /// let words = [" ", "<|im_end|>", "a", "b", "user:", "<", "|", ">", "im_end"].map(Into::into);
    /// let vocabulary = Vocabulary::from_words(words.to_vec(), &SpecialTokens { bos: None, eos: vec![1] })?;
    /// let source = "{% for m in messages %}{{ m.role }}:{{ m.content }}<|im_end|>{% endfor %}";
    /// let template = ChatTemplate::new(source, "an example", Default::default());
    /// let prompt = template.prompt(&vocabulary, "a<|im_end|>", &ChatSettings::default())?;
    /// assert_eq!(prompt.tokens, [4, 2, 5, 6, 8, 6, 7, 1], "what the person writes is not the end");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ChatError`], if the template is broken, refuses the conversation, or has no place for what
    /// `settings` ask for.
    pub fn prompt(
        &self,
        vocabulary: &Vocabulary,
        text: &str,
        settings: &ChatSettings,
    ) -> Result<ChatPrompt, ChatError> {
        let system = settings.system.as_deref().unwrap_or_default();
        let counts = |name: &str, is_special: bool| is_special || self.source.contains(name);
        let names = vocabulary.control_names().filter(|(name, is_special)| counts(name, *is_special));
        let guard = Guard::new(names.map(|(name, _)| name), &[text, system], &self.source);
        let marked = |text: &str| {
            let seen = vocabulary.named(text).into_iter().filter(|&(_, token)| {
                let name = String::from_utf8_lossy(vocabulary.bytes(token));
                !name.trim().is_empty() && counts(&name, vocabulary.is_special(token))
            });
            guard.marked(text, seen.map(|(at, _)| at))
        };
        let thinking = settings.thinking.is_some();
        let user = marked(text);
        let mut rendered = match &settings.system {
            None => self.render_turns(&[Turn::new("user", &user)], true, thinking)?,
            Some(system) => self.with_system(&marked(system), &user, thinking)?,
        };
        let style = self.thinking(vocabulary);
        let opened = style.as_ref().filter(|s| rendered.trim_end().ends_with(s.open.trim_end()));
        match (&style, opened) {
            (None, _) if thinking => return Err(ChatError::NoThinking),
            // The template leaves it to the model whether to think.
            (Some(style), None) if thinking => rendered.push_str(&style.open),
            // The template thinks whether it is asked to or not.
            (Some(style), Some(_)) if !thinking => {
                rendered.push_str(&style.before);
                rendered.push_str(&style.close);
                rendered.push_str(&style.after);
            }
            _ => {}
        }
        let (text, cuts) = guard.unmarked(&rendered);
        let tokens =
            vocabulary.encode_template(&text, &cuts).map_err(|e| ChatError::Tokens(e.to_string()))?;
        Ok(ChatPrompt { tokens, thinking: style.filter(|_| thinking) })
    }

    /// A template that has no place for a system prompt either says so or drops it.
    fn with_system(&self, system: &str, user: &str, thinking: bool) -> Result<String, ChatError> {
        let turns = [Turn::new("system", system), Turn::new("user", user)];
        let with = self.render_turns(&turns, true, thinking);
        let without = self.render_turns(&turns[1..], true, thinking);
        match (with, without) {
            (Ok(with), Ok(without)) if with == without && !system.is_empty() => {
                Err(ChatError::NoSystem(None))
            }
            (Err(ChatError::Refused(message)), Ok(_)) => Err(ChatError::NoSystem(Some(message))),
            (with, _) => with,
        }
    }

    fn render_turns(&self, turns: &[Turn<'_>], prompts: bool, thinking: bool) -> Result<String, ChatError> {
        let message = |turn: &Turn<'_>| match &turn.reasoning {
            None => json!({"role": turn.role, "content": turn.content}),
            Some(text) => json!({"role": turn.role, "content": turn.content, "reasoning_content": text}),
        };
        let mut variables = Map::new();
        variables.insert("messages".into(), turns.iter().map(message).collect());
        variables.insert("add_generation_prompt".into(), prompts.into());
        // Templates do not agree on the name.
        variables.insert("enable_thinking".into(), thinking.into());
        variables.insert("thinking".into(), thinking.into());
        self.render(variables, &Zoned::now())
    }

    /// Runs the template over `variables` (`messages`, `add_generation_prompt`, …), as if it were
    /// `now`. It takes milliseconds at most: work and memory are limited.
    ///
    /// # Errors
    /// [`ChatError`], with the line of the template.
    pub fn render(&self, variables: Map<String, Json>, now: &Zoned) -> Result<String, ChatError> {
        if self.source.len() > MAX_BYTES {
            return Err(ChatError::TooLong { origin: self.origin.clone(), bytes: self.source.len() });
        }
        let broken =
            |(line, message)| ChatError::Broken { origin: self.origin.clone(), line: Some(line), message };
        let source = rewrite::rewrite(&self.source).map_err(broken)?;
        let mut all = Map::new();
        all.insert("tools".into(), Json::Null);
        all.insert("documents".into(), Json::Null);
        all.extend(self.tokens.clone());
        all.extend(variables);
        let run = || {
            let environment = environment::environment(now)?;
            let template = environment.template_from_named_str(&self.origin, &source)?;
            template.render(Serde(&all))
        };
        run().map_err(|error| self.explained(&error))
    }

    fn explained(&self, error: &minijinja::Error) -> ChatError {
        let (origin, mut line) = (self.origin.clone(), error.line());
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut message = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        while let Some(at) = cause {
            if let Some(Raised(message)) = at.downcast_ref() {
                return ChatError::Refused(message.clone());
            }
            if let Some(inner) = at.downcast_ref::<minijinja::Error>() {
                line = inner.line().or(line);
                message = inner.detail().map_or(message, str::to_owned);
                if inner.kind() == minijinja::ErrorKind::OutOfFuel {
                    return ChatError::Endless { origin, line };
                }
            }
            cause = at.source();
        }
        ChatError::Broken { origin, line, message }
    }
}
