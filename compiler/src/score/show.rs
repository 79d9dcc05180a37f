//! What a pattern does, for people and for tools: exact events as JSON, and a picture of the cycles.

use mam_runtime::score::{Pattern, PatternEvent, QueryError, Rational, TimeSpan, Value};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

/// The events of a span, sorted by part, then whole.
pub fn events(pattern: &Pattern, span: TimeSpan) -> Result<Vec<PatternEvent>, QueryError> {
    let mut events = pattern.query(span)?;
    events.sort_by_key(|e| (e.part.begin, e.part.end, e.whole.begin, e.whole.end));
    Ok(events)
}

/// `{"events":[{"value":…,"whole":["0/1","1/8"],"part":["0/1","1/8"],"onset":true}, …]}` with exact fractions; a value
/// is a string, a number, or a list.
pub fn json(events: &[PatternEvent]) -> Json {
    let span = |s: TimeSpan| json!([s.begin.to_string(), s.end.to_string()]);
    let event = |e: &PatternEvent| {
        json!({
            "value": value_json(&e.value),
            "whole": span(e.whole),
            "part": span(e.part),
            "onset": e.has_onset(),
        })
    };
    json!({ "events": events.iter().map(event).collect::<Vec<_>>() })
}

fn value_json(value: &Value) -> Json {
    match value {
        Value::Word(word) => json!(&**word),
        Value::Number(x) if x.fract() == 0.0 && x.abs() < 1e15 => json!(*x as i64),
        Value::Number(x) => json!(x),
        Value::List(all) => all.iter().map(value_json).collect(),
        Value::Note(note) => json!({ "note": note.midi(0.0), "vel": note.vel }),
    }
}

/// An exact number as a person writes it: `3`, `3/4`.
pub fn number(x: Rational) -> String {
    if x.den() == 1 { x.num().to_string() } else { x.to_string() }
}

/// A value as it is written.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::Word(word) => word.to_string(),
        Value::Number(x) => format!("{x}"),
        Value::List(all) => all.iter().map(value_text).collect::<Vec<_>>().join(":"),
        Value::Note(note) => format!("{}", note.midi(0.0)),
    }
}

/// A picture of the cycles that `span` touches, one row a value: `●` where an event begins, `━` while it lasts, `┄` for
/// a fragment that does not sound. At most `width` columns; cycles that do not fit in a row go into the next.
pub fn picture(events: &[PatternEvent], span: TimeSpan, width: usize) -> String {
    let mut rows: Vec<(String, Vec<&PatternEvent>)> = Vec::new();
    for event in events {
        let name = value_text(&event.value);
        match rows.iter_mut().find(|r| r.0 == name) {
            Some(row) => row.1.push(event),
            None => rows.push((name, vec![event])),
        }
    }
    let label = rows.iter().map(|r| r.0.chars().count()).max().unwrap_or(0).min(16);
    let room = width.saturating_sub(label + 3).max(16);
    let columns = columns(events).min(room - 1);
    let a_line = (room / (columns + 1)).max(1) as i128;
    let (mut cycle, last) = (span.begin.floor(), span.end.ceil());
    let mut text = String::new();
    while cycle < last {
        let until = (cycle + a_line).min(last);
        let _ = write!(text, "{:label$}  ", "");
        for c in cycle..until {
            let _ = write!(text, "{:<1$}", c, columns + 1);
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        for (name, events) in &rows {
            let name: String = name.chars().take(label).collect();
            let _ = write!(text, "{name:<label$}  ");
            for c in cycle..until {
                text.push('│');
                text.extend(lane(events, c, columns));
            }
            text.push_str("│\n");
        }
        cycle = until;
    }
    if rows.is_empty() {
        text.push_str("silence\n");
    }
    text
}

/// Columns a cycle: the fewest (of 8 to 48) on which every event begins and ends, else 48.
fn columns(events: &[PatternEvent]) -> usize {
    const MOST: i64 = 48;
    let fits = |n: i64| {
        let on = |t: Rational| (t * Rational::whole(n)).is_ok_and(|x| x.den() == 1);
        events.iter().all(|e| on(e.part.begin) && on(e.part.end))
    };
    [8, 12, 16, 20, 24, 28, 32, 36, 40, 44, MOST].into_iter().find(|&n| fits(n)).unwrap_or(MOST) as usize
}

/// One value's events of one cycle.
fn lane(events: &[&PatternEvent], cycle: i128, columns: usize) -> Vec<char> {
    let mut lane = vec!['·'; columns];
    let column = |t: Rational| {
        let t = (t.to_f64() - cycle as f64) * columns as f64;
        t.clamp(0.0, columns as f64)
    };
    for event in events {
        let (from, to) = (column(event.part.begin), column(event.part.end));
        if to <= 0.0 || from >= columns as f64 {
            continue;
        }
        let (from, to) = (from.floor() as usize, (to.ceil() as usize).min(columns));
        let heard = event.has_onset();
        for (i, cell) in lane[from..to].iter_mut().enumerate() {
            let begins = i == 0 && event.part.begin.floor() == cycle;
            match (begins && heard, heard, *cell) {
                (true, ..) => *cell = '●',
                (_, true, '·' | '┄') => *cell = '━',
                (_, false, '·') => *cell = '┄',
                _ => {}
            }
        }
    }
    lane
}
