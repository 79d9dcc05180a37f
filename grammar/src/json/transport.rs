//! The transport: tempo, patterns, locks.

use super::codes;
use super::fields::{Fields, Object, head};
use super::mods::{Quantity, quantity};
use super::params::{ParamName, Scalar, param_name, ramp, scalar};
use super::text::char_span;
use super::value::{At, Decimal, Text, Value};
use crate::problem::{Problem, count};
use crate::source::Span;

/// A step sequencer with its own tempo.
#[derive(Clone, Debug)]
pub struct Transport {
    /// The first character of the section, or of the node's `params`.
    pub head: Span,
    /// The node that holds it; None for the `transport` section.
    pub node: Option<Text>,
    /// Beats per minute; exact.
    pub bpm: Decimal,
    /// Bars until it starts again.
    pub length_bars: u32,
    /// Steps in a bar.
    pub resolution: u32,
    /// Percent of half a step by which odd steps come later; exact.
    pub swing: Decimal,
    /// Where the tempo and the swing are said; the head where they are not.
    pub places: (Span, Span),
    /// Changes of tempo, in the order of the file.
    pub tempo: Vec<TempoStep>,
    /// What is played, in the order of the file.
    pub patterns: Vec<Pattern>,
}

/// An entry of `tempoRamps`.
#[derive(Clone, Debug, PartialEq)]
pub struct TempoStep {
    /// From which bar on, from 0.
    pub bar: u32,
    /// Beats per minute; exact.
    pub bpm: Decimal,
}

/// One row of the sequencer.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The node that is played.
    pub node: Text,
    /// For each step whether it is a hit.
    pub steps: Vec<bool>,
    /// The string that says them.
    pub span: Span,
    /// Notes, in the order of the file.
    pub notes: Vec<PatternNote>,
    /// After how many bars the notes come again.
    pub bars: u32,
    /// Parameters that are set at steps.
    pub locks: Vec<Lock>,
}

impl Pattern {
    /// True when at least one step is a hit, or there is a note.
    pub fn has_hits(&self) -> bool {
        self.steps.contains(&true) || !self.notes.is_empty()
    }
}

/// A note of a pattern.
#[derive(Clone, Debug)]
pub struct PatternNote {
    /// The step at which it begins, from 0, counted through the bars of the pattern.
    pub step: At<u32>,
    /// How many steps it takes; 1 when absent. Exact.
    pub steps: At<Decimal>,
    /// Its MIDI note number, or its name, `c4`; the instrument's own when absent.
    pub note: Option<At<Quantity>>,
    /// Velocity; 1 when absent.
    pub vel: Decimal,
    /// How much of its steps it is held, in percent; 100 when absent.
    pub gate: Decimal,
    /// Milliseconds by which it comes later; earlier where negative.
    pub delay: Decimal,
}

/// A parameter that is set at a step of every bar.
#[derive(Clone, Debug)]
pub struct Lock {
    /// The step, from 0, below the resolution.
    pub step: At<u32>,
    /// The parameter that is set.
    pub param: ParamName,
    /// The value that the parameter gets.
    pub value: At<Scalar>,
    /// Milliseconds; 0 when absent. Exact.
    pub ramp: At<Decimal>,
}

const FIELDS: [&str; 7] =
    ["bpm", "lengthBars", "resolution", "swingPercent", "tempoRamps", "patterns", "pattern"];

/// The `transport` section (`node` is None) or the `params` of a node of that type, which may have one `pattern`.
pub(super) fn read_transport(f: &mut Fields<'_>, value: &At<Value>, node: Option<Text>) -> Option<Transport> {
    let limits = f.limits.json;
    let known = if node.is_some() { &FIELDS[..] } else { &FIELDS[..6] };
    let object = f.object(value, "the transport", known)?;
    let whole = |f: &mut Fields<'_>, key: &str, default: u32, most: usize| match object.get(key) {
        Some(v) => f.whole(v, &format!("`{key}`"), 1..=most as i64).map(|n| n.value as u32),
        None => Some(default),
    };
    let length_bars = whole(f, "lengthBars", 1, limits.bars);
    let resolution = whole(f, "resolution", 16, limits.resolution);
    let bpm = f.optional(&object, "bpm", beats_per_minute).unwrap_or_else(|| Decimal::whole_number(120));
    let swing = f.optional(&object, "swingPercent", swing).unwrap_or_else(|| Decimal::whole_number(0));
    let tempo = f.list(&object, "tempoRamps", limits.tempo_steps, tempo_step);
    for (bar, _) in &tempo {
        if length_bars.is_some_and(|length| bar.value >= length) {
            let message = format!("bar {} never comes: the transport starts again before it", bar.value);
            f.report(&codes::TEMPO_BAR, bar.span, message);
        }
    }
    let mut patterns = f.list(&object, "patterns", limits.patterns, pattern);
    if node.is_some() {
        patterns.extend(f.optional(&object, "pattern", pattern));
    }
    for pattern in &patterns {
        check_pattern(f, pattern, resolution, length_bars);
    }
    let place = |key: &str| object.get(key).map_or(head(value.span), |v| v.span);
    Some(Transport {
        places: (place("bpm"), place("swingPercent")),
        head: head(value.span),
        node,
        bpm,
        length_bars: length_bars.unwrap_or(1),
        resolution: resolution.unwrap_or(16),
        swing,
        tempo: tempo.into_iter().map(|(bar, bpm)| TempoStep { bar: bar.value, bpm }).collect(),
        patterns,
    })
}

