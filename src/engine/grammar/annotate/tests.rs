//! What an annotated text looks like, and what its marks say.

use super::*;

#[test]
fn every_alternative_and_use_becomes_a_rule() {
    let text = "start: a \"x\" | (B a)? /y/\na: B~2..3\nB: \"b\"";
    let (lark, marks) = annotate(text);
    assert_eq!(
        lark.lines().collect::<Vec<_>>(),
        [
            "start: zza0 | zza1",
            "a: zza2",
            "B: \"b\"",
            "zzu0[capture=\"zzu0\"]: a",
            "zzu1[capture=\"zzu1\"]: \"x\"",
            "zza0[capture=\"zza0\"]: zzu0 zzu1",
            "zzu2[capture=\"zzu2\"]: B",
            "zzu3[capture=\"zzu3\"]: a",
            "zzu4[capture=\"zzu4\"]: /y/",
            "zza1[capture=\"zza1\"]: ( zzu2 zzu3)? zzu4",
            "zzu5[capture=\"zzu5\"]: B",
            "zza2[capture=\"zza2\"]: zzu5~2..3",
        ]
    );
    let places: Vec<&str> = marks.alternatives.iter().map(|a| &text[a.span.clone()]).collect();
    assert_eq!(places, ["a \"x\"", "(B a)? /y/", "B~2..3"]);
    assert_eq!(marks.uses[0].target, Some(1));
    assert_eq!(marks.uses[2].definition.clone().map(|d| &text[d]), Some("\"b\""));
}

#[test]
fn parameters_go_through_the_marks() {
    let (lark, _) = annotate("start: f::0\nf::_: \"\" %if eq(_, 0) | \"x\" f::decr(_) %if gt(_, 0)");
    assert_eq!(
        lark.lines().collect::<Vec<_>>(),
        [
            "start: zza0",
            "f::_:  \"\" %if eq(_,0) | zza2::_ %if gt(_,0)",
            "zzu0[capture=\"zzu0\"]: f::0",
            "zza0[capture=\"zza0\"]: zzu0",
            "zzu1[capture=\"zzu1\"]: \"x\"",
            "zzu2::_[capture=\"zzu2\"]: f::decr(_)",
            "zza2::_[capture=\"zza2\"]: zzu1 zzu2::_",
        ]
    );
}

#[test]
fn a_nested_grammar_keeps_its_marks_to_itself() {
    let text = "start: %lark {\n  start: x{2}\n  x: \"y\"\n  %llguidance {\"ignore_once\": true}\n} \"z\"";
    let (lark, marks) = annotate(text);
    let inner = &lark[lark.find('{').unwrap()..lark.rfind("\n}").unwrap()];
    assert!(inner.contains("start: zza0") && inner.contains("zzu0[capture=\"zzu0\"]: x"), "{lark}");
    assert!(marks.uses.iter().any(|u| u.kind == UseKind::Lark { ignore_once: true }));
    assert!(!marks.ignore_once);
    assert_eq!(marks.rules.iter().map(|r| &r.name[..]).collect::<Vec<_>>(), ["start", "start", "x"]);
}

#[test]
fn marks_stay_short_whatever_the_text_is_full_of() {
    let text = format!("start: \"zza zzb zzc{}\"", "z".repeat(10_000));
    let (copy, marks) = annotate(&text);
    assert_eq!(marks.prefix, "zzd");
    assert!(copy.len() < text.len() + 100, "{}", copy.len());
    // One letter is not enough.
    let all: String = (b'a'..=b'z').map(|c| format!("zz{} ", char::from(c))).collect();
    assert_eq!(annotate(&format!("start: \"{all}\"")).1.prefix, "zzaa");
}
