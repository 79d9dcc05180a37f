//! A picture of what was measured, as a self-contained SVG: the wave, its level, its spectrum or its response, whichever the
//! measure looks at, with a title that says what was expected and what is.

use super::Heard;
use super::response;
use super::window::Spectrum;
use crate::drawing::svg::escaped;
use mam_compiler::expect::Check;
use mam_compiler::expect::measures::Measure;
use std::fmt::Write;
use std::ops::Range;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 45.0;
/// Points that a curve has at most: more cannot be told apart.
const COLUMNS: usize = 1600;
const COLOURS: [&str; 2] = ["#1f6fb4", "#d1732b"];

/// Curves over one pair of axes.
pub struct Plot {
    title: String,
    /// What stands below the axis.
    across: &'static str,
    up: &'static str,
    /// Whether the axis is divided exponentially.
    log: bool,
    x: Range<f64>,
    y: Range<f64>,
    curves: Vec<Vec<(f64, f64)>>,
}

impl Plot {
    /// What a check has measured: `heard` is one sound for each of its subjects.
    pub fn new(check: &Check, heard: &[Heard], title: String) -> Plot {
        let one = heard.first();
        match check.measure {
            Measure::Alias
            | Measure::Thd
            | Measure::Thdn
            | Measure::Sfdr
            | Measure::Snr
            | Measure::Partial
            | Measure::Harmonic
            | Measure::Centroid
            | Measure::Slope
            | Measure::Pitch => spectrum(one, title),
            Measure::Response | Measure::Phase | Measure::GroupDelay => answer(one, title),
            Measure::Rt60 | Measure::Fall | Measure::Silent | Measure::Floor | Measure::Density => {
                level(one, title)
            }
            _ => wave(heard, title),
        }
    }

    /// The picture as an SVG document.
    pub fn svg(&self) -> String {
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
        );
        for (line, y) in self.title.lines().zip([20.0, 38.0]) {
            _ = writeln!(out, "<text x=\"{LEFT}\" y=\"{y}\" fill=\"#222\">{}</text>", escaped(line));
        }
        self.axes(&mut out);
        for (curve, colour) in self.curves.iter().zip(COLOURS.into_iter().cycle()) {
            let points: Vec<String> = thinned(curve)
                .into_iter()
                .map(|(x, y)| format!("{:.1},{:.1}", self.across(x), self.up(y)))
                .collect();
            let points = points.join(" ");
            _ = writeln!(
                out,
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1\"/>"
            );
        }
        out + "</svg>\n"
    }

    fn axes(&self, out: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for x in ticks(&self.x, self.log) {
            let at = self.across(x);
            let label = bottom + 16.0;
            _ = writeln!(
                out,
                "<path d=\"M{at:.1},{TOP}V{bottom}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{label}\" \
                 text-anchor=\"middle\" fill=\"#555\">{}</text>",
                short(x)
            );
        }
        for y in ticks(&self.y, false) {
            let at = self.up(y);
            let (label, below) = (LEFT - 6.0, at + 4.0);
            _ = writeln!(
                out,
                "<path d=\"M{LEFT},{at:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{label}\" y=\"{below:.1}\" \
                 text-anchor=\"end\" fill=\"#555\">{}</text>",
                short(y)
            );
        }
        let (middle, low) = (0.5 * (LEFT + right), HEIGHT - 8.0);
        _ = writeln!(
            out,
            "<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#999\"/>\n\
             <text x=\"{middle}\" y=\"{low}\" text-anchor=\"middle\" fill=\"#222\">{}</text>\n\
             <text x=\"14\" y=\"{}\" fill=\"#222\" transform=\"rotate(-90 14 {1})\" text-anchor=\"middle\">{}</text>",
            right - LEFT,
            bottom - TOP,
            self.across,
            0.5 * (TOP + bottom),
            self.up
        );
    }

    fn across(&self, x: f64) -> f64 {
        let place = |x: f64| if self.log { x.max(1e-9).ln() } else { x };
        let (from, to) = (place(self.x.start), place(self.x.end));
        LEFT + (WIDTH - LEFT - RIGHT) * ((place(x) - from) / (to - from)).clamp(0.0, 1.0)
    }

    fn up(&self, y: f64) -> f64 {
        let way = (y - self.y.start) / (self.y.end - self.y.start);
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * way.clamp(0.0, 1.0)
    }
}

