//! What Rust expressions of a type may be.
//!
//! Nothing is moved but what an expression made itself: a variable that is not `Copy` is borrowed
//! or cloned. What borrows stands only as an argument or before a dot, where it lives long enough.
//! The compiler refuses an overflow that it can foresee, so that the left of every operator is
//! something it does not know, and literals beside operators are not zero.

use super::context::{Defined, Make, Receiver};
use super::read_rust::borrows;
use super::rules::*;
use super::types::{Form, Type};

/// The type of text that a program holds for as long as it runs.
pub(super) const STATIC: &str = "&'static str";

pub(super) fn ways(asked: &Asked) -> Vec<Way> {
    let is_deep = asked.depth > 0;
    match asked.grade {
        Grade::Any => vec![vec![asked.same(Grade::Plain)], vec![asked.same(Grade::Choice)]],
        Grade::Choice if is_deep && !asked.ty.has(&borrows) => {
            let condition = asked.inner(&Type::Bool, Grade::Plain);
            vec![way("if @ { @ } else { @ }", [condition, asked.any(asked.ty), asked.any(asked.ty)])]
        }
        Grade::Plain => {
            let mut ways = vec![vec![asked.same(Grade::Term)], vec![asked.same(Grade::Operation)]];
            // A constant that the compiler looks into stands where nothing is done with it.
            if is_copy(asked, asked.ty) {
                ways.extend(asked.names(asked.ty, true));
            }
            ways.extend(literals(asked.ty, false));
            if asked.ty.is_signed() {
                ways.extend(literals(asked.ty, false).into_iter().map(|literal| way("-@", literal)));
            }
            ways.extend(expected(asked));
            ways
        }
        Grade::Operand => {
            let mut ways = vec![vec![asked.same(Grade::Term)]];
            ways.extend(literals(asked.ty, true));
            if is_scalar(asked.ty) {
                ways.push(way("(@)", [asked.same(Grade::Operation)]));
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
        Grade::Place => places(asked),
        _ => Vec::new(),
    }
}

fn defined<'a>(asked: &'a Asked, name: &str) -> Option<&'a Defined> {
    asked.scene.context.defined(name)
}

fn is_copy(asked: &Asked, ty: &Type) -> bool {
    match ty {
        Type::Bool | Type::Int(_) | Type::Float(_) => true,
        Type::Text(name) => name != "String",
        Type::Named(name) => defined(asked, name).is_some_and(|d| d.copy),
        Type::Made(Form::Ref | Form::Slice | Form::Function, _) => true,
        Type::Made(Form::Optional, parts) => parts.iter().all(|part| is_copy(asked, part)),
        Type::Made(..) => false,
    }
}

fn is_clone(asked: &Asked, ty: &Type) -> bool {
    match ty {
        Type::Named(name) => defined(asked, name).is_some_and(|d| d.clone || d.copy),
        Type::Made(Form::Ref | Form::Slice | Form::Function, _) => true,
        Type::Made(_, parts) => parts.iter().all(|part| is_clone(asked, part)),
        _ => true,
    }
}

fn is_small(name: &str) -> bool {
    name.ends_with('8') && !name.ends_with("128") || name.ends_with("16")
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
        Type::Float(_) => vec![vec![FLOAT]],
        Type::Text(name) if name == "String" && is_operand => Vec::new(),
        Type::Text(name) if name == "String" => vec![way("@.to_string()", [TEXT])],
        Type::Text(_) => vec![vec![TEXT]],
        _ => Vec::new(),
    }
}

/// Values that stand where their type is expected.
fn expected(asked: &Asked) -> Vec<Way> {
    let ty = asked.ty;
    let mut ways = asked.function_names();
    if ty.inside(Form::Optional).is_some() {
        ways.push(way("None", []));
    }
    if ty.inside(Form::List).is_some() {
        ways.push(way("Vec::new()", []));
    }
    if ty.entries().is_some() {
        ways.push(way("std::collections::HashMap::new()", []));
    }
    if asked.depth == 0 {
        return ways;
    }
    if let Some(inside) = ty.inside(Form::Optional) {
        ways.push(way("Some(@)", [asked.any(inside)]));
    }
    if let Some(item) = ty.inside(Form::List) {
        ways.extend(asked.items("vec![", item, "]"));
    }
    // Nothing is made to fit inside of the pairs: no function's name, no `&String` for `&str`.
    let fits = |ty: &Type| matches!(ty, Type::Made(Form::Function, _)) || *ty == Type::Text("&str".into());
    if let Some((key, value)) = ty.entries().filter(|(_, value)| !value.has(&fits)) {
        let parts = [asked.any(key), asked.any(value)];
        ways.push(way("std::collections::HashMap::from([(@, @)])", parts));
    }
    if let Some(inside) = ty.inside(Form::Ref) {
        ways.push(way("&@", [asked.place(inside)]));
    }
    if let Some(item) = ty.inside(Form::Slice) {
        ways.extend(asked.made_of(Form::List, item).map(|list| way("&@", [asked.place(&list)])));
        ways.extend(asked.items("&[", item, "]"));
    }
    if *ty == Type::Text("&str".into()) {
        ways.push(way("&@", [asked.place(&Type::Text("String".into()))]));
        ways.push(vec![asked.at(&Type::Text(STATIC.into()), Grade::Term, asked.depth)]);
    }
    if let Type::Named(name) = ty
        && let Some(defined) = defined(asked, name).filter(|d| d.make == Make::Fields)
    {
        let mut made = way(name, []);
        for (n, (field, ty)) in defined.fields.iter().enumerate() {
            let before = if n == 0 { " { " } else { ", " };
            made.extend(way(&format!("{before}{field}: @"), [asked.any(ty)]));
        }
        made.push(Piece::Text(if defined.fields.is_empty() { " {}" } else { " }" }.into()));
        ways.push(made);
    }
    ways
}

