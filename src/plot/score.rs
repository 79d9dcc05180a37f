//! What a score plays: piano roll, and the courses of parameters.

use super::axis::Axis;
use super::figure::{Bar, Figure, Layer, Panel, note_axis};
use crate::failure::Failure;
use mam_runtime::ids::ParamId;
use mam_runtime::score::Extent;
use mam_runtime::{Curve, Event, EventKind, Program};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Events of a program before a frame, in order.
fn events(program: &Program, frames: u64) -> Result<Vec<Event>, Failure> {
    Ok(crate::stages::events(program, Extent::Once, frames)?.0)
}

/// A piano roll: notes over time, a colour for each instrument, darker where they are stronger. Instruments that are only
/// struck (all their notes are one) have lines of their own below.
///
/// Its time counts from the first of the `frames`.
///
/// # Errors
/// When there are too many events.
pub fn piano_roll(name: &str, program: &Program, frames: Range<u64>) -> Result<Figure, Failure> {
    let rate = f64::from(program.rate);
    let mut bars: BTreeMap<usize, Vec<Bar>> = BTreeMap::new();
    let mut open: BTreeMap<usize, (usize, Bar)> = BTreeMap::new();
    let ports: BTreeMap<usize, usize> = program
        .targets
        .iter()
        .enumerate()
        .flat_map(|(index, target)| target.voices.iter().map(move |port| (port.index(), index)))
        .collect();
    for event in events(program, frames.end)? {
        let time = event.frame.saturating_sub(frames.start) as f64 / rate;
        match event.kind {
            EventKind::On { port, note, vel } => {
                let Some(&target) = ports.get(&port.index()) else { continue };
                let bar = Bar { from: time, to: time, at: note, strength: vel };
                if let Some((target, bar)) = open.insert(port.index(), (target, bar)) {
                    bars.entry(target).or_default().push(Bar { to: time, ..bar });
                }
            }
            EventKind::Off { port } => {
                if let Some((target, bar)) = open.remove(&port.index()) {
                    bars.entry(target).or_default().push(Bar { to: time, ..bar });
                }
            }
            EventKind::Set { .. } | EventKind::NoteValue { .. } | EventKind::Pitch { .. } => {}
        }
    }
    let end = (frames.end - frames.start) as f64 / rate;
    for (target, bar) in open.into_values() {
        bars.entry(target).or_default().push(Bar { to: end, ..bar });
    }
    let is_struck = |notes: &Vec<Bar>| notes.iter().all(|note| note.at == notes[0].at);
    let struck = bars.iter().filter(|(_, notes)| is_struck(notes)).map(|(&target, _)| target).collect();
    // What was over before has no length here.
    bars.values_mut().for_each(|bars| bars.retain(|bar| bar.to > 0.0));
    bars.retain(|_, bars| !bars.is_empty());
    Ok(roll(name, program, bars, &struck, end))
}

fn roll(
    name: &str,
    program: &Program,
    bars: BTreeMap<usize, Vec<Bar>>,
    struck: &BTreeSet<usize>,
    end: f64,
) -> Figure {
    let target = |index: usize| program.targets[index].name.to_string();
    let (hits, notes): (Vec<_>, Vec<_>) =
        bars.into_iter().enumerate().partition(|(_, (target, _))| struck.contains(target));
    let heights = notes.iter().flat_map(|(_, (_, notes))| notes).map(|note| note.at);
    let (low, high) = heights.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
    let mut panels = vec![];
    if low <= high {
        let layers = notes.iter().map(|(colour, (index, notes))| Layer::Notes {
            name: target(*index),
            notes: notes.clone(),
            colour: *colour,
        });
        let height = ((high - low + 3.0) * 9.0).clamp(120.0, 420.0);
        let (x, y) = (Axis::seconds(end), note_axis(low, high));
        panels.push(Panel { title: String::new(), x, y, layers: layers.collect(), height });
    }
    if !hits.is_empty() {
        let count = hits.len();
        let layers = hits.iter().enumerate().map(|(row, (colour, (index, notes)))| {
            let at = (count - row) as f64;
            let notes = notes.iter().map(|note| Bar { at, ..*note }).collect();
            Layer::Notes { name: target(*index), notes, colour: *colour }
        });
        let names =
            hits.iter().enumerate().map(|(row, (_, (index, _)))| ((count - row) as f64, target(*index)));
        let y = Axis { named: names.collect(), ..Axis::linear("", 0.4, count as f64 + 0.6) };
        let (x, height) = (Axis::seconds(end), (count as f64 * 24.0).clamp(48.0, 300.0));
        panels.push(Panel { title: String::new(), x, y, layers: layers.collect(), height });
    }
    Figure { title: format!("Notes of {name}"), panels }
}

