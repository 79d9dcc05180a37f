//! What a musician would want to be told: silent lines, lines that fight, more notes than voices.

use super::codes::{LINES_FIGHT, POLYPHONY, SILENT_LINE};
use super::compose::Told;
use mam_grammar::{Problem, Problems};
use mam_runtime::score::{Action, PatternEvent, Rational, TimeSpan, Transport, Value};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

/// Bars of a song that are looked through.
const LOOKED_AT: i64 = 32;

/// Events that are looked at; a song with more in its first bars is checked in part.
const MOST_EVENTS: usize = 200_000;

/// Cycles in which a line should sound at least once.
const LISTENED: i64 = 64;

/// Checks a transport whose lines were told so, with so many `steps` of work. What is not looked at for want of them is
/// not warned of.
pub(super) fn check(transport: &Transport, told: &[Told], mut steps: u64, problems: &mut Problems) {
    for (line, told) in transport.lines.iter().zip(told) {
        let mut heard = |c: i64| {
            let events = line.pattern.query_within(TimeSpan::cycle(c), &mut steps);
            events.is_err() || events.is_ok_and(|e| e.iter().any(PatternEvent::has_onset))
        };
        // Of a line that takes longer to come back to its start, this says nothing.
        let all_heard = || line.pattern.period().is_ok_and(|period| period <= Rational::whole(LISTENED));
        if told.sound && !(0..LISTENED).any(&mut heard) && all_heard() {
            let message = format!("this line of `{}` never sounds", told.name);
            let help = "it is all rests: take it out, or write a hit";
            problems.add(Problem::new(&SILENT_LINE, told.span, message).help(help));
        }
    }
    let heard = laid_out(transport, steps);
    fights(&heard, transport, told, problems);
    polyphony(&heard, transport, told, problems);
}

/// An event where it is heard.
struct Heard {
    line: usize,
    begin: Rational,
    end: Rational,
    value: Value,
}

/// The onsets of the first bars, as far as so many steps go.
fn laid_out(transport: &Transport, mut steps: u64) -> Vec<Heard> {
    let horizon = transport.length.min(Rational::whole(LOOKED_AT));
    let mut heard = Vec::new();
    for clip in &transport.clips {
        let end = clip.end.map_or(horizon, |end| end.min(horizon));
        let Ok(length) = end - clip.start else { continue };
        if length.sign() <= 0 || heard.len() > MOST_EVENTS {
            continue;
        }
        // Cycle by cycle, so that no more than a cycle's events are held.
        for cycle in 0..length.ceil() as i64 {
            let mut span = TimeSpan::cycle(cycle);
            span.end = span.end.min(length);
            let pattern = &transport.lines[clip.line].pattern;
            let events = pattern.query_within(span, &mut steps).unwrap_or_default();
            for event in events.into_iter().filter(PatternEvent::has_onset) {
                let (begin, over) = (clip.start + event.whole.begin, clip.start + event.whole.end);
                if let (Ok(begin), Ok(over)) = (begin, over) {
                    heard.push(Heard { line: clip.line, begin, end: over.min(end), value: event.value });
                }
            }
            if heard.len() > MOST_EVENTS {
                break;
            }
        }
    }
    heard.sort_by_key(|h| (h.begin, h.line));
    heard
}

fn fights(heard: &[Heard], transport: &Transport, told: &[Told], problems: &mut Problems) {
    let mut set: HashMap<(usize, Rational), &Heard> = HashMap::new();
    let mut blamed = HashSet::new();
    for event in heard {
        let Action::Set { param, .. } = transport.lines[event.line].action else { continue };
        let Some(first) = set.insert((param, event.begin), event) else { continue };
        let pair = (first.line, event.line);
        if first.line == event.line || first.value == event.value || !blamed.insert(pair) {
            continue;
        }
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
    let mut sounding: HashMap<usize, BinaryHeap<Reverse<Rational>>> = HashMap::new();
    let mut most: HashMap<usize, (usize, &Heard)> = HashMap::new();
    for event in heard {
        let Action::Play { target } = transport.lines[event.line].action else { continue };
        let ends = sounding.entry(target).or_default();
        while ends.peek().is_some_and(|end| end.0 <= event.begin) {
            ends.pop();
        }
        ends.push(Reverse(event.end));
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
