//! What Go expressions of a type may be.
//!
//! They pass `go vet`. The compiler evaluates what it knows, and refuses an overflow or a division
//! by zero there, so that the left of every operator is something it does not know. Vet refuses
//! `a || a`, so the two sides of a logical operator are never of one form.

use super::context::{Make, Receiver};
use super::rules::*;
use super::types::{Form, Type};

pub(super) fn ways(asked: &Asked) -> Vec<Way> {
    match asked.grade {
        Grade::Any | Grade::Plain => {
            let mut ways = vec![vec![asked.same(Grade::Term)], vec![asked.same(Grade::Operation)]];
            ways.extend(literals(asked.ty, false));
            if asked.ty.is_signed() {
                ways.extend(literals(asked.ty, false).into_iter().map(|literal| way("-@", literal)));
            }
            ways.extend(expected(asked));
            ways
        }
        Grade::Operand => {
            let mut ways = vec![vec![asked.same(Grade::Term)]];
            if is_scalar(asked.ty) {
                ways.extend(literals(asked.ty, true));
                ways.push(way("(@)", [asked.same(Grade::Operation)]));
            }
            ways
        }
        Grade::Operation if asked.depth > 0 => operations(asked),
        Grade::Term => terms(asked),
        _ => Vec::new(),
    }
}

fn is_small(name: &str) -> bool {
    name.ends_with('8') || name.ends_with("16")
}

fn literals(ty: &Type, is_operand: bool) -> Vec<Way> {
    match ty {
        Type::Bool => vec![way("true", []), way("false", [])],
        Type::Int(name) => vec![vec![match (is_small(name), is_operand) {
            (true, true) => SMALL_COUNT,
            (true, false) => SMALL,
            (false, true) => COUNT,
            (false, false) => INT,
        }]],
        Type::Float(_) => vec![vec![if is_operand { COUNT } else { FLOAT }]],
        Type::Text(_) => vec![vec![TEXT]],
        _ => Vec::new(),
    }
}

/// Values that stand where nothing comes behind them.
fn expected(asked: &Asked) -> Vec<Way> {
    let ty = asked.ty;
    let is_deep = asked.depth > 0;
    let spelled = asked.scene.language.spell(ty);
    let mut ways = asked.function_names();
    if let Some(inside) = ty.inside(Form::Optional) {
        ways.push(way("nil", []));
        ways.extend(asked.variables().filter(|v| v.ty == *inside).map(|v| way(&format!("&{}", v.name), [])));
        if let (Type::Named(name), true) = (inside, is_deep) {
            ways.extend(made(asked, name, "&"));
        }
    }
    let is_literal =
        |name: &String| asked.scene.context.defined(name).is_some_and(|d| d.make == Make::Fields);
    let is_made = match ty {
        Type::Named(name) => is_literal(name),
        Type::Made(form, _) => matches!(form, Form::List | Form::Map),
        _ => false,
    };
    if is_made {
        ways.push(way(&format!("{spelled}{{}}"), []));
    }
    if !is_deep {
        return ways;
    }
    if let Type::Named(name) = ty {
        ways.extend(made(asked, name, ""));
    }
    if let Some(item) = ty.inside(Form::List) {
        ways.extend(asked.items(&format!("{spelled}{{"), item, "}"));
        if asked.can("append") {
            ways.push(way("append(@, @)", [asked.term(ty), asked.any(item)]));
        }
    }
    if let Some((key, value)) = ty.entries() {
        ways.push(way(&format!("{spelled}{{@: @}}"), [asked.any(key), asked.any(value)]));
    }
    ways
}

/// A literal of a struct.
fn made(asked: &Asked, name: &str, before: &str) -> Option<Way> {
    let defined = asked.scene.context.defined(name).filter(|d| d.make == Make::Fields)?;
    let mut made = way(&format!("{before}{name}{{"), []);
    for (n, (field, ty)) in defined.fields.iter().enumerate() {
        let comma = if n == 0 { "" } else { ", " };
        made.extend(way(&format!("{comma}{field}: @"), [asked.any(ty)]));
    }
    made.push(Piece::Text("}".into()));
    Some(made)
}

