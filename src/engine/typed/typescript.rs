//! What TypeScript expressions of a type may be.
//!
//! They pass `strict` with `noUncheckedIndexedAccess`. What a comparison with a literal or with
//! `undefined` would tell the compiler about a variable (narrowing) can make a comparison further
//! inside an error, so such comparisons stand only where nothing is inside. There is no `>`:
//! `f(a < b, c > (d))` is a call with type arguments.

use super::context::Make;
use super::rules::*;
use super::types::{Form, Type};

pub(super) fn ways(asked: &Asked) -> Vec<Way> {
    let is_deep = asked.depth > 0;
    match asked.grade {
        Grade::Any => {
            let mut ways = vec![vec![asked.same(Grade::Plain)], vec![asked.same(Grade::Choice)]];
            if *asked.ty == Type::Bool && is_deep {
                for other in asked.such(|ty| is_scalar(ty) && *ty != Type::Bool) {
                    for literal in literals(&other) {
                        let mut compared = way("@@", [asked.term(&other), IDENTICAL]);
                        compared.extend(literal);
                        ways.push(compared);
                    }
                }
            }
            ways
        }
        Grade::Choice if is_deep => {
            let condition = asked.inner(&Type::Bool, Grade::Plain);
            vec![way("@ ? @ : @", [condition, asked.any(asked.ty), asked.any(asked.ty)])]
        }
        Grade::Plain => {
            let mut ways = vec![vec![asked.same(Grade::Term)], vec![asked.same(Grade::Operation)]];
            ways.extend(literals(asked.ty));
            if asked.ty.is_number() {
                ways.extend(literals(asked.ty).into_iter().map(|literal| way("-@", literal)));
            }
            ways.extend(expected(asked));
            ways
        }
        Grade::Operand => {
            let mut ways = vec![vec![asked.same(Grade::Term)]];
            if is_scalar(asked.ty) {
                // A literal that is true or false would be compared with what is known.
                ways.extend(literals(asked.ty).into_iter().filter(|_| *asked.ty != Type::Bool));
                ways.push(way("(@)", [asked.same(Grade::Operation)]));
                ways.push(way("(@)", [asked.same(Grade::Choice)]));
            }
            ways
        }
        Grade::Side => {
            let mut ways = vec![vec![asked.same(Grade::Operand)]];
            ways.extend(if is_deep { comparisons(asked) } else { Vec::new() });
            ways
        }
        Grade::Operation if is_deep => operations(asked),
        Grade::Term => terms(asked),
        _ => Vec::new(),
    }
}

fn literals(ty: &Type) -> Vec<Way> {
    match ty {
        Type::Bool => vec![way("true", []), way("false", [])],
        Type::Float(_) => vec![vec![NUMBER]],
        Type::Text(_) => vec![vec![TEXT]],
        _ => Vec::new(),
    }
}

/// Values whose type is known only from where they stand.
fn expected(asked: &Asked) -> Vec<Way> {
    let mut ways = asked.function_names();
    for (form, none) in [(Form::Optional, "undefined"), (Form::Nullable, "null")] {
        if let Some(inside) = asked.ty.inside(form) {
            ways.push(way(none, []));
            ways.push(vec![asked.at(inside, Grade::Plain, asked.depth)]);
        }
    }
    if asked.ty.inside(Form::List).is_some() {
        ways.push(way("[]", []));
    }
    if asked.ty.inside(Form::Record).is_some() {
        ways.push(way("{}", []));
    }
    if asked.depth == 0 {
        return ways;
    }
    if let Some(item) = asked.ty.inside(Form::List) {
        ways.extend(asked.items("[", item, "]"));
    }
    if let Some(value) = asked.ty.inside(Form::Record) {
        ways.push(way("{ @: @ }", [TEXT, asked.any(value)]));
    }
    if let Type::Named(name) = asked.ty
        && let Some(defined) = asked.scene.context.defined(name).filter(|d| d.make == Make::Fields)
    {
        let mut made = Way::new();
        for (n, (field, ty)) in defined.fields.iter().enumerate() {
            let before = if n == 0 { "{ " } else { ", " };
            made.extend(way(&format!("{before}{field}: @"), [asked.any(ty)]));
        }
        let close = if made.is_empty() { "{}" } else { " }" };
        made.push(Piece::Text(close.into()));
        ways.push(made);
    }
    ways
}

fn operations(asked: &Asked) -> Vec<Way> {
    let ty = asked.ty;
    let chain = |operator: &Piece| [2, 3].map(|count| chained(&asked.operand(ty), operator, count));
    let mut ways = match ty {
        Type::Float(_) => {
            let mut ways = vec![way("-@", [asked.term(ty)])];
            ways.extend(chain(&REMAINDER));
            ways
        }
        Type::Text(_) => chain(&Piece::Text(" + ".into())).into(),
        Type::Bool => {
            let mut ways = vec![way("!@", [asked.operand(ty)])];
            ways.extend([2, 3].map(|count| chained(&asked.inner(ty, Grade::Side), &BOTH, count)));
            ways.extend(comparisons(asked));
            ways
        }
        _ => Vec::new(),
    };
    for form in [Form::Optional, Form::Nullable] {
        if let Some(maybe) = asked.made_of(form, ty) {
            ways.push(way("@ ?? @", [asked.term(&maybe), asked.operand(ty)]));
        }
    }
    ways
}

