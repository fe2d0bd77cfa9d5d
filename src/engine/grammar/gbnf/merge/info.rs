//! What is known about expressions before anything is decided.

use super::super::{Expr, ExprId, Grammar};

/// The most characters, all alternatives counted, of what may be one terminal.
const MAX_SIZE: usize = 4_096;

/// The deepest that rules and groups may stand inside of each other in one terminal.
const MAX_HEIGHT: usize = 48;

/// What is known about an expression.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Info {
    /// It leads to no rule that leads back to itself, and to no token.
    pub regular: bool,
    /// The empty text follows it.
    pub nullable: bool,
    /// Its own texts without the empty one can be written down (`convert.rs` does).
    pub can_exclude_empty: bool,
    /// How many characters it is written with, all rules in their places.
    pub size: usize,
    height: usize,
}

impl Info {
    /// Whether it may be one terminal, if that is exact. A terminal never matches the empty text.
    pub fn can_be_terminal(&self) -> bool {
        self.regular
            && (1..=MAX_SIZE).contains(&self.size)
            && self.height <= MAX_HEIGHT
            && (!self.nullable || self.can_exclude_empty)
    }
}

/// What is known about every expression, and about every rule. `order` has rules after those that
/// they use.
pub(super) fn all(
    grammar: &Grammar<'_>,
    uses: &[Vec<usize>],
    order: &[Vec<usize>],
) -> (Vec<Info>, Vec<Info>) {
    let mut info = vec![Info::default(); grammar.exprs.len()];
    let mut rules = vec![Info::default(); grammar.rules.len()];
    for component in order {
        let is_circle = component.len() > 1 || uses[component[0]].contains(&component[0]);
        for &rule in component {
            let body = grammar.rules[rule].body;
            below(grammar, body, &mut info, &rules);
            if !is_circle {
                rules[rule] = Info { height: info[body].height + 1, ..info[body] };
            }
        }
    }
    (info, rules)
}

fn below(grammar: &Grammar<'_>, expr: ExprId, info: &mut [Info], rules: &[Info]) {
    for &child in grammar.exprs[expr].children() {
        below(grammar, child, info, rules);
    }
    info[expr] = of(grammar, expr, info, rules);
}

/// What is known about `expr`, given the same about its parts and about the rules that it uses.
/// Rules that lead back to themselves have the default.
pub(super) fn of(grammar: &Grammar<'_>, expr: ExprId, info: &[Info], rules: &[Info]) -> Info {
    let leaf = |size| Info { regular: true, nullable: false, can_exclude_empty: true, size, height: 1 };
    let parts = || grammar.exprs[expr].children().iter().map(|&c| info[c]);
    let whole = || Info {
        regular: parts().all(|p| p.regular),
        size: parts().fold(0, |sum, p| sum.saturating_add(p.size)),
        height: parts().map(|p| p.height).max().unwrap_or(0).saturating_add(1),
        ..Info::default()
    };
    match &grammar.exprs[expr] {
        Expr::Set(_) => leaf(1),
        // Long literals cost no more than short ones.
        Expr::Literal(chars) => leaf(chars.len().min(MAX_SIZE)),
        Expr::Rule(rule) => rules[*rule],
        Expr::Seq(children) => {
            let nullable = parts().all(|p| p.nullable);
            let one = children.len() == 1 && parts().all(|p| p.can_exclude_empty);
            Info { nullable, can_exclude_empty: !nullable || one, ..whole() }
        }
        Expr::Alt(_) => Info {
            nullable: parts().any(|p| p.nullable),
            can_exclude_empty: parts().all(|p| !p.nullable || p.can_exclude_empty || p.size == 0),
            ..whole()
        },
        Expr::Repeat(_, _, Some(0)) => Info { regular: true, nullable: true, ..Info::default() },
        Expr::Repeat(_, min, _) => Info {
            nullable: *min == 0 || parts().any(|p| p.nullable),
            can_exclude_empty: parts().all(|p| !p.nullable || p.can_exclude_empty),
            ..whole()
        },
        _ => Info::default(),
    }
}
