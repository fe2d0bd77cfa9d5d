//! What Python expressions of a type may be.
//!
//! They pass mypy's strict mode and pyright: no empty list where its type is not expected, no
//! comparison of two types or of two literals, no use of a value that may be `None`.

use super::context::Make;
use super::rules::*;
use super::types::{Form, Type};

pub(super) fn ways(asked: &Asked) -> Vec<Way> {
    let is_deep = asked.depth > 0;
    match asked.grade {
        Grade::Any => vec![vec![asked.same(Grade::Plain)], vec![asked.same(Grade::Choice)]],
        Grade::Choice if is_deep => {
            let parts = [Grade::Plain, Grade::Plain, Grade::Any];
            let [yes, condition, no] = parts.map(|grade| (grade, asked.ty));
            let condition = asked.inner(&Type::Bool, condition.0);
            vec![way("@ if @ else @", [asked.inner(yes.1, yes.0), condition, asked.inner(no.1, no.0)])]
        }
        Grade::Plain => {
            let mut ways = vec![vec![asked.same(Grade::Term)], vec![asked.same(Grade::Operation)]];
            ways.extend(literals(asked.ty, false));
            if asked.ty.is_number() {
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

fn literals(ty: &Type, is_operand: bool) -> Vec<Way> {
    match ty {
        Type::Bool => vec![way("True", []), way("False", [])],
        Type::Int(_) if is_operand => vec![vec![COUNT]],
        Type::Int(_) => vec![vec![INT]],
        Type::Float(_) => vec![vec![FLOAT]],
        Type::Text(_) => vec![vec![TEXT]],
        _ => Vec::new(),
    }
}

/// Values whose type is known only from where they stand.
fn expected(asked: &Asked) -> Vec<Way> {
    let mut ways = asked.function_names();
    if let Some(inside) = asked.ty.inside(Form::Optional) {
        ways.push(way("None", []));
        ways.push(vec![asked.at(inside, Grade::Plain, asked.depth)]);
    }
    if let Some(item) = asked.ty.inside(Form::List) {
        ways.push(way("[]", []));
        if asked.depth > 0 {
            ways.extend(asked.items("[", item, "]"));
        }
    }
    if let Some((key, value)) = asked.ty.entries() {
        ways.push(way("{}", []));
        if asked.depth > 0 {
            ways.push(way("{@: @}", [asked.any(key), asked.any(value)]));
        }
    }
    ways
}

fn operations(asked: &Asked) -> Vec<Way> {
    let ty = asked.ty;
    let chain = |operator: &Piece| [2, 3].map(|count| chained(&asked.operand(ty), operator, count));
    let mut ways = match ty {
        Type::Int(_) => {
            let mut ways = vec![way("-@", [asked.term(ty)])];
            ways.extend(chain(&SUM));
            ways.push(chained(&asked.operand(ty), &FLOOR, 2));
            ways
        }
        Type::Float(_) => {
            let int = Type::Int("int".into());
            let mut ways = vec![way("-@", [asked.term(ty)])];
            ways.extend(chain(&ARITHMETIC));
            ways.push(way("@ / @", [asked.operand(&int), asked.operand(&int)]));
            ways
        }
        Type::Text(_) => chain(&Piece::Text(" + ".into())).into(),
        Type::Made(Form::List, _) => vec![way("@ + @", [asked.term(ty), asked.term(ty)])],
        Type::Bool => {
            let mut ways = vec![way("not @", [asked.operand(ty)])];
            ways.extend([2, 3].map(|count| chained(&asked.inner(ty, Grade::Side), &LOGIC, count)));
            ways.extend(comparisons(asked));
            ways
        }
        _ => Vec::new(),
    };
    if let Some(optional) = asked.made_of(Form::Optional, ty) {
        ways.push(way("@ or @", [asked.term(&optional), asked.operand(ty)]));
    }
    ways
}

/// Comparisons, and questions whether something is in something.
fn comparisons(asked: &Asked) -> Vec<Way> {
    let mut ways = Vec::new();
    for other in asked.such(|ty| is_scalar(ty) && *ty != Type::Bool) {
        ways.push(way("@@@", [asked.operand(&other), ORDER, asked.operand(&other)]));
        // Two different literals are never equal, which mypy knows.
        ways.push(way("@@@", [asked.term(&other), EQUAL, asked.operand(&other)]));
    }
    for list in asked.such(|ty| ty.inside(Form::List).is_some_and(is_scalar)) {
        if let Some(item) = list.inside(Form::List) {
            ways.push(way("@ in @", [asked.operand(item), asked.term(&list)]));
        }
    }
    for map in asked.such(|ty| ty.entries().is_some()) {
        if let Some((key, _)) = map.entries() {
            ways.push(way("@ in @", [asked.operand(key), asked.term(&map)]));
        }
    }
    for optional in asked.such(|ty| ty.inside(Form::Optional).is_some()) {
        ways.push(way("@ is None", [asked.term(&optional)]));
        ways.push(way("@ is not None", [asked.term(&optional)]));
    }
    ways
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
        for (name, _) in defined.fields.iter().filter(|(_, field)| field == ty) {
            ways.push(way(&format!("@.{name}"), [asked.term(&own)]));
        }
        for method in defined.methods.iter().filter(|m| m.gives == *ty) {
            let open = way(&format!("@.{}(", method.name), [asked.term(&own)]);
            ways.push(listed(open, asked.arguments(method.types()), ")"));
        }
        if let (Make::Call(takes), true) = (&defined.make, own == *ty) {
            ways.push(listed(way(&format!("{}(", defined.name), []), asked.arguments(takes), ")"));
        }
    }
    let int = Type::Int("int".into());
    if let Some(list) = asked.made_of(Form::List, ty) {
        ways.push(way("@[@]", [asked.term(&list), asked.any(&int)]));
    }
    for (map, key) in asked.maps_to(ty) {
        ways.push(way("@[@]", [asked.term(&map), asked.any(&key)]));
        if is_scalar(ty) {
            ways.push(way("@.get(@, @)", [asked.term(&map), asked.any(&key), asked.operand(ty)]));
        }
    }
    if let Some(inside) = ty.inside(Form::Optional) {
        for (map, key) in asked.maps_to(inside) {
            ways.push(way("@.get(@)", [asked.term(&map), asked.any(&key)]));
        }
    }
    if ty.inside(Form::List).is_some() {
        ways.push(way("@[@:]", [asked.term(ty), asked.any(&int)]));
    }
    let can = |name: &str| asked.can(name);
    match ty {
        Type::Int(_) => {
            let sized = |ty: &Type| matches!(ty, Type::Text(_) | Type::Made(Form::List | Form::Map, _));
            for other in asked.such(sized).iter().filter(|_| can("len")) {
                ways.push(way("len(@)", [asked.term(other)]));
            }
            let float = asked.such(|ty| matches!(ty, Type::Float(_)));
            ways.extend(float.iter().filter(|_| can("int")).map(|ty| way("int(@)", [asked.term(ty)])));
            for name in ["min", "max"].into_iter().filter(|name| can(name)) {
                ways.push(way(&format!("{name}(@, @)"), [asked.operand(ty), asked.operand(ty)]));
            }
        }
        Type::Float(_) if can("float") => ways.push(way("float(@)", [asked.term(&int)])),
        Type::Text(_) => {
            for other in asked.such(Type::is_number).iter().filter(|_| can("str")) {
                ways.push(way("str(@)", [asked.term(other)]));
            }
            for name in ["upper", "lower", "strip"] {
                ways.push(way(&format!("@.{name}()"), [asked.term(ty)]));
            }
        }
        Type::Bool => {
            for text in asked.such(|ty| matches!(ty, Type::Text(_))) {
                ways.push(way("@.startswith(@)", [asked.term(&text), asked.any(&text)]));
            }
        }
        _ => {}
    }
    ways
}
