//! The signatures in a TypeScript file: annotated variables, functions, interfaces, classes, enums.

use super::context::{Context, Defined, Function, Make, Receiver, Variable};
use super::language::Language;
use super::read::{Known, arguments, skip, word_type};
use super::tokens::Cursor;
use super::types::{Form, Type};

const HERE: Language = Language::TypeScript;

/// Words before a declaration or a member that do not change its type.
const BEFORE: [&str; 5] = ["export", "default", "declare", "readonly", "public"];

/// The type at the cursor.
pub(super) fn ty(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    cursor.deeper(|cursor| one(cursor, known))
}

fn one(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    cursor.eat("|");
    let mut parts = Vec::new();
    let mut none = None;
    loop {
        match cursor.text() {
            "undefined" | "null" if none.is_some() => {
                return Err("both null and undefined are not read".into());
            }
            "undefined" | "null" => {
                let is_null = cursor.next().text == "null";
                none = Some(if is_null { Form::Nullable } else { Form::Optional });
            }
            _ => parts.push(array(cursor, known)?),
        }
        if !cursor.eat("|") {
            break;
        }
    }
    match (parts.pop(), parts.is_empty(), none) {
        (Some(ty), true, None) => Ok(ty),
        (Some(ty), true, Some(form)) => absent(ty, form),
        (None, _, _) => Err("it gives nothing".into()),
        _ => Err("a union of several types is not read".into()),
    }
}

/// `ty` or what `form` has instead.
fn absent(ty: Type, form: Form) -> Result<Type, String> {
    match &ty {
        Type::Made(own, _) if *own == form => Ok(ty),
        Type::Made(Form::Optional | Form::Nullable, _) => Err("both null and undefined are not read".into()),
        _ => Ok(Type::Made(form, vec![ty])),
    }
}

fn array(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    let mut read = single(cursor, known)?;
    let mut count = 0;
    while cursor.is("[") && cursor.ahead(1).text == "]" {
        count += 1;
        cursor.need_depth(count)?;
        cursor.at += 2;
        read = read.list();
    }
    if cursor.is("[") || cursor.is("&") || cursor.is("extends") || cursor.is("is") {
        return Err(format!("{} in a type is not read", cursor.shown()));
    }
    Ok(read)
}

fn single(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    if cursor.is("(") {
        let mut after = *cursor;
        after.skip();
        if after.is("=>") {
            let takes = parameters(cursor, known)?.into_iter().map(|p| p.ty);
            let mut parts: Vec<Type> = takes.collect();
            cursor.need("=>")?;
            parts.push(ty(cursor, known)?);
            return Ok(Type::Made(Form::Function, parts));
        }
        cursor.next();
        let inner = ty(cursor, known)?;
        cursor.need(")")?;
        return Ok(inner);
    }
    if cursor.is("{") && cursor.ahead(1).text == "[" && cursor.ahead(3).text == ":" {
        cursor.at += 4;
        cursor.need("string")?;
        cursor.need("]")?;
        cursor.need(":")?;
        let value = ty(cursor, known)?;
        cursor.eat(";");
        cursor.need("}")?;
        return Ok(Type::Made(Form::Record, vec![value]));
    }
    let name = cursor.word()?;
    if matches!(name, "void" | "never") {
        return Err("it gives nothing".into());
    }
    if name == "readonly" || cursor.is(".") || name == "keyof" || name == "typeof" {
        return Err(format!("`{name}` in a type is not read"));
    }
    if !cursor.is("<") {
        return word_type(HERE, name, known);
    }
    known.is_own(name)?;
    let mut made = |count| arguments(HERE, cursor, known, ("<", ">"), count);
    match name {
        "Array" => Ok(Type::Made(Form::List, made(1)?)),
        "Map" => keyed(made(2)?),
        "Record" => {
            let mut parts = made(2)?;
            match parts.first() {
                Some(Type::Text(_)) => Ok(Type::Made(Form::Record, parts.split_off(1))),
                _ => Err("a Record with other keys than string is not read".into()),
            }
        }
        _ => Err(format!("the type `{name}<…>` is not read")),
    }
}

fn keyed(parts: Vec<Type>) -> Result<Type, String> {
    match parts.first() {
        Some(Type::Float(_) | Type::Text(_)) => Ok(Type::Made(Form::Map, parts)),
        _ => Err("keys that are no string or number are not read".into()),
    }
}

/// A parameter.
struct Parameter {
    name: String,
    ty: Type,
    /// What a constructor makes a field of, if anybody may read it.
    is_field: bool,
}

