//! What the tests of JSON songs share.
#![allow(dead_code, unreachable_pub)]

use mam_compiler::json::{Curve, Dimension, Kind, Known, ParamInfo, Song, load};
use mam_grammar::{Limits, Problem, Problems, Sources};
use std::ops::Range;
use std::rc::Rc;

/// Loads a song: what came of it, and the problems by place.
pub fn check(text: &str) -> (Option<Song>, Vec<Problem>) {
    let mut sources = Sources::default();
    let id = sources.add("song.json", text);
    let mut problems = Problems::default();
    let song = load(&sources, id, &Limits::default(), &Few, &mut problems);
    (song, problems.into_sorted())
}

/// Takes the marks « and » out of a text and returns what they enclosed.
pub fn marked(text: &str) -> (String, Vec<Range<usize>>) {
    let (mut plain, mut places) = (String::new(), vec![]);
    for (i, part) in text.split(['«', '»']).enumerate() {
        if i % 2 == 1 {
            places.push(plain.len()..plain.len() + part.len());
        }
        plain.push_str(part);
    }
    (plain, places)
}

struct Few;
fn p(id: usize, name: &str, default: f64, min: f64, max: f64, dimension: Dimension, curve: Curve) -> ParamInfo {
    ParamInfo { name: name.into(), doc: None, id, default, min, max, dimension, curve }
}
impl Known for Few {
    fn kind(&self, name: &str) -> Option<Rc<Kind>> {
        use Dimension as D;
        let (effect, params) = match name {
            "kick" => (false, vec![
                p(1, "f0", 100.0, 40.0, 200.0, D::FREQUENCY, Curve::Linear),
                p(2, "fend", 40.0, 20.0, 120.0, D::FREQUENCY, Curve::Linear),
                p(3, "pitch_decay", 0.06, 0.01, 0.2, D::TIME, Curve::Exp),
                p(4, "amp_decay", 0.2, 0.05, 0.4, D::TIME, Curve::Exp),
                p(5, "gain", 0.9, 0.0, 1.5, D::PLAIN, Curve::Linear),
                p(6, "click", 0.0, 0.0, 1.0, D::PLAIN, Curve::Step),
                p(7, "bpm", 0.0, 0.0, 300.0, D::PLAIN, Curve::Step),
                p(8, "loop", 0.0, 0.0, 1.0, D::PLAIN, Curve::Step),
            ]),
            "clap" => (false, vec![
                p(1, "amp_decay", 0.2, 0.02, 0.3, D::TIME, Curve::Exp),
                p(2, "gain", 0.9, 0.0, 1.5, D::PLAIN, Curve::Linear),
                p(3, "bpm", 0.0, 0.0, 300.0, D::PLAIN, Curve::Step),
                p(4, "loop", 0.0, 0.0, 1.0, D::PLAIN, Curve::Step),
            ]),
            "echo" => (true, vec![p(1, "mix", 0.3, 0.0, 1.0, D::PLAIN, Curve::Linear)]),
            _ => return None,
        };
        Some(Rc::new(Kind { name: name.into(), effect, doc: None, params, inputs: vec![] }))
    }
    fn names(&self) -> Vec<String> {
        ["kick", "clap", "echo"].map(String::from).to_vec()
    }
    fn is_function(&self, name: &str) -> bool {
        name == "softclip"
    }
}
