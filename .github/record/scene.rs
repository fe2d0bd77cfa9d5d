//! The scripts in `.github/scenes`: how the program is started, what is typed, what is waited for, and
//! what becomes a picture. It plays nothing.
//!
//! A line is a word and what belongs to it; empty lines and those that begin with `#` are left out.
//!
//! | line | what it does |
//! |---|---|
//! | `size 120 34` | the terminal's columns and rows, before `maze` |
//! | `env NAME=VALUE` | a variable of the program's environment, before `maze` |
//! | `light` | a terminal that is white unless the program says otherwise, before `maze` |
//! | `maze --theme dark` | starts the program with these arguments |
//! | `see TEXT` | waits until the screen shows the text |
//! | `gone TEXT` | waits until it does not |
//! | `press KEY 3` | presses a key of the help's names, so many times, or once |
//! | `type TEXT` | types the text |
//! | `shot NAME` | writes `NAME.svg`, the screen as it is |
//! | `record NAME` | from here on a recording is made, to be written as `NAME.svg` at the end |
//! | `beat 0.2` | how long each pressed key is shown in the recording, in seconds |
//! | `pause 1.5` | how long the screen stays as it is in the recording, in seconds |
//! | `poster` | what the recording shows where it is not played |

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// Columns and rows.
    Size(u16, u16),
    /// A variable and its value.
    Env(String, String),
    /// A white terminal.
    Light,
    /// The program's arguments.
    Maze(Vec<String>),
    /// A text to wait for.
    See(String),
    /// A text to see the end of.
    Gone(String),
    /// A key, and how often.
    Press(String, usize),
    /// A text to type.
    Type(String),
    /// The name of a picture.
    Shot(String),
    /// The name of a recording.
    Record(String),
    /// Seconds for each key.
    Beat(f64),
    /// Seconds.
    Pause(f64),
    /// The still of the recording.
    Poster,
}

/// Reads a script: its lines with their numbers.
///
/// # Errors
/// What is wrong, with the number of the line.
pub fn parse(script: &str) -> Result<Vec<(usize, Line)>, String> {
    let mut lines = Vec::new();
    for (number, text) in (1..).zip(script.lines()) {
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        let line = line(text).and_then(|line| in_order(line, &lines));
        lines.push((number, line.map_err(|wrong| format!("line {number}, `{text}`: {wrong}"))?));
    }
    let makes_one = |(_, line): &(usize, Line)| matches!(line, Line::Shot(_) | Line::Record(_));
    if lines.iter().any(makes_one) { Ok(lines) } else { Err("it makes no picture".into()) }
}

fn line(text: &str) -> Result<Line, String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let some = || if rest.trim().is_empty() { Err("what?".to_owned()) } else { Ok(rest.to_owned()) };
    Ok(match word {
        "size" => match rest.split_once(' ').map(|(columns, rows)| (columns.parse(), rows.parse())) {
            Some((Ok(columns @ 1..), Ok(rows @ 1..))) => Line::Size(columns, rows),
            _ => return Err("columns and rows are two numbers".into()),
        },
        "env" => match rest.split_once('=') {
            Some((name, value)) if !name.is_empty() => Line::Env(name.to_owned(), value.to_owned()),
            _ => return Err("a variable is NAME=VALUE".into()),
        },
        "maze" => Line::Maze(rest.split_whitespace().map(str::to_owned).collect()),
        "see" => Line::See(some()?),
        "gone" => Line::Gone(some()?),
        "press" => match some()?.rsplit_once(' ') {
            Some((key, times)) => Line::Press(key.to_owned(), times.parse().map_err(|_| "how often?")?),
            None => Line::Press(rest.to_owned(), 1),
        },
        "type" => Line::Type(some()?),
        "shot" => Line::Shot(name(rest)?),
        "record" => Line::Record(name(rest)?),
        "beat" => Line::Beat(seconds(rest)?),
        "pause" => Line::Pause(seconds(rest)?),
        "light" | "poster" if !rest.is_empty() => return Err("nothing belongs to it".into()),
        "light" => Line::Light,
        "poster" => Line::Poster,
        _ => return Err(format!("`{word}` is none of the words")),
    })
}

/// What makes the name of a file and nothing else.
fn name(text: &str) -> Result<String, String> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !text.is_empty() && text.chars().all(is_fine) {
        Ok(text.to_owned())
    } else {
        Err("a name is made of letters, digits and `-`".into())
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|s| (0.01..=60.0).contains(s)).ok_or_else(|| "0.01 to 60 seconds".into())
}

/// A line that makes sense after those before it.
fn in_order(line: Line, before: &[(usize, Line)]) -> Result<Line, String> {
    let has = |wanted: fn(&Line) -> bool| before.iter().any(|(_, line)| wanted(line));
    let (runs, records) = (has(|l| matches!(l, Line::Maze(_))), has(|l| matches!(l, Line::Record(_))));
    match &line {
        Line::Size(..) | Line::Env(..) | Line::Light | Line::Maze(_) if runs => {
            Err("the program runs already".into())
        }
        Line::Maze(_) if !has(|l| matches!(l, Line::Size(..))) => Err("it needs a `size` before it".into()),
        Line::Size(..) | Line::Env(..) | Line::Light | Line::Maze(_) => Ok(line),
        _ if !runs => Err("the program does not run yet: `maze` comes first".into()),
        Line::Record(_) if records => Err("one recording is enough".into()),
        Line::Beat(_) | Line::Pause(_) | Line::Poster if !records => {
            Err("it is of a recording: `record` comes first".into())
        }
        _ => Ok(line),
    }
}
