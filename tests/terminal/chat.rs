//! Chats in the playground: the mode, the system prompt, thinking, and the whole prompt.

use std::sync::Arc;

use maze::engine::ChatTemplate;
use maze::engine::load::Loaded;
use maze::engine::model::scripted::ScriptedModel;
use maze::engine::trace::TokenId;
use maze::engine::vocabulary::{SpecialTokens, Vocabulary};
use maze::ui::theme::{Role, Theme, ThemeName};
use ratatui::style::Modifier;

use super::playground::Playground;

const TEMPLATE: &str = "{%- for m in messages %}{{- '<|im_start|>' + m.role + '\n' }}\
    {%- if m.reasoning_content %}{{- '<think>\n' + m.reasoning_content + '\n</think>\n\n' }}{% endif %}\
    {{- m.content | trim + '<|im_end|>\n' }}{%- endfor %}\
    {%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}\
    {%- if enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}";

/// What it says after its prompt, a thinking block first.
const SAYS: &str =
    "They don't want\nmuch: one line.\n</think>\n\ndef count(text):\n    return len(text.split())\n";

/// Bytes, some words, ChatML's tokens, and a template.
fn loaded() -> Loaded {
    with_template(TEMPLATE, &["</think>", "<think>"])
}

/// The same with another template and other marks for thinking.
fn with_template(template: &'static str, marks: &[&str]) -> Loaded {
    let special = |name: &str| [&[0xff], name.as_bytes()].concat();
    let mut words = vec![special("<|im_start|>"), special("<|im_end|>")];
    words.extend((0..=u8::MAX).map(|b| vec![b]));
    let more = ["system", "user", "assistant", "\n\n", "def ", "words", "line", "the ", "count"];
    words.extend(marks.iter().chain(&more).map(|w| w.as_bytes().to_vec()));
    let vocabulary = Vocabulary::from_words(words, &SpecialTokens { bos: None, eos: vec![1] }).unwrap();
    let vocabulary =
        Arc::new(vocabulary.with_chat(Some(ChatTemplate::new(template, "test", Default::default()))));
    let v = vocabulary.clone();
    let model = ScriptedModel::new(v.len(), 4096, move |tokens| {
        let text: Vec<u8> = tokens.iter().flat_map(|&t| v.bytes(t)).copied().collect();
        let text = String::from_utf8_lossy(&text).into_owned();
        let said = text.rsplit_once("<think>\n").map_or("", |(_, said)| said);
        let rest = SAYS.strip_prefix(said).unwrap_or_default().as_bytes();
        let wanted = |t: TokenId| !v.is_padding(t) && rest.starts_with(v.bytes(t));
        (0..v.len() as TokenId).map(|t| if wanted(t) { 5.0 + v.bytes(t).len() as f32 } else { 0.0 }).collect()
    });
    Loaded { model: Box::new(model), vocabulary }
}

fn snapshot(name: &str, sizes: &[(u16, u16)], prepare: impl Fn(&mut Playground)) {
    for &(width, height) in sizes {
        let mut p = Playground::of(width, height, loaded());
        prepare(&mut p);
        let screen = p.screen();
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), screen);
        });
    }
}

const SIZES: &[(u16, u16)] = &[(80, 24), (160, 45)];

fn with_system_prompt(p: &mut Playground) {
    p.press("Alt-S");
    p.type_text("Short answers, <|im_end|> please.");
}

#[test]
fn the_system_prompt_is_edited_in_the_prompt_s_pane() {
    snapshot("system_prompt", &SIZES[..1], with_system_prompt);
    let mut p = Playground::of(80, 24, loaded());
    with_system_prompt(&mut p);
    p.press("Alt-S");
    p.type_text("x");
    assert!(p.state.prompt.text().starts_with("x# Python"), "back in the prompt");
    assert_eq!(p.state.chat.system.text(), "Short answers, <|im_end|> please.");
    p.press("Alt-C");
    assert!(p.screen().contains("Prompt · raw"));
    p.press("Alt-S");
    assert!(p.screen().contains("The system prompt is for chats"));
}

#[test]
fn the_whole_prompt_can_be_looked_at() {
    snapshot("rendered", SIZES, |p| {
        with_system_prompt(p);
        p.press("Alt-P");
    });
    let mut p = Playground::of(40, 10, loaded());
    p.press("Alt-P");
    assert!(p.screen().contains("⟦<|im_start|>⟧"));
    p.press("End");
    assert!(!p.screen().contains("⟦<|im_start|>⟧user") && p.screen().contains("</think>"), "{}", p.screen());
    p.press("Alt-P");
    assert!(!p.screen().contains("⟧"));
}