fn beats_per_minute(f: &mut Fields<'_>, value: &At<Value>) -> Option<Decimal> {
    let most = f.limits.json.bpm;
    f.exact(value, "a tempo in beats per minute", false, most).map(|n| n.value)
}

fn swing(f: &mut Fields<'_>, value: &At<Value>) -> Option<Decimal> {
    let number = f.number(value)?;
    if !(0.0..=100.0).contains(&number.value.value()) {
        let message = format!("`swingPercent` is from 0 to 100, not {}", number.value.text());
        f.report(&codes::VALUE, value.span, message);
        return None;
    }
    f.exact(value, "`swingPercent`", true, 100).map(|n| n.value)
}

fn tempo_step(f: &mut Fields<'_>, value: &At<Value>) -> Option<(At<u32>, Decimal)> {
    let object = f.object(value, "a tempo step", &["bar", "bpm"])?;
    let bar = match object.get("bar") {
        Some(v) => {
            let most = f.limits.json.bars as i64;
            f.whole(v, "`bar`, which counts from 0,", 0..=most).map(|n| At::new(n.value as u32, n.span))
        }
        None => {
            let message = "a tempo step without `bar` holds from bar 0";
            f.assumed(object.head(), message, object.first(), " \"bar\": 0,");
            Some(At::new(0, object.head()))
        }
    };
    let bpm = f.required(&object, "bpm", beats_per_minute);
    Some((bar?, bpm?))
}

fn pattern(f: &mut Fields<'_>, value: &At<Value>) -> Option<Pattern> {
    let object = f.object(value, "a pattern", &["nodeId", "steps", "notes", "bars", "locks"])?;
    let node = f.required(&object, "nodeId", Fields::name);
    if let Some(span) = object.key_span("notes") {
        f.needs_second(span, "`notes` of patterns");
    }
    let notes = f.list(&object, "notes", f.limits.json.pattern_steps, note);
    let bars = object.get("bars").map(|v| {
        let most = f.limits.json.bars as i64;
        f.whole(v, "`bars`, after which the notes come again,", 1..=most)
    });
    let bars = bars.flatten().map_or(1, |bars| bars.value as u32);
    if let Some(span) = object.key_span("bars").filter(|_| object.get("notes").is_none()) {
        f.report(&codes::UNUSED_FIELD, span, "only the `notes` of a pattern look at this field");
    }
    let steps = match object.get("steps") {
        Some(value) => steps(f, value),
        None if object.get("notes").is_some() => Some((Vec::new(), object.head())),
        None => {
            let message = "a pattern without `steps` has no hits: only its locks act";
            f.assumed(object.head(), message, object.first(), " \"steps\": \".\",");
            Some((Vec::new(), object.head()))
        }
    };
    let most = f.limits.json.locks;
    let locks: Vec<_> = f.list(&object, "locks", most, lock);
    let (steps, span) = steps?;
    // A lock that could not be read has been reported: the pattern was not meant to be empty.
    let written = object.get("steps").is_some() || object.get("notes").is_some();
    if written
        && notes.is_empty()
        && !steps.contains(&true)
        && object.get("locks").is_none_or(|l| l.value == Value::Array(Vec::new()))
    {
        f.report(&codes::EMPTY_PATTERN, span, "a pattern without a hit and without a lock");
    }
    Some(Pattern { node: node?, steps, span, notes, bars, locks })
}

