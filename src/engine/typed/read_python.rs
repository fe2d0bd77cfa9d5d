//! The signatures in a Python file: annotated variables, functions, classes.

use super::context::{Context, Defined, Function, Make, Receiver, Variable};
use super::language::Language;
use super::read::{Known, arguments, skip, word_type};
use super::tokens::{Cursor, tokens};
use super::types::{Form, Type};

const HERE: Language = Language::Python;

/// Words in a decorator that say nothing of how a value is made.
const HARMLESS: [&str; 8] = ["frozen", "order", "eq", "slots", "repr", "unsafe_hash", "True", "False"];

/// The type at the cursor.
pub(super) fn ty(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    cursor.deeper(|cursor| one(cursor, known))
}

fn one(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    let mut parts = Vec::new();
    let mut has_none = false;
    loop {
        if cursor.eat("None") {
            has_none = true;
        } else {
            parts.push(single(cursor, known)?);
        }
        if !cursor.eat("|") {
            break;
        }
    }
    match (parts.pop(), parts.is_empty(), has_none) {
        (Some(ty), true, false) => Ok(ty),
        (Some(ty), true, true) => Ok(optional(ty)),
        (None, _, _) => Err("it gives nothing".into()),
        _ => Err("a union of several types is not read".into()),
    }
}

fn optional(ty: Type) -> Type {
    if ty.inside(Form::Optional).is_some() { ty } else { ty.optional() }
}

fn single(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    let text = cursor.text();
    if text.starts_with(['"', '\'']) {
        cursor.next();
        let inner = text.trim_matches(['"', '\'']);
        let all = tokens(HERE, inner).map_err(|e| e.message)?;
        let mut inside = Cursor::new(&all).as_deep_as(cursor);
        let read = ty(&mut inside, known)?;
        return if inside.is_at_end() { Ok(read) } else { Err(format!("the type {text} is not read")) };
    }
    let mut name = cursor.word()?;
    while matches!(name, "typing" | "t" | "collections" | "abc") && cursor.eat(".") {
        name = cursor.word()?;
    }
    if !cursor.is("[") {
        return word_type(HERE, name, known);
    }
    known.is_own(name)?;
    let mut made = |count| arguments(HERE, cursor, known, ("[", "]"), count);
    match name {
        "list" | "List" => Ok(Type::Made(Form::List, made(1)?)),
        "dict" | "Dict" => keyed(made(2)?),
        "Optional" => Ok(optional(made(1)?.remove(0))),
        "Final" => Ok(made(1)?.remove(0)),
        "Callable" => {
            cursor.need("[")?;
            cursor.need("[")?;
            let mut parts = Vec::new();
            while !cursor.is("]") {
                parts.push(ty(cursor, known)?);
                if !cursor.eat(",") {
                    break;
                }
            }
            cursor.need("]")?;
            cursor.need(",")?;
            parts.push(ty(cursor, known)?);
            cursor.need("]")?;
            Ok(Type::Made(Form::Function, parts))
        }
        _ => Err(format!("the type `{name}[…]` is not read")),
    }
}

fn keyed(parts: Vec<Type>) -> Result<Type, String> {
    match parts.first() {
        Some(Type::Int(_) | Type::Text(_) | Type::Bool) => Ok(Type::Made(Form::Map, parts)),
        _ => Err("keys that are no int, str or bool are not read".into()),
    }
}

