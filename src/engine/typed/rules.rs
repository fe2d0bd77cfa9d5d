//! What the rules of the grammars are made of, and how a language says what a rule may be.
//!
//! A [`Symbol`] is a rule: the values of a type, of one kind, to a depth, where so many local
//! variables are known. A language gives the [`Way`]s of a symbol, and may name any symbol of a
//! smaller depth in them, whether anything can produce it or not: [`emit`](super::emit) finds out.

use std::collections::BTreeSet;

use super::context::{Context, Function, Variable};
use super::language::Language;
use super::types::{Form, Type};

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Symbol {
    /// Expressions of a type.
    Value {
        ty: Type,
        grade: Grade,
        /// How deep others may be inside.
        depth: u8,
        /// How many of the local variables are known.
        scope: u8,
    },
    /// Statements that end by returning.
    Block {
        scope: u8,
        /// How deep the block is, the body of the function being 1.
        indent: u8,
        /// How many conditions may come yet.
        left: u8,
    },
}

/// Where an expression may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Grade {
    /// Where its type is expected: returned, as an argument, in a list.
    Any,
    /// The same, without a conditional at its outside.
    Plain,
    /// A conditional.
    Choice,
    /// An operation: in need of brackets beside an operator.
    Operation,
    /// Beside an operator.
    Operand,
    /// Beside a logical operator: a comparison needs no brackets there.
    Side,
    /// Before a dot or a bracket; never a value that the compiler knows.
    Term,
    /// Rust: what can be borrowed.
    Place,
}

/// A part of a way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Piece {
    Text(String),
    Terminal(Terminal),
    Symbol(Symbol),
}

/// A terminal: its name and what it is in Lark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Terminal {
    pub name: &'static str,
    pub lark: &'static str,
}

/// One alternative of a rule.
pub(super) type Way = Vec<Piece>;

macro_rules! terminals {
    ($($name:ident = $lark:expr;)*) => {
        $(pub(super) const $name: Piece = Piece::Terminal(Terminal { name: stringify!($name), lark: $lark });)*
    };
}

terminals! {
    INT = "/0|[1-9][0-9]{0,4}/";
    SMALL = "/0|[1-9][0-9]?/";
    COUNT = "/[1-9][0-9]{0,2}/";
    SMALL_COUNT = "/[1-9][0-9]?/";
    FLOAT = r"/(0|[1-9][0-9]{0,4})\.[0-9]{1,4}/";
    NUMBER = r"/(0|[1-9][0-9]{0,4})(\.[0-9]{1,4})?/";
    TEXT = r#"/"[ !#-\[\]-~]{0,40}"/"#;
    SUM = r#"" + " | " - " | " * ""#;
    DIVISION = r#"" / " | " % ""#;
    FLOOR = r#"" // " | " % ""#;
    ARITHMETIC = r#"" + " | " - " | " * " | " / ""#;
    REMAINDER = r#"" + " | " - " | " * " | " / " | " % ""#;
    COMPARE = r#"" == " | " != " | " < " | " <= " | " > " | " >= ""#;
    ORDER = r#"" < " | " <= " | " > " | " >= ""#;
    UP_TO = r#"" < " | " <= " | " >= ""#;
    EQUAL = r#"" == " | " != ""#;
    IDENTICAL = r#"" === " | " !== ""#;
    LOGIC = r#"" and " | " or ""#;
    BOTH = r#"" && " | " || ""#;
}

/// `template` with `parts` in place of its `@`.
pub(super) fn way(template: &str, parts: impl IntoIterator<Item = Piece>) -> Way {
    let mut parts = parts.into_iter();
    let mut made = Way::new();
    for (n, text) in template.split('@').enumerate() {
        if n > 0 {
            made.extend(parts.next());
        }
        if !text.is_empty() {
            made.push(Piece::Text(text.to_owned()));
        }
    }
    made
}

/// A call: `open`, the arguments, `close`.
pub(super) fn listed(open: Way, parts: Vec<Piece>, close: &str) -> Way {
    let mut made = open;
    if let (true, Some(Piece::Text(last))) = (parts.is_empty(), made.last_mut()) {
        last.push_str(close);
        return made;
    }
    for (n, part) in parts.into_iter().enumerate() {
        if n > 0 {
            made.push(Piece::Text(", ".into()));
        }
        made.push(part);
    }
    made.push(Piece::Text(close.into()));
    made
}

/// All that a grammar is made from.
pub(super) struct Scene<'a> {
    pub language: Language,
    pub context: &'a Context,
    /// The variables that a body may declare, in order.
    pub locals: &'a [Variable],
    /// What is returned.
    pub returns: &'a Type,
    /// The depth of the outermost expressions.
    pub depth: u8,
    /// All types that occur.
    pub universe: BTreeSet<Type>,
}

/// What is asked of a language: the ways of one symbol.
pub(super) struct Asked<'a> {
    pub scene: &'a Scene<'a>,
    pub ty: &'a Type,
    pub grade: Grade,
    pub depth: u8,
    pub scope: u8,
}