fn operations(asked: &Asked) -> Vec<Way> {
    let ty = asked.ty;
    let mut ways = asked.sums();
    match ty {
        Type::Text(_) => ways.extend(asked.two(&Piece::Text(" + ".into()))),
        Type::Bool => {
            for compared in comparisons(asked) {
                let mut both = way("@@", [asked.term(ty), BOTH]);
                both.extend(compared.clone());
                ways.extend([compared, both]);
            }
            ways.push(way("!@", [asked.term(ty)]));
            // Two texts, as a pointer in brackets may follow `!` as well.
            ways.push(way("@(@)", [Piece::Text("!".into()), asked.inner(ty, Grade::Operation)]));
        }
        _ => {}
    }
    ways
}

fn comparisons(asked: &Asked) -> Vec<Way> {
    let mut found = Vec::new();
    for other in asked.such(|ty| is_scalar(ty) && *ty != Type::Bool) {
        for mut compared in asked.unknown(&other) {
            compared.extend([COMPARE, asked.operand(&other)]);
            found.push(compared);
        }
    }
    for pointer in asked.such(|ty| ty.inside(Form::Optional).is_some()) {
        found.push(way("@@nil", [asked.term(&pointer), EQUAL]));
    }
    found
}

fn terms(asked: &Asked) -> Vec<Way> {
    let ty = asked.ty;
    let mut ways: Vec<Way> = asked.names(ty, false).collect();
    if asked.depth == 0 {
        return ways;
    }
    ways.extend(asked.calls());
    for defined in &asked.scene.context.types {
        let own = Type::Named(defined.name.clone());
        let pointer = asked.made_of(Form::Optional, &own);
        let owners: Vec<Type> = [Some(own.clone()), pointer.clone()].into_iter().flatten().collect();
        for (name, _) in defined.fields.iter().filter(|(_, field)| field == ty) {
            ways.extend(owners.iter().map(|owner| way(&format!("@.{name}"), [asked.term(owner)])));
        }
        for method in defined.methods.iter().filter(|m| m.gives == *ty) {
            let call = |of: Way| {
                let mut open = of;
                open.push(Piece::Text(format!(".{}(", method.name)));
                listed(open, asked.arguments(method.types()), ")")
            };
            match method.receiver {
                Receiver::Shared => ways.extend(owners.iter().map(|owner| call(vec![asked.term(owner)]))),
                Receiver::Special => {
                    // A variable has a place, as a pointer needs it.
                    ways.extend(asked.names(&own, false).map(call));
                    ways.extend(pointer.iter().map(|pointer| call(vec![asked.term(pointer)])));
                }
            }
        }
    }
    if let Some(list) = asked.made_of(Form::List, ty) {
        let int = Type::Int("int".into());
        // A literal below zero would be refused.
        for index in [INT, asked.term(&int), asked.inner(&int, Grade::Operation)] {
            ways.push(way("@[@]", [asked.term(&list), index]));
        }
    }
    for (map, key) in asked.maps_to(ty) {
        ways.push(way("@[@]", [asked.term(&map), asked.any(&key)]));
    }
    if let Some(pointer) = asked.made_of(Form::Optional, ty) {
        ways.push(way("(*@)", [asked.term(&pointer)]));
    }
    if ty.is_number() {
        let name = asked.scene.language.spell(ty);
        for other in asked.such(|other| other.is_number() && other != ty) {
            ways.push(way(&format!("{name}(@)"), [asked.term(&other)]));
        }
    }
    if *ty == Type::Int("int".into()) {
        let sized = |ty: &Type| matches!(ty, Type::Text(_) | Type::Made(Form::List | Form::Map, _));
        ways.extend(asked.such(sized).iter().map(|other| way("len(@)", [asked.term(other)])));
    }
    ways
}
