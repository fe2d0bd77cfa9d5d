//! Themes can be read, those that are shipped and those of anybody.

use super::*;

/// WCAG 2.1 contrast ratio.
fn contrast(a: Color, b: Color) -> f64 {
    let luminance = |c: Color| {
        let linear = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.03928 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        let (r, g, b) = parts(c);
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn parts(c: Color) -> (u8, u8, u8) {
    let Color::Rgb(r, g, b) = c else { panic!("{c:?} is not from the theme") };
    (r, g, b)
}

fn own(text: &str) -> Theme {
    Theme::shipped(ThemeName::Own(Arc::new(OwnTheme::parse("own", text.as_bytes()).expect("a theme"))))
}

/// A theme file with these settings and rules.
fn file(settings: &str, rules: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict><key>name</key><string>x</string><key>settings</key>\
         <array><dict><key>settings</key><dict>{settings}</dict></dict>{rules}</array></dict></plist>"
    )
}

fn entry(key: &str, value: &str) -> String {
    format!("<key>{key}</key><string>{value}</string>")
}

/// What is read has a contrast of 4.5 (7 in the themes that are for that), what is only seen of 2.5;
/// borders may be fainter. What stands on floating windows and on the row one is at is read there too.
fn assert_readable(theme: &Theme, least_text: f64) {
    let name = theme.name();
    for &role in Role::ALL {
        let style = theme.style(role);
        let least = match role {
            Role::Border => 1.3,
            Role::Gutter | Role::Bar | Role::BarRejected | Role::BorderFocused | Role::Graph => 2.5,
            // A mark on a ground of its own.
            Role::Selected | Role::Caret | Role::Match | Role::MatchCurrent | Role::Bracket => 4.5,
            Role::HeatLow | Role::HeatHigh => 4.5,
            _ => least_text,
        };
        let got = contrast(style.fg.unwrap(), style.bg.unwrap());
        assert!(got >= least, "{name} {role:?}: {got:.2} < {least}");
    }
    let on_windows = [
        Role::Dim,
        Role::Title,
        Role::TitleFocused,
        Role::Key,
        Role::Error,
        Role::Warning,
        Role::Good,
        Role::Special,
    ];
    for ground in [Role::Overlay, Role::Row] {
        for role in on_windows {
            let got = contrast(theme.style(role).fg.unwrap(), theme.style(ground).bg.unwrap());
            assert!(got >= 4.0, "{name} {role:?} on {ground:?}: {got:.2}");
        }
    }
    for style in crate::ui::heat::scale(theme) {
        let got = contrast(style.fg.unwrap(), style.bg.unwrap());
        assert!(got >= 4.5, "{name}: a level of the scale: {got:.2}");
    }
}

#[test]
fn every_theme_defines_every_role() {
    for name in ThemeName::ALL {
        let source = name.source().expect("a file");
        assert!(OwnTheme::parse(name.name(), source.as_bytes()).is_ok(), "{name}");
        for role in Role::ALL {
            let entry = format!("<string>{}</string>", role.scope());
            assert!(source.contains(&entry), "{name} leaves out {}", role.scope());
        }
    }
}

#[test]
fn text_can_be_read() {
    for name in ThemeName::ALL {
        let least = if name.name().starts_with("contrast") { 7.0 } else { 4.5 };
        let theme = Theme::shipped(name);
        assert_readable(&theme, least);
        for item in &theme.code.scopes {
            let (Some(fg), false) = (item.style.foreground, item.style.background.is_some()) else {
                continue;
            };
            let got = contrast(color(fg), theme.base.bg.unwrap());
            let is_chrome = format!("{:?}", item.scope).contains("maze");
            assert!(is_chrome || got >= least, "{} {:?}: {got:.2}", theme.name(), item.scope);
        }
    }
}

/// What colour-blind people see, after Machado, Oliveira and Fernandes (2009), at full severity:
/// right and wrong, and the two ends of the scale, stay apart for them.
#[test]
fn colour_blind_people_tell_apart_what_matters() {
    const KINDS: [[[f64; 3]; 3]; 3] = [
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ];
    let seen = |c: Color, kind: &[[f64; 3]; 3]| {
        let (r, g, b) = parts(c);
        let linear = [r, g, b].map(|v| (f64::from(v) / 255.0).powf(2.2));
        kind.map(|row| {
            let sum: f64 = row.iter().zip(linear).map(|(m, v)| m * v).sum();
            sum.clamp(0.0, 1.0).powf(1.0 / 2.2) * 255.0
        })
    };
    for name in [ThemeName::ContrastDark, ThemeName::ContrastLight] {
        let theme = Theme::shipped(name);
        let ink = |role| theme.style(role).fg.unwrap();
        let ground = |role| theme.style(role).bg.unwrap();
        let pairs = [
            ("good and error", ink(Role::Good), ink(Role::Error)),
            ("the bars", ink(Role::Bar), ink(Role::BarRejected)),
            ("chosen and rejected", ink(Role::Chosen), ink(Role::Rejected)),
            ("the scale", ground(Role::HeatLow), ground(Role::HeatHigh)),
        ];
        for (what, a, b) in pairs {
            for kind in &KINDS {
                let (a, b) = (seen(a, kind), seen(b, kind));
                let apart = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                assert!(apart > 60.0, "{} {what}: {apart:.0}", theme.name());
            }
        }
    }
}

#[test]
fn a_theme_without_roles_gets_readable_ones() {
    let colours = |fg: &str, bg: &str| entry("foreground", fg) + &entry("background", bg);
    for (settings, what) in [
        (colours("#839496", "#002b36"), "solarized, dark"),
        (colours("#657b83", "#fdf6e3"), "solarized, light"),
        (colours("#f8f8f2", "#272822"), "monokai"),
        (colours("#777777", "#777777"), "nothing to be seen"),
        (colours("#ffffff10", "#000"), "almost transparent"),
        (colours("#00ff00", "#ff0000"), "loud"),
        (entry("background", "#ffffff"), "no foreground"),
        (entry("foreground", "#101010"), "no background"),
        (colours("red", "#12345"), "no colours"),
        (String::new(), "no settings"),
    ] {
        let rule = |scope: &str, colour: &str| {
            format!(
                "<dict>{}<key>settings</key><dict>{}</dict></dict>",
                entry("scope", scope),
                entry("foreground", colour)
            )
        };
        let rules =
            rule("keyword", "#859900") + &rule("", "#333333") + &rule("entity.name.function", "#268bd2");
        for rules in [String::new(), rules] {
            let theme = own(&file(&settings, &rules));
            assert_readable(&theme, 4.5);
            let got = contrast(theme.base().fg.unwrap(), theme.base().bg.unwrap());
            assert!(got >= 4.5, "{what}: {got}");
        }
    }
}

/// A role that an own theme names is as it says; the others are made.
#[test]
fn roles_of_an_own_theme_count() {
    let rule = "<dict><key>scope</key><string>maze.error</string><key>settings</key><dict>\
                <key>foreground</key><string>#abcdef</string></dict></dict>";
    let theme = own(&file(&entry("background", "#000000"), rule));
    assert_eq!(theme.style(Role::Error).fg, Some(Color::Rgb(0xab, 0xcd, 0xef)));
    assert_readable(&theme, 4.5);
}

#[test]
fn what_is_no_theme_is_refused() {
    let deep = format!("<plist>{}", "<array>".repeat(100_000));
    let mut random = 88172645463325252u64;
    let noise: Vec<u8> = (0..4096)
        .map(|_| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random as u8
        })
        .collect();
    let good = file("", "");
    for (bytes, wanted) in [
        (&b""[..], "no XML"),
        (b"bplist00\x08", "no XML"),
        (&noise, "not UTF-8"),
        (deep.as_bytes(), "nested too deeply"),
        (&vec![b' '; own::MAX_BYTES + 1], "more than 1024 KiB"),
        (b"<plist><dict></dict></plist>", "no theme"),
        (b"<plist><array></array></plist>", "no theme"),
        (b"<html><body>not found</body></html>", "no theme"),
        (&good.as_bytes()[..good.len() / 2], "no theme"),
    ] {
        let error = OwnTheme::parse("x", bytes).expect_err(wanted);
        assert!(error.contains(wanted), "{error}, not {wanted}");
        assert!(!error.contains('\n'), "{error}");
    }
    // Any cut and any changed byte is a theme or a sentence, never a panic.
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = noise[at % noise.len()];
        let _ = OwnTheme::parse("x", &bytes);
        let _ = OwnTheme::parse("x", &good.as_bytes()[..at]);
    }
}
