//! The signatures in a Rust file: constants, functions, structs, enums and their own methods.

use super::context::{Context, Defined, Function, Make, Receiver, Variable};
use super::language::Language;
use super::read::{Known, arguments, skip, word_type};
use super::rust::STATIC;
use super::rust_before::before;
use super::tokens::Cursor;
use super::types::{Form, Type};

const HERE: Language = Language::Rust;

/// The type at the cursor.
pub(super) fn ty(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    cursor.deeper(|cursor| one(cursor, known))
}

fn one(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    if cursor.eat("&") {
        if cursor.text().starts_with('\'') {
            if !cursor.is("'static") || cursor.ahead(1).text != "str" {
                return Err(format!("the lifetime {} is not read", cursor.shown()));
            }
            cursor.at += 2;
            return Ok(Type::Text(STATIC.into()));
        }
        if cursor.is("mut") {
            return Err("what may change is not read".into());
        }
        if cursor.eat("str") {
            return Ok(Type::Text("&str".into()));
        }
        if cursor.eat("[") {
            let inner = part(cursor, known)?;
            cursor.need("]")?;
            return Ok(Type::Made(Form::Slice, vec![inner]));
        }
        return Ok(part(cursor, known)?.reference());
    }
    if cursor.eat("fn") {
        cursor.need("(")?;
        let mut parts = Vec::new();
        while !cursor.is(")") {
            parts.push(ty(cursor, known)?);
            if !cursor.eat(",") {
                break;
            }
        }
        cursor.need(")")?;
        cursor.need("->").map_err(|_| "it gives nothing".to_owned())?;
        parts.push(ty(cursor, known)?);
        if parts.iter().any(|part| part.has(&borrows)) {
            return Err("a function type with references is not read".into());
        }
        return Ok(Type::Made(Form::Function, parts));
    }
    part(cursor, known)
}

/// Whether values of the type borrow.
pub(super) fn borrows(ty: &Type) -> bool {
    matches!(ty, Type::Made(Form::Ref | Form::Slice, _)) || *ty == Type::Text("&str".into())
}

/// A type that is owned.
fn part(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    if cursor.is("fn") {
        return ty(cursor, known);
    }
    if cursor.is("&") && cursor.ahead(1).text != "str" && cursor.ahead(2).text != "str" {
        return Err("a reference inside of a type is not read".into());
    }
    if cursor.is("&") {
        return ty(cursor, known);
    }
    if !cursor.token().is_word {
        return Err(format!("the type at {} is not read", cursor.shown()));
    }
    let mut name = cursor.word()?;
    while cursor.is("::") && cursor.ahead(1).is_word {
        let is_standard =
            matches!(name, "std" | "collections" | "string" | "vec" | "option" | "crate" | "super" | "self");
        if !is_standard {
            return Err(format!("the path `{name}::…` is not read"));
        }
        cursor.next();
        name = cursor.word()?;
    }
    if matches!(name, "impl" | "dyn" | "Self") {
        return Err(format!("`{name}` in a type is not read"));
    }
    if !cursor.is("<") {
        return word_type(HERE, name, known);
    }
    known.is_own(name)?;
    let mut made = |count| arguments(HERE, cursor, known, ("<", ">"), count);
    let made = match name {
        "Vec" => Type::Made(Form::List, made(1)?),
        "Option" => Type::Made(Form::Optional, made(1)?),
        "HashMap" => Type::Made(Form::Map, made(2)?),
        _ => return Err(format!("the type `{name}<…>` is not read")),
    };
    if made.has(&|part| matches!(part, Type::Made(Form::Ref | Form::Slice, _))) {
        return Err("a reference inside of a type is not read".into());
    }
    match made.entries() {
        Some((Type::Text(name), _)) if name == "String" => Ok(made),
        Some((Type::Int(_) | Type::Bool, _)) | None => Ok(made),
        Some(_) => Err("keys that are no String, whole number or bool are not read".into()),
    }
}

