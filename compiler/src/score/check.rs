//! Warnings about a score that is accepted: silent lines, lines that set one parameter at one instant, more notes than
//! voices, values that a pass leaves behind.

use super::codes::{LEFT_OVER, LINES_FIGHT, POLYPHONY, SILENT_LINE, TAB_CUT};
use super::compose::WrittenLine;
use super::extent;
use super::ramps;
use super::rests::Rests;
use super::schedule::{Heard, Schedule, cycles, onsets};
use super::show::number as show;
use super::work::{TRIED_CYCLES, query_problem, sounds};
use mam_grammar::{Problem, Problems, Span};
use mam_runtime::ids::ParamId;
use mam_runtime::score::{Action, Clip, Duration, Line, Ramp, Rational, TimeSpan, Transport};
use mam_runtime::sort::Sort;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

/// Bars of a song that are looked through.
const LOOKED_AT: i64 = 32;

/// Bars of a song that are looked through for what a pass leaves behind.
const MOST_BARS: i64 = 512;

/// Cycles in which a line should sound at least once.
const LISTENED: i64 = 64;

/// The warnings about the score of a song, and what a pass may leave behind. Looking through its patterns takes at most
/// `steps` of work. Where these run out, warnings are missing, never wrong.
pub(super) fn check(
    transport: &Transport,
    written: &[WrittenLine],
    steps: &mut u64,
    problems: &mut Problems,
) -> Vec<Leftover> {
    silent_lines(transport, written, steps, problems);
    later_cycles(transport, written, steps, problems);
    tabs(transport, written, problems);
    let horizon = Rational::whole(LOOKED_AT);
    let schedule = Schedule::new(transport, horizon, steps);
    // Lines of the song itself go on after its length, or come again.
    ramps::check(schedule.before(horizon), transport, written, problems);
    let heard = schedule.before(transport.length.min(horizon));
    fights(heard, transport, written, problems);
    extent::check(heard, transport, written, problems);
    polyphony(heard, transport, written, problems);
    leftovers(transport, written, steps)
}

/// Lines without a hit in the cycles that are looked at, though something is written in them. What is rests alone in quotes is
/// silent on purpose: `"~"`.
fn silent_lines(transport: &Transport, written: &[WrittenLine], steps: &mut u64, problems: &mut Problems) {
    for (line, written) in transport.lines.iter().zip(written) {
        let mut heard = |c: i64| match written.first.filter(|first| c == 0 && first.steps < *steps) {
            Some(first) => {
                *steps -= first.steps;
                first.sounds
            }
            None => sounds(&line.pattern.query_within(TimeSpan::cycle(c), steps)),
        };
        // A line with a longer period may sound after the cycles that are looked at.
        let all_heard = || written.period.is_ok_and(|period| period <= Rational::whole(LISTENED));
        if written.sound
            && written.rests != Some(Rests::OnPurpose)
            && !(0..LISTENED).any(&mut heard)
            && all_heard()
        {
            let message = format!("this line of `{}` never sounds", written.name);
            let help = match written.rests {
                Some(_) => "it is all rests: write a hit, or `\"~\"` where it is to be silent",
                None => {
                    "what stands behind its pattern leaves none of its steps: change that, or write `\"~\"` alone where it is to be silent"
                }
            };
            problems.add(Problem::new(&SILENT_LINE, written.span, message).help(help));
        }
    }
}

/// Cycles after those that are tried with every line, as far as they are heard in a pass: those of a line that is not back at
/// its start by then. One that cannot be played is an error, as in the first cycles.
fn later_cycles(transport: &Transport, written: &[WrittenLine], steps: &mut u64, problems: &mut Problems) {
    let mut heard = vec![0; written.len()];
    for clip in &transport.clips {
        let length = clip.end.unwrap_or(transport.length) - clip.start;
        let cycles = length.map_or(0, |length| length.ceil().min(MOST_BARS.into()) as i64);
        heard[clip.line] = cycles.max(heard[clip.line]);
    }
    for ((line, written), heard) in transport.lines.iter().zip(written).zip(heard) {
        let period = written.period.map_or(MOST_BARS, |p| p.ceil().min(MOST_BARS.into()) as i64);
        let mut later = TRIED_CYCLES..heard.min(period);
        let failed = later.find_map(|c| line.pattern.query_within(TimeSpan::cycle(c), steps).err());
        // Without a step left it says nothing of the pattern.
        if let Some(error) = failed.filter(|_| *steps > 0 && written.sound) {
            problems.add(query_problem(error, written.span));
        }
    }
}

/// Tabs of which the end is never heard.
fn tabs(transport: &Transport, written: &[WrittenLine], problems: &mut Problems) {
    let mut longest = vec![Rational::ZERO; written.len()];
    for clip in &transport.clips {
        let heard = clip.end.unwrap_or(transport.length) - clip.start;
        longest[clip.line] = longest[clip.line].max(heard.unwrap_or(Rational::ZERO));
    }
    for (written, heard) in written.iter().zip(longest) {
        let Some((length, span)) = written.tab.filter(|tab| heard.sign() > 0 && heard < tab.0) else {
            continue;
        };
        let bars = |n: Rational| format!("{} bar{}", show(n), if n == Rational::ONE { "" } else { "s" });
        let message = format!("this tab has {}, of which {} can be heard", bars(length), show(heard));
        let help = format!("shorten it to {}, or make what it stands in {} long", bars(heard), bars(length));
        problems.add(Problem::new(&TAB_CUT, span, message).help(help));
    }
}