pub(super) fn read(mut cursor: Cursor, mut known: Known) -> Context {
    let mut names = cursor;
    while !names.is_at_end() {
        if names.token().column == 0 && names.eat("class") {
            known.extend(names.word().ok().map(str::to_owned));
        } else {
            names.next();
        }
    }
    let mut context = Context::default();
    let mut decorators: Vec<String> = Vec::new();
    while !cursor.is_at_end() {
        let first = cursor.token();
        match first.text {
            "@" => {
                decorators.push(cursor.ahead(1).text.to_owned());
                if cursor.ahead(2).text == "." {
                    decorators.push(cursor.ahead(3).text.to_owned());
                }
                // Arguments of `dataclass`, of which most change how one is made.
                let mut end = cursor;
                end.skip_line();
                let words = (cursor.at + 2..end.at).map(|at| cursor.ahead(at - cursor.at));
                let words = words.filter(|t| t.is_word && !HARMLESS.contains(&t.text));
                decorators.extend(words.map(|t| t.text.to_owned()));
                cursor.skip_line();
                continue;
            }
            "def" => match function(&mut cursor, &known, false) {
                Ok((function, _)) if decorators.is_empty() => context.functions.push(function),
                Ok((function, _)) => {
                    let why = format!("@{} may change what it takes and gives", decorators.join("."));
                    skip(&mut context, first.line, format!("function `{}`", function.name), why);
                }
                Err((name, why)) => skip(&mut context, first.line, format!("function `{name}`"), why),
            },
            "class" => class(&mut cursor, &known, &decorators, &mut context),
            "async" => {
                let name = cursor.ahead(2).text;
                skip(&mut context, first.line, format!("function `{name}`"), "it gives an awaitable");
                cursor.next();
                let _ = function(&mut cursor, &known, false);
            }
            "if" | "for" | "while" | "with" | "try" | "match" | "else" | "elif" | "except" | "finally"
                if first.column == 0 =>
            {
                skip(
                    &mut context,
                    first.line,
                    format!("the block `{}`", first.text),
                    "what it defines is not read",
                );
                cursor.skip_line();
            }
            _ if first.column == 0 && first.is_word && cursor.ahead(1).text == ":" => {
                variable(&mut cursor, &known, &mut context);
            }
            _ if first.column == 0 && first.is_word && cursor.ahead(1).text == "=" => {
                skip(&mut context, first.line, format!("variable `{}`", first.text), "it has no annotation");
                cursor.skip_line();
            }
            _ => cursor.skip_line(),
        }
        decorators.clear();
        // Bodies of functions have been passed; what else is indented belongs to a block.
        while cursor.token().column > 0 && !cursor.is_at_end() {
            cursor.skip_line();
        }
    }
    context
}

fn variable(cursor: &mut Cursor, known: &Known, context: &mut Context) {
    let first = cursor.next();
    cursor.next();
    match ty(cursor, known) {
        Ok(ty) => context.variables.push(Variable { name: first.text.into(), ty, constant: false }),
        Err(why) => skip(context, first.line, format!("variable `{}`", first.text), why),
    }
    cursor.end_line();
}

/// The function at `def`, and the indentation of its body. The cursor ends behind its first line.
fn function(
    cursor: &mut Cursor,
    known: &Known,
    is_method: bool,
) -> Result<(Function, usize), (String, String)> {
    let column = cursor.token().column;
    cursor.next();
    let name = cursor.word().unwrap_or_default().to_owned();
    let read = (|| {
        if cursor.is("[") {
            return Err("it has type parameters".into());
        }
        let takes = parameters(cursor, known, is_method)?;
        if !cursor.eat("->") {
            return Err("it does not say what it gives".into());
        }
        // What a constructor gives is never asked for.
        let gives = if name == "__init__" && cursor.eat("None") { Type::Bool } else { ty(cursor, known)? };
        Ok(Function { name: name.clone(), takes, gives, receiver: Receiver::Shared })
    })();
    while !cursor.is_at_end() && !cursor.is(":") {
        cursor.skip();
    }
    cursor.skip_line();
    read.map(|function| (function, column)).map_err(|why| (name, why))
}

fn parameters(cursor: &mut Cursor, known: &Known, is_method: bool) -> Result<Vec<(String, Type)>, String> {
    let mut inside = *cursor;
    cursor.skip();
    inside.need("(")?;
    let mut takes = Vec::new();
    let (mut named_only, mut is_first, mut may_follow) = (false, is_method, true);
    while !inside.is(")") {
        if inside.eat("*") || inside.eat("**") {
            // Without a name, what follows is by name only; with one it may be left out.
            named_only = true;
            inside.skip_to(&[","]);
        } else if inside.eat("/") {
        } else {
            let name = inside.word()?;
            let read = if inside.eat(":") { Some(ty(&mut inside, known)) } else { None };
            let has_default = inside.is("=");
            inside.skip_to(&[","]);
            match read {
                _ if std::mem::take(&mut is_first) => {}
                _ if named_only && has_default => {}
                _ if named_only => return Err(format!("`{name}` has to be given by name")),
                Some(Ok(ty)) if may_follow => takes.push((name.to_owned(), ty)),
                _ if has_default => may_follow = false,
                Some(Ok(_)) => return Err(format!("`{name}` comes after one that is not read")),
                Some(Err(why)) => return Err(format!("`{name}`: {why}")),
                None => return Err(format!("`{name}` has no annotation")),
            }
        }
        if !inside.eat(",") {
            break;
        }
    }
    inside.need(")")?;
    Ok(takes)
}

