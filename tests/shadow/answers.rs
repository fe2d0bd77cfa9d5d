//! What the shadow parser says: names as in the grammar's text, lines and columns of it.

use maze::engine::grammar::GrammarSource;
use maze::engine::shadow::{Expected, NodeKind, Place, Spot, Standing, TerminalKind, Tree};

use super::{after, compile, shadow};

const LANGUAGE: &str = r#"// A small language.
start: stmt+
stmt: NAME "=" expr ";"
    | "print" "(" args? ")" ";"
args: expr ("," expr)*
expr: NAME | NUMBER | "(" expr ")"
NAME: /[a-z]+/
NUMBER: /[0-9]+/
%ignore / +/
"#;

fn at(spot: &Option<Spot>) -> String {
    spot.as_ref().map_or("-".into(), |s| format!("{}:{}", s.start.line, s.start.column))
}

fn path(place: &Place) -> String {
    place.path.iter().map(|c| c.rule.as_str()).collect::<Vec<_>>().join(" > ")
}

/// Each expected terminal: its name, where it is used, and whether it has begun.
fn expected(place: &Place) -> Vec<String> {
    let one = |e: &maze::engine::shadow::Expected| {
        let begun = if e.standing == Standing::InProgress { " begun" } else { "" };
        format!("{} {}{begun}", e.terminal.name, at(&e.terminal.spot))
    };
    place.expected.iter().map(one).collect()
}

/// A tree on one line: rules with their parts in parentheses, `…` where it goes on.
fn line(tree: &Tree, text: &[u8]) -> String {
    fn node(tree: &Tree, text: &[u8], at: usize, out: &mut String) {
        let n = &tree.nodes[at];
        match n.kind {
            NodeKind::Rule => {
                out.push_str(&n.name);
                out.push('(');
                for (i, child) in tree.children(at).enumerate() {
                    if i > 0 {
                        out.push(' ');
                    }
                    node(tree, text, child, out);
                }
                out.push(')');
            }
            NodeKind::Terminal => out.push_str(&String::from_utf8_lossy(&text[n.bytes.clone()])),
            NodeKind::Ignored => out.push('_'),
        }
        if n.is_open {
            out.push('…');
        }
    }
    let mut out = String::new();
    if !tree.nodes.is_empty() {
        node(tree, text, 0, &mut out);
    }
    out
}

#[test]
fn it_says_what_is_expected_and_where_that_stands() {
    let mut shadow = after(LANGUAGE, "print(a, (b");
    let place = shadow.place();
    assert_eq!(path(&place), "start > stmt > args > expr > expr");
    assert_eq!(expected(&place), ["NAME 6:7 begun", "\")\" 6:32", "/ +/ 9:9"]);
    let name = &place.expected[0];
    assert_eq!((name.from, &*name.terminal.pattern), (10, "/[a-z]+/"));
    assert_eq!(at(&name.terminal.definition), "7:7");
    assert_eq!(name.terminal.rule.as_deref(), Some("expr"));
    let here = &place.path[1];
    assert_eq!(
        (at(&here.definition), here.alternative, at(&here.active)),
        ("3:1".into(), Some(1), "4:7".into())
    );
    assert_eq!((at(&here.used_at), here.from), ("2:8".into(), 0));
    assert_eq!(at(&place.path[4].used_at), "6:27");
    assert!(!place.may_end);
    assert_eq!(shadow.feed(b")"), 1);
    let place = shadow.place();
    assert_eq!(path(&place), "start > stmt > args");
    assert_eq!(expected(&place), ["\",\" 5:13", "\")\" 4:25", "/ +/ 9:9"]);
    assert_eq!(place.next_bytes.iter().collect::<Vec<_>>(), b" ),");
    assert_eq!(shadow.feed(b");"), 2);
    let place = shadow.place();
    assert!(place.may_end);
    assert_eq!(path(&place), "start");
    assert_eq!(expected(&place), ["NAME 3:7", "\"print\" 4:7", "/ +/ 9:9"]);
}

#[test]
fn before_the_first_byte_the_start_rule_is_open() {
    let place = shadow(LANGUAGE).place();
    assert_eq!(path(&place), "start");
    assert_eq!(expected(&place), ["NAME 3:7", "\"print\" 4:7"]);
    assert_eq!((place.at, place.may_end), (0, false));
}