/// Goes behind an item: its `;` or its body.
fn skip_item(cursor: &mut Cursor) {
    while !cursor.is_at_end() && !cursor.is("}") {
        let is_body = cursor.is("{");
        if cursor.eat(";") {
            return;
        }
        cursor.skip();
        if is_body {
            // A constant that is a struct.
            cursor.eat(";");
            return;
        }
    }
    // A bracket that closes nothing here would be looked at for ever.
    cursor.next();
}

pub(super) fn read(mut cursor: Cursor, mut known: Known) -> Context {
    let mut names = cursor;
    while !names.is_at_end() {
        if matches!(names.text(), "struct" | "enum") && names.ahead(2).text != "<" {
            known.insert(names.ahead(1).text.to_owned());
        }
        names.skip();
    }
    let mut context = Context::default();
    while !cursor.is_at_end() {
        let before = before(&mut cursor);
        let first = cursor.next();
        let name = cursor.text().to_owned();
        let what = |kind: &str| format!("{kind} `{name}`");
        match first.text {
            "fn" => {
                match function(&mut cursor, &known, None, before.odd) {
                    Ok(function) => context.functions.push(function),
                    Err(why) => skip(&mut context, first.line, what("function"), why),
                }
                skip_item(&mut cursor);
            }
            "const" | "static" => {
                cursor.next();
                let read = match (cursor.eat(":"), before.odd) {
                    (_, Some(why)) => Err(why),
                    (true, None) if name != "mut" => ty(&mut cursor, &known),
                    _ => Err("what may change is not read".into()),
                };
                match read {
                    Ok(ty) => {
                        let lives = |text: Type| {
                            if text == Type::Text("&str".into()) { Type::Text(STATIC.into()) } else { text }
                        };
                        let ty = match ty {
                            Type::Made(form, parts) => {
                                Type::Made(form, parts.into_iter().map(lives).collect())
                            }
                            ty => lives(ty),
                        };
                        context.variables.push(Variable { name, ty, constant: true });
                    }
                    Err(why) => skip(&mut context, first.line, what(first.text), why),
                }
                skip_item(&mut cursor);
            }
            "struct" | "enum" if known.contains(&name) && before.odd.is_some() => {
                skip(&mut context, first.line, what(first.text), before.odd.unwrap_or_default());
                context.types.push(Defined { name, ..Defined::default() });
                skip_item(&mut cursor);
            }
            "impl" if before.odd.is_some() => {
                skip(&mut context, first.line, format!("`impl {name}`"), before.odd.unwrap_or_default());
                skip_item(&mut cursor);
            }
            "struct" | "enum" if known.contains(&name) => {
                cursor.next();
                let mut defined = Defined { name: name.clone(), ..Defined::default() };
                defined.copy = before.derives.iter().any(|d| d == "Copy");
                defined.clone = before.derives.iter().any(|d| d == "Clone");
                if first.text == "struct" {
                    fields(&mut cursor, &mut defined, &known, &mut context, first.line);
                } else {
                    variants(&mut cursor, &name, &known, &mut context);
                }
                context.types.push(defined);
            }
            "struct" | "enum" | "union" | "trait" | "type" | "mod" => {
                skip(&mut context, first.line, what(first.text), "it is not read");
                skip_item(&mut cursor);
            }
            "impl" => implementation(&mut cursor, &known, &mut context, first.line),
            "macro_rules" => {
                skip(&mut context, first.line, "a macro", "it is not read");
                skip_item(&mut cursor);
            }
            "use" => skip_item(&mut cursor),
            "extern" if cursor.ahead(1).text == "{" => {
                skip(&mut context, first.line, "an `extern` block", "what it has is unsafe");
                skip_item(&mut cursor);
            }
            // A macro, whose inside may be anything.
            "!" => {
                while cursor.token().is_word {
                    cursor.next();
                }
                skip(&mut context, first.line, "a macro", "what it makes is not read");
                cursor.skip();
            }
            "(" | "[" | "{" => {
                cursor.at -= 1;
                cursor.skip();
            }
            _ => {}
        }
    }
    context
}