fn class(cursor: &mut Cursor, known: &Known, decorators: &[String], context: &mut Context) {
    let line = cursor.token().line;
    cursor.next();
    let name = cursor.word().unwrap_or_default().to_owned();
    let mut bases = Vec::new();
    let what = format!("class `{name}`");
    let is_generic = cursor.is("[");
    if is_generic {
        cursor.skip();
    }
    if cursor.is("(") {
        let mut inside = *cursor;
        cursor.skip();
        inside.next();
        while !inside.is(")") && !inside.is_at_end() {
            bases.push(inside.next().text.to_owned());
        }
    }
    cursor.eat(":");
    let has = |base: &str| bases.iter().any(|b| b == base);
    // Arguments of `dataclass` that change how one is made, and decorators that nothing is known of.
    let is_special = decorators.iter().any(|d| !matches!(d.as_str(), "dataclass" | "dataclasses" | "final"));
    let is_abstract = has("ABC") || has("ABCMeta") || has("Protocol");
    let is_data = decorators.iter().any(|d| d == "dataclass") || has("NamedTuple");
    let is_plain = bases.iter().all(|b| matches!(b.as_str(), "object" | "NamedTuple" | "typing" | "."));
    if ["Enum", "IntEnum", "StrEnum"].iter().any(|base| has(base)) {
        variants(cursor, &name, context);
        context.types.push(Defined { name, ..Defined::default() });
        return;
    }
    if is_generic || has("Generic") || has("TypedDict") {
        skip(context, line, what, "it is made otherwise than a plain class, so that only its name is known");
        context.types.push(Defined { name, ..Defined::default() });
        return;
    }
    if !is_plain {
        skip(context, line, what.clone(), "what it inherits, and how it is made, is not read");
    }
    let mut class = Defined { name, ..Defined::default() };
    let indent = cursor.token().column;
    let (mut own, mut data, mut all_data) = (Vec::new(), Vec::new(), true);
    let (mut constructor, mut is_unusual) = (None, !is_plain);
    while !cursor.is_at_end() && cursor.token().column >= indent && indent > 0 {
        let first = cursor.token();
        if first.column > indent {
            cursor.skip_line();
            continue;
        }
        let member = format!("`{}.{}`", class.name, cursor.ahead(usize::from(first.text == "def")).text);
        match first.text {
            "@" => {
                own.push(cursor.ahead(1).text.to_owned());
                if cursor.ahead(2).text == "." {
                    own.push(cursor.ahead(3).text.to_owned());
                }
                cursor.skip_line();
                continue;
            }
            "def" => {
                let name = cursor.ahead(1).text;
                is_unusual |= own.iter().any(|d| d.starts_with("abstract"));
                let read = function(cursor, known, true);
                let is_property = own.iter().all(|d| d == "property") && !own.is_empty();
                match read {
                    // Overloaded, wrapped, or there are several: what counts is not told.
                    _ if name == "__new__"
                        || name == "__init__" && (!own.is_empty() || constructor.is_some()) =>
                    {
                        let why = "how it is made is not read".to_owned();
                        skip(context, first.line, member, why.clone());
                        constructor = Some(Err(why));
                    }
                    Ok((f, column)) if f.name == "__init__" => {
                        let own = assigned(*cursor, column, &f, known);
                        let is_new = |n: &str| !class.fields.iter().any(|(other, _)| other == n);
                        let own: Vec<_> = own.into_iter().filter(|(n, _)| is_new(n)).collect();
                        class.fields.extend(own);
                        constructor = Some(Ok(f.takes.into_iter().map(|(_, ty)| ty).collect()));
                    }
                    Err((name, why)) if name == "__init__" => {
                        skip(context, first.line, member, why.clone());
                        constructor = Some(Err(why));
                    }
                    Ok((f, _)) if f.name.starts_with("__") => {}
                    Ok((f, _)) if is_property => class.fields.push((f.name, f.gives)),
                    Ok((f, _)) if own.is_empty() => class.methods.push(f),
                    // What sets a property takes nothing from what reads it.
                    _ if own.iter().any(|d| d == "setter" || d == "deleter") => {}
                    Ok(_) => skip(context, first.line, member, format!("@{} is not read", own.join(" @"))),
                    Err((name, _)) if name.starts_with("__") => {}
                    Err((_, why)) => skip(context, first.line, member, why),
                }
            }
            _ if first.is_word && cursor.ahead(1).text == ":" => {
                cursor.at += 2;
                match ty(cursor, known) {
                    Ok(ty) => {
                        // `field(…)` and the like.
                        let is_called = cursor.ahead(1).is_word && matches!(cursor.ahead(2).text, "(" | ".");
                        all_data &= !(cursor.is("=") && is_called);
                        data.push(ty.clone());
                        class.fields.push((first.text.to_owned(), ty));
                    }
                    Err(why) => {
                        all_data = false;
                        skip(context, first.line, member, why);
                    }
                }
                cursor.end_line();
            }
            "async" => {
                let member = format!("`{}.{}`", class.name, cursor.ahead(2).text);
                skip(context, first.line, member, "it gives an awaitable");
                cursor.skip_line();
            }
            _ => {
                let is_block = matches!(first.text, "if" | "for" | "while" | "with" | "try" | "match");
                is_unusual |= is_block || first.text.starts_with("__") && !matches!(first.text, "__slots__");
                cursor.skip_line();
            }
        }
        own.clear();
    }
    // Outside of the class they have another name.
    class.fields.retain(|(n, _)| !n.starts_with("__"));
    class.make = match constructor {
        _ if is_abstract || is_special || is_unusual => Make::No,
        Some(Ok(takes)) => Make::Call(takes),
        Some(Err(_)) => Make::No,
        None if !all_data => Make::No,
        None if is_data => Make::Call(data),
        None => Make::Call(Vec::new()),
    };
    if (is_data || !decorators.is_empty()) && class.make == Make::No {
        skip(context, line, what, "how it is made is not known");
    }
    context.types.push(class);
}

