//! What the keys of vi mean: from the characters that were typed to a [`Command`].
//!
//! A command is `[count] operator [count] motion`, or one of the keys that need no motion. Nothing
//! here knows a text.

/// What came of the characters so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// They may become a command.
    More,
    /// They are none, whatever comes.
    Wrong,
    /// They are this.
    Done(Command),
}

/// A command, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// The number before it.
    pub count: Option<usize>,
    /// What to do.
    pub verb: Verb,
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Moves.
    Go(Step),
    /// Does something to a part of the text.
    Operate(Operator, Target),
    /// Puts what was deleted or copied last.
    Put {
        /// Before the caret rather than behind it.
        before: bool,
    },
    /// Begins to insert.
    Insert(Entry),
    /// Replaces characters with this one.
    Replace(char),
    /// Makes small letters capitals, and capitals small.
    SwapCase,
    /// Joins lines.
    Join,
    /// Takes the last change back.
    Undo,
    /// Does the last change again, here.
    Repeat,
    /// Begins to select, whole lines or not; or ends that.
    Select {
        /// By line.
        lines: bool,
    },
    /// Selects a word, a string, what is in brackets.
    SelectObject(Object),
    /// Goes to the other end of the selection.
    OtherEnd,
    /// Is not about the text alone.
    Ask(Ask),
}

/// Where a motion leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `h`, and the other arrows.
    Left,
    /// `l`
    Right,
    /// `k`
    Up,
    /// `j`
    Down,
    /// `w`, or `W`.
    Word(bool),
    /// `e`, or `E`.
    End(bool),
    /// `b`, or `B`.
    Back(bool),
    /// `0`
    LineStart,
    /// `^`
    FirstInk,
    /// `$`
    LineEnd,
    /// `gg`
    TextStart,
    /// `G`
    TextEnd,
    /// `%`
    Partner,
    /// `f`, `F`, `t`, `T` and a character.
    Find {
        /// The character.
        what: char,
        /// To the right.
        forward: bool,
        /// Only up to it.
        till: bool,
    },
    /// `}`, or `{` if not forward.
    Paragraph(bool),
}

/// What is done to a part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `d`
    Delete,
    /// `c`
    Change,
    /// `y`
    Yank,
    /// `>`
    Indent,
    /// `<`
    Outdent,
}

/// A part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// From the caret to where a motion leads.
    Step(Step),
    /// Whole lines from the caret on.
    Lines,
    /// What is around the caret.
    Object(Object),
    /// What is selected.
    Selection,
}

/// What is around the caret: `iw`, `a"`, `i(`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// With the space or the marks around it.
    pub around: bool,
    /// Its letter or mark.
    pub kind: char,
}

/// Where inserting begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// `i`
    Here,
    /// `I`
    FirstInk,
    /// `a`
    After,
    /// `A`
    LineEnd,
    /// `o`
    Below,
    /// `O`
    Above,
}

/// What the program is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// `/` and `?`
    Find,
    /// `n`, or `N` if not forward.
    Next(bool),
    /// `*`, or `#` if not forward.
    Word(bool),
    /// `:`
    Command,
}

/// Understands the characters of a command; `selects` if something is being selected.
pub fn parse(keys: &[char], selects: bool) -> Parsed {
    let (count, keys) = number(keys);
    let Some((&first, rest)) = keys.split_first() else { return Parsed::More };
    let done = |verb| Parsed::Done(Command { count, verb });
    let on = |operator, step| Verb::Operate(operator, Target::Step(step));
    if selects {
        let of_selection = match first {
            'd' | 'x' => Some(Verb::Operate(Operator::Delete, Target::Selection)),
            'c' | 's' => Some(Verb::Operate(Operator::Change, Target::Selection)),
            'y' => Some(Verb::Operate(Operator::Yank, Target::Selection)),
            '>' => Some(Verb::Operate(Operator::Indent, Target::Selection)),
            '<' => Some(Verb::Operate(Operator::Outdent, Target::Selection)),
            'o' => Some(Verb::OtherEnd),
            'i' | 'a' => return object(first, rest, |o| done(Verb::SelectObject(o))),
            _ => None,
        };
        if let Some(verb) = of_selection {
            return done(verb);
        }
    }
    let operator = match first {
        'd' => Operator::Delete,
        'c' => Operator::Change,
        'y' => Operator::Yank,
        '>' => Operator::Indent,
        '<' => Operator::Outdent,
        _ => {
            return match simple(first, on) {
                Some(verb) => done(verb),
                None if first == 'r' => match rest.first() {
                    Some(&c) => done(Verb::Replace(c)),
                    None => Parsed::More,
                },
                None => step(keys, |step| done(Verb::Go(step))),
            };
        }
    };
    let (inner, rest) = number(rest);
    let count = if count.is_none() { inner } else { Some(count.unwrap_or(1) * inner.unwrap_or(1)) };
    let done = |target| Parsed::Done(Command { count, verb: Verb::Operate(operator, target) });
    match rest.first() {
        None => Parsed::More,
        Some(&second) if second == first => done(Target::Lines),
        Some(&around @ ('i' | 'a')) => object(around, &rest[1..], |o| done(Target::Object(o))),
        Some(_) => step(rest, |step| done(Target::Step(step))),
    }
}

