//! How the person wants to see a run: its tokens in the output, and the graphs under it.

use serde::{Deserialize, Serialize};

/// What the output shows of its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// The text alone.
    #[default]
    Text,
    /// Where each token begins and ends, spaces and line ends included.
    Tokens,
    /// How much of the probability the mask removed at each token.
    Mass,
}

impl Look {
    /// The next one, around.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Text => Self::Tokens,
            Self::Tokens => Self::Mass,
            Self::Mass => Self::Text,
        }
    }

    /// What the output shows, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Self::Text => "Output: the text.",
            Self::Tokens => "Output: where each token begins and ends.",
            Self::Mass => "Output: the probability that the mask removed at each token.",
        }
    }
}

/// What the graphs under the output show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Graphs {
    /// As [`Steps`](Self::Steps) where the text keeps enough room, else nothing.
    #[default]
    Auto,
    /// Nothing.
    Hidden,
    /// Some steps, each in a column of its own.
    Steps,
    /// All steps, many of them in a column.
    Whole,
}

impl Graphs {
    /// The next one, around, if they are on the screen now or are not.
    #[must_use]
    pub fn next(self, are_shown: bool) -> Self {
        match self {
            Self::Auto if are_shown => Self::Whole,
            Self::Auto | Self::Hidden => Self::Steps,
            Self::Steps => Self::Whole,
            Self::Whole => Self::Hidden,
        }
    }

    /// What the graphs show, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Self::Auto => "Graphs: where there is room.",
            Self::Hidden => "Graphs: hidden.",
            Self::Steps => "Graphs: a column for every step.",
            Self::Whole => "Graphs: the whole run.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_leads_around() {
        let looks: Vec<Look> = std::iter::successors(Some(Look::Text), |l| Some(l.next())).take(4).collect();
        assert_eq!(looks, [Look::Text, Look::Tokens, Look::Mass, Look::Text]);
        let graphs: Vec<Graphs> =
            std::iter::successors(Some(Graphs::Hidden), |g| Some(g.next(true))).take(4).collect();
        assert_eq!(graphs, [Graphs::Hidden, Graphs::Steps, Graphs::Whole, Graphs::Hidden]);
        assert_eq!([true, false].map(|shown| Graphs::Auto.next(shown)), [Graphs::Whole, Graphs::Steps]);
    }
}