/// A parameter that the end of a pass leaves other than its start found it, if that was the value `found`.
#[derive(Clone, Debug)]
pub struct Leftover {
    /// The parameter that is left at another value.
    pub param: ParamId,
    /// Its value at the end, in base units.
    pub left: f64,
    name: String,
    span: Span,
    /// The bar in which it is first set.
    begin: Rational,
    /// The bar up to which the value of the pass before is heard.
    heard_until: Rational,
    /// Bars of a pass.
    length: Rational,
    /// The section in which the song begins, and the bar in which that ends.
    first: Option<(Arc<str>, Rational)>,
    /// The bars in which instruments are first played.
    notes: Arc<FxHashMap<usize, Rational>>,
}

/// How a parameter is set in a pass.
struct Course {
    /// The first time, in bars, and the line of it.
    first: (Rational, usize),
    /// Until when what was there before is heard: until then, or halfway through the ramp of that.
    heard_until: Rational,
    /// The last time, and the line of it.
    last: (Rational, usize),
    /// The value since then, in base units.
    left: f64,
}

impl Course {
    /// Both one after the other; of what is set at one instant by one line, `other` comes later.
    fn and(self, other: Course) -> Course {
        let (last, left) = match other.last >= self.last {
            true => (other.last, other.left),
            false => (self.last, self.left),
        };
        let (first, heard_until) = (self.first, self.heard_until).min((other.first, other.heard_until));
        Course { first, heard_until, last, left }
    }
}

/// Whether a song does after its length what it did from the beginning: it starts over, or its patterns do by themselves.
fn comes_again(transport: &Transport) -> bool {
    let fits = |line: &Line| {
        let times = line.pattern.period().and_then(|period| transport.length / period);
        times.is_ok_and(|times| times.fract() == Rational::ZERO)
    };
    transport.restarts || transport.lines.iter().all(fits)
}

/// The parameters that are set by some lines, but not at once when a pass begins: what the last pass left is heard until
/// then. Where that is less than a bar, it is how a line begins. None where so many steps do not reach the end.
fn leftovers(transport: &Transport, written: &[WrittenLine], steps: &mut u64) -> Vec<Leftover> {
    let sets = |line: &Line| matches!(line.action, Action::Set { .. });
    let length = transport.length;
    if !transport.lines.iter().any(sets) || length > Rational::whole(MOST_BARS) || !comes_again(transport) {
        return vec![];
    }
    let mut notes: FxHashMap<usize, Rational> = FxHashMap::default();
    let mut courses: BTreeMap<ParamId, Course> = BTreeMap::new();
    for clip in &transport.clips {
        match transport.lines[clip.line].action {
            Action::Play { target } if notes.get(&target).is_some_and(|first| *first <= clip.start) => {}
            Action::Play { target } => {
                let mut begins = |part| onsets(transport, clip, part, steps).iter().map(|o| o.begin).min();
                if let Some(begin) = cycles(clip, length).find_map(&mut begins) {
                    notes.entry(target).and_modify(|first| *first = begin.min(*first)).or_insert(begin);
                }
            }
            Action::Set { param, ramp } => {
                if let Some(course) = course(transport, clip, ramp, steps) {
                    let course = match courses.remove(&param) {
                        Some(before) => before.and(course),
                        None => course,
                    };
                    courses.insert(param, course);
                }
            }
        }
        if *steps == 0 {
            return vec![];
        }
    }
    let first = transport.marks.iter().find(|mark| mark.start == Rational::ZERO);
    let first = first.map(|mark| (mark.name.clone(), mark.end));
    let notes = Arc::new(notes);
    let late = courses.into_iter().filter(|(_, course)| course.heard_until >= Rational::ONE);
    let leftover = |(param, Course { first: (begin, line), heard_until, last: (_, last), left })| Leftover {
        param,
        left,
        name: written[line].name.clone(),
        span: written[last].span,
        begin,
        heard_until,
        length,
        first: first.clone(),
        notes: notes.clone(),
    };
    late.map(leftover).collect()
}

