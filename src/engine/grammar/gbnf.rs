//! llama.cpp's grammar language (GBNF), read in full and turned into llguidance's Lark.
//!
//! GBNF knows characters and rules, nothing between: it has no lexer. llguidance has one, and it
//! always takes the longest lexeme. [`convert`](to_lark) keeps the language exactly: a terminal of
//! the Lark text is one character, or more only where a proof says that the longest match is the
//! only one (`gbnf/merge.rs`). What is wrong with a text is said in places of that text, never of
//! the converted one. This folder must never ask llguidance anything.

use std::collections::HashMap;
use std::ops::Range;

use super::messages::Finding;
use crate::engine::trace::TokenId;

mod chars;
mod check;
mod convert;
mod lint;
mod merge;
mod parse;

use chars::CharSet;

/// The rule that a text has to follow.
const ROOT: &str = "root";

/// A token that a grammar can name: its text and its id.
pub(super) type NamedToken = (String, TokenId);

/// The place of an expression in [`Grammar::exprs`].
type ExprId = usize;

/// A parsed text.
#[derive(Debug, Default)]
struct Grammar<'a> {
    exprs: Vec<Expr<'a>>,
    /// Where each expression stands, as far as they have been read and not put together later.
    spans: Vec<Range<usize>>,
    rules: Vec<Rule<'a>>,
}

impl Grammar<'_> {
    /// Where an expression stands: its own place, or from its first part to its last.
    fn span(&self, expr: ExprId) -> Range<usize> {
        if let Some(known) = self.spans.get(expr).filter(|s| !s.is_empty()) {
            return known.clone();
        }
        let parts = self.exprs[expr].children().iter().map(|&part| self.span(part));
        parts.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)).unwrap_or(0..0)
    }
}

#[derive(Debug)]
struct Rule<'a> {
    name: &'a str,
    /// The name's place.
    span: Range<usize>,
    body: ExprId,
}

#[derive(Clone, Debug)]
enum Expr<'a> {
    /// One character.
    Set(CharSet),
    /// Two characters or more, in this order.
    Literal(Vec<char>),
    /// One after the other; the empty text if there is none.
    Seq(Vec<ExprId>),
    /// One of them.
    Alt(Vec<ExprId>),
    /// This often: at least, at most.
    Repeat(ExprId, u32, Option<u32>),
    /// A use of a name.
    Name(&'a str, Range<usize>),
    /// A use of a rule, once all names are known.
    Rule(usize),
    /// A token of the model, or any other one.
    Token { negated: bool, name: &'a str, span: Range<usize> },
    /// The same once it is known: its id.
    TokenId { negated: bool, id: TokenId },
}

impl Expr<'_> {
    fn children(&self) -> &[ExprId] {
        match self {
            Self::Seq(children) | Self::Alt(children) => children,
            Self::Repeat(child, ..) => std::slice::from_ref(child),
            _ => &[],
        }
    }
}

/// A text in Lark that accepts exactly what the GBNF text accepts.
#[derive(Debug)]
pub(super) struct Converted {
    pub lark: String,
    /// The rule of the GBNF text that each line of the Lark text comes from, by its name's place.
    pub lines: Vec<Range<usize>>,
    /// What will surprise.
    pub warnings: Vec<Finding>,
}

/// The names of a text, each with its place.
pub(super) struct Names<'a> {
    pub rules: Vec<(&'a str, Range<usize>)>,
    pub uses: Vec<(&'a str, Range<usize>)>,
}

/// The rules of a text and the uses of their names, as far as it can be read.
pub(super) fn names(text: &str) -> Names<'_> {
    let (grammar, _) = parse::parse(text);
    let uses = grammar.exprs.iter().filter_map(|expr| match expr {
        Expr::Name(name, span) => Some((*name, span.clone())),
        _ => None,
    });
    let mut uses: Vec<_> = uses.collect();
    uses.sort_by_key(|(_, span)| span.start);
    Names { rules: grammar.rules.iter().map(|rule| (rule.name, rule.span.clone())).collect(), uses }
}

/// The same text in Lark with a name for every terminal, so that each can be found in the GBNF text.
#[derive(Debug)]
pub(super) struct Marked {
    pub lark: String,
    /// What each line of the Lark text defines.
    pub lines: Vec<Line>,
    /// The places that the names of the Lark text stand for.
    pub names: HashMap<String, Range<usize>>,
}

/// A line of the Lark text.
#[derive(Debug)]
pub(super) struct Line {
    /// The rule of the GBNF text, unless the line is only a part of one.
    pub rule: Option<String>,
    /// The place of the rule's name; of the part.
    pub span: Range<usize>,
    /// The place of what is defined.
    pub body: Range<usize>,
    /// The places of its alternatives.
    pub alternatives: Vec<Range<usize>>,
}

/// Turns GBNF into Lark as [`to_lark`] does, every terminal with a name. `None` if the text is wrong.
pub(super) fn to_marked_lark(text: &str, tokens: &[NamedToken], vocabulary: usize) -> Option<Marked> {
    let (mut grammar, mut findings) = parse::parse(text);
    findings.extend(check::resolve(&mut grammar, tokens, vocabulary));
    (findings.is_empty() && check::meaning(&grammar).is_ok()).then(|| convert::write_marked(&mut grammar))
}

/// Turns GBNF into Lark. `tokens` are the tokens that have a name in angle brackets, and
/// `vocabulary` is the number of all.
///
/// # Errors
/// Everything that is wrong with the text, in order.
pub(super) fn to_lark(
    text: &str,
    tokens: &[NamedToken],
    vocabulary: usize,
) -> Result<Converted, Vec<Finding>> {
    let (mut grammar, mut findings) = parse::parse(text);
    let is_foreign = findings.iter().any(|f| f.code == "lark");
    if !is_foreign {
        findings.extend(check::resolve(&mut grammar, tokens, vocabulary));
    }
    if findings.is_empty() {
        match check::meaning(&grammar) {
            Ok(mut warnings) => {
                warnings.extend(lint::traps(&grammar, text));
                let (lark, lines) = convert::write(&mut grammar);
                return Ok(Converted { lark, lines, warnings });
            }
            Err(finding) => findings.push(finding),
        }
    }
    findings.sort_by_key(|f| f.span.start);
    Err(findings)
}
