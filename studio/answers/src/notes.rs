//! What a song plays, for the piano roll: notes and bar lines of its first pass.

use mam_runtime::control::Position;
use mam_runtime::score::{Extent, Sequencer};
use mam_runtime::{EventKind, Program};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

/// Seconds that are shown of a song.
const MOST_SECONDS: u64 = 120;
/// Notes that are shown of a song.
const MOST_NOTES: usize = 4000;
/// Frames of a song whose events are asked for at a time.
const STRETCH: u64 = 1 << 14;

/// Notes as `[target, seconds, seconds, MIDI note, velocity]`, and bar lines in seconds.
pub(crate) fn notes(program: &Program) -> Value {
    let rate = f64::from(program.rate);
    let mut sequencer = Sequencer::for_program(program, Extent::Once);
    let most = MOST_SECONDS * u64::from(program.rate);
    let end = sequencer.song_end().unwrap_or(most).min(most);
    let mut target = FxHashMap::default();
    for (index, of) in program.targets.iter().enumerate() {
        of.voices.iter().for_each(|voice| _ = target.insert(*voice, index));
    }
    let mut open: FxHashMap<_, (u64, f64, f64)> = FxHashMap::default();
    let mut notes: Vec<Value> = vec![];
    let mut close = |port, frame: u64, open: Option<(u64, f64, f64)>| {
        if let (Some((start, note, vel)), Some(index)) = (open, target.get(&port)) {
            notes.push(json!([index, start as f64 / rate, frame as f64 / rate, note, vel]));
        }
        notes.len() < MOST_NOTES
    };
    let (mut events, mut until) = (vec![], 0);
    'song: while until < end {
        until = end.min(until + STRETCH);
        sequencer.advance(until, &mut events);
        for event in events.drain(..) {
            let goes_on = match event.kind {
                EventKind::On { port, note, vel } => {
                    let before = open.insert(port, (event.frame, note, vel));
                    close(port, event.frame, before)
                }
                EventKind::Off { port } => {
                    let before = open.remove(&port);
                    close(port, event.frame, before)
                }
                EventKind::Set { .. } | EventKind::NoteValue { .. } | EventKind::Pitch { .. } => true,
            };
            if !goes_on {
                break 'song;
            }
        }
    }
    for (port, note) in open {
        close(port, end, Some(note));
    }
    json!({ "notes": notes, "seconds": end as f64 / rate, "bars": bars(program, end) })
}

/// Where bars begin, in seconds.
fn bars(program: &Program, end: u64) -> Vec<f64> {
    let Some(first) = Position::at_frame(program, 0) else { return vec![] };
    let lines = (0..).map_while(|bar| first.bar_line(bar).frame(program)?.ok());
    lines
        .take_while(|frame| *frame <= end)
        .take(1000)
        .map(|frame| frame as f64 / f64::from(program.rate))
        .collect()
}
