//! The signatures in a Go file: variables, functions, structs and their methods.

use super::context::{Context, Defined, Function, Make, Receiver, Variable};
use super::language::Language;
use super::read::{Known, skip, word_type};
use super::tokens::Cursor;
use super::types::{Form, Type};

const HERE: Language = Language::Go;

/// The type at the cursor.
pub(super) fn ty(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    cursor.deeper(|cursor| one(cursor, known))
}

fn one(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    if cursor.eat("*") {
        return Ok(ty(cursor, known)?.optional());
    }
    if cursor.is("[") && cursor.ahead(1).text == "]" {
        cursor.at += 2;
        return Ok(ty(cursor, known)?.list());
    }
    if cursor.eat("map") {
        cursor.need("[")?;
        let key = ty(cursor, known)?;
        cursor.need("]")?;
        if !matches!(key, Type::Int(_) | Type::Text(_) | Type::Bool) {
            return Err("keys that are no string, whole number or bool are not read".into());
        }
        return Ok(Type::map(key, ty(cursor, known)?));
    }
    if cursor.eat("func") {
        let mut parts: Vec<Type> = parameters(cursor, known)?.into_iter().map(|(_, ty)| ty).collect();
        parts.push(result(cursor, known)?);
        return Ok(Type::Made(Form::Function, parts));
    }
    let name = cursor.word().map_err(|_| format!("the type at {} is not read", cursor.shown()))?;
    if cursor.is(".") || cursor.is("[") || matches!(name, "chan" | "struct" | "interface") {
        return Err(format!("the type `{name}{}` is not read", cursor.text()));
    }
    word_type(HERE, name, known)
}

/// What a function gives.
fn result(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    if cursor.is("(") {
        return Err("it gives several values, or none".into());
    }
    if matches!(cursor.text(), "{" | "" | ")" | "," | ";" | "=") {
        return Err("it gives nothing".into());
    }
    ty(cursor, known)
}

/// The parameters in the bracket at the cursor: names with types, or types alone.
fn parameters(cursor: &mut Cursor, known: &Known) -> Result<Vec<(String, Type)>, String> {
    let mut inside = *cursor;
    cursor.skip();
    inside.need("(")?;
    // `a, b int`: a word before a comma is a name if any parameter is a name and a type.
    let mut groups: Vec<Cursor> = Vec::new();
    let mut has_names = false;
    while !inside.is(")") && !inside.is_at_end() {
        groups.push(inside);
        let next = inside.ahead(1).text;
        has_names |= inside.token().is_word
            && !matches!(inside.text(), "map" | "func")
            && !matches!(next, "," | ")" | "." | "[")
            || inside.token().is_word && next == "[" && inside.text() != "map" && inside.ahead(2).text == "]";
        inside.skip_to(&[","]);
        inside.eat(",");
    }
    let mut takes: Vec<(String, Type)> = Vec::new();
    let mut waiting: Vec<String> = Vec::new();
    for mut group in groups {
        if !has_names {
            takes.push((String::new(), variadic(&mut group, known)?));
            continue;
        }
        waiting.push(group.word()?.to_owned());
        if group.is(",") {
            continue;
        }
        let ty = variadic(&mut group, known).map_err(|why| format!("`{}`: {why}", waiting.join("`, `")))?;
        takes.extend(waiting.drain(..).map(|name| (name, ty.clone())));
    }
    Ok(takes)
}

fn variadic(cursor: &mut Cursor, known: &Known) -> Result<Type, String> {
    if cursor.is("...") { Err("any number of arguments is not read".into()) } else { ty(cursor, known) }
}

