//! What a pattern does, for people and for tools: exact events as JSON, and a picture of the cycles.

use mam_runtime::ids::ParamId;
use mam_runtime::score::pattern::ValueUnit;
use mam_runtime::score::{Pattern, PatternEvent, Pitch, QueryError, Rational, TimeSpan, Value};
use mam_runtime::sort::Sort;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Columns of a cycle, at most.
const MOST_COLUMNS: usize = 48;

/// Columns of a value before its row, at most.
const LABEL: usize = 32;

/// The names of the parameters that notes set, by their numbers in the pattern.
pub type SetNames = FxHashMap<ParamId, String>;

/// The events of a span, sorted by part, then whole.
///
/// # Errors
/// When they cannot be computed, or are too many.
pub fn events(pattern: &Pattern, span: TimeSpan) -> Result<Vec<PatternEvent>, QueryError> {
    let mut events = pattern.query(span)?;
    events.put_in_order_by_key(|e| (e.part.begin, e.part.end, e.whole.begin, e.whole.end));
    Ok(events)
}

/// `{"events":[{"value":…,"whole":["0/1","1/8"],"part":["0/1","1/8"],"onset":true}, …]}` with exact fractions; a value
/// is a string, a number, a list, or `{"note":…,"vel":…}` with `length` (a share of the event) and `delay` (seconds) where
/// they are not 1 and 0.
pub fn json(events: &[PatternEvent], names: &SetNames) -> Json {
    let span = |s: TimeSpan| json!([s.begin.to_string(), s.end.to_string()]);
    let event = |e: &PatternEvent| {
        json!({
            "value": value_json(&e.value, names),
            "whole": span(e.whole),
            "part": span(e.part),
            "onset": e.has_onset(),
        })
    };
    json!({ "events": events.iter().map(event).collect::<Vec<_>>() })
}

fn value_json(value: &Value, names: &SetNames) -> Json {
    match value {
        Value::Word(word) => json!(&**word),
        Value::Number(x) if x.fract() == 0.0 && x.abs() < 1e15 => json!(*x as i64),
        Value::Number(x) => json!(x),
        Value::List(all) => all.iter().map(|value| value_json(value, names)).collect(),
        Value::Note(note) => {
            // A hit has no pitch of its own.
            let pitch =
                if matches!(note.pitch, Pitch::Plain(_)) { Json::Null } else { json!(note.midi(0.0)) };
            let mut all = json!({ "note": pitch, "vel": note.vel });
            if note.length != 1.0 {
                all["length"] = json!(note.length);
            }
            if note.delay != 0.0 {
                all["delay"] = json!(note.delay);
            }
            for value in note.values.iter().flat_map(|values| values.iter()) {
                if let Some(name) = names.get(&value.param) {
                    all["set"][name] = match value.unit {
                        ValueUnit::Base => json!(value.value),
                        ValueUnit::Cycles => json!({ "cycles": value.value }),
                    };
                }
            }
            all
        }
    }
}

/// An exact number as a person writes it: `3`, `3/4`.
pub fn number(x: Rational) -> String {
    if x.den() == 1 { x.num().to_string() } else { x.to_string() }
}

/// A value as it is written; of a note, with what it sets.
pub fn value_text(value: &Value, names: &SetNames) -> String {
    match value {
        Value::Word(word) => word.to_string(),
        Value::Number(x) => format!("{x}"),
        Value::List(all) => all.iter().map(|value| value_text(value, names)).collect::<Vec<_>>().join(":"),
        Value::Note(note) => {
            let mut text = match note.pitch {
                Pitch::Plain(_) => "x".into(),
                _ => format!("{}", note.midi(0.0)),
            };
            for value in note.values.iter().flat_map(|values| values.iter()) {
                if let Some(name) = names.get(&value.param) {
                    let unit = if value.unit == ValueUnit::Cycles { " cycles" } else { "" };
                    let _ = write!(text, " {name} {}{unit}", (value.value * 1e4).round() / 1e4);
                }
            }
            text
        }
    }
}

/// A picture of the cycles that `span` touches, one row a value: `●` where an event begins, `━` while it
/// lasts, `┄` for a fragment that does not sound. At most `width` columns; cycles that do not fit in a row go into the
/// next.
pub fn picture(events: &[PatternEvent], span: TimeSpan, width: usize, set: &SetNames) -> String {
    if events.is_empty() {
        return "silence\n".into();
    }
    let (mut names, mut rows): (Vec<String>, FxHashMap<String, usize>) = Default::default();
    let mut lanes: BTreeMap<i128, Vec<(usize, &PatternEvent)>> = BTreeMap::new();
    for event in events {
        let name = value_text(&event.value, set);
        let row = *rows.entry(name.clone()).or_insert(names.len());
        if row == names.len() {
            names.push(name);
        }
        // One of no length has a cycle too.
        let first = event.part.begin.floor();
        let end = held(event).ceil().min(span.end.ceil());
        for cycle in first..end.max(first + 1) {
            lanes.entry(cycle).or_default().push((row, event));
        }
    }
    let label = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(LABEL);
    let room = width.saturating_sub(label + 3).max(16);
    let columns = columns(events, MOST_COLUMNS).min(room - 1);
    let is_hidden = lanes.iter().any(|(cycle, events)| hides(events, *cycle, columns));
    let a_line = (room / (columns + 1)).max(1);
    let mut text = String::new();
    let cycles: Vec<i128> = (span.begin.floor()..span.end.ceil()).collect();
    for cycles in cycles.chunks(a_line) {
        text += &head(cycles, label, columns);
        let drawn: Vec<BTreeMap<usize, Vec<char>>> =
            cycles.iter().map(|&cycle| drawn(lanes.get(&cycle), cycle, columns)).collect();
        for (row, name) in names.iter().enumerate() {
            let name: String = name.chars().take(label).collect();
            let _ = write!(text, "{name:<label$}  ");
            for lanes in &drawn {
                text.push('│');
                match lanes.get(&row) {
                    Some(lane) => text.extend(lane),
                    None => text.extend(std::iter::repeat_n('·', columns)),
                }
            }
            text.push_str("│\n");
        }
    }
    if is_hidden {
        text.push_str(
            "some events begin too close together to be told apart here: `--json` lists them all\n",
        );
    }
    text
}

