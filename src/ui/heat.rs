//! The colours of the [scale](crate::engine::heat) of removed mass, mixed from the two ends that the
//! theme names.
//!
//! They are mixed in OKLab, where equal steps look equal: the lightness goes one way from end to end,
//! so that the scale can be read without telling hues apart, and on paper. What a terminal without
//! colours shows in their place is here too.

use ratatui::style::{Color, Modifier, Style};

use crate::engine::heat::LEVELS;

use super::theme::{Role, Theme};

/// The least contrast of text on its tint.
const READABLE: f32 = 4.5;

/// Black and white: one of them can be read on anything.
const EXTREMES: [Color; 2] = [Color::Rgb(0, 0, 0), Color::Rgb(255, 255, 255)];

/// The style of every level: a background, and a colour for the text on it.
pub fn scale(theme: &Theme) -> [Style; LEVELS] {
    let (low, high) = (theme.style(Role::HeatLow), theme.style(Role::HeatHigh));
    std::array::from_fn(|level| {
        let share = level as f32 / (LEVELS - 1) as f32;
        let (Some(Color::Rgb(r, g, b)), Some(Color::Rgb(x, y, z))) = (low.bg, high.bg) else {
            // Without two colours there is nothing to mix.
            return if share < 0.5 { low } else { high };
        };
        let [r, g, b] = mixed([r, g, b], [x, y, z], share);
        let background = Color::Rgb(r, g, b);
        let mut nearer = [low.fg, high.fg];
        if share >= 0.5 {
            nearer.reverse();
        }
        let mut texts = nearer.into_iter().flatten().chain(EXTREMES);
        let text = texts.find(|&text| contrast(text, background) >= READABLE);
        Style { fg: text.or(low.fg), bg: Some(background), ..Style::new() }
    })
}

/// What stands for a level where there are no colours: faint, plain, or bold.
pub fn stand_in(level: usize) -> Modifier {
    match level {
        0 | 1 => Modifier::DIM,
        2 | 3 => Modifier::empty(),
        _ => Modifier::BOLD,
    }
}

/// The colour that lies `share` of the way from `from` to `to`.
fn mixed(from: [u8; 3], to: [u8; 3], share: f32) -> [u8; 3] {
    let (from, to) = (oklab(from), oklab(to));
    srgb(std::array::from_fn(|i| from[i] + (to[i] - from[i]) * share))
}

/// WCAG's contrast of two colours.
fn contrast(a: Color, b: Color) -> f32 {
    let luminance = |color| {
        let Color::Rgb(r, g, b) = color else { return 0.0 };
        let [r, g, b] = [r, g, b].map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn linear(value: u8) -> f32 {
    let value = f32::from(value) / 255.0;
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

fn gamma(value: f32) -> u8 {
    let value = value.clamp(0.0, 1.0);
    let value = if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
    (value * 255.0).round() as u8
}

/// A colour as lightness and two axes of hue, after Björn Ottosson's OKLab.
fn oklab(color: [u8; 3]) -> [f32; 3] {
    let [r, g, b] = color.map(linear);
    let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

fn srgb([lightness, a, b]: [f32; 3]) -> [u8; 3] {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        gamma(4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_93 * s),
        gamma(-1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s),
        gamma(-0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::ThemeName;

    fn backgrounds(theme: &Theme) -> Vec<[u8; 3]> {
        let rgb = |style: Style| match style.bg {
            Some(Color::Rgb(r, g, b)) => [r, g, b],
            other => panic!("{other:?} is not mixed"),
        };
        scale(theme).map(rgb).into()
    }

    #[test]
    fn mixing_goes_from_end_to_end() {
        for color in [[0, 0, 0], [255, 255, 255], [255, 0, 0], [29, 58, 92], [242, 184, 75]] {
            assert_eq!(srgb(oklab(color)), color);
        }
        // The lightness of the published reference for pure red, green and blue.
        let lightness = [[255, 0, 0], [0, 255, 0], [0, 0, 255]].map(|c| oklab(c)[0]);
        for (got, wanted) in lightness.into_iter().zip([0.627_96, 0.866_44, 0.452_01]) {
            assert!((got - wanted).abs() < 1e-4, "{got} is not {wanted}");
        }
    }

    /// By its lightness alone, every level is told from the next, and text on it can be read.
    #[test]
    fn the_scale_can_be_read_without_hues() {
        for name in ThemeName::ALL {
            let theme = Theme::shipped(name.clone());
            let lightness: Vec<f32> = backgrounds(&theme).into_iter().map(|c| oklab(c)[0]).collect();
            let rises = lightness[LEVELS - 1] > lightness[0];
            for pair in lightness.windows(2) {
                let step = if rises { pair[1] - pair[0] } else { pair[0] - pair[1] };
                assert!(step > 0.03, "{name}: {lightness:?}");
            }
            for style in scale(&theme) {
                let got = contrast(style.fg.unwrap(), style.bg.unwrap());
                assert!(got >= READABLE, "{name}: {got}");
            }
        }
    }
}
