//! The statements of a function's body, from its first line on, without what closes it.
//!
//! Every way through a body ends by returning. A body may declare the local variables that the
//! person names, in their order, and knows those that it declared.

use super::language::Language;
use super::rules::*;
use super::types::{Form, Type};

/// The deepest that blocks nest, the body being 1.
const MAX_INDENT: u8 = 2;

/// How many conditions a block may have.
pub(super) const CONDITIONS: u8 = 2;

/// The ways of a block.
pub(super) fn ways(scene: &Scene, scope: u8, indent: u8, left: u8) -> Vec<Way> {
    let value = |ty, grade, depth| Piece::Symbol(Symbol::Value { ty, grade, depth, scope });
    let block = |scope, indent, left| Piece::Symbol(Symbol::Block { scope, indent, left });
    let line = if scene.language == Language::Go { "\t" } else { "    " }.repeat(indent.into());
    let result = || value(scene.returns.clone(), Grade::Any, scene.depth);
    let end = match scene.language {
        Language::Python | Language::Go => "\n",
        Language::TypeScript | Language::Rust => ";\n",
    };
    let mut ways = vec![way(&format!("{line}return @{end}"), [result()])];
    if left > 0 && indent < MAX_INDENT {
        let condition = || value(Type::Bool, Grade::Plain, scene.depth.saturating_sub(1));
        let inner = || block(scope, indent + 1, 0);
        let (open, closed) = match scene.language {
            Language::Python => ("if @:\n", ""),
            Language::TypeScript => ("if (@) {\n", "}\n"),
            Language::Rust | Language::Go => ("if @ {\n", "}\n"),
        };
        let close = if closed.is_empty() { String::new() } else { format!("{line}{closed}") };
        let early = format!("{line}{open}@{close}@");
        ways.push(way(&early, [condition(), inner(), block(scope, indent, left - 1)]));
        let other = match scene.language {
            Language::Python => "else:\n",
            _ => "} else {\n",
        };
        let both = format!("{line}{open}@{line}{other}@{close}");
        ways.push(way(&both, [condition(), inner(), inner()]));
    }
    // A block inside would hide its own, or in Python be in the way of what comes after it.
    if let Some(local) = scene.locals.get(usize::from(scope)).filter(|_| indent == 1) {
        let (name, ty) = (&local.name, scene.language.spell(&local.ty));
        let rest = || block(scope + 1, indent, left);
        let declared = match scene.language {
            Language::Python => format!("{line}{name}: {ty} = @\n@"),
            Language::TypeScript => format!("{line}const {name}: {ty} = @;\n@"),
            Language::Rust => format!("{line}let {name}: {ty} = @;\n@"),
            // Go refuses a variable that nothing uses.
            Language::Go => format!("{line}var {name} {ty} = @\n{line}_ = {name}\n@"),
        };
        let is_absent = |ty: &Type| matches!(ty, Type::Made(Form::Optional | Form::Nullable, _));
        let grades = match scene.language {
            // What the compiler knows of a number, in a struct as well, it would follow to where it overflows.
            Language::Rust if scene.context.holds_number(&local.ty) => &[Grade::Term, Grade::Operation][..],
            // A variable that is set to `undefined` is nothing else to the compiler from there on.
            Language::TypeScript if is_absent(&local.ty) => &[Grade::Term],
            _ => &[Grade::Any],
        };
        for grade in grades {
            ways.push(way(&declared, [value(local.ty.clone(), *grade, scene.depth), rest()]));
        }
    }
    ways
}