pub(super) fn read(mut cursor: Cursor, mut known: Known) -> Context {
    let mut names = cursor;
    while !names.is_at_end() {
        if names.token().column == 0 && names.is("type") && names.ahead(2).text == "struct" {
            known.insert(names.ahead(1).text.to_owned());
        }
        names.skip();
    }
    let mut context = Context::default();
    let mut methods: Vec<(usize, String, Function)> = Vec::new();
    while !cursor.is_at_end() {
        let first = cursor.next();
        let what = |kind: &str, name: &str| format!("{kind} `{name}`");
        match first.text {
            "func" if cursor.is("(") => {
                let mut inside = cursor;
                cursor.skip();
                let name = cursor.text().to_owned();
                inside.next();
                if inside.ahead(1).text != ")" && inside.token().is_word {
                    inside.next();
                }
                let is_pointer = inside.eat("*");
                let of = inside.text().to_owned();
                match function(&mut cursor, &known) {
                    Ok(mut method) if known.contains(&of) => {
                        method.receiver = if is_pointer { Receiver::Special } else { Receiver::Shared };
                        methods.push((first.line, of, method));
                    }
                    Ok(_) => skip(
                        &mut context,
                        first.line,
                        what("method", &name),
                        format!("the type `{of}` is not read"),
                    ),
                    Err(why) => skip(&mut context, first.line, what("method", &name), why),
                }
                skip_body(&mut cursor);
            }
            "func" => {
                let name = cursor.text().to_owned();
                match function(&mut cursor, &known) {
                    Ok(function) => context.functions.push(function),
                    Err(_) if matches!(name.as_str(), "main" | "init") => {}
                    Err(why) => skip(&mut context, first.line, what("function", &name), why),
                }
                skip_body(&mut cursor);
            }
            "type" if cursor.ahead(1).text == "struct" => {
                let name = cursor.next().text.to_owned();
                cursor.next();
                structure(&mut cursor, name, &known, &mut context);
            }
            "type" => {
                skip(
                    &mut context,
                    first.line,
                    what("type", cursor.text()),
                    "only structs without type parameters are read",
                );
                cursor.skip_line();
            }
            "var" if cursor.is("(") => {
                let mut inside = cursor;
                cursor.skip();
                inside.next();
                while inside.at < cursor.at && !inside.is(")") {
                    variable(&mut inside, &known, &mut context);
                }
            }
            "var" => variable(&mut cursor, &known, &mut context),
            "const" => {
                let why = "the compiler knows its value, which a grammar would have to know as well";
                let name = if cursor.is("(") { "(…)" } else { cursor.text() };
                skip(&mut context, first.line, what("const", name), why);
                cursor.skip_line();
            }
            "import" | "package" => cursor.skip_line(),
            "(" | "[" | "{" => {
                cursor.at -= 1;
                cursor.skip();
            }
            _ => {}
        }
    }
    for (line, of, method) in methods {
        match context.types.iter_mut().find(|ty| ty.name == of) {
            Some(ty) => ty.methods.push(method),
            None => skip(&mut context, line, format!("`{of}.{}`", method.name), "its type is not read"),
        }
    }
    context
}

/// The function at its name.
fn function(cursor: &mut Cursor, known: &Known) -> Result<Function, String> {
    let name = cursor.word()?.to_owned();
    if cursor.is("[") {
        return Err("it has type parameters".into());
    }
    let takes = parameters(cursor, known)?;
    let gives = result(cursor, known)?;
    Ok(Function { name, takes, gives, receiver: Receiver::Shared })
}

fn skip_body(cursor: &mut Cursor) {
    while !cursor.is_at_end() && !cursor.is("{") && cursor.token().column > 0 {
        cursor.skip();
    }
    if cursor.is("{") {
        cursor.skip();
    }
}

fn variable(cursor: &mut Cursor, known: &Known, context: &mut Context) {
    let first = cursor.token();
    let mut names = vec![cursor.next().text.to_owned()];
    while cursor.eat(",") {
        names.push(cursor.next().text.to_owned());
    }
    let read = if cursor.is("=") { Err("it does not say its type".into()) } else { ty(cursor, known) };
    for name in names {
        match &read {
            Ok(ty) => context.variables.push(Variable { name, ty: ty.clone(), constant: false }),
            Err(why) => skip(context, first.line, format!("variable `{name}`"), why.clone()),
        }
    }
    cursor.end_line();
}

fn structure(cursor: &mut Cursor, name: String, known: &Known, context: &mut Context) {
    let mut defined = Defined { name, make: Make::Fields, ..Defined::default() };
    let mut inside = *cursor;
    cursor.skip();
    inside.next();
    while !inside.is("}") && !inside.is_at_end() {
        let first = inside.token();
        let mut names = Vec::new();
        while inside.token().is_word {
            names.push(inside.next().text.to_owned());
            if !inside.eat(",") {
                break;
            }
        }
        if names.is_empty() {
            skip(
                context,
                first.line,
                format!("an embedded type of `{}`", defined.name),
                "embedded types are not read",
            );
            defined.make = Make::No;
            inside.next();
        }
        let is_embedded = inside.token().line > first.line || names.is_empty() || inside.is(".");
        let read =
            if is_embedded { Err("embedded types are not read".into()) } else { ty(&mut inside, known) };
        for field in names {
            match &read {
                Ok(ty) => defined.fields.push((field, ty.clone())),
                Err(why) => skip(context, first.line, format!("`{}.{field}`", defined.name), why.clone()),
            }
        }
        // Tags, and what was not read.
        while inside.token().line == first.line && !matches!(inside.text(), "}" | ";") {
            inside.skip();
        }
        while inside.eat(";") {}
    }
    context.types.push(defined);
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
            ("[]*User", "[]*User"),
            ("map[string][]byte", "map[string][]uint8"),
            ("func(a, b int, c string) bool", "func(int, int, string) bool"),
            ("func([]int, User) *User", "func([]int, User) *User"),
        ] {
            assert_eq!(spelled(text).as_deref(), Ok(expected), "{text}");
        }
        for text in
            ["error", "any", "chan int", "[3]int", "func() (int, error)", "func(int)", "map[User]int", "a.B"]
        {
            assert!(spelled(text).is_err(), "{text}");
        }
    }
}