/// How a clip sets a parameter within a pass, if it does: looked for from its start and from its end alone.
fn course(transport: &Transport, clip: &Clip, ramp: Ramp, steps: &mut u64) -> Option<Course> {
    let mut values = |part| {
        let onsets = onsets(transport, clip, part, steps).into_iter();
        let values = onsets.filter_map(|onset| Some((onset.begin, onset.value.number()?)));
        values.filter(|(begin, _)| *begin < transport.length).collect::<Vec<_>>()
    };
    let at = |(begin, _): &(Rational, f64)| *begin;
    let first = cycles(clip, transport.length).find_map(|part| values(part).into_iter().min_by_key(at))?;
    let mut parts = cycles(clip, transport.length).rev();
    let (last, left) = parts.find_map(|part| values(part).into_iter().max_by_key(at))?;
    // Halfway of a ramp it is nearer to what is new. Where a song does not start over, a ramp from its start is a fade.
    let over = Some(ramp.over).filter(|over| transport.restarts && *over != Duration::default());
    let half = over.and_then(|over| (ramps::bars(transport, over, first.0)? * Rational::ratio(1, 2)).ok());
    let heard_until = half.and_then(|half| (first.0 + half).ok()).unwrap_or(first.0);
    Some(Course { first: (first.0, clip.line), heard_until, last: (last, clip.line), left })
}

impl Leftover {
    /// The warning, where the parameter begins with `start` and belongs to the instrument `owner`, if to one; `show` writes
    /// a value. None where the two sound the same: an instrument that is not played is not heard.
    pub fn problem(&self, start: f64, owner: Option<usize>, show: impl Fn(f64) -> String) -> Option<Problem> {
        let played = |owner: usize| {
            self.notes.get(&owner).is_some_and(|first| {
                let heard = (self.heard_until - *first).unwrap_or(Rational::ZERO);
                *first < self.begin || heard >= Rational::ONE
            })
        };
        if start == self.left || owner.is_some_and(|owner| !played(owner)) {
            return None;
        }
        let name = &self.name;
        let (start, left) = (show(start), show(self.left));
        let message = format!(
            "the first pass begins with `{name}` at {start}, and each later one at {left}: what is set here stays"
        );
        let at_once = |bars: Rational| match bars.ceil() - 1 {
            ..=0 => format!("`{name} \"{start}\"`"),
            rest => format!("`{name} \"<{start} ~!{rest}>\"`"),
        };
        let help = match &self.first {
            Some((section, end)) if self.begin < *end => format!(
                "to begin each pass alike, put a line before those of `{name}` in the section `{section}`: {}",
                at_once(*end)
            ),
            Some((section, _)) => format!(
                "to begin each pass alike, put a line into the section `{section}`: `{name} \"{start}\"`"
            ),
            None => {
                format!(
                    "to begin each pass alike, put a line before those of `{name}`: {}",
                    at_once(self.length)
                )
            }
        };
        Some(Problem::new(&LEFT_OVER, self.span, message).help(help))
    }
}

/// Whether a line sets a parameter at once.
fn jumps(line: &Line) -> bool {
    matches!(line.action, Action::Set { ramp, .. } if ramp.over == Duration::default())
}

fn fights(heard: &[Heard], transport: &Transport, written: &[WrittenLine], problems: &mut Problems) {
    let mut set: FxHashMap<(ParamId, Rational), &Heard> = FxHashMap::default();
    let mut blamed = FxHashSet::default();
    for event in heard {
        let Action::Set { param, ramp } = transport.lines[event.line].action else { continue };
        let Some(first) = set.insert((param, event.begin), event) else { continue };
        // A value, and a ramp that sets out from it.
        if ramp.over != Duration::default() && jumps(&transport.lines[first.line]) {
            continue;
        }
        let pair = (first.line, event.line);
        if first.value == event.value || !blamed.insert(pair) {
            continue;
        }
        let (one, two) = (&written[pair.0], &written[pair.1]);
        // What is wrong with a line may be why it says two values.
        if !one.sound || !two.sound {
            continue;
        }
        if first.line == event.line {
            let message =
                format!("this line sets `{}` to two values at one instant, {}", two.name, place(event.begin));
            let help =
                "a parameter has one value at a time: let the values come one after another, `\"1 0.5\"`";
            problems.add(Problem::new(&LINES_FIGHT, two.span, message).here("the last one wins").help(help));
            continue;
        }
        let message = format!("two lines set `{}` at one instant, {}", two.name, place(event.begin));
        problems.add(
            Problem::new(&LINES_FIGHT, two.span, message)
                .here("this one wins there")
                .label(one.span, "the other line")
                .help("let one of them rest there, or write them as one line"),
        );
    }
}

fn polyphony(heard: &[Heard], transport: &Transport, written: &[WrittenLine], problems: &mut Problems) {
    let mut sounding: FxHashMap<usize, BinaryHeap<Reverse<Rational>>> = FxHashMap::default();
    let mut most: FxHashMap<usize, (usize, &Heard)> = FxHashMap::default();
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
    most.put_in_order_by_key(|m| m.1.line);
    for (count, event) in most {
        let written = &written[event.line];
        let Some(voices) = written.voices.filter(|&voices| count > voices) else { continue };
        let has = if voices == 1 { "one voice".to_string() } else { format!("{voices} voices") };
        let message =
            format!("`{}` plays {count} notes at once ({}), and has {has}", written.name, place(event.begin));
        problems.add(
            Problem::new(&POLYPHONY, written.span, message)
                .help(format!(
                    "give it `voices: {count}`, `priority: last` so that held notes return, or let its notes not overlap"
                )),
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
