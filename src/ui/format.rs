//! Numbers as people read them, in few columns.

use std::time::Duration;

/// A share of one as a percentage in at most 6 columns: `0.02%`, `31.4%`, `100%`.
pub fn percent(share: f32) -> String {
    let percent = share * 100.0;
    if percent >= 99.95 {
        "100%".to_owned()
    } else if percent >= 9.95 {
        format!("{percent:.1}%")
    } else if percent >= 0.005 || percent == 0.0 {
        format!("{percent:.2}%")
    } else {
        "<0.01%".to_owned()
    }
}

/// A time in at most 7 columns: `41 µs`, `8.1 ms`, `1.20 s`.
pub fn duration(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 999.5 {
        format!("{micros:.0} µs")
    } else if micros < 9_950.0 {
        format!("{:.1} ms", micros / 1e3)
    } else if micros < 999_500.0 {
        format!("{:.0} ms", micros / 1e3)
    } else {
        format!("{:.2} s", micros / 1e6)
    }
}

/// A rate of tokens: `7.4`, `812`, `12.3k`.
pub fn rate(per_second: f64) -> String {
    if per_second < 99.95 {
        format!("{per_second:.1}")
    } else if per_second < 9_999.5 {
        format!("{per_second:.0}")
    } else {
        format!("{:.1}k", per_second / 1e3)
    }
}

/// A number of tokens as people say it, in at most 5 columns: `512`, `4k`, `128k`, `1M`.
pub fn tokens(count: usize) -> String {
    match count {
        0..1024 => count.to_string(),
        1024..1_000_000 => format!("{}k", count / if count.is_multiple_of(1024) { 1024 } else { 1000 }),
        _ => format!("{}M", count / 1_000_000),
    }
}

/// A large number in at most 5 columns: `812`, `17.0M`, `1.24B`.
pub fn count(number: u64) -> String {
    let number = number as f64;
    match number {
        n if n < 999.5 => format!("{n:.0}"),
        n if n < 999_500.0 => format!("{:.0}k", n / 1e3),
        n if n < 99_950_000.0 => format!("{:.1}M", n / 1e6),
        n if n < 999_500_000.0 => format!("{:.0}M", n / 1e6),
        n if n < 9_995_000_000.0 => format!("{:.2}B", n / 1e9),
        n => format!("{:.1}B", n / 1e9),
    }
}

/// How long ago something was, in at most 11 columns; nothing if one of the times, in seconds since
/// 1970, is not known.
pub fn ago(now: i64, then: i64) -> String {
    const DAY: i64 = 24 * 3600;
    if now <= 0 || then <= 0 {
        return String::new();
    }
    match now.saturating_sub(then) {
        ..60 => "just now".to_owned(),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..DAY => format!("{} h ago", seconds / 3600),
        seconds if seconds < 2 * DAY => "1 day ago".to_owned(),
        seconds => format!("{} days ago", (seconds / DAY).min(99_999)),
    }
}

/// A share of one as a bar of `columns` columns, in eighths of a column. What is not nothing shows.
pub fn bar(share: f32, columns: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let most = columns * 8;
    let eighths = (share.clamp(0.0, 1.0) * most as f32).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_columns() {
        let shares = [0.0, 1e-9, 0.0001, 0.00999, 0.0994999, 0.0995, 0.5, 0.99949, 0.9995, 1.0];
        assert_eq!(
            shares.map(percent).join(" "),
            "0.00% <0.01% 0.01% 1.00% 9.95% 9.9% 50.0% 99.9% 100% 100%"
        );
        let micros = [0, 41, 999, 1_000, 9_949, 9_951, 999_400, 1_200_000];
        assert_eq!(
            micros.map(|m| duration(Duration::from_micros(m))).join(" "),
            "0 µs 41 µs 999 µs 1.0 ms 9.9 ms 10 ms 999 ms 1.20 s"
        );
        assert_eq!([0.5, 99.96, 812.4, 12_345.0].map(rate).join(" "), "0.5 100 812 12.3k");
    }

    #[test]
    fn large_numbers_are_short() {
        assert_eq!(
            [512, 4096, 32_768, 131_072, 200_000, 1_048_576].map(tokens).join(" "),
            "512 4k 32k 128k 200k 1M"
        );
        let numbers = [812, 17_400, 17_000_000, 494_000_000, 1_240_000_000, 72_700_000_000];
        assert_eq!(numbers.map(count).join(" "), "812 17k 17.0M 494M 1.24B 72.7B");
    }

    #[test]
    fn times_are_told_in_the_largest_unit() {
        let now = 1_800_000_000;
        let told = [-5, 59, 60, 3599, 3600, 86_399, 86_400, 172_800, now - 1].map(|s| ago(now, now - s));
        assert_eq!(
            told.join(", "),
            "just now, just now, 1 min ago, 59 min ago, 1 h ago, 23 h ago, 1 day ago, 2 days ago, 20833 days ago"
        );
        assert_eq!((ago(0, 5), ago(5, 0)), (String::new(), String::new()));
    }

    #[test]
    fn bars_grow_by_eighths() {
        assert_eq!(
            [0.0, 0.02, 0.04, 0.5, 0.5625, 1.0, f32::NAN].map(|s| bar(s, 2)).join("|"),
            "||▏|█|█▏|██|"
        );
    }
}