#[test]
fn the_tree_grows_with_the_text() {
    for (text, tree) in [
        ("", "start()…"),
        ("pr", "start(stmt(pr…)…)…"),
        ("x = 1", "start(stmt(x _ = _ expr(1…)…)…)…"),
        ("x=(1);", "start(stmt(x = expr(( expr(1) )) ;))"),
        ("x=1;print(a,", "start(stmt(x = expr(1) ;) stmt(print ( args(expr(a) ,)…)…)…"),
    ] {
        let shadow = after(LANGUAGE, text);
        let grown = shadow.tree();
        assert_eq!(line(&grown, text.as_bytes()), tree, "{text:?}");
        assert_eq!(grown.is_complete, shadow.may_end(), "{text:?}");
    }
}

#[test]
fn nodes_know_their_bytes_and_places() {
    let text = "print ( a );";
    let tree = after(LANGUAGE, text).tree();
    let a = tree.at(8).expect("a node");
    let node = &tree.nodes[a];
    assert_eq!((&*node.name, node.bytes.clone(), node.kind), ("NAME", 8..9, NodeKind::Terminal));
    assert_eq!((at(&node.used_at), at(&node.definition)), ("6:7".into(), "7:7".into()));
    let expr = &tree.nodes[node.parent.expect("a rule above it")];
    assert_eq!((&*expr.name, expr.bytes.clone(), expr.alternative), ("expr", 8..9, Some(0)));
    assert_eq!((at(&expr.active), at(&expr.used_at)), ("6:7".into(), "5:7".into()));
    assert!(tree.is_complete);
}

#[test]
fn what_was_used_is_counted_by_alternative() {
    let used = after(LANGUAGE, "x=1;print(a,(b));").used();
    let counts: Vec<_> = used.iter().map(|u| format!("{}.{} {}", u.rule, u.alternative, u.count)).collect();
    assert_eq!(counts, ["start.0 1", "stmt.0 1", "stmt.1 1", "args.0 1", "expr.0 2", "expr.1 1", "expr.2 1"]);
    assert_eq!(at(&used[2].spot), "4:7");
}

#[test]
fn an_empty_alternative_counts_too() {
    let used = after("start: a \"x\"\na: \"\" | \"y\"", "x").used();
    let counts: Vec<_> = used.iter().map(|u| (u.rule.as_str(), u.alternative, u.count)).collect();
    assert_eq!(counts, [("start", 0, 1), ("a", 0, 1), ("a", 1, 0)]);
}

#[test]
fn deep_nesting_is_no_danger() {
    let deep = 1_500;
    let text = format!("x={}1", "(".repeat(deep));
    let mut shadow = after(LANGUAGE, &text);
    assert_eq!(shadow.place().path.len(), deep + 3);
    assert_eq!(shadow.feed(format!("{};", ")".repeat(deep)).as_bytes()), deep + 1);
    let tree = shadow.tree();
    assert!(tree.is_complete && tree.nodes.len() > 3 * deep);
}

#[test]
fn parameters_are_told() {
    let lark = "start: f::0\nf::_: \"x\" %if eq(_, 3) | \"a\" f::incr(_) %if lt(_, 3)";
    let place = after(lark, "aa").place();
    let path: Vec<_> = place.path.iter().map(|c| (c.rule.as_str(), c.parameter)).collect();
    assert_eq!(path, [("start", None), ("f", Some(0)), ("f", Some(1))]);
    assert_eq!(expected(&place), ["\"a\" 2:26"]);
}

/// A rule ends those uses of it that wait for its argument, here those of the outer block.
#[test]
fn the_reading_that_is_shown_has_fitting_arguments() {
    let lark = "start: block::0\nblock::_: stmt::_ | stmt::_ block::_\n\
                stmt::_: ind::_ \"x\" NL | ind::_ \"if\" NL block::incr(_)\n\
                ind::_: \"\" %if eq(_, 0) | \" \" ind::decr(_) %if gt(_, 0)\nNL: \"\\n\"";
    let shadow = after(lark, "if\n if\n  x\n x");
    let path = shadow.place().path;
    let last = path.last().expect("an open rule");
    assert_eq!((last.rule.as_str(), last.parameter, last.from), ("stmt", Some(1), 11));
    let nodes = shadow.tree().nodes;
    let parents = nodes.iter().filter_map(|n| Some((n, &nodes[n.parent?])));
    assert!(parents.into_iter().all(|(n, p)| p.bytes.start <= n.bytes.start), "{nodes:#?}");
}

