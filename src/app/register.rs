//! What was copied or cut last in this program, whatever the terminal does with its clipboard.

/// The text that [`Paste`](super::action::Action::Paste) puts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// The text.
    pub text: String,
    /// Whether it is whole lines, which are put between lines rather than at the caret.
    pub is_lines: bool,
}