/// The courses of all parameters that the score sets, a panel for each: steps where they are set at once, ramps where they
/// take time. At most twelve, in the order in which they are first set. Their time counts from the first of the `frames`.
///
/// # Errors
/// When there are too many events, or none that sets a parameter.
pub fn courses(name: &str, program: &Program, frames: Range<u64>) -> Result<Figure, Failure> {
    const MOST: usize = 12;
    let rate = f64::from(program.rate);
    let mut order: Vec<ParamId> = vec![];
    let mut points: BTreeMap<usize, Vec<(f64, f64)>> = BTreeMap::new();
    for event in events(program, frames.end)? {
        let EventKind::Set { param, value, ramp, curve } = event.kind else { continue };
        let slot = &program.params[param];
        // The length of a beat and of a bar is no parameter of the song's.
        if !slot.max.is_finite() && program.score.lengths.iter().any(|length| length.param == param) {
            continue;
        }
        if !points.contains_key(&param.index()) {
            order.push(param);
        }
        let course = points
            .entry(param.index())
            .or_insert_with(|| vec![(-(frames.start as f64) / rate, slot.default)]);
        let from = course.last().map_or(slot.default, |point| point.1);
        let time = (event.frame as f64 - frames.start as f64) / rate;
        // What is later than this event belongs to a ramp that it cuts off.
        let cut = course.iter().position(|point| point.0 > time);
        let from = cut.map_or(from, |cut| between(course[cut - 1], course[cut], time));
        course.truncate(cut.unwrap_or(course.len()));
        let value = value.clamp(slot.min, slot.max);
        let (steps, curve) = (course_steps(ramp), curve.unwrap_or(slot.curve));
        course.push((time, from));
        for step in 1..=steps {
            let part = step as f64 / steps as f64;
            course.push((time + part * f64::from(ramp) / rate, along(from, value, part, curve)));
        }
    }
    let end = (frames.end - frames.start) as f64 / rate;
    let panel = |param: &ParamId| {
        let mut course = points.remove(&param.index())?;
        let last = course.last().map(|point| point.1)?;
        course.push((end, last));
        begin_at_zero(&mut course);
        let values = course.iter().map(|point| point.1);
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        let margin = (high - low) * 0.08;
        Some(Panel {
            title: program.params[*param].name.to_string(),
            x: Axis::seconds(end),
            y: Axis::linear("value in base units", low - margin, high + margin),
            layers: vec![Layer::Curve { name: String::new(), points: course, colour: 0 }],
            height: 90.0,
        })
    };
    let panels: Vec<Panel> = order.iter().take(MOST).filter_map(panel).collect();
    if panels.is_empty() {
        return Err(Failure::Usage(
            "the score sets no parameter: a line such as `bd.gain \"0.4 1\"` does, and `--what notes` shows what is played"
                .into(),
        ));
    }
    Ok(Figure { title: format!("Parameters of {name}"), panels })
}

/// Leaves out what of a course lies before 0, where it has the value that it had come to.
fn begin_at_zero(course: &mut Vec<(f64, f64)>) {
    if let Some(before) = course.iter().rposition(|point| point.0 < 0.0) {
        let value =
            course.get(before + 1).map_or(course[before].1, |next| between(course[before], *next, 0.0));
        course.splice(..=before, [(0.0, value)]);
    }
}

/// Points of a ramp that takes so many frames.
fn course_steps(ramp: u32) -> u32 {
    const MOST: u32 = 24;
    ramp.clamp(1, MOST)
}

/// The value of a ramp at a part of its time.
fn along(from: f64, to: f64, part: f64, curve: Curve) -> f64 {
    match curve {
        Curve::Step => to,
        Curve::Exp if from > 0.0 && to > 0.0 => from * (to / from).powf(part),
        Curve::Linear | Curve::Exp => from + (to - from) * part,
    }
}

/// The value between two points at a time.
fn between(a: (f64, f64), b: (f64, f64), time: f64) -> f64 {
    if b.0 > a.0 { a.1 + (b.1 - a.1) * (time - a.0) / (b.0 - a.0) } else { b.1 }
}