/// The parameters in the bracket at the cursor, which ends behind it. One that may be left out and
/// cannot be read is left out.
fn parameters(cursor: &mut Cursor, known: &Known) -> Result<Vec<Parameter>, String> {
    let mut inside = *cursor;
    cursor.skip();
    inside.need("(")?;
    let mut takes = Vec::new();
    let mut may_follow = true;
    while !inside.is(")") {
        let (mut is_field, mut is_hidden) = (false, false);
        while matches!(inside.text(), "public" | "readonly" | "private" | "protected")
            && inside.ahead(1).is_word
        {
            is_hidden |= matches!(inside.text(), "private" | "protected");
            is_field = true;
            inside.next();
        }
        if inside.eat("...") {
            break;
        }
        let name = inside.word()?.to_owned();
        let is_optional = inside.eat("?");
        let read = if inside.eat(":") { ty(&mut inside, known) } else { Err("it has no type".into()) };
        let read = if is_optional { read.and_then(|ty| absent(ty, Form::Optional)) } else { read };
        let has_default = inside.is("=");
        inside.skip_to(&[","]);
        match read {
            Ok(_) if name == "this" => return Err("it takes `this`".into()),
            Ok(ty) if may_follow => takes.push(Parameter { name, ty, is_field: is_field && !is_hidden }),
            _ if is_optional || has_default => may_follow = false,
            Ok(_) => return Err(format!("`{name}` comes after one that is not read")),
            Err(why) => return Err(format!("`{name}`: {why}")),
        }
        if !inside.eat(",") {
            break;
        }
    }
    Ok(takes)
}

/// A function or a method from the bracket of its parameters on.
fn signature(name: &str, cursor: &mut Cursor, known: &Known) -> Result<Function, String> {
    if cursor.is("<") {
        return Err("it has type parameters".into());
    }
    let takes = parameters(cursor, known)?.into_iter().map(|p| (p.name, p.ty)).collect();
    if !cursor.eat(":") {
        return Err("it does not say what it gives".into());
    }
    let gives = ty(cursor, known)?;
    Ok(Function { name: name.to_owned(), takes, gives, receiver: Receiver::Shared })
}

/// Goes to the next declaration or member: behind a `;` or a body, or to a new line.
fn skip_rest(cursor: &mut Cursor) {
    let mut line = cursor.token().line;
    while !cursor.is_at_end() && !cursor.is("}") {
        if cursor.eat(";") || cursor.eat(",") {
            return;
        }
        let is_body = cursor.is("{");
        if cursor.token().line > line
            && !matches!(cursor.text(), "|" | "=>" | "=" | "." | "?" | ":" | "{" | "+")
        {
            return;
        }
        cursor.skip();
        line = cursor.at.checked_sub(1).map_or(line, |_| line.max(cursor.before().line));
        if is_body && !matches!(cursor.text(), "|" | "[" | "." | "&") {
            cursor.eat(";");
            return;
        }
    }
}

pub(super) fn read(mut cursor: Cursor, mut known: Known) -> Context {
    let mut names = cursor;
    while !names.is_at_end() {
        if matches!(names.text(), "interface" | "class" | "enum" | "type") && names.ahead(1).is_word {
            let is_abstract = names.before().text == "abstract";
            names.next();
            let is_shape =
                names.ahead(1).text == "=" && names.ahead(2).text == "{" && names.ahead(3).text != "[";
            let is_plain = !matches!(names.ahead(1).text, "=" | "<") || is_shape;
            if is_plain && !is_abstract {
                known.insert(names.text().to_owned());
            }
        }
        names.skip();
    }
    let mut context = Context::default();
    while !cursor.is_at_end() {
        while BEFORE.contains(&cursor.text()) && (cursor.ahead(1).is_word || cursor.ahead(1).text == "{") {
            cursor.next();
        }
        let first = cursor.next();
        let name = cursor.text().to_owned();
        match first.text {
            "function" => {
                cursor.next();
                match signature(&name, &mut cursor, &known) {
                    Ok(function) => context.functions.push(function),
                    Err(why) => skip(&mut context, first.line, format!("function `{name}`"), why),
                }
                skip_rest(&mut cursor);
            }
            "const" | "let" | "var" if cursor.token().is_word && cursor.is("enum") => {}
            "const" | "let" | "var" => {
                cursor.next();
                let what = format!("variable `{name}`");
                if cursor.eat(":") {
                    match ty(&mut cursor, &known) {
                        Ok(ty) => context.variables.push(Variable { name, ty, constant: false }),
                        Err(why) => skip(&mut context, first.line, what, why),
                    }
                } else if cursor.eat("=") && cursor.is("(") {
                    match signature(&name, &mut cursor, &known) {
                        Ok(function) if cursor.is("=>") => context.functions.push(function),
                        Ok(_) => skip(&mut context, first.line, what, "it has no type"),
                        Err(why) => skip(&mut context, first.line, what, why),
                    }
                } else {
                    skip(&mut context, first.line, what, "it has no type");
                }
                skip_rest(&mut cursor);
            }
            "enum" => {
                cursor.next();
                cursor.eat("{");
                while !cursor.is("}") && !cursor.is_at_end() {
                    let variant = format!("{name}.{}", cursor.text());
                    let ty = Type::Named(name.clone());
                    context.variables.push(Variable { name: variant, ty, constant: false });
                    cursor.skip_to(&[","]);
                    cursor.eat(",");
                }
                cursor.eat("}");
                context.types.push(Defined { name, ..Defined::default() });
            }
            "interface" | "class" | "type" if known.contains(&name) => {
                cursor.next();
                shape(&mut cursor, (first.text, &name, first.line), &known, &mut context);
            }
            "interface" | "class" | "type" => {
                let why = "generic types and other names for types are not read";
                skip(&mut context, first.line, format!("{} `{name}`", first.text), why);
                skip_rest(&mut cursor);
            }
            "abstract" => {
                let why = "an abstract class is not made, and what it has is not read";
                skip(&mut context, first.line, format!("class `{}`", cursor.ahead(1).text), why);
                skip_rest(&mut cursor);
            }
            "async" => {
                skip(
                    &mut context,
                    first.line,
                    format!("function `{}`", cursor.ahead(1).text),
                    "it gives a promise",
                );
                skip_rest(&mut cursor);
            }
            "namespace" | "module" => {
                skip(
                    &mut context,
                    first.line,
                    format!("{} `{name}`", first.text),
                    "what it defines is not read",
                );
                skip_rest(&mut cursor);
            }
            ";" | "}" => {}
            _ => skip_rest(&mut cursor),
        }
    }
    context
}