/// Comparisons that tell the compiler nothing.
fn comparisons(asked: &Asked) -> Vec<Way> {
    let mut ways = Vec::new();
    for other in asked.such(|ty| is_scalar(ty) && *ty != Type::Bool) {
        ways.push(way("@@@", [asked.operand(&other), UP_TO, asked.operand(&other)]));
        ways.push(way("@@@", [asked.term(&other), IDENTICAL, asked.term(&other)]));
    }
    ways
}

/// Ways to what belongs to `own` values: fields and methods of the type `gives`, after `dot`.
fn members(asked: &Asked, own: &Type, gives: &Type, dot: &str, ways: &mut Vec<Way>) {
    for defined in &asked.scene.context.types {
        let maybe = match own {
            Type::Named(name) if *name == defined.name => own.clone(),
            Type::Made(Form::Optional | Form::Nullable, parts)
                if parts.first() == Some(&Type::Named(defined.name.clone())) =>
            {
                own.clone()
            }
            _ => continue,
        };
        for (name, _) in defined.fields.iter().filter(|(_, field)| field == gives) {
            ways.push(way(&format!("@{dot}{name}"), [asked.term(&maybe)]));
        }
        for method in defined.methods.iter().filter(|m| m.gives == *gives) {
            let open = way(&format!("@{dot}{}(", method.name), [asked.term(&maybe)]);
            ways.push(listed(open, asked.arguments(method.types()), ")"));
        }
    }
}

fn terms(asked: &Asked) -> Vec<Way> {
    let ty = asked.ty;
    let context = asked.scene.context;
    let mut ways: Vec<Way> = asked.names(ty, false).collect();
    if asked.depth == 0 {
        return ways;
    }
    ways.extend(asked.calls());
    for defined in &context.types {
        let own = Type::Named(defined.name.clone());
        members(asked, &own, ty, ".", &mut ways);
        if let (Make::Call(takes), true) = (&defined.make, own == *ty) {
            ways.push(listed(way(&format!("new {}(", defined.name), []), asked.arguments(takes), ")"));
        }
        if let Some(inside) = ty.inside(Form::Optional) {
            for maybe in
                [Form::Optional, Form::Nullable].map(|form| asked.made_of(form, &own)).into_iter().flatten()
            {
                members(asked, &maybe, inside, "?.", &mut ways);
                members(asked, &maybe, ty, "?.", &mut ways);
            }
        }
    }
    let number = Type::Float("number".into());
    if let Some(inside) = ty.inside(Form::Optional) {
        for item in [inside, ty] {
            if let Some(list) = asked.made_of(Form::List, item) {
                ways.push(way("@[@]", [asked.term(&list), asked.any(&number)]));
            }
            if let Some(record) = asked.made_of(Form::Record, item) {
                let text = Type::Text("string".into());
                ways.push(way("@[@]", [asked.term(&record), asked.any(&text)]));
            }
            for (map, key) in asked.maps_to(item) {
                ways.push(way("@.get(@)", [asked.term(&map), asked.any(&key)]));
            }
        }
    }
    if let Some((key, value)) = ty.entries() {
        let spelled = asked.scene.language.spell(ty);
        ways.push(way(&format!("new {spelled}([[@, @]])"), [asked.any(key), asked.any(value)]));
    }
    if ty.inside(Form::List).is_some() {
        ways.push(way("@.slice(@)", [asked.term(ty), asked.any(&number)]));
        ways.push(way("@.concat(@)", [asked.term(ty), asked.term(ty)]));
    }
    let can = |name: &str| asked.can(name);
    match ty {
        Type::Float(_) => {
            for other in asked.such(|ty| matches!(ty, Type::Text(_) | Type::Made(Form::List, _))) {
                ways.push(way("@.length", [asked.term(&other)]));
            }
            for map in asked.such(|ty| ty.entries().is_some()) {
                ways.push(way("@.size", [asked.term(&map)]));
            }
            if can("Math") {
                ways.push(way("Math.max(@, @)", [asked.any(ty), asked.any(ty)]));
                ways.push(way("Math.round(@)", [asked.any(ty)]));
            }
        }
        Type::Text(_) => {
            for name in ["toUpperCase", "toLowerCase", "trim"] {
                ways.push(way(&format!("@.{name}()"), [asked.term(ty)]));
            }
            for other in asked.such(Type::is_number).iter().filter(|_| can("String")) {
                ways.push(way("String(@)", [asked.any(other)]));
            }
            for list in asked.such(|ty| ty.inside(Form::List).is_some_and(is_scalar)) {
                ways.push(way("@.join(@)", [asked.term(&list), asked.any(ty)]));
            }
        }
        Type::Bool => {
            for text in asked.such(|ty| matches!(ty, Type::Text(_))) {
                ways.push(way("@.startsWith(@)", [asked.term(&text), asked.any(&text)]));
                ways.push(way("@.includes(@)", [asked.term(&text), asked.any(&text)]));
            }
            for list in asked.such(|ty| ty.inside(Form::List).is_some_and(is_scalar)) {
                if let Some(item) = list.inside(Form::List) {
                    ways.push(way("@.includes(@)", [asked.term(&list), asked.any(item)]));
                }
            }
            for map in asked.such(|ty| ty.entries().is_some()) {
                if let Some((key, _)) = map.entries() {
                    ways.push(way("@.has(@)", [asked.term(&map), asked.any(key)]));
                }
            }
        }
        _ => {}
    }
    ways
}
