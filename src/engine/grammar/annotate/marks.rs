//! What the marks of an annotated text mean: names, and places in the person's text. Data only.

use std::ops::Range;

use crate::engine::grammar::document::Document;

/// What an annotated text speaks of.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Marks {
    /// What every mark starts with.
    pub prefix: String,
    /// Rules, in the order of their definitions. Those of nested grammars come where they stand.
    pub rules: Vec<RuleMark>,
    /// Mark `a3` is the alternative 3 of these.
    pub alternatives: Vec<AlternativeMark>,
    /// Mark `u3` is the use 3 of these.
    pub uses: Vec<UseMark>,
    /// `%ignore` statements of the outermost grammar: what follows the directive.
    pub ignored: Vec<Range<usize>>,
    /// A JSON Schema, which has no marks.
    pub schema: Option<Document>,
    /// Whether `%llguidance` asks for `ignore_once` in the outermost grammar.
    pub ignore_once: bool,
}

/// A rule's definition.
#[derive(Clone, Debug)]
pub(in crate::engine) struct RuleMark {
    /// Its name, without `?` and `!`.
    pub name: String,
    /// The name's place.
    pub span: Range<usize>,
    /// The place of the whole definition.
    pub whole: Range<usize>,
    /// Whether attributes (`[stop=…]`) make one terminal of its body.
    pub is_terminal: bool,
    /// Whether it only groups what belongs to the rule around it, and has no name for people.
    pub is_hidden: bool,
}

/// An alternative of a rule.
#[derive(Clone, Debug)]
pub(in crate::engine) struct AlternativeMark {
    /// Into [`Marks::rules`].
    pub rule: usize,
    /// Counted from 0.
    pub index: usize,
    /// Its place, a condition included.
    pub span: Range<usize>,
    /// Whether it is `""`. Such an alternative leaves no mark.
    pub is_empty: bool,
}

/// What is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum UseKind {
    Rule,
    Terminal,
    String,
    Regex,
    /// `~…`, a range or `%regex`: an expression that is one terminal.
    Expression,
    Special,
    Json,
    /// A nested `%lark`, and whether it ignores only once.
    Lark {
        ignore_once: bool,
    },
}

/// A use in the body of a rule.
#[derive(Clone, Debug)]
pub(in crate::engine) struct UseMark {
    /// The rule it stands in, into [`Marks::rules`].
    pub rule: usize,
    /// Its place.
    pub span: Range<usize>,
    pub kind: UseKind,
    /// The rule it names, into [`Marks::rules`].
    pub target: Option<usize>,
    /// For a terminal that has a name: the place of what it is defined as.
    pub definition: Option<Range<usize>>,
}

impl Marks {
    /// Moves every place to that of the text that the annotated one was made from.
    pub fn move_to(&mut self, place: impl Fn(Range<usize>) -> Range<usize>) {
        for rule in &mut self.rules {
            rule.span = place(rule.span.clone());
            rule.whole = place(rule.whole.clone());
        }
        self.alternatives.iter_mut().for_each(|a| a.span = place(a.span.clone()));
        self.ignored.iter_mut().for_each(|i| *i = place(i.clone()));
        for used in &mut self.uses {
            used.span = place(used.span.clone());
            used.definition = used.definition.take().map(&place);
        }
    }
}
