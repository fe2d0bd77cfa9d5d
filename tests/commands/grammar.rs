//! `maze grammar typed`: what it prints works with the other commands, and bad input is said.

use std::fs;

use tempfile::TempDir;

use super::{ran, str};

fn typed<'a>(language: &'a str, context: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    [&["grammar", "typed", "--language", language, "--context", context][..], rest].concat()
}

#[test]
fn the_grammar_is_clean_and_its_samples_are_its_texts() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("g.lark");
    for (language, context, inside) in [
        ("python", "tests/typed/shop.py", "price_of"),
        ("typescript", "tests/typed/shop.ts", "priceOf"),
        ("rust", "tests/typed/shop.rs", "price_of"),
        ("go", "tests/typed/shop.go", "priceOf"),
    ] {
        let (code, grammar, stderr) =
            ran(&typed(language, context, &["--inside", inside, "--entry", "body", "--depth", "2"]));
        assert_eq!(code, 0, "{stderr}");
        assert!(
            stderr.lines().all(|line| line.starts_with(context) && line.contains(" is skipped: ")),
            "{stderr}"
        );
        assert!(stderr.lines().count() >= 3, "{stderr}");
        // How it was made is its second line; that makes it again.
        let made_by =
            grammar.lines().nth(1).and_then(|l| l.strip_prefix("// Made by: maze ")).expect("a header");
        assert_eq!(ran(&made_by.split(' ').collect::<Vec<_>>()).1, grammar);
        fs::write(&path, &grammar).expect("writable");
        let (code, found, stderr) = ran(&["check", str(&path)]);
        assert_eq!((code, found.as_str()), (0, ""), "{stderr}");
        let (code, samples, stderr) = ran(&["sample", str(&path), "-n", "2"]);
        assert_eq!(code, 0, "{stderr}");
        assert!(samples.contains("return "), "{samples}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let folder = TempDir::new().expect("a folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("writable");
        path
    };
    let toml = put("c.toml", "[variables]\nuser = \"User\"\n");
    let open = put("open.py", "def f(\n    x: int\n");
    let empty = put("empty.rs", "struct Empty(u8);\n");
    let user = put("user.toml", "[types.User]\nfields = { name = \"str\" }\n");
    let named = put("named.toml", "[functions]\nf = { takes = [\"int\"], gives = \"int\" }\n");
    let (toml, open, empty, user) = (str(&toml), str(&open), str(&empty), str(&user));
    let named = str(&named);
    let shop = "tests/typed/shop.py";
    let cases: &[(&str, &str, &[&str], &str)] = &[
        ("python", toml, &["--returns", "int"], "c.toml:2: user: the type `User` is not known"),
        ("python", open, &["--returns", "int"], "open.py:1: this bracket has no partner"),
        ("python", shop, &["--returns", "Itm"], "\"Itm\" cannot be returned: the type `Itm` is not known"),
        ("python", shop, &["--returns", "int | str"], "a union of several types is not read"),
        ("python", shop, &["--returns", "list[int"], "the brackets of the type \"list[int\" do not match"),
        ("python", shop, &["--inside", "prize"], "no function \"prize\" to complete; there are half, "),
        (
            "python",
            user,
            &["--returns", "User"],
            "nothing produces a value of the type \"User\" within the depth 3",
        ),
        ("python", named, &["--inside", "f"], "put its parameters in [variables] and say with --returns"),
        ("rust", empty, &["--returns", "&str"], "\"&str\" cannot be returned: it borrows"),
        ("rust", empty, &["--returns", "Empty"], "nothing produces a value of the type \"Empty\""),
        (
            "python",
            shop,
            &["--returns", "int", "--local", "x:int"],
            "an expression declares no local variables",
        ),
        (
            "python",
            shop,
            &["--returns", "int", "--entry", "body", "--local", "limit:int"],
            "the local variable \"limit\": something else has this name",
        ),
        (
            "rust",
            "tests/typed/odd.rs",
            &[
                "--inside", "complete", "--entry", "body", "--depth", "8", "--local", "a:i64", "--local",
                "b:i64",
            ],
            "more than the limit of 262144; lower the depth, which is 8; name fewer local variables",
        ),
    ];
    for (language, context, rest, wanted) in cases {
        let (code, stdout, stderr) = ran(&typed(language, context, rest));
        assert_eq!((code, stdout.as_str()), (2, ""), "{rest:?}: {stderr}");
        let last = stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: ") && last.contains(wanted), "{rest:?}: {stderr}");
    }
    let (code, _, stderr) = ran(&typed("python", shop, &["--returns", "int", "--depth", "9"]));
    assert!(code == 2 && stderr.contains("from 0 to 8"), "{stderr}");
    let (code, _, stderr) = ran(&typed("python", shop, &[]));
    assert!(code == 2 && stderr.contains("--returns"), "{stderr}");
}