/// The keys that are a command on their own.
fn simple(key: char, on: impl Fn(Operator, Step) -> Verb) -> Option<Verb> {
    Some(match key {
        'x' => on(Operator::Delete, Step::Right),
        'X' => on(Operator::Delete, Step::Left),
        'D' => on(Operator::Delete, Step::LineEnd),
        'C' => on(Operator::Change, Step::LineEnd),
        's' => on(Operator::Change, Step::Right),
        'S' => Verb::Operate(Operator::Change, Target::Lines),
        'Y' => Verb::Operate(Operator::Yank, Target::Lines),
        'p' => Verb::Put { before: false },
        'P' => Verb::Put { before: true },
        'i' => Verb::Insert(Entry::Here),
        'I' => Verb::Insert(Entry::FirstInk),
        'a' => Verb::Insert(Entry::After),
        'A' => Verb::Insert(Entry::LineEnd),
        'o' => Verb::Insert(Entry::Below),
        'O' => Verb::Insert(Entry::Above),
        '~' => Verb::SwapCase,
        'J' => Verb::Join,
        'u' => Verb::Undo,
        '.' => Verb::Repeat,
        'v' => Verb::Select { lines: false },
        'V' => Verb::Select { lines: true },
        '/' | '?' => Verb::Ask(Ask::Find),
        'n' => Verb::Ask(Ask::Next(true)),
        'N' => Verb::Ask(Ask::Next(false)),
        '*' => Verb::Ask(Ask::Word(true)),
        '#' => Verb::Ask(Ask::Word(false)),
        ':' => Verb::Ask(Ask::Command),
        _ => return None,
    })
}

fn step(keys: &[char], done: impl Fn(Step) -> Parsed) -> Parsed {
    let Some(&first) = keys.first() else { return Parsed::More };
    done(match (first, keys.get(1)) {
        ('h', _) => Step::Left,
        ('l' | ' ', _) => Step::Right,
        ('k', _) => Step::Up,
        ('j', _) => Step::Down,
        ('w' | 'W', _) => Step::Word(first == 'W'),
        ('e' | 'E', _) => Step::End(first == 'E'),
        ('b' | 'B', _) => Step::Back(first == 'B'),
        ('0', _) => Step::LineStart,
        ('^' | '_', _) => Step::FirstInk,
        ('$', _) => Step::LineEnd,
        ('G', _) => Step::TextEnd,
        ('%', _) => Step::Partner,
        ('{' | '}', _) => Step::Paragraph(first == '}'),
        ('g', Some('g')) => Step::TextStart,
        ('f' | 'F' | 't' | 'T', Some(&what)) => {
            Step::Find { what, forward: first.is_lowercase(), till: matches!(first, 't' | 'T') }
        }
        ('g' | 'f' | 'F' | 't' | 'T', None) => return Parsed::More,
        _ => return Parsed::Wrong,
    })
}

fn object(around: char, rest: &[char], done: impl Fn(Object) -> Parsed) -> Parsed {
    match rest.first() {
        None => Parsed::More,
        Some(&kind) if "wW\"'`()[]{}bB".contains(kind) => done(Object { around: around == 'a', kind }),
        Some(_) => Parsed::Wrong,
    }
}

/// The number at the start, which does not begin with 0, and what follows it.
fn number(keys: &[char]) -> (Option<usize>, &[char]) {
    let digits = match keys.first() {
        Some('1'..='9') => keys.iter().take_while(|c| c.is_ascii_digit()).count(),
        _ => 0,
    };
    let (number, rest) = keys.split_at(digits);
    let value = number.iter().filter_map(|c| c.to_digit(10)).fold(0usize, |n, d| {
        // Nobody means more, and a text must not become a billion times as long.
        (n * 10 + d as usize).min(MOST)
    });
    ((digits > 0).then_some(value), rest)
}

/// The largest count.
pub const MOST: usize = 9999;

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(keys: &str, selects: bool) -> Parsed {
        parse(&keys.chars().collect::<Vec<_>>(), selects)
    }

    fn command(count: Option<usize>, verb: Verb) -> Parsed {
        Parsed::Done(Command { count, verb })
    }

    #[test]
    fn counts_operators_and_motions() {
        assert_eq!(parsed("", false), Parsed::More);
        assert_eq!(parsed("3", false), Parsed::More);
        assert_eq!(parsed("0", false), command(None, Verb::Go(Step::LineStart)));
        assert_eq!(parsed("10j", false), command(Some(10), Verb::Go(Step::Down)));
        let delete = |target| Verb::Operate(Operator::Delete, target);
        assert_eq!(parsed("2d3w", false), command(Some(6), delete(Target::Step(Step::Word(false)))));
        assert_eq!(parsed("d", false), Parsed::More);
        assert_eq!(parsed("dd", false), command(None, delete(Target::Lines)));
        assert_eq!(parsed("di", false), Parsed::More);
        let word = Object { around: false, kind: 'w' };
        assert_eq!(parsed("diw", false), command(None, delete(Target::Object(word))));
        assert_eq!(parsed("diz", false), Parsed::Wrong);
        assert_eq!(parsed("dtx", false), {
            let find = Step::Find { what: 'x', forward: true, till: true };
            command(None, delete(Target::Step(find)))
        });
        assert_eq!(parsed("d", true), command(None, delete(Target::Selection)));
        assert_eq!(parsed("gg", false), command(None, Verb::Go(Step::TextStart)));
        assert_eq!(parsed("gz", false), Parsed::Wrong);
        assert_eq!(parsed("ré", false), command(None, Verb::Replace('é')));
        assert_eq!(parsed("99999999999999999999x", false), {
            command(Some(MOST), delete(Target::Step(Step::Right)))
        });
        assert_eq!(parsed("Q", false), Parsed::Wrong);
    }
}