/// The least and the greatest of each run of points, so that no peak is lost.
fn thinned(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let run = curve.len().div_ceil(COLUMNS / 2).max(1);
    if run <= 2 {
        return curve.to_vec();
    }
    let ends = curve.chunks(run).flat_map(|run| {
        let by = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let (low, high) = (run.iter().min_by(by), run.iter().max_by(by));
        let mut both: Vec<(f64, f64)> = low.into_iter().chain(high).copied().collect();
        both.sort_by(|a, b| a.0.total_cmp(&b.0));
        both
    });
    ends.collect()
}

/// Round values along an axis: about eight of them, or 1, 2 and 5 of each decade.
fn ticks(range: &Range<f64>, log: bool) -> Vec<f64> {
    if log {
        let decades = range.start.log10().floor() as i32..=range.end.log10().ceil() as i32;
        let all = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(decade)));
        return all.filter(|x| (range.start..=range.end).contains(x)).collect();
    }
    let rough = (range.end - range.start) / 8.0;
    let decade = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * decade).find(|step| *step >= rough);
    let step = step.unwrap_or(rough);
    let (first, last) = ((range.start / step).ceil() as i64, (range.end / step).floor() as i64);
    (first..=last).map(|n| n as f64 * step).collect()
}

/// A number in a few letters: `20k`, `0.25`.
fn short(x: f64) -> String {
    let text = |x: f64| format!("{x:.4}").trim_end_matches('0').trim_end_matches('.').to_string();
    if x.abs() >= 1000.0 { text(x / 1000.0) + "k" } else { text(x) }
}

fn decibels(amplitude: f64) -> f64 {
    20.0 * amplitude.max(1e-12).log10()
}

fn wave(heard: &[Heard], title: String) -> Plot {
    let channels = heard.iter().flat_map(|one| one.channels.iter().map(move |channel| (channel, one.rate)));
    let curve = |(channel, rate): (&Vec<f64>, f64)| {
        channel.iter().enumerate().map(|(n, x)| (n as f64 / rate, *x)).collect::<Vec<_>>()
    };
    let mut curves: Vec<_> = channels.map(curve).collect();
    curves.dedup();
    let most = curves.iter().flatten().fold(1e-9, |most: f64, (_, y)| y.abs().max(most));
    let end = curves.iter().filter_map(|curve| curve.last()).fold(1e-6, |end: f64, (x, _)| x.max(end));
    let y = -1.1 * most..1.1 * most;
    Plot { title, across: "seconds", up: "sample", log: false, x: 0.0..end, y, curves }
}

fn level(one: Option<&Heard>, title: String) -> Plot {
    let (sound, rate) = one.map_or((&[][..], 48_000.0), |one| (one.first(), one.rate));
    let curve = sound.iter().enumerate().map(|(n, x)| (n as f64 / rate, decibels(x.abs())));
    let end = (sound.len() as f64 / rate).max(1e-6);
    let (across, up) = ("seconds", "dB");
    Plot { title, across, up, log: false, x: 0.0..end, y: -140.0..6.0, curves: vec![curve.collect()] }
}

fn spectrum(one: Option<&Heard>, title: String) -> Plot {
    /// More frames than this show no more.
    const MOST: usize = 1 << 17;
    let (sound, rate) = one.map_or((&[][..], 48_000.0), |one| (one.first(), one.rate));
    let sound = &sound[..sound.len().min(MOST)];
    let curve = match sound.is_empty() {
        true => vec![],
        false => {
            let spectrum = Spectrum::new(sound, rate);
            let bins = 1..spectrum.power.len();
            bins.map(|bin| (bin as f64 * spectrum.spacing, decibels(spectrum.amplitude(bin)))).collect()
        }
    };
    let (across, up, x) = ("Hz", "dB", 20.0..0.5 * rate);
    Plot { title, across, up, log: true, x, y: -160.0..6.0, curves: vec![curve] }
}

fn answer(one: Option<&Heard>, title: String) -> Plot {
    const POINTS: i32 = 300;
    let rate = one.map_or(48_000.0, |one| one.rate);
    let octaves = (0.5 * rate / 20.0).log2();
    let hertz = (0..=POINTS).map(|n| 20.0 * (octaves * f64::from(n) / f64::from(POINTS)).exp2());
    let curve: Vec<_> = one
        .into_iter()
        .flat_map(|one| hertz.clone().map(|hz| (hz, decibels(response::at(one, hz).norm()))))
        .collect();
    let most = curve.iter().map(|(_, y)| *y).fold(0.0, f64::max);
    let (across, up, x) = ("Hz", "dB", 20.0..0.5 * rate);
    Plot { title, across, up, log: true, x, y: most - 80.0..most + 6.0, curves: vec![curve] }
}
