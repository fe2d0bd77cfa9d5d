//! Rules with a parameter: a rule ends those uses of it that asked for its argument, and no others. What is
//! right is told by a plain function.

use maze::engine::check::{Verdict, check_text};
use maze::engine::grammar::{Compiled, GrammarSource};
use maze::engine::shadow::NearestEnd;

use super::compile;

/// Blocks by indentation: an `x`, or an `if` with a block that is one deeper, up to a depth of 9.
const BLOCKS: &str = "start: block::0\nblock::_: stmt::_ | stmt::_ block::_\n\
                      stmt::_: ind::_ \"x\" NL | ind::_ \"if\" NL block::incr(_) %if lt(_, 9)\n\
                      ind::_: \"\" %if eq(_, 0) | \" \" ind::decr(_) %if gt(_, 0)\nNL: \"\\n\"\n";

/// Lines with their depth and whether they open a block: each is as deep as a block that is open, the first
/// of a block as deep as that.
fn is_right(lines: &[(usize, bool)]) -> bool {
    let mut wanted = 0..=0;
    for &(depth, opens) in lines {
        if !wanted.contains(&depth) {
            return false;
        }
        wanted = if opens { depth + 1..=depth + 1 } else { 0..=depth };
    }
    !lines.is_empty() && !lines[lines.len() - 1].1
}

fn text(lines: &[(usize, bool)]) -> String {
    lines.iter().map(|&(depth, opens)| " ".repeat(depth) + if opens { "if\n" } else { "x\n" }).collect()
}

/// All texts of up to so many lines of depth 0 to 3.
fn all(most: usize) -> Vec<Vec<(usize, bool)>> {
    let lines: Vec<_> = (0..4).flat_map(|depth| [(depth, false), (depth, true)]).collect();
    let mut texts = vec![Vec::new()];
    let mut last = 0;
    for _ in 0..most {
        let longer = texts.len();
        for i in last..longer {
            let text = texts[i].clone();
            texts.extend(lines.iter().map(|&line| [&text[..], &[line]].concat()));
        }
        last = longer;
    }
    texts
}

fn accepts(grammar: &Compiled, text: &str) -> bool {
    check_text(grammar, text.as_bytes()).expect("within the limits") == Verdict::Accepted
}

#[test]
fn a_rule_ends_the_uses_that_asked_for_its_argument() {
    let grammar = compile(&GrammarSource::lark("blocks", BLOCKS));
    let shadow = grammar.shadow().expect("followed");
    let mut right = 0;
    for lines in all(4) {
        let (text, wanted) = (text(&lines), is_right(&lines));
        assert_eq!(accepts(&grammar, &text), wanted, "{text}");
        let mut shadow = shadow.fork();
        let is_whole = shadow.feed(text.as_bytes()) == text.len() && shadow.may_end();
        assert_eq!(is_whole, wanted, "the shadow parser: {text}");
        right += usize::from(wanted);
        // A block that was opened ends soonest with a line of its own depth, and that only.
        if let Some(&(depth, true)) = lines.last()
            && is_right(&[&lines[..], &[(depth + 1, false)]].concat())
        {
            let bytes = format!("{}x\n", " ".repeat(depth + 1)).into_bytes();
            let at_least = bytes.len();
            assert_eq!(shadow.nearest_end(), NearestEnd::Text { bytes, at_least }, "{text}");
        }
    }
    assert!(right > 20, "{right}");
}

/// Written out, a list of all subsets would be too large; llguidance follows it as well as it can, and the
/// shadow parser with it.
#[test]
fn too_many_arguments_are_left_to_llguidance() {
    let bits: Vec<String> =
        (0..16).map(|i| format!("\"{i:x}\" s::set_bit({i}) %if bit_clear({i})")).collect();
    let lark = format!("start: s::0\ns::_: {} | \"\" %if is_ones([0:16])\n", bits.join(" | "));
    let grammar = compile(&GrammarSource::lark("subsets", lark));
    let shadow = grammar.shadow().expect("followed");
    for (text, wanted) in
        [("0123456789abcdef", true), ("fedcba9876543210", true), ("0123456789abcdee", false)]
    {
        assert_eq!(accepts(&grammar, text), wanted, "{text}");
        let mut shadow = shadow.fork();
        assert_eq!(shadow.feed(text.as_bytes()) == text.len() && shadow.may_end(), wanted, "{text}");
    }
}
