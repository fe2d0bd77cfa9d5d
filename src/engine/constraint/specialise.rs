//! Rules with a parameter, written out: one rule without a parameter for every argument that is asked for.
//!
//! llguidance 1.9.1 completes a rule for every use of it that waits in the same row, whatever its argument, so
//! that `block::1` would pass for `block::2` where both may begin. Written out, they are two rules. It must
//! never change what else a grammar accepts, and leaves one alone whose arguments are too many.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use llguidance::api::{GrammarInit, ParserLimits, TopLevelGrammar};
use llguidance::earley::lexerspec::LexerSpec;
use llguidance::earley::{CGrammar, CSymIdx, Grammar, ParamExpr, ParamValue, SymIdx};
use llguidance::toktrie::TokEnv;

/// The most rules that are written once more for another argument, and the most parts of their bodies.
pub const MAX_RULES: usize = 4096;
pub const MAX_PARTS: usize = 65_536;

/// What a grammar is made into.
pub(super) struct Specialised {
    pub init: GrammarInit,
    /// Why its rules could not be written out; their arguments are not told apart then.
    pub inexact: Option<TooMany>,
}

/// There are too many arguments.
pub(super) struct TooMany {
    /// The rule that is asked for with the most, and how many were found.
    pub rule: String,
    pub arguments: usize,
}

/// Writes out the rules of `grammar`.
///
/// # Errors
/// llguidance's message, if it refuses the grammar.
pub(super) fn specialise(
    grammar: TopLevelGrammar,
    environment: &TokEnv,
    limits: &ParserLimits,
) -> anyhow::Result<Specialised> {
    let has_parameters =
        grammar.grammars.iter().any(|g| g.lark_grammar.as_ref().is_some_and(|text| text.contains("::")));
    let init = GrammarInit::Serialized(grammar);
    if !has_parameters {
        return Ok(Specialised { init, inexact: None });
    }
    let (grammar, spec) = init.to_internal(Some(environment.clone()), limits.clone())?;
    let compiled = grammar.compile(spec.clone(), limits)?;
    if !compiled.parametric() {
        return Ok(Specialised { init: GrammarInit::Internal(grammar, spec), inexact: None });
    }
    let (grammar, inexact) = match Writer::new(&compiled, &spec).write()? {
        Ok(written) => (written, None),
        Err(rule) => (grammar, Some(rule)),
    };
    Ok(Specialised { init: GrammarInit::Internal(grammar, spec), inexact })
}

/// Writes a grammar out.
struct Writer<'g> {
    from: &'g CGrammar,
    spec: &'g LexerSpec,
    out: Grammar,
    known: HashMap<(CSymIdx, u64), SymIdx>,
    /// Those whose rules are not written yet.
    waiting: Vec<(CSymIdx, u64)>,
}

impl<'g> Writer<'g> {
    fn new(from: &'g CGrammar, spec: &'g LexerSpec) -> Self {
        let (known, waiting) = (HashMap::new(), Vec::new());
        Self { from, spec, out: Grammar::new(None), known, waiting }
    }

    /// The whole grammar; if it becomes too large, why.
    fn write(mut self) -> anyhow::Result<Result<Grammar, TooMany>> {
        // The first symbol of a grammar is its start.
        self.symbol(self.from.start(), 0)?;
        // What a grammar has without any argument may be as much as llguidance takes.
        let mut written = HashSet::new();
        let (mut copies, mut parts) = (0, 0);
        while let Some((symbol, argument)) = self.waiting.pop() {
            let lhs = self.known[&(symbol, argument)];
            let is_copy = !written.insert(symbol);
            copies += usize::from(is_copy);
            let data = self.from.sym_data(symbol);
            let holds = ParamValue(argument);
            if data.is_nullable || data.cond_nullable.iter().any(|condition| condition.eval(holds)) {
                self.out.add_rule(lhs, Vec::new())?;
            }
            for (&rule, condition) in data.rules.iter().zip(&data.rules_cond) {
                if !condition.eval(holds) {
                    continue;
                }
                let (symbols, arguments, _) = self.from.rule_rhs(rule);
                let body = symbols.iter().zip(arguments).map(|(&symbol, argument)| {
                    let argument = if *argument == ParamExpr::Null { 0 } else { argument.eval(holds).0 };
                    self.symbol(symbol, argument)
                });
                let body = body.collect::<anyhow::Result<Vec<_>>>()?;
                parts += if is_copy { body.len() } else { 0 };
                self.out.add_rule(lhs, body)?;
            }
            if copies > MAX_RULES || parts > MAX_PARTS {
                return Ok(Err(self.most_asked()));
            }
        }
        Ok(Ok(self.out))
    }

    fn most_asked(&self) -> TooMany {
        let mut counts: HashMap<CSymIdx, usize> = HashMap::new();
        self.known.keys().for_each(|(symbol, _)| *counts.entry(*symbol).or_default() += 1);
        let most = counts.into_iter().max_by_key(|&(symbol, count)| (count, Reverse(symbol.as_index())));
        let (rule, arguments) = most
            .map_or_else(Default::default, |(symbol, count)| (self.from.sym_name(symbol).to_owned(), count));
        TooMany { rule, arguments }
    }

    /// A symbol with its argument, as a symbol of the grammar that is written.
    fn symbol(&mut self, symbol: CSymIdx, argument: u64) -> anyhow::Result<SymIdx> {
        if let Some(&known) = self.known.get(&(symbol, argument)) {
            return Ok(known);
        }
        let data = self.from.sym_data(symbol);
        let mut properties = data.props.clone();
        properties.parametric = false;
        let name = if argument == 0 { data.name.clone() } else { format!("{}::{argument}", data.name) };
        let written = self.out.fresh_symbol_ext(&name, properties);
        self.known.insert((symbol, argument), written);
        if let Some(lexeme) = data.lexeme {
            self.out.make_terminal(written, lexeme, self.spec)?;
        } else {
            if let Some(nested) = &data.gen_grammar {
                self.out.make_gen_grammar(written, nested.clone())?;
            }
            self.waiting.push((symbol, argument));
        }
        Ok(written)
    }
}
