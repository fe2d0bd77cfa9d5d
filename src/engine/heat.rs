//! The scale that the removed mass of a token is read on, wherever it is shown: on the screen, on a
//! page, in a table. It must never know a colour.

/// How many levels there are.
pub const LEVELS: usize = 7;

/// The removed mass that each level begins at. The steps are finer at both ends, where a run's tokens
/// lie: the mask mostly takes next to nothing or nearly all.
pub const FROM: [f32; LEVELS] = [0.0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95];

/// The level of a removed mass; what is no number counts as nothing.
pub fn level(mass: f32) -> usize {
    FROM.iter().rposition(|&from| mass >= from).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_begins_where_it_says() {
        for (i, &from) in FROM.iter().enumerate() {
            assert_eq!(level(from), i);
            assert_eq!(level(from - 1e-6), i.saturating_sub(1));
        }
        assert_eq!([-1.0, 0.3, 1.0, 7.0, f32::NAN].map(level), [0, 3, 6, 6, 0]);
    }
}
