//! Colours for what a theme leaves out, made from the colours that it has, so that all can be read.

use ratatui::style::{Modifier, Style};
use syntect::highlighting::{self, Color, Highlighter};
use syntect::parsing::Scope;

use super::{Role, color};

/// Hues that a theme without roles is given; each is made lighter or darker until it can be read.
const RED: Color = rgb(0xd8, 0x4a, 0x4a);
const AMBER: Color = rgb(0xc8, 0x8a, 0x20);
const GREEN: Color = rgb(0x3f, 0x9b, 0x58);
const BLUE: Color = rgb(0x3d, 0x82, 0xd0);

const fn rgb(r: u8, g: u8, b: u8) -> Color {
    Color { r, g, b, a: 255 }
}

/// The colours of a theme that others are made from.
pub(super) struct Derived {
    ink: Color,
    ground: Color,
    accent: Color,
    selection: Color,
}

impl Derived {
    pub(super) fn new(code: &highlighting::Theme) -> Self {
        let settings = &code.settings;
        let ground = settings.background.unwrap_or(rgb(0x14, 0x14, 0x14));
        let ink = settings.foreground.unwrap_or(rgb(0xe6, 0xe6, 0xe6));
        let highlighter = Highlighter::new(code);
        let of_code = |scope: &str| {
            let scope = Scope::new(scope).ok()?;
            highlighter.style_mod_for_stack(&[scope]).foreground.filter(|found| *found != ink)
        };
        let accent = ["entity.name.function", "support.function", "keyword", "storage"];
        let accent = accent.into_iter().find_map(of_code).unwrap_or(BLUE);
        let selection = settings.selection.map_or(mix(ground, accent, 0.35), |c| over(c, ground));
        Self { ink, ground, accent, selection }
    }

    /// The style of a role: colours that can be read on the backgrounds that they are put on.
    pub(super) fn style(&self, role: Role) -> Style {
        let Self { ink, ground, accent, selection } = *self;
        let plain = |ink| (ink, ground);
        let on = |background, ink| (readable(ink, background, 4.5), background);
        // The same text stands on floating windows and on the row that one is at.
        let (raised, row) = (near(ground, ink, 0.07), near(ground, ink, 0.14));
        let text = |ink| plain(readable_on(ink, &[ground, raised, row], 4.5));
        let seen = |ink| plain(readable(ink, ground, 3.0));
        let (fg, bg) = match role {
            Role::Dim | Role::Rejected | Role::Thinking | Role::Forced => text(mix(ink, ground, 0.35)),
            Role::Border => plain(readable(mix(ink, ground, 0.75), ground, 1.35)),
            Role::BorderFocused | Role::Bar | Role::Graph => seen(accent),
            Role::BarRejected => seen(RED),
            Role::Title | Role::Key | Role::GutterCurrent => text(mix(ink, ground, 0.1)),
            Role::TitleFocused | Role::Running => text(accent),
            Role::Gutter => seen(mix(ink, ground, 0.55)),
            Role::Error => text(RED),
            Role::Warning | Role::Special => text(AMBER),
            Role::Good | Role::Chosen => text(GREEN),
            Role::Selected => on(selection, ink),
            Role::Caret => on(readable(accent, ground, 3.0), ground),
            Role::Row => on(row, ink),
            Role::Overlay => on(raised, ink),
            Role::Toast => on(mix(ground, accent, 0.2), ink),
            Role::Match => on(mix(ground, AMBER, 0.45), ink),
            Role::MatchCurrent => on(readable(AMBER, ground, 4.5), ground),
            Role::Bracket => on(mix(ground, ink, 0.22), ink),
            Role::Boundary => on(mix(ground, ink, 0.1), ink),
            Role::HeatLow => on(mix(ground, BLUE, 0.35), extreme(mix(ground, BLUE, 0.35))),
            Role::HeatHigh => on(AMBER, extreme(AMBER)),
        };
        let font = match role {
            Role::TitleFocused
            | Role::Key
            | Role::Selected
            | Role::Chosen
            | Role::Special
            | Role::MatchCurrent => Modifier::BOLD,
            Role::Forced => Modifier::UNDERLINED,
            Role::Thinking => Modifier::ITALIC,
            _ => Modifier::empty(),
        };
        Style::new().fg(color(fg)).bg(color(bg)).add_modifier(font)
    }
}

/// The share `t` of `b` in `a`.
fn mix(a: Color, b: Color, t: f32) -> Color {
    let part = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * t).round() as u8;
    rgb(part(a.r, b.r), part(a.g, b.g), part(a.b, b.b))
}

/// A colour that may be transparent, put over another.
pub(super) fn over(top: Color, ground: Color) -> Color {
    mix(ground, top, f32::from(top.a) / 255.0)
}

/// Black or white, whichever is read better on `ground`.
fn extreme(ground: Color) -> Color {
    let (black, white) = (rgb(0, 0, 0), rgb(255, 255, 255));
    if contrast(black, ground) > contrast(white, ground) { black } else { white }
}

/// A background beside `ground`: a little towards `ink`, or away from it where text would suffer.
fn near(ground: Color, ink: Color, share: f32) -> Color {
    let text = extreme(ground);
    let towards = mix(ground, ink, share);
    let away = mix(ground, extreme(text), share);
    if contrast(text, towards) >= 4.5 { towards } else { away }
}

/// `ink`, made lighter or darker until its contrast on `ground` is at least `least` (up to 4.5, which
/// black or white always reaches).
pub(super) fn readable(ink: Color, ground: Color, least: f32) -> Color {
    readable_on(ink, &[ground], least)
}

/// The same on several grounds that lie near the first.
fn readable_on(ink: Color, grounds: &[Color], least: f32) -> Color {
    let to = grounds.first().map_or(ink, |&ground| extreme(ground));
    let holds = |shade: &Color| grounds.iter().all(|&ground| contrast(*shade, ground) >= least);
    (0..=20).map(|i| mix(ink, to, i as f32 / 20.0)).find(holds).unwrap_or(to)
}

/// The ratio of WCAG 2.1.
fn contrast(a: Color, b: Color) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// How light a colour is, from 0 to 1.
pub(super) fn luminance(c: Color) -> f32 {
    let linear = |v: u8| {
        let v = f32::from(v) / 255.0;
        if v <= 0.03928 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b)
}