/// The function at its name. `of` is the type that it is a method of.
fn function(
    cursor: &mut Cursor,
    known: &Known,
    of: Option<&str>,
    odd: Option<String>,
) -> Result<Function, String> {
    let name = cursor.word()?.to_owned();
    if let Some(why) = odd {
        return Err(why);
    }
    if cursor.is("<") {
        return Err("it has generic parameters".into());
    }
    let mut inside = *cursor;
    cursor.skip();
    inside.need("(")?;
    let mut receiver = Receiver::Shared;
    let mut takes = Vec::new();
    if of.is_some() {
        let is_shared = inside.is("&") && inside.ahead(1).text == "self";
        if is_shared || inside.is("self") {
            receiver = if is_shared { Receiver::Shared } else { Receiver::Special };
            inside.at += 1 + usize::from(is_shared);
            if inside.is(":") {
                return Err("how it takes `self` is not read".into());
            }
            inside.eat(",");
        } else if inside.is("&") || inside.is("mut") {
            return Err("it changes what it is called on, or has a lifetime".into());
        }
    }
    while !inside.is(")") {
        inside.eat("mut");
        let name = inside.word().map_err(|_| "a parameter is a pattern".to_owned())?.to_owned();
        inside.need(":")?;
        takes.push((name.clone(), own(&mut inside, known, of).map_err(|why| format!("`{name}`: {why}"))?));
        if !inside.eat(",") {
            break;
        }
    }
    inside.need(")")?;
    if !cursor.eat("->") {
        return Err("it gives nothing".into());
    }
    let gives = own(cursor, known, of)?;
    if cursor.is("where") {
        return Err("it has generic parameters".into());
    }
    Ok(Function { name, takes, gives, receiver })
}

/// A type, where `Self` is `of`.
fn own(cursor: &mut Cursor, known: &Known, of: Option<&str>) -> Result<Type, String> {
    let is_reference = cursor.is("&") && cursor.ahead(1).text == "Self";
    match of {
        Some(name) if cursor.is("Self") || is_reference => {
            cursor.at += 1 + usize::from(is_reference);
            let ty = Type::Named(name.into());
            Ok(if is_reference { ty.reference() } else { ty })
        }
        _ => ty(cursor, known),
    }
}

fn fields(cursor: &mut Cursor, defined: &mut Defined, known: &Known, context: &mut Context, line: usize) {
    let mut all_read = true;
    if cursor.is("(") {
        skip(context, line, format!("the fields of `{}`", defined.name), "fields without names are not read");
        skip_item(cursor);
        return;
    }
    if cursor.eat("{") {
        while !cursor.is("}") && !cursor.is_at_end() {
            let odd = before(cursor).odd;
            let field = cursor.next();
            cursor.eat(":");
            let read = match odd.map_or_else(|| ty(cursor, known), Err) {
                Ok(ty) if ty.has(&borrows) => Err("a field that borrows is not read".to_owned()),
                read => read,
            };
            match read {
                Ok(ty) => defined.fields.push((field.text.to_owned(), ty)),
                Err(why) => {
                    all_read = false;
                    skip(context, field.line, format!("`{}.{}`", defined.name, field.text), why);
                }
            }
            cursor.skip_to(&[","]);
            // `>` of a type that was not read to its end.
            cursor.eat(",");
        }
    }
    cursor.next();
    if all_read {
        defined.make = Make::Fields;
    }
}