/// An interface, a class, or an object type with a name.
fn shape(cursor: &mut Cursor, (kind, name, line): (&str, &str, usize), known: &Known, context: &mut Context) {
    let what = format!("{kind} `{name}`");
    let mut defined = Defined { name: name.to_owned(), ..Defined::default() };
    cursor.eat("=");
    let inherits = cursor.is("extends");
    while !cursor.is("{") && !cursor.is_at_end() {
        cursor.next();
    }
    cursor.next();
    let (mut all_read, mut constructor) = (!inherits, Ok(Vec::new()));
    let (mut hidden, mut has_constructor) = (Vec::new(), false);
    while !cursor.is("}") && !cursor.is_at_end() {
        let first = cursor.token();
        let (mut is_hidden, mut is_get) = (false, false);
        loop {
            let word = cursor.text();
            let is_before = matches!(cursor.ahead(1).text, ":" | "?" | "(" | "=" | ";" | "!" | "<");
            match word {
                _ if is_before => break,
                "private" | "protected" | "static" | "async" | "set" | "abstract" | "declare" => {
                    is_hidden = true
                }
                "get" => is_get = true,
                "public" | "readonly" | "override" => {}
                _ => break,
            }
            cursor.next();
        }
        let member = cursor.next();
        let shown = format!("`{name}.{}`", member.text);
        let is_optional = cursor.eat("?");
        cursor.eat("!");
        if member.text == "constructor" {
            let is_first = !std::mem::replace(&mut has_constructor, true);
            constructor = match parameters(cursor, known) {
                // Of several, only what the first ones say can be called.
                Ok(_) if is_hidden || !is_first => Err("it is hidden, or there are several".into()),
                read => read,
            };
            match &constructor {
                Ok(takes) => {
                    let fields = takes.iter().filter(|p| p.is_field);
                    defined.fields.extend(fields.map(|p| (p.name.clone(), p.ty.clone())));
                }
                Err(why) => skip(context, first.line, shown, why.clone()),
            }
        } else if !member.is_word || is_hidden {
            // Nobody outside can use it, or it has no name.
            hidden.push(member.text);
            all_read &= kind == "class" || member.is_word || is_optional;
            if !member.is_word && member.text != "#" {
                skip(context, first.line, shown, "only members with a plain name are read");
            }
        } else if cursor.is("(") || cursor.is("<") {
            match signature(member.text, cursor, known) {
                Ok(f) if is_get => defined.fields.push((f.name, f.gives)),
                Ok(f) if !is_optional => {
                    // A literal would have to define it.
                    all_read = all_read && kind == "class";
                    defined.methods.push(f);
                }
                Ok(_) => skip(context, first.line, shown, "a method that may be missing is not read"),
                Err(why) => {
                    all_read = all_read && kind == "class";
                    skip(context, first.line, shown, why);
                }
            }
        } else if cursor.eat(":") {
            let read = ty(cursor, known);
            let read = if is_optional { read.and_then(|ty| absent(ty, Form::Optional)) } else { read };
            match read {
                Ok(ty) => defined.fields.push((member.text.to_owned(), ty)),
                Err(why) => {
                    all_read &= is_optional || kind == "class";
                    skip(context, first.line, shown, why);
                }
            }
        } else {
            all_read = all_read && kind == "class";
            skip(context, first.line, shown, "it has no type");
        }
        skip_rest(cursor);
    }
    cursor.eat("}");
    if kind == "type" && matches!(cursor.text(), "|" | "&" | "[") {
        skip(context, line, what, "only its name is known, as it is more than one object type");
        context.types.push(Defined { name: defined.name, ..Defined::default() });
        skip_rest(cursor);
        return;
    }
    if inherits {
        skip(context, line, what, "what it inherits, and how it is made, is not read");
    }
    let takes = |takes: Vec<Parameter>| Make::Call(takes.into_iter().map(|p| p.ty).collect());
    defined.make = match (kind, constructor) {
        _ if !all_read => Make::No,
        ("class", constructor) => constructor.map_or(Make::No, takes),
        _ => Make::Fields,
    };
    // An override of a hidden member would clash.
    defined.fields.retain(|(n, _)| !hidden.contains(&n.as_str()));
    context.types.push(defined);
}
