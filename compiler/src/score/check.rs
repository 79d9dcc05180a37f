//! What a musician would want to be told: silent lines, lines that fight, more notes than voices.

use super::codes::{LEFT_OVER, LINES_FIGHT, POLYPHONY, SILENT_LINE, TAB_CUT};
use super::compose::Told;
use super::ramps;
use super::show::number as show;
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::score::{Action, Line, PatternEvent, Rational, TimeSpan, Transport, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Bars of a song that are looked through.
const LOOKED_AT: i64 = 32;

/// Bars of a song that are looked through for what a pass leaves behind.
const MOST_BARS: i64 = 512;

/// Events that are looked at; a song with more in its first bars is checked in part.
const MOST_EVENTS: usize = 200_000;

/// Cycles in which a line should sound at least once.
const LISTENED: i64 = 64;

/// Checks a transport whose lines were told so.
pub(super) fn check(transport: &Transport, told: &[Told], problems: &mut Problems) {
    for (line, told) in transport.lines.iter().zip(told) {
        let heard = |c: i64| {
            let events = line.pattern.query(TimeSpan::cycle(c));
            events.is_err() || events.is_ok_and(|e| e.iter().any(PatternEvent::has_onset))
        };
        if told.sound && !(0..LISTENED).any(heard) {
            let message = format!("this line of `{}` never sounds", told.name);
            let help = "it is all rests: take it out, or write a hit";
            problems.add(Problem::new(&SILENT_LINE, told.span, message).help(help));
        }
    }
    tabs(transport, told, problems);
    let heard = laid_out(transport, LOOKED_AT);
    ramps::check(&heard, transport, told, problems);
    fights(&heard, transport, told, problems);
    polyphony(&heard, transport, told, problems);
}

/// An event where it is heard.
pub(super) struct Heard {
    pub(super) line: usize,
    pub(super) begin: Rational,
    end: Rational,
    value: Value,
}

/// The onsets of the first bars.
fn laid_out(transport: &Transport, most: i64) -> Vec<Heard> {
    let horizon = transport.length.min(Rational::whole(most));
    let mut heard = Vec::new();
    for clip in &transport.clips {
        let end = clip.end.map_or(horizon, |end| end.min(horizon));
        let Ok(length) = end - clip.start else { continue };
        if length.sign() <= 0 || heard.len() > MOST_EVENTS {
            continue;
        }
        let span = TimeSpan::new(Rational::ZERO, length);
        let events = transport.lines[clip.line].pattern.query(span).unwrap_or_default();
        for event in events.into_iter().filter(PatternEvent::has_onset) {
            let (begin, over) = (clip.start + event.whole.begin, clip.start + event.whole.end);
            if let (Ok(begin), Ok(over)) = (begin, over) {
                heard.push(Heard { line: clip.line, begin, end: over.min(end), value: event.value });
            }
        }
    }
    heard.sort_by_key(|h| (h.begin, h.line));
    heard
}

/// Tabs of which the end is never heard.
fn tabs(transport: &Transport, told: &[Told], problems: &mut Problems) {
    for (index, told) in told.iter().enumerate() {
        let Some((length, span)) = told.tab else { continue };
        let clips = transport.clips.iter().filter(|clip| clip.line == index);
        let heard = clips.filter_map(|c| (c.end.unwrap_or(transport.length) - c.start).ok()).max();
        let Some(heard) = heard.filter(|heard| heard.sign() > 0 && *heard < length) else { continue };
        let bars = |n: Rational| format!("{} bar{}", show(n), if n == Rational::ONE { "" } else { "s" });
        let message = format!("this tab has {}, of which {} can be heard", bars(length), show(heard));
        let help = format!("shorten it to {}, or make what it stands in {} long", bars(heard), bars(length));
        problems.add(Problem::new(&TAB_CUT, span, message).help(help));
    }
}

/// A parameter that the end of a pass leaves other than its start found it, if that was the value `found`.
#[derive(Clone, Debug)]
pub struct Leftover {
    /// The parameter.
    pub param: usize,
    /// Its value at the end, in base units.
    pub left: f64,
    name: String,
    span: Span,
    /// Bars before it is first set.
    bars: i64,
    /// Bars of a pass.
    length: Rational,
    /// The section in which the song begins.
    first: Option<Arc<str>>,
    /// The instruments that are played before it is first set.
    played: Vec<usize>,
}

/// The instruments that have notes before a bar.
fn played_before(heard: &[Heard], transport: &Transport, bar: Rational) -> Vec<usize> {
    let mut played: Vec<usize> = heard
        .iter()
        .take_while(|event| event.begin < bar)
        .filter_map(|event| match transport.lines[event.line].action {
            Action::Play { target } => Some(target),
            Action::Set { .. } => None,
        })
        .collect();
    played.sort_unstable();
    played.dedup();
    played
}

/// The parameters that are set by some lines, but not at once when a pass begins: what the last pass left is heard until
/// then. Where that is less than a bar, it is how a line begins.
pub(super) fn leftovers(transport: &Transport, told: &[Told]) -> Vec<Leftover> {
    let sets = |line: &Line| matches!(line.action, Action::Set { .. });
    if !transport.restarts
        || !transport.lines.iter().any(sets)
        || transport.length > Rational::whole(MOST_BARS)
    {
        return vec![];
    }
    let mut found: Vec<(usize, Leftover)> = vec![];
    let heard = laid_out(transport, MOST_BARS);
    for event in &heard {
        let (Action::Set { param, .. }, Value::Number(left)) =
            (&transport.lines[event.line].action, &event.value)
        else {
            continue;
        };
        let told = &told[event.line];
        match found.iter_mut().find(|(p, _)| p == param) {
            Some((_, known)) => (known.left, known.span) = (*left, told.span),
            None => {
                let first =
                    transport.marks.iter().find(|m| m.start == Rational::ZERO).map(|m| m.name.clone());
                let leftover = Leftover {
                    param: *param,
                    left: *left,
                    name: told.name.clone(),
                    span: told.span,
                    bars: event.begin.floor() as i64,
                    length: transport.length,
                    first,
                    played: played_before(&heard, transport, event.begin),
                };
                found.push((*param, leftover));
            }
        }
    }
    found.into_iter().map(|f| f.1).filter(|leftover| leftover.bars > 0).collect()
}

impl Leftover {
    /// The warning, where the parameter begins with `start` and belongs to the instrument `owner`, if to one; `show` writes
    /// a value. None where the two cannot be told apart: an instrument that is not played is not heard.
    pub fn problem(&self, start: f64, owner: Option<usize>, show: impl Fn(f64) -> String) -> Option<Problem> {
        if start == self.left || owner.is_some_and(|owner| !self.played.contains(&owner)) {
            return None;
        }
        let name = &self.name;
        let (start, left) = (show(start), show(self.left));
        let message = format!(
            "the first pass begins with `{name}` at {start}, and each later one at {left}: what is set here stays"
        );
        let help = match &self.first {
            Some(section) => format!(
                "to begin each pass alike, put a line into the section `{section}`: `{name} \"{start}\"`"
            ),
            None => {
                let rest = (self.length.ceil() - 1).max(1);
                format!("to begin each pass alike, add a line: `{name} \"<{start} ~!{rest}>\"`")
            }
        };
        Some(Problem::new(&LEFT_OVER, self.span, message).help(help))
    }
}

fn fights(heard: &[Heard], transport: &Transport, told: &[Told], problems: &mut Problems) {
    let mut set: HashMap<(usize, Rational), &Heard> = HashMap::new();
    let mut blamed = Vec::new();
    for event in heard {
        let Action::Set { param, .. } = transport.lines[event.line].action else { continue };
        let Some(first) = set.insert((param, event.begin), event) else { continue };
        let pair = (first.line, event.line);
        if first.line == event.line || first.value == event.value || blamed.contains(&pair) {
            continue;
        }
        blamed.push(pair);
        let (one, two) = (&told[pair.0], &told[pair.1]);
        let message = format!("two lines set `{}` at one instant, {}", two.name, place(event.begin));
        problems.add(
            Problem::new(&LINES_FIGHT, two.span, message)
                .here("this one wins there")
                .label(one.span, "the other line")
                .help("let one of them rest there, or write them as one line"),
        );
    }
}

fn polyphony(heard: &[Heard], transport: &Transport, told: &[Told], problems: &mut Problems) {
    let mut sounding: HashMap<usize, Vec<Rational>> = HashMap::new();
    let mut most: HashMap<usize, (usize, &Heard)> = HashMap::new();
    for event in heard {
        let Action::Play { target } = transport.lines[event.line].action else { continue };
        let ends = sounding.entry(target).or_default();
        ends.retain(|end| *end > event.begin);
        ends.push(event.end);
        let count = ends.len();
        let known = most.entry(target).or_insert((count, event));
        if count > known.0 {
            *known = (count, event);
        }
    }
    let mut most: Vec<_> = most.into_values().collect();
    most.sort_by_key(|m| m.1.line);
    for (count, event) in most {
        let told = &told[event.line];
        let Some(voices) = told.voices.filter(|&voices| count > voices) else { continue };
        let has = if voices == 1 { "one voice".to_string() } else { format!("{voices} voices") };
        let message =
            format!("`{}` plays {count} notes at once ({}), and has {has}", told.name, place(event.begin));
        problems.add(
            Problem::new(&POLYPHONY, told.span, message)
                .help(format!("give it `voices: {count}`, or let its notes not overlap")),
        );
    }
}

fn place(bar: Rational) -> String {
    let beat = bar.fract();
    match beat == Rational::ZERO {
        true => format!("in bar {}", bar.floor() + 1),
        false => format!("in bar {}, at {beat} of it", bar.floor() + 1),
    }
}
