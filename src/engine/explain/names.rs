//! The names and places of what is expected, from the shadow parser.
//!
//! The shadow parser follows the text that an [`Explainer`](super::Explainer) stands at. Where it
//! cannot, reasons come without names and say why. It must never change what is allowed.

use super::{Crumb, Finish, Terminal, Where};
use crate::engine::grammar::Compiled;
use crate::engine::shadow::{self, ByteSet, NearestEnd, Shadow, Spot, Standing};
use crate::engine::trace::TokenId;
use crate::engine::vocabulary::Vocabulary;

/// What the shadow parser has to say at a place.
pub(super) struct Names {
    shadow: Option<Result<Shadow, String>>,
    /// The text that it has followed: bytes, and special tokens.
    followed: Vec<Piece>,
}

/// A part of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    Byte(u8),
    Special(TokenId),
}

/// What may come at a place.
pub(super) struct Named {
    pub terminals: Vec<Terminal>,
    pub may_end: bool,
}

impl Names {
    pub fn new() -> Self {
        Self { shadow: None, followed: Vec::new() }
    }

    /// No names, for this reason.
    pub fn none(reason: String) -> Self {
        Self { shadow: Some(Err(reason)), followed: Vec::new() }
    }

    /// Follows `text`, of which much has perhaps been followed already.
    ///
    /// # Errors
    /// Why it cannot.
    fn follow(
        &mut self,
        text: &[Piece],
        compiled: &Compiled,
        vocabulary: &Vocabulary,
    ) -> Result<&mut Shadow, String> {
        let build = || compiled.shadow().map_err(|e| e.to_string());
        let shadow = match self.shadow.get_or_insert_with(build) {
            Ok(shadow) => shadow,
            Err(reason) => return Err(reason.clone()),
        };
        let mut common = self.followed.iter().zip(text).take_while(|(a, b)| a == b).count();
        let is_special = |piece: &Piece| matches!(piece, Piece::Special(_));
        if self.followed[..common].iter().any(is_special) {
            // The bytes of such a token in the shadow's text are not counted here.
            common = 0;
        }
        shadow.truncate(common);
        self.followed.truncate(common);
        for &piece in &text[common..] {
            let taken = match piece {
                Piece::Byte(byte) => shadow.push(byte),
                Piece::Special(token) => shadow.push_special(token, vocabulary.bytes(token)),
            };
            if !taken {
                let limit = shadow.limit().map(ToString::to_string);
                return Err(limit.unwrap_or_else(|| "the second parser has lost the text".into()));
            }
            self.followed.push(piece);
        }
        Ok(shadow)
    }

    /// What may come after `text` and then `ahead`.
    ///
    /// # Errors
    /// Why that is not known.
    pub fn expected(
        &mut self,
        text: &[Piece],
        ahead: &[u8],
        compiled: &Compiled,
        vocabulary: &Vocabulary,
    ) -> Result<Named, String> {
        let shadow = self.follow(text, compiled, vocabulary)?;
        let had = shadow.text().len();
        let place = (shadow.feed(ahead) == ahead.len()).then(|| shadow.place());
        shadow.truncate(had);
        let place = place.ok_or("the second parser has lost the text")?;
        if let Some(limit) = place.limit {
            return Err(limit.to_string());
        }
        let terminals = place.expected.iter().map(Terminal::from).collect();
        Ok(Named { terminals, may_end: place.may_end })
    }

    /// For each of the terminals that are expected after `text`, the bytes with which it goes on or
    /// begins.
    pub fn openings(
        &mut self,
        text: &[Piece],
        compiled: &Compiled,
        vocabulary: &Vocabulary,
    ) -> Option<Vec<ByteSet>> {
        Some(self.follow(text, compiled, vocabulary).ok()?.openings())
    }

    /// The rules that are open after `text`.
    pub fn path(
        &mut self,
        text: &[Piece],
        compiled: &Compiled,
        vocabulary: &Vocabulary,
    ) -> Option<Vec<Crumb>> {
        let place = self.follow(text, compiled, vocabulary).ok()?.place();
        let crumb = |crumb: shadow::Crumb| Crumb {
            place: crumb.active.as_ref().or(crumb.definition.as_ref()).map(spot),
            pointer: crumb.pointer,
            rule: match crumb.parameter {
                Some(parameter) => format!("{}::{parameter}", crumb.rule),
                None => crumb.rule,
            },
        };
        Some(place.path.into_iter().map(crumb).collect())
    }

    /// The shortest text that completes `text`.
    pub fn finish(&mut self, text: &[Piece], compiled: &Compiled, vocabulary: &Vocabulary) -> Option<Finish> {
        match self.follow(text, compiled, vocabulary).ok()?.nearest_end() {
            NearestEnd::Text { bytes, at_least } => {
                let is_shortest = at_least == bytes.len();
                Some(Finish { bytes, is_shortest })
            }
            _ => None,
        }
    }
}

impl From<&shadow::Expected> for Terminal {
    fn from(expected: &shadow::Expected) -> Self {
        let shadow::Terminal { name, rule, pointer, spot: place, .. } = &*expected.terminal;
        Self {
            text: name.clone(),
            rule: rule.clone(),
            pointer: pointer.clone(),
            place: place.as_ref().map(spot),
            begun: expected.standing == Standing::InProgress,
            tokens: None,
        }
    }
}

fn spot(spot: &Spot) -> Where {
    Where { span: spot.span.clone(), line: spot.start.line, column: spot.start.column }
}