/// Special tokens and the ends of tokens are told by more than colours.
#[test]
fn tokens_of_the_prompt_are_told_apart() {
    let mut p = Playground::of(80, 24, loaded());
    p.press("Alt-P");
    let special = Theme::shipped(ThemeName::Dark).style(Role::Special);
    let buffer = p.draw().clone();
    let row = |y| (0..80).map(|x| &buffer[(x, y)]).collect::<Vec<_>>();
    let row = (0..24).map(row).find(|row| row.iter().any(|c| c.symbol() == "⟦")).unwrap();
    let text: String = row.iter().map(|c| c.symbol()).collect();
    let at = text.chars().position(|c| c == '⟦').expect("the first token");
    assert!(text.contains("⟦<|im_start|>⟧user⏎"), "{text}");
    assert_eq!((row[at].fg, row[at].modifier), (special.fg.unwrap(), special.add_modifier));
    let user = at + "⟦<|im_start|>⟧".chars().count();
    let underlined: Vec<bool> =
        (at..user + 5).map(|x| row[x].modifier.contains(Modifier::UNDERLINED)).collect();
    assert_eq!(underlined[user - at - 1..], [false, true, true, true, true, false]);
}

#[test]
fn thinking_is_shown_and_told_from_the_answer() {
    let run = |p: &mut Playground| {
        p.press("Alt-T");
        p.press("F5");
        p.advance(60);
    };
    snapshot("thinking", SIZES, run);
    let mut p = Playground::of(160, 45, loaded());
    run(&mut p);
    let style = Theme::shipped(ThemeName::Dark).style(Role::Thinking);
    let area = maze::ui::output::area(&p.state).unwrap();
    let buffer = p.draw().clone();
    let first = &buffer[(area.x, area.y)];
    assert_eq!((first.symbol(), first.fg), ("T", style.fg.unwrap()));
    assert!(first.modifier.contains(Modifier::ITALIC));
    let answer = (area.y..area.bottom()).map(|y| &buffer[(area.x, y)]).find(|c| c.symbol() == "d").unwrap();
    assert!(!answer.modifier.contains(Modifier::ITALIC));
    let trace = p.state.run.trace.as_ref().unwrap();
    assert!(trace.text().starts_with("def count(text):"), "{}", trace.text());
    assert!(trace.thoughts().ends_with("</think>\n\n"));
}

/// The prompt's pane shows what the next run reads, whatever the model before could do.
#[test]
fn a_model_without_a_template_brings_the_prompt_back() {
    let mut p = Playground::of(80, 24, loaded());
    with_system_prompt(&mut p);
    p.switch("base");
    let screen = p.screen();
    assert!(screen.contains("Prompt · raw") && screen.contains("# Python: count"), "{screen}");
    assert!(!screen.contains("Short answers"), "{screen}");
    p.type_text("x");
    assert!(p.state.prompt.text().starts_with("x# Python"), "typing goes into what is shown");
}

#[test]
fn thinking_is_refused_where_the_template_knows_none() {
    let template = "{% for m in messages %}{{ m.content }}{% endfor %}";
    let mut p = Playground::of(80, 24, with_template(template, &[]));
    p.press("Alt-T");
    assert!(p.screen().contains("no mark for thinking"), "{}", p.screen());
    p.press("F5");
    p.advance(3);
    let trace = p.state.run.trace.as_ref().expect("a run");
    assert_eq!((trace.request.mode.name(), trace.answer_from()), ("chat", 0));
    assert!(trace.steps.len() >= 3, "it runs");
}

#[test]
fn the_footer_names_the_keys_of_a_chat() {
    let mut p = Playground::of(80, 24, loaded());
    p.press("Alt-2");
    let footer = "Alt-C raw  Alt-S system  Alt-P view  Tab pane  F1 keys";
    assert!(p.screen().contains(footer), "{}", p.screen());
    p.press("Alt-S");
    assert!(p.screen().contains("Alt-S prompt"), "{}", p.screen());
    p.press("Alt-C");
    assert!(p.screen().contains("Alt-C chat  Alt-P view"), "{}", p.screen());
    let mut base = Playground::new(80, 24);
    base.press("Alt-2");
    let screen = base.screen();
    assert!(screen.contains("Alt-P view") && !screen.contains("Alt-C"), "{screen}");
}

#[test]
fn a_model_without_a_template_says_so() {
    let mut p = Playground::new(80, 24);
    p.press("Alt-C");
    assert!(p.screen().contains("no chat template"));
    p.press("Alt-T");
    assert!(p.screen().contains("Thinking is for chats"));
    p.press("Alt-P");
    assert!(p.screen().contains("⟦<|end|>⟧# Python"), "{}", p.screen());
}