/// The attributes that a constructor sets to what it takes, or with an annotation.
fn assigned(mut cursor: Cursor, column: usize, constructor: &Function, known: &Known) -> Vec<(String, Type)> {
    let mut found: Vec<(String, Type)> = Vec::new();
    while !cursor.is_at_end() && cursor.token().column > column {
        if cursor.is("self") && cursor.ahead(1).text == "." {
            let (name, sign, value) = (cursor.ahead(2), cursor.ahead(3), cursor.ahead(4));
            let ends = cursor.ahead(5).line > value.line || cursor.ahead(5).text.is_empty();
            let ty = if sign.text == ":" {
                cursor.at += 4;
                ty(&mut cursor, known).ok()
            } else if sign.text == "=" && ends {
                constructor.takes.iter().find(|(n, _)| n == value.text).map(|(_, ty)| ty.clone())
            } else {
                None
            };
            let is_new = !found.iter().any(|(n, _)| n == name.text);
            found.extend(ty.filter(|_| is_new).map(|ty| (name.text.to_owned(), ty)));
        }
        cursor.skip_line();
    }
    found
}

/// The values of an enumeration.
fn variants(cursor: &mut Cursor, class: &str, context: &mut Context) {
    let indent = cursor.token().column;
    while !cursor.is_at_end() && cursor.token().column >= indent && indent > 0 {
        let first = cursor.token();
        let is_value = first.is_word && !first.text.starts_with('_') && cursor.ahead(1).text == "=";
        if first.column == indent && is_value {
            let ty = Type::Named(class.to_owned());
            context.variables.push(Variable { name: format!("{class}.{}", first.text), ty, constant: false });
        } else if first.column == indent && first.text == "def" {
            let what = format!("`{class}.{}`", cursor.ahead(1).text);
            skip(context, first.line, what, "methods of enumerations are not read");
        }
        cursor.skip_line();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(text: &str) -> Result<String, String> {
        let known = Known::from(["User".to_owned()]);
        super::super::read::parse_type(HERE, text, &known).map(|ty| HERE.spell(&ty))
    }

    #[test]
    fn types_are_read() {
        for (text, expected) in [
            ("int", "int"),
            ("Optional[list[str]]", "list[str] | None"),
            ("None | User", "User | None"),
            ("typing.Dict[str, List['User']]", "dict[str, list[User]]"),
            ("Callable[[int, str], bool]", "Callable[[int, str], bool]"),
        ] {
            assert_eq!(types(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["set[int]", "int | str", "None", "Any", "list[int", "int int", "dict[User, int]", ""] {
            assert!(types(text).is_err(), "{text}");
        }
    }
}