impl Asked<'_> {
    /// A value that is not known and an operand, with `operator` between them.
    pub(super) fn two(&self, operator: &Piece) -> [Way; 2] {
        self.unknown(self.ty).map(|mut made| {
            made.extend([operator.clone(), self.operand(self.ty)]);
            made
        })
    }

    /// What is done with numbers, two at a time, where the compiler follows what is known.
    pub(super) fn sums(&self) -> Vec<Way> {
        let mut ways = match self.ty {
            Type::Int(_) => [self.two(&SUM), self.two(&DIVISION)].concat(),
            Type::Float(_) => self.two(&ARITHMETIC).into(),
            _ => Vec::new(),
        };
        ways.extend(self.ty.is_signed().then(|| way("-@", [self.term(self.ty)])));
        ways
    }

    /// Another kind of the same type and depth.
    pub(super) fn same(&self, grade: Grade) -> Piece {
        self.at(self.ty, grade, self.depth)
    }

    /// Another type at the same depth.
    pub(super) fn at(&self, ty: &Type, grade: Grade, depth: u8) -> Piece {
        Piece::Symbol(Symbol::Value { ty: ty.clone(), grade, depth, scope: self.scope })
    }

    /// What stands inside, one less deep. There is none at depth 0, which nobody asks for.
    pub(super) fn inner(&self, ty: &Type, grade: Grade) -> Piece {
        self.at(ty, grade, self.depth.saturating_sub(1))
    }

    pub(super) fn any(&self, ty: &Type) -> Piece {
        self.inner(ty, Grade::Any)
    }

    pub(super) fn operand(&self, ty: &Type) -> Piece {
        self.inner(ty, Grade::Operand)
    }

    pub(super) fn term(&self, ty: &Type) -> Piece {
        self.inner(ty, Grade::Term)
    }

    pub(super) fn place(&self, ty: &Type) -> Piece {
        self.inner(ty, Grade::Place)
    }

    /// What stands on the left of an operator, where the compiler must not know the value.
    pub(super) fn unknown(&self, ty: &Type) -> [Way; 2] {
        [way("@", [self.term(ty)]), way("(@)", [self.inner(ty, Grade::Operation)])]
    }

    /// The variables that are known here.
    pub(super) fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.scene.context.variables.iter().chain(self.scene.locals.iter().take(self.scope.into()))
    }

    /// Whether a name of the language means what the language says.
    pub(super) fn can(&self, name: &str) -> bool {
        !self.scene.context.shadows(name) && !self.scene.locals.iter().any(|local| local.name == name)
    }

    /// The names of variables of a type; `constant` says whether of those that the compiler knows.
    pub(super) fn names(&self, ty: &Type, constant: bool) -> impl Iterator<Item = Way> {
        let of_type: Vec<Way> = self
            .variables()
            .filter(|v| v.ty == *ty && v.constant == constant)
            .map(|v| way(&v.name, []))
            .collect();
        of_type.into_iter()
    }

    /// Arguments for `takes`.
    pub(super) fn arguments<'t>(&self, takes: impl IntoIterator<Item = &'t Type>) -> Vec<Piece> {
        takes.into_iter().map(|ty| self.any(ty)).collect()
    }

    /// Calls of functions, and of variables that hold functions, that give the type.
    pub(super) fn calls(&self) -> Vec<Way> {
        let mut found = Vec::new();
        for f in self.scene.context.functions.iter().filter(|f| f.gives == *self.ty) {
            found.push(listed(way(&format!("{}(", f.name), []), self.arguments(f.types()), ")"));
        }
        for v in self.variables() {
            if let Some((takes, gives)) = v.ty.signature()
                && gives == self.ty
            {
                found.push(listed(way(&format!("{}(", v.name), []), self.arguments(takes), ")"));
            }
        }
        found
    }

    /// The names of functions that are values of the type.
    pub(super) fn function_names(&self) -> Vec<Way> {
        let Some((takes, gives)) = self.ty.signature() else { return Vec::new() };
        let same = |f: &&Function| f.gives == *gives && f.types().eq(takes.iter());
        self.scene.context.functions.iter().filter(same).map(|f| way(&f.name, [])).collect()
    }

    /// Whether the type occurs.
    pub(super) fn occurs(&self, ty: &Type) -> bool {
        self.scene.universe.contains(ty)
    }

    /// The types that occur and are made of `inside` alone by `form`.
    pub(super) fn made_of(&self, form: Form, inside: &Type) -> Option<Type> {
        let ty = Type::Made(form, vec![inside.clone()]);
        self.occurs(&ty).then_some(ty)
    }

    /// The maps that occur and have `value`s.
    pub(super) fn maps_to(&self, value: &Type) -> Vec<(Type, Type)> {
        let all = self.scene.universe.iter();
        let of_value = all.filter_map(|ty| ty.entries().filter(|(_, v)| *v == value).map(|(k, _)| (ty, k)));
        of_value.map(|(ty, key)| (ty.clone(), key.clone())).collect()
    }

    /// The types that occur and for which `is` holds.
    pub(super) fn such(&self, is: impl Fn(&Type) -> bool) -> Vec<Type> {
        self.scene.universe.iter().filter(|ty| is(ty)).cloned().collect()
    }

    /// A list of one or two values between brackets.
    pub(super) fn items(&self, open: &str, item: &Type, close: &str) -> [Way; 2] {
        let items = |count| listed(way(open, []), vec![self.any(item); count], close);
        [items(1), items(2)]
    }
}

impl Function {
    /// The types that it takes.
    pub(super) fn types(&self) -> impl Iterator<Item = &Type> {
        self.takes.iter().map(|(_, ty)| ty)
    }
}

/// `parts` with an operator between.
pub(super) fn chained(part: &Piece, operator: &Piece, count: usize) -> Way {
    let parts = (0..count * 2 - 1).map(|n| if n % 2 == 0 { part } else { operator });
    parts.cloned().collect()
}

/// Whether values of the type have literals and operators of their own.
pub(super) fn is_scalar(ty: &Type) -> bool {
    matches!(ty, Type::Bool | Type::Int(_) | Type::Float(_) | Type::Text(_))
}