fn operations(asked: &Asked) -> Vec<Way> {
    let ty = asked.ty;
    let mut ways = asked.sums();
    if *ty == Type::Bool {
        ways.push(way("!@", [asked.operand(ty)]));
        ways.extend([2, 3].map(|count| chained(&asked.inner(ty, Grade::Side), &BOTH, count)));
        ways.extend(comparisons(asked));
    }
    ways
}

fn comparisons(asked: &Asked) -> Vec<Way> {
    let mut ways = Vec::new();
    for other in asked.such(Type::is_number) {
        for mut compared in asked.unknown(&other) {
            compared.extend([COMPARE, asked.operand(&other)]);
            ways.push(compared);
        }
    }
    for text in asked.such(|ty| matches!(ty, Type::Text(_))) {
        let is_owned = text == Type::Text("String".into());
        let first = if is_owned { asked.place(&text) } else { asked.term(&text) };
        ways.push(way("@@@", [first.clone(), EQUAL, TEXT]));
        ways.push(way("@@@", [first.clone(), EQUAL, first]));
    }
    ways
}

/// How a value of a defined type is used by what borrows it.
fn borrowed(asked: &Asked, ty: &Type) -> Vec<Piece> {
    let reference = asked.made_of(Form::Ref, ty).map(|reference| asked.term(&reference));
    [Some(asked.place(ty)), reference].into_iter().flatten().collect()
}

/// Calls of functions and methods that give the type.
fn results(asked: &Asked) -> Vec<Way> {
    let mut ways = asked.calls();
    for defined in &asked.scene.context.types {
        let own = Type::Named(defined.name.clone());
        for method in defined.methods.iter().filter(|m| m.gives == *asked.ty) {
            let owners = match method.receiver {
                Receiver::Shared => borrowed(asked, &own),
                Receiver::Special => vec![asked.term(&own)],
            };
            for owner in owners {
                let open = way(&format!("@.{}(", method.name), [owner]);
                ways.push(listed(open, asked.arguments(method.types()), ")"));
            }
        }
    }
    ways
}

/// What has a place in memory that outlives its use.
fn places(asked: &Asked) -> Vec<Way> {
    let ty = asked.ty;
    let mut ways: Vec<Way> = asked.names(ty, false).collect();
    // The compiler looks into constants, and knows how long their slices are.
    if !asked.scene.context.holds_number(ty) && ty.inside(Form::Slice).is_none() {
        ways.extend(asked.names(ty, true));
    }
    if asked.depth == 0 {
        return ways;
    }
    ways.extend(results(asked));
    for defined in &asked.scene.context.types {
        let own = Type::Named(defined.name.clone());
        for (name, _) in defined.fields.iter().filter(|(_, field)| field == ty) {
            let owners = borrowed(asked, &own).into_iter();
            ways.extend(owners.map(|owner| way(&format!("@.{name}"), [owner])));
        }
    }
    let index = asked.any(&Type::Int("usize".into()));
    if let Some(list) = asked.made_of(Form::List, ty) {
        ways.extend(borrowed(asked, &list).into_iter().map(|list| way("@[@]", [list, index.clone()])));
    }
    if let Some(slice) = asked.made_of(Form::Slice, ty) {
        ways.push(way("@[@]", [asked.term(&slice), index]));
    }
    if let Some(reference) = asked.made_of(Form::Ref, ty).filter(|_| is_copy(asked, ty)) {
        ways.push(way("(*@)", [asked.term(&reference)]));
    }
    ways
}