fn variants(cursor: &mut Cursor, name: &str, known: &Known, context: &mut Context) {
    cursor.eat("{");
    while !cursor.is("}") && !cursor.is_at_end() {
        let odd = before(cursor).odd;
        let variant = cursor.next();
        let full = format!("{name}::{}", variant.text);
        let ty = Type::Named(name.to_owned());
        if let Some(why) = odd {
            skip(context, variant.line, format!("`{full}`"), why);
        } else if cursor.is("(") {
            let mut inside = *cursor;
            cursor.skip();
            inside.next();
            let mut takes = Ok(Vec::new());
            while let Ok(all) = &mut takes {
                if inside.is(")") {
                    break;
                }
                match self::ty(&mut inside, known) {
                    Ok(ty) if !ty.has(&borrows) => all.push((String::new(), ty)),
                    Ok(_) => takes = Err("what it holds borrows".to_owned()),
                    Err(why) => takes = Err(why),
                }
                inside.eat(",");
            }
            match takes {
                Ok(takes) => context.functions.push(Function {
                    name: full,
                    takes,
                    gives: ty,
                    receiver: Receiver::Shared,
                }),
                Err(why) => skip(context, variant.line, format!("`{full}`"), why),
            }
        } else if cursor.is("{") {
            skip(context, variant.line, format!("`{full}`"), "variants with named fields are not read");
        } else {
            context.variables.push(Variable { name: full, ty, constant: true });
        }
        cursor.skip_to(&[","]);
        cursor.eat(",");
    }
    cursor.next();
}

fn implementation(cursor: &mut Cursor, known: &Known, context: &mut Context, line: usize) {
    let name = cursor.text().to_owned();
    let is_own = cursor.ahead(1).text == "{" && known.contains(&name);
    if !is_own {
        let (of, is_for) = (cursor.ahead(2).text.to_owned(), cursor.ahead(1).text == "for");
        match (name.as_str(), context.types.iter_mut().find(|ty| ty.name == of)) {
            ("Clone", Some(ty)) if is_for => ty.clone = true,
            ("Copy", Some(ty)) if is_for => ty.copy = true,
            _ => skip(
                context,
                line,
                format!("`impl {name}`"),
                "only `impl` of a type of the file is read, without a trait",
            ),
        }
        skip_item(cursor);
        return;
    }
    cursor.at += 2;
    while !cursor.is("}") && !cursor.is_at_end() {
        let before = before(cursor);
        let first = cursor.next();
        let method = cursor.text().to_owned();
        if first.text == "fn" {
            let takes_self = {
                let mut ahead = *cursor;
                ahead.at += 2;
                (0..4).any(|n| ahead.ahead(n).text == "self") && !ahead.is(")")
            };
            match function(cursor, known, Some(&name), before.odd) {
                Ok(mut function) if takes_self => {
                    let defined = context.types.iter_mut().find(|ty| ty.name == name);
                    match defined {
                        Some(defined) => defined.methods.push(std::mem::replace(
                            &mut function,
                            Function {
                                name: String::new(),
                                takes: Vec::new(),
                                gives: Type::Bool,
                                receiver: Receiver::Shared,
                            },
                        )),
                        None => skip(
                            context,
                            first.line,
                            format!("`{name}.{method}`"),
                            "its type comes later in the file",
                        ),
                    }
                }
                Ok(mut function) => {
                    function.name = format!("{name}::{method}");
                    context.functions.push(function);
                }
                Err(why) => skip(context, first.line, format!("`{name}::{method}`"), why),
            }
        } else {
            skip(context, first.line, format!("`{name}::{method}`"), "only functions are read in an `impl`");
        }
        skip_item(cursor);
    }
    cursor.next();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read() {
        let known = Known::from(["User".to_owned()]);
        let spelled =
            |text: &str| super::super::read::parse_type(HERE, text, &known).map(|ty| HERE.spell(&ty));
        for (text, expected) in [
            ("&'static str", "&'static str"),
            ("Vec<Option<User>>", "Vec<Option<User>>"),
            ("&[u8]", "&[u8]"),
            ("std::collections::HashMap<String, Vec<i64>>", "std::collections::HashMap<String, Vec<i64>>"),
            ("fn(i32, bool) -> String", "fn(i32, bool) -> String"),
        ] {
            assert_eq!(spelled(text).as_deref(), Ok(expected), "{text}");
        }
        for text in
            ["&'a str", "&mut User", "Box<User>", "impl Fn()", "Vec<&User>", "(i32, i32)", "T", "fn()"]
        {
            assert!(spelled(text).is_err(), "{text}");
        }
    }
}
