//! A recording as one SVG that plays by itself, wherever a picture is shown.
//!
//! Every piece of every frame is in the file once, and is switched on and off by a rule of CSS; pieces
//! that come and go together share it. A file stays small since little changes from frame to frame.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use super::cells::Frame;
use super::svg::{self, Palette, Piece};

/// What is shown from one moment to the next.
pub struct Moment {
    /// For how long, in seconds.
    pub seconds: f64,
    /// The screen.
    pub frame: Frame,
    /// The key that led to it, if one did.
    pub key: Option<String>,
}

/// The recording; `poster` is the moment that is seen where nothing moves.
pub fn animation(moments: &[Moment], poster: usize) -> String {
    let mut palette = Palette::default();
    // When each piece is seen, in the order in which they are drawn first.
    let mut order: Vec<Piece> = Vec::new();
    let mut seen: HashMap<Piece, Vec<bool>> = HashMap::new();
    let mut see = |piece: Piece, moment: usize| {
        let times = seen.entry(piece).or_insert_with_key(|piece| {
            order.push(piece.clone());
            vec![false; moments.len()]
        });
        times[moment] = true;
    };
    for (i, moment) in moments.iter().enumerate() {
        for piece in svg::pieces(&moment.frame, &mut palette) {
            see(piece, i);
        }
        if let Some(key) = &moment.key {
            see(svg::key(&moment.frame, key, &mut palette), i);
        }
    }
    let mut groups: BTreeMap<Vec<bool>, Vec<&Piece>> = BTreeMap::new();
    for piece in &order {
        groups.entry(seen[piece].clone()).or_default().push(piece);
    }

    let shared = shared(&order);
    let starts: Vec<f64> =
        moments.iter().scan(0.0, |at, moment| Some(std::mem::replace(at, *at + moment.seconds))).collect();
    let total: f64 = moments.iter().map(|moment| moment.seconds).sum();
    let (mut rules, mut inside) = (String::new(), definitions(&order, &shared));
    for (i, (times, pieces)) in groups.iter().enumerate() {
        let is_always = times.iter().all(|seen| *seen);
        let class = match (is_always, times[poster]) {
            (true, _) => String::new(),
            (false, true) => format!(" class=\"a{i}\""),
            (false, false) => format!(" class=\"a{i} h\""),
        };
        if !is_always {
            let _ = write!(rules, "{}.a{i}{{animation-name:k{i}}}", keyframes(i, times, &starts, total));
        }
        let _ = write!(inside, "<g{class}>");
        for piece in pieces {
            let (x, y) = piece.place();
            inside += &match shared.get(piece.drawn.as_str()) {
                Some(id) => format!("<use href=\"#p{id}\" x=\"{x}\" y=\"{y}\"/>"),
                None => piece.put(),
            };
        }
        inside.push_str("</g>\n");
    }
    let _ = write!(
        rules,
        ".h{{visibility:hidden}}g{{animation:{total:.2}s step-end infinite}}\
         @media(prefers-reduced-motion:reduce){{g{{animation:none!important}}}}"
    );
    svg::window(&moments[0].frame, &palette, &rules, &inside)
}

/// Numbers for what is drawn in several places.
fn shared(pieces: &[Piece]) -> HashMap<&str, usize> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for piece in pieces {
        *counts.entry(&piece.drawn).or_default() += 1;
    }
    let mut ids = HashMap::new();
    for piece in pieces {
        if counts[piece.drawn.as_str()] > 1 {
            let next = ids.len();
            ids.entry(piece.drawn.as_str()).or_insert(next);
        }
    }
    ids
}

fn definitions(pieces: &[Piece], shared: &HashMap<&str, usize>) -> String {
    let mut text = String::from("<defs>");
    let mut next = 0;
    for piece in pieces {
        if shared.get(piece.drawn.as_str()) == Some(&next) {
            let _ = write!(text, "<g id=\"p{next}\">{}</g>", piece.drawn);
            next += 1;
        }
    }
    text + "</defs>\n"
}

/// The rule that shows a group when it is seen and hides it when it is not.
fn keyframes(number: usize, times: &[bool], starts: &[f64], total: f64) -> String {
    let mut rule = format!("@keyframes k{number}{{");
    let mut before = None;
    for (seen, start) in times.iter().zip(starts) {
        if before != Some(seen) {
            let state = if *seen { "visible" } else { "hidden" };
            let percent = format!("{:.2}", start / total * 100.0);
            let percent = percent.trim_end_matches('0').trim_end_matches('.');
            let _ = write!(rule, "{percent}%{{visibility:{state}}}");
            before = Some(seen);
        }
    }
    rule + "}\n"
}
