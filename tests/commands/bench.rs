//! `maze bench`: what it says of how tokens are picked.

use super::{finished, maze};

const SHORT: [&str; 7] = ["bench", "--rounds", "1", "--tokens", "2", "--prompt-tokens", "16"];

#[test]
fn tokens_are_picked_as_the_flags_say_and_not_as_the_environment_does() {
    let set = ["--temperature", "0.7", "--top-p", "0.9", "--repetition-penalty", "1.5", "--seed"];
    let last = u64::MAX.to_string();
    for (flags, expected) in [
        (&[][..], "greedy, median of 1"),
        (&set, "temperature 0.7, top-p 0.9, repetition penalty 1.5, median of 1"),
    ] {
        let mut command = maze();
        command.env("MAZE_TEMPERATURE", "0.5").env("MAZE_TOP_K", "7").args(SHORT).args(flags);
        if !flags.is_empty() {
            // Rounds go on from it, also at the end of its range.
            command.arg(&last);
        }
        let (code, stdout, stderr) = finished(&mut command);
        assert_eq!(code, 0, "{stderr}");
        let first = stdout.lines().next().unwrap_or_default();
        assert!(first.ends_with(expected), "{first}");
    }
    let (code, _, stderr) = finished(maze().args(SHORT).args(["--top-p", "1.5"]));
    assert!(code == 2 && stderr.contains("--top-p") && stderr.contains("from 0 to 1"), "{stderr}");
}