fn note(f: &mut Fields<'_>, value: &At<Value>) -> Option<PatternNote> {
    const KNOWN: &[&str] = &["step", "steps", "note", "vel", "gatePercent", "delayMs"];
    let object = f.object(value, "a note", KNOWN)?;
    let step = f.required(&object, "step", |f, v| f.whole(v, "`step`", 0..=i64::from(u32::MAX)));
    let most = f.limits.json.pattern_steps;
    let steps = match object.get("steps") {
        Some(v) => f.exact(v, "`steps`, which a note takes,", false, most),
        None => Some(At::new(Decimal::whole_number(1), object.head())),
    };
    let pitch = object.get("note").map(|value| quantity(f, value));
    let mut number = |key: &str, or: i64| match object.get(key) {
        Some(value) => f.number(value).map(|number| number.value),
        None => Some(Decimal::whole_number(or)),
    };
    let (vel, gate, delay) = (number("vel", 1), number("gatePercent", 100), number("delayMs", 0));
    let step = step?;
    Some(PatternNote {
        step: At::new(step.value as u32, step.span),
        steps: steps?,
        note: pitch.map_or(Some(None), |pitch| pitch.map(Some))?,
        vel: vel?,
        gate: gate?,
        delay: delay?,
    })
}

/// The steps of a pattern and the place of the string. A wrong character counts as a rest, once it is reported.
fn steps(f: &mut Fields<'_>, value: &At<Value>) -> Option<(Vec<bool>, Span)> {
    let text = f.text(value)?;
    let count = text.value.chars().count();
    if count > f.limits.json.pattern_steps {
        let message = format!("a pattern has at most {} steps, not {count}", f.limits.json.pattern_steps);
        f.report(&codes::LIMIT, text.span, message);
        return None;
    }
    let mut steps = Vec::with_capacity(count);
    for (index, c) in text.value.chars().enumerate() {
        if !matches!(c, 'x' | 'X' | '.' | '-' | ' ') {
            let message = format!("`{}` is not a step", c.escape_debug());
            let problem =
                Problem::new(&codes::PATTERN_CHARACTER, char_span(f.text, text.span, index), message);
            f.problems.add(problem.help("`x` or `X` is a hit; `.`, `-` and a space are rests"));
        }
        steps.push(matches!(c, 'x' | 'X'));
    }
    Some((steps, text.span))
}

fn lock(f: &mut Fields<'_>, value: &At<Value>) -> Option<Lock> {
    let object: Object<'_> = f.object(value, "a lock", &["step", "param", "paramId", "value", "rampMs"])?;
    let step = f.required(&object, "step", |f, v| f.whole(v, "`step`", 0..=i64::from(u32::MAX)));
    let param = param_name(f, &object);
    let value = f.required(&object, "value", scalar);
    let ramp = ramp(f, &object);
    let step = step?;
    Some(Lock { step: At::new(step.value as u32, step.span), param: param?, value: value?, ramp })
}

/// What a pattern and its transport must agree on. What of the transport could not be read is None.
fn check_pattern(f: &mut Fields<'_>, pattern: &Pattern, resolution: Option<u32>, bars: Option<u32>) {
    let Some(resolution) = resolution else { return };
    for lock in pattern.locks.iter().filter(|lock| lock.step.value >= resolution) {
        let message = format!("a bar has the steps 0 to {}, no step {}", resolution - 1, lock.step.value);
        f.report(&codes::LOCK_STEP, lock.step.span, message);
    }
    let all = u64::from(pattern.bars) * u64::from(resolution);
    for note in pattern.notes.iter().filter(|note| u64::from(note.step.value) >= all) {
        let message = format!(
            "the steps of {} of {resolution} are 0 to {}, and there is no step {}",
            count(pattern.bars as usize, "bar"),
            all - 1,
            note.step.value
        );
        f.report(&codes::LOCK_STEP, note.step.span, message);
    }
    let steps = pattern.steps.len() as u64;
    if !pattern.steps.contains(&true) {
        return;
    }
    let resolution = u64::from(resolution);
    let message = match bars {
        _ if steps <= resolution && resolution % steps == 0 => return,
        _ if steps <= resolution => format!("{steps} steps do not divide a bar of {resolution}"),
        None => return,
        Some(bars) if (u64::from(bars) * resolution).is_multiple_of(steps) => return,
        Some(bars) => format!(
            "{steps} steps do not divide the {} steps after which the transport starts again ({bars} × {resolution})",
            u64::from(bars) * resolution
        ),
    };
    let problem = Problem::new(&codes::PATTERN_LENGTH, pattern.span, message);
    f.problems.add(
        problem.help("its last repetition is cut off; lengthen or shorten it, or leave it if that is meant"),
    );
}