/// Whether two events of a row and cycle begin in one column.
fn hides(events: &[(usize, &PatternEvent)], cycle: i128, columns: usize) -> bool {
    let mut begun = FxHashSet::default();
    let begins = |event: &PatternEvent| event.has_onset() && event.part.begin.floor() == cycle;
    events.iter().filter(|(_, event)| begins(event)).any(|(row, event)| {
        let column = (event.part.begin * Rational::whole(columns as i64)).map_or(0, |at| at.floor());
        !begun.insert((*row, column))
    })
}

/// The numbers of the cycles above a row of them; the first alone where they are too long.
fn head(cycles: &[i128], label: usize, columns: usize) -> String {
    let cell = columns + 1;
    let fits = cycles.iter().all(|cycle| cycle.to_string().len() < cell);
    let numbers = cycles.iter().take(if fits { cycles.len() } else { 1 });
    let numbers: String = numbers.map(|cycle| format!("{cycle:<cell$}")).collect();
    format!("{:label$}  {numbers}", "").trim_end().to_string() + "\n"
}

/// Until when an event is held: for a share of its time, if it is a note that sounds; else as long as it lasts.
fn held(event: &PatternEvent) -> Rational {
    let share = match &event.value {
        Value::Note(note) if event.has_onset() => note.length,
        _ => 1.0,
    };
    if share == 1.0 {
        return event.part.end;
    }
    // What cannot be said exactly is drawn as it is written.
    let end = || {
        let time = ((event.whole.end - event.whole.begin).ok()? * Rational::from_f64(share)?).ok()?;
        (event.whole.begin + time).ok()
    };
    end().unwrap_or(event.part.end)
}

/// The lanes of one cycle, by their rows.
fn drawn(
    events: Option<&Vec<(usize, &PatternEvent)>>,
    cycle: i128,
    columns: usize,
) -> BTreeMap<usize, Vec<char>> {
    let mut rows: BTreeMap<usize, Vec<&PatternEvent>> = BTreeMap::new();
    for (row, event) in events.into_iter().flatten() {
        rows.entry(*row).or_default().push(event);
    }
    rows.into_iter().map(|(row, events)| (row, lane(&events, cycle, columns))).collect()
}

/// Columns a cycle, of at most so many: the fewest (of 8 and more) on which every event begins and ends, else as many as
/// there may be.
pub fn columns(events: &[PatternEvent], most: usize) -> usize {
    let fits = |n: i64| {
        let on = |t: Rational| (t * Rational::whole(n)).is_ok_and(|x| x.den() == 1);
        events.iter().all(|e| on(e.part.begin) && on(e.part.end))
    };
    let fewest =
        [8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48].into_iter().find(|&n| n as usize <= most && fits(n));
    fewest.map_or(most, |n| n as usize)
}

/// One row's events of one cycle, in columns of equal length: `●` where one begins, `━` while it lasts, `┄` for a fragment
/// that does not sound, `·` else. The columns are exact in every cycle.
pub fn lane(events: &[&PatternEvent], cycle: i128, columns: usize) -> Vec<char> {
    let mut lane = vec!['·'; columns];
    // What cannot be said exactly is finer than any column.
    let scaled = |t: Rational| {
        let whole = Rational::whole(columns as i64);
        let within = Rational::new(cycle, 1).and_then(|cycle| t - cycle).and_then(|t| t * whole);
        within.unwrap_or(Rational::ZERO).max(Rational::ZERO).min(Rational::whole(columns as i64))
    };
    for event in events {
        let (from, to) = (scaled(event.part.begin).floor() as usize, scaled(held(event)).ceil() as usize);
        let heard = event.has_onset();
        let begins = event.part.begin.floor() == cycle;
        let to = if begins && heard { to.max(from + 1) } else { to };
        for (i, cell) in lane[from.min(to)..to.min(columns)].iter_mut().enumerate() {
            match (begins && heard && i == 0, heard, *cell) {
                (true, ..) => *cell = '●',
                (_, true, '·' | '┄') => *cell = '━',
                (_, false, '·') => *cell = '┄',
                _ => {}
            }
        }
    }
    lane
}