#[test]
fn a_schema_names_its_properties() {
    let schema = r#"{"type": "object", "properties": {"user": {"type": "object", "properties":
        {"age": {"type": "integer"}}, "required": ["age"]}}, "required": ["user"], "additionalProperties": false}"#;
    let mut shadow = compile(&GrammarSource::json_schema("schema", schema)).shadow().expect("followed");
    let text = b"{\"user\": {\"age\": 4";
    assert_eq!(shadow.feed(text), text.len());
    let place = shadow.place();
    assert_eq!(path(&place), "user > age");
    assert_eq!(
        (at(&place.path[0].definition), at(&place.path[1].definition)),
        ("1:35".into(), "2:10".into())
    );
    let pointers =
        |place: &Place| -> Vec<Option<String>> { place.path.iter().map(|c| c.pointer.clone()).collect() };
    assert_eq!(
        pointers(&place),
        [Some("/properties/user".into()), Some("/properties/user/properties/age".into())]
    );
    // Terminals are told by the part of the schema that they belong to.
    let terminals = |place: &Place| -> Vec<String> {
        let told = |e: &Expected| {
            format!("{} {}", e.terminal.pointer.as_deref().unwrap_or("?"), at(&e.terminal.spot))
        };
        let read = place.expected.iter().filter(|e| e.terminal.kind != TerminalKind::Ignored);
        let mut all: Vec<String> = read.map(told).collect();
        all.dedup();
        all
    };
    assert_eq!(terminals(&place), ["/properties/user/properties/age 2:10", "/properties/user 1:35"]);
    shadow.truncate(1);
    assert_eq!(terminals(&shadow.place()), ["/properties/user 1:35"]);
    shadow.truncate(0);
    assert_eq!(terminals(&shadow.place()), [" 1:1"]);
}

#[test]
fn keys_with_signs_of_their_own_keep_their_names_and_places() {
    let lists = ["c#", "c", "a/b", "b", "c#7", "q\\\"2", "é#"];
    let members: Vec<String> = lists
        .iter()
        .map(|key| format!("\"{key}\":\n{{\"type\": \"array\", \"items\": {{\"$ref\": \"#/$defs/d\"}}}}"))
        .collect();
    let schema = format!(
        "{{\"type\": \"object\", \"properties\": {{{}}}, \"$defs\": {{\"d\": {{\"type\": \"object\", \
         \"properties\": {{\"c\": {{\"type\": \"array\"}}}}}}}}}}",
        members.join(",\n")
    );
    for (line, key) in lists.iter().enumerate() {
        let mut shadow = compile(&GrammarSource::json_schema("schema", &*schema)).shadow().expect("followed");
        let text = format!("{{\"{key}\": [");
        assert_eq!(shadow.feed(text.as_bytes()), text.len());
        let place = shadow.place();
        assert_eq!(path(&place), *key, "{schema}");
        let found = place.path[0].definition.as_ref().map(|s| &schema[s.span.clone()]);
        // `c` stands in the schema twice; the path to it tells the two apart.
        let written = format!("\"{key}\"");
        assert_eq!(found, Some(&*written), "line {line}");
        assert_eq!(place.path[0].definition.as_ref().map(|s| s.start.line), Some(2 * line + 1));
    }
}

#[test]
fn gbnf_is_answered_in_places_of_its_own_text() {
    let text = "root ::= move (\" \" move)*\n\
                # A move.\n\
                move ::= piece square | \"O-O\" \"-O\"?\n\
                piece ::= [NBRQK]\n\
                square ::= [a-h] [1-8]\n";
    let mut shadow = compile(&GrammarSource::gbnf("gbnf", text)).shadow().expect("followed");
    assert_eq!(shadow.feed(b"Nf3 O-"), 6);
    let place = shadow.place();
    assert_eq!(path(&place), "root > move");
    assert_eq!(expected(&place), ["\"O-O\" 3:25 begun"]);
    let crumb = &place.path[1];
    assert_eq!(
        (at(&crumb.definition), crumb.alternative, at(&crumb.active)),
        ("3:1".into(), Some(1), "3:25".into())
    );
    assert_eq!(at(&crumb.used_at), "1:20");
    shadow.truncate(1);
    let place = shadow.place();
    assert_eq!(expected(&place), ["[a-h] 5:12"]);
    assert_eq!(place.expected[0].terminal.rule.as_deref(), Some("square"));
    assert_eq!(line(&shadow.tree(), b"N"), "root(move(piece(N))…)…");
}

#[test]
fn a_regex_is_one_terminal() {
    let mut shadow = compile(&GrammarSource::regex("regex", "[a-f]{2}/x\n")).shadow().expect("followed");
    assert_eq!(shadow.feed(b"ab"), 2);
    let place = shadow.place();
    assert_eq!(expected(&place), ["[a-f]{2}/x 1:1 begun"]);
    assert_eq!(place.next_bytes.iter().collect::<Vec<_>>(), b"/");
}