/// Values that are owned or `Copy`, and that the compiler does not know.
fn terms(asked: &Asked) -> Vec<Way> {
    let ty = asked.ty;
    let is_deep = asked.depth > 0;
    let mut ways = Vec::new();
    if is_copy(asked, ty) {
        ways.push(vec![asked.same(Grade::Place)]);
    } else if is_deep {
        ways.extend(results(asked));
        if is_clone(asked, ty) {
            ways.extend(borrowed(asked, ty).into_iter().map(|owner| way("@.clone()", [owner])));
        }
    }
    if !is_deep {
        return ways;
    }
    if let Some(optional) = asked.made_of(Form::Optional, ty) {
        ways.push(way("@.unwrap_or(@)", [asked.term(&optional), asked.any(ty)]));
    }
    if let Some(inside) = ty.inside(Form::Optional).filter(|inside| is_clone(asked, inside)) {
        let usize = Type::Int("usize".into());
        if let Some(list) = asked.made_of(Form::List, inside) {
            for list in borrowed(asked, &list) {
                ways.push(way("@.first().cloned()", [list.clone()]));
                ways.push(way("@.get(@).cloned()", [list, asked.any(&usize)]));
            }
        }
        for (map, key) in asked.maps_to(inside) {
            for map in borrowed(asked, &map) {
                ways.push(keyed(asked, "@.get(@).cloned()", map, &key));
            }
        }
    }
    let string = || Type::Text("String".into());
    let texts = || asked.such(|ty| matches!(ty, Type::Text(name) if name != "String"));
    match ty {
        Type::Int(name) => {
            if name == "usize" {
                for sized in
                    asked.such(|ty| *ty == string() || matches!(ty, Type::Made(Form::List | Form::Map, _)))
                {
                    ways.extend(borrowed(asked, &sized).into_iter().map(|owner| way("@.len()", [owner])));
                }
                for sized in asked.such(|ty| ty.inside(Form::Slice).is_some()).into_iter().chain(texts()) {
                    ways.push(way("@.len()", [asked.term(&sized)]));
                }
            }
            ways.push(way("@.min(@)", [asked.term(ty), asked.any(ty)]));
            ways.push(way("@.max(@)", [asked.term(ty), asked.any(ty)]));
            for other in asked.such(|other| other.is_number() && other != ty) {
                ways.push(way(&format!("(@ as {name})"), [asked.term(&other)]));
            }
        }
        Type::Float(name) => {
            for other in asked.such(|other| other.is_number() && other != ty) {
                ways.push(way(&format!("(@ as {name})"), [asked.term(&other)]));
            }
        }
        Type::Text(name) if name == "String" => {
            for other in asked.such(Type::is_number) {
                ways.push(way("@.to_string()", [asked.term(&other)]));
            }
            let str = Type::Text("&str".into());
            ways.push(way("format!(\"{}{}\", @, @)", [asked.any(&str), asked.any(&str)]));
            ways.push(way("@.to_uppercase()", [asked.place(ty)]));
            ways.extend(texts().iter().map(|text| way("@.to_string()", [asked.term(text)])));
        }
        Type::Text(name) if name == "&str" => {
            ways.push(way("@.as_str()", [asked.place(&string())]));
            ways.push(way("@.trim()", [asked.term(ty)]));
        }
        Type::Bool => bools(asked, &mut ways),
        _ => {}
    }
    ways
}

/// Questions that the standard library answers.
fn bools(asked: &Asked, ways: &mut Vec<Way>) {
    for ty in &asked.scene.universe {
        if ty.inside(Form::Optional).is_some() {
            for owner in borrowed(asked, ty) {
                ways.push(way("@.is_some()", [owner.clone()]));
                ways.push(way("@.is_none()", [owner]));
            }
        }
        if let Some(item) = ty.inside(Form::List) {
            for owner in borrowed(asked, ty) {
                ways.push(way("@.is_empty()", [owner.clone()]));
                if matches!(item, Type::Int(_) | Type::Bool) || *item == Type::Text("String".into()) {
                    ways.push(way("@.contains(@)", [owner, asked.any(&item.clone().reference())]));
                }
            }
        }
        if let Some((key, _)) = ty.entries() {
            for owner in borrowed(asked, ty) {
                ways.push(keyed(asked, "@.contains_key(@)", owner, key));
            }
        }
        if *ty == Type::Text("&str".into()) {
            ways.push(way("@.starts_with(@)", [asked.term(ty), asked.any(ty)]));
        }
    }
}

/// A look-up, which borrows its key.
fn keyed(asked: &Asked, template: &str, map: Piece, key: &Type) -> Way {
    let is_text = matches!(key, Type::Text(_));
    let key = if is_text { Type::Text("&str".into()) } else { key.clone().reference() };
    way(template, [map, asked.any(&key)])
}
